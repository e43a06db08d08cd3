import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type Dispatcher, request as http } from 'undici';
import { createOkta, type Okta, OKTA_BUCKETS } from './okta';
import { DEMO_OKTA_API_TOKEN, seedDemo } from './okta-demo';
import { type Simulator, startSimulator } from './simulator';

let okta: Okta;
let simulator: Simulator;
let token: string;

beforeEach(async () => {
	okta = createOkta({ users: [{ login: 'admin@example.com', firstName: 'Ada', lastName: 'Min' }] });
	token = okta.addApiToken({ owner: 'admin@example.com' }).token;
	simulator = await startSimulator(okta);
});

afterEach(async () => {
	await simulator.close();
});

interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	text: string;
	json: unknown;
	/** The body as a list, if it is one. */
	items: Record<string, unknown>[];
	/** The body as an error of either kind. */
	problem: { errorSummary?: string; error_description?: string };
}

async function call(
	method: Dispatcher.HttpMethod,
	path: string,
	options: { headers?: Record<string, string>; body?: string; authorization?: string | null } = {},
): Promise<Answer> {
	const { authorization = `SSWS ${token}`, headers, body } = options;
	const answer = await http(simulator.url + path, {
		method,
		headers: { ...(authorization === null ? {} : { authorization }), ...headers },
		...(body === undefined ? {} : { body }),
	});
	const text = await answer.body.text();
	const json: unknown = text === '' ? undefined : JSON.parse(text);
	return {
		status: answer.statusCode,
		headers: answer.headers,
		text,
		json,
		items: Array.isArray(json) ? (json as Record<string, unknown>[]) : [],
		problem: json ?? {},
	};
}

const get = (path: string, options?: Parameters<typeof call>[2]) => call('GET', path, options);
const logins = (answer: Answer): string[] =>
	(answer.json as { profile: { login: string } }[]).map(({ profile }) => profile.login);
const encode = encodeURIComponent;

function expectError(answer: Answer, status: number, errorCode: string): void {
	expect(answer).toMatchObject({ status, json: { errorCode } });
}

it('has a source for every route, at the vendor', () => {
	for (const route of simulator.routes) {
		expect(route.source).toMatch(/^https:\/\/developer\.okta\.com\/docs\//);
		expect(OKTA_BUCKETS).toHaveProperty(route.name);
		if (route.name !== 'token') expect(route.scopes).not.toHaveLength(0);
	}
});

it('puts its headers on every answer, also errors', async () => {
	const answers = [
		await get('/api/v1/users'),
		await get('/api/v1/users', { authorization: null }),
		await get('/nowhere'),
		await call('DELETE', '/api/v1/users'),
	];
	simulator.faults.next({ fault: { kind: 'serverError', status: 503 } });
	answers.push(await get('/api/v1/users'));
	for (const { headers } of answers) {
		expect(headers).toMatchObject({
			date: expect.stringMatching(/GMT$/),
			'x-okta-request-id': expect.stringMatching(/^req/),
			'x-rate-limit-limit': '600',
			'x-rate-limit-remaining': expect.stringMatching(/^\d+$/),
			'x-rate-limit-reset': expect.stringMatching(/^\d{10}$/),
		});
	}
	expect(
		answers.map(({ status, json }) => [status, (json as { errorCode?: string }).errorCode]),
	).toEqual([
		[200, undefined],
		[403, 'E0000005'],
		[404, 'E0000008'],
		[405, 'E0000022'],
		[503, 'E0000010'],
	]);
	expect(simulator.unmatched).toHaveLength(2);
	expect(answers[1]?.json).toEqual({
		errorCode: 'E0000005',
		errorSummary: 'Invalid session',
		errorLink: 'E0000005',
		errorId: expect.stringMatching(/^oae/),
		errorCauses: [],
	});
});

describe('one user', () => {
	beforeEach(() => {
		okta.addUser({
			login: 'Isaac.Brock@example.com',
			email: 'isaac@example.org',
			id: '00u0123456789ABCDEFG',
		});
		okta.addUser({ login: 'isa+tag@example.com' });
		okta.addUser({ login: 'factory/line@example.com' });
		okta.addUser({ login: 'gone@example.com', status: 'DEPROVISIONED' });
		okta.addUser({ login: 'twin@example.com' });
		okta.addUser({ login: 'twin@example.net' });
		okta.addUser({ login: 'búho@example.com' });
	});

	it.each([
		['the id', '00u0123456789ABCDEFG', 'Isaac.Brock@example.com'],
		['the login', 'Isaac.Brock@example.com', 'Isaac.Brock@example.com'],
		['the login in another case', 'isaac.brock%40EXAMPLE.com', 'Isaac.Brock@example.com'],
		['the short name', 'isaac.brock', 'Isaac.Brock@example.com'],
		['a plus, encoded', 'isa%2Btag%40example.com', 'isa+tag@example.com'],
		['a plus, as it is', 'isa+tag@example.com', 'isa+tag@example.com'],
		['a deprovisioned user', 'gone@example.com', 'gone@example.com'],
		['a login without its marks', 'buho@example.com', 'búho@example.com'],
		['me, for an API token', 'me', 'admin@example.com'],
	])('is found by %s', async (_name, path, login) => {
		const answer = await get(`/api/v1/users/${path}`);
		expect(answer).toMatchObject({ status: 200, json: { profile: { login } } });
		expect(simulator.violations).toEqual([]);
	});

	it.each(['nobody@example.com', '00u0123456789abcdefg', 'isaac@example.org', 'twin'])(
		'is not found by %s',
		async (path) => {
			const answer = await get(`/api/v1/users/${path}`);
			expectError(answer, 404, 'E0000007');
			expect(answer.json).toMatchObject({
				errorSummary: `Not found: Resource not found: ${path} (User)`,
			});
		},
	);

	it('cannot be fetched by a login with a slash', async () => {
		expectError(await get('/api/v1/users/factory%2Fline%40example.com'), 404, 'E0000007');
		expect(simulator.violations).toHaveLength(1);
		expectError(await get('/api/v1/users/factory/line@example.com'), 404, 'E0000008');
		expect(simulator.unmatched).toHaveLength(1);
	});

	it('has the documented shape, less what the content-type leaves out', async () => {
		const whole = await get('/api/v1/users/isaac.brock');
		expect(whole.json).toMatchObject({
			id: expect.stringMatching(/^00u[A-Za-z0-9]{17}$/),
			status: 'ACTIVE',
			lastLogin: null,
			realmId: expect.stringMatching(/^guo/),
			type: { id: expect.any(String) },
			credentials: { provider: { type: 'OKTA' } },
			_links: {
				self: { href: `${simulator.url}/api/v1/users/00u0123456789ABCDEFG` },
				resetPassword: { method: 'POST' },
			},
		});
		const less = await get('/api/v1/users/isaac.brock', {
			headers: {
				'content-type': 'application/json; okta-response="omitCredentials,omitCredentialsLinks"',
			},
		});
		expect(less.json).not.toHaveProperty('credentials');
		expect(less.json).not.toHaveProperty('_links.resetPassword');
		expect(simulator.violations).toEqual([]);
		await get('/api/v1/users/me', { headers: { 'content-type': 'text/plain' } });
		expect(simulator.violations).toHaveLength(1);
	});
});

describe('users', () => {
	beforeEach(() => {
		okta.addUser({ login: 'nora@example.com', email: 'desk@example.com', firstName: 'Nora' });
		okta.addUser({ login: 'omar@example.com', email: 'Desk@example.com', firstName: 'Omar' });
		okta.addUser({ login: 'o"neil\\x@example.com', firstName: 'Zed' });
		okta.addUser({ login: 'gone@example.com', firstName: 'Nob', status: 'DEPROVISIONED' });
	});

	const list = (query: string) => get(`/api/v1/users?${query}`);

	it('are listed without the deprovisioned, with the self link only', async () => {
		const answer = await get('/api/v1/users');
		expect(logins(answer)).toHaveLength(4);
		expect(answer.items[0]?._links).toEqual({
			self: { href: expect.stringContaining('/api/v1/users/00u') },
		});
	});

	it.each([
		['profile.email eq "desk@example.com"', ['nora@example.com', 'omar@example.com']],
		['profile.email eq "DESK@example.com"', ['nora@example.com', 'omar@example.com']],
		[`profile.login eq ${JSON.stringify('o"neil\\x@example.com')}`, ['o"neil\\x@example.com']],
		['status eq "DEPROVISIONED"', ['gone@example.com']],
		[
			'(status lt "STAGED" or status gt "STAGED") and profile.firstName sw "no"',
			['nora@example.com', 'gone@example.com'],
		],
		['profile.login co "MAR@"', ['omar@example.com']],
		['profile.email eq "désk@example.com"', []],
	])('search %s', async (search, expected) => {
		const answer = await list(`search=${encode(search)}`);
		expect(answer.status).toBe(200);
		expect(new Set(logins(answer))).toEqual(new Set(expected));
	});

	it.each([
		['profile.email eq "desk@example.com"', ['nora@example.com']],
		[
			'profile.email eq "desk@example.com" or profile.email eq "Desk@example.com"',
			['nora@example.com', 'omar@example.com'],
		],
		['status eq "DEPROVISIONED"', ['gone@example.com']],
		[
			'lastUpdated gt "2013-06-01T00:00:00.000Z" and profile.login eq "nora@example.com"',
			['nora@example.com'],
		],
	])('filter %s', async (filter, expected) => {
		expect(logins(await list(`filter=${encode(filter)}`))).toEqual(expected);
	});

	it.each([
		'search=profile.email eq desk@example.com',
		'search=profile.email ne "x"',
		'search=profile.email ew "x"',
		'search=profile.title co "x"',
		'search=Profile.email eq "x"',
		'search=profile.email eq "x',
		'search=',
		'filter=profile.email sw "x"',
		'filter=profile.title eq "x"',
		'filter=not (status eq "ACTIVE")',
		'filter=profile.login gt "x"',
	])('refuses %s', async (criteria) => {
		const [name = '', ...rest] = criteria.split('=');
		expectError(await list(`${name}=${encode(rest.join('='))}`), 400, 'E0000031');
	});

	it('reads an unencoded plus in a query as a space', async () => {
		okta.addUser({ login: 'a+b@example.com' });
		const plain = await list('search=profile.login%20eq%20%22a+b@example.com%22');
		const encoded = await list('search=profile.login+eq+%22a%2Bb%40example.com%22');
		expect([logins(plain), logins(encoded)]).toEqual([[], ['a+b@example.com']]);
	});

	it('q matches starts of names and addresses, without the deprovisioned and without pages', async () => {
		expect(logins(await list('q=no'))).toEqual(['nora@example.com']);
		for (let n = 0; n < 12; n += 1) okta.addUser({ login: `many${String(n)}@example.com` });
		const many = await list('q=many');
		expect(logins(many)).toHaveLength(10);
		expect(String(many.headers.link)).not.toContain('next');
	});

	it('pages by links', async () => {
		for (let n = 0; n < 5; n += 1) okta.addUser({ login: `page${String(n)}@example.com` });
		const seen: string[] = [];
		let path: string | undefined =
			`/api/v1/users?limit=2&search=${encode('profile.login sw "page"')}`;
		let pages = 0;
		while (path !== undefined) {
			const answer: Answer = await get(path);
			seen.push(...logins(answer));
			pages += 1;
			const [self, next] = [answer.headers.link ?? []].flat();
			expect(self).toMatch(/^<http:.*>; rel="self"$/);
			path = /^<http:\/\/[^/]+(.*)>; rel="next"$/.exec(next ?? '')?.[1];
		}
		expect(pages).toBe(3);
		expect(seen.toSorted()).toEqual([0, 1, 2, 3, 4].map((n) => `page${String(n)}@example.com`));
		expectError(await list('limit=0'), 400, 'E0000001');
		expectError(await list('limit=two'), 400, 'E0000001');
		expectError(await list('after=%ff'), 400, 'E0000001');
		expect(simulator.violations).toEqual([]);
	});

	it('sorts searches and selects fields', async () => {
		const search = encode('profile.firstName pr');
		const answer = await list(
			`search=${search}&sortBy=profile.firstName&sortOrder=desc&fields=${encode('status,profile:(firstName)')}`,
		);
		expect(answer.items.map(({ profile }) => profile)).toEqual(
			['Zed', 'Omar', 'Nora', 'Nob', 'Ada'].map((firstName) => ({ firstName })),
		);
		expect(Object.keys(answer.items[0] ?? {})).toEqual(['id', 'status', 'profile']);
	});

	it('search may lag behind, an id lookup does not', async () => {
		okta.searchLagMs = Infinity;
		const { id } = okta.addUser({ login: 'new@example.com' });
		okta.updateUser('nora@example.com', { profile: { email: 'moved@example.com' } });
		const find = async (email: string) =>
			logins(await list(`search=${encode(`profile.email eq "${email}"`)}`));
		expect(await find('new@example.com')).toEqual([]);
		expect(await find('moved@example.com')).toEqual([]);
		expect(await get(`/api/v1/users/${id}`)).toMatchObject({ status: 200 });
		expect(
			logins(await list(`filter=${encode('profile.email eq "moved@example.com"')}`)),
		).toHaveLength(1);
		okta.reindex();
		expect(await find('new@example.com')).toEqual(['new@example.com']);
		expect(await find('moved@example.com')).toEqual(['nora@example.com']);
	});
});

describe('suspending a user', () => {
	const suspend = (user: string) => call('POST', `/api/v1/users/${encode(user)}/lifecycle/suspend`);

	it('suspends who is active, once', async () => {
		const { id } = okta.addUser({ login: 'isaac@example.com' });
		expect((await suspend(id)).status).toBe(200);
		expect(okta.findById(id)?.status).toBe('SUSPENDED');
		expectError(await suspend('isaac@example.com'), 400, 'E0000001');
		expect(simulator.violations).toEqual([]);
	});

	it('does not find a stranger', async () => {
		expectError(await suspend('nobody@example.com'), 404, 'E0000007');
	});
});

describe('revoking all sessions of a user', () => {
	let id: string;

	beforeEach(() => {
		({ id } = okta.addUser({
			login: 'nora@example.com',
			sessions: 3,
			tokens: 2,
			devices: 2,
			grants: 1,
		}));
		okta.addUser({ login: 'omar@example.com', sessions: 1, tokens: 1, devices: 1 });
	});

	const left = () => ({
		sessions: okta.sessionsOf(id).length,
		tokens: okta.tokensOf(id).length,
		devices: okta.rememberedDevicesOf(id).length,
		grants: okta.grantsOf(id).length,
	});

	it.each([
		['', { tokens: 4, devices: 0 }],
		['?forgetDevices=false', { tokens: 4, devices: 2 }],
		['?oauthTokens=true', { tokens: 0, devices: 0 }],
		['?oauthTokens=true&forgetDevices=false', { tokens: 0, devices: 2 }],
		['?oauthTokens=false&forgetDevices=true', { tokens: 4, devices: 0 }],
	])('ends what %p says, and forgets devices unless told not to', async (query, expected) => {
		const answer = await call('DELETE', `/api/v1/users/${id}/sessions${query}`);
		expect(answer).toMatchObject({ status: 204, text: '' });
		expect(answer.headers).not.toHaveProperty('content-type');
		expect(left()).toEqual({ sessions: 0, grants: 1, ...expected });
		expect(okta.sessionsOf('omar@example.com')).toHaveLength(1);
		expect(await call('DELETE', `/api/v1/users/${id}/sessions${query}`)).toMatchObject({
			status: 204,
		});
		expect(simulator.violations).toEqual([]);
	});

	it('forgets devices only if asked on the classic engine', async () => {
		okta.engine = 'classic';
		await call('DELETE', `/api/v1/users/${id}/sessions`);
		expect(left()).toMatchObject({ sessions: 0, devices: 2 });
		await call('DELETE', `/api/v1/users/${id}/sessions?forgetDevices=true`);
		expect(left()).toMatchObject({ devices: 0 });
	});

	it.each(['nora@example.com', 'nora', 'me'])('takes the id only, not %s', async (path) => {
		expectError(await call('DELETE', `/api/v1/users/${path}/sessions`), 404, 'E0000007');
		expect(left()).toMatchObject({ sessions: 3 });
		expect(simulator.violations).toHaveLength(1);
	});

	it('does not know others, and no other flags', async () => {
		expectError(
			await call('DELETE', '/api/v1/users/00uNobodyNobodyNobod/sessions'),
			404,
			'E0000007',
		);
		expect(simulator.violations).toEqual([]);
		expectError(
			await call('DELETE', `/api/v1/users/${id}/sessions?oauthTokens=1`),
			400,
			'E0000001',
		);
		await call('DELETE', `/api/v1/users/${id}/sessions?all=true`);
		expect(simulator.violations).toHaveLength(2);
	});

	it('may do its work and lose the answer', async () => {
		simulator.faults.next({ match: 'revokeUserSessions', fault: { kind: 'afterEffect' } });
		await expect(call('DELETE', `/api/v1/users/${id}/sessions`)).rejects.toThrow();
		expect(left()).toMatchObject({ sessions: 0 });
		expect(await call('DELETE', `/api/v1/users/${id}/sessions`)).toMatchObject({ status: 204 });
		expect(simulator.hits).toMatchObject({ revokeUserSessions: 2 });
	});
});

describe('one session', () => {
	it('is read and revoked once', async () => {
		okta.addUser({ login: 'nora@example.com' });
		const [first = '', second = ''] = okta.signIn('nora@example.com', 2);
		expect(await get(`/api/v1/sessions/${first}`)).toMatchObject({
			status: 200,
			json: { id: first, login: 'nora@example.com', status: 'ACTIVE', amr: ['pwd'] },
		});
		expect(await call('DELETE', `/api/v1/sessions/${first}`)).toMatchObject({ status: 204 });
		expect(okta.sessionsOf('nora@example.com')).toEqual([second]);
		expectError(await call('DELETE', `/api/v1/sessions/${first}`), 404, 'E0000007');
		expectError(await get(`/api/v1/sessions/${first}`), 404, 'E0000007');
	});
});

describe('System Log', () => {
	let id: string;

	beforeEach(() => {
		({ id } = okta.addUser({ login: 'nora@example.com', sessions: 2 }));
	});

	const clear = () =>
		call('DELETE', `/api/v1/users/${id}/sessions`, { headers: { 'user-agent': 'test/1.0' } });
	const logs = (query: string) => get(`/api/v1/logs?${query}`);
	const about = (type: string) => encode(`eventType eq "${type}" and target.id eq "${id}"`);
	const nextOf = (answer: Answer) =>
		/^<http:\/\/[^/]+(.*)>; rel="next"$/.exec([answer.headers.link ?? []].flat()[1] ?? '')?.[1];

	it('tells of the clear and of every ended session, in one transaction', async () => {
		const sessions = okta.sessionsOf(id);
		const cleared = await clear();
		const all = await logs(`filter=${encode(`target.id eq "${id}"`)}`);
		expect(all.items.map(({ eventType }) => eventType)).toEqual([
			'user.session.clear',
			'user.session.end',
			'user.session.end',
		]);
		for (const event of all.items) {
			expect(event).toMatchObject({
				transaction: {
					id: cleared.headers['x-okta-request-id'],
					detail: { requestApiTokenId: expect.stringMatching(/^00T/) },
				},
				actor: { type: 'User', alternateId: 'admin@example.com', displayName: 'Ada Min' },
				target: [{ id, type: 'User', alternateId: 'nora@example.com' }],
				client: { userAgent: { rawUserAgent: 'test/1.0' } },
				outcome: { result: 'SUCCESS' },
			});
		}
		const ended = await logs(`filter=${about('user.session.end')}`);
		expect(ended.items.map(({ debugContext }) => debugContext)).toMatchObject(
			sessions.map((one) => ({ debugData: { EndedSessionId: one } })),
		);
	});

	it('has no ended sessions on the classic engine', async () => {
		okta.engine = 'classic';
		await clear();
		expect((await logs(`filter=${about('user.session.end')}`)).json).toEqual([]);
		expect((await logs(`filter=${about('user.session.clear')}`)).json).toHaveLength(1);
	});

	it('shows events late, and polling finds them from where it stopped', async () => {
		okta.logLagMs = 600;
		const since = new Date().toISOString();
		await clear();
		const early = await logs(`since=${since}&filter=${about('user.session.clear')}`);
		expect(early.json).toEqual([]);
		const next = nextOf(early) ?? '';
		expect(next).not.toContain('since=');
		await sleep(700);
		const late = await get(next);
		expect(late.json).toHaveLength(1);
		expect((await get(nextOf(late) ?? '')).json).toEqual([]);
		expect(simulator.violations).toEqual([]);
	});

	it('pages a bounded query to its end, in either order', async () => {
		await clear();
		const bounds = `since=${new Date(Date.now() - 5000).toISOString()}&until=${new Date(Date.now() + 5000).toISOString()}`;
		const first = await logs(`${bounds}&limit=2`);
		const second = await get(nextOf(first) ?? '');
		expect([first.items.length, second.items.length, nextOf(second)]).toEqual([2, 1, undefined]);
		const down = await logs(`${bounds}&sortOrder=DESCENDING`);
		expect(down.json).toEqual([...first.items, ...second.items].toReversed());
		const before = await logs(`until=${new Date(Date.now() - 60_000).toISOString()}`);
		expect(before.json).toEqual([]);
		expect((await logs('limit=0')).json).toEqual([]);
	});

	it('finds keywords', async () => {
		await clear();
		expect((await logs('q=nora%20CLEAR')).json).toHaveLength(1);
		expect((await logs('q=nora%20nothing')).json).toEqual([]);
	});

	it.each([
		[
			'filter=eventType eqq "x"',
			'E0000053',
			"Unrecognized attribute operator 'eqq' at position 10",
		],
		['filter=some_field eq "x"', 'E0000053', 'field is not valid: some_field'],
		['filter=published gt "2020-01-01T00:00:00Z"', 'E0000053', 'field is not valid: published'],
		[
			'filter=debugContext.debugData.url co "x"',
			'E0000031',
			'Operator: co, Field: debugContext.debugData.url',
		],
		['since=yesterday', 'E0000001', "'since'"],
		['since=2001-01-01T00:00:00Z', 'E0000053', '180 days'],
		['limit=1001', 'E0000001', 'limit'],
		['sortOrder=asc', 'E0000001', 'sortOrder'],
	])('refuses %s', async (query, code, summary) => {
		const [name = '', ...rest] = query.split('=');
		const answer = await logs(`${name}=${encode(rest.join('='))}`);
		expectError(answer, 400, code);
		expect(answer.problem.errorSummary).toContain(summary);
	});
});

describe('API tokens', () => {
	it('carry the permissions of their admin', async () => {
		const { id } = okta.addUser({ login: 'nora@example.com' });
		const [session = ''] = okta.signIn('nora@example.com');
		const calls: [string, () => Promise<Answer>][] = [
			['users.read', () => get('/api/v1/users')],
			['users.read', () => get(`/api/v1/users/${id}`)],
			['users.lifecycle.clearSessions', () => call('DELETE', `/api/v1/users/${id}/sessions`)],
			['logs.read', () => get('/api/v1/logs')],
			['sessions.read', () => get(`/api/v1/sessions/${session}`)],
			['sessions.manage', () => call('DELETE', `/api/v1/sessions/${session}`)],
		];
		for (const permission of [
			'users.read',
			'users.lifecycle.clearSessions',
			'logs.read',
			'sessions.manage',
		] as const) {
			token = okta.addApiToken({ owner: 'admin@example.com', permissions: [permission] }).token;
			for (const [needed, act] of calls) {
				const covered =
					needed === permission || (needed === 'sessions.read' && permission === 'sessions.manage');
				const answer = await act();
				if (covered) expect(answer.status).not.toBe(403);
				else expectError(answer, 403, 'E0000006');
			}
		}
	});

	it('die when revoked, or with their owner', async () => {
		expectError(await get('/api/v1/users', { authorization: 'SSWS wrong' }), 401, 'E0000011');
		expectError(await get('/api/v1/users', { authorization: 'Basic YTpi' }), 403, 'E0000005');
		const other = okta.addApiToken({ owner: 'admin@example.com' }).token;
		expect(okta.revokeToken(other)).toBe(true);
		expectError(await get('/api/v1/users', { authorization: `SSWS ${other}` }), 401, 'E0000011');
		okta.updateUser('admin@example.com', { status: 'DEPROVISIONED' });
		expectError(await get('/api/v1/users'), 401, 'E0000011');
	});
});

describe('rate limits', () => {
	it('count per bucket, tell when the window ends, and send no Retry-After', async () => {
		okta.setRateLimit('/api/v1/users', { limit: 2, windowMs: 1500 });
		const allowed = [await get('/api/v1/users'), await get('/api/v1/users')];
		const refused = await get('/api/v1/users');
		expect(
			[...allowed, refused].map(({ status, headers }) => [
				status,
				headers['x-rate-limit-remaining'],
			]),
		).toEqual([
			[200, '1'],
			[200, '0'],
			[429, '0'],
		]);
		expectError(refused, 429, 'E0000047');
		expect(refused.headers).not.toHaveProperty('retry-after');
		const reset = Number(refused.headers['x-rate-limit-reset']) * 1000;
		expect(reset).toBeGreaterThan(Date.now());
		expect(await get('/api/v1/users/me')).toMatchObject({ status: 200 });
		await sleep(reset - Date.now() + 20);
		expect(await get('/api/v1/users')).toMatchObject({
			status: 200,
			headers: { 'x-rate-limit-remaining': '1' },
		});
	});

	it("are told by the vendor's clock", async () => {
		okta.clockSkewMs = 3_600_000;
		okta.setRateLimit('/api/v1/users', { limit: 0, windowMs: 2000 });
		const { headers } = await get('/api/v1/users');
		const wait = Number(headers['x-rate-limit-reset']) * 1000 - Date.parse(String(headers.date));
		expect(wait).toBeGreaterThanOrEqual(1000);
		expect(wait).toBeLessThanOrEqual(4000);
		expect(Date.parse(String(headers.date))).toBeGreaterThan(Date.now() + 3_500_000);
	});

	it('also limit what is in flight', async () => {
		okta.setConcurrency(2);
		simulator.latencyMs = 300;
		const answers = await Promise.all(Array.from({ length: 4 }, () => get('/api/v1/users')));
		const refused = answers.filter(({ status }) => status === 429);
		expect(refused).toHaveLength(2);
		for (const one of refused) {
			expectError(one, 429, 'E0000047');
			expect(one.headers).toMatchObject({
				'x-rate-limit-limit': '0',
				'x-rate-limit-remaining': '0',
			});
		}
		simulator.latencyMs = 0;
		expect(await get('/api/v1/users')).toMatchObject({ headers: { 'x-rate-limit-limit': '600' } });
	});

	it('can be feigned in both forms', async () => {
		simulator.faults.next({ fault: { kind: 'rateLimit', resetInSeconds: 3 } });
		simulator.faults.next({ fault: { kind: 'rateLimit', form: 'concurrency' } });
		expect((await get('/api/v1/users')).headers).toMatchObject({
			'x-rate-limit-limit': '600',
			'x-rate-limit-remaining': '0',
		});
		expect((await get('/api/v1/users')).headers).toMatchObject({ 'x-rate-limit-limit': '0' });
	});
});

describe('service apps', () => {
	let keys: { privateKey: CryptoKey; jwk: JWK };
	let clientId: string;

	const makeKeys = async (algorithm: string, kid: string) => {
		const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
		return {
			privateKey,
			jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' },
		};
	};

	beforeEach(async () => {
		keys = await makeKeys('ES256', 'key-1');
		({ clientId } = okta.addServiceApp({
			publicJwk: keys.jwk,
			scopes: ['okta.users.read', 'okta.users.manage', 'okta.logs.read'],
		}));
	});

	const now = () => Math.floor(Date.now() / 1000);

	async function assertion(
		claims: Record<string, unknown> = {},
		header: { alg?: string; kid?: string | null } = {},
		key = keys.privateKey,
	): Promise<string> {
		const whole = {
			iss: clientId,
			sub: clientId,
			aud: `${simulator.url}/oauth2/v1/token`,
			iat: now(),
			exp: now() + 300,
			jti: randomUUID(),
			...claims,
		};
		const { alg = 'ES256', kid = 'key-1' } = header;
		return new SignJWT(whole)
			.setProtectedHeader({ alg, ...(kid === null ? {} : { kid }) })
			.sign(key);
	}

	async function askToken(
		form: Record<string, string> = {},
		headers: Record<string, string> = {},
	): Promise<Answer> {
		const body = new URLSearchParams({
			grant_type: 'client_credentials',
			scope: 'okta.users.read',
			client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
			client_assertion: form.client_assertion ?? (await assertion()),
			...form,
		});
		return call('POST', '/oauth2/v1/token', {
			authorization: null,
			headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
			body: body.toString(),
		});
	}

	const accessToken = async (scope: string) =>
		((await askToken({ scope })).json as { access_token: string }).access_token;

	it('get a token for an hour with a signed assertion', async () => {
		const answer = await askToken({ scope: 'okta.users.read okta.users.manage' });
		expect(answer).toMatchObject({
			status: 200,
			json: {
				token_type: 'Bearer',
				expires_in: 3600,
				scope: 'okta.users.read okta.users.manage',
				access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
			},
		});
		expect(simulator.violations).toEqual([]);
	});

	it.each(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'])('sign with %s', async (alg) => {
		const other = await makeKeys(alg, 'other');
		({ clientId } = okta.addServiceApp({
			publicJwk: [keys.jwk, other.jwk],
			scopes: ['okta.users.read'],
		}));
		for (const kid of ['other', null]) {
			const signed = await assertion({}, { alg, kid }, other.privateKey);
			expect(await askToken({ client_assertion: signed })).toMatchObject({ status: 200 });
		}
	});

	const refusals: [string, () => Promise<string>, string][] = [
		['not a JWT', () => Promise.resolve('nonsense'), 'parsing'],
		[
			'another key',
			async () => assertion({}, {}, (await makeKeys('ES256', 'key-1')).privateKey),
			'signature is invalid',
		],
		['an unknown kid', () => assertion({}, { kid: 'key-2' }), 'kid'],
		[
			'PS256',
			async () => assertion({}, { alg: 'PS256' }, (await makeKeys('PS256', 'key-1')).privateKey),
			'algorithm',
		],
		['an unknown issuer', () => assertion({ iss: '0oaNobody' }), 'issuer'],
		['another subject', () => assertion({ sub: '0oaNobody' }), 'subject'],
		['the org as audience', () => assertion({ aud: simulator.url }), 'audience'],
		['no expiry', () => assertion({ exp: undefined }), "'exp'"],
		['a past expiry', () => assertion({ exp: now() - 1 }), 'expired'],
		['an expiry in more than an hour', () => assertion({ exp: now() + 3700 }), 'too far'],
		[
			'an issue time in the future',
			() => assertion({ iat: now() + 60 }),
			'before the current time',
		],
	];

	it.each(refusals)('are refused with %s', async (_name, make, description) => {
		const answer = await askToken({ client_assertion: await make() });
		expect(answer).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
		expect(answer.problem.error_description).toContain(description);
	});

	it('cannot replay an assertion', async () => {
		const once = await assertion();
		expect(await askToken({ client_assertion: once })).toMatchObject({ status: 200 });
		expect(await askToken({ client_assertion: once })).toMatchObject({
			status: 401,
			json: { error_description: 'The client_assertion token has already been used.' },
		});
	});

	it.each([
		[{ grant_type: 'password' }, 400, 'unsupported_grant_type'],
		[{ client_assertion_type: 'x' }, 400, 'invalid_request'],
		[{ scope: '' }, 400, 'invalid_scope'],
		[{ scope: 'okta.users.read okta.apps.read' }, 400, 'invalid_scope'],
	])('are refused with %j', async (form, status, error) => {
		expect(await askToken(form as Record<string, string>)).toMatchObject({
			status,
			json: { error },
		});
	});

	it('cannot use a secret', async () => {
		const answer = await call('POST', '/oauth2/v1/token', {
			authorization: 'Basic YTpi',
			headers: { 'content-type': 'application/x-www-form-urlencoded' },
			body: 'grant_type=client_credentials&scope=okta.users.read',
		});
		expect(answer).toMatchObject({ status: 401, json: { error: 'invalid_client' } });
		expect(answer.problem.error_description).toContain('private_key_jwt');
	});

	it('may get fewer scopes than asked, where the org drops them', async () => {
		({ clientId } = okta.addServiceApp({
			publicJwk: keys.jwk,
			scopes: ['okta.users.read'],
			excessScopes: 'drop',
		}));
		expect(await askToken({ scope: 'okta.users.read okta.users.manage' })).toMatchObject({
			status: 200,
			json: { scope: 'okta.users.read' },
		});
	});

	it('act with the scopes of the token', async () => {
		const { id } = okta.addUser({ login: 'nora@example.com', sessions: 1 });
		const reader = { authorization: `Bearer ${await accessToken('okta.users.read')}` };
		const manager = { authorization: `Bearer ${await accessToken('okta.users.manage')}` };
		const auditor = { authorization: `Bearer ${await accessToken('okta.logs.read')}` };
		expect(await get(`/api/v1/users/${id}`, reader)).toMatchObject({ status: 200 });
		expect(await get(`/api/v1/users/${id}`, manager)).toMatchObject({ status: 200 });
		const refused = await call('DELETE', `/api/v1/users/${id}/sessions`, reader);
		expect(refused).toMatchObject({ status: 403, text: '' });
		expect(refused.headers['www-authenticate']).toMatch(
			/^Bearer .*scope="okta\.users\.manage", error="insufficient_scope", .*resource="\/api\/v1\/users\/00u\w+\/sessions"$/,
		);
		expect(await call('DELETE', `/api/v1/users/${id}/sessions`, manager)).toMatchObject({
			status: 204,
		});
		expect(await get('/api/v1/logs', manager)).toMatchObject({ status: 403 });
		expect(await get('/api/v1/logs', auditor)).toMatchObject({
			json: [
				{ actor: { id: clientId }, client: { id: clientId }, transaction: { detail: {} } },
				{},
			],
		});
		expect(await get('/api/v1/sessions/x', manager)).toMatchObject({ status: 403 });
		// `me` is the user of an API token; an app has none.
		expectError(await get('/api/v1/users/me', reader), 404, 'E0000007');
	});

	it('also need the permission of their role', async () => {
		({ clientId } = okta.addServiceApp({
			publicJwk: keys.jwk,
			scopes: ['okta.users.manage'],
			permissions: ['users.read'],
		}));
		const authorization = `Bearer ${await accessToken('okta.users.manage')}`;
		expect(await get('/api/v1/users', { authorization })).toMatchObject({ status: 200 });
		const id = okta.user('admin@example.com').id;
		expectError(
			await call('DELETE', `/api/v1/users/${id}/sessions`, { authorization }),
			403,
			'E0000006',
		);
	});

	it('lose a token when it expires or is revoked', async () => {
		const access = await accessToken('okta.users.read');
		const authorization = `Bearer ${access}`;
		okta.clockSkewMs = 3_601_000;
		const expired = await get('/api/v1/users', { authorization });
		expectError(expired, 401, 'E0000011');
		expect(expired.headers['www-authenticate']).toContain('error="invalid_token"');
		okta.clockSkewMs = 0;
		expect(await get('/api/v1/users', { authorization })).toMatchObject({ status: 200 });
		okta.revokeToken(access);
		expectError(await get('/api/v1/users', { authorization }), 401, 'E0000011');
	});

	describe('with DPoP', () => {
		let proofKeys: { privateKey: CryptoKey; jwk: JWK };
		let nonce: string | undefined;

		beforeEach(async () => {
			nonce = undefined;
			proofKeys = await makeKeys('RS256', 'proof');
			({ clientId } = okta.addServiceApp({
				publicJwk: keys.jwk,
				scopes: ['okta.users.read'],
				dpop: true,
			}));
		});

		async function proof(
			method: string,
			path: string,
			claims: Record<string, unknown> = {},
			header: Record<string, unknown> = {},
			key = proofKeys,
		): Promise<string> {
			return new SignJWT({
				htm: method,
				htu: simulator.url + path,
				iat: now(),
				jti: randomUUID(),
				...claims,
			})
				.setProtectedHeader({ typ: 'dpop+jwt', alg: 'RS256', jwk: key.jwk, ...header })
				.sign(key.privateKey);
		}

		const tokenProof = (claims: Record<string, unknown> = {}, header = {}) =>
			proof(
				'POST',
				'/oauth2/v1/token',
				nonce === undefined ? claims : { nonce, ...claims },
				header,
			);

		async function boundToken(): Promise<string> {
			const challenge = await askToken({}, { dpop: await tokenProof() });
			nonce = String(challenge.headers['dpop-nonce']);
			const answer = await askToken({}, { dpop: await tokenProof() });
			return (answer.json as { access_token: string }).access_token;
		}

		const ath = (access: string) => createHash('sha256').update(access).digest('base64url');

		it('are asked for a nonce first', async () => {
			expect(await askToken()).toMatchObject({
				status: 400,
				json: {
					error: 'invalid_dpop_proof',
					error_description: 'The DPoP proof JWT header is missing.',
				},
			});
			const challenge = await askToken({}, { dpop: await tokenProof({ jti: undefined }) });
			expect(challenge).toMatchObject({ status: 400, json: { error: 'use_dpop_nonce' } });
			nonce = String(challenge.headers['dpop-nonce']);
			const answer = await askToken({}, { dpop: await tokenProof() });
			expect(answer).toMatchObject({ status: 200, json: { token_type: 'DPoP' } });
			okta.auth.rotateNonce();
			expect(await askToken({}, { dpop: await tokenProof() })).toMatchObject({ status: 200 });
			okta.auth.rotateNonce(true);
			expect(await askToken({}, { dpop: await tokenProof() })).toMatchObject({
				json: { error: 'use_dpop_nonce' },
			});
		});

		const wrongProofs: [string, () => Promise<string>, string][] = [
			['of another method', () => tokenProof({ htm: 'GET' }), "'htm'"],
			['of another address', () => tokenProof({ htu: `${simulator.url}/` }), "'htu'"],
			['without a time', () => tokenProof({ iat: undefined }), "'iat'"],
			['from the future', () => tokenProof({ iat: now() + 60 }), 'in the future'],
			['that is old', () => tokenProof({ iat: now() - 301 }), 'five minutes'],
			['of another type', () => tokenProof({}, { typ: 'JWT' }), "'typ'"],
			[
				'with another key',
				async () => tokenProof({}, { jwk: (await makeKeys('RS256', 'x')).jwk }),
				'signature is invalid',
			],
			[
				'with a private key',
				async () => tokenProof({}, { jwk: await exportJWK(proofKeys.privateKey) }),
				'is invalid',
			],
			['that is no JWT', () => Promise.resolve('nonsense'), 'cannot be parsed'],
			['twice', async () => `${await tokenProof()},${await tokenProof()}`, 'Multiple'],
		];

		it.each(wrongProofs)('are refused with a proof %s', async (_name, make, description) => {
			await boundToken();
			const answer = await askToken({}, { dpop: await make() });
			expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_dpop_proof' } });
			expect(answer.problem.error_description).toContain(description);
		});

		it('need a fresh, bound proof for every call', async () => {
			const access = await boundToken();
			const good = (claims: Record<string, unknown> = {}) =>
				proof('GET', '/api/v1/users', { ath: ath(access), ...claims });
			const ask = async (dpop: string | undefined, scheme = 'DPoP') =>
				get('/api/v1/users?limit=1', {
					authorization: `${scheme} ${access}`,
					headers: dpop === undefined ? {} : { dpop },
				});
			const problem = ({ status, text, headers }: Answer) => [
				status,
				text,
				/error="(\w+)"/.exec(String(headers['www-authenticate']))?.[1],
			];
			const used = await good();
			expect(await ask(used)).toMatchObject({ status: 200 });
			expect(problem(await ask(used))).toEqual([400, '', 'invalid_dpop_proof']);
			expect((await ask(await good())).status).toBe(200);
			expect(problem(await ask(undefined))).toEqual([400, '', 'invalid_request']);
			expect(problem(await ask(await good(), 'Bearer'))).toEqual([400, '', 'invalid_request']);
			for (const claims of [
				{ ath: 'x' },
				{ ath: undefined },
				{ jti: undefined },
				{ htm: 'POST' },
				{ htu: `${simulator.url}/api/v1/users?limit=1` },
			]) {
				expect(problem(await ask(await good(claims)))).toEqual([400, '', 'invalid_dpop_proof']);
			}
			const stranger = await makeKeys('RS256', 'stranger');
			const foreign = await proof('GET', '/api/v1/users', { ath: ath(access) }, {}, stranger);
			const refused = await ask(foreign);
			expect(problem(refused)).toEqual([400, '', 'invalid_dpop_proof']);
			expect(refused.headers['www-authenticate']).toMatch(/^DPoP algs="RS256 /);
		});

		it('are no different for an app that does not require it', async () => {
			({ clientId } = okta.addServiceApp({ publicJwk: keys.jwk, scopes: ['okta.users.read'] }));
			const answer = await askToken({}, { dpop: await tokenProof() });
			expect(answer).toMatchObject({ status: 200, json: { token_type: 'Bearer' } });
			const authorization = `DPoP ${(answer.json as { access_token: string }).access_token}`;
			expectError(await get('/api/v1/users', { authorization }), 401, 'E0000011');
		});
	});
});

it('goes back to the demo seed, with the same ids', async () => {
	const demo = createOkta({ seed: seedDemo });
	const before = demo.allUsers().map(({ id, profile }) => [id, profile.login]);
	await simulator.close();
	simulator = await startSimulator(demo);
	token = DEMO_OKTA_API_TOKEN;
	const { id } = demo.user('nora.lindqvist@example.com');
	expect(await call('DELETE', `/api/v1/users/${id}/sessions`)).toMatchObject({ status: 204 });
	demo.addUser({ login: 'extra@example.com' });
	demo.reset();
	expect(demo.allUsers().map((user) => [user.id, user.profile.login])).toEqual(before);
	expect(demo.sessionsOf(id)).toHaveLength(4);
	expect(before.map(([, login]) => login)).toEqual(
		expect.arrayContaining(['factory/line-2@example.com', 'mei.tanaka+contractor@example.com']),
	);
	const shared = demo.allUsers().filter(({ profile }) => profile.email === 'frontdesk@example.com');
	expect(shared).toHaveLength(2);
	const state = (await get('/__simulator/state', { authorization: null })).json;
	expect(state).toMatchObject({
		apiTokens: [{ token: DEMO_OKTA_API_TOKEN }],
		users: expect.arrayContaining([expect.objectContaining({ id, sessions: demo.sessionsOf(id) })]),
	});
	const signIn = await call('POST', '/__simulator/actions/signIn', {
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ user: 'lena.fischer@example.com', times: 2 }),
	});
	expect(signIn.json).toEqual({ result: demo.sessionsOf('lena.fischer@example.com') });
});
