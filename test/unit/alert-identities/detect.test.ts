/** Which sender an alert is of, how it was wrapped, and what cannot be read. */
import { describe, expect, test } from '@jest/globals';
import { MAX_ALERTS } from '../../../nodes/AlertIdentities/detect';
import { MAX_ACCOUNTS } from '../../../nodes/AlertIdentities/people';
import { sources } from '../../../nodes/AlertIdentities/sources';
import { identitiesSchema } from '../../../nodes/core/everywhere/identities';
import {
	at,
	find,
	fixture,
	fixtures,
	identified,
	notIdentified,
	users,
} from '../../support/alerts';

const sourceOf = (name: string): string =>
	name.startsWith('google') ? 'google_secops' : name.replace(/-.*$/, '');

describe.each(fixtures)('%s', (name) => {
	test('is known by its shape, and by one sender only', () => {
		const alert = at(fixture(name), '_source') ?? fixture(name);
		const claiming = sources.filter(({ schema }) => schema.safeParse(alert).success);
		expect(claiming.map(({ key }) => key)).toEqual([sourceOf(name)]);
		for (const finding of find(fixture(name))) expect(finding.alert.source).toBe(sourceOf(name));
	});

	test('says the same when the sender is named', () => {
		expect(find(fixture(name), sourceOf(name))).toEqual(find(fixture(name)));
	});

	test('says the same as text, in a list and as an item of the Webhook node', () => {
		const alert: unknown = fixture(name);
		const bare = JSON.stringify(find(alert));
		const without = (prefix: string, found: unknown) =>
			JSON.stringify(found)
				.replaceAll(`"path":"${prefix}`, '"path":"')
				.replaceAll(` + ${prefix}`, ' + ');
		expect(JSON.stringify(find(JSON.stringify(alert)))).toBe(bare);
		expect(without('[0].', find([alert]))).toBe(bare);
		const request = {
			headers: {},
			params: {},
			query: {},
			webhookUrl: 'x',
			executionMode: 'production',
		};
		expect(without('body.', find({ ...request, body: alert }))).toBe(bare);
		expect(without('body.', find({ ...request, body: JSON.stringify(alert) }))).toBe(bare);
	});

	test('what it identifies is what Revoke Everywhere takes', () => {
		for (const { user, identities } of identified(fixture(name))) {
			const read = identitiesSchema.safeParse(identities);
			expect(read.success && read.data.user).toBe(user);
		}
	});
});

test('two senders that claim an alert: nobody is touched', () => {
	const alert = { ...fixture('splunk-webhook'), ...fixture('datadog-webhook') };
	expect(find(alert)).toEqual([
		expect.objectContaining({
			user: null,
			reason: expect.stringMatching(/could be of Datadog and Splunk: choose .*'Source'/),
			alert: expect.objectContaining({ source: null }),
		}),
	]);
	expect(users(alert, 'splunk')).toEqual(['jane@example.com']);
});

test.each([
	[{}, /no sender that is known/],
	[{ user: 'jane@example.com', owner: 'x' }, /no sender that is known/],
	[null, /no object/],
	[undefined, /no object/],
	[7, /no object/],
	[[], /empty list/],
	['', /is empty/],
	['   ', /is empty/],
	['jane@example.com', /not valid JSON/],
	['"jane@example.com"', /no object/],
	[[7, 'x'], /no sender that is known/],
])('%j: %s', (alert, reason) => {
	for (const finding of find(alert)) {
		expect(finding).toMatchObject({
			user: null,
			candidates: [],
			alert: { id: null, source: null },
		});
		expect(finding).toHaveProperty('reason', expect.stringMatching(reason));
	}
	expect(find(alert)).not.toEqual([]);
});

test('a sender that is named but sent something else', () => {
	const [finding] = notIdentified(
		{ sid: 's', results_link: 'x', result: 'jane@example.com' },
		'splunk',
	);
	expect(finding).toMatchObject({
		reason: "The alert is not as Splunk sends it: look at 'result'",
		alert: { source: 'splunk' },
	});
	expect(notIdentified({}, 'Splunk ')[0]?.reason).toMatch(/'Source' is not one of auto, caep, /);
});

test('one that cannot be read does not hide the others of a list', () => {
	const list = [fixture('splunk-webhook'), 7, fixture('wazuh-office365')];
	expect(find(list).map(({ user }) => user)).toEqual([
		'jane@example.com',
		null,
		'jane@example.com',
	]);
});

test('only an item of the Webhook node is taken for one', () => {
	expect(users({ body: fixture('splunk-webhook') })).toEqual([]);
});

describe('what is told of an alert', () => {
	const told = (meta: object) => {
		const { results_link, search_name, ...alert } = fixture('splunk-webhook');
		const { result } = alert as { result: object };
		const changed = { results_link, search_name, ...alert, ...meta };
		return find({ ...changed, result: { ...result, ...(meta as { result?: object }).result } })[0]
			?.alert;
	};

	test.each([
		['javascript:alert(1)', null],
		['ftp://example.com/', null],
		['https://user:secret@example.com/', null],
		['https://user@example.com/', null],
		['no address', null],
		[`https://example.com/${'x'.repeat(3000)}`, null],
		[7, null],
		['http://splunk:8000/a b', 'http://splunk:8000/a%20b'],
	])('the address %s', (results_link, url) => {
		expect(told({ results_link })?.url).toBe(url);
	});

	test.each([
		['a\u0000b\nc\u2028d', 'a b c d'],
		['x'.repeat(10_000), 'x'.repeat(512)],
		['\ud800', '\ufffd'],
		['  ', null],
		[{ text: 'x' }, null],
		[null, null],
	])('the title %j', (search_name, title) => {
		expect(told({ search_name })?.title).toBe(title);
	});

	test.each([
		['1768469731', '2026-01-15T09:35:31.000Z'],
		[1768469731643, '2026-01-15T09:35:31.643Z'],
		['2026-01-15T09:42:11.5673533Z', '2026-01-15T09:42:11.567Z'],
		['2026-01-15T09:42:11', '2026-01-15T09:42:11.000Z'],
		['2026-01-15 09:42:11+0100', '2026-01-15T08:42:11.000Z'],
		['2026-13-45T09:42:11Z', null],
		['yesterday', null],
		['9'.repeat(400), null],
		[-1, null],
		[Number.NaN, null],
		[true, null],
	])('the time %j', (_time, detectedAt) => {
		expect(told({ result: { _time } })?.detectedAt).toBe(detectedAt);
	});

	test("the severity keeps the sender's word", () => {
		expect(told({ result: { severity: 'informational' } })?.severity).toBe('informational');
		expect(told({ result: { severity: 12 } })?.severity).toBe('12');
	});
});

describe('hostile alerts', () => {
	test('names that are longer than a name, or hold what no name holds', () => {
		const names = [
			'x'.repeat(10_000_000),
			`${' '.repeat(5_000_000)}x`,
			`${'a'.repeat(600)}@example.com`,
			'jane\u0000@example.com',
			'jane@example.com\r\nx',
			'\ud800@example.com',
			{ toString: 'jane@example.com' },
			['jane@example.com', ['joe@example.com']],
		];
		for (const user of names) {
			const found = users({ ...fixture('splunk-webhook'), result: { user } });
			expect(found).toEqual(Array.isArray(user) ? ['jane@example.com'] : []);
		}
	});

	test('a value that was left out is told of, without the value', () => {
		const user = 'jane\u0000@example.com';
		const [finding] = notIdentified({ ...fixture('splunk-webhook'), result: { user } });
		expect(finding?.notes).toEqual([
			'The value at result.user was left out: it contains a control character',
		]);
	});

	test('prototypes are no members', () => {
		const text = JSON.stringify(fixture('splunk-webhook')).replace('"user"', '"__proto__"');
		expect(users(text)).toEqual([]);
		expect(
			users('{"__proto__":{"sid":"s","results_link":"x","result":{"user":"jane@example.com"}}}'),
		).toEqual([]);
		expect(({} as { sid?: string }).sid).toBeUndefined();
		const document = '{"kibana.alert.uuid":"u","user":{"__proto__":{"email":"jane@example.com"}}}';
		expect(users(document)).toEqual([]);
	});

	test('nesting without end', () => {
		const deep = '['.repeat(2_000_000) + ']'.repeat(2_000_000);
		expect(find(deep)).toHaveLength(1);
		const objects = `${'{"body":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
		expect(find(objects)).toHaveLength(1);
		expect(find(`{"source":"elastic","alerts":${deep}}`)).toHaveLength(1);
	});

	test('more alerts or accounts than anybody would act upon', () => {
		const many = Array.from({ length: MAX_ALERTS + 1 }, () => fixture('splunk-webhook'));
		expect(find(many)).toEqual([
			expect.objectContaining({ user: null, reason: expect.stringMatching(/split/) }),
		]);
		const list = Array.from({ length: MAX_ACCOUNTS + 1 }, (_, index) => `user${index}@example.com`);
		const crowd = (user: readonly string[]) => ({ ...fixture('splunk-webhook'), result: { user } });
		expect(find(crowd(list))).toEqual([
			expect.objectContaining({ user: null, reason: expect.stringContaining(`${MAX_ACCOUNTS}`) }),
		]);
		expect(users(crowd(list.slice(1)))).toHaveLength(MAX_ACCOUNTS);
	});

	test.each([
		['entities', { SystemAlertId: 'a', Entities: Array(1_000_000).fill({ Type: 'account' }) }],
		['alerts', { source: 'elastic', alerts: '{},'.repeat(1_000_000) + '{}' }],
		[
			'users',
			{ ...fixture('splunk-webhook'), result: { user: Array(1_000_000).fill('a@b.example') } },
		],
		['members', Object.fromEntries(Array.from({ length: 200_000 }, (_, index) => [index, 1]))],
	])('a million %s are not looked at', (_, alert) => {
		expect(find(alert)).toEqual([
			expect.objectContaining({
				user: null,
				reason: expect.stringMatching(/more than 100000 members/),
			}),
		]);
	});

	test('a user of more names than anybody has', () => {
		const emailAddresses = Array.from({ length: 90_000 }, (_, index) => `user${index}@example.com`);
		const event = { principal: { user: { emailAddresses } } };
		const [finding, ...others] = find({ collectionElements: [{ references: [{ event }] }] });
		expect(others).toEqual([]);
		expect(finding).toMatchObject({
			user: null,
			reason: expect.stringMatching(/more than 20 names/),
		});
	});

	test.each([
		'root@192.0.2.1',
		'jane@localhost',
		'Jane <jane@example.com>',
		'a@x.example,b@x.example',
	])('%s is no address', (user) =>
		expect(users({ ...fixture('splunk-webhook'), result: { user } })).toEqual([]),
	);

	test('a text that is too long to be read', () => {
		expect(notIdentified(' '.repeat(17 * 1024 * 1024) + '{}')[0]?.reason).toMatch(/longer than/);
	});
});
