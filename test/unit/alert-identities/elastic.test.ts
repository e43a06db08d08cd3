import { expect, test } from '@jest/globals';
import {
	candidates,
	find,
	fixture,
	identified,
	named,
	notIdentified,
	users,
} from '../../support/alerts';

const alertOf = (user: object) => ({ 'kibana.alert.uuid': 'u', user });

test('each alert of a webhook, the computer being nobody', () => {
	const [jane, computer, ...others] = find(fixture('elastic-webhook'));
	expect(others).toEqual([]);
	expect(jane && named(jane)).toEqual([
		'email jane@example.com',
		'samAccount CORP\\jane',
		'sid S-1-5-21-1004336348-1177238915-682003330-1111',
	]);
	expect(jane?.identities[0]).toMatchObject({ path: 'alerts[0].user.email', confidence: 'medium' });
	expect(jane?.alert).toEqual({
		id: 'u1',
		source: 'elastic',
		title: 'Okta sign-in from two places',
		severity: 'high',
		detectedAt: '2026-01-15T09:42:11.567Z',
		url: 'https://kibana.example.com/app/security/alerts/redirect/u1',
	});
	expect(computer).toMatchObject({
		user: null,
		candidates: [],
		alert: { id: 'u2', severity: 'low' },
	});
});

test('never the author of the rule or who works on the alert', () => {
	expect(JSON.stringify(find(fixture('elastic-webhook')))).not.toMatch(/analyst/);
});

test.each([
	[
		'objects with commas between',
		(all: readonly unknown[]) => all.map((one) => JSON.stringify(one)).join(','),
	],
	['a list', (all: readonly unknown[]) => JSON.stringify(all)],
])('alerts in quotes are %s in a text', (_, write) => {
	const alert = fixture('elastic-webhook');
	const expected = find(alert);
	expect(find({ ...alert, alerts: write(alert.alerts as unknown[]) })).toEqual(expected);
});

test.each(['{{context.alerts}}', '[object Object]', '{"a":'])(
	'alerts %j cannot be read',
	(alerts) => {
		const [finding] = notIdentified({ source: 'elastic', alerts });
		expect(finding).toMatchObject({
			reason: "The member 'alerts' is not valid JSON",
			alert: { source: 'elastic' },
		});
	},
);

test('a body without an alert, and one with something else, lose nothing', () => {
	expect(find({ source: 'elastic', alerts: [] })).toHaveLength(1);
	expect(find({ source: 'elastic', alerts: [7] })).toHaveLength(1);
});

test('an alert document, in its index wrapper, with dots in its names and lists', () => {
	const [jane, ...others] = identified(fixture('elastic-document'));
	expect(others).toEqual([]);
	expect(jane && named(jane)).toEqual(['email jane@example.com', 'login jane']);
	expect(jane?.identities[0]?.path).toBe('_source.user.email');
});

test('wrapped documents within a list', () => {
	const alerts = [fixture('elastic-document')];
	expect(users({ source: 'elastic', alerts })).toEqual(['jane@example.com']);
	expect(users({ alerts })).toEqual(['jane@example.com']);
	expect(users(alerts)).toEqual(['jane@example.com']);
});

test('nested names do as well as names with dots', () => {
	const kibana = { alert: { uuid: 'u9', rule: { name: 'Rule' } } };
	const [jane] = identified({ kibana, user: { email: 'jane@example.com' } });
	expect(jane?.alert).toMatchObject({ id: 'u9', title: 'Rule' });
});

test('two names in a list are two users', () => {
	expect(users(alertOf({ email: ['jane@example.com', 'joe@example.com'] }))).toEqual([
		'jane@example.com',
		'joe@example.com',
	]);
});

test('a user and another who was acted upon: nobody knows which is meant', () => {
	const alert = alertOf({ email: 'admin@example.com', target: { email: 'jane@example.com' } });
	expect(users(alert)).toEqual([]);
	expect(notIdentified(alert)).toHaveLength(1);
	expect(candidates(alert)).toEqual(['email admin@example.com', 'email jane@example.com']);
	expect(users(alertOf({ name: 'SYSTEM', target: { email: 'jane@example.com' } }))).toEqual([
		'jane@example.com',
	]);
});

test('a name alone is never enough', () => {
	expect(users(alertOf({ name: 'jane', domain: 'CORP', id: '1001' }))).toEqual([]);
	expect(candidates(alertOf({ name: 'jane', domain: 'CORP' }))).toEqual(['samAccount CORP\\jane']);
});
