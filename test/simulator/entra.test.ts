import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt, SignJWT } from 'jose';
import { type Dispatcher, request as http } from 'undici';
import { selfSigned } from '../transport/support/certificate';
import { createEntra, type Entra } from './entra';
import { DEMO_ENTRA_CLIENT_ID, DEMO_ENTRA_CLIENT_SECRET, seedEntraDemo } from './entra-demo';
import { type Simulator, startSimulator } from './simulator';

const CLIENT = DEMO_ENTRA_CLIENT_ID;
const NORA = 'nora.lindqvist@example.com';
const GUEST = 'jonas.weber_partner.example.org#EXT#@example.com';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

let entra: Entra;
let simulator: Simulator;
let token: string;

const registered = selfSigned('rsa');
const other = selfSigned('rsa');

beforeEach(async () => {
	entra = createEntra({ seed: seedEntraDemo });
	simulator = await startSimulator(entra);
	token = entra.addAccessToken({ clientId: CLIENT });
});

afterEach(async () => {
	await simulator.close();
});

interface Person {
	id: string;
	userPrincipalName: string;
	mail: string | null;
}

interface GraphBody {
	'@odata.context'?: string;
	'@odata.nextLink'?: string;
	'@odata.count'?: number;
	value?: Person[];
	error?: { code: string; message: string; innerError: Record<string, string> };
	responses?: { id: string; status: number; headers: Record<string, string>; body: unknown }[];
	[name: string]: unknown;
}

interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	json: GraphBody;
}

async function call(
	method: Dispatcher.HttpMethod,
	path: string,
	options: { headers?: Record<string, string>; body?: string; bearer?: string | null } = {},
): Promise<Answer> {
	const { bearer = token, headers, body } = options;
	const answer = await http(simulator.url + path, {
		method,
		headers: { ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }), ...headers },
		...(body === undefined ? {} : { body }),
	});
	const text = await answer.body.text();
	const json = (text === '' ? {} : JSON.parse(text)) as GraphBody;
	return { status: answer.statusCode, headers: answer.headers, json };
}

const encode = encodeURIComponent;
const get = (path: string, options?: Parameters<typeof call>[2]) => call('GET', path, options);
const find = (filter: string) =>
	get(`/v1.0/users?$filter=${encode(filter)}&$select=id,userPrincipalName,mail`);
const names = ({ json }: Answer) => json.value?.map((one) => one.userPrincipalName);
const revoke = (user: string, options?: Parameters<typeof call>[2]) =>
	call('POST', `/v1.0/users/${encode(user)}/revokeSignInSessions`, options);
const batch = (requests: unknown[], options?: Parameters<typeof call>[2]) =>
	call('POST', '/v1.0/$batch', {
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ requests }),
		...options,
	});
const problem = ({ status, json }: Answer) => [status, json.error?.code];

/** A token of an app with these permissions. */
function tokenWith(...roles: string[]): string {
	return entra.addAccessToken({ clientId: entra.addApp({ roles }).clientId });
}

function login(form: Record<string, string>, tenant = entra.tenantId): Promise<Answer> {
	const all = {
		client_id: CLIENT,
		scope: `${simulator.url}/.default`,
		grant_type: 'client_credentials',
		...form,
	};
	return call('POST', `/${tenant}/oauth2/v2.0/token`, {
		bearer: null,
		headers: { 'content-type': 'application/x-www-form-urlencoded' },
		body: new URLSearchParams(all).toString(),
	});
}

const loginProblem = ({ status, json }: Answer) => [status, json.error, json.error_codes];

it('has a source for every route, at the vendor', () => {
	for (const { source } of simulator.routes) {
		expect(source).toMatch(/^https:\/\/learn\.microsoft\.com\//);
	}
});

it('puts its headers on every answer, also errors', async () => {
	simulator.faults.next({ match: 'listUsers', skip: 1, fault: { kind: 'status', status: 503 } });
	const sent = { headers: { 'client-request-id': 'mine' } };
	const answers = [
		await get('/v1.0/users', sent),
		await get('/v1.0/users', sent),
		await get('/v1.0/users', { ...sent, bearer: null }),
		await get('/v2/nowhere', sent),
		await call('DELETE', '/v1.0/users', sent),
		await login({ client_secret: 'wrong' }),
	];
	for (const [index, { headers }] of answers.entries()) {
		expect(headers['request-id']).toMatch(UUID);
		expect(headers['client-request-id']).toEqual(index < 5 ? 'mine' : headers['request-id']);
		expect(headers.date).toMatch(/GMT$/);
	}
	expect(answers.slice(0, 5).map(problem)).toEqual([
		[200, undefined],
		[503, 'ServiceUnavailable'],
		[401, 'InvalidAuthenticationToken'],
		[400, 'BadRequest'],
		[405, 'Request_BadRequest'],
	]);
	expect(answers[1]?.json.error).toEqual({
		code: 'ServiceUnavailable',
		message: expect.any(String),
		innerError: {
			date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
			'request-id': answers[1]?.headers['request-id'],
			'client-request-id': 'mine',
		},
	});
	expect(simulator.unmatched).toHaveLength(2);
});

describe('the token endpoint', () => {
	it('gives a token for a secret, which works until it expires', async () => {
		const { status, json } = await login({ client_secret: DEMO_ENTRA_CLIENT_SECRET });
		expect([status, json]).toEqual([
			200,
			{
				token_type: 'Bearer',
				expires_in: 3599,
				ext_expires_in: 3599,
				access_token: expect.any(String),
			},
		]);
		const bearer = json.access_token as string;
		expect(decodeJwt(bearer)).toMatchObject({
			roles: ['User.Read.All', 'User.RevokeSessions.All'],
			tid: entra.tenantId,
			appid: CLIENT,
			oid: expect.stringMatching(UUID),
			aud: simulator.url,
		});
		expect((await get('/v1.0/users', { bearer })).status).toBe(200);
		entra.clockSkewMs = 3_600_000;
		const late = await get('/v1.0/users', { bearer });
		expect(problem(late)).toEqual([401, 'InvalidAuthenticationToken']);
		expect(late.headers['www-authenticate']).toMatch(/^Bearer /);
		expect(simulator.violations).toEqual([]);
	});

	it('knows the tenant by its domain, and its apps only there', async () => {
		const secret = { client_secret: DEMO_ENTRA_CLIENT_SECRET };
		expect((await login(secret, 'Example.onmicrosoft.com')).status).toBe(200);
		const stranger = entra.addApp({
			secret: 's',
			roles: ['User.Read.All'],
			tenantId: randomUUID(),
		});
		expect(loginProblem(await login(secret, stranger.tenantId))).toEqual([
			400,
			'unauthorized_client',
			[700016],
		]);
		const form = { client_id: stranger.clientId, client_secret: 's' };
		const { json } = await login(form, stranger.tenantId);
		expect(names(await get('/v1.0/users', { bearer: json.access_token as string }))).toEqual([]);
	});

	it('refuses what is wrong, with the codes of the vendor', async () => {
		const secret = { client_secret: DEMO_ENTRA_CLIENT_SECRET };
		const expired = entra.addApp({ secret: 'old', secretExpiresAt: Date.now() - 1, roles: [] });
		const cases: [Record<string, string>, string, unknown[]][] = [
			[secret, randomUUID(), [400, 'invalid_request', [90002]]],
			[{ ...secret, client_id: randomUUID() }, '', [400, 'unauthorized_client', [700016]]],
			[{ client_secret: 'wrong' }, '', [401, 'invalid_client', [7000215]]],
			[
				{ client_id: expired.clientId, client_secret: 'old' },
				'',
				[401, 'invalid_client', [7000222]],
			],
			[{}, '', [401, 'invalid_client', [7000218]]],
			[{ ...secret, scope: 'User.Read.All' }, '', [400, 'invalid_scope', [1002012]]],
			[
				{ ...secret, scope: 'https://other.example/.default' },
				'',
				[400, 'invalid_resource', [500011]],
			],
			[{ ...secret, scope: '' }, '', [400, 'invalid_request', [900144]]],
			[{ ...secret, grant_type: 'password' }, '', [400, 'unsupported_grant_type', [70003]]],
		];
		for (const [form, tenant, expected] of cases) {
			const answer = await login(form, tenant === '' ? entra.tenantId : tenant);
			expect(loginProblem(answer)).toEqual(expected);
			expect(answer.json.error_description).toMatch(/^AADSTS\d+: .+ Trace ID: /);
		}
		simulator.faults.next({ match: 'token', fault: { kind: 'rateLimit', resetInSeconds: 3 } });
		const throttled = await login(secret);
		expect(loginProblem(throttled)).toEqual([429, 'temporarily_unavailable', [90055]]);
		expect(throttled.headers['retry-after']).toBe('3');
	});

	describe('with a certificate', () => {
		let clientId: string;

		beforeEach(() => {
			const { cert: certificatePem } = registered;
			({ clientId } = entra.addApp({ certificatePem, roles: ['User.Read.All'] }));
		});

		const print = (algorithm: string, { cert } = registered) =>
			createHash(algorithm).update(new X509Certificate(cert).raw).digest('base64url');

		async function assertion(
			change: { header?: object; claims?: object; key?: ReturnType<typeof selfSigned> } = {},
		): Promise<Record<string, string>> {
			const now = Math.floor(Date.now() / 1000);
			const claims = {
				aud: `${simulator.url}/${entra.tenantId}/oauth2/v2.0/token`,
				iss: clientId,
				sub: clientId,
				jti: randomUUID(),
				nbf: now,
				iat: now,
				exp: now + 300,
				...change.claims,
			};
			const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': print('sha256'), ...change.header };
			const key = createPrivateKey((change.key ?? registered).key);
			return {
				client_id: clientId,
				client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
				client_assertion: await new SignJWT(claims).setProtectedHeader(header).sign(key),
			};
		}

		it('gives a token for PS256 with x5t#S256 and for RS256 with x5t', async () => {
			expect((await login(await assertion())).status).toBe(200);
			const header = { alg: 'RS256', 'x5t#S256': undefined, x5t: print('sha1') };
			expect((await login(await assertion({ header }))).status).toBe(200);
			expect(simulator.violations).toEqual([]);
		});

		it('verifies the signature, the thumbprint and the claims', async () => {
			const long = Math.floor(Date.now() / 1000) - 3600;
			const cases: [Parameters<typeof assertion>[0], number][] = [
				[{ key: other }, 700027],
				[{ key: other, header: { 'x5t#S256': print('sha256', other) } }, 700027],
				[{ header: { 'x5t#S256': undefined } }, 5002723],
				[{ header: { alg: 'PS384' } }, 50027],
				[{ claims: { aud: simulator.url } }, 700023],
				[{ claims: { iss: 'somebody' } }, 700021],
				[{ claims: { exp: long } }, 700024],
				[{ claims: { exp: undefined } }, 700024],
				[{ claims: { nbf: long + 7200, exp: long + 7500 } }, 700024],
			];
			for (const [change, code] of cases) {
				const answer = await login(await assertion(change));
				expect(loginProblem(answer)).toEqual([401, 'invalid_client', [code]]);
			}
			const junk = { ...(await assertion()), client_assertion: 'no.jwt' };
			expect(loginProblem(await login(junk))).toEqual([401, 'invalid_client', [50027]]);
			expect((await login({ ...(await assertion()), client_assertion_type: '' })).status).toBe(400);
		});

		it('notices an expired certificate', async () => {
			entra.clockSkewMs = 100 * 365.25 * 86_400_000;
			const answer = await login(await assertion());
			expect(loginProblem(answer)).toEqual([401, 'invalid_client', [1000502]]);
		});

		it('notes what is documented but not enforced', async () => {
			const once = await assertion();
			await login(once);
			expect(simulator.violations).toEqual([]);
			expect((await login(once)).status).toBe(200);
			const exp = Math.floor(Date.now() / 1000) + 3600;
			expect((await login(await assertion({ claims: { exp, jti: undefined } }))).status).toBe(200);
			expect(simulator.violations.join('\n')).toMatch(/used twice[^]*no jti[^]*10 minutes/);
		});
	});
});

describe('users', () => {
	it('are found by filter, ignoring case, with the selected properties only', async () => {
		const answer = await find(`userPrincipalName eq 'NORA.Lindqvist@example.com'`);
		expect(answer.json).toEqual({
			'@odata.context': `${simulator.url}/v1.0/$metadata#users(id,userPrincipalName,mail)`,
			value: [{ id: expect.stringMatching(UUID), userPrincipalName: NORA, mail: NORA }],
		});
		expect(names(await find(`mail eq 'frontdesk@EXAMPLE.com'`))).toHaveLength(2);
		const press = `userPrincipalName eq 'press@example.com' or mail eq 'press@example.com'`;
		expect(names(await find(press))).toEqual(['press@example.com', 'omar.haddad@example.com']);
		const oneil = "maeve.o''neil@example.com";
		expect(names(await find(`mail eq '${oneil}'`))).toEqual(["maeve.o'neil@example.com"]);
		expect(names(await find(`proxyAddresses/any(p:p eq 'smtp:nora@example.com')`))).toEqual([NORA]);
		expect(names(await find(`otherMails/any(m:m eq 'nora.lindqvist@example.org')`))).toEqual([
			NORA,
		]);
		const id = answer.json.value?.[0]?.id ?? '';
		expect(names(await find(`id eq '${id}'`))).toEqual([NORA]);
		expect(names(await find(`id in ('${id}', '${randomUUID()}')`))).toEqual([NORA]);
		expect(
			names(await find(`(startsWith(mail,'nora') or mail eq 'x') and accountEnabled eq true`)),
		).toEqual([NORA]);
		expect(names(await find(`mail eq 'nobody@example.com'`))).toEqual([]);
		expect(simulator.violations).toEqual([]);
	});

	it('are not found with a filter that is not supported', async () => {
		const cases: [string, string][] = [
			[`mail ne 'x'`, 'Request_UnsupportedQuery'],
			[`not(mail eq 'x')`, 'Request_UnsupportedQuery'],
			[`endsWith(mail,'x')`, 'Request_UnsupportedQuery'],
			[`startsWith(id,'x')`, 'Request_UnsupportedQuery'],
			[`signInSessionsValidFromDateTime eq 'x'`, 'Request_UnsupportedQuery'],
			[`mail eq 'o'neil'`, 'BadRequest'],
			[`mail eq`, 'BadRequest'],
			[`mail eq x`, 'BadRequest'],
			[`login eq 'x'`, 'BadRequest'],
			[`proxyAddresses eq 'x'`, 'BadRequest'],
			[`mail/any(m:m eq 'x')`, 'BadRequest'],
			[`mail eq true`, 'BadRequest'],
			['', 'BadRequest'],
		];
		for (const [filter, code] of cases) {
			expect([filter, ...problem(await find(filter))]).toEqual([filter, 400, code]);
		}
		expect(problem(await get('/v1.0/users?$select=login'))).toEqual([400, 'BadRequest']);
		expect(problem(await get('/v1.0/users?$top=0'))).toEqual([400, 'Request_UnsupportedQuery']);
		expect(problem(await get('/v1.0/users?$top=1000'))).toEqual([400, 'Request_UnsupportedQuery']);
		expect(simulator.violations).toEqual([]);
	});

	it('come in pages and can be counted', async () => {
		const headers = { consistencylevel: 'eventual' };
		const first = await get('/v1.0/users?$top=11&$count=true', { headers });
		expect(first.json.value).toHaveLength(11);
		expect(first.json['@odata.count']).toBe(12);
		const next = new URL(first.json['@odata.nextLink'] ?? '');
		const second = await get(next.pathname + next.search, { headers });
		expect(second.json.value).toHaveLength(1);
		expect(second.json).not.toHaveProperty('@odata.nextLink');
		expect(simulator.violations).toEqual([]);
		await get('/v1.0/users?$count=true&$search=x');
		expect(simulator.violations).toHaveLength(2);
	});

	it('are found by id and by user principal name, not by mail', async () => {
		const nora = (await get(`/v1.0/users/${NORA.toUpperCase()}`)).json;
		expect(nora).toMatchObject({ displayName: 'Nora Lindqvist', businessPhones: [] });
		expect(nora).not.toHaveProperty('userType');
		expect((await get(`/v1.0/users/${String(nora.id)}?$select=mail`)).json).toEqual({
			'@odata.context': `${simulator.url}/v1.0/$metadata#users(mail)/$entity`,
			mail: NORA,
		});
		const guest = await get(`/v1.0/users/${encode(GUEST)}?$select=userType,accountEnabled`);
		expect(guest.json).toMatchObject({ userType: 'Guest', accountEnabled: true });
		const byMail = await get('/v1.0/users/frontdesk@example.com');
		expect(problem(byMail)).toEqual([404, 'Request_ResourceNotFound']);
		expect(byMail.json.error?.message).toContain("'frontdesk@example.com'");
	});

	it('are found by a name that begins with $ in quotes only', async () => {
		expect((await get(`/v1.0/users('$kiosk@example.com')`)).status).toBe(200);
		expect((await get(`/v1.0/users('maeve.o''neil@example.com')`)).status).toBe(200);
		expect((await get(`/v1.0/users(%27%24kiosk%40example.com%27)`)).status).toBe(200);
		const post = await call('POST', `/v1.0/users('$kiosk@example.com')/revokeSignInSessions`);
		expect(post.status).toBe(200);
		expect(simulator.violations).toEqual([]);
		expect(problem(await get('/v1.0/users/$kiosk@example.com'))[0]).toBe(400);
		expect(problem(await get('/v1.0/groups'))).toEqual([400, 'BadRequest']);
		expect(simulator.violations).toHaveLength(2);
	});
});

describe('permissions', () => {
	const VERIFY = '?$select=id,signInSessionsValidFromDateTime';

	it('open what they are documented to open', async () => {
		const id = entra.getUser(NORA)?.id ?? '';
		const cases: [string[], number, number, number][] = [
			[[], 403, 403, 403],
			[['User.ReadBasic.All'], 200, 403, 403],
			[['User.Read.All'], 200, 200, 403],
			[['Directory.Read.All'], 200, 200, 403],
			[['User.RevokeSessions.All'], 403, 403, 200],
			[['User.ReadWrite.All'], 200, 200, 200],
			[['Directory.ReadWrite.All'], 200, 200, 200],
		];
		for (const [roles, ...expected] of cases) {
			const bearer = tokenWith(...roles);
			const answers = [
				await get('/v1.0/users?$top=1', { bearer }),
				await get(`/v1.0/users/${id}${VERIFY}`, { bearer }),
				await revoke(id, { bearer }),
			];
			expect([roles, ...answers.map(({ status }) => status)]).toEqual([roles, ...expected]);
			const refused = answers.filter(({ status }) => status === 403);
			for (const { json } of refused) expect(json.error?.code).toBe('Authorization_RequestDenied');
		}
		expect(decodeJwt(tokenWith())).not.toHaveProperty('roles');
	});

	it('show the basic profile only with User.ReadBasic.All', async () => {
		const bearer = tokenWith('User.ReadBasic.All');
		const path = `/v1.0/users/${NORA}?$select=mail,userType,accountEnabled,proxyAddresses`;
		expect((await get(path, { bearer })).json).toMatchObject({
			mail: NORA,
			userType: null,
			accountEnabled: null,
			proxyAddresses: [],
		});
		const alias = `/v1.0/users?$filter=${encode(`proxyAddresses/any(p:p eq 'smtp:x')`)}`;
		expect((await get(alias, { bearer })).status).toBe(403);
		entra.beyondBasicProfile = 'refused';
		expect((await get(path, { bearer })).status).toBe(403);
	});

	it('end with the token', async () => {
		entra.withdrawTokens();
		expect(problem(await get('/v1.0/users'))).toEqual([401, 'InvalidAuthenticationToken']);
		expect(problem(await batch([{ id: '1', method: 'GET', url: '/users' }]))[0]).toBe(401);
		const opaque = createEntra({ seed: seedEntraDemo, opaqueTokens: true });
		expect(opaque.addAccessToken({ clientId: CLIENT })).not.toContain('.');
		expect(() => opaque.addAccessToken({ clientId: 'nobody' })).toThrow('no app');
	});
});

describe('an update of accountEnabled', () => {
	const update = (body: string, bearer: string, type = 'application/json') =>
		call('PATCH', `/v1.0/users/${encode(NORA)}`, {
			bearer,
			headers: { 'content-type': type },
			body,
		});

	it('disables an account and enables it again, and ends no session', async () => {
		const bearer = tokenWith('User.EnableDisableAccount.All', 'User.Read.All');
		const sessions = entra.sessionsOf(NORA);
		expect((await update('{"accountEnabled":false}', bearer)).status).toBe(204);
		expect(entra.getUser(NORA)?.accountEnabled).toBe(false);
		expect(() => entra.signIn(NORA)).toThrow('disabled');
		expect((await update('{"accountEnabled":true}', bearer)).status).toBe(204);
		expect(entra.getUser(NORA)?.accountEnabled).toBe(true);
		expect(entra.sessionsOf(NORA)).toEqual(sessions);
		expect(simulator.violations).toEqual([]);
	});

	it('needs its permission', async () => {
		const reply = await update('{"accountEnabled":false}', token);
		expect(problem(reply)).toEqual([403, 'Authorization_RequestDenied']);
		expect(entra.getUser(NORA)?.accountEnabled).toBe(true);
	});

	it.each(['{}', '{"accountEnabled":"false"}', '{"accountEnabled":false,"jobTitle":"x"}', 'no'])(
		'refuses %s',
		async (body) => {
			const reply = await update(body, tokenWith('User.ReadWrite.All'));
			expect(problem(reply)).toEqual([400, 'BadRequest']);
			expect(entra.getUser(NORA)?.accountEnabled).toBe(true);
		},
	);
});

describe('revokeSignInSessions', () => {
	const validFrom = async () =>
		(await get(`/v1.0/users/${NORA}?$select=signInSessionsValidFromDateTime`)).json
			.signInSessionsValidFromDateTime as string;

	it('ends sessions and refresh tokens and moves the time from which they are valid', async () => {
		const before = await validFrom();
		const { sessions } = entra.signIn(NORA);
		expect(entra.isLive(sessions[0] ?? '')).toBe(true);
		expect([entra.sessionsOf(NORA).length, entra.refreshTokensOf(NORA).length]).toEqual([4, 6]);
		const started = Date.now();
		const answer = await revoke(NORA);
		expect([answer.status, answer.json]).toEqual([
			200,
			{ '@odata.context': `${simulator.url}/v1.0/$metadata#Edm.Boolean`, value: true },
		]);
		expect([entra.sessionsOf(NORA), entra.refreshTokensOf(NORA)]).toEqual([[], []]);
		expect(entra.isLive(sessions[0] ?? '')).toBe(false);
		const after = await validFrom();
		expect(after).toMatch(/:\d\dZ$/);
		expect(Date.parse(after)).toBeGreaterThan(started - 1001);
		expect(Date.parse(after)).toBeGreaterThan(Date.parse(before));
		expect(entra.sessionsOf('tomas.okafor@example.com')).toHaveLength(2);
		entra.signIn(NORA);
		expect(entra.sessionsOf(NORA)).toHaveLength(1);
		expect(simulator.violations).toEqual([]);
	});

	it('leaves the sessions of external users to their home tenant', async () => {
		expect((await revoke(GUEST)).json.value).toBe(true);
		expect(entra.sessionsOf(GUEST)).toHaveLength(2);
		expect(entra.refreshTokensOf(GUEST)).toHaveLength(2);
		expect(entra.revocationsOf(GUEST)).toBe(1);
	});

	it('can answer 204 or false', async () => {
		entra.revokeAnswer = 'false';
		expect((await revoke(NORA)).json.value).toBe(false);
		expect(entra.sessionsOf(NORA)).toHaveLength(3);
		entra.revokeAnswer = 'empty';
		expect([(await revoke(NORA)).status, entra.sessionsOf(NORA)]).toEqual([204, []]);
	});

	it('can take its time to show and to work', async () => {
		const before = await validFrom();
		entra.replicationLagMs = 60_000;
		entra.effectLagMs = 50;
		await revoke(NORA);
		expect(entra.sessionsOf(NORA)).toHaveLength(3);
		await sleep(60);
		expect(entra.sessionsOf(NORA)).toHaveLength(0);
		expect(await validFrom()).toBe(before);
		entra.clockSkewMs = 61_000;
		expect(await validFrom()).not.toBe(before);
	});

	it('takes no parameters and needs a user', async () => {
		const headers = { 'content-type': 'application/json' };
		await revoke(NORA, { headers, body: '{}' });
		expect(simulator.violations).toEqual([]);
		await revoke(NORA, { headers, body: '{"force":true}' });
		expect(simulator.violations).toHaveLength(1);
		expect(problem(await revoke('nobody@example.com'))).toEqual([404, 'Request_ResourceNotFound']);
	});
});

describe('throttling', () => {
	it('turns away what is over the limit', async () => {
		entra.setRateLimit({ limit: 5, windowMs: 60_000 });
		const costs = [
			await get('/v1.0/users'),
			await get('/v1.0/users?$select=id'),
			await get('/v1.0/users?$select=id&$top=1'),
		].map(({ headers }) => headers['x-ms-resource-unit']);
		expect(costs).toEqual(['2', '1', '1']);
		expect((await revoke(NORA)).headers['x-ms-throttle-limit-percentage']).toBe('1.0');
		const refused = await revoke(NORA);
		expect(problem(refused)).toEqual([429, 'TooManyRequests']);
		expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
		expect(entra.revocationsOf(NORA)).toBe(1);
		entra.clockSkewMs = 61_000;
		expect((await revoke(NORA)).status).toBe(200);
	});
});

describe('$batch', () => {
	const json = { 'Content-Type': 'application/json' };
	const step = (id: string, user: string) => ({
		id,
		method: 'POST',
		url: `/users/${encode(user)}/revokeSignInSessions`,
		headers: json,
		body: {},
	});

	it('answers every request in its own right, in any order', async () => {
		const { status, json: body } = await batch([
			step('1', NORA),
			step('2', 'nobody@example.com'),
			{ id: '3', method: 'GET', url: `/users?$filter=${encode(`mail eq '${NORA}'`)}&$select=id` },
			{ id: '4', method: 'GET', url: 'users/nobody' },
			{ id: '5', method: 'GET', url: '/nowhere/x' },
		]);
		expect(status).toBe(200);
		expect(body.responses?.map(({ id }) => id)).toEqual(['5', '4', '3', '2', '1']);
		const statuses = body.responses?.map((one) => [one.id, one.status]);
		expect(Object.fromEntries(statuses ?? [])).toEqual({ 1: 200, 2: 404, 3: 200, 4: 404, 5: 400 });
		expect(body.responses?.at(-1)).toMatchObject({
			headers: { 'Content-Type': expect.stringMatching(/json/), 'request-id': expect.any(String) },
			body: { value: true },
		});
		expect(entra.sessionsOf(NORA)).toEqual([]);
		expect(simulator.violations).toEqual([]);
		expect(simulator.hits).toMatchObject({ batch: 1, revokeSignInSessions: 2, getUser: 1 });
		entra.batchOrder = 'asSent';
		const sent = await batch([step('x', NORA), step('y', NORA)]);
		expect(sent.json.responses?.map(({ id }) => id)).toEqual(['x', 'y']);
		entra.batchOrder = 'shuffled';
		expect((await batch([step('x', NORA), step('y', NORA)])).json.responses).toHaveLength(2);
	});

	it('throttles requests on their own', async () => {
		const match = { route: 'revokeSignInSessions', pathIncludes: encode(NORA) };
		simulator.faults.next({ match, fault: { kind: 'rateLimit', resetInSeconds: 7 } });
		const answer = await batch([step('a', NORA), step('b', 'tomas.okafor@example.com')]);
		expect(answer.status).toBe(200);
		expect(answer.headers).not.toHaveProperty('retry-after');
		const [b, a] = answer.json.responses ?? [];
		expect(a).toMatchObject({
			status: 429,
			headers: { 'Retry-After': '7' },
			body: { error: { code: 'TooManyRequests' } },
		});
		expect(b?.status).toBe(200);
		expect(entra.sessionsOf(NORA)).toHaveLength(3);
	});

	it('shows answers that broke off as those of a gateway', async () => {
		const match = 'revokeSignInSessions';
		simulator.faults.next({ match, fault: { kind: 'afterEffect' } });
		const { json: body } = await batch([step('a', NORA)]);
		expect(body.responses).toMatchObject([{ id: 'a', status: 504 }]);
		expect(entra.sessionsOf(NORA)).toEqual([]);
		simulator.faults.next({ match, fault: { kind: 'serverError', status: 502, html: true } });
		const page = (await batch([step('a', NORA)])).json.responses?.[0];
		expect(page).toMatchObject({ status: 502, body: expect.any(String) });
	});

	it('runs what depends on another after it, or not at all', async () => {
		entra.batchOrder = 'asSent';
		const { json: body } = await batch([
			step('1', NORA),
			{ ...step('2', 'nobody'), dependsOn: ['1'] },
			{ ...step('3', NORA), dependsOn: ['2'] },
		]);
		expect(body.responses?.map(({ status }) => status)).toEqual([200, 404, 424]);
		expect(entra.revocationsOf(NORA)).toBe(1);
	});

	it('is refused as a whole if it is not well-formed', async () => {
		const many = Array.from({ length: 21 }, (_, index) => step(String(index), NORA));
		const cases: [unknown[], string][] = [
			[many, 'MaximumValueExceeded'],
			[[], 'BadRequest'],
			[[step('a', NORA), step('A', NORA)], 'BadRequest'],
			[[{ ...step('a', NORA), headers: {} }], 'BadRequest'],
			[[{ ...step('a', NORA), body: undefined }], 'BadRequest'],
			[[{ id: 'a', method: 'GET', url: `${simulator.url}/v1.0/users` }], 'BadRequest'],
			[[{ ...step('a', NORA), dependsOn: ['z'] }], 'BadRequest'],
			[[{ id: 1, method: 'GET', url: '/users' }], 'BadRequest'],
		];
		for (const [requests, code] of cases) {
			expect(problem(await batch(requests))).toEqual([400, code]);
		}
		expect(problem(await batch([], { body: 'no json' }))[0]).toBe(400);
		expect(entra.revocationsOf(NORA)).toBe(0);
		expect((await batch(many.slice(1))).json.responses).toHaveLength(20);
		const nested = await batch([{ ...step('a', NORA), url: '/$batch' }]);
		expect(nested.json.responses).toMatchObject([{ id: 'a', status: 400 }]);
	});
});

describe('the directory', () => {
	it('goes back to its seed, switches included', async () => {
		const before = JSON.stringify(entra.state());
		const { id } = entra.addUser({ userPrincipalName: 'new@example.com', sessions: 1 });
		expect(names(await find(`id eq '${id}'`))).toEqual(['new@example.com']);
		entra.updateUser('new@example.com', { mail: 'other@example.com', accountEnabled: false });
		expect(names(await find(`mail eq 'new@example.com'`))).toEqual([]);
		expect(names(await find(`mail eq 'other@example.com'`))).toEqual(['new@example.com']);
		expect(() => entra.signIn('new@example.com')).toThrow('disabled');
		entra.removeUser(NORA);
		expect((await get(`/v1.0/users/${NORA}`)).status).toBe(404);
		expect(() => entra.addUser({ userPrincipalName: 'NEW@example.com' })).toThrow('already');
		entra.revokeAnswer = 'empty';
		entra.reset();
		expect(entra.revokeAnswer).toBe('true');
		const shape = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'time');
		expect(shape(JSON.stringify(entra.state()))).toBe(shape(before));
		expect(before).not.toContain(DEMO_ENTRA_CLIENT_SECRET);
		expect(problem(await get('/v1.0/users'))[0]).toBe(401);
	});

	it('offers what people do to other processes', async () => {
		const act = (action: string, input: unknown) =>
			call('POST', `/__simulator/actions/${action}`, {
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify(input),
			});
		await act('addUser', { userPrincipalName: 'remote@example.com' });
		await act('signIn', { user: 'remote@example.com', sessions: 2, refreshTokens: 0 });
		expect(entra.sessionsOf('remote@example.com')).toHaveLength(2);
		await act('withdrawTokens', {});
		expect((await get('/v1.0/users')).status).toBe(401);
	});

	it('answers quickly with many users', async () => {
		for (let index = 0; index < 5000; index += 1) {
			entra.addUser({ userPrincipalName: `crowd${index}@example.com`, sessions: 1 });
		}
		const started = performance.now();
		for (let index = 0; index < 200; index += 1) {
			const login = `crowd${index}@example.com`;
			expect(names(await find(`userPrincipalName eq '${login}' or mail eq '${login}'`))).toEqual([
				login,
			]);
		}
		expect(performance.now() - started).toBeLessThan(5000);
	});
});
