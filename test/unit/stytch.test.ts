/** What is Stytch's own: two products, lists that are ended one by one, memberships, its errors, the Arazzo workflow. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Expression, type IWorkflowDataProxyData } from 'n8n-workflow';
import { StytchSessionsApi } from '../../credentials/StytchSessionsApi.credentials';
import { openCredential } from '../../nodes/core/connection';
import { protection } from '../../nodes/core/everywhere/protect';
import { authenticateSession, checkSetup, revokeOneSession } from '../../nodes/core/flow';
import { closeAll } from '../../nodes/core/transport';
import { stytch as connector } from '../../nodes/Stytch/connector';
import { list, retrieve, revoke, within } from '../contract/suite';
import { createStytch } from '../simulator/stytch';
import { startSimulator } from '../simulator/simulator';
import { ORGANIZATIONS, type ProjectType, startStytch, type StytchBench } from '../support/stytch';

const JANE = 'jane@example.com';
const { retail, logistics } = ORGANIZATIONS;

let bench: StytchBench;
beforeAll(async () => {
	bench = await startStytch({
		seed({ consumer, b2b }) {
			consumer.addUser({
				email: JANE,
				otherEmails: ['jane@home.example.com'],
				externalId: 'crm-1',
				sessions: 2,
				connectedApps: 2,
			});
			for (const [organization, sessions] of [
				[retail, 2],
				[logistics, 1],
			] as const) {
				b2b.addMember({ organization, email: JANE, sessions, connectedApps: 1 });
			}
			b2b.addOrganization({ name: 'Elsewhere' });
			b2b.addMember({ organization: 'elsewhere', email: JANE, sessions: 1 });
		},
	});
});
beforeEach(async () => {
	await closeAll();
	bench.stytch.reset();
	bench.simulator.faults.clear();
	bench.simulator.forget();
});
afterAll(() => bench.close());

const connection = (type: ProjectType, extra: Record<string, unknown> = {}) =>
	bench.connection(type, { extra });
const sent = (route: string) => bench.simulator.requests.filter((one) => one.route === route);
const memberOf = (organization: string) => bench.stytch.b2b.member(JANE, organization);
const bothProducts = ['consumer', 'b2b'] as const;

describe('a Consumer user', () => {
	test('is ended session by session, and listed again', async () => {
		const result = await revoke(connection('consumer'), JANE);
		expect(result).toMatchObject({
			outcome: 'revoked',
			changed: true,
			sessions: { found: 2, revoked: 2 },
			verification: { status: 'verified', method: 'Stytch (list of sessions)' },
		});
		expect(bench.simulator.requests.map(({ route }) => route)).toEqual([
			'searchUsers',
			'getSessions',
			'revokeSession',
			'revokeSession',
			'getSessions',
		]);
	});

	test('who signs in meanwhile is ended too', async () => {
		bench.stytch.consumer.keepSigningIn(JANE, 2);
		const result = await revoke(connection('consumer'), JANE);
		expect(result).toMatchObject({
			outcome: 'revoked',
			sessions: { found: 4, revoked: 4 },
			verification: { status: 'verified' },
		});
		expect(bench.stytch.consumer.sessionsOf(JANE)).toEqual([]);
	});

	test('three rounds are all: what is left then is told', async () => {
		bench.stytch.consumer.keepSigningIn(JANE);
		const result = await revoke(connection('consumer'), JANE);
		expect(result).toMatchObject({
			outcome: 'partial',
			state: 'revoke_failed',
			changed: true,
			verification: { status: 'unconfirmed' },
			message: expect.stringContaining('still shows 1 sessions'),
		});
		expect(sent('revokeSession')).toHaveLength(4);
	});

	test('a later round that fails does not undo what an earlier one ended', async () => {
		bench.stytch.consumer.keepSigningIn(JANE, 1);
		const fault = { kind: 'status', status: 403 } as const;
		bench.simulator.faults.next({ match: 'revokeSession', skip: 2, fault });
		expect(await revoke(connection('consumer'), JANE)).toMatchObject({
			outcome: 'partial',
			cause: 'permission_denied',
			changed: true,
			message: expect.stringContaining('Only a part ended'),
		});
	});

	test('a session that went by itself is done', async () => {
		const then = { kind: 'status', status: 404 } as const;
		const fault = { kind: 'afterEffect', then } as const;
		bench.simulator.faults.next({ match: 'revokeSession', fault });
		expect(await revoke(connection('consumer'), JANE)).toMatchObject({
			outcome: 'revoked',
			changed: true,
			cause: null,
			sessions: { found: 2, revoked: 1 },
			verification: { status: 'verified' },
		});
	});

	test.each([
		['an address', 'jane@home.example.com'],
		['an external id', 'crm-1'],
	])('%s means the same user', async (_, identity) => {
		expect(await retrieve(connection('consumer'), identity)).toMatchObject({
			user: { login: JANE, otherNames: ['jane@home.example.com', 'crm-1'] },
		});
	});

	test('a list with a session of somebody else ends nothing', async () => {
		bench.stytch.consumer.addUser({ email: 'joe@example.com' });
		const joe = bench.stytch.consumer.signIn('joe@example.com');
		const body = { sessions: [bench.stytch.consumer.shown(joe)] };
		bench.simulator.faults.next({ match: 'getSessions', fault: { kind: 'wrongShape', body } });
		expect(await revoke(connection('consumer'), JANE)).toMatchObject({
			outcome: 'failed',
			cause: 'unexpected_reply',
		});
		expect(sent('revokeSession')).toEqual([]);
	});
});

describe('a B2B member', () => {
	test('of several organizations is one user, ended in each that the credential names', async () => {
		const result = await revoke(connection('b2b'), JANE);
		const [first, second] = [memberOf(retail), memberOf(logistics)];
		expect(result).toMatchObject({
			outcome: 'revoked',
			changed: true,
			sessions: { found: 3, revoked: 3 },
			user: { id: first.member_id, login: JANE, otherNames: [second.member_id] },
			verification: { status: 'verified' },
		});
		expect(sent('revokeMemberSession').map(({ body }) => JSON.parse(body) as unknown)).toEqual(
			expect.arrayContaining([{ member_id: first.member_id }, { member_id: second.member_id }]),
		);
		expect(bench.stytch.b2b.sessionsOf(JANE, 'elsewhere')).toHaveLength(1);
	});

	test('is ended without a count when sessions cannot be listed', async () => {
		const fault = { kind: 'status', status: 403 } as const;
		bench.simulator.faults.next({ match: 'getMemberSessions', times: 2, fault });
		expect(await revoke(connection('b2b'), JANE)).toMatchObject({
			outcome: 'revoked',
			changed: null,
			sessions: { found: null, revoked: null },
			verification: { status: 'verified' },
		});
	});

	test('an id is that of one membership', async () => {
		const { member_id } = memberOf(logistics);
		expect(await revoke(connection('b2b'), member_id)).toMatchObject({
			outcome: 'revoked',
			sessions: { found: 1, revoked: 1 },
		});
		expect(bench.stytch.b2b.sessionsOf(JANE, retail)).toHaveLength(2);
	});

	test('an external id of the same address in two organizations is one user', async () => {
		for (const organization of [retail, logistics]) {
			const email = 'joe@example.com';
			bench.stytch.b2b.addMember({ organization, email, externalId: 'staff-9', sessions: 1 });
		}
		expect(await revoke(connection('b2b'), 'staff-9')).toMatchObject({
			outcome: 'revoked',
			sessions: { found: 2, revoked: 2 },
		});
	});

	test('one membership that cannot be ended leaves the other ended', async () => {
		const match = { bodyIncludes: memberOf(logistics).member_id };
		bench.simulator.faults.next({ match, fault: { kind: 'status', status: 403 } });
		expect(await revoke(connection('b2b'), JANE)).toMatchObject({
			outcome: 'partial',
			cause: 'permission_denied',
			sessions: { found: 3, revoked: 2 },
		});
		expect(bench.stytch.b2b.sessionsOf(JANE, retail)).toEqual([]);
	});

	test('who signs in meanwhile is ended too', async () => {
		bench.stytch.b2b.keepSigningIn(memberOf(retail).member_id, 1);
		expect(await revoke(connection('b2b'), JANE)).toMatchObject({ outcome: 'revoked' });
		expect(bench.stytch.b2b.sessionsOf(JANE, retail)).toEqual([]);
	});
});

test.each([
	['consumer', 'searchUsers', 'results', 'user'],
	['b2b', 'searchMembers', 'members', 'member'],
] as const)('half a list decides nothing: %s', async (type, match, name, kind) => {
	const { consumer } = bench.stytch;
	const found = kind === 'user' ? consumer.user(JANE) : memberOf(retail);
	const body = { [name]: [found], results_metadata: { total: -1, next_cursor: 'next' } };
	bench.simulator.faults.next({ match, fault: { kind: 'wrongShape', body } });
	expect(await revoke(connection(type), JANE)).toMatchObject({
		outcome: 'failed',
		cause: 'unexpected_reply',
	});
});

test('protected users are recognised by each of their names', async () => {
	const { user } = await retrieve(connection('b2b'), JANE);
	const [other = ''] = user?.otherNames ?? [];
	const mayTouch = protection([other], [JANE], 1)();
	expect(await mayTouch(user)).toMatchObject({ cause: 'protected_user' });
});

describe('connected apps', () => {
	const options = { revokeConnectedApps: true };

	test.each([
		['consumer', 2, 2],
		['b2b', 3, 2],
	] as const)('are ended when that is chosen: %s', async (type, sessions, apps) => {
		const untouched = await revoke(connection(type), JANE);
		expect(untouched.survives).toContainEqual(
			expect.objectContaining({ what: 'connected apps', option: 'revokeConnectedApps' }),
		);
		bench.stytch.reset();
		expect(await revoke(connection(type), JANE, { options })).toMatchObject({
			outcome: 'revoked',
			ended: ['sessions', 'connected apps'],
			sessions: { found: sessions, revoked: sessions },
			counted: { 'connected apps': { found: apps, revoked: apps } },
		});
	});

	test('that cannot be listed leave the sessions ended', async () => {
		const fault = { kind: 'status', status: 403 } as const;
		bench.simulator.faults.next({ match: 'getUserConnectedApps', fault });
		const result = await revoke(connection('consumer'), JANE, { options });
		expect(result).toMatchObject({ outcome: 'partial', sessions: { revoked: 2 } });
		expect(bench.stytch.consumer.connectedAppsOf(JANE)).toHaveLength(2);
	});
});

test.each(bothProducts)('session JWTs survive for five minutes: %s', async (type) => {
	const { survives, finishedAt } = await revoke(connection(type), JANE);
	const tail = survives.find(({ what }) => what === 'session JWTs');
	const after = Date.parse(tail?.until ?? '') - Date.parse(finishedAt);
	expect(Math.abs(after - 5 * 60_000)).toBeLessThan(1_000);
});

describe('the workflow session-authenticate-revoke', () => {
	/** Authenticate Session -> List Sessions -> Revoke Session, each with what the one before put out. */
	async function run(type: ProjectType, token: string) {
		const at = connection(type);
		const working = () => ({ connection: at, budget: within(5_000) });
		const { session } = await authenticateSession(working(), token, null);
		if (session === null) throw new Error('The session is not valid');
		const { userId, sessionToken } = session;
		const { sessions } = await list(at, userId);
		const named = { parameter: 'sessionToken', value: sessionToken };
		const revoked = await revokeOneSession(working(), named);
		return {
			userId,
			sessions,
			revoked,
			outputs: { userId, revokeRequestId: revoked.vendorRequestId },
		};
	}

	test.each(bothProducts)('ends with the user and the request: %s', async (type) => {
		const { stytch } = bench;
		const owner =
			type === 'consumer' ? stytch.consumer.user(JANE).user_id : memberOf(retail).member_id;
		const held = stytch[type].signIn(owner);
		const { outputs, sessions, revoked } = await run(type, held.token);
		expect(outputs).toEqual({
			userId: owner,
			revokeRequestId: expect.stringMatching(/^request-id-test-[\da-f-]{36}$/),
		});
		expect(sessions?.map(({ id }) => id)).toContain(held.id);
		expect(sessions).toHaveLength(3);
		expect(revoked).toMatchObject({ outcome: 'revoked', ended: ['session'] });
		expect(stytch.isLive(held.id)).toBe(false);
		expect(stytch[type].sessionsOf(owner)).toHaveLength(2);
	});

	test('an authentication extends a session only when it is told to', async () => {
		const { consumer } = bench.stytch;
		const held = consumer.signIn(JANE);
		const { expiresAt } = held;
		const authenticate = async (minutes: number | null) =>
			await authenticateSession(
				{ connection: connection('consumer'), budget: within(5_000) },
				held.token,
				minutes,
			);
		await authenticate(null);
		expect(sent('authenticateSession').at(-1)?.body).not.toContain('session_duration_minutes');
		expect(held.expiresAt).toBe(expiresAt);
		await authenticate(527_040);
		expect(held.expiresAt).toBeGreaterThan(expiresAt);
	});

	test.each(['x'.repeat(44), 'no token'])('a dead token is no session: %s', async (token) => {
		for (const type of bothProducts) {
			const working = { connection: connection(type), budget: within(5_000) };
			const { result, session } = await authenticateSession(working, token, null);
			expect(session).toBeNull();
			expect(result).toMatchObject({ outcome: 'failed', cause: 'session_invalid' });
		}
	});

	test.each(bothProducts)('a session can be named by a JWT: %s', async (type) => {
		const project = bench.stytch[type];
		const owner = type === 'consumer' ? JANE : memberOf(retail).member_id;
		const held = project.signIn(owner);
		const value = await project.jwt(held);
		const named = { parameter: 'sessionJwt', value };
		const working = { connection: connection(type), budget: within(5_000) };
		expect(await revokeOneSession(working, named)).toMatchObject({ outcome: 'revoked' });
		expect(bench.stytch.isLive(held.id)).toBe(false);
	});

	test.each([
		['sessionId', 'not-a-session'],
		['sessionToken', 'not a token'],
		['sessionJwt', 'eyJ.not.ajwt'],
	])('what can be no %s is said to be none', async (parameter, value) => {
		const working = { connection: connection('consumer'), budget: within(5_000) };
		expect(await revokeOneSession(working, { parameter, value })).toMatchObject({
			outcome: 'failed',
			cause: 'invalid_input',
			changed: null,
		});
	});
});

describe('keys that cannot work are explained', () => {
	const check = async (type: ProjectType, extra: Record<string, unknown>) => {
		const result = await checkSetup({ connection: connection(type, extra), budget: within(5_000) });
		return { ...result, told: [result.outcome, result.cause] };
	};
	const keysOf = (type: ProjectType) => {
		const { projectId, secret } = bench.stytch[type];
		return { projectId, secret };
	};

	test.each([
		['consumer', 'b2b', 'B2B'],
		['b2b', 'consumer', 'Consumer'],
	] as const)('of the other product: %s', async (type, other, name) => {
		const { told, message } = await check(type, keysOf(other));
		expect(told).toEqual(['failed', 'configuration']);
		expect(message).toContain(`set its 'Project Type' to '${name}'`);
	});

	test('of the other environment, by their beginning', () => {
		const { secret } = bench.stytch.consumer;
		const open = () => connection('consumer', { projectId: 'project-live-1', secret });
		expect(open).toThrow(/'Secret'.*test environment.*live one/);
	});

	test('of the other environment, by the answer', async () => {
		const live = createStytch({ environment: 'live' });
		const simulator = await startSimulator(live);
		try {
			const { told, message } = await check('consumer', { apiUrl: simulator.url });
			expect(told).toEqual(['failed', 'configuration']);
			expect(message).toContain("set 'Environment' to 'From the Project ID'");
		} finally {
			await simulator.close();
		}
	});

	test.each([
		['another secret', { secret: 'secret-test-another-one' }],
		['no secret of Stytch', { secret: 'hunter2' }],
		['no project', { projectId: 'project-test-of-nobody' }],
	])('%s', async (_, extra) => {
		const { told, message } = await check('consumer', extra);
		expect(told).toEqual(['failed', 'credential_invalid']);
		expect(message).toContain('same project and environment');
	});

	test('an organization that is not there', async () => {
		const { told, message } = await check('b2b', { organizationIds: 'nowhere' });
		expect(told).toEqual(['failed', 'configuration']);
		expect(message).toContain("'Organization IDs'");
	});

	test('an id of the other environment is not taken for nobody', async () => {
		const id = 'user-live-16d9ba61-97a1-4ba4-9720-b03761dc50c6';
		expect(await revoke(connection('consumer'), id)).toMatchObject({
			outcome: 'failed',
			cause: 'invalid_input',
			message: expect.stringContaining('live environment'),
		});
	});
});

describe('the credential', () => {
	const consumer = { projectType: 'consumer', projectId: 'project-test-1', secret: 's' };
	const b2b = { ...consumer, projectType: 'b2b', organizationIds: 'a' };
	const custom = { ...consumer, environment: 'custom', apiUrl: 'https://login.example' };
	const open = (fields: Record<string, unknown>) => openCredential(connector, fields);
	const { request = { url: '' }, rules } = new StytchSessionsApi().test ?? {};

	const addresses = [
		[consumer, 'https://test.stytch.com'],
		[{ ...consumer, projectId: ' project-live-1 ' }, 'https://api.stytch.com'],
		[{ ...custom, apiUrl: 'https://login.example/ ' }, 'https://login.example'],
	] as const;

	test.each(addresses)('leads to its environment, and so does its test: %j', (typed, baseUrl) => {
		const fields = { environment: 'auto', apiUrl: '', ...typed };
		expect(open(fields).access).toMatchObject({ baseUrl });
		const value = (text = '', $credentials: object = fields) =>
			new Expression('UTC').resolveSimpleParameterValue(text, {
				$credentials,
			} as unknown as IWorkflowDataProxyData);
		expect(value(request.baseURL)).toBe(baseUrl);
		expect(value(request.url)).toBe('/v1/users/search');
		expect(value(request.url, { ...fields, projectType: 'b2b' })).toBe(
			'/v1/b2b/organizations/search',
		);
	});

	test('its test says what a 400 of Stytch means', () => {
		expect(request).toMatchObject({ method: 'POST', body: { limit: 1 } });
		expect(rules).toContainEqual({
			type: 'responseCode',
			properties: { value: 400, message: expect.stringContaining('Project Type') },
		});
	});

	test('organizations are read once each, by commas or lines', () => {
		expect(open({ ...b2b, organizationIds: ' a, b~c\nd|e,a' }).credential).toMatchObject({
			organizationIds: ['a', 'b~c', 'd|e'],
		});
	});

	test.each([
		["'Project ID'", { ...consumer, projectId: ' ' }],
		["'Project ID'", { ...consumer, projectId: 'project-test-a:b' }],
		["'Project ID'", { ...consumer, projectId: 'public-token-test-1' }],
		["'Secret'", { ...consumer, secret: '' }],
		["'Secret'", { ...consumer, secret: 'a b' }],
		["'Secret'", { ...consumer, secret: 'secret-live-1' }],
		["'API URL'", { ...custom, apiUrl: 'http://login.example' }],
		["'API URL'", { ...custom, apiUrl: 'https://login.example/v1' }],
		["'Organization IDs'", { ...b2b, organizationIds: ' , ' }],
		["'Organization IDs'", { ...b2b, organizationIds: 'a/b' }],
	])('names %s when it cannot work', (label, fields) => {
		expect(() => open(fields)).toThrow(label);
	});
});
