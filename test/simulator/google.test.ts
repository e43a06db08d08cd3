import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { type Dispatcher, request as http } from 'undici';
import { createGoogle, type GoogleWorkspace } from './google';
import { DEMO_GOOGLE_ACCESS_TOKEN, DEMO_GOOGLE_ADMIN, seedGoogleDemo } from './google-demo';
import { type Simulator, startSimulator } from './simulator';

const NORA = 'nora.lindqvist@example.com';
const PRIYA = 'priya.nair@example.com';
const SCOPE = 'https://www.googleapis.com/auth';
const READ = `${SCOPE}/admin.directory.user.readonly`;
const SECURITY = `${SCOPE}/admin.directory.user.security`;
const AUDIT = `${SCOPE}/admin.reports.audit.readonly`;
const ROBOT = 'revoker@sample-project.iam.gserviceaccount.com';

const robotKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicKeyPem = robotKeys.publicKey.export({ type: 'spki', format: 'pem' }).toString();

let google: GoogleWorkspace;
let simulator: Simulator;

beforeEach(async () => {
	google = createGoogle({ seed: seedGoogleDemo });
	simulator = await startSimulator(google);
});

afterEach(async () => {
	await simulator.close();
});

interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	text: string;
	json: Record<string, unknown> & {
		error?: { code: number; message: string; status?: string; errors: { reason: string }[] };
		items?: Record<string, unknown>[];
	};
}

interface Options {
	bearer?: string | null;
	headers?: Record<string, string>;
	body?: string;
}

async function call(
	method: Dispatcher.HttpMethod,
	path: string,
	{ bearer = DEMO_GOOGLE_ACCESS_TOKEN, headers, body }: Options = {},
): Promise<Answer> {
	const answer = await http(simulator.url + path, {
		method,
		headers: { ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }), ...headers },
		...(body === undefined ? {} : { body }),
	});
	const text = await answer.body.text();
	const json = (text.startsWith('{') ? JSON.parse(text) : {}) as Answer['json'];
	return { status: answer.statusCode, headers: answer.headers, text, json };
}

const userPath = (userKey: string, rest = '') =>
	`/admin/directory/v1/users/${encodeURIComponent(userKey)}${rest}`;
const getUser = (userKey: string, query = '', options?: Options) =>
	call('GET', userPath(userKey, query), options);
const signOut = (userKey: string, options?: Options) =>
	call('POST', userPath(userKey, '/signOut'), options);
const activities = (query = '', options?: Options) =>
	call('GET', `/admin/reports/v1/activity/users/all/applications/admin${query}`, options);
const problem = ({ status, json }: Answer) => [status, json.error?.errors[0]?.reason];

/** An access token of a user with these scopes. */
const tokenOf = (user: string, ...scopes: string[]) => google.addAccessToken({ user, scopes });

it('has a source for every route, at the vendor, and the names of its discovery documents', () => {
	for (const { source } of simulator.routes) {
		expect(source).toMatch(/^https:\/\/developers\.google\.com\//);
	}
	expect(Object.keys(simulator.hits)).toEqual([
		'directory.users.get',
		'directory.users.list',
		'directory.users.signOut',
		'directory.tokens.list',
		'directory.tokens.delete',
		'directory.asps.list',
		'directory.asps.delete',
		'reports.activities.list',
		'token',
	]);
});

it('answers what it does not know with a page', async () => {
	for (const answer of [
		await call('GET', '/admin/directory/v9'),
		await call('PUT', userPath(NORA)),
	]) {
		expect([answer.status, answer.headers['content-type']]).toEqual([
			404,
			'text/html; charset=UTF-8',
		]);
		expect(answer.text).toContain('Error 404 (Not Found)');
	}
	expect(simulator.unmatched).toHaveLength(2);
});

describe('the token endpoint', () => {
	interface Change {
		claims?: Record<string, unknown>;
		header?: { alg?: string; typ?: string; kid?: string };
		key?: KeyObject;
	}

	beforeEach(() => {
		google.addServiceAccount({ clientEmail: ROBOT, publicKeyPem, scopes: [READ, SECURITY] });
	});

	function assertion({ claims, header, key = robotKeys.privateKey }: Change = {}): Promise<string> {
		const now = Math.floor(Date.now() / 1000);
		return new SignJWT({
			iss: ROBOT,
			sub: DEMO_GOOGLE_ADMIN,
			scope: `${READ} ${SECURITY}`,
			aud: `${simulator.url}/token`,
			iat: now,
			exp: now + 3600,
			...claims,
		})
			.setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...header })
			.sign(key);
	}

	const post = (form: Record<string, string>) =>
		call('POST', '/token', {
			bearer: null,
			headers: { 'content-type': 'application/x-www-form-urlencoded' },
			body: new URLSearchParams(form).toString(),
		});
	const grant = (text: string) =>
		post({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: text });
	const mint = async (change?: Change) => grant(await assertion(change));
	const oauth = ({ status, json }: Answer) => [status, json.error as unknown];

	it('gives a token that acts as the administrator until it expires', async () => {
		const { status, json } = await mint();
		expect([status, json]).toEqual([
			200,
			{ access_token: expect.any(String), expires_in: 3599, token_type: 'Bearer' },
		]);
		const bearer = json.access_token as string;
		expect((await getUser(NORA, '', { bearer })).status).toBe(200);
		expect((await signOut(NORA, { bearer })).status).toBe(204);
		expect(google.activities()[0]?.actor.email).toBe(DEMO_GOOGLE_ADMIN);
		google.clockSkewMs = 3_600_000;
		expect(problem(await getUser(NORA, '', { bearer }))).toEqual([401, 'authError']);
		expect(simulator.violations).toEqual([]);
	});

	it('takes what the documents leave free', async () => {
		const changes: Change[] = [
			{ claims: { aud: 'https://oauth2.googleapis.com/token' } },
			{ header: { kid: 'a-hint-that-helps-nobody' } },
			{ claims: { scope: SECURITY } },
			{ claims: { iat: Math.floor(Date.now() / 1000) + 60, exp: Date.now() / 1000 + 600 } },
		];
		for (const change of changes) expect((await mint(change)).status).toBe(200);
		expect(simulator.violations).toEqual([]);
		await mint({ header: { typ: 'at+jwt' } });
		expect(simulator.violations).toEqual([expect.stringContaining('typ at+jwt')]);
	});

	it('verifies signature and claims', async () => {
		const now = Math.floor(Date.now() / 1000);
		const cases: [Change, number, string, RegExp][] = [
			[{ key: otherKeys.privateKey }, 400, 'invalid_grant', /Signature/],
			[{ header: { alg: 'RS512' } }, 400, 'invalid_grant', /Signature/],
			[{ header: { alg: 'PS256' } }, 400, 'invalid_grant', /Signature/],
			[{ claims: { iss: 'nobody@example.com' } }, 400, 'invalid_grant', /account not found/],
			[{ claims: { iss: undefined } }, 400, 'invalid_grant', /account not found/],
			[{ claims: { aud: simulator.url } }, 400, 'invalid_grant', /audience/],
			[{ claims: { aud: [`${simulator.url}/token`] } }, 400, 'invalid_grant', /audience/],
			[{ claims: { iat: undefined } }, 400, 'invalid_grant', /short-lived/],
			[{ claims: { exp: undefined } }, 400, 'invalid_grant', /short-lived/],
			[{ claims: { exp: now + 3601 } }, 400, 'invalid_grant', /short-lived/],
			[{ claims: { iat: now - 4000, exp: now - 400 } }, 400, 'invalid_grant', /short-lived/],
			[{ claims: { iat: now + 400, exp: now + 500 } }, 400, 'invalid_grant', /short-lived/],
			[{ claims: { scope: undefined } }, 400, 'invalid_scope', /Empty/],
			[{ claims: { scope: `${READ},${SECURITY}` } }, 400, 'invalid_scope', /Invalid OAuth/],
			[{ claims: { sub: 'nobody@example.com' } }, 400, 'invalid_grant', /email or User ID/],
			[{ claims: { sub: PRIYA } }, 400, 'invalid_grant', /disabled/],
			[{ claims: { sub: 'admin@elsewhere.example' } }, 401, 'unauthorized_client', /unauthorized/],
		];
		for (const [change, status, error, description] of cases) {
			const answer = await mint(change);
			expect([change, ...oauth(answer)]).toEqual([change, status, error]);
			expect(answer.json.error_description).toMatch(description);
		}
		const none = new UnsecuredJWT({ iss: ROBOT, sub: DEMO_GOOGLE_ADMIN, scope: READ }).encode();
		expect(oauth(await grant(none))).toEqual([400, 'invalid_grant']);
		expect(oauth(await grant('no.jwt'))).toEqual([400, 'invalid_grant']);
		// The signature of one assertion under the claims of another.
		const [header, , signature] = (await assertion()).split('.');
		const [, payload] = (await assertion({ claims: { sub: 'x@example.com' } })).split('.');
		const forged = await grant([header, payload, signature].join('.'));
		expect(forged.json.error_description).toMatch(/Signature/);
		google.addServiceAccount({ clientEmail: ROBOT, publicKeyPem, scopes: [READ], disabled: true });
		expect(oauth(await mint())).toEqual([401, 'disabled_client']);
	});

	it('gives all scopes or none', async () => {
		google.authorizeScopes(ROBOT, [READ]);
		expect(oauth(await mint())).toEqual([401, 'unauthorized_client']);
		expect((await mint({ claims: { scope: READ } })).status).toBe(200);
		google.unauthorizedScopes = 'access_denied';
		expect(oauth(await mint())).toEqual([403, 'access_denied']);
		google.authorizeScopes(ROBOT, []);
		expect(oauth(await mint())).toEqual([401, 'unauthorized_client']);
	});

	it('gives a token for nobody without sub', async () => {
		const { status, json } = await mint({ claims: { sub: undefined } });
		expect(status).toBe(200);
		const bearer = json.access_token as string;
		expect(problem(await getUser(NORA, '', { bearer }))).toEqual([403, 'forbidden']);
	});

	it('takes the documented form only', async () => {
		const text = await assertion();
		expect(oauth(await post({ assertion: text }))).toEqual([400, 'invalid_request']);
		expect(oauth(await post({ grant_type: 'client_credentials', assertion: text }))).toEqual([
			400,
			'unsupported_grant_type',
		]);
		expect(oauth(await grant(''))).toEqual([400, 'invalid_request']);
		expect(simulator.violations).toEqual([]);
		await post({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', scope: READ });
		expect(simulator.violations).toEqual([expect.stringContaining('parameter scope')]);
		simulator.faults.next({ match: 'token', fault: { kind: 'rateLimit', resetInSeconds: 3 } });
		expect(oauth(await mint())).toEqual([429, 'rate_limit_exceeded']);
		simulator.faults.next({ match: 'token', fault: { kind: 'status', status: 500 } });
		expect(oauth(await mint())).toEqual([500, 'internal_failure']);
	});
});

describe('access', () => {
	it('needs a token that lives', async () => {
		const missing = await getUser(NORA, '', { bearer: null });
		expect(problem(missing)).toEqual([401, 'required']);
		expect(missing.headers['www-authenticate']).toBe('Bearer realm="https://accounts.google.com/"');
		const unknown = await getUser(NORA, '', { bearer: 'ya29.unknown' });
		expect(unknown.json.error).toEqual({
			code: 401,
			message: expect.stringContaining('invalid authentication credentials'),
			errors: [expect.objectContaining({ domain: 'global', reason: 'authError' })],
			status: 'UNAUTHENTICATED',
		});
		expect(unknown.headers['www-authenticate']).toMatch(/error="invalid_token"$/);
		google.withdrawTokens();
		expect(problem(await getUser(NORA))).toEqual([401, 'authError']);
	});

	it('needs one of the documented scopes', async () => {
		const reader = { bearer: tokenOf(DEMO_GOOGLE_ADMIN, READ) };
		const security = { bearer: tokenOf(DEMO_GOOGLE_ADMIN, SECURITY) };
		const writer = { bearer: tokenOf(DEMO_GOOGLE_ADMIN, `${SCOPE}/admin.directory.user`) };
		expect((await getUser(NORA, '', writer)).status).toBe(200);
		const refused = await signOut(NORA, reader);
		expect(problem(refused)).toEqual([403, 'insufficientPermissions']);
		expect(refused.json.error?.status).toBe('PERMISSION_DENIED');
		expect(refused.headers['www-authenticate']).toContain(`scope="${SECURITY}"`);
		expect(problem(await signOut(NORA, writer))).toEqual([403, 'insufficientPermissions']);
		expect(problem(await getUser(NORA, '', security))).toEqual([403, 'insufficientPermissions']);
		expect(problem(await activities('', security))).toEqual([403, 'insufficientPermissions']);
		expect(google.signOutsOf(NORA)).toBe(0);
	});

	it('needs an administrator with the privilege', async () => {
		const all = [READ, SECURITY, AUDIT];
		const plain = { bearer: tokenOf(NORA, ...all) };
		const forbidden = [403, 'forbidden'];
		expect((await getUser(NORA, '', plain)).json.error).toEqual({
			code: 403,
			message: 'Not Authorized to access this resource/api',
			errors: [
				{
					domain: 'global',
					reason: 'forbidden',
					message: 'Not Authorized to access this resource/api',
				},
			],
		});
		expect((await getUser(NORA, '?viewType=domain_public', plain)).json).not.toHaveProperty(
			'suspended',
		);
		expect(problem(await signOut(NORA, plain))).toEqual(forbidden);
		const inPublic = userPath(NORA, '/signOut?viewType=domain_public');
		expect(problem(await call('POST', inPublic, plain))).toEqual(forbidden);
		expect(problem(await activities('', plain))).toEqual([401, 'authError']);

		google.addUser({ primaryEmail: 'desk@example.com', admin: ['USERS_RETRIEVE'] });
		const desk = { bearer: tokenOf('desk@example.com', ...all) };
		expect((await getUser(NORA, '', desk)).status).toBe(200);
		expect(problem(await signOut(NORA, desk))).toEqual(forbidden);

		google.updateUser('desk@example.com', { admin: ['USER_SECURITY_ALL', 'REPORTS_ACCESS'] });
		expect(problem(await getUser(NORA, '', desk))).toEqual(forbidden);
		expect((await signOut(NORA, desk)).status).toBe(204);
		expect((await activities('', desk)).status).toBe(200);
		// Delegated administrators have no power over other administrators, only over themselves.
		expect(problem(await signOut(DEMO_GOOGLE_ADMIN, desk))).toEqual(forbidden);
		expect((await call('GET', userPath('desk@example.com', '/tokens'), desk)).status).toBe(200);
	});
});

describe('users', () => {
	it('are found by primary address, alias and id, ignoring case', async () => {
		const { json } = await getUser(NORA);
		expect(json).toMatchObject({
			kind: 'admin#directory#user',
			id: expect.stringMatching(/^\d{21}$/),
			primaryEmail: NORA,
			name: { givenName: 'Nora', familyName: 'Lindqvist', fullName: 'Nora Lindqvist' },
			aliases: ['nora@example.com'],
			nonEditableAliases: [`${NORA}.test-google-a.com`],
			emails: expect.arrayContaining([
				{ address: NORA, primary: true },
				{ address: 'nora.lindqvist@example.org', type: 'home' },
			]),
			suspended: false,
			archived: false,
			isAdmin: false,
			customerId: google.customerId,
		});
		for (const key of ['NORA@example.com', json.id as string, `${NORA}.test-google-a.com`]) {
			expect((await getUser(key)).json).toEqual(json);
		}
		for (const key of ['mei.tanaka+contractor@example.com', "maeve.o'neil@example.com"]) {
			expect((await getUser(key)).json.primaryEmail).toBe(key);
		}
		expect((await getUser(PRIYA)).json).toMatchObject({
			suspended: true,
			suspensionReason: 'ADMIN',
		});
		expect((await getUser('lena.fischer@example.com')).json).not.toHaveProperty('aliases');
		expect(simulator.violations).toEqual([]);
	});

	it('are unknown in the own domains, and out of reach elsewhere', async () => {
		expect((await getUser('nobody@example.com')).json.error).toEqual({
			code: 404,
			message: 'Resource Not Found: userKey',
			errors: [{ domain: 'global', reason: 'notFound', message: 'Resource Not Found: userKey' }],
		});
		for (const key of ['nora', '123456789012345678901']) {
			expect(problem(await getUser(key))).toEqual([404, 'notFound']);
		}
		expect(problem(await getUser('nora.lindqvist@example.org'))).toEqual([403, 'forbidden']);
		expect(problem(await signOut('nora.lindqvist@example.org'))).toEqual([403, 'forbidden']);
		expect(problem(await signOut('nobody@example.com'))).toEqual([404, 'notFound']);
	});

	it('come in parts', async () => {
		const fields = '?projection=basic&fields=id,primaryEmail,suspended,archived,name/fullName';
		expect((await getUser(NORA, fields)).json).toEqual({
			id: google.getUser(NORA)?.id,
			primaryEmail: NORA,
			suspended: false,
			archived: false,
			name: { fullName: 'Nora Lindqvist' },
		});
		const some = async (mask: string) =>
			(await call('GET', userPath(NORA, `/tokens?fields=${mask}`))).json;
		const ids = google.tokensOf(NORA).map(({ clientId }) => ({ clientId }));
		expect(await some('items/clientId')).toEqual({ items: ids });
		expect(await some('kind,items(clientId)')).toEqual({
			kind: 'admin#directory#tokenList',
			items: ids,
		});
		expect((await some('items(*)')).items).toEqual(google.tokensOf(NORA));
		for (const mask of ['id,login', 'name/nick', 'id/x', 'name(givenName', 'id)', 'id,']) {
			expect([mask, ...problem(await getUser(NORA, `?fields=${mask}`))]).toEqual([
				mask,
				400,
				'invalidParameter',
			]);
		}
	});

	it('are listed by whether they are administrators', async () => {
		const listed = (query: string, options?: Options) =>
			call('GET', `/admin/directory/v1/users?${query}`, options);
		const all = await listed('customer=my_customer&maxResults=500&fields=users(primaryEmail)');
		expect(all.json.users).toHaveLength(google.allUsers().length);
		const search = encodeURIComponent('isAdmin=false isDelegatedAdmin=false');
		const one = await listed(`customer=my_customer&query=${search}&maxResults=1`);
		expect(one.json).toMatchObject({
			kind: 'admin#directory#users',
			users: [{ primaryEmail: NORA }],
			nextPageToken: expect.any(String),
		});
		expect(problem(await listed('maxResults=1'))).toEqual([400, 'badRequest']);
		expect(problem(await listed('customer=C0other'))).toEqual([403, 'forbidden']);
		expect(problem(await listed('customer=my_customer&maxResults=0'))).toEqual([
			400,
			'invalidParameter',
		]);
		expect(problem(await listed('customer=my_customer&query=isAdmin'))).toEqual([400, 'invalid']);
		const bearer = tokenOf(DEMO_GOOGLE_ADMIN, SECURITY);
		expect(problem(await listed('customer=my_customer', { bearer }))).toEqual([
			403,
			'insufficientPermissions',
		]);
		expect(problem(await listed('customer=my_customer', { bearer: tokenOf(NORA, READ) }))).toEqual([
			403,
			'forbidden',
		]);
	});

	it('are read with the documented parameters only', async () => {
		for (const query of ['?projection=all', '?projection=custom', '?viewType=x', '?alt=xml']) {
			expect(problem(await getUser(NORA, query))).toEqual([400, 'invalidParameter']);
		}
		expect(simulator.violations).toEqual([]);
		await getUser(NORA, '?access_token=x&domain=example.com');
		await call('GET', userPath(NORA), { headers: { 'content-type': 'application/json' } });
		expect(simulator.violations).toHaveLength(3);
	});
});

describe('signOut', () => {
	it('ends the sessions, and nothing else', async () => {
		const session = google.signIn(NORA, 'Kiosk');
		expect([google.isLive(session.id), google.sessionsOf(NORA).length]).toEqual([true, 4]);
		const answer = await signOut('nora@example.com');
		expect([answer.status, answer.text]).toEqual([204, '']);
		expect([google.isLive(session.id), google.sessionsOf(NORA)]).toEqual([false, []]);
		expect([google.tokensOf(NORA).length, google.aspsOf(NORA).length]).toEqual([2, 1]);
		expect(google.sessionsOf('tomas.okafor@example.com')).toHaveLength(2);
		google.signIn(NORA);
		expect(google.sessionsOf(NORA)).toHaveLength(1);
		// Nobody was signed in: the vendor does not say.
		expect((await signOut('lena.fischer@example.com')).status).toBe(204);
		expect(simulator.violations).toEqual([]);
	});

	it('can answer 200, with and without a body', async () => {
		google.voidAnswer = 'empty';
		expect(await signOut(NORA)).toMatchObject({ status: 200, text: '' });
		google.voidAnswer = 'emptyObject';
		expect(await signOut(NORA)).toMatchObject({ status: 200, text: '{}' });
	});

	it('may refuse a suspended user', async () => {
		expect((await signOut(PRIYA)).status).toBe(204);
		google.suspendedSignOut = 'refused';
		expect(problem(await signOut(PRIYA))).toEqual([400, 'invalid']);
	});

	it('takes no body, and changes nothing when a parameter is refused', async () => {
		const refused = await call('POST', userPath(NORA, '/signOut?alt=xml'));
		expect([...problem(refused), google.signOutsOf(NORA)]).toEqual([400, 'invalidParameter', 0]);
		await signOut(NORA, { headers: { 'content-type': 'application/json' }, body: '{}' });
		expect(simulator.violations).toEqual([expect.stringContaining('body')]);
	});
});

describe('tokens and app passwords', () => {
	it('are listed and deleted one by one', async () => {
		const tokens = await call('GET', userPath(NORA, '/tokens'));
		expect(tokens.json).toMatchObject({
			kind: 'admin#directory#tokenList',
			etag: expect.any(String),
		});
		expect(tokens.json.items).toEqual(google.tokensOf(NORA));
		const clientId = google.tokensOf(NORA)[0]?.clientId ?? '';
		const one = userPath(NORA, `/tokens/${clientId}`);
		expect((await call('DELETE', one)).status).toBe(204);
		expect(problem(await call('DELETE', one))).toEqual([404, 'notFound']);
		expect(google.tokensOf(NORA)).toHaveLength(1);
		expect(google.addToken(NORA, { clientId, displayText: 'Again' }).displayText).toBe('Again');

		const asps = await call('GET', userPath(NORA, '/asps'));
		expect(asps.json.items).toEqual([
			expect.objectContaining({
				kind: 'admin#directory#asp',
				codeId: 0,
				userKey: expect.any(String),
			}),
		]);
		expect((await call('DELETE', userPath(NORA, '/asps/0'))).status).toBe(204);
		expect(problem(await call('DELETE', userPath(NORA, '/asps/0')))).toEqual([400, 'invalid']);
		expect(problem(await call('DELETE', userPath(NORA, '/asps/x')))).toEqual([
			400,
			'invalidParameter',
		]);
		expect((await call('GET', userPath(NORA, '/asps'))).json).not.toHaveProperty('items');
		google.addAsp(NORA, 'Printer');
		expect(google.aspsOf(NORA).map(({ name }) => name)).toEqual(['Printer']);
		expect(google.sessionsOf(NORA)).toHaveLength(3);
		expect(simulator.violations).toEqual([]);
	});

	it('can be shown after they are gone', async () => {
		google.listLagMs = Infinity;
		const before = await call('GET', userPath(NORA, '/tokens'));
		const clientId = google.tokensOf(NORA)[0]?.clientId ?? '';
		await call('DELETE', userPath(NORA, `/tokens/${clientId}`));
		await call('DELETE', userPath(NORA, '/asps/0'));
		expect([google.tokensOf(NORA).length, google.aspsOf(NORA).length]).toEqual([1, 0]);
		expect((await call('GET', userPath(NORA, '/tokens'))).json).toEqual(before.json);
		expect((await call('GET', userPath(NORA, '/asps'))).json.items).toHaveLength(1);
	});
});

describe('activities', () => {
	it('show what administrators did, newest first', async () => {
		const startTime = new Date(Date.now() - 1000).toISOString();
		await signOut(NORA);
		await signOut('tomas.okafor@example.com');
		await call('DELETE', userPath(NORA, '/asps/0'));
		const query = `?eventName=RESET_SIGNIN_COOKIES&filters=USER_EMAIL==${NORA}&startTime=${startTime}`;
		const { json } = await activities(query);
		expect(json).toMatchObject({
			kind: 'reports#activities',
			items: [
				{
					id: { applicationName: 'admin', time: expect.any(String) },
					actor: { callerType: 'USER', email: DEMO_GOOGLE_ADMIN },
					events: [
						{
							type: 'USER_SETTINGS',
							name: 'RESET_SIGNIN_COOKIES',
							parameters: [{ name: 'USER_EMAIL', value: NORA }],
						},
					],
				},
			],
		});
		const names = async (more: string) =>
			(await activities(more)).json.items?.map(
				({ events }) => (events as { name: string }[])[0]?.name,
			);
		const reset = 'RESET_SIGNIN_COOKIES';
		expect(await names('')).toEqual(['REVOKE_ASP', reset, reset]);
		expect(await names('?eventName=REVOKE_ASP&filters=ASP_ID<1')).toEqual(['REVOKE_ASP']);
		expect(await names(`?eventName=${reset}&filters=USER_EMAIL<>${NORA}`)).toEqual([reset]);
		expect(await names(`?eventName=${reset}&filters=DEVICE_ID==1`)).toBeUndefined();
		expect(await names('?maxResults=2')).toHaveLength(2);
		const next = (await activities('?maxResults=2')).json.nextPageToken;
		expect(await names(`?maxResults=2&pageToken=${String(next)}`)).toEqual([reset]);
		const byUser = await call('GET', `/admin/reports/v1/activity/users/${NORA}/applications/admin`);
		expect(byUser.json).not.toHaveProperty('items');
		const login = await call('GET', '/admin/reports/v1/activity/users/all/applications/login');
		expect(login.json).not.toHaveProperty('items');
		expect(simulator.violations).toEqual([]);
	});

	it('can come late or not at all', async () => {
		google.reportLagMs = 60_000;
		await signOut(NORA);
		expect((await activities()).json).not.toHaveProperty('items');
		google.clockSkewMs = 61_000;
		expect((await activities()).json.items).toHaveLength(1);
		google.signOutEvent = false;
		await signOut(NORA);
		google.reportLagMs = 0;
		expect((await activities()).json.items).toHaveLength(1);
	});

	it('refuse what cannot be asked', async () => {
		const later = new Date(Date.now() + 60_000).toISOString();
		for (const query of [
			'?startTime=yesterday',
			`?startTime=${later}`,
			'?startTime=2026-01-02T00:00:00Z&endTime=2026-01-01T00:00:00Z',
			'?eventName=X&filters=USER_EMAIL',
			'?maxResults=0',
			'?pageToken=x',
			'?fields=users',
		]) {
			expect([query, ...problem(await activities(query))]).toEqual([
				query,
				400,
				'invalidParameter',
			]);
		}
		const base = '/admin/reports/v1/activity/users';
		for (const path of ['/all/applications/x', '/nobody@example.com/applications/admin']) {
			expect(problem(await call('GET', base + path))).toEqual([400, 'invalidParameter']);
		}
		expect(simulator.violations).toEqual([]);
		await activities(`?filters=USER_EMAIL==${NORA}`);
		expect(simulator.violations).toEqual([expect.stringContaining('eventName')]);
	});
});

describe('limits', () => {
	it('are per administrator, and are a 403 without a time to wait', async () => {
		google.setRateLimit({ limit: 2, windowMs: 60_000 });
		expect([(await getUser(NORA)).status, (await getUser(NORA)).status]).toEqual([200, 200]);
		const refused = await signOut(NORA);
		expect(problem(refused)).toEqual([403, 'userRateLimitExceeded']);
		expect(refused.json.error?.errors).toEqual([
			expect.objectContaining({ domain: 'usageLimits' }),
		]);
		expect(refused.headers).not.toHaveProperty('retry-after');
		expect(google.signOutsOf(NORA)).toBe(0);
		google.addUser({ primaryEmail: 'second@example.com', admin: 'super' });
		expect((await getUser(NORA, '', { bearer: tokenOf('second@example.com', READ) })).status).toBe(
			200,
		);
		google.clockSkewMs = 61_000;
		expect((await signOut(NORA)).status).toBe(204);
	});

	it('are on what runs side by side, too', async () => {
		await simulator.close();
		google = createGoogle({ seed: seedGoogleDemo, concurrency: 1 });
		simulator = await startSimulator(google, { latencyMs: 50 });
		const answers = await Promise.all([getUser(NORA), getUser(NORA)]);
		expect(answers.map(problem)).toContainEqual([403, 'quotaExceeded']);
		expect(answers.map(problem)).toContainEqual([200, undefined]);
		expect((await getUser(NORA)).status).toBe(200);
	});

	it('and errors come in every documented form', async () => {
		const match = 'directory.users.get';
		const forms: [string | undefined, number, string][] = [
			[undefined, 429, 'rateLimitExceeded'],
			['userRateLimitExceeded', 403, 'userRateLimitExceeded'],
			['quotaExceeded', 403, 'quotaExceeded'],
		];
		for (const [form, ...expected] of forms) {
			simulator.faults.next({ match, fault: { kind: 'rateLimit', form } });
			expect(problem(await getUser(NORA))).toEqual(expected);
		}
		simulator.faults.next({ match, fault: { kind: 'rateLimit', resetInSeconds: 3 } });
		expect((await getUser(NORA)).headers['retry-after']).toBe('3');
		const statuses: [number, string][] = [
			[400, 'invalid'],
			[403, 'forbidden'],
			[404, 'notFound'],
			[412, 'conditionNotMet'],
			[500, 'backendError'],
			[503, 'backendError'],
		];
		for (const [status, reason] of statuses) {
			simulator.faults.next({ match, fault: { kind: 'status', status } });
			const answer = await getUser(NORA);
			expect(problem(answer)).toEqual([status, reason]);
			expect(answer.json.error?.code).toBe(status);
			expect(answer.headers['content-type']).toBe('application/json; charset=UTF-8');
		}
	});
});

describe('the directory', () => {
	it('goes back to its seed, switches included', async () => {
		const shape = () =>
			JSON.stringify(google.state()).replaceAll(
				/"[\w-]{43}"|\\"[\w-]{43}\\"|\d{4}-\d\d-\d\dT[\d:.]+Z|"\d{10}"/g,
				'varies',
			);
		const before = shape();
		const { id } = google.addUser({ primaryEmail: 'new@example.com', sessions: 1, tokens: 4 });
		google.updateUser(id, { primaryEmail: 'newer@example.com', suspended: true });
		expect((await getUser('new@example.com')).json).toMatchObject({
			primaryEmail: 'newer@example.com',
			aliases: ['new@example.com'],
		});
		expect(() => google.signIn(id)).toThrow('suspended');
		expect(() => google.addUser({ primaryEmail: 'NEW@example.com' })).toThrow('already');
		expect(() => google.addUser({ primaryEmail: 'a@example.org' })).toThrow('not in a domain');
		google.removeUser(NORA);
		expect(problem(await getUser('nora@example.com'))).toEqual([404, 'notFound']);
		google.voidAnswer = 'empty';
		google.withdrawTokens();
		google.reset();
		expect(google.voidAnswer).toBe('noContent');
		expect(shape()).toBe(before);
		expect(before).not.toContain(DEMO_GOOGLE_ACCESS_TOKEN);
		expect((await signOut(NORA)).status).toBe(204);
		expect(google.sessionsOf(NORA)).toEqual([]);
	});

	it('offers what people do to other processes', async () => {
		const act = (action: string, input: unknown) =>
			call('POST', `/__simulator/actions/${action}`, {
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify(input),
			});
		await act('addUser', { primaryEmail: 'remote@example.com' });
		await act('signIn', { user: 'remote@example.com', device: 'Phone' });
		expect(google.sessionsOf('remote@example.com')).toMatchObject([{ device: 'Phone' }]);
		await act('addServiceAccount', { clientEmail: ROBOT, publicKeyPem, scopes: [READ] });
		expect(google.findServiceAccount(ROBOT)?.scopes).toEqual([READ]);
		await act('withdrawTokens', {});
		expect((await getUser(NORA)).status).toBe(401);
	});
});
