/** What is Google's own: aliases, reasons behind a 403, grants and app passwords, delegation, the audit log. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Expression } from 'n8n-workflow';
import { connect, type Connection, openCredential, readOptions } from '../../nodes/core/connection';
import {
	checkSetup,
	listSessions,
	retrieveUserOnly,
	revokeAllSessions,
} from '../../nodes/core/flow';
import type { TargetResult } from '../../nodes/core/result';
import { closeAll } from '../../nodes/core/transport';
import { googleWorkspace as connector } from '../../nodes/GoogleWorkspace/connector';
import type { Fault } from '../simulator/faults';
import { createGoogle, type GoogleWorkspace } from '../simulator/google';
import type { GoogleUserInit } from '../simulator/google-directory';
import { type Simulator, startSimulator } from '../simulator/simulator';

const SCOPE = 'https://www.googleapis.com/auth';
const READ = `${SCOPE}/admin.directory.user.readonly`;
const REVOKE = `${SCOPE}/admin.directory.user.security`;
const AUDIT = `${SCOPE}/admin.reports.audit.readonly`;
const ADMIN = 'admin@example.com';
const JANE = 'jane@example.com';
const CLIENT = 'revoker@sample-project.iam.gserviceaccount.com';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicKeyPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();

let google: GoogleWorkspace;
let simulator: Simulator;

beforeAll(async () => {
	google = createGoogle({ domains: ['example.com', 'second.example'] });
	simulator = await startSimulator(google);
});
beforeEach(async () => {
	await closeAll();
	google.reset();
	simulator.faults.clear();
	simulator.forget();
	google.addUser({ primaryEmail: ADMIN, admin: 'super' });
	google.addUser({
		primaryEmail: JANE,
		aliases: ['j.doe@second.example'],
		sessions: 2,
		tokens: 3,
		asps: 2,
	});
	google.addServiceAccount({ clientEmail: CLIENT, publicKeyPem, scopes: [READ, REVOKE] });
	// Backing off takes a random part of its time: none of it here.
	jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterAll(async () => {
	await simulator.close();
	await closeAll();
	jest.restoreAllMocks();
});

/** A connection of a service account; `more` replaces fields of its credential. */
const connected = (more: Record<string, unknown> = {}): Connection =>
	connect(
		connector,
		{
			clientEmail: CLIENT,
			privateKey,
			adminEmail: ADMIN,
			apiUrl: simulator.url,
			tokenUrl: `${simulator.url}/token`,
			...more,
		},
		{ usersInParallel: 10, log: () => undefined },
	);

/** A connection of a pasted token. */
const pasted = (
	{ user = ADMIN, scopes = [READ, REVOKE] }: { user?: string; scopes?: readonly string[] } = {},
	more: Record<string, unknown> = {},
): Connection =>
	connected({
		authentication: 'accessToken',
		accessToken: google.addAccessToken({ user, scopes }),
		adminEmail: user,
		...more,
	});

const budget = () => ({ deadline: performance.now() + 10_000 });
const task = (identity: string, connection: Connection) => ({
	connection,
	identity,
	options: readOptions(connector, {}),
	allowShortNames: false,
	allowOwnIdentity: false,
	verify: true,
	dryRun: false,
	mayTouch: () => Promise.resolve(null),
	budget: budget(),
});
const retrieve = (identity: string, connection = connected()): Promise<TargetResult> =>
	retrieveUserOnly(task(identity, connection));
const revoke = (
	identity: string,
	options: Record<string, boolean> = {},
	connection = connected(),
): Promise<TargetResult> =>
	revokeAllSessions({ ...task(identity, connection), options: readOptions(connector, options) });
const check = (connection = connected()): Promise<TargetResult> =>
	checkSetup({ connection, budget: budget() });

const addAdmin = (admin: GoogleUserInit['admin']): string =>
	google.addUser({ primaryEmail: 'helpdesk@example.com', ...(admin ? { admin } : {}) })
		.primaryEmail;
const failing = (match: string, fault: Fault, more: { skip?: number; times?: number } = {}): void =>
	simulator.faults.next({ match, fault, times: Infinity, ...more });
/** An error in the shape of Google's. */
const refusal = (status: number, reason: string): Fault => ({
	kind: 'status',
	status,
	body: { error: { code: status, message: 'x', errors: [{ domain: 'x', message: 'x', reason }] } },
});
const sent = (route: string): number =>
	simulator.requests.filter((request) => request.route === route).length;

describe('who is meant', () => {
	test('an alias leads to the account, and the result says which', async () => {
		const result = await revoke('J.Doe@second.example');
		expect(result).toMatchObject({
			outcome: 'revoked',
			identityKey: 'J.Doe@second.example',
			user: {
				id: google.getUser(JANE)?.id,
				login: JANE,
				email: JANE,
				otherNames: ['j.doe@second.example', `${JANE}.test-google-a.com`],
			},
		});
		expect(google.sessionsOf(JANE)).toEqual([]);
		const [signOut] = simulator.requests.filter(({ path }) => path.endsWith('/signOut'));
		expect(signOut?.path).toContain(result.user?.id);
	});

	test('an address that Google lists for the account without calling it an alias is enough', async () => {
		expect(await retrieve(`${JANE}.test-google-a.com`)).toMatchObject({ user: { login: JANE } });
	});

	test('an address in a foreign domain is nobody once the administrator was shown', async () => {
		expect(await retrieve('somebody@foreign.example')).toMatchObject({
			outcome: 'user_not_found',
			userKnown: false,
			statusCode: 403,
		});
	});

	test('without the right to look up it stays a missing permission', async () => {
		const user = addAdmin(['USER_SECURITY_ALL']);
		for (const identity of ['somebody@foreign.example', JANE]) {
			expect(await retrieve(identity, connected({ adminEmail: user }))).toMatchObject({
				outcome: 'failed',
				cause: 'permission_denied',
				missingPermissions: [READ, 'Users > Read'],
			});
		}
	});

	test('so it does in the domain of the administrator, and when that is not told', async () => {
		failing('directory.users.get', refusal(403, 'forbidden'), { times: 1 });
		expect(await retrieve(JANE)).toMatchObject({ cause: 'permission_denied' });
		const nameless = pasted({}, { adminEmail: '' });
		expect(await retrieve('somebody@foreign.example', nameless)).toMatchObject({
			cause: 'permission_denied',
		});
	});

	test.each(['a/b@example.com', '../admin@example.com', '..', '.'])(
		'%s cannot be anybody, and is not asked for',
		async (identity) => {
			expect(await retrieve(identity)).toMatchObject({
				outcome: 'user_not_found',
				statusCode: null,
				attempts: 0,
			});
			expect(sent('directory.users.get')).toBe(0);
		},
	);

	test.each([
		[{ suspended: true }, 'suspended'],
		[{ archived: true }, 'archived'],
		[{}, 'active'],
	])('the state of an account: %j', async (state, status) => {
		google.addUser({ primaryEmail: 'left@example.com', givenName: 'L', familyName: 'T', ...state });
		const { user } = await retrieve('left@example.com');
		expect(user).toMatchObject({ status, displayName: 'L T' });
	});
});

describe('the reason behind a 403', () => {
	test.each(['userRateLimitExceeded', 'quotaExceeded', 'rateLimitExceeded'])(
		'%s is waited for',
		async (reason) => {
			for (const route of ['directory.users.get', 'directory.users.signOut']) {
				failing(route, refusal(403, reason), { times: 2 });
			}
			expect(await revoke(JANE)).toMatchObject({ outcome: 'revoked' });
			expect(sent('directory.users.signOut')).toBe(3);
		},
	);

	test('a quota that does not end is no missing permission', async () => {
		failing('directory.users.signOut', refusal(403, 'quotaExceeded'));
		const result = await revoke(JANE);
		expect(result).toMatchObject({
			outcome: 'failed',
			cause: 'rate_limited',
			missingPermissions: [],
			message: expect.stringContaining('403 quotaExceeded'),
		});
		expect(sent('directory.users.signOut')).toBeGreaterThan(3);
	});

	test.each([
		['forbidden', [REVOKE, 'User Security Management']],
		['insufficientPermissions', [REVOKE]],
	])('%s is not repeated', async (reason, missingPermissions) => {
		failing('directory.users.signOut', refusal(403, reason));
		expect(await revoke(JANE)).toMatchObject({ cause: 'permission_denied', missingPermissions });
		expect(sent('directory.users.signOut')).toBe(1);
	});

	test('an API that was not enabled is named', async () => {
		failing('directory.users.get', refusal(403, 'accessNotConfigured'));
		expect(await retrieve(JANE)).toMatchObject({
			cause: 'configuration',
			missingPermissions: [],
			message: expect.stringContaining('enable the Admin SDK API'),
		});
	});

	test('only a super administrator may sign administrators out, and the message says so', async () => {
		google.addUser({ primaryEmail: 'other.admin@example.com', admin: ['USERS_RETRIEVE'] });
		const user = addAdmin(['USERS_RETRIEVE', 'USER_SECURITY_ALL']);
		const result = await revoke('other.admin@example.com', {}, connected({ adminEmail: user }));
		expect(result).toMatchObject({
			cause: 'permission_denied',
			missingPermissions: [REVOKE, 'Super Admin'],
		});
	});
});

describe('the answer to a sign-out', () => {
	test.each([
		['noContent', 204],
		['empty', 200],
		['emptyObject', 200],
	] as const)('%s is a success', async (voidAnswer, statusCode) => {
		google.voidAnswer = voidAnswer;
		const options = { revokeOAuthGrants: true, deleteAppPasswords: true };
		expect(await revoke(JANE, options)).toMatchObject({ outcome: 'revoked', statusCode });
		expect([google.sessionsOf(JANE), google.tokensOf(JANE), google.aspsOf(JANE)]).toEqual([
			[],
			[],
			[],
		]);
	});

	test('with something in it is none', async () => {
		const fault: Fault = { kind: 'wrongShape', body: { kind: 'somebody else' } };
		failing('directory.users.signOut', fault);
		expect(await revoke(JANE)).toMatchObject({ outcome: 'failed', cause: 'unexpected_reply' });
	});

	test('a suspended account that Google does not sign out is told as what it is', async () => {
		google.suspendedSignOut = 'refused';
		google.updateUser(JANE, { suspended: true });
		expect(await revoke(JANE)).toMatchObject({
			outcome: 'refused',
			cause: 'unsupported_user',
			message: expect.stringContaining('suspended'),
		});
		failing('directory.users.signOut', refusal(400, 'invalid'));
		google.updateUser(JANE, { suspended: false });
		expect(await revoke(JANE)).toMatchObject({ outcome: 'failed', cause: 'unexpected_reply' });
	});
});

describe('OAuth grants and app passwords', () => {
	const both = { revokeOAuthGrants: true, deleteAppPasswords: true };

	test('are counted, each for itself', async () => {
		const result = await revoke(JANE, both);
		expect(result).toMatchObject({
			outcome: 'revoked',
			changed: true,
			sessions: { found: null, revoked: null },
			counted: {
				'OAuth grants': { found: 3, revoked: 3 },
				'app passwords': { found: 2, revoked: 2 },
			},
			ended: ['sessions', 'OAuth grants', 'app passwords'],
		});
		expect(await revoke(JANE, both)).toMatchObject({
			outcome: 'revoked',
			counted: {
				'OAuth grants': { found: 0, revoked: 0 },
				'app passwords': { found: 0, revoked: 0 },
			},
			ended: ['sessions'],
		});
	});

	test('nothing is listed, deleted or counted without the options', async () => {
		const result = await revoke(JANE);
		expect(result).not.toHaveProperty('counted');
		expect(sent('directory.tokens.list') + sent('directory.asps.list')).toBe(0);
		expect(result.survives.map(({ option }) => option)).toEqual(
			expect.arrayContaining(['revokeOAuthGrants', 'deleteAppPasswords']),
		);
	});

	test.each([
		['directory.tokens.delete', 'OAuth grants', 3],
		['directory.asps.delete', 'app passwords', 2],
	])('partial when one of %s fails', async (route, kind, found) => {
		failing(route, { kind: 'status', status: 400, body: {} }, { times: 1 });
		expect(await revoke(JANE, both)).toMatchObject({
			outcome: 'partial',
			state: 'revoke_failed',
			cause: 'unexpected_reply',
			counted: { [kind]: { found, revoked: found - 1 } },
		});
		expect(google.sessionsOf(JANE)).toEqual([]);
	});

	test.each(['directory.tokens.list', 'directory.asps.list'])(
		'partial when %s is refused, and the rest ends',
		async (route) => {
			failing(route, refusal(403, 'forbidden'));
			const result = await revoke(JANE, both);
			expect(result).toMatchObject({
				outcome: 'partial',
				cause: 'permission_denied',
				missingPermissions: [REVOKE, 'User Security Management'],
			});
			expect(result.ended).toHaveLength(2);
			expect(google.sessionsOf(JANE)).toEqual([]);
		},
	);

	test('a list that hangs, or is empty for no reason, does not hold up the sign-out', async () => {
		failing('directory.tokens.list', { kind: 'slow', delayMs: 60_000 });
		const running = revokeAllSessions({
			...task(JANE, connected()),
			options: readOptions(connector, both),
			budget: { deadline: performance.now() + 1_500 },
		});
		await new Promise((wait) => setTimeout(wait, 600));
		expect(google.sessionsOf(JANE)).toEqual([]);
		expect(google.aspsOf(JANE)).toEqual([]);
		expect(await running).toMatchObject({ outcome: 'partial', cause: 'timeout' });
		await closeAll();
		simulator.faults.clear();
		failing('directory.tokens.list', { kind: 'wrongShape', body: {} });
		expect(await revoke(JANE, both)).toMatchObject({
			outcome: 'partial',
			cause: 'unexpected_reply',
		});
	});

	test.each([
		['directory.tokens.delete', 404, 'notFound'],
		['directory.asps.delete', 404, 'notFound'],
		['directory.asps.delete', 400, 'invalid'],
	])('%s: %i %s means that it was gone', async (route, status, reason) => {
		failing(route, refusal(status, reason), { times: 1 });
		expect(await revoke(JANE, both)).toMatchObject({ outcome: 'revoked', cause: null });
	});

	test('an app with several entries is revoked once, and its id is one segment', async () => {
		const body = {
			kind: 'admin#directory#tokenList',
			items: [{ clientId: 'a/b?c' }, { clientId: 'a/b?c' }],
		};
		failing('directory.tokens.list', { kind: 'wrongShape', body });
		const result = await revoke(JANE, { revokeOAuthGrants: true });
		expect(result.counted).toEqual({ 'OAuth grants': { found: 1, revoked: 0 } });
		expect(sent('directory.tokens.delete')).toBe(1);
		expect(simulator.requests.at(-1)?.path).toMatch(/\/tokens\/a%2Fb%3Fc$/);
	});
});

describe('List Sessions', () => {
	const listed = (limit: number | null = null) => listSessions(task(JANE, connected()), limit);

	test('lists grants and app passwords, and says so', async () => {
		const { result, sessions } = await listed();
		expect(result.message).toBe(
			`Google Workspace lists 5 OAuth grants and app passwords of ${JANE}`,
		);
		expect(sessions?.map(({ kind }) => kind)).toEqual([
			...Array.from({ length: 3 }, () => 'OAuth grant'),
			...Array.from({ length: 2 }, () => 'app password'),
		]);
		expect(sessions?.[0]).toMatchObject({
			id: google.tokensOf(JANE)[0]?.clientId,
			raw: { displayText: 'Sample Mail', scopes: ['https://mail.google.com/'] },
			startedAt: null,
		});
		expect(sessions?.at(-1)).toMatchObject({ id: '1', raw: { name: 'Mail on device 2' } });
	});

	test.each([
		['1700000000', '2023-11-14T22:13:20.000Z'],
		['1700000000000', '2023-11-14T22:13:20.000Z'],
		['0', null],
		['never', null],
		['99999999999999999999', null],
		[undefined, null],
	])('a time told as %p', async (creationTime, startedAt) => {
		const body = { kind: 'admin#directory#aspList', items: [{ codeId: 7, creationTime }] };
		failing('directory.asps.list', { kind: 'wrongShape', body });
		const { sessions } = await listed();
		expect(sessions?.at(-1)).toMatchObject({ id: '7', startedAt, lastUsedAt: null });
	});

	test('asks for no more than is wanted', async () => {
		expect((await listed(2)).sessions).toHaveLength(2);
		expect(sent('directory.asps.list')).toBe(0);
		expect((await listed(4)).sessions).toHaveLength(4);
		expect(sent('directory.asps.list')).toBe(1);
	});
});

describe('domain-wide delegation', () => {
	test('both scopes are asked for, in the name of the administrator', () => {
		const { access } = openCredential(connector, {
			clientEmail: ` ${CLIENT} `,
			privateKey,
			adminEmail: ` ${ADMIN} `,
		});
		expect(access).toMatchObject({
			baseUrl: 'https://admin.googleapis.com',
			authentication: {
				grant: {
					tokenUrl: 'https://oauth2.googleapis.com/token',
					form: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
					assertion: {
						claims: {
							iss: CLIENT,
							sub: ADMIN,
							scope: `${READ} ${REVOKE}`,
							aud: 'https://oauth2.googleapis.com/token',
						},
					},
				},
			},
		});
	});

	test.each(['unauthorized_client', 'access_denied'] as const)(
		'%s names the scopes and where to authorize them',
		async (unauthorizedScopes) => {
			google.unauthorizedScopes = unauthorizedScopes;
			google.authorizeScopes(CLIENT, [READ]);
			for (const result of [await revoke(JANE), await check()]) {
				expect(result).toMatchObject({
					outcome: 'failed',
					cause: 'permission_denied',
					missingPermissions: [READ, REVOKE],
				});
				expect(result.message).toContain(unauthorizedScopes);
				expect(result.message).toContain('Domain-wide delegation');
				expect(result.message).toContain(`${READ}, ${REVOKE}`);
			}
		},
	);

	test('an administrator who does not exist names the field', async () => {
		const result = await check(connected({ adminEmail: 'nobody@example.com' }));
		expect(result).toMatchObject({ cause: 'credential_invalid' });
		expect(result.message).toMatch(/invalid_grant .*'Admin Email'/);
	});
});

describe('the own account', () => {
	test('is that of the administrator, also by an alias', async () => {
		google.updateUser(ADMIN, { aliases: ['boss@example.com'] });
		const connection = connected({ adminEmail: 'boss@example.com' });
		expect(await revoke(ADMIN, {}, connection)).toMatchObject({
			outcome: 'refused',
			cause: 'own_identity',
		});
	});

	test('is nobody when it was not told as whom a token acts', async () => {
		expect(await revoke(ADMIN, {}, pasted({}, { adminEmail: '' }))).toMatchObject({
			outcome: 'revoked',
		});
	});
});

describe('the audit log', () => {
	const all = [READ, REVOKE, AUDIT];

	test('is neither asked for nor read unless the credential says so', async () => {
		google.authorizeScopes(CLIENT, all);
		expect((await revoke(JANE)).verification).toMatchObject({ status: 'unverifiable' });
		expect(sent('reports.activities.list')).toBe(0);
	});

	test('verifies by an event that is not older than the revocation', async () => {
		google.authorizeScopes(CLIENT, all);
		const connection = connected({ auditLog: true });
		expect((await revoke(JANE, {}, connection)).verification).toMatchObject({
			status: 'verified',
			method: 'Google Workspace audit log (RESET_SIGNIN_COOKIES)',
		});
		const asked = new URLSearchParams(simulator.requests.at(-1)?.query);
		expect(asked.get('filters')).toBe(`USER_EMAIL==${JANE}`);
		expect(Math.abs(Date.parse(asked.get('startTime') ?? '') - Date.now())).toBeLessThan(5_000);
	});

	test('never makes a failure: no event, no privilege', async () => {
		google.authorizeScopes(CLIENT, all);
		google.signOutEvent = false;
		expect(await revoke(JANE, {}, connected({ auditLog: true }))).toMatchObject({
			outcome: 'revoked',
			verification: { status: 'unconfirmed' },
		});
		const user = addAdmin(['USERS_RETRIEVE', 'USER_SECURITY_ALL']);
		const limited = pasted({ user, scopes: all }, { auditLog: true });
		expect(await revoke(JANE, {}, limited)).toMatchObject({
			outcome: 'revoked',
			verification: { status: 'unverifiable' },
		});
	});

	test.each([
		[null, false, false],
		[null, true, true],
		[[AUDIT], false, true],
		[[READ], true, false],
	])('granted scopes go before the switch: %j, %j', (granted, auditLog, isPossible) => {
		const credential = { auditLog };
		expect(connector.readBack?.isPossible({ credential, scopes: granted, options: {} }, {})).toBe(
			isPossible,
		);
	});
});

describe('Check Setup', () => {
	test('proves both rights and changes nothing', async () => {
		const before = JSON.stringify(google.toJSON());
		const result = await check();
		expect(result).toMatchObject({ outcome: 'ready', missingPermissions: [] });
		expect(simulator.requests.map(({ route }) => route)).toEqual([
			'token',
			'directory.users.get',
			'directory.tokens.list',
		]);
		expect(JSON.stringify(google.toJSON())).toBe(before);
	});

	test.each([
		[['USER_SECURITY_ALL'], [READ, 'Users > Read']],
		[['USERS_RETRIEVE'], [REVOKE, 'User Security Management']],
	] as const)('names what is missing beside %j', async (admin, missingPermissions) => {
		const user = addAdmin(admin);
		expect(await check(connected({ adminEmail: user }))).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			missingPermissions,
		});
	});

	test('names a scope that a pasted token lacks', async () => {
		expect(await check(pasted({ scopes: [READ] }))).toMatchObject({
			cause: 'permission_denied',
			missingPermissions: [REVOKE],
		});
	});

	test('names what the audit log needs, when it is to be read', async () => {
		expect(await check(pasted({}, { auditLog: true }))).toMatchObject({
			cause: 'permission_denied',
			missingPermissions: [AUDIT],
		});
		const user = addAdmin(['USERS_RETRIEVE', 'USER_SECURITY_ALL']);
		const token = { user, scopes: [READ, REVOKE, AUDIT] };
		expect(await check(pasted(token, { auditLog: true }))).toMatchObject({
			cause: 'permission_denied',
			missingPermissions: ['Reports'],
		});
	});

	test('of a delegated administrator says whom it cannot sign out', async () => {
		const user = addAdmin(['USERS_RETRIEVE', 'USER_SECURITY_ALL']);
		const result = await check(connected({ adminEmail: user }));
		expect(result).toMatchObject({ outcome: 'ready' });
		expect(result.message).toContain(`${user} is no super administrator`);
	});

	test('tries an ordinary user when Google withholds the grants of the administrator itself', async () => {
		const user = addAdmin(['USERS_RETRIEVE', 'USER_SECURITY_ALL']);
		failing('directory.tokens.list', refusal(403, 'forbidden'), { times: 1 });
		expect(await check(connected({ adminEmail: user }))).toMatchObject({ outcome: 'ready' });
		expect(simulator.requests.at(-1)?.path).toContain(google.getUser(JANE)?.id);
	});

	test('works without knowing as whom a token acts', async () => {
		expect(await check(pasted({}, { adminEmail: '' }))).toMatchObject({ outcome: 'ready' });
		google.removeUser(JANE);
		const { outcome, message } = await check(pasted({}, { adminEmail: '' }));
		expect({ outcome, message }).toEqual({
			outcome: 'ready',
			message: expect.stringContaining('There is no user with whom'),
		});
	});

	test('names a wrong Admin Email beside a good token', async () => {
		const wrong = pasted({}, { adminEmail: 'nobody@example.com' });
		expect(await check(wrong)).toMatchObject({
			cause: 'configuration',
			message: expect.stringContaining("'Admin Email'"),
		});
	});
});

describe('the credential', () => {
	const account = { clientEmail: CLIENT, privateKey, adminEmail: ADMIN };
	const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const token = { authentication: 'accessToken', accessToken: 'ya29.x' };
	const open = (data: Record<string, unknown>) => openCredential(connector, data);

	test.each([
		["'Client Email'", { ...account, clientEmail: '' }],
		["'Client Email'", { ...account, clientEmail: '1234567890' }],
		["'Private Key'", { ...account, privateKey: ' ' }],
		["'Private Key'", { ...account, privateKey: 'nonsense' }],
		[
			"'Private Key'",
			{ ...account, privateKey: ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
		],
		["'Private Key'", { ...account, privateKey: JSON.stringify({ private_key: privateKey }) }],
		["'Admin Email'", { ...account, adminEmail: '' }],
		["'Admin Email'", { ...account, adminEmail: 'admin' }],
		["'Admin Email'", { ...token, adminEmail: 'admin' }],
		["'Access Token'", { ...token, accessToken: '' }],
		["'Access Token'", { ...token, accessToken: 'a b' }],
		["'API URL'", { ...account, apiUrl: 'http://admin.googleapis.com' }],
		["'API URL'", { ...account, apiUrl: 'https://admin.googleapis.com/admin' }],
		["'Token URL'", { ...account, tokenUrl: 'http://oauth2.googleapis.com/token' }],
	])('names %s when it cannot work', (label, data) => {
		expect(() => open(data)).toThrow(label);
	});

	test('takes a token with or without its scheme', () => {
		for (const accessToken of ['ya29.x', ' Bearer ya29.x ']) {
			expect(open({ ...token, accessToken }).access).toMatchObject({
				authentication: { name: 'Authorization', value: 'Bearer ya29.x' },
				secrets: ['ya29.x'],
			});
		}
	});

	test.each([
		['Admin+x@example.com ', '/admin/directory/v1/users/Admin%2Bx%40example.com?fields=id'],
		['', '/admin/directory/v1/users?customer=my_customer&maxResults=1&fields=kind'],
		[undefined, '/admin/directory/v1/users?customer=my_customer&maxResults=1&fields=kind'],
	])("n8n's own test of it asks for the administrator, if there is one: %j", (adminEmail, url) => {
		const data = { $credentials: adminEmail === undefined ? {} : { adminEmail } };
		Expression.initializeGlobalContext(data);
		const { path } = connector.credential.test;
		const evaluated = Expression.resolveWithoutWorkflow((path ?? '').replace(/^=/, ''), data);
		expect(evaluated).toBe(url);
	});
});
