/**
 * Microsoft's own Graph client as the oracle: the same thing is done through the SDK and through the
 * connector, against the same recording simulator, and what went over the wire is compared. The SDK
 * sends its token to Microsoft's hosts by https only, so its middleware stays as Microsoft chains it
 * and only the last link, which fetches, leads to the simulator. It mints no tokens: those requests
 * have no oracle.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
	AuthenticationHandler,
	BatchRequestContent,
	BatchResponseContent,
	Client,
	type Context,
	type Middleware,
	RedirectHandler,
	RetryHandler,
	TelemetryHandler,
} from '@microsoft/microsoft-graph-client';
import type { Connection } from '../../nodes/core/connection';
import { checkSetup } from '../../nodes/core/flow';
import type { TargetResult } from '../../nodes/core/result';
import type { Bench } from '../contract/bench';
import { microsoftEntra } from '../contract/benches/entra';
import { retrieve, revoke, within } from '../contract/suite';
import { byRoute, meaning, recorded, type Recorded, testExplanations } from './recorded';

/** Where SDK and connector differ on purpose, and why that is right. */
const differences = {
	queryEncoding: {
		what: `$ ! ( ) * , / : @ in a query`,
		sdk: 'as they are, but for what the caller encodes',
		connector: 'percent-encoded, in names too',
		// http://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part2-url-conventions.html section 2
		why: 'OData splits a query first and then decodes names and values; only then is no character a delimiter by accident',
	},
	reserved: {
		what: 'a filter with # & + %',
		sdk: 'means something else unless the caller encodes it first',
		connector: 'means what was asked for',
		why: 'the SDK puts the text of a filter into the URL as it is, and a guest has #EXT# in the sign-in name',
	},
	emptyBody: {
		what: 'the body of revokeSignInSessions',
		sdk: 'none, as the samples of Microsoft post it',
		connector: '{}',
		why: 'the action has no parameters; in a batch Graph refuses a POST without a body, and one form serves both',
	},
	accept: {
		what: 'Accept',
		sdk: '*/*',
		connector: 'application/json',
		why: 'the connector can read nothing else, so a proxy had better say so than send a page',
	},
	telemetry: {
		what: 'the headers client-request-id and SdkVersion',
		sdk: 'sent',
		connector: 'never sent',
		why: 'Graph names each request itself (request-id), which results carry; how the SDK is used is its own affair',
	},
	partHeaders: {
		what: 'the header of a POST in a batch',
		sdk: 'content-type',
		connector: 'Content-Type',
		why: 'names of headers have no letter case; the documents write it as the connector does',
	},
} as const;

const SELECTED = [
	'id',
	'userPrincipalName',
	'mail',
	'displayName',
	'userType',
	'accountEnabled',
	'signInSessionsValidFromDateTime',
];
const READ_BACK = ['id', 'signInSessionsValidFromDateTime'];
const NOBODY = '00000000-0000-4000-8000-000000000000';

const names = [
	'jane@example.com',
	"maeve.o'neil@example.com",
	"''@example.com",
	"x' or '1' eq '1",
	'$kiosk@example.com',
	'jane doe@example.com',
	'björk.åäöüß@example.com',
	'用户@example.com',
	'👩‍💻@example.com',
	'a/b@example.com',
	'a?b=c;d,e:f@example.com',
	'(jane)!*@example.com',
	'"jane"@example.com',
	'back\\slash@example.com',
	'jane.doe',
];
/** Names that the SDK must be given in their encoded form. */
const reserved = [
	'jonas.weber_partner.example.org#EXT#@example.com',
	'jane+alerts@example.com',
	'a&$top=1@example.com',
	'jane%2Balerts@example.com',
];

/** @see https://learn.microsoft.com/graph/query-parameters#escaping-single-quotes */
const text = (value: string): string => `'${value.split("'").join("''")}'`;
const byName = (name: string): string =>
	`userPrincipalName eq ${text(name)} or mail eq ${text(name)}`;
const byAlias = (name: string): string => `proxyAddresses/any(p:p eq ${text(`smtp:${name}`)})`;

const { happy } = microsoftEntra.people;
let bench: Bench;
let connection: Connection;
let sdk: Client;
let id: string;

/** The last link of the SDK's chain: fetches from the simulator instead of from Microsoft. */
class LoopbackHandler implements Middleware {
	async execute(context: Context): Promise<void> {
		const url = new URL(context.request as string);
		expect(url.origin).toBe('https://graph.microsoft.com');
		const there = `${bench.simulator.url}${url.pathname}${url.search}`;
		context.response = await fetch(there, context.options);
	}
}

/** The chain of the SDK's HTTPClientFactory, but for its end. */
function client(accessToken: string): Client {
	const middleware = [
		new AuthenticationHandler({ getAccessToken: () => Promise.resolve(accessToken) }),
		new RetryHandler(),
		new RedirectHandler(),
		new TelemetryHandler(),
		new LoopbackHandler(),
	];
	return Client.initWithMiddleware({ middleware });
}

beforeAll(async () => {
	bench = await microsoftEntra.start();
});
beforeEach(async () => {
	await bench.reset();
	connection = bench.connection();
	sdk = client(bench.secretsOf('access token')[0] ?? '');
	id = (await retrieve(connection, happy)).user?.id ?? '';
});
afterAll(() => bench.close());

const wire = (work: () => Promise<unknown>): Promise<readonly Recorded[]> =>
	recorded(bench.simulator, work);

const get = (filter: string, select: readonly string[] = SELECTED) =>
	sdk
		.api('/users')
		.filter(filter)
		.select([...select])
		.top(50)
		.get() as Promise<unknown>;

/** The same request, but for the listed differences. */
function expectSame(ours: Recorded | undefined, theirs: Recorded | undefined): void {
	expect(meaning(theirs).accept).toBe(differences.accept.sdk);
	expect(meaning(ours)).toEqual({ ...meaning(theirs), accept: differences.accept.connector });
	expect(ours?.headers['content-type']).toBe(theirs?.headers['content-type']);
	// Nothing is left that some parser on the way could take for a delimiter.
	expect(ours?.query).toMatch(/^(?:[\w.~&=-]|%[0-9A-F]{2})*$/);
	for (const name of ['client-request-id', 'sdkversion']) {
		expect(theirs?.headers[name]).toEqual(expect.any(String));
		expect(ours?.headers[name]).toBeUndefined();
	}
}

const withoutBody = (request: Recorded | undefined) => request && { ...request, body: '' };

describe('look-up', () => {
	const filterOf = (request: Recorded | undefined) =>
		new URLSearchParams(request?.query).get('$filter');

	test.each([...names, ...reserved])('by sign-in name and address: %s', async (name) => {
		const [theirs] = await wire(() => get(encodeURIComponent(byName(name))));
		const [ours] = await wire(() => retrieve(connection, name));
		expectSame(ours, theirs);
		expect(filterOf(ours)).toBe(byName(name));
		expect({ ours: ours?.status, theirs: theirs?.status }).toEqual({ ours: 200, theirs: 200 });
	});

	test.each(names)('by sign-in name and address, encoded by the SDK alone: %s', async (name) => {
		const [theirs] = await wire(() => get(byName(name)));
		const [ours] = await wire(() => retrieve(connection, name));
		expectSame(ours, theirs);
	});

	test.each(reserved)('what the SDK alone makes of %s is another filter', async (name) => {
		const [theirs] = await wire(() => get(byName(name)));
		expect(filterOf(theirs)).not.toBe(byName(name));
	});

	const withDomain = [...names, ...reserved].filter((name) => name.includes('@'));
	test.each(withDomain)('by alias: %s', async (name) => {
		const select = [...SELECTED, 'proxyAddresses'];
		// The name of nobody: only then are aliases asked for.
		const alias = `nobody.${name}`;
		const [theirs] = await wire(() => get(encodeURIComponent(byAlias(alias)), select));
		const [, ours] = await wire(() => retrieve(connection, alias));
		expectSame(ours, theirs);
		expect(ours?.status).toBe(200);
	});

	test.each([
		['somebody', () => id, 200],
		['nobody', () => NOBODY, 404],
	])('by id, of %s', async (_, userId, status) => {
		const [theirs] = await wire(() => sdk.api(`/users/${userId()}`).select(SELECTED).get());
		const [ours] = await wire(() => retrieve(connection, userId()));
		expectSame(ours, theirs);
		expect(ours?.path).toBe(theirs?.path);
		expect(ours?.status).toBe(status);
	});

	test('the set-up check asks for one user', async () => {
		const [theirs] = await wire(() => sdk.api('/users').top(1).select('id').get());
		const [ours] = await wire(() => checkSetup({ connection, budget: within(5_000) }));
		expectSame(ours, theirs);
	});
});

describe('revoke', () => {
	const post = (body?: object) =>
		wire(() => sdk.api(`/users/${id}/revokeSignInSessions`).post(body));

	test('all sessions', async () => {
		const ours = byRoute(await wire(() => revoke(connection, happy)), 'revokeSignInSessions');
		const [theirs] = await post({});
		expectSame(ours, theirs);
		expect(ours?.path).toBe(theirs?.path);
		expect(ours?.headers['content-type']).toBe('application/json');
		expect({ ours: ours?.status, theirs: theirs?.status }).toEqual({ ours: 200, theirs: 200 });
	});

	test('the samples of Microsoft differ in the body only', async () => {
		const ours = byRoute(await wire(() => revoke(connection, happy)), 'revokeSignInSessions');
		const [theirs] = await post();
		expect(theirs).toMatchObject({ status: 200, body: '' });
		expect(ours?.body).toBe(differences.emptyBody.connector);
		expectSame(withoutBody(ours), theirs);
	});

	test('read back', async () => {
		const ours = byRoute(await wire(() => revoke(connection, happy)), 'getUser');
		const [theirs] = await wire(() => sdk.api(`/users/${id}`).select(READ_BACK).get());
		expectSame(ours, theirs);
		expect(ours?.path).toBe(theirs?.path);
	});
});

describe('$batch', () => {
	const batches = (requests: readonly Recorded[]) =>
		requests.filter(({ route }) => route === 'batch');

	/** Sends requests in one batch of the SDK; the answers by their place in it. */
	async function together(requests: readonly { url: string; init?: RequestInit }[]) {
		let statuses: (number | undefined)[] = [];
		const theirs = await wire(async () => {
			const content = new BatchRequestContent(
				requests.map(({ url, init }, index) => ({
					id: String(index),
					// The SDK's own type of a request has members of several fetch libraries at once.
					request: new Request(`https://graph.microsoft.com${url}`, init) as never,
				})),
			);
			const reply: unknown = await sdk.api('/$batch').post(await content.getContent());
			const answers = new BatchResponseContent(reply as never);
			statuses = requests.map((_, index) => answers.getResponseById(String(index)).status);
		});
		return { theirs, statuses };
	}

	interface Part {
		url: string;
		headers?: Readonly<Record<string, string>>;
	}

	/** What a batch asks for, without what is free to differ. */
	function partsOf(batch: Recorded | undefined) {
		const { requests } = JSON.parse(batch?.body ?? '{}') as { requests: Part[] };
		return requests.map(({ url, headers, ...part }) => {
			const [path = '', query = ''] = url.split('?');
			const lower = Object.entries(headers ?? {}).map(([name, value]) => [
				name.toLowerCase(),
				value,
			]);
			const asked = [...new URLSearchParams(query)].map(([name, value]) => `${name}=${value}`);
			return {
				...part,
				path,
				asked: asked.toSorted(),
				headers: Object.fromEntries(lower) as object,
			};
		});
	}

	function expectSameBatch(
		all: { ours: readonly Recorded[]; theirs: readonly Recorded[] },
		parts: number,
	): void {
		const [ours, theirs] = [batches(all.ours), batches(all.theirs)];
		expect(ours).toHaveLength(1);
		expect(theirs).toHaveLength(1);
		expectSame(withoutBody(ours[0]), withoutBody(theirs[0]));
		expect(partsOf(ours[0])).toHaveLength(parts);
		expect(partsOf(ours[0])).toEqual(partsOf(theirs[0]));
	}

	/** A connection that works on so many users at once, and batches for that. */
	const forMany = (users: number): Connection =>
		bench.connection({ surroundings: { usersInParallel: users, users } });

	test.each([
		['names', [...names, ...reserved]],
		['a full batch', microsoftEntra.people.crowd.slice(0, 20)],
	])('look-ups by name: %s', async (_, users) => {
		const many = forMany(users.length);
		const ours = await wire(() => Promise.all(users.map((user) => retrieve(many, user))));
		const { theirs, statuses } = await together(
			users.map((user) => {
				const filter = encodeURIComponent(byName(user));
				return { url: `/users?$filter=${filter}&$select=${SELECTED.join(',')}&$top=50` };
			}),
		);
		// Names that nobody has are asked for as aliases next.
		expectSameBatch({ ours: batches(ours).slice(0, 1), theirs }, users.length);
		expect(new Set(statuses)).toEqual(new Set([200]));
	});

	test('look-ups by id, one of which finds nobody', async () => {
		const users = [id, NOBODY];
		const many = forMany(users.length);
		let results: TargetResult[] = [];
		const ours = await wire(async () => {
			results = await Promise.all(users.map((user) => retrieve(many, user)));
		});
		const { theirs, statuses } = await together(
			users.map((user) => ({ url: `/users/${user}?$select=${SELECTED.join(',')}` })),
		);
		expectSameBatch({ ours, theirs }, users.length);
		// Both read the same of the answer, whose parts come in any order.
		expect(statuses).toEqual([200, 404]);
		expect(results.map(({ outcome }) => outcome)).toEqual(['user_found', 'user_not_found']);
	});

	test('revocations, and their read-back', async () => {
		const users = microsoftEntra.people.crowd.slice(0, 3);
		const many = forMany(users.length);
		const ours = await wire(() => Promise.all(users.map((user) => revoke(many, user))));
		const asked = batches(ours);
		expect(asked).toHaveLength(3);
		const ids = await Promise.all(
			users.map(async (user) => (await retrieve(connection, user)).user?.id ?? ''),
		);
		const revocations = await together(
			ids.map((user) => ({
				url: `/users/${user}/revokeSignInSessions`,
				init: { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' },
			})),
		);
		expectSameBatch({ ours: asked.slice(1, 2), theirs: revocations.theirs }, users.length);
		expect(asked[1]?.body).toContain(`"${differences.partHeaders.connector}"`);
		expect(batches(revocations.theirs)[0]?.body).toContain(`"${differences.partHeaders.sdk}"`);
		const readings = await together(
			ids.map((user) => ({ url: `/users/${user}?$select=${READ_BACK.join(',')}` })),
		);
		expectSameBatch({ ours: asked.slice(2), theirs: readings.theirs }, users.length);
	});

	test('a POST without a body, as in the samples, is refused in a batch', async () => {
		const { theirs } = await together([
			{ url: `/users/${id}/revokeSignInSessions`, init: { method: 'POST' } },
		]);
		expect(batches(theirs)[0]?.status).toBe(400);
	});
});

testExplanations(differences);
