import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Dispatcher, request as http } from 'undici';
import { createMiro, type Miro } from './miro';
import { DEMO_MIRO_ACCESS_TOKEN, seedMiroDemo } from './miro-demo';
import type { MiroAccessTokenInit, MiroMember } from './miro-org';
import { type Simulator, startSimulator } from './simulator';

const ADMIN = 'admin.automation@example.com';
const NORA = 'nora.lindqvist@example.com';
const PLUS = 'mei.tanaka+contractor@example.com';
const GUEST = 'sam.rivera@example.com';
const EXTERNAL = 'jonas.weber@partner.example.org';
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

let miro: Miro;
let simulator: Simulator;

beforeEach(async () => {
	miro = createMiro({ seed: seedMiroDemo });
	simulator = await startSimulator(miro);
});

afterEach(async () => {
	await simulator.close();
});

interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	text: string;
	json: unknown;
}

interface Options {
	headers?: Record<string, string>;
	body?: string;
	bearer?: string | null;
}

async function call(
	method: Dispatcher.HttpMethod,
	path: string,
	{ bearer = DEMO_MIRO_ACCESS_TOKEN, headers, body }: Options = {},
): Promise<Answer> {
	const answer = await http(simulator.url + path, {
		method,
		headers: { ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }), ...headers },
		...(body === undefined ? {} : { body }),
	});
	const text = await answer.body.text();
	const json: unknown = text === '' ? undefined : JSON.parse(text);
	return { status: answer.statusCode, headers: answer.headers, text, json };
}

const encode = encodeURIComponent;
const members = (query = '', options?: Options) =>
	call('GET', `/v2/orgs/${miro.organizationId}/members${query}`, options);
const find = (...emails: string[]) => members(`?emails=${encode(emails.join(','))}`);
const member = (id: string, options?: Options) =>
	call('GET', `/v2/orgs/${miro.organizationId}/members/${id}`, options);
const tokenInfo = (options?: Options) => call('GET', '/v1/oauth-token', options);
const reset = (email: string, options?: Options) =>
	call('POST', `/v2/sessions/reset_all?email=${encode(email)}`, options);
const emailsOf = ({ json }: Answer) => (json as MiroMember[]).map(({ email }) => email);
const problem = ({ status, json }: Answer) => [status, (json as { code?: string }).code];
const idOf = (email: string) => miro.getUser(email)?.id ?? '';
const tokenOf = (init: Partial<MiroAccessTokenInit>) =>
	miro.addAccessToken({ user: ADMIN, ...init });

it('has a source for every route, at the vendor', () => {
	for (const { source } of simulator.routes) {
		expect(source).toMatch(/^https:\/\/developers\.miro\.com\/reference\//);
	}
});

it('has one error object for everything', async () => {
	simulator.faults.next({ fault: { kind: 'status', status: 500 } });
	const answers = [
		await members(),
		await members('', { bearer: null }),
		await members('', { bearer: 'unknown' }),
		await call('GET', '/v2/nowhere'),
		await call('DELETE', '/v1/oauth-token'),
		await reset('nobody@example.com'),
	];
	expect(answers.map(({ json }) => json)).toEqual(
		[
			[500, 'internalError'],
			[401, 'tokenNotProvided'],
			[401, 'tokenNotFound'],
			[404, 'notFound'],
			[404, 'notFound'],
			[404, 'notFound'],
		].map(([status, code]) => ({ status, code, message: expect.any(String), type: 'error' })),
	);
	for (const { headers, status, json } of answers) {
		expect(headers['content-type']).toBe('application/json');
		expect((json as { status: number }).status).toBe(status);
	}
	expect(simulator.unmatched).toHaveLength(2);
	expect(simulator.violations).toEqual([]);
});

describe("the token's own information", () => {
	it('tells organization, team, scopes, and whom the token acts for', async () => {
		const bearer = tokenOf({ createdBy: NORA, scopes: ['sessions:delete'] });
		expect(await tokenInfo({ bearer })).toMatchObject({
			status: 200,
			json: {
				type: 'oAuthToken',
				organization: {
					type: 'organization',
					name: 'Example Corporation',
					id: miro.organizationId,
				},
				team: { type: 'team', name: 'Example Team', id: expect.stringMatching(/^\d+$/) },
				createdBy: { type: 'user', name: 'Nora Lindqvist', id: idOf(NORA) },
				user: { type: 'user', name: 'Automation Admin', id: idOf(ADMIN) },
				scopes: ['sessions:delete'],
			},
		});
		expect(simulator.violations).toEqual([]);
	});

	it('can lack the organization and the scopes', async () => {
		const bearer = tokenOf({ inOrganization: false });
		expect((await tokenInfo({ bearer })).json).not.toHaveProperty('organization');
		miro.showsScopes = false;
		const { json } = await tokenInfo();
		expect(json).toHaveProperty('organization');
		expect(json).not.toHaveProperty('scopes');
	});

	it('refuses a bad token with 400, or with 401', async () => {
		const refused = { status: 400, code: 'invalidParameters', message: 'Invalid token provided' };
		for (const bearer of ['unknown', null]) {
			expect((await tokenInfo({ bearer })).json).toEqual({ ...refused, type: 'error' });
		}
		simulator.faults.next({ match: 'token-info', fault: { kind: 'status', status: 400 } });
		expect((await tokenInfo()).json).toMatchObject(refused);
		miro.badTokenStatus = 401;
		expect(problem(await tokenInfo({ bearer: 'unknown' }))).toEqual([401, 'tokenNotFound']);
	});

	it('takes no token in the URL', async () => {
		const answer = await call('GET', `/v1/oauth-token?access_token=${DEMO_MIRO_ACCESS_TOKEN}`, {
			bearer: null,
		});
		expect(answer.status).toBe(400);
		expect(simulator.violations).toEqual([expect.stringContaining('access_token')]);
	});
});

describe('tokens', () => {
	it('open what their scopes are documented to open', async () => {
		const cases: [string[], number, number, number][] = [
			[[], 403, 403, 403],
			[['organizations:read'], 200, 200, 403],
			[['sessions:delete'], 403, 403, 200],
			[['boards:read', 'organizations:teams:read'], 403, 403, 403],
		];
		for (const [scopes, ...expected] of cases) {
			const bearer = tokenOf({ scopes });
			const answers = [
				await members('', { bearer }),
				await member(idOf(NORA), { bearer }),
				await reset(NORA, { bearer }),
			];
			expect([scopes, ...answers.map(({ status }) => status)]).toEqual([scopes, ...expected]);
			for (const answer of answers.filter(({ status }) => status === 403)) {
				expect(problem(answer)).toEqual([403, 'insufficientPermissions']);
			}
			expect((await tokenInfo({ bearer })).status).toBe(200);
		}
		miro.missingScopeCode = 'forbiddenAccess';
		const denied = await members('', { bearer: tokenOf({ scopes: [] }) });
		expect(problem(denied)).toEqual([403, 'forbiddenAccess']);
		expect(miro.resetsOf(NORA)).toBe(1);
	});

	it('must act for a Company Admin of an Enterprise organization', async () => {
		const bearers = [tokenOf({ user: NORA }), tokenOf({ inOrganization: false })];
		for (const bearer of bearers) {
			expect(problem(await members('', { bearer }))).toEqual([403, 'forbiddenAccess']);
			expect(problem(await reset(NORA, { bearer }))).toEqual([403, 'forbiddenAccess']);
		}
		miro.updateUser(NORA, { role: 'organization_internal_admin' });
		expect((await members('', { bearer: bearers[0] ?? '' })).status).toBe(200);
	});

	it('end when they expire, when they are withdrawn, and with their member', async () => {
		const expiring = tokenOf({ lifeSeconds: 3600 });
		const noras = tokenOf({ user: NORA });
		expect((await members('', { bearer: expiring })).status).toBe(200);
		miro.clockSkewMs = 3_600_000;
		expect(problem(await members('', { bearer: expiring }))).toEqual([401, 'tokenNotFound']);
		expect((await tokenInfo({ bearer: noras })).status).toBe(200);
		miro.removeUser(NORA);
		expect((await tokenInfo({ bearer: noras })).status).toBe(400);
		expect((await members()).status).toBe(200);
		miro.withdrawTokens();
		expect(problem(await members())).toEqual([401, 'tokenNotFound']);
	});
});

describe('members by address', () => {
	it('are a bare list, without those that nobody has', async () => {
		const answer = await find(NORA.toUpperCase(), 'nobody@example.com', 'priya.nair@example.com');
		expect([answer.status, answer.json]).toEqual([
			200,
			[
				{
					type: 'organization-member',
					id: idOf(NORA),
					email: NORA,
					active: true,
					role: 'organization_internal_user',
					license: 'full',
					licenseAssignedAt: expect.stringMatching(TIME),
					lastActivityAt: expect.stringMatching(TIME),
				},
				expect.objectContaining({ email: 'priya.nair@example.com', active: false }),
			],
		]);
		expect((await find('nobody@example.com')).json).toEqual([]);
		expect((await find('lena.fischer@example.com')).json).toEqual([
			expect.not.objectContaining({ lastActivityAt: expect.anything() }),
		]);
		expect(emailsOf(await find(GUEST, EXTERNAL, PLUS, GUEST))).toEqual([GUEST, EXTERNAL, PLUS]);
		expect(Number.isSafeInteger(Number(idOf(NORA)))).toBe(false);
		expect(simulator.violations).toEqual([]);
	});

	it('are at most ten addresses in one request', async () => {
		const many = Array.from({ length: 11 }, (_, index) => `${String(index)}@example.com`);
		expect((await find(...many.slice(1))).status).toBe(200);
		const refused = await find(...many);
		expect(refused.json).toEqual({
			status: 400,
			code: 'invalidParameters',
			message: expect.any(String),
			context: {
				fields: [{ field: 'emails', reason: 'invalid', message: expect.stringContaining('10') }],
			},
			type: 'error',
		});
		expect(problem(await members('?emails='))).toEqual([400, 'invalidParameters']);
		expect(problem(await find(NORA, ''))).toEqual([400, 'invalidParameters']);
	});

	it('do not become others by what a query does to them', async () => {
		expect((await members(`?emails=${PLUS}`)).json).toEqual([]);
		expect(emailsOf(await members(`?emails=${PLUS.replace('+', '%2B')},${NORA}`))).toEqual([
			PLUS,
			NORA,
		]);
		expect(simulator.violations).toEqual([expect.stringContaining('%2B')]);
		simulator.forget();
		expect((await find('"two words"@example.com')).json).toEqual([]);
		expect(simulator.violations).toEqual([]);
		expect((await find(idOf(NORA))).json).toEqual([]);
		expect(emailsOf(await members(`?emails=${NORA}&active=false`))).toEqual([NORA]);
		await members(`?emails=${NORA}&filter=x`);
		expect(simulator.violations.join('\n')).toMatch(
			/not \d+\n.*active is ignored[^]*undocumented query parameter filter/,
		);
	});
});

describe('members page by page', () => {
	it('come with a cursor until there are no more', async () => {
		const first = await members('?limit=5');
		const { data } = first.json as { data: MiroMember[] };
		expect(first.json).toEqual({
			limit: 5,
			size: 5,
			data: miro.allUsers().slice(0, 5),
			cursor: data[4]?.id,
			type: 'cursor-list',
		});
		const second = await members(`?limit=5&cursor=${data[4]?.id ?? ''}`);
		expect(second.json).toEqual({
			limit: 5,
			size: 4,
			data: miro.allUsers().slice(5),
			type: 'cursor-list',
		});
		expect((await members()).json).toMatchObject({ limit: 100, size: 9 });
		expect(simulator.violations).toEqual([]);
	});

	it('can be filtered by role, license and state', async () => {
		const cases: [string, string[]][] = [
			['role=organization_external_user', [EXTERNAL]],
			['license=occasional', [PLUS]],
			['active=false', ['priya.nair@example.com']],
			['active=false&license=free', []],
		];
		for (const [query, expected] of cases) {
			const { json } = await members(`?${query}`);
			expect((json as { data: MiroMember[] }).data.map(({ email }) => email)).toEqual(expected);
		}
		for (const query of ['role=x', 'license=x', 'active=1', 'limit=0', 'limit=101', 'cursor=1']) {
			const refused = await members(`?${query}`);
			expect([query, ...problem(refused)]).toEqual([query, 400, 'invalidParameters']);
		}
		expect(simulator.violations).toEqual([]);
	});
});

describe('one member', () => {
	it('is found by id, and by nothing else', async () => {
		expect((await member(idOf(NORA))).json).toEqual(miro.getUser(NORA));
		for (const other of ['1', 'me', encode(NORA)]) {
			expect(problem(await member(other))).toEqual([404, 'notFound']);
		}
		expect(simulator.violations).toEqual([]);
	});
});

it("knows the token's own organization only", async () => {
	const elsewhere = ['/v2/orgs/1/members', `/v2/orgs/1/members/${idOf(NORA)}`];
	for (const path of elsewhere) expect(problem(await call('GET', path))).toEqual([404, 'notFound']);
	miro.foreignOrganizationStatus = 403;
	for (const path of elsewhere) {
		expect(problem(await call('GET', path))).toEqual([403, 'forbiddenAccess']);
	}
});

describe('a reset of sessions', () => {
	it('ends all sessions of one member and answers 200 without content', async () => {
		const { id } = miro.signIn(NORA, 'Safari on iOS');
		expect(miro.sessionsOf(NORA).at(-1)).toEqual({
			id,
			device: 'Safari on iOS',
			createdAt: expect.stringMatching(TIME),
		});
		expect([miro.isLive(id), miro.sessionsOf(NORA).length]).toEqual([true, 4]);
		const answer = await reset(NORA.toUpperCase());
		expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([
			200,
			'',
			undefined,
		]);
		expect([miro.isLive(id), miro.sessionsOf(NORA)]).toEqual([false, []]);
		expect(miro.sessionsOf('tomas.okafor@example.com')).toHaveLength(2);
		expect((await reset(NORA)).status).toBe(200);
		expect(miro.resetsOf(NORA)).toBe(2);
		miro.signIn(NORA);
		expect(miro.sessionsOf(NORA)).toHaveLength(1);
		miro.resetBody = 'object';
		expect((await reset('priya.nair@example.com')).json).toEqual({});
		expect(miro.sessionsOf('priya.nair@example.com')).toEqual([]);
		expect(simulator.violations).toEqual([]);
	});

	it('leaves the token alone, also that of the member itself', async () => {
		expect((await reset(ADMIN)).status).toBe(200);
		expect(miro.sessionsOf(ADMIN)).toEqual([]);
		expect((await tokenInfo()).status).toBe(200);
	});

	it('needs the exact address of a member', async () => {
		expect((await reset(PLUS)).status).toBe(200);
		expect(miro.sessionsOf(PLUS)).toEqual([]);
		expect(problem(await reset('nora@example.com'))).toEqual([404, 'notFound']);
		expect(problem(await reset(''))).toEqual([400, 'invalidParameters']);
		expect(problem(await call('POST', '/v2/sessions/reset_all'))[0]).toBe(400);
		expect(simulator.violations).toEqual([]);
		expect((await call('POST', `/v2/sessions/reset_all?email=${PLUS}`)).status).toBe(404);
		expect((await reset(idOf(NORA))).status).toBe(404);
		expect(simulator.violations.join('\n')).toMatch(/%2B[^]*takes e-mail addresses/);
		expect([miro.resetsOf(PLUS), miro.resetsOf(NORA)]).toEqual([1, 0]);
	});

	it('takes no body', async () => {
		const headers = { 'content-type': 'application/json' };
		expect((await reset(NORA, { headers, body: '{}' })).status).toBe(200);
		expect((await reset(NORA, { headers })).status).toBe(200);
		expect(simulator.violations).toHaveLength(2);
	});

	it('can refuse guests and external users, or not know them', async () => {
		expect((await reset(GUEST)).status).toBe(200);
		expect(miro.sessionsOf(GUEST)).toEqual([]);
		miro.guestReset = 'notFound';
		expect(problem(await reset(EXTERNAL))).toEqual([404, 'notFound']);
		miro.guestReset = 'forbidden';
		expect(problem(await reset(EXTERNAL))).toEqual([403, 'forbiddenAccess']);
		expect(miro.sessionsOf(EXTERNAL)).toHaveLength(2);
		expect((await reset(NORA)).status).toBe(200);
	});
});

describe('rate limits', () => {
	const left = ({ headers }: Answer) => headers['x-ratelimit-remaining'];

	it('are counted in credits, and told in every answer', async () => {
		const answers = [
			await tokenInfo(),
			await find(NORA),
			await member(idOf(NORA)),
			await reset(NORA),
			await reset('nobody@example.com'),
		];
		expect(answers.map(left)).toEqual(['99950', '99450', '98950', '98450', '97950']);
		const now = Date.now() / 1000;
		for (const { headers } of [...answers, await members('', { bearer: null })]) {
			expect(headers['x-ratelimit-limit']).toBe('100000');
			expect(headers['x-ratelimit-reset']).toMatch(/^\d{10}$/);
			expect(Number(headers['x-ratelimit-reset'])).toBeLessThanOrEqual(now + 61);
			expect(Number(headers['x-ratelimit-reset'])).toBeGreaterThan(now + 50);
		}
	});

	it('turn away what is over the limit, for each user and app', async () => {
		miro.setRateLimit({ limit: 1000, windowMs: 60_000 });
		expect([left(await reset(NORA)), left(await reset(NORA))]).toEqual(['500', '0']);
		const refused = await reset(NORA);
		expect([refused.status, refused.json]).toEqual([
			429,
			{
				status: 429,
				code: 'tooManyRequests',
				message: 'Request rate limit exceed',
				context: null,
				type: 'error',
			},
		]);
		expect(refused.headers).not.toHaveProperty('retry-after');
		expect(miro.resetsOf(NORA)).toBe(2);
		expect((await reset(NORA, { bearer: tokenOf({}) })).status).toBe(429);
		expect((await reset(NORA, { bearer: tokenOf({ app: 'another' }) })).status).toBe(200);
		miro.clockSkewMs = 61_000;
		expect(left(await reset(NORA))).toBe('500');
		miro.reset();
		expect(left(await tokenInfo())).toBe('950');
	});

	it('can be simulated', async () => {
		simulator.faults.next({ fault: { kind: 'rateLimit', resetInSeconds: 30 } });
		const { headers, ...answer } = await reset(NORA);
		expect(problem({ headers, ...answer })).toEqual([429, 'tooManyRequests']);
		expect(headers['x-ratelimit-remaining']).toBe('0');
		expect(Number(headers['x-ratelimit-reset']) - Date.now() / 1000).toBeGreaterThan(28);
		expect(miro.resetsOf(NORA)).toBe(0);
		simulator.faults.next({ fault: { kind: 'serverError', status: 502, html: true } });
		const page = await http(`${simulator.url}/v1/oauth-token`);
		expect(page.headers).not.toHaveProperty('x-ratelimit-limit');
		expect(await page.body.text()).toContain('<html>');
	});
});

describe('the organization', () => {
	it('goes back to its seed, switches included', async () => {
		const before = JSON.stringify(miro.state());
		const { id } = miro.addUser({ email: 'new@example.com', sessions: 1 });
		expect((await member(id)).status).toBe(200);
		expect(() => miro.addUser({ email: 'NEW@example.com' })).toThrow('already');
		expect(() => miro.addUser({ email: 'newer@example.com', id })).toThrow('already');
		miro.updateUser('new@example.com', { email: 'other@example.com', active: false });
		expect((await find('new@example.com')).json).toEqual([]);
		expect(emailsOf(await find('other@example.com'))).toEqual(['other@example.com']);
		expect(() => miro.signIn('other@example.com')).toThrow('deactivated');
		expect(() => miro.signIn('nobody@example.com')).toThrow('no member');
		miro.guestReset = 'forbidden';
		miro.removeUser(NORA);
		miro.reset();
		expect(miro.guestReset).toBe('reset');
		const shape = (text: string) => text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time');
		expect(shape(JSON.stringify(miro.state()))).toBe(shape(before));
		expect(before).not.toContain(DEMO_MIRO_ACCESS_TOKEN);
		expect((await members()).status).toBe(200);
	});

	it('offers what people do to other processes', async () => {
		const act = (action: string, input: unknown) =>
			call('POST', `/__simulator/actions/${action}`, {
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify(input),
			});
		await act('addUser', { email: 'remote@example.com' });
		await act('signIn', { user: 'remote@example.com' });
		expect(miro.sessionsOf('remote@example.com')).toHaveLength(1);
		await act('withdrawTokens', {});
		expect((await members()).status).toBe(401);
	});
});
