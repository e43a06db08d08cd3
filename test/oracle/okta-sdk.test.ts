/**
 * Okta's own SDK as the oracle: the same thing is done through the SDK and through the connector,
 * against the same recording simulator, and what went over the wire is compared. The SDK talks
 * plain http to the loopback host as it is; no switch of it is needed.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from '@okta/okta-sdk-nodejs';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Connection } from '../../nodes/core/connection';
import { checkSetup } from '../../nodes/core/flow';
import { closeAll } from '../../nodes/core/transport';
import { endSession, retrieve, revoke, within } from '../contract/suite';
import { type OktaBench, startOkta } from '../support/okta';
import { byRoute, meaning, recorded, type Recorded, testExplanations } from './recorded';

/** Where SDK and connector differ on purpose, and why that is right. */
const differences = {
	pathCharacters: {
		what: `! ' ( ) * in a path`,
		sdk: 'as they are',
		connector: 'percent-encoded',
		why: 'RFC 3986 allows both for the same value; some proxies treat the bare ones as delimiters',
	},
	querySpaces: {
		what: 'a space in a query',
		sdk: '+',
		connector: '%20',
		why: 'both are a space to a form parser; only %20 is one to every URL parser',
	},
	accept: {
		what: 'Accept',
		sdk: 'application/json, */*;q=0.8',
		connector: 'application/json',
		why: 'the connector can read nothing else, so a proxy had better say so than send a page',
	},
	contentType: {
		what: 'Content-Type without a body',
		sdk: 'may be sent',
		connector: 'never sent',
		why: 'there is no content whose type it could be',
	},
	clientId: {
		what: 'client_id in the token request',
		sdk: 'absent',
		connector: 'sent',
		why: 'RFC 7521 section 4.2 makes it optional, and says that it must equal the subject',
	},
	ecKeys: {
		what: 'EC keys',
		sdk: 'makes the assertion, and then fails at a DPoP proof that it always signs with RS256',
		connector: 'works',
		why: 'Okta takes ES256 too; of the SDK only the assertion can be compared',
	},
	dpopHeader: {
		what: 'the DPoP header of the token request',
		sdk: 'always sent',
		connector: 'sent when the credential says that the app requires it',
		why: 'Okta ignores the header for an app that does not require it',
	},
} as const;

const SCOPES = ['okta.users.read', 'okta.users.manage', 'okta.logs.read'];

let okta: OktaBench;
let sdk: Client;
let connection: Connection;
const pairs = {
	RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
	EC: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const jwkOf = (key: KeyObject) => ({ ...key.export({ format: 'jwk' }), kid: 'key-1' });

beforeAll(async () => {
	okta = await startOkta({
		seed(org) {
			org.addUser({ login: 'nora@example.com', email: 'nora.lindqvist@example.com', sessions: 2 });
			for (const login of logins.filter((name) => name !== 'nora@example.com')) {
				org.addUser({ login, email: `${encodeURIComponent(login)}@mail.example.com` });
			}
			for (const [kind, { publicKey }] of Object.entries(pairs)) {
				for (const dpop of [false, true]) {
					org.addServiceApp({
						clientId: appId(kind, dpop),
						publicJwk: jwkOf(publicKey),
						scopes: SCOPES,
						dpop,
					});
				}
			}
		},
	});
	// Its cache would answer for Okta.
	const { url: orgUrl } = okta.simulator;
	sdk = new Client({ orgUrl, token: okta.token, cacheMiddleware: null });
	connection = okta.connection();
});
beforeEach(async () => {
	await closeAll();
	okta.org.reset();
	okta.simulator.forget();
});
afterAll(() => okta.close());

const appId = (kind: string, dpop: boolean): string => `0oa${kind}${dpop ? 'Dpop' : 'Bearer'}0001`;

const logins = [
	'nora@example.com',
	'nora+alerts@example.com',
	'nora#ext#@example.com',
	'100%@example.com',
	'nora%2Balerts@example.com',
	'nora?x=1&y=2@example.com',
	'nora;v=1@example.com',
	'nora lindqvist@example.com',
	`nora.o'neil@example.com`,
	'nora(admin)!*@example.com',
	'björk@example.com',
	'用户@example.com',
	'👩‍💻@example.com',
	'$nora@example.com',
	'nora:1@example.com',
	'nora\\x@example.com',
	'"nora x"@example.com',
	'nora,x=y@example.com',
] as const;

const wire = (work: () => Promise<unknown>): Promise<readonly Recorded[]> =>
	recorded(okta.simulator, work);

const identify = (identity: string): Promise<unknown> => retrieve(connection, identity);

const end = (identity: string, options: Record<string, boolean> = {}): Promise<unknown> =>
	revoke(connection, identity, { options });

describe('get a user', () => {
	test.each(logins)('by login: %s', async (login) => {
		const [theirs] = await wire(() => sdk.userApi.getUser({ userId: login }));
		const [ours] = await wire(() => identify(login));
		expect(meaning(ours)).toEqual(meaning(theirs));
		expect(meaning(ours).segments.at(-1)).toBe(login);
		// The bytes are the same too, but for the characters listed above.
		const strict = theirs?.path.replace(
			/[!'()*]/g,
			(character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
		);
		expect(ours?.path).toBe(strict);
		expect({ ours: ours?.status, theirs: theirs?.status }).toEqual({ ours: 200, theirs: 200 });
	});

	test('by id', async () => {
		const { id } = okta.org.user('nora@example.com');
		const [theirs] = await wire(() => sdk.userApi.getUser({ userId: id }));
		const [ours] = await wire(() => identify(id));
		expect(meaning(ours)).toEqual(meaning(theirs));
		expect(ours?.path).toBe(theirs?.path);
	});

	test('who the token belongs to', async () => {
		const [theirs] = await wire(() => sdk.userApi.getUser({ userId: 'me' }));
		const [ours] = await wire(() => okta.connection().ownAccount(within(5_000)));
		expect(meaning(ours)).toEqual(meaning(theirs));
	});
});

describe('search', () => {
	/** What the documents say that a string of a filter looks like: as in JSON. */
	const criteria = (property: string, value: string) => `${property} eq ${JSON.stringify(value)}`;
	const search = (text: string) => async () => {
		const found = await sdk.userApi.listUsers({ search: text, limit: 200 });
		await found.each(() => undefined);
	};
	const addresses = [
		'nora.lindqvist@example.com',
		'nora+x@mail.example.com',
		'100%@mail.example.com',
		'nora#1@mail.example.com',
		'nora&co=1@mail.example.com',
		'nora x@mail.example.com',
		`o'neil@mail.example.com`,
		'nörä@mail.example.com',
		'"q"@mail.example.com',
		'back\\slash@mail.example.com',
		'x" or profile.login pr or "@mail.example.com',
	];

	test.each(addresses)('by e-mail: %s', async (address) => {
		const [theirs] = await wire(search(criteria('profile.email', address)));
		const ours = byRoute(await wire(() => identify(address)), 'listUsers');
		expect(meaning(ours)).toEqual(meaning(theirs));
		expect(ours?.query).not.toContain('+');
	});

	test.each(['a/b@example.com', '../x@example.com', '.', '..'])(
		'by login, where a path cannot carry it: %s',
		async (login) => {
			const [theirs] = await wire(search(criteria('profile.login', login)));
			const [ours] = await wire(() => identify(login));
			expect(meaning(ours)).toEqual(meaning(theirs));
		},
	);

	test('the set-up check asks for one user', async () => {
		const [theirs] = await wire(async () => {
			await (await sdk.userApi.listUsers({ limit: 1 })).next();
		});
		const [ours] = await wire(() => checkSetup({ connection, budget: within(5_000) }));
		expect(meaning(ours)).toEqual(meaning(theirs));
	});
});

describe('revoke', () => {
	const flags = [false, true];
	const combinations = flags.flatMap((oauthTokens) =>
		flags.map((forgetDevices) => ({ oauthTokens, forgetDevices })),
	);
	test.each(combinations)('all sessions, %j', async (options) => {
		const { id } = okta.org.user('nora@example.com');
		const [theirs] = await wire(() => sdk.userApi.revokeUserSessions({ userId: id, ...options }));
		const ours = byRoute(await wire(() => end('nora@example.com', options)), 'revokeUserSessions');
		expect(meaning(ours)).toEqual(meaning(theirs));
		expect(ours?.path).toBe(theirs?.path);
		expect(ours?.headers['content-type']).toBeUndefined();
		expect({ ours: ours?.status, theirs: theirs?.status }).toEqual({ ours: 204, theirs: 204 });
	});

	test.each(['102fWxQ1wKgS7aUnD9fYzbQyg', 'with/slash', 'with space+%', 'ünï'])(
		'one session, %s',
		async (sessionId) => {
			const [theirs] = await wire(() => sdk.sessionApi.revokeSession({ sessionId }));
			const [ours] = await wire(() => endSession(connection, sessionId, 'nora@example.com'));
			expect(meaning(ours)).toEqual(meaning(theirs));
			expect(ours?.path).toBe(theirs?.path);
		},
	);
});

test('read the System Log', async () => {
	const { id } = okta.org.user('nora@example.com');
	const ours = byRoute(await wire(() => end('nora@example.com')), 'listLogEvents');
	const since = new URLSearchParams(ours?.query).get('since') ?? '';
	expect(new Date(since).toISOString()).toBe(since);
	expect(Math.abs(Date.parse(since) - Date.now())).toBeLessThan(60_000);
	const [theirs] = await wire(async () => {
		const events = await sdk.systemLogApi.listLogEvents({
			since,
			filter: `eventType eq "user.session.clear" and target.id eq "${id}"`,
			limit: 10,
		});
		await events.next();
	});
	expect(meaning(ours)).toEqual(meaning(theirs));
});

describe('the token request of a service app', () => {
	const forms = ['PEM', 'JWK'] as const;

	/** The same app and key, for the SDK and for the connector. */
	function clients(kind: keyof typeof pairs, form: (typeof forms)[number], dpop: boolean) {
		const clientId = appId(kind, dpop);
		const { privateKey: key } = pairs[kind];
		const privateKey =
			form === 'PEM'
				? key.export({ format: 'pem', type: 'pkcs8' }).toString()
				: JSON.stringify(jwkOf(key));
		const client = new Client({
			orgUrl: okta.simulator.url,
			authorizationMode: 'PrivateKey',
			clientId,
			scopes: SCOPES,
			privateKey,
			keyId: 'key-1',
			cacheMiddleware: null,
		});
		const app = okta.connection({
			authentication: 'serviceApp',
			clientId,
			privateKey,
			keyId: form === 'PEM' ? 'key-1' : '',
			scopes: SCOPES.join(' '),
			dpop,
		});
		const ask = () => retrieve(app, 'nora@example.com');
		return { clientId, client, ask };
	}

	const cases = forms.flatMap((form) => [false, true].map((dpop) => ({ form, dpop })));
	test.each(cases)('with an RSA key, %j', async ({ form, dpop }) => {
		const { clientId, client, ask } = clients('RSA', form, dpop);
		const userId = 'nora@example.com';
		const theirs = await wire(() => client.userApi.getUser({ userId }));
		const ours = await wire(ask);
		const routes = [...(dpop ? ['token'] : []), 'token', 'getUser'];
		expect(theirs.map(({ route }) => route)).toEqual(routes);
		expect(ours.map(({ route }) => route)).toEqual(routes);
		expect(theirs.map(({ status }) => status)).toEqual(ours.map(({ status }) => status));

		// The last token request is the one that was answered with a token.
		const at = routes.length - 2;
		const [their, our] = [tokenRequest(theirs[at]), tokenRequest(ours[at])];
		expect(our.request).toEqual(their.request);
		expect(our.contentType).toBe(their.contentType);
		expect(our.form).toEqual({ ...their.form, client_id: clientId });
		expect(their.form).not.toHaveProperty('client_id');
		expect(our.assertion).toEqual(their.assertion);
		expect(our.assertion).toMatchObject({
			alg: 'RS256',
			kid: 'key-1',
			claims: { iss: clientId, sub: clientId, aud: `${okta.simulator.url}/oauth2/v1/token` },
			life: 300,
		});
		expect(their.proof).toBeDefined();
		expect(our.proof !== undefined).toBe(dpop);
		if (dpop) {
			const names = (proof: object = {}) => Object.keys(proof).toSorted();
			expect(names(our.proof)).toEqual(names(their.proof));
			expect(our.proof).toMatchObject({ htm: their.proof?.htm, htu: their.proof?.htu });
		}

		// With the token, both ask the same.
		expect(scheme(ours.at(-1))).toBe(scheme(theirs.at(-1)));
		expect(scheme(ours.at(-1))).toBe(dpop ? 'DPoP' : 'Bearer');
		expect(ours.at(-1)?.path).toBe(theirs.at(-1)?.path);
	});

	test.each(cases)('with an EC key, %j', async ({ form, dpop }) => {
		const { clientId, client, ask } = clients('EC', form, dpop);
		const theirs = assertionOf(await client.oauth.getJwt('/oauth2/v1/token'));
		const ours = await wire(ask);
		const our = tokenRequest(byRoute(ours, 'token'));
		expect(our.assertion).toEqual(theirs);
		expect(our.assertion).toMatchObject({ alg: 'ES256', kid: 'key-1', claims: { iss: clientId } });
		expect(ours.at(-1)).toMatchObject({ route: 'getUser', status: 200 });
		expect(scheme(ours.at(-1))).toBe(dpop ? 'DPoP' : 'Bearer');
	});

	test('with an EC key the SDK still cannot ask for a token', async () => {
		const { client } = clients('EC', 'JWK', false);
		await expect(client.oauth.getAccessToken()).rejects.toThrow('unsupported algorithm');
	});

	const scheme = (request: Recorded | undefined) =>
		request?.headers.authorization?.split(' ').at(0);

	/** What can be compared of an assertion: of what is random or a time, its shape. */
	function assertionOf(assertion: string) {
		const { jti, iat = 0, exp = 0, ...claims } = decodeJwt(assertion);
		const { typ, alg, kid } = decodeProtectedHeader(assertion);
		expect(jti).toEqual(expect.any(String));
		expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(60);
		return { typ, alg, kid, claims, life: exp - iat };
	}

	function tokenRequest(request: Recorded | undefined) {
		if (!request) throw new Error('No token was asked for');
		const { method, path, query, headers } = request;
		const { client_assertion: assertion = '', ...form } = Object.fromEntries(
			new URLSearchParams(request.body),
		) as Partial<Record<string, string>>;
		return {
			request: { method, path, query },
			contentType: headers['content-type'],
			form,
			assertion: assertionOf(assertion),
			proof: typeof headers.dpop === 'string' ? decodeJwt(headers.dpop) : undefined,
		};
	}
});

testExplanations(differences);
