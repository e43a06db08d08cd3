/** What is Janssen's own: scopes, DNs, a 404 that means nothing to end, older versions, Global Token Revocation, certificates. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { IExecuteFunctions } from 'n8n-workflow';
import { JanssenSessionsApi } from '../../credentials/JanssenSessionsApi.credentials';
import { connect, type Connection, openCredential } from '../../nodes/core/connection';
import { checkSetup } from '../../nodes/core/flow';
import { addHints } from '../../nodes/core/n8n/hints';
import type { TargetResult } from '../../nodes/core/result';
import { closeAll } from '../../nodes/core/transport';
import { janssen as connector } from '../../nodes/Janssen/connector';
import { endSession, list, retrieve, revoke, within } from '../contract/suite';
import type { Fault } from '../simulator/faults';
import { createJanssen, type Janssen, type JanssenOptions } from '../simulator/janssen';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator';
import { selfSigned } from '../transport/support/certificate';

const READ_USERS = 'https://jans.io/oauth/config/user.readonly';
const READ_SESSIONS = 'https://jans.io/oauth/jans-auth-server/session.readonly';
const DELETE_SESSIONS = 'https://jans.io/oauth/jans-auth-server/session.delete';
const GLOBALLY = 'global_token_revocation';
const USUAL = [READ_USERS, READ_SESSIONS, DELETE_SESSIONS, 'revoke_session'];

const CLIENT = '2000.11111111-2222-3333-4444-555555555555';
const clientSecret = 'a+secret/that=opens nothing';
const INUM = '5f0a3c6e-1b7d-4c29-9e84-2a6b8d0f4c13';
const DN = `inum=${INUM},ou=people,o=jans`;
const JANE = 'jane';
const ADDRESS = 'jane@example.com';
const IDLE = 'idle';
const GTR = { options: { revokeThrough: 'globalTokenRevocation' } };

let janssen: Janssen;
let simulator: Simulator;

async function startWith(
	options: JanssenOptions = {},
	served: SimulatorOptions = {},
	granted: readonly string[] = [...USUAL, GLOBALLY],
): Promise<void> {
	janssen = createJanssen({
		...options,
		users: [
			{
				userId: JANE,
				inum: INUM,
				mail: ADDRESS,
				sessions: 2,
				unauthenticated: 1,
				refreshTokens: 1,
			},
			{ userId: 'jane.roe', mail: 'other-jane@example.com', sessions: 1 },
			{ userId: IDLE, mail: 'idle@example.com' },
		],
		clients: [{ clientId: CLIENT, secret: clientSecret, scopes: granted }],
	});
	simulator = await startSimulator(janssen, served);
}

const connection = (asked: readonly string[] = USUAL, more: object = {}): Connection =>
	connect(
		connector,
		{ url: simulator.url, clientId: CLIENT, clientSecret, scopes: asked.join(' '), ...more },
		{ usersInParallel: 1, log: () => undefined },
	);

const sessions = (user = JANE): number => janssen.sessionsOf(user).length;
const sent = (): string[] => simulator.requests.map(({ method, route }) => `${method} ${route}`);
const revocations = (): string[] => sent().filter((one) => /^DELETE|Older|global/.test(one));
const fail = (match: string, fault: Fault): void =>
	simulator.faults.next({ match, fault, times: Infinity });

beforeEach(() => startWith());
afterEach(async () => {
	expect(simulator.violations).toEqual([]);
	await simulator.close();
	await closeAll();
});
afterAll(closeAll);

/** Starts anew with a client that is granted these scopes only. */
async function grant(...scopes: string[]): Promise<void> {
	await simulator.close();
	await startWith({}, {}, scopes);
}

describe('granted scopes', () => {
	test.each(USUAL)('Check Setup names %s when it was asked for and not granted', async (scope) => {
		await grant(...USUAL.filter((one) => one !== scope));
		const result = await checkSetup({ connection: connection(), budget: within(5_000) });
		expect(result).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			missingPermissions: [scope],
		});
		expect(sent()).toEqual(['POST token']);
	});

	test('a revocation without its scope is not sent, and the scope is named', async () => {
		await grant(...USUAL.filter((one) => one !== 'revoke_session'));
		expect(await revoke(connection(), ADDRESS)).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			state: 'not_attempted',
			missingPermissions: ['revoke_session'],
		});
		expect(revocations()).toEqual([]);
		expect(sessions()).toBe(2);
	});

	test('wider scopes do as well', async () => {
		const wider = [
			'https://jans.io/oauth/config/read-all',
			'https://jans.io/oauth/jans-auth-server/session.admin',
		];
		await grant(...wider);
		const budget = within(5_000);
		expect(await checkSetup({ connection: connection(wider), budget })).toMatchObject({
			outcome: 'ready',
		});
		expect((await revoke(connection(wider), ADDRESS)).outcome).toBe('revoked');
	});

	test('when none at all is granted Janssen names none, and refuses', async () => {
		await grant();
		const result = await checkSetup({ connection: connection(), budget: within(5_000) });
		expect(result).toMatchObject({ outcome: 'failed', cause: 'credential_invalid' });
		expect(result.message).toContain('lacks a scope');
	});

	test('a single session and a list name their scope too', async () => {
		await grant(READ_USERS);
		expect(await list(connection(), ADDRESS)).toMatchObject({
			result: { cause: 'permission_denied', missingPermissions: [READ_SESSIONS] },
			sessions: null,
		});
		expect(await endSession(connection(), 'x', ADDRESS)).toMatchObject({
			cause: 'permission_denied',
			missingPermissions: [DELETE_SESSIONS, 'revoke_session'],
		});
	});

	test('Check Setup says what cannot be had without the right to read sessions', async () => {
		const asked = USUAL.filter((one) => one !== READ_SESSIONS);
		const result = await checkSetup({ connection: connection(asked), budget: within(5_000) });
		expect(result.outcome).toBe('ready');
		expect(result.message).toContain(READ_SESSIONS);
		expect(await revoke(connection(asked), ADDRESS)).toMatchObject({
			outcome: 'revoked',
			verification: { status: 'unverifiable' },
		});
	});
});

describe('who is meant', () => {
	test.each([DN, INUM, INUM.toUpperCase(), JANE, ADDRESS, `inum=${INUM}, ou=people, o=JANS`])(
		'%s is the user',
		async (identity) => {
			expect(await retrieve(connection(), identity)).toMatchObject({
				outcome: 'user_found',
				user: { id: INUM, login: JANE, email: ADDRESS, status: 'active' },
			});
		},
	);

	test.each([`inum=${INUM},ou=people,o=other`, 'jan', 'inum=none,ou=people,o=jans', ',', 'x,jane'])(
		'%s is nobody',
		async (identity) => {
			expect((await retrieve(connection(), identity)).outcome).toBe('user_not_found');
		},
	);

	test('a user ID with a comma in it is found', async () => {
		janssen.addUser({ userId: 'roe,jane' });
		expect(await retrieve(connection(), 'roe,jane')).toMatchObject({ user: { login: 'roe,jane' } });
	});

	test.each([false, true])('in a later page too, counted from one: %s', async (fromOne) => {
		if (fromOne) janssen.startIndex = 'oneBased';
		for (let count = 0; count < 120; count += 1) {
			janssen.addUser({ userId: `al${String(count)}`, inum: `a-${String(count)}` });
		}
		janssen.addUser({ userId: 'al', inum: 'z-last' });
		expect(await retrieve(connection(), 'al')).toMatchObject({ user: { id: 'z-last' } });
	});

	test('the DN is one segment, percent-encoded', async () => {
		await revoke(connection(), ADDRESS);
		const request = simulator.requests.find(({ route }) => route === 'revokeUserSession');
		expect(request?.path).toBe(
			`/jans-config-api/api/v1/jans-auth-server/session/user/inum%3D${INUM}%2Cou%3Dpeople%2Co%3Djans`,
		);
	});
});

describe('without the scope of a look-up', () => {
	const blind = USUAL.filter((one) => one !== READ_USERS);

	test.each([DN, INUM])('%s is taken at its word', async (identity) => {
		const result = await revoke(connection(blind), identity);
		expect(result).toMatchObject({
			outcome: 'revoked',
			userKnown: null,
			user: null,
			changed: true,
			verification: { status: 'verified' },
		});
		expect(result.message).toContain(READ_USERS);
		expect(sessions()).toBe(0);
	});

	test('that there was nothing says nothing of the user', async () => {
		const unknown = 'inum=nobody,ou=people,o=jans';
		const result = await revoke(connection(blind), unknown);
		expect(result).toMatchObject({ outcome: 'nothing_to_revoke', userKnown: null, changed: false });
		expect(result.message).toMatch(
			/nothing to revoke .*Whether Janssen has this user is not known/,
		);
	});

	test.each([ADDRESS, JANE])('%s cannot be resolved', async (identity) => {
		expect(await revoke(connection(blind), identity)).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			state: 'user_lookup_failed',
			missingPermissions: [READ_USERS],
		});
		expect(revocations()).toEqual([]);
	});
});

describe('answers to a revocation', () => {
	test.each([200, 204] as const)('%i is a success', async (status) => {
		janssen.deletedStatus = status;
		expect(await revoke(connection(), ADDRESS)).toMatchObject({
			outcome: 'revoked',
			statusCode: status,
			changed: true,
		});
		expect(revocations()).toEqual(['DELETE revokeUserSession']);
		expect(janssen.tokensOf(JANE, 'refresh_token')).toHaveLength(1);
	});

	test('404 after a look-up means nothing to revoke, and is read back', async () => {
		expect(await revoke(connection(), IDLE)).toMatchObject({
			outcome: 'nothing_to_revoke',
			userKnown: true,
			changed: false,
			verification: { status: 'verified' },
		});
	});

	test('404 of a proxy that hides the session API is not believed', async () => {
		fail('revokeUserSession', { kind: 'status', status: 404 });
		fail('revokeUserSessionOlder', { kind: 'status', status: 404 });
		const result = await revoke(connection(), ADDRESS);
		expect(result).toMatchObject({ outcome: 'partial', state: 'revoke_failed', ended: [] });
		expect(sessions()).toBe(2);
	});
});

describe('older versions', () => {
	test.each([404, 405] as const)(
		'the older request follows a %i, and only that',
		async (status) => {
			janssen.sessionApi = 'post';
			janssen.absentStatus = status;
			expect(await revoke(connection(), ADDRESS)).toMatchObject({
				outcome: 'revoked',
				changed: true,
				ended: ['sessions'],
				verification: { status: 'verified' },
			});
			expect(sessions()).toBe(0);
			expect(revocations()).toEqual(['DELETE revokeUserSession', 'POST revokeUserSessionOlder']);
		},
	);

	test('nothing to revoke there', async () => {
		janssen.sessionApi = 'post';
		expect(await revoke(connection(), IDLE)).toMatchObject({
			outcome: 'nothing_to_revoke',
			changed: false,
			verification: { status: 'verified' },
		});
	});

	test('after 405 a 404 proves nothing: something may forbid the newer request', async () => {
		fail('revokeUserSession', { kind: 'wrongShape', status: 405, body: '' });
		expect(await revoke(connection(), ADDRESS)).toMatchObject({
			outcome: 'failed',
			cause: 'unexpected_reply',
			state: 'revoke_failed',
		});
	});

	test.each<[string, Fault]>([
		['403', { kind: 'status', status: 403 }],
		['500', { kind: 'status', status: 500 }],
		['a lost answer', { kind: 'cut' }],
		['405 with a page', { kind: 'notJson', status: 405 }],
		['404 with a page', { kind: 'notJson', status: 404 }],
	])('the older request never follows %s', async (_, fault) => {
		fail('revokeUserSession', fault);
		expect((await revoke(connection(), ADDRESS)).outcome).toBe('failed');
		expect(sent()).not.toContain('POST revokeUserSessionOlder');
	});

	test('the path of the user plugin may be mgmt', async () => {
		janssen.userPath = 'mgmt';
		expect((await retrieve(connection(), ADDRESS)).outcome).toBe('user_found');
		expect((await retrieve(connection(), DN)).outcome).toBe('user_found');
		const missing = await retrieve(connection(), 'inum=none,ou=people,o=jans');
		expect(missing.outcome).toBe('user_not_found');
	});

	test('a session that cannot be ended there is not reported as gone', async () => {
		const sid = janssen.sessionsOf(JANE)[0]?.sid ?? '';
		janssen.sessionApi = 'post';
		expect(await endSession(connection(), sid, JANE)).toMatchObject({
			outcome: 'failed',
			cause: 'unexpected_reply',
		});
		expect(janssen.isLive(sid)).toBe(true);
	});

	test('sessions are read from the whole list', async () => {
		janssen.sessionApi = 'post';
		const { sessions: listed } = await list(connection(), ADDRESS);
		expect(listed).toHaveLength(2);
		expect(sent()).toContain('GET getSessions');
	});
});

describe('Global Token Revocation', () => {
	const asked = [...USUAL, GLOBALLY];

	test('ends refresh tokens too, as the client itself', async () => {
		expect(await revoke(connection(), ADDRESS, GTR)).toMatchObject({
			outcome: 'revoked',
			statusCode: 204,
			userKnown: true,
			changed: null,
			ended: ['sessions', 'refresh tokens', 'access tokens'],
			verification: { status: 'verified' },
		});
		expect(sessions()).toBe(0);
		expect(janssen.tokensOf(JANE, 'refresh_token')).toEqual([]);
		const request = simulator.requests.find(({ route }) => route === 'globalTokenRevocation');
		expect(request?.headers.authorization).toMatch(/^Basic /);
		expect(JSON.parse(request?.body ?? '')).toEqual({ sub_id: { format: 'inum', id: INUM } });
		expect(revocations()).toHaveLength(1);
	});

	test.each([
		[ADDRESS, { format: 'mail', id: ADDRESS }],
		[JANE, { format: 'uid', id: JANE }],
		[INUM, { format: 'inum', id: INUM }],
		[DN, { format: 'inum', id: INUM }],
	])('%s needs no look-up', async (identity, subject) => {
		const result = await revoke(connection([GLOBALLY]), identity, GTR);
		expect(result).toMatchObject({ outcome: 'revoked', userKnown: null, changed: null });
		const request = simulator.requests.find(({ route }) => route === 'globalTokenRevocation');
		expect(JSON.parse(request?.body ?? '')).toEqual({ sub_id: subject });
		expect(sessions()).toBe(0);
	});

	test('of an unknown user it says the same, so nothing is claimed of the user', async () => {
		const result = await revoke(connection([GLOBALLY]), 'nobody@example.com', GTR);
		expect(result).toMatchObject({
			outcome: 'revoked',
			userKnown: null,
			changed: null,
			verification: { status: 'unverifiable' },
		});
		expect(result.message).toContain('Whether Janssen has this user is not known');
		expect(sessions()).toBe(2);
	});

	test('names the scope that the client lacks', async () => {
		await grant(...USUAL);
		expect(await revoke(connection(), ADDRESS, GTR)).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			missingPermissions: [GLOBALLY],
		});
	});

	test('says when it is switched off, also in Check Setup', async () => {
		janssen.globalTokenRevocation = false;
		const result = await revoke(connection(), ADDRESS, GTR);
		expect(result).toMatchObject({ outcome: 'failed', cause: 'configuration' });
		expect(result.message).toContain('GLOBAL_TOKEN_REVOCATION');
		const budget = within(5_000);
		expect(await checkSetup({ connection: connection(asked), budget })).toMatchObject({
			outcome: 'failed',
			cause: 'configuration',
		});
		janssen.globalTokenRevocation = true;
		expect(await checkSetup({ connection: connection(asked), budget })).toMatchObject({
			outcome: 'ready',
		});
	});
});

describe('verification', () => {
	test('counts neither other users nor sign-ins that were not finished', async () => {
		await revoke(connection(), ADDRESS);
		expect(janssen.sessionsOf(JANE, 'unauthenticated')).toHaveLength(1);
		expect(sessions('jane.roe')).toBe(1);
		const [readBack] = simulator.requests.filter(({ route }) => route === 'searchSession');
		expect(readBack?.query).toContain(INUM);
	});

	test('a session that began after the revocation is not what it left', () => {
		const { readBack } = connector;
		const began = Date.parse('2026-03-01T10:00:05Z');
		const entry = (authenticationTime: string) => ({
			userDn: DN,
			state: 'authenticated',
			outsideSid: '1',
			authenticationTime,
		});
		const seen = (authenticationTime: string, since: number) => {
			const at = { credential: connection().credential, scopes: null, sent: [] };
			const reading = readBack?.read({ dn: DN }, since, at);
			reading?.next();
			const body = { totalEntriesCount: 1, entries: [entry(authenticationTime)] };
			const reply = {
				status: 200,
				headers: {},
				body,
				bodyKind: 'json',
				serverTime: began,
			} as const;
			return reading?.next(reply).value;
		};
		const left = { seen: 'residue', remaining: 1 };
		expect(seen('2026-03-01T10:00:04', began - 3_000)).toEqual({ seen: 'confirmed' });
		expect(seen('2026-03-01T09:00:00', began - 3_000)).toEqual(left);
		// A server that writes its own zone: an hour ahead is not the future.
		expect(seen('2026-03-01T11:00:04', began - 3_000)).toEqual(left);
	});

	test('reads all pages', async () => {
		janssen.signIn(JANE, { sessions: 118 });
		const { sessions: listed } = await list(connection(), ADDRESS);
		expect(listed).toHaveLength(120);
		const { sessions: some } = await list(connection(), ADDRESS, 10);
		expect(some).toHaveLength(10);
	});
});

test('what would open a session never leaves', async () => {
	const [session] = janssen.sessionsOf(JANE);
	const { sessions: listed } = await list(connection(), ADDRESS);
	expect(listed?.map(({ id }) => id)).toContain(session?.sid);
	expect(JSON.stringify(listed)).not.toContain(session?.id);
	expect(listed?.[0]).toMatchObject({ kind: 'session', address: session?.remoteIp });
	expect(listed?.[0]?.startedAt).toMatch(/^\d{4}-.*Z$/);
});

describe('certificates', () => {
	const certificate = selfSigned();
	beforeEach(async () => {
		await simulator.close();
		await startWith({}, { tls: certificate });
	});
	const careless = { allowUnauthorizedCerts: true };

	test('that cannot be verified are taken by the credential that allows it, and by no other', async () => {
		const refused = { outcome: 'failed', cause: 'configuration', attempts: 0 };
		expect(await revoke(connection(), ADDRESS)).toMatchObject(refused);
		expect((await retrieve(connection(USUAL, careless), ADDRESS)).outcome).toBe('user_found');
		expect(await revoke(connection(), ADDRESS)).toMatchObject(refused);
		expect(sessions()).toBe(2);
	});

	test('are shown as a hint', async () => {
		const hinted = (using: Connection, result: TargetResult): readonly string[] => {
			const hints: string[] = [];
			const context = {
				addExecutionHints: (...added: { message: string }[]) =>
					hints.push(...added.map(({ message }) => message)),
			};
			addHints(context as unknown as IExecuteFunctions, [result], [using], () => 'Turn it on');
			return hints;
		};
		const allowing = connection(USUAL, careless);
		const result = await retrieve(allowing, ADDRESS);
		expect(hinted(allowing, result)).toEqual([
			expect.stringContaining('the credential allows unauthorized certificates'),
		]);
		expect(hinted(connection(), result)).toEqual([]);
	});

	test("count in n8n's own connection test too", async () => {
		const fields = { url: simulator.url, clientId: CLIENT, clientSecret };
		const request = { url: `${simulator.url}/jans-config-api/mgt/configuser?limit=1` };
		const credential = new JanssenSessionsApi();
		const ruleFor = async (more: object) => {
			const authenticate = credential.authenticate as (
				data: object,
				request: object,
			) => Promise<{ skipSslCertificateValidation?: boolean }>;
			const sending = await authenticate({ ...fields, ...more }, request);
			return sending.skipSslCertificateValidation;
		};
		expect(await ruleFor({})).toBeUndefined();
		expect(await ruleFor(careless)).toBe(true);
	});
});

describe('credential', () => {
	const good = { url: 'https://idp.example.com/', clientId: CLIENT, clientSecret };

	test('has everything by default that the config API needs, and checks certificates', () => {
		const { credential, access } = openCredential(connector, good);
		expect(credential).toMatchObject({ scopes: USUAL, allowUnauthorizedCerts: false });
		expect(access).toMatchObject({ baseUrl: 'https://idp.example.com' });
	});

	test.each([
		['URL', { url: 'http://idp.example.com' }],
		['URL', { url: 'https://idp.example.com/jans-config-api' }],
		['Client ID', { clientId: ' ' }],
		['Client Secret', { clientSecret: '' }],
		['Scopes', { scopes: ' , ' }],
	])('names the field %s in %j', (label, wrong) => {
		expect(() => openCredential(connector, { ...good, ...wrong })).toThrow(`The field '${label}'`);
	});
});
