import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { type Dispatcher, request as http } from 'undici';
import { type Simulator, startSimulator } from './simulator';
import { createStytch, type Stytch, type StytchOptions } from './stytch';
import type { StytchMember, StytchOrganization } from './stytch-b2b';
import type { StytchUser } from './stytch-consumer';
import {
	DEMO_STYTCH_B2B_PROJECT_ID,
	DEMO_STYTCH_B2B_SECRET,
	DEMO_STYTCH_CONSUMER_PROJECT_ID,
	DEMO_STYTCH_CONSUMER_SECRET,
	DEMO_STYTCH_ORGANIZATIONS,
	seedStytchDemo,
	STYTCH_DEMO_KEYS,
} from './stytch-demo';

let stytch: Stytch;
let simulator: Simulator;

async function start(options?: StytchOptions): Promise<void> {
	stytch = createStytch(options);
	simulator = await startSimulator(stytch);
}

beforeEach(() => start());

/** Routes that no test has called so far. */
const uncalled = new Set(createStytch().routes.map(({ name }) => name));

afterEach(async () => {
	for (const [name, times] of Object.entries(simulator.hits)) if (times > 0) uncalled.delete(name);
	await simulator.close();
});

afterAll(() => {
	expect([...uncalled]).toEqual([]);
});

interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	/** The body; what a test reads of it, a test names. */
	json: Record<string, unknown> & {
		error_type?: string;
		request_id?: string;
		results?: StytchUser[];
		members?: StytchMember[];
		sessions?: { session_id: string }[];
		session_jwt?: string;
		results_metadata?: { total: number; next_cursor: string | null };
	};
}

const basic = (projectId: string, secret: string): string =>
	`Basic ${Buffer.from(`${projectId}:${secret}`).toString('base64')}`;

interface CallOptions {
	body?: unknown;
	authorization?: string | null;
	headers?: Record<string, string>;
}

/** A call with the keys of the project that the path belongs to. */
async function call(
	method: Dispatcher.HttpMethod,
	path: string,
	{ body, authorization, headers = {} }: CallOptions = {},
): Promise<Answer> {
	const project = path.startsWith('/v1/b2b/') ? stytch.b2b : stytch.consumer;
	const key =
		authorization === undefined ? basic(project.projectId, project.secret) : authorization;
	const answer = await http(simulator.url + path, {
		method,
		headers: {
			...(key === null ? {} : { authorization: key }),
			...(body === undefined ? {} : { 'content-type': 'application/json' }),
			...headers,
		},
		...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
	});
	const json = (await answer.body.json()) as Answer['json'];
	return { status: answer.statusCode, headers: answer.headers, json };
}

const get = (path: string, options?: CallOptions) => call('GET', path, options);
const post = (path: string, body: unknown, options?: CallOptions) =>
	call('POST', path, { ...options, body });

function expectError({ status, json }: Answer, wanted: number, type: string): void {
	expect([status, json.error_type]).toEqual([wanted, type]);
}

const filter = (filter_name: string, filter_value: unknown) => ({
	query: { operator: 'AND', operands: [{ filter_name, filter_value }] },
});
const emails = (answer: Answer): string[] =>
	(answer.json.results ?? []).map((user) => user.emails[0]?.email ?? '');
const memberEmails = (answer: Answer): string[] =>
	(answer.json.members ?? []).map((one) => one.email_address);

const A_UUID = '11111111-2222-4333-8444-555555555555';
const A_TOKEN = 'A'.repeat(44);

describe('the API', () => {
	it('has a source for every route, at the vendor', () => {
		for (const { source } of simulator.routes) {
			expect(source).toMatch(/^https:\/\/(stytch\.com\/docs|github\.com\/stytchauth)\//);
		}
		expect(simulator.routes.map(({ name }) => name)).toEqual([
			...new Set(simulator.routes.map(({ name }) => name)),
		]);
	});

	it('answers in its envelope', async () => {
		const fine = await post('/v1/users/search', {});
		expect(fine).toMatchObject({
			status: 200,
			json: {
				status_code: 200,
				request_id: expect.stringMatching(/^request-id-test-[\da-f-]{36}$/),
			},
		});
		const { json } = await get(`/v1/users/user-test-${A_UUID}`);
		expect(json).toEqual({
			status_code: 404,
			request_id: expect.stringMatching(/^request-id-test-/),
			error_type: 'user_not_found',
			error_message: 'User could not be found.',
			error_url: 'https://stytch.com/docs/api/errors/404#user_not_found',
		});
		expect(json.request_id).not.toBe(fine.json.request_id);
		expect((await post('/v1/b2b/organizations/members/search', {})).json.error_url).toBe(
			'https://stytch.com/docs/b2b/api/errors/400#member_search_organization_ids_empty',
		);
	});

	it('finds routes before it looks at keys', async () => {
		expectError(await get('/v1/nowhere', { authorization: null }), 404, 'route_not_found');
		expectError(await get('/v1/users/search/x'), 404, 'route_not_found');
		expectError(
			await call('DELETE', '/v1/sessions/revoke', { authorization: null }),
			405,
			'method_not_allowed',
		);
		expect(simulator.unmatched).toHaveLength(3);
	});

	it.each<[string, (keys: { id: string; secret: string }) => string | null, number, string]>([
		['none', () => null, 400, 'invalid_authorization_header'],
		['a bearer token', () => 'Bearer abc', 400, 'invalid_authorization_header'],
		['no colon', () => `Basic ${btoa('abc')}`, 400, 'invalid_authorization_header'],
		[
			'an unknown project',
			({ secret }) => basic(`project-test-${A_UUID}`, secret),
			400,
			'invalid_project_id_authentication',
		],
		[
			'a wrong secret',
			({ id }) => basic(id, 'secret-test-wrong='),
			401,
			'unauthorized_credentials',
		],
		['no secret at all', ({ id }) => basic(id, 'hello'), 400, 'invalid_secret_authentication'],
		[
			'a live key in the test environment',
			({ secret }) => basic(`project-live-${A_UUID}`, secret),
			401,
			'unauthorized_project_id_live',
		],
	])('refuses %s', async (_title, authorization, status, type) => {
		const { projectId: id, secret } = stytch.consumer;
		const key = authorization({ id, secret });
		expectError(await post('/v1/users/search', {}, { authorization: key }), status, type);
	});

	it('refuses keys of the other product and of the other environment', async () => {
		const { consumer, b2b } = stytch;
		const consumerKey = basic(consumer.projectId, consumer.secret);
		const b2bKey = basic(b2b.projectId, b2b.secret);
		expectError(
			await post('/v1/users/search', {}, { authorization: b2bKey }),
			400,
			'invalid_consumer_endpoint',
		);
		expectError(
			await post('/v1/b2b/organizations/search', {}, { authorization: consumerKey }),
			400,
			'invalid_b2b_endpoint',
		);
		await simulator.close();
		await start({ environment: 'live' });
		expectError(
			await post('/v1/users/search', {}, { authorization: consumerKey }),
			401,
			'unauthorized_project_id_test',
		);
		const live = stytch.consumer.addUser({ email: 'nora@example.com' }).user_id;
		expect(live).toMatch(/^user-live-/);
		expect((await get(`/v1/users/${live}`)).status).toBe(200);
		expectError(
			await get(`/v1/users/user-test-${A_UUID}`),
			400,
			'test_id_used_in_live_environment',
		);
	});

	it('takes every secret of a project while it is one', async () => {
		const { projectId } = stytch.consumer;
		const second = stytch.consumer.addSecret();
		const authorization = basic(projectId, second);
		expect((await post('/v1/users/search', {}, { authorization })).status).toBe(200);
		expect(stytch.consumer.deleteSecret(second)).toBe(true);
		expect(stytch.consumer.deleteSecret(second)).toBe(false);
		expectError(
			await post('/v1/users/search', {}, { authorization }),
			401,
			'unauthorized_credentials',
		);
	});

	it.each<[string, () => Promise<Answer>, RegExp]>([
		[
			'a body member',
			() => post('/v1/users/search', { user: 1 }),
			/undocumented body member user$/,
		],
		['a parameter', () => get('/v1/sessions?user_id=x&limit=2'), /query parameter limit$/],
		[
			'another media type',
			() => post('/v1/users/search', {}, { headers: { 'content-type': 'text/plain' } }),
			/text\/plain instead of application\/json$/,
		],
		['OR', () => post('/v1/users/search', { query: { operator: 'OR' } }), /OR is deprecated$/],
		[
			"a member's permissions",
			() =>
				post(
					'/v1/b2b/organizations/search',
					{},
					{ headers: { 'X-Stytch-Member-Session': A_TOKEN } },
				),
			/asks for a member's permissions$/,
		],
	])('notes what is not documented: %s', async (_title, send, violation) => {
		await send();
		expect(simulator.violations).toEqual([expect.stringMatching(violation)]);
	});

	it('notes nothing about a content type without a body', async () => {
		await get('/v1/sessions?user_id=x', { headers: { 'content-type': 'application/json' } });
		expect(simulator.violations).toEqual([]);
	});

	it.each(['{', '[]', '{"limit":"2"}', '{"query":{"operands":[]}}'])(
		'calls %s a bad request',
		async (body) => {
			expectError(await post('/v1/users/search', body), 400, 'bad_request');
		},
	);

	it.each([
		['/v1/users/x', 404, 'user_not_found'],
		['/v1/users/x/connected_apps/y', 404, 'connected_app_not_found'],
		['/v1/sessions?user_id=x', 404, 'session_not_found'],
		['/v1/b2b/sessions', 404, 'session_not_found'],
		['/v1/b2b/organizations/x/member', 404, 'member_not_found'],
		['/v1/users/x', 401, 'unauthorized_credentials'],
		['/v1/users/x', 403, 'unauthorized_action'],
		['/v1/users/x', 429, 'too_many_requests'],
		['/v1/users/x', 500, 'internal_server_error'],
		['/v1/users/x', 503, 'server_unavailable'],
		['/v1/users/x', 502, 'internal_server_error'],
	])('has its own error for %s with %d', async (path, status, type) => {
		simulator.faults.next({ fault: { kind: 'serverError', status } });
		const answer = await get(path);
		expectError(answer, status, type);
		expect(answer.json.status_code).toBe(status);
	});
});

describe('limits', () => {
	it('are as documented for searches, by key, and unlimited otherwise', async () => {
		const { user_id } = stytch.consumer.addUser({ email: 'nora@example.com' });
		for (let n = 0; n < 150; n += 1) await post('/v1/users/search', {});
		const answer = await post('/v1/users/search', {});
		expectError(answer, 429, 'too_many_requests');
		expect(answer.headers).not.toHaveProperty('retry-after');
		expect((await get(`/v1/users/${user_id}`)).status).toBe(200);
		expect((await post('/v1/b2b/organizations/search', {})).status).toBe(200);
		stytch.clockSkewMs += 60_001;
		expect((await post('/v1/users/search', {})).status).toBe(200);
	});

	it('can be set for everything', async () => {
		stytch.setRateLimit({ limit: 1, windowMs: 60_000 });
		expect((await post('/v1/users/search', {})).status).toBe(200);
		expectError(await get('/v1/sessions?user_id=x'), 429, 'too_many_requests');
		stytch.setRateLimit(undefined);
		expectError(await get('/v1/sessions?user_id=x'), 404, 'user_not_found');
	});

	it('say when to come back if they are told to', async () => {
		simulator.faults.next({ fault: { kind: 'rateLimit', form: 'retryAfter', resetInSeconds: 7 } });
		const answer = await post('/v1/users/search', {});
		expectError(answer, 429, 'too_many_requests');
		expect(answer.headers['retry-after']).toBe('7');
	});
});

describe('users', () => {
	let nora: StytchUser;

	beforeEach(() => {
		nora = stytch.consumer.addUser({
			email: 'Nora@example.com',
			otherEmails: ['nora@example.org'],
			externalId: 'shop|7',
			firstName: 'Nora',
			lastName: 'Lindqvist',
			phoneNumber: '+4915112345678',
		});
		stytch.consumer.addUser({ email: 'omar@example.com', status: 'pending' });
	});

	it.each<[string, () => ReturnType<typeof filter>, string[]]>([
		['address', () => filter('email_address', ['nora@example.com']), ['Nora@example.com']],
		['other address', () => filter('email_address', ['nora@example.org']), ['Nora@example.com']],
		['part of an address', () => filter('email_address', ['nora']), []],
		[
			'fuzzy address',
			() => filter('email_address_fuzzy', 'EXAMPLE.com'),
			['Nora@example.com', 'omar@example.com'],
		],
		['address id', () => filter('email_id', [nora.emails[0]?.email_id]), ['Nora@example.com']],
		['id', () => filter('user_id', [nora.user_id]), ['Nora@example.com']],
		['external id', () => filter('user_id', ['shop|7']), ['Nora@example.com']],
		['phone number', () => filter('phone_number', ['+4915112345678']), ['Nora@example.com']],
		['phone id', () => filter('phone_id', [nora.phone_numbers[0]?.phone_id]), ['Nora@example.com']],
		['name', () => filter('full_name_fuzzy', 'a lind'), ['Nora@example.com']],
		['status', () => filter('status', 'pending'), ['omar@example.com']],
		['verified address', () => filter('email_verified', false), ['omar@example.com']],
	])('are found by %s', async (_title, body, expected) => {
		expect(emails(await post('/v1/users/search', body()))).toEqual(expected);
		expect(simulator.violations).toEqual([]);
	});

	it('pass all operands, or one of them', async () => {
		const operands = [
			{ filter_name: 'email_address', filter_value: ['nora@example.com'] },
			{ filter_name: 'status', filter_value: 'pending' },
		];
		const by = (operator: string) => post('/v1/users/search', { query: { operator, operands } });
		expect(emails(await by('AND'))).toEqual([]);
		expect(emails(await by('OR'))).toHaveLength(2);
	});

	it.each<[unknown, string]>([
		[filter('email', ['x']), 'user_search_filter_name_not_recognized'],
		[filter('toString', ['x']), 'user_search_filter_name_not_recognized'],
		[filter('email_address', 'x'), 'user_search_expected_array_of_string'],
		[filter('email_address', null), 'user_search_missing_filter_value'],
		[filter('email_address_fuzzy', ['x']), 'user_search_expected_string'],
		[filter('email_verified', 'yes'), 'user_search_expected_bool'],
		[{ query: { operator: 'AND', operands: [{}] } }, 'user_search_missing_filter_name'],
		[{ query: { operator: 'NOT' } }, 'user_search_invalid_operator'],
		[{ limit: 0 }, 'user_search_invalid_limit'],
		[{ limit: 1001 }, 'user_search_invalid_limit'],
		[{ cursor: '!' }, 'user_search_invalid_cursor'],
		[
			filter('user_id', [`user-test-${A_UUID}`, 'shop|7']),
			'user_search_cannot_mix_internal_and_external_user_ids',
		],
	])('are not searched by %j', async (body, type) => {
		expectError(await post('/v1/users/search', body), 400, type);
	});

	it('come in pages, with or without totals', async () => {
		for (let n = 0; n < 3; n += 1) stytch.consumer.addUser({ email: `u${n}@example.com` });
		const seen: string[] = [];
		let cursor: string | null | undefined;
		do {
			const answer = await post('/v1/users/search', { limit: 2, ...(cursor && { cursor }) });
			expect(answer.json.results_metadata?.total).toBe(5);
			seen.push(...emails(answer));
			cursor = answer.json.results_metadata?.next_cursor;
		} while (cursor !== null && seen.length < 10);
		expect(new Set(seen).size).toBe(5);
		stytch.searchTotals = false;
		const without = await post('/v1/users/search', {});
		expect(without.json.results_metadata).toEqual({ total: -1, next_cursor: null });
	});

	it('are got by id and by external id', async () => {
		const byId = await get(`/v1/users/${nora.user_id}`);
		expect(byId.json).toMatchObject({ ...nora, status_code: 200 });
		expect((await get('/v1/users/shop%7C7')).json.user_id).toBe(nora.user_id);
		expectError(await get('/v1/users/shop'), 404, 'user_not_found');
		expectError(await get('/v1/users/nora%40example.com'), 400, 'invalid_user_id');
		expectError(
			await get(`/v1/users/user-live-${A_UUID}`),
			400,
			'live_id_used_in_test_environment',
		);
	});

	it('are as unique as Stytch wants them', () => {
		const { consumer } = stytch;
		expect(() => consumer.addUser({ email: 'NORA@example.org' })).toThrow('taken');
		expect(() => consumer.addUser({ email: 'a@example.com', externalId: 'shop|7' })).toThrow(
			'taken',
		);
		expect(() => consumer.addUser({ email: 'a@example.com', externalId: 'a b' })).toThrow(
			'external',
		);
		expect(() => consumer.addUser({ email: 'a@example.com', id: 'user-7' })).toThrow('not an id');
		consumer.deleteUser('nora@example.org');
		expect(() => consumer.user(nora.user_id)).toThrow('no such user');
		expect(consumer.addUser({ email: 'nora@example.com', externalId: 'shop|7' })).toBeDefined();
	});

	it('lose a connected app and its tokens by one call', async () => {
		const { user_id } = stytch.consumer.addUser({ email: 'apps@example.com', connectedApps: 2 });
		const [app] = stytch.consumer.connectedAppsOf(user_id);
		const path = `/v1/users/${user_id}/connected_apps`;
		expect((await get(path)).json.connected_apps).toHaveLength(2);
		const revoke = `${path}/${app?.connected_app_id ?? ''}/revoke`;
		expect((await post(revoke, {})).status).toBe(200);
		expect((await get(path)).json.connected_apps).toHaveLength(1);
		expectError(await call('POST', revoke), 404, 'connected_app_not_found');
		expectError(await get('/v1/users/nobody/connected_apps'), 404, 'user_not_found');
		expect(simulator.violations).toEqual([]);
	});
});

describe('sessions of users', () => {
	let id: string;

	beforeEach(() => {
		id = stytch.consumer.addUser({
			email: 'nora@example.com',
			externalId: 'n-1',
			sessions: 2,
		}).user_id;
		stytch.consumer.addUser({ email: 'omar@example.com', sessions: 1 });
	});

	const list = async () => ((await get(`/v1/sessions?user_id=${id}`)).json.sessions ?? []).length;
	const revoke = (body: unknown) => post('/v1/sessions/revoke', body);

	it('are listed with device and times', async () => {
		const answer = await get('/v1/sessions?user_id=n-1');
		expect(answer.json.sessions).toHaveLength(2);
		const rfc3339 = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
		expect(answer.json.sessions?.[0]).toEqual({
			session_id: expect.stringMatching(/^session-test-[\da-f-]{36}$/),
			user_id: id,
			started_at: rfc3339,
			last_accessed_at: rfc3339,
			expires_at: rfc3339,
			attributes: {
				ip_address: expect.stringMatching(/^203\.0\.113\.\d+$/),
				user_agent: expect.stringMatching(/^Mozilla/),
			},
			authentication_factors: [
				expect.objectContaining({ type: 'magic_link', delivery_method: 'email' }),
			],
			roles: ['stytch_user'],
			custom_claims: {},
		});
		stytch.clockSkewMs += 60 * 60_000;
		expect(await list()).toBe(0);
	});

	it('of nobody are refused, or empty where they are told to be', async () => {
		expectError(await get('/v1/sessions'), 400, 'invalid_user_id');
		expectError(await get('/v1/sessions?user_id=nobody'), 404, 'user_not_found');
		stytch.sessionsOfUnknown = 'empty';
		expect((await get('/v1/sessions?user_id=nobody')).json.sessions).toEqual([]);
	});

	it('are revoked by id, by token and by JWT, one at a time', async () => {
		const third = stytch.consumer.signIn(id);
		const [first, second] = stytch.consumer.sessionsOf(id);
		const jwt = await stytch.consumer.jwt(third);
		expect((await revoke({ session_id: first?.id })).status).toBe(200);
		expect((await revoke({ session_token: second?.token })).status).toBe(200);
		expect(await list()).toBe(1);
		expect(stytch.isLive(third.id)).toBe(true);
		const last = await revoke({ session_jwt: jwt });
		expect(last.json).toEqual({ status_code: 200, request_id: expect.any(String) });
		expect(stytch.isLive(third.id)).toBe(false);
		for (const again of [{ session_id: first?.id }, { session_jwt: jwt }]) {
			expectError(await revoke(again), 404, 'session_not_found');
		}
		expect(stytch.consumer.sessionsOf('omar@example.com')).toHaveLength(1);
	});

	it.each<[unknown, number, string]>([
		[{}, 400, 'no_session_revoke_arguments'],
		[
			{ session_id: `session-test-${A_UUID}`, session_token: A_TOKEN },
			400,
			'too_many_session_revoke_arguments',
		],
		[{ session_id: 'x' }, 400, 'invalid_session_id'],
		[{ session_id: `session-live-${A_UUID}` }, 400, 'live_id_used_in_test_environment'],
		[{ session_id: `session-test-${A_UUID}` }, 404, 'session_not_found'],
		[{ session_token: 'x' }, 400, 'invalid_session_token'],
		[{ session_token: A_TOKEN }, 404, 'session_not_found'],
		[{ session_jwt: 'x.y.z' }, 400, 'unable_to_parse_session_jwt'],
		[{ session_id: 7 }, 400, 'bad_request'],
	])('are not revoked by %j', async (body, status, type) => {
		expectError(await revoke(body), status, type);
		expect(await list()).toBe(2);
	});

	it('authenticate by token or JWT, and live longer only if asked to', async () => {
		const [held] = stytch.consumer.sessionsOf(id);
		const expiresAt = held?.expiresAt;
		const answer = await post('/v1/sessions/authenticate', { session_token: held?.token });
		expect(answer.json).toMatchObject({
			session: { session_id: held?.id, user_id: id },
			session_token: held?.token,
			user: { user_id: id },
		});
		expect(held?.token).toHaveLength(44);
		expect(stytch.consumer.session(held?.id ?? '')?.expiresAt).toBe(expiresAt);
		// An expired JWT of a live session will do.
		stytch.clockSkewMs += 6 * 60_000;
		const again = await post('/v1/sessions/authenticate', {
			session_jwt: answer.json.session_jwt,
			session_duration_minutes: 120,
			session_custom_claims: { tier: 'gold', sub: 'somebody else' },
		});
		expect(again.status).toBe(200);
		const session = stytch.consumer.session(held?.id ?? '');
		expect((session?.expiresAt ?? 0) - stytch.now()).toBeGreaterThan(119 * 60_000);
		expect(session?.customClaims).toEqual({ tier: 'gold' });
		expect(decodeJwt(again.json.session_jwt ?? '')).toMatchObject({ tier: 'gold', sub: id });
	});

	it.each<[unknown, number, string]>([
		[{}, 400, 'no_session_arguments'],
		[{ session_token: A_TOKEN, session_jwt: 'x.y.z' }, 400, 'too_many_session_arguments'],
		[{ session_token: A_TOKEN }, 404, 'session_not_found'],
		...[4, 527_041, 5.5].map((session_duration_minutes): [unknown, number, string] => [
			{ session_token: A_TOKEN, session_duration_minutes },
			400,
			'invalid_session_duration_minutes',
		]),
	])('do not authenticate by %j', async (body, status, type) => {
		expectError(await post('/v1/sessions/authenticate', body), status, type);
	});

	it('have JWTs that live for five minutes, with keys that are public', async () => {
		const { projectId } = stytch.consumer;
		const [held] = stytch.consumer.sessionsOf(id);
		if (held === undefined) throw new Error('no session');
		const answer = await get(`/v1/sessions/jwks/${projectId}`, { authorization: null });
		const keys = createLocalJWKSet(answer.json as unknown as JSONWebKeySet);
		const { payload } = await jwtVerify(await stytch.consumer.jwt(held), keys, {
			audience: projectId,
			issuer: `stytch.com/${projectId}`,
			typ: 'JWT',
		});
		expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
		expect(payload).toMatchObject({
			sub: id,
			'https://stytch.com/session': { id: held.id, roles: ['stytch_user'] },
		});
		// Signed by another project: not a JWT of this one.
		const { member_id } = addMember('nora@example.com', 'example', 1);
		const [other] = stytch.b2b.sessionsOf(member_id);
		if (other === undefined) throw new Error('no session');
		expectError(
			await revoke({ session_jwt: await stytch.b2b.jwt(other) }),
			400,
			'unable_to_parse_session_jwt',
		);
		expectError(
			await get(`/v1/sessions/jwks/project-test-${A_UUID}`),
			400,
			'invalid_project_id_authentication',
		);
	});

	it('stay in the list while revocations are hidden', async () => {
		stytch.hideRevocations = true;
		const [held] = stytch.consumer.sessionsOf(id);
		await revoke({ session_id: held?.id });
		expect(await list()).toBe(2);
		expect(stytch.isLive(held?.id ?? '')).toBe(false);
		stytch.reset();
		expect(stytch.hideRevocations).toBe(false);
	});

	it('come back after each round as often as somebody signs in again', async () => {
		stytch.consumer.keepSigningIn(id, 2);
		for (const left of [1, 1, 0]) {
			const { json } = await get(`/v1/sessions?user_id=${id}`);
			for (const { session_id } of json.sessions ?? []) {
				expect((await revoke({ session_id })).status).toBe(200);
			}
			expect(await list()).toBe(left);
		}
	});
});

function addMember(email: string, slug: string, sessions = 0): StytchMember {
	const { b2b } = stytch;
	const there = b2b.allOrganizations().some((one) => one.organization_slug === slug);
	if (!there) b2b.addOrganization({ name: slug, externalId: `ext-${slug}` });
	return b2b.addMember({ organization: slug, email, name: 'Nora', sessions });
}

describe('members', () => {
	let organization: StytchOrganization;
	let nora: StytchMember;
	let elsewhere: StytchMember;

	beforeEach(() => {
		nora = addMember('nora@example.com', 'one', 2);
		elsewhere = addMember('nora@example.com', 'two', 1);
		stytch.b2b.addMember({
			organization: 'one',
			email: 'omar@example.com',
			externalId: 'staff-2',
			isBreakglass: true,
			connectedApps: 1,
		});
		stytch.b2b.addMember({ organization: 'one', email: 'gone@example.com', status: 'deleted' });
		organization = stytch.b2b.namedOrganization('one');
	});

	const searchIn = (organization_ids: string[], more: object = {}) =>
		post('/v1/b2b/organizations/members/search', { organization_ids, ...more });
	const list = (query: string) => get(`/v1/b2b/sessions?${query}`);
	const revoke = (body: unknown) => post('/v1/b2b/sessions/revoke', body);

	it('are found in every organization that is asked for, and there only', async () => {
		const byEmail = filter('member_emails', ['NORA@example.com']);
		const both = await searchIn(['one', 'ext-two'], byEmail);
		expect(both.json.members?.map((one) => one.member_id)).toEqual([
			nora.member_id,
			elsewhere.member_id,
		]);
		expect(Object.keys(both.json.organizations as object)).toHaveLength(2);
		const first = await searchIn([organization.organization_id], byEmail);
		expect(first.json).toMatchObject({
			members: [{ member_id: nora.member_id, organization_id: organization.organization_id }],
			organizations: { [organization.organization_id]: { organization_slug: 'one' } },
			results_metadata: { total: 1, next_cursor: null },
		});
	});

	it.each<[string, object, string[]]>([
		['external id', filter('member_ids', ['staff-2']), ['omar@example.com']],
		['part of the address', filter('member_email_fuzzy', 'NORA'), ['nora@example.com']],
		['break glass', filter('member_is_breakglass', true), ['omar@example.com']],
		['nothing', {}, ['nora@example.com', 'omar@example.com']],
		['the status deleted', filter('statuses', ['deleted']), ['gone@example.com']],
	])('are found by %s', async (_title, body, expected) => {
		expect(memberEmails(await searchIn(['one'], body))).toEqual(expected);
	});

	it.each<[string[], object, number, string]>([
		[[], {}, 400, 'member_search_organization_ids_empty'],
		[['nowhere'], {}, 404, 'organization_not_found'],
		[['a b'], {}, 400, 'invalid_organization_id'],
		[['one'], filter('email_address', ['x']), 400, 'member_search_filter_name_not_recognized'],
		[['one'], filter('member_emails', 'x'), 400, 'member_search_expected_array_of_strings'],
		[['one'], filter('member_is_breakglass', 'x'), 400, 'member_search_expected_boolean'],
		[['one'], filter('statuses', ['x']), 400, 'search_invalid_status_filter'],
		[['one'], { limit: 1001 }, 400, 'bad_request'],
		[
			['one'],
			filter('member_ids', [`member-test-${A_UUID}`, 'staff-2']),
			400,
			'member_search_cannot_mix_internal_and_external_member_ids',
		],
	])('are not searched in %j by %j', async (ids, body, status, type) => {
		expectError(await searchIn(ids, body), status, type);
	});

	it('have organizations, which are found by them too', async () => {
		const find = async (body: object) =>
			(
				(await post('/v1/b2b/organizations/search', body)).json
					.organizations as StytchOrganization[]
			).map((one) => one.organization_slug);
		expect(await find({})).toEqual(['one', 'two']);
		expect(await find({ limit: 1 })).toEqual(['one']);
		expect(await find(filter('member_emails', ['nora@example.com']))).toEqual(['one', 'two']);
		expect(await find(filter('member_emails', ['gone@example.com']))).toEqual([]);
		expect(await find(filter('organization_slugs', ['two']))).toEqual(['two']);
		expect(await find(filter('organization_name_fuzzy', 'TW'))).toEqual(['two']);
		expect(await find(filter('organization_ids', [organization.organization_id]))).toEqual(['one']);
		expectError(
			await post('/v1/b2b/organizations/search', filter('x', ['y'])),
			400,
			'organization_search_filter_name_not_recognized',
		);
	});

	it('are got from an organization by id or address', async () => {
		const path = '/v1/b2b/organizations/one/member';
		for (const query of [`member_id=${nora.member_id}`, 'email_address=nora%40example.com']) {
			expect((await get(`${path}?${query}`)).json).toMatchObject({
				member_id: nora.member_id,
				member: { email_address: 'nora@example.com' },
				organization: { organization_slug: 'one' },
			});
		}
		expect((await get(`${path}?member_id=staff-2`)).status).toBe(200);
		for (const query of ['', `?member_id=${nora.member_id}&email_address=nora@example.com`]) {
			expectError(await get(path + query), 400, 'invalid_member_get_fields');
		}
		for (const query of [`member_id=${elsewhere.member_id}`, 'email_address=gone@example.com']) {
			expectError(await get(`${path}?${query}`), 404, 'member_not_found');
		}
		expectError(
			await get('/v1/b2b/organizations/three/member?member_id=x'),
			404,
			'organization_not_found',
		);
	});

	it('are got by id alone, deleted ones on demand', async () => {
		const path = '/v1/b2b/organizations/members/dangerously_get';
		const gone = stytch.b2b.member('gone@example.com').member_id;
		expect((await get(`${path}/${elsewhere.member_id}`)).json).toMatchObject({
			organization: { organization_slug: 'two' },
		});
		expectError(await get(`${path}/${gone}`), 404, 'member_not_found');
		expect((await get(`${path}/${gone}?include_deleted=true`)).json).toMatchObject({
			member: { status: 'deleted' },
		});
		expectError(await get(`${path}/staff-2`), 400, 'invalid_id');
	});

	it('have sessions in their organization', async () => {
		const answer = await list(`organization_id=one&member_id=${nora.member_id}`);
		expect(answer.json.member_sessions).toHaveLength(2);
		expect((answer.json.member_sessions as object[])[0]).toMatchObject({
			member_session_id: expect.stringMatching(/^session-test-/),
			member_id: nora.member_id,
			organization_id: organization.organization_id,
			organization_slug: 'one',
			roles: ['stytch_member'],
		});
		expectError(
			await list(`organization_id=two&member_id=${nora.member_id}`),
			404,
			'member_not_found',
		);
		expectError(await list(`member_id=${nora.member_id}`), 400, 'invalid_organization_id');
		expectError(await list('organization_id=one'), 400, 'invalid_id');
	});

	it('lose all sessions by one call, in one organization', async () => {
		expect((await revoke({ member_id: nora.member_id })).json).toEqual({
			status_code: 200,
			request_id: expect.any(String),
		});
		expect(stytch.b2b.sessionsOf(nora.member_id)).toEqual([]);
		expect(stytch.b2b.sessionsOf(elsewhere.member_id)).toHaveLength(1);
		// Nothing to revoke is a success as well.
		expect((await revoke({ member_id: nora.member_id })).status).toBe(200);
	});

	it('lose one session by id, token or JWT', async () => {
		const third = stytch.b2b.signIn(nora.member_id);
		const [first, second] = stytch.b2b.sessionsOf(nora.member_id);
		const session_jwt = await stytch.b2b.jwt(third);
		for (const [left, body] of [
			{ member_session_id: first?.id },
			{ session_token: second?.token },
			{ session_jwt },
		].entries()) {
			expect((await revoke(body)).status).toBe(200);
			expect(stytch.b2b.sessionsOf(nora.member_id)).toHaveLength(2 - left);
		}
		expect(simulator.violations).toEqual([]);
	});

	it.each<[unknown, number, string]>([
		[{}, 400, 'no_session_revoke_arguments'],
		[{ member_id: `member-test-${A_UUID}` }, 404, 'member_not_found'],
		[{ member_id: 'staff-2' }, 400, 'invalid_id'],
		[
			{ member_id: `member-test-${A_UUID}`, session_token: A_TOKEN },
			400,
			'too_many_session_revoke_arguments',
		],
		[{ member_session_id: `session-test-${A_UUID}` }, 404, 'session_not_found'],
	])('lose nothing by %j', async (body, status, type) => {
		expectError(await revoke(body), status, type);
	});

	it('sign in again after all of it is revoked', async () => {
		stytch.b2b.keepSigningIn(nora.member_id, 1);
		for (const left of [1, 0]) {
			await revoke({ member_id: nora.member_id });
			expect(stytch.b2b.sessionsOf(nora.member_id)).toHaveLength(left);
		}
	});

	it('authenticate with their organization', async () => {
		const [held] = stytch.b2b.sessionsOf(nora.member_id);
		const answer = await post('/v1/b2b/sessions/authenticate', { session_token: held?.token });
		expect(answer.json).toMatchObject({
			member_session: { member_session_id: held?.id },
			member: { member_id: nora.member_id },
			organization: { organization_slug: 'one' },
		});
		expect(decodeJwt(answer.json.session_jwt ?? '')).toMatchObject({
			sub: nora.member_id,
			'https://stytch.com/organization': {
				organization_id: organization.organization_id,
				slug: 'one',
			},
		});
		const jwks = await get(`/v1/b2b/sessions/jwks/${stytch.b2b.projectId}`);
		expect(jwks.json.keys).toHaveLength(1);
	});

	it('lose a connected app', async () => {
		const path = '/v1/b2b/organizations/one/members/staff-2/connected_apps';
		const { json } = await get(path);
		const [app] = json.connected_apps as { connected_app_id: string }[];
		expect((await post(`${path}/${app?.connected_app_id ?? ''}/revoke`, {})).status).toBe(200);
		expect((await get(path)).json.connected_apps).toEqual([]);
		expectError(await post(`${path}/x/revoke`, {}), 404, 'connected_app_not_found');
	});

	it('are as unique as Stytch wants them', () => {
		const { b2b } = stytch;
		const email = 'a@example.com';
		expect(() => addMember('NORA@example.com', 'one')).toThrow('taken');
		expect(() => b2b.addMember({ organization: 'one', email, externalId: 'staff-2' })).toThrow(
			'taken',
		);
		expect(() => b2b.addMember({ organization: 'three', email })).toThrow('no such organization');
		expect(() => b2b.addOrganization({ name: 'One' })).toThrow('taken');
		expect(() => b2b.member('nora@example.com')).toThrow('several');
		expect(() => b2b.signIn('gone@example.com')).toThrow('deleted');
		b2b.deleteMember('nora@example.com', 'one');
		expect(b2b.sessionsOf(nora.member_id)).toEqual([]);
		expect(addMember('nora@example.com', 'one').member_id).not.toBe(nora.member_id);
	});
});

describe('the demo', () => {
	beforeEach(async () => {
		await simulator.close();
		await start({ ...STYTCH_DEMO_KEYS, seed: seedStytchDemo });
	});

	it('opens with its keys, and is the same after a reset but for its tokens', async () => {
		const authorization = basic(DEMO_STYTCH_CONSUMER_PROJECT_ID, DEMO_STYTCH_CONSUMER_SECRET);
		const find = () =>
			post('/v1/users/search', filter('email_address', ['nora.lindqvist@example.com']), {
				authorization,
			});
		const before = (await find()).json.results?.[0]?.user_id ?? '';
		const [held] = stytch.consumer.sessionsOf(before);
		stytch.consumer.deleteUser(before);
		stytch.reset();
		expect((await find()).json.results?.[0]?.user_id).toBe(before);
		const [again] = stytch.consumer.sessionsOf(before);
		expect(again?.id).toBe(held?.id);
		expect(again?.token).not.toBe(held?.token);
		const members = await post(
			'/v1/b2b/organizations/members/search',
			{
				organization_ids: DEMO_STYTCH_ORGANIZATIONS,
				...filter('member_emails', ['nora.lindqvist@example.com']),
			},
			{ authorization: basic(DEMO_STYTCH_B2B_PROJECT_ID, DEMO_STYTCH_B2B_SECRET) },
		);
		expect(members.json.members).toHaveLength(DEMO_STYTCH_ORGANIZATIONS.length);
	});

	it('is told to the control API without secrets and tokens, and can be acted in', async () => {
		const act = async (action: string, body: unknown) =>
			(
				await http(`${simulator.url}/__simulator/actions/${action}`, {
					method: 'POST',
					headers: { 'content-type': 'application/json' },
					body: JSON.stringify(body),
				})
			).body.json() as Promise<{ result: Record<string, string> }>;
		const email = 'new@example.com';
		const { user_id } = (await act('addUser', { email })).result;
		const signedIn = await act('signIn', { user: email });
		expect(stytch.consumer.sessionsOf(email).map((one) => one.id)).toEqual([
			signedIn.result.sessionId,
		]);
		await act('keepSigningIn', { user: email, times: 1 });
		await post('/v1/sessions/revoke', { session_token: signedIn.result.sessionToken });
		expect(stytch.consumer.sessionsOf(user_id ?? '')).toHaveLength(1);

		const [organization] = DEMO_STYTCH_ORGANIZATIONS;
		const { member_id } = (await act('addMember', { organization, email })).result;
		const member = await act('signIn', { member: email, organization });
		await act('keepSigningIn', { member: member_id, times: 1 });
		expect(stytch.isLive(member.result.sessionId ?? '')).toBe(true);

		const state = await (await http(`${simulator.url}/__simulator/state`)).body.text();
		expect(state).toContain(member.result.sessionId);
		for (const hidden of [member.result.sessionToken, DEMO_STYTCH_CONSUMER_SECRET]) {
			expect(state).not.toContain(hidden);
		}
	});
});
