/**
 * Stytch's own SDK and the connector ask a simulated Stytch for the same things: what goes over the
 * wire has to be the same, but for the differences listed here.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { B2BClient, Client } from 'stytch';
import { readOptions } from '../../nodes/core/connection';
import {
	authenticateSession,
	checkSetup,
	listSessions,
	retrieveUserOnly,
	revokeAllSessions,
	revokeOneSession,
} from '../../nodes/core/flow';
import { closeAll } from '../../nodes/core/transport';
import { ORGANIZATIONS, type ProjectType, startStytch, type StytchBench } from '../support/stytch';

/** Where SDK and connector differ on purpose, and why that is right. */
const differences = {
	contentType: {
		what: 'Content-Type without a body',
		sdk: 'application/json',
		connector: 'never sent',
		why: 'there is no content whose type it could be',
	},
	accept: {
		what: 'Accept',
		sdk: '*/*',
		connector: 'application/json',
		why: 'the connector can read nothing else, so a proxy had better say so than send a page',
	},
} as const;

const ID = '16d9ba61-97a1-4ba4-9720-b03761dc50c6';
const USER = `user-test-${ID}`;
const MEMBER = `member-test-${ID}`;
const EXTERNAL_ID = 'crm|10.01';
const NORA = 'nora@example.com';
const organization_ids = Object.values(ORGANIZATIONS);
const addresses = [
	NORA,
	'nora+alerts@example.com',
	'nora&limit=1@example.com',
	`nora.o'neil@example.com`,
	'"nora x"@example.com',
	'nora\\x@example.com',
	'björk@example.com',
	'👩‍💻@example.com',
] as const;

let bench: StytchBench;
let consumer: Client;
let b2b: B2BClient;
let organization_id = '';

beforeAll(async () => {
	bench = await startStytch({
		seed({ consumer: users, b2b: members }) {
			const access = { sessions: 2, connectedApps: 1 };
			const { retail: organization } = ORGANIZATIONS;
			users.addUser({ email: NORA, id: USER, externalId: EXTERNAL_ID, ...access });
			members.addMember({
				organization,
				email: NORA,
				id: MEMBER,
				externalId: EXTERNAL_ID,
				...access,
			});
		},
	});
	// The SDK says aloud that it does not know the address.
	jest.spyOn(console, 'warn').mockImplementation(() => undefined);
	const keys = (type: ProjectType) => {
		const { projectId: project_id, secret } = bench.stytch[type];
		return { project_id, secret, env: bench.simulator.url };
	};
	consumer = new Client(keys('consumer'));
	b2b = new B2BClient(keys('b2b'));
	({ organization_id } = bench.stytch.b2b.member(MEMBER));
});
beforeEach(async () => {
	await closeAll();
	bench.stytch.reset();
	bench.simulator.forget();
});
afterAll(async () => {
	jest.restoreAllMocks();
	await bench.close();
});

type Recorded = StytchBench['simulator']['requests'][number];

/** What goes over the wire while `work` runs; that Stytch refuses it does not matter here. */
async function recorded(work: () => Promise<unknown>): Promise<readonly Recorded[]> {
	bench.simulator.forget();
	await work().catch(() => undefined);
	expect(bench.simulator.unmatched).toEqual([]);
	expect(bench.simulator.violations).toEqual([]);
	return [...bench.simulator.requests];
}

/** A request without what is free to differ: percent-encoding decoded, order of the query dropped. */
function meaning(request: Recorded | undefined) {
	if (!request) throw new Error('Nothing was sent');
	const { method, path, query, body, headers } = request;
	return {
		method,
		segments: path.split('/').map(decodeURIComponent),
		query: [...new URLSearchParams(query)].toSorted(([one], [other]) => (one < other ? -1 : 1)),
		body: body === '' ? null : (JSON.parse(body) as unknown),
		contentType: body === '' ? null : headers['content-type']?.split(';')[0],
		authorization: headers.authorization,
	};
}

const byRoute = (requests: readonly Recorded[], route: string): Recorded | undefined =>
	requests.find((request) => request.route === route);

const working = (type: ProjectType) => ({
	connection: bench.connection(type),
	budget: { deadline: performance.now() + 10_000 },
});

const asking = (type: ProjectType, identity: string, options: Record<string, boolean> = {}) => {
	const at = working(type);
	return {
		...at,
		identity,
		options: readOptions(at.connection.connector, options),
		verify: false,
		allowShortNames: false,
		allowOwnIdentity: true,
		dryRun: false,
		mayTouch: () => Promise.resolve(null),
	};
};

/** The SDK's request and the connector's to the same route mean the same. */
async function expectSame(
	route: string,
	sdk: () => Promise<unknown>,
	connector: () => Promise<unknown>,
): Promise<void> {
	bench.stytch.reset();
	const theirs = byRoute(await recorded(sdk), route);
	bench.stytch.reset();
	const ours = byRoute(await recorded(connector), route);
	expect(meaning(ours)).toEqual(meaning(theirs));
	expect(ours?.path).toBe(theirs?.path);
	expect({ ours: ours?.status, theirs: theirs?.status }).toEqual({ ours: 200, theirs: 200 });
}

/** A search for one exact value, as the reference describes it. */
const searching = (filter_name: string, value: string) => ({
	limit: 1000,
	query: { operator: 'AND', operands: [{ filter_name, filter_value: [value] }] },
});

describe('look-up', () => {
	test.each(addresses)('of a user by address: %s', async (address) => {
		await expectSame(
			'searchUsers',
			() => consumer.users.search(searching('email_address', address)),
			() => retrieveUserOnly(asking('consumer', address)),
		);
	});

	test.each([USER, EXTERNAL_ID])('of a user by id: %s', async (user_id) => {
		await expectSame(
			'getUser',
			() => consumer.users.get({ user_id }),
			() => retrieveUserOnly(asking('consumer', user_id)),
		);
	});

	test.each(addresses)('of a member by address: %s', async (address) => {
		const search = { organization_ids, ...searching('member_emails', address) };
		await expectSame(
			'searchMembers',
			() => b2b.organizations.members.search(search),
			() => retrieveUserOnly(asking('b2b', address)),
		);
	});

	test.each([MEMBER, EXTERNAL_ID])('of a member by id: %s', async (id) => {
		const search = { organization_ids, ...searching('member_ids', id) };
		await expectSame(
			'searchMembers',
			() => b2b.organizations.members.search(search),
			() => retrieveUserOnly(asking('b2b', id)),
		);
	});

	test('the set-up check asks for one', async () => {
		await expectSame(
			'searchUsers',
			() => consumer.users.search({ limit: 1 }),
			() => checkSetup(working('consumer')),
		);
		await expectSame(
			'searchMembers',
			() => b2b.organizations.members.search({ organization_ids, limit: 1 }),
			() => checkSetup(working('b2b')),
		);
	});
});

describe('list', () => {
	test('the sessions of a user', async () => {
		await expectSame(
			'getSessions',
			() => consumer.sessions.get({ user_id: USER }),
			() => listSessions(asking('consumer', NORA), null),
		);
	});

	test('the sessions of a member', async () => {
		await expectSame(
			'getMemberSessions',
			() => b2b.sessions.get({ organization_id, member_id: MEMBER }),
			() => listSessions(asking('b2b', NORA), null),
		);
	});
});

describe('revoke', () => {
	test('every session of a user, by its id', async () => {
		const revokeEach = async () => {
			const { sessions } = await consumer.sessions.get({ user_id: USER });
			for (const { session_id } of sessions) await consumer.sessions.revoke({ session_id });
		};
		const of = (requests: readonly Recorded[]) =>
			requests.filter(({ route }) => route === 'revokeSession').map(({ body }) => body);
		const theirs = of(await recorded(revokeEach));
		bench.stytch.reset();
		const ours = of(await recorded(() => revokeAllSessions(asking('consumer', NORA))));
		expect(theirs).toHaveLength(2);
		expect(ours.toSorted()).toEqual(theirs.toSorted());
	});

	test('every session of a member, at once', async () => {
		await expectSame(
			'revokeMemberSession',
			() => b2b.sessions.revoke({ member_id: MEMBER }),
			() => revokeAllSessions(asking('b2b', NORA)),
		);
	});

	test('connected apps', async () => {
		const options = { revokeConnectedApps: true };
		const [ofUser] = bench.stytch.consumer.connectedAppsOf(USER);
		const [ofMember] = bench.stytch.b2b.connectedAppsOf(MEMBER);
		await expectSame(
			'getUserConnectedApps',
			() => consumer.users.connectedApps({ user_id: USER }),
			() => revokeAllSessions(asking('consumer', NORA, options)),
		);
		await expectSame(
			'revokeUserConnectedApp',
			() =>
				consumer.users.revoke({
					user_id: USER,
					connected_app_id: ofUser?.connected_app_id ?? '',
				}),
			() => revokeAllSessions(asking('consumer', NORA, options)),
		);
		await expectSame(
			'getMemberConnectedApps',
			() => b2b.organizations.members.getConnectedApps({ organization_id, member_id: MEMBER }),
			() => revokeAllSessions(asking('b2b', NORA, options)),
		);
		await expectSame(
			'revokeMemberConnectedApp',
			() =>
				b2b.organizations.members.connectedApps.revoke({
					organization_id,
					member_id: MEMBER,
					connected_app_id: ofMember?.connected_app_id ?? '',
				}),
			() => revokeAllSessions(asking('b2b', NORA, options)),
		);
	});
});

describe('one session', () => {
	const names = [
		['sessionId', 'session_id', 'member_session_id'],
		['sessionToken', 'session_token', 'session_token'],
		['sessionJwt', 'session_jwt', 'session_jwt'],
	] as const;

	test.each(names)('by %s', async (parameter, ofUser, ofMember) => {
		const value = 'session-test-16d9ba61-97a1-4ba4-9720-b03761dc50c6';
		const pairs = [
			['consumer', () => consumer.sessions.revoke({ [ofUser]: value })],
			['b2b', () => b2b.sessions.revoke({ [ofMember]: value })],
		] as const;
		for (const [type, sdk] of pairs) {
			const [theirs] = await recorded(sdk);
			const [ours] = await recorded(() => revokeOneSession(working(type), { parameter, value }));
			expect(meaning(ours)).toEqual(meaning(theirs));
			expect(ours?.status).toBe(theirs?.status);
		}
	});

	test.each([null, 60])('authenticated, duration %s', async (minutes) => {
		const token = 'x'.repeat(44);
		const given = {
			session_token: token,
			...(minutes === null ? {} : { session_duration_minutes: minutes }),
		};
		const pairs = [
			['consumer', () => consumer.sessions.authenticate(given)],
			['b2b', () => b2b.sessions.authenticate(given)],
		] as const;
		for (const [type, sdk] of pairs) {
			const [theirs] = await recorded(sdk);
			const [ours] = await recorded(() => authenticateSession(working(type), token, minutes));
			expect(meaning(ours)).toEqual(meaning(theirs));
			expect(ours?.status).toBe(theirs?.status);
		}
	});
});

test('the differences are those that are listed', async () => {
	const [theirs] = await recorded(() => consumer.users.get({ user_id: USER }));
	const [ours] = await recorded(() => retrieveUserOnly(asking('consumer', USER)));
	const { contentType, accept } = differences;
	expect(theirs?.headers).toMatchObject({ 'content-type': contentType.sdk, accept: accept.sdk });
	expect(ours?.headers).toMatchObject({ accept: accept.connector });
	expect(ours?.headers['content-type']).toBeUndefined();
});

test.each(Object.values(differences))(
	'the difference is explained: $what',
	({ sdk: their, ...our }) => {
		expect(their).not.toBe(our.connector);
		expect(our.why.length).toBeGreaterThan(20);
	},
);
