import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Agent, type Dispatcher, request as http } from 'undici';
import { selfSigned } from '../transport/support/certificate';
import { createJanssen, type Janssen } from './janssen';
import {
	DEMO_JANSSEN_CLIENT_ID,
	DEMO_JANSSEN_CLIENT_SECRET,
	DEMO_JANSSEN_SCOPES,
	seedJanssenDemo,
} from './janssen-demo';
import { type Simulator, startSimulator } from './simulator';

const CLIENT = DEMO_JANSSEN_CLIENT_ID;
const NORA = 'nora.lindqvist';
const USERS = '/jans-config-api/mgt/configuser';
const SESSION = '/jans-config-api/api/v1/jans-auth-server/session';
const SCOPES = 'https://jans.io/oauth';
/** Sessions in the demo's seed, of either state. */
const SESSIONS = 16;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let janssen: Janssen;
let simulator: Simulator;
let token: string;

beforeEach(async () => {
	janssen = createJanssen({ seed: seedJanssenDemo });
	simulator = await startSimulator(janssen);
	token = janssen.addAccessToken({ clientId: CLIENT });
});

afterEach(async () => {
	await simulator.close();
});

interface JanssenBody {
	entries?: Record<string, unknown>[];
	totalEntriesCount?: number;
	[name: string]: unknown;
}

interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	text: string;
	json: JanssenBody;
}

async function call(
	method: Dispatcher.HttpMethod,
	path: string,
	options: { headers?: Record<string, string>; body?: string; authorization?: string | null } = {},
): Promise<Answer> {
	const { authorization = `Bearer ${token}`, headers, body } = options;
	const answer = await http(simulator.url + path, {
		method,
		headers: { ...(authorization === null ? {} : { authorization }), ...headers },
		...(body === undefined ? {} : { body }),
	});
	const text = await answer.body.text();
	const json = (/^[{[]/.test(text) ? JSON.parse(text) : {}) as JanssenBody;
	return { status: answer.statusCode, headers: answer.headers, text, json };
}

const encode = encodeURIComponent;
const get = (path: string) => call('GET', path);
const find = (fieldValuePair: string, more = '') =>
	get(`${USERS}?fieldValuePair=${encode(fieldValuePair)}${more}`);
const ids = ({ json }: Answer) => (json.entries ?? []).map(({ userId }) => userId).sort();
const dnOf = (user: string) => janssen.getUser(user)?.dn ?? '';
const revoke = (userDn: string) => call('DELETE', `${SESSION}/user/${encode(userDn)}`);
const basic = (id = CLIENT, secret = DEMO_JANSSEN_CLIENT_SECRET) =>
	`Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`;

const login = (form: Record<string, string>, authorization: string | null = basic()) =>
	call('POST', '/jans-auth/restv1/token', {
		authorization,
		headers: FORM,
		body: new URLSearchParams({ grant_type: 'client_credentials', ...form }).toString(),
	});
const revokeGlobally = (format: string, id: string, authorization: string | null = basic()) =>
	call('POST', '/jans-auth/restv1/global-token-revocation', {
		authorization,
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ sub_id: { format, id } }),
	});
const revokeSession = (key: string, value: string, authorization: string | null = basic()) =>
	call('POST', '/jans-auth/restv1/revoke_session', {
		authorization,
		headers: FORM,
		body: new URLSearchParams({ user_criterion_key: key, user_criterion_value: value }).toString(),
	});

/** From now on the calls carry a token with these scopes only. */
function useScopes(...scopes: string[]): void {
	token = janssen.addAccessToken({ clientId: janssen.addClient({ scopes }).clientId });
}

/** What Nora has. */
const held = () => ({
	sessions: janssen.sessionsOf(NORA).length,
	unauthenticated: janssen.sessionsOf(NORA, 'unauthenticated').length,
	accessTokens: janssen.tokensOf(NORA, 'access_token').length,
	idTokens: janssen.tokensOf(NORA, 'id_token').length,
	refreshTokens: janssen.tokensOf(NORA, 'refresh_token').length,
});
const everything = {
	sessions: 3,
	unauthenticated: 1,
	accessTokens: 3,
	idTokens: 3,
	refreshTokens: 2,
};

it('has a source for every route, at the vendor', () => {
	for (const { source } of simulator.routes) {
		expect(source).toMatch(/^https:\/\/(docs\.jans\.io|github\.com\/JanssenProject\/jans)\//);
	}
});

describe('the token endpoint', () => {
	it('gives a token with those of the scopes that the client has', async () => {
		const foreign = `${SCOPES}/config/delete-all`;
		const { status, json } = await login({ scope: ['revoke_session', foreign].join(' ') });
		expect([status, json]).toEqual([
			200,
			{
				access_token: expect.any(String),
				scope: 'revoke_session',
				token_type: 'Bearer',
				expires_in: 299,
			},
		]);
		expect((await login({ scope: foreign })).json).not.toHaveProperty('scope');
		const all = await login({ scope: DEMO_JANSSEN_SCOPES.join(' ') });
		token = all.json.access_token as string;
		expect((await get(USERS)).status).toBe(200);
		janssen.clockSkewMs = 301_000;
		expect((await get(USERS)).status).toBe(401);
		expect(simulator.violations).toEqual([]);
	});

	it('authenticates clients with HTTP Basic, form-encoded, and nothing else', async () => {
		const { clientId, secret } = janssen.addClient({
			secret: 'p+%41:ß',
			scopes: ['revoke_session'],
		});
		expect((await login({}, basic(clientId, secret))).status).toBe(200);
		const raw = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
		const wrong = [
			raw,
			basic(CLIENT, 'wrong'),
			basic('nobody'),
			'Basic !',
			`Bearer ${token}`,
			null,
		];
		for (const authorization of wrong) {
			const { status, headers, json } = await login({}, authorization);
			expect([status, json.error]).toEqual([401, 'invalid_client']);
			expect(headers['www-authenticate']).toBe('Basic realm="jans-auth"');
			expect(json.error_description).toMatch(/^Client authentication failed/);
		}
		const posted = { client_id: CLIENT, client_secret: DEMO_JANSSEN_CLIENT_SECRET };
		expect((await login(posted, null)).status).toBe(401);
		expect(simulator.violations).toEqual([]);
		await login(posted);
		expect(simulator.violations).toHaveLength(1);
	});

	it('refuses other grants', async () => {
		const password = await login({ grant_type: 'password' });
		expect([password.status, password.json.error]).toEqual([400, 'unsupported_grant_type']);
		const none = await login({ grant_type: '' });
		expect([none.status, none.json.error]).toEqual([400, 'invalid_request']);
	});
});

describe('the authorization filter of the config API', () => {
	it('answers 401 in bare text for every reason', async () => {
		const refused = async (authorization: string | null) => {
			const { status, headers, text } = await call('GET', USERS, { authorization });
			expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
			return text;
		};
		expect(await refused(null)).toBe('ONLY TOKEN BASED AUTHORIZATION IS SUPPORTED!');
		expect(await refused(basic())).toBe('ONLY TOKEN BASED AUTHORIZATION IS SUPPORTED!');
		expect(await refused('Bearer junk')).toBe('Token is Invalid.');
		useScopes('revoke_session');
		expect(await refused(`Bearer ${token}`)).toMatch(
			/Insufficient scopes! , Required scope: \[.*user\.readonly.*token scopes: \[revoke_session\]$/,
		);
		janssen.withdrawTokens();
		expect(await refused(`Bearer ${token}`)).toBe('Token is Invalid.');
	});

	it('wants both scopes to end sessions, or one of the wider ones', async () => {
		const remove = `${SCOPES}/jans-auth-server/session.delete`;
		const cases: [string[], number][] = [
			[[remove], 401],
			[['revoke_session'], 401],
			[[`${SCOPES}/config/read-all`], 401],
			[[`${SCOPES}/jans-auth-server/session.readonly`], 401],
			[[remove, 'revoke_session'], 404],
			[[`${SCOPES}/jans-auth-server/session.admin`], 404],
			[[`${SCOPES}/config/delete-all`], 404],
		];
		for (const [scopes, status] of cases) {
			useScopes(...scopes);
			expect([scopes, (await revoke(dnOf('lena.fischer'))).status]).toEqual([scopes, status]);
			expect((await call('DELETE', `${SESSION}/sid/none`)).status).toBe(status);
		}
		useScopes(`${SCOPES}/config/read-all`);
		expect((await get(USERS)).status).toBe(200);
		expect((await get(`${SESSION}/search`)).status).toBe(200);
	});

	it('lets everybody ask whether the server lives', async () => {
		const { status } = await call('GET', '/jans-config-api/api/v1/health/live', {
			authorization: null,
		});
		expect(status).toBe(200);
	});
});

describe('users', () => {
	it('are found by a part of an attribute, so the answer has to be compared', async () => {
		const { json } = await find(`uid=${NORA}`, '&limit=2');
		expect(json).toMatchObject({ start: 0, totalEntriesCount: 2, entriesCount: 2 });
		expect(json.entries?.find(({ userId }) => userId === NORA)).toEqual({
			dn: expect.stringMatching(/^inum=[\da-f-]{36},ou=people,o=jans$/),
			userId: NORA,
			createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
			customAttributes: [expect.objectContaining({ name: 'sn', value: 'Lindqvist' })],
			customObjectClasses: ['top', 'jansCustomPerson'],
			inum: janssen.getUser(NORA)?.inum,
			mail: 'nora.lindqvist@example.com',
			displayName: 'Nora Lindqvist',
			jansStatus: 'active',
			givenName: 'Nora',
			baseDn: dnOf(NORA),
		});
		expect(ids(await find(`uid=${NORA}`))).toEqual(['eleonora.lindqvist', NORA]);
		janssen.userMatch = 'equality';
		expect(ids(await find(`userId=${NORA.toUpperCase()}`))).toEqual([NORA]);
		janssen.letterCase = 'significant';
		expect(ids(await find(`uid=${NORA.toUpperCase()}`))).toEqual([]);
		expect(ids(await find('mail=frontdesk@example.com'))).toEqual(['alex.rivera', 'sam.rivera']);
		expect(ids(await find('mail=frontdesk@example.com,uid=sam.rivera'))).toEqual(['sam.rivera']);
		expect(ids(await find(`inum=${janssen.getUser('$kiosk')?.inum ?? ''}`))).toEqual(['$kiosk']);
		expect(ids(await find('jansStatus=inactive'))).toEqual(['priya.nair']);
		expect(ids(await get(`${USERS}?pattern=okafor,haddad`))).toEqual([
			'omar.haddad',
			'tomas.okafor',
		]);
		expect(simulator.violations).toEqual([]);
	});

	it('are sought with a value that neither a comma nor an equals sign may be in', async () => {
		expect((await find(`mail=a,b@example.com`)).json).toMatchObject({ code: '500' });
		expect((await find(dnOf(NORA))).json).toMatchObject({ code: '500' });
		expect(ids(await find(`uid=nora=x`))).toEqual(['eleonora.lindqvist', NORA]);
		expect(ids(await find(NORA))).toHaveLength(12);
		expect((await find('login=x')).status).toBe(500);
		expect((await get(`${USERS}?limit=x`)).status).toBe(404);
		expect(simulator.violations.join('\n')).toMatch(
			/b@example.com has no value[^]*equals sign[^]*restricts nothing[^]*no attribute login[^]*limit is not/,
		);
	});

	it('come in order and in pages', async () => {
		const inums = janssen
			.allUsers()
			.map(({ inum }) => inum)
			.sort();
		const page = async (query: string) =>
			(await get(`${USERS}?${query}`)).json.entries?.map(({ inum }) => inum);
		expect(await page('limit=5')).toEqual(inums.slice(0, 5));
		expect(await page('limit=5&startIndex=5')).toEqual(inums.slice(5, 10));
		expect(await page('limit=5&startIndex=10')).toEqual(inums.slice(10));
		expect(await page('sortOrder=descending&limit=1')).toEqual(inums.slice(-1));
		janssen.startIndex = 'oneBased';
		expect(await page('limit=5')).toEqual(inums.slice(0, 5));
		expect(await page('limit=5&startIndex=6')).toEqual(inums.slice(5, 10));
		expect((await get(`${USERS}?limit=201`)).json).toEqual({
			code: '400',
			message: 'Maximum number of results per page is 200',
		});
		await get(`${USERS}?count=1`);
		expect(simulator.violations).toHaveLength(1);
	});

	it('are read by inum', async () => {
		const { inum = '' } = janssen.getUser(NORA) ?? {};
		expect((await get(`${USERS}/${inum}`)).json).toMatchObject({ userId: NORA });
		const none = await get(`${USERS}/${NORA}`);
		expect([none.status, none.json]).toEqual([
			404,
			{ code: '404', message: "The requested user doesn't exist" },
		]);
	});

	it('are at mgmt in one version, and then only there', async () => {
		const other = USERS.replace('mgt', 'mgmt');
		expect([(await get(USERS)).status, (await get(other)).status]).toEqual([200, 404]);
		janssen.userPath = 'mgmt';
		expect([(await get(USERS)).status, (await get(other)).status]).toEqual([404, 200]);
		const { inum = '' } = janssen.getUser(NORA) ?? {};
		expect((await get(`${other}/${inum}`)).status).toBe(200);
		expect(simulator.unmatched).toEqual([]);
	});
});

describe('sessions', () => {
	const search = (query: string) => get(`${SESSION}/search?${query}`);

	it('are searched by the inum of their user', async () => {
		const { inum = '', dn } = janssen.getUser(NORA) ?? {};
		const { json } = await search(`pattern=${inum}&limit=50`);
		expect(json).toMatchObject({ start: 0, totalEntriesCount: 4, entriesCount: 4 });
		const states = json.entries?.map(({ userDn, state }) => [userDn, state]) ?? [];
		expect(states.filter(([, state]) => state === 'authenticated')).toHaveLength(3);
		expect(states.every(([userDn]) => userDn === dn)).toBe(true);
		const [first] = janssen.sessionsOf(NORA);
		const shown = json.entries?.find(({ id }) => id === first?.id);
		expect(shown).toMatchObject({
			dn: `jansId=${first?.id ?? ''},ou=sessions,o=jans`,
			outsideSid: first?.sid,
			userDn: dn,
			state: 'authenticated',
			sessionAttributes: { auth_user: NORA, sid: first?.sid, session_id: first?.id },
			expirationDate: expect.stringMatching(/^[\d-]{10}T[\d:]{8}$/),
		});
		expect(await search(`pattern=${inum}&limit=3&startIndex=3`)).toMatchObject({
			json: { start: 3, totalEntriesCount: 4, entriesCount: 1 },
		});
		expect((await search('fieldValuePair=state=unauthenticated')).json.entries).toHaveLength(1);
		const bySid = await get(`${SESSION}/sid/${first?.sid ?? ''}`);
		expect(bySid.json).toEqual(shown);
		janssen.sidMember = 'sid';
		expect((await get(`${SESSION}/sid/${first?.sid ?? ''}`)).json).toMatchObject({
			sid: first?.sid,
		});
		expect((await get(`${SESSION}/sid/${first?.id ?? ''}`)).status).toBe(404);
		janssen.unknownSid = 'empty';
		expect(await get(`${SESSION}/sid/none`)).toMatchObject({ status: 200, text: '' });
		expect(simulator.violations).toEqual([]);
	});

	it('are listed up to fifty, as a page or as an array', async () => {
		janssen.signIn(NORA, { sessions: 60 });
		const page = (await get(SESSION)).json;
		expect(page).toMatchObject({ start: 0, totalEntriesCount: SESSIONS + 60, entriesCount: 50 });
		janssen.sessionList = 'array';
		expect((await get(SESSION)).json).toEqual(page.entries);
	});

	it('end with their access and ID tokens, authenticated ones only; refresh tokens stay', async () => {
		const [first] = janssen.sessionsOf(NORA);
		expect(held()).toEqual(everything);
		expect(janssen.isLive(first?.id ?? '')).toBe(true);
		expect(await revoke(dnOf(NORA))).toMatchObject({ status: 200, text: '' });
		expect(held()).toEqual({
			sessions: 0,
			unauthenticated: 1,
			accessTokens: 0,
			idTokens: 0,
			refreshTokens: 2,
		});
		expect(janssen.isLive(first?.id ?? '')).toBe(false);
		expect(await revoke(dnOf(NORA))).toMatchObject({ status: 404, text: '' });
		expect(janssen.sessionsOf('eleonora.lindqvist')).toHaveLength(1);
		janssen.deletedStatus = 204;
		expect((await revoke(dnOf('tomas.okafor'))).status).toBe(204);
		expect((await revoke(dnOf('lena.fischer'))).status).toBe(404);
		expect(simulator.violations).toEqual([]);
	});

	it('end for the whole DN only: what else is asked for has none', async () => {
		const { inum = '' } = janssen.getUser(NORA) ?? {};
		expect((await revoke(`inum=${inum},ou=people,o=other`)).status).toBe(404);
		expect(simulator.violations).toEqual([]);
		expect((await revoke(inum)).status).toBe(404);
		expect(simulator.violations).toHaveLength(1);
		expect(held()).toEqual(everything);
	});

	it('end one by one, by sid', async () => {
		const [first] = janssen.sessionsOf(NORA);
		const path = `${SESSION}/sid/${first?.sid ?? ''}`;
		expect((await call('DELETE', path)).status).toBe(200);
		expect((await call('DELETE', path)).status).toBe(404);
		expect(held()).toMatchObject({ sessions: 2, accessTokens: 2, refreshTokens: 2 });
	});

	it('may be listed for a while after their end, and are not found twice', async () => {
		janssen.replicationLagMs = Infinity;
		await revoke(dnOf(NORA));
		const { inum = '' } = janssen.getUser(NORA) ?? {};
		expect((await search(`pattern=${inum}`)).json.totalEntriesCount).toBe(4);
		expect((await revoke(dnOf(NORA))).status).toBe(404);
		janssen.replicationLagMs = 0;
		expect((await search(`pattern=${inum}`)).json.totalEntriesCount).toBe(1);
	});

	it('expire, and stay in the list of today until somebody cleans up', async () => {
		janssen.clockSkewMs = 25 * 3_600_000;
		token = janssen.addAccessToken({ clientId: CLIENT });
		expect(held()).toMatchObject({ sessions: 0 });
		expect((await get(SESSION)).json.totalEntriesCount).toBe(SESSIONS);
		expect((await revoke(dnOf(NORA))).status).toBe(200);
	});

	it('have another interface in the older version', async () => {
		janssen.sessionApi = 'post';
		expect((await get(SESSION)).json).toHaveLength(SESSIONS);
		expect((await search('limit=1')).status).toBe(405);
		const [first] = janssen.sessionsOf(NORA);
		for (const status of [404, 405] as const) {
			janssen.absentStatus = status;
			expect((await revoke(dnOf(NORA))).status).toBe(status);
			const single = `${SESSION}/sid/${first?.sid ?? ''}`;
			expect((await get(single)).status).toBe(status);
			expect((await call('DELETE', single)).status).toBe(status);
		}
		expect(held()).toEqual(everything);
		const older = () => call('POST', `${SESSION}/${encode(dnOf(NORA))}`);
		expect((await older()).status).toBe(200);
		expect(held()).toMatchObject({ sessions: 0, unauthenticated: 1, accessTokens: 3 });
		expect((await older()).status).toBe(404);
		janssen.reset();
		token = janssen.addAccessToken({ clientId: CLIENT });
		expect((await older()).status).toBe(404);
		expect(held()).toEqual(everything);
		expect([simulator.unmatched, simulator.violations]).toEqual([[], []]);
	});
});

describe('global token revocation', () => {
	it('ends everything of the first user with the attribute', async () => {
		expect(await revokeGlobally('mail', 'nora.lindqvist@example.com')).toMatchObject({
			status: 204,
			text: '',
		});
		expect(held()).toEqual({
			sessions: 0,
			unauthenticated: 0,
			accessTokens: 0,
			idTokens: 0,
			refreshTokens: 0,
		});
		expect((await revokeGlobally('mail', 'frontdesk@example.com')).status).toBe(204);
		expect(janssen.sessionsOf('sam.rivera')).toHaveLength(0);
		expect(janssen.sessionsOf('alex.rivera')).toHaveLength(2);
		expect((await revokeGlobally('uid', 'omar.haddad', `Bearer ${token}`)).status).toBe(204);
		expect(janssen.sessionsOf('omar.haddad')).toHaveLength(0);
		expect(simulator.violations).toEqual([]);
	});

	it('tells nobody whether there is such a user', async () => {
		expect((await revokeGlobally('uid', 'nobody')).status).toBe(204);
		expect((await revokeGlobally('uid', 'nora')).status).toBe(204);
		expect(simulator.violations).toEqual([]);
		expect((await revokeGlobally('email', 'nora.lindqvist@example.com')).status).toBe(204);
		expect(simulator.violations).not.toEqual([]);
		expect(held()).toEqual(everything);
	});

	it('needs an authenticated client, the feature, the scope of the client, and JSON', async () => {
		const answer = async (authorization: string | null) => {
			const { status, json } = await revokeGlobally('uid', NORA, authorization);
			return [status, json.error];
		};
		expect(await answer(null)).toEqual([401, 'invalid_client']);
		expect(await answer(basic(CLIENT, 'wrong'))).toEqual([401, 'invalid_client']);
		janssen.bearerAtRevocation = false;
		expect(await answer(`Bearer ${token}`)).toEqual([401, 'invalid_client']);
		const { clientId, secret } = janssen.addClient({ scopes: ['revoke_session'] });
		expect(await answer(basic(clientId, secret))).toEqual([401, 'invalid_request']);
		for (const body of ['no json', '{"subject":{}}', 'format=uid&id=x']) {
			const { status, json } = await call('POST', '/jans-auth/restv1/global-token-revocation', {
				authorization: basic(),
				headers: { 'content-type': 'application/json' },
				body,
			});
			expect([status, json.error]).toEqual([400, 'invalid_request']);
		}
		janssen.globalTokenRevocation = false;
		expect(await answer(basic())).toEqual([403, 'access_denied']);
		expect(held()).toEqual(everything);
	});

	it('is in the discovery document while the feature is on', async () => {
		const discover = async () => (await get('/jans-auth/.well-known/openid-configuration')).json;
		expect(await discover()).toMatchObject({
			issuer: simulator.url,
			token_endpoint: `${simulator.url}/jans-auth/restv1/token`,
			session_revocation_endpoint: `${simulator.url}/jans-auth/restv1/revoke_session`,
			global_token_revocation_endpoint: `${simulator.url}/jans-auth/restv1/global-token-revocation`,
		});
		janssen.globalTokenRevocation = false;
		janssen.revokeSession = false;
		expect(Object.keys(await discover()).filter((name) => name.includes('revocation'))).toEqual([]);
	});
});

describe('the older session revocation', () => {
	it('ends authenticated sessions and no tokens', async () => {
		expect(await revokeSession('uid', NORA)).toMatchObject({ status: 200, text: '' });
		expect(held()).toEqual({ ...everything, sessions: 0 });
		expect((await revokeSession('uid', 'nobody')).status).toBe(200);
		const { clientId, secret } = janssen.addClient({ scopes: ['global_token_revocation'] });
		expect((await revokeSession('uid', NORA, basic(clientId, secret))).status).toBe(401);
		expect(simulator.violations).toEqual([]);
		expect((await revokeSession('uid', '')).status).toBe(200);
		expect(simulator.violations).toHaveLength(1);
		janssen.revokeSession = false;
		expect((await revokeSession('uid', NORA)).status).toBe(403);
	});
});

describe('errors and limits', () => {
	it('have the shape of the server that they come from', async () => {
		const fault = async (match: string, status: number, run: () => Promise<Answer>) => {
			simulator.faults.next({ match, fault: { kind: 'status', status } });
			return await run();
		};
		expect((await fault('token', 503, () => login({}))).json.error).toBe('temporarily_unavailable');
		expect((await fault('token', 500, () => login({}))).json.error).toBe('server_error');
		expect((await fault('getUser', 500, () => get(USERS))).json.code).toBe('500');
		expect((await fault('getUser', 401, () => get(USERS))).text).toBe('Token is Invalid.');
		expect((await get('/jans-config-api/api/v1/none')).status).toBe(404);
		expect((await call('PUT', USERS)).status).toBe(405);
		expect(simulator.unmatched).toHaveLength(2);
	});

	it('are none unless somebody sets one', async () => {
		janssen.setRateLimit({ limit: 1, windowMs: 60_000 });
		expect((await get(USERS)).status).toBe(200);
		const page = await get(USERS);
		expect([page.status, page.headers['content-type']]).toEqual([429, 'text/html']);
		expect(Number(page.headers['retry-after'])).toBeGreaterThan(50);
		const rule = await login({});
		expect([rule.status, rule.json]).toEqual([429, { error: 'Too many requests' }]);
		expect(rule.headers).not.toHaveProperty('retry-after');
		janssen.setRateLimit(undefined);
		simulator.faults.next({ match: 'token', fault: { kind: 'rateLimit', resetInSeconds: 3 } });
		expect((await login({})).headers['retry-after']).toBe('3');
		expect((await login({})).status).toBe(200);
	});
});

describe('the server', () => {
	it('goes back to its seed, switches included', async () => {
		const before = JSON.stringify(janssen.state());
		const { inum } = janssen.addUser({ userId: 'new@example.com', sessions: 1 });
		expect(() => janssen.addUser({ userId: 'NEW@example.com' })).toThrow('already');
		janssen.updateUser(inum, { mail: 'other@example.com', status: 'inactive' });
		expect(ids(await find('mail=other@example.com'))).toEqual(['new@example.com']);
		expect(() => janssen.signIn(inum)).toThrow('inactive');
		janssen.removeUser(NORA);
		expect(ids(await find(`uid=${NORA}`))).toEqual(['eleonora.lindqvist']);
		janssen.deletedStatus = 204;
		janssen.reset();
		expect(janssen.deletedStatus).toBe(200);
		const shape = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:]+/g, 'time');
		expect(shape(JSON.stringify(janssen.state()))).toBe(shape(before));
		expect(before).not.toContain(DEMO_JANSSEN_CLIENT_SECRET);
		expect((await get(USERS)).status).toBe(401);
	});

	it('offers what people do to other processes', async () => {
		const act = (action: string, input: unknown) =>
			call('POST', `/__simulator/actions/${action}`, {
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify(input),
			});
		await act('addUser', { userId: 'remote' });
		await act('signIn', { user: 'remote', sessions: 2, refreshTokens: 0 });
		expect(janssen.sessionsOf('remote')).toHaveLength(2);
		await act('withdrawTokens', {});
		expect((await get(USERS)).status).toBe(401);
	});

	it('serves HTTPS with a certificate that nobody has signed', async () => {
		const tls = selfSigned();
		const secure = await startSimulator(janssen, { tls });
		const untrusting = new Agent();
		const trusting = new Agent({ connect: { ca: tls.cert } });
		try {
			expect(secure.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
			const url = `${secure.url}/jans-auth/.well-known/openid-configuration`;
			await expect(http(url, { dispatcher: untrusting })).rejects.toMatchObject({
				code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
			});
			const { body } = await http(url, { dispatcher: trusting });
			expect(await body.json()).toMatchObject({ issuer: secure.url });
			for (const kind of ['reset', 'cut'] as const) {
				secure.faults.next({ match: 'openidConfiguration', fault: { kind } });
				const broken = http(url, { dispatcher: trusting }).then((answer) => answer.body.text());
				await expect(broken).rejects.toThrow();
			}
			expect(secure.violations).toEqual([]);
		} finally {
			await Promise.all([untrusting.destroy(), trusting.destroy()]);
			await secure.close();
		}
	});
});
