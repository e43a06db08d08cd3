/** What is Miro's own: the organization, look-ups without the scope, addresses on the wire, guests, bad tokens, Check Setup. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Expression } from 'n8n-workflow';
import { openCredential } from '../../nodes/core/connection';
import { checkSetup } from '../../nodes/core/flow';
import { miro as connector } from '../../nodes/Miro/connector';
import { expectDocumented, retrieve, revoke, within } from '../contract/suite';
import type { MiroAccessTokenInit } from '../simulator/miro-org';
import { ADMIN, type MiroBench, startMiro } from '../support/miro';

const JANE = 'jane@example.com';
const PLUS = 'mei.tanaka+contractor@example.com';
const EXTERNAL = 'jonas@partner.example';
const READ = 'organizations:read';
const RESET = 'sessions:delete';
const crowd = Array.from({ length: 50 }, (_, index) => `crowd${index}@example.com`);

let bench: MiroBench;

beforeAll(async () => {
	bench = await startMiro({
		rateLimit: { limit: 1_000_000, windowMs: 60_000 },
		seed(org) {
			org.addUser({ email: JANE, sessions: 2 });
			org.addUser({ email: PLUS, sessions: 1, active: false });
			org.addUser({ email: EXTERNAL, role: 'organization_external_user', sessions: 1 });
			for (const email of crowd) org.addUser({ email, sessions: 1 });
		},
	});
});
beforeEach(() => bench.reset());
afterAll(() => bench.close());

const idOf = (email: string): string => bench.miro.getUser(email)?.id ?? '';
const sessionsOf = (email: string): number => bench.miro.sessionsOf(email).length;
const routes = () => bench.simulator.requests.map(({ route }) => route);
const hits = (route: string): number => bench.simulator.hits[route] ?? 0;

/** A connection with another token. */
const withToken = (token: Partial<MiroAccessTokenInit>, more: Record<string, unknown> = {}) => {
	const accessToken = bench.miro.addAccessToken({ user: ADMIN, ...token });
	return bench.connection({ accessToken, ...more });
};

describe('the organization', () => {
	test('is found from the token, once for everybody', async () => {
		const connection = bench.connection({ organizationId: '' }, { usersInParallel: 50 });
		const results = await Promise.all(crowd.map((user) => revoke(connection, user)));
		expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['revoked']));
		// Asking whose the token is is the same request.
		expect(hits('token-info')).toBe(1);
		expect(crowd.map(sessionsOf)).toEqual(crowd.map(() => 0));
		await revoke(connection, JANE);
		expect(hits('token-info')).toBe(1);
		await revoke(bench.connection({ organizationId: '' }), JANE);
		expect(hits('token-info')).toBe(2);
	});

	test('needs no asking when it is given', async () => {
		await revoke(bench.connection(), JANE, { allowOwnIdentity: true });
		expect(hits('token-info')).toBe(0);
	});

	test('is asked for again when the vendor was down', async () => {
		const fault = { kind: 'serverError', status: 500 } as const;
		bench.simulator.faults.next({ match: 'token-info', fault, times: Infinity });
		const connection = bench.connection({ organizationId: '' });
		const down = await revoke(connection, JANE, { budget: within(1_000) });
		expect(down).toMatchObject({ outcome: 'failed', cause: 'unavailable', changed: false });
		bench.simulator.faults.clear();
		expect((await revoke(connection, JANE)).outcome).toBe('revoked');
	});

	test('is missing for a token of a team without one', async () => {
		const connection = withToken({ inOrganization: false }, { organizationId: '' });
		const expected = {
			outcome: 'failed',
			cause: 'configuration',
			message: expect.stringContaining('belongs to no organization'),
		};
		expect(await revoke(connection, JANE)).toMatchObject(expected);
		expect(await checkSetup({ connection, budget: within(5_000) })).toMatchObject(expected);
		expect(sessionsOf(JANE)).toBe(2);
	});

	test.each([() => JANE, () => idOf(JANE), () => 'nobody@example.com', () => '1'])(
		'that is not known is no user who is not known (%#)',
		async (identity) => {
			const connection = bench.connection({ organizationId: '1' });
			expect(await revoke(connection, identity())).toMatchObject({
				outcome: 'failed',
				cause: 'configuration',
				userKnown: null,
				message: expect.stringContaining("check 'Organization ID'"),
			});
			const setup = await checkSetup({ connection, budget: within(5_000) });
			expect(setup).toMatchObject({ outcome: 'failed', cause: 'configuration' });
		},
	);
});

test('the address is not used in another organization than the one that is given', async () => {
	bench.miro.foreignOrganizationStatus = 403;
	bench.miro.showsScopes = false;
	expect(await revoke(bench.connection({ organizationId: '1' }), JANE)).toMatchObject({
		outcome: 'failed',
		cause: 'permission_denied',
		state: 'user_lookup_failed',
		message: expect.stringContaining("'Organization ID' is not that of the token"),
	});
	expect(sessionsOf(JANE)).toBe(2);
});

describe('addresses', () => {
	test('with a plus sign stay themselves at every step', async () => {
		const result = await revoke(bench.connection(), PLUS);
		expect(result).toMatchObject({ outcome: 'revoked', user: { status: 'deactivated' } });
		expect(sessionsOf(PLUS)).toBe(0);
		const queries = bench.simulator.requests.map(({ query }) => query).filter(Boolean);
		expect(queries).toEqual([
			'emails=mei.tanaka%2Bcontractor%40example.com',
			'email=mei.tanaka%2Bcontractor%40example.com',
		]);
		expectDocumented(bench.simulator);
	});

	test('are reset as Miro writes them', async () => {
		await revoke(bench.connection(), JANE.toUpperCase());
		expect(bench.simulator.requests.at(-1)?.query).toBe('email=jane%40example.com');
	});

	test('with a comma would be two', async () => {
		const result = await revoke(bench.connection(), `${JANE},${PLUS}`);
		expect(result).toMatchObject({ outcome: 'refused', cause: 'unsupported_user' });
		expect(routes()).not.toContain('enterprise-get-organization-members');
	});

	test('and ids are all that Miro knows: nothing is asked for a bare name', async () => {
		const connection = bench.connection();
		const result = await retrieve(connection, 'jane', { allowShortNames: true });
		expect(result).toMatchObject({ outcome: 'user_not_found', attempts: 0, statusCode: null });
	});
});

describe('addresses of many users', () => {
	const ODD = '"jane doe"@example.com';
	const searched = () =>
		bench.simulator.requests
			.filter(({ route }) => route === 'enterprise-get-organization-members')
			.map(({ query }) => new URLSearchParams(query).get('emails')?.split(',') ?? []);
	const many = async (users: readonly string[]) => {
		const surroundings = { usersInParallel: 50, users: users.length };
		const connection = bench.connection({}, surroundings);
		return await Promise.all(users.map((user) => revoke(connection, user)));
	};

	test('share a search, ten at a time, and each has its own result', async () => {
		const users = [...crowd, 'NOBODY@example.com', PLUS.toUpperCase()];
		const results = await many(users);
		const outcomes = results.map(({ outcome, user }) => [outcome, user?.email ?? null]);
		expect(outcomes).toEqual([
			...crowd.map((email) => ['revoked', email]),
			['user_not_found', null],
			['revoked', PLUS],
		]);
		expect(searched().flat().toSorted()).toEqual(users.toSorted());
		const sizes = searched().map(({ length }) => length);
		expect([Math.max(...sizes), sizes.length < users.length / 2]).toEqual([10, true]);
		expectDocumented(bench.simulator);
	});

	test('leave one alone that Miro might refuse', async () => {
		bench.miro.addUser({ email: ODD, sessions: 1 });
		const results = await many([JANE, ODD, PLUS]);
		expect(results.map(({ outcome }) => outcome)).toEqual(['revoked', 'revoked', 'revoked']);
		expect(searched()).toHaveLength(2);
		expect(searched()).toContainEqual([ODD]);
	});

	test('are still reset when none may be looked up', async () => {
		const connection = bench.connection(
			{ accessToken: bench.miro.addAccessToken({ user: ADMIN, scopes: [RESET] }) },
			{ usersInParallel: 50, users: crowd.length },
		);
		const results = await Promise.all(crowd.map((user) => revoke(connection, user)));
		expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['revoked']));
		expect(crowd.map(sessionsOf)).toEqual(crowd.map(() => 0));
	});
});

describe('without the scope to look up', () => {
	const blind = (more?: Record<string, unknown>) => withToken({ scopes: [RESET] }, more);
	const revealed = ['insufficientPermissions', 'forbiddenAccess'] as const;
	const cases = revealed.flatMap((code) =>
		[true, false].flatMap((shows) => [true, false].map((typed) => [code, shows, typed] as const)),
	);

	test.each(cases)('still resets, and says so: %s, scopes told %s', async (code, shows, typed) => {
		bench.miro.missingScopeCode = code;
		bench.miro.showsScopes = shows;
		const connection = blind(typed ? {} : { organizationId: '' });
		const result = await revoke(connection, JANE);
		expect(result).toMatchObject({
			outcome: 'revoked',
			state: 'revoked',
			userKnown: null,
			user: null,
			cause: null,
			ended: ['sessions'],
			message: expect.stringContaining(`The look-up was not possible, because it needs ${READ}`),
		});
		expect(sessionsOf(JANE)).toBe(0);
		expectDocumented(bench.simulator);
	});

	test('the reset tells that there is no such user', async () => {
		const result = await revoke(blind(), 'nobody@example.com');
		expect(result).toMatchObject({ outcome: 'user_not_found', userKnown: false, statusCode: 404 });
		expect(result.message).toMatch(/^Miro knows no such user\. The look-up was not possible/);
	});

	test('a protected user is still seen', async () => {
		const seen: unknown[] = [];
		await revoke(blind(), JANE, {
			mayTouch: (user) => {
				seen.push(user?.id);
				return Promise.resolve(user && { cause: 'protected_user' as const, why: 'Protected' });
			},
		});
		expect(seen[0]).toBe(JANE);
		expect(sessionsOf(JANE)).toBe(2);
	});

	test('an id cannot be reset', async () => {
		const result = await revoke(blind(), idOf(JANE));
		expect(result).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			state: 'user_lookup_failed',
			missingPermissions: [READ],
			message: expect.stringMatching(/grant organizations:read\. Miro resets .* an address/),
		});
		expect(sessionsOf(JANE)).toBe(2);
	});

	test('Retrieve User fails', async () => {
		expect(await retrieve(blind(), JANE)).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			missingPermissions: [READ],
		});
	});

	test('a refusal for another reason is a failure', async () => {
		const connection = withToken({ user: JANE });
		const result = await revoke(connection, PLUS);
		expect(result).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			statusCode: 403,
			message: expect.stringContaining('no Company Admin on the Enterprise plan'),
		});
		expect(sessionsOf(PLUS)).toBe(1);
	});

	test('nothing is reset for somebody who may not reset either', async () => {
		bench.miro.showsScopes = false;
		const result = await revoke(withToken({ user: JANE }), PLUS);
		expect(result).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			state: 'revoke_failed',
			userKnown: null,
			missingPermissions: [RESET],
		});
		expect(sessionsOf(PLUS)).toBe(1);
	});
});

describe('a reset', () => {
	test('may be answered with an empty object', async () => {
		bench.miro.resetBody = 'object';
		expect(await revoke(bench.connection(), JANE)).toMatchObject({
			outcome: 'revoked',
			statusCode: 200,
			changed: null,
		});
	});

	test('of a guest ends the sessions where Miro does it', async () => {
		expect((await revoke(bench.connection(), EXTERNAL)).outcome).toBe('revoked');
		expect(sessionsOf(EXTERNAL)).toBe(0);
	});

	test('of a guest who was just looked up is no user who is not known', async () => {
		bench.miro.guestReset = 'notFound';
		const result = await revoke(bench.connection(), EXTERNAL);
		expect(result).toMatchObject({ outcome: 'refused', cause: 'external_user', userKnown: true });
		bench.miro.guestReset = 'forbidden';
		expect(await revoke(bench.connection(), EXTERNAL)).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			missingPermissions: [RESET],
		});
	});
});

test('the own account is that of the user of the token, not of who created it', async () => {
	bench.miro.updateUser(JANE, { role: 'organization_internal_admin' });
	const connection = withToken({ user: JANE, createdBy: ADMIN });
	const own = await revoke(connection, idOf(JANE));
	expect(own).toMatchObject({ outcome: 'refused', cause: 'own_identity' });
	expect((await revoke(connection, ADMIN)).outcome).toBe('revoked');
});

describe('a bad token', () => {
	const bad = { accessToken: 'no-such-token' };
	const expected = { outcome: 'failed', cause: 'credential_invalid', attempts: 1 };

	test.each([400, 401] as const)('is %i where it is asked whose it is', async (status) => {
		bench.miro.badTokenStatus = status;
		const connection = bench.connection({ ...bad, organizationId: '' });
		expect(await revoke(connection, JANE, { allowOwnIdentity: true })).toMatchObject({
			...expected,
			statusCode: status,
			state: 'user_lookup_failed',
		});
		const setup = await checkSetup({ connection: bench.connection(bad), budget: within(5_000) });
		expect(setup).toMatchObject({ ...expected, statusCode: status });
	});

	test('is 401 at the look-up', async () => {
		const result = await revoke(bench.connection(bad), JANE, { allowOwnIdentity: true });
		expect(result).toMatchObject({ ...expected, statusCode: 401 });
	});

	test('is not what any other 400 means', async () => {
		const fault = { kind: 'status', status: 400 } as const;
		bench.simulator.faults.next({ match: 'enterprise-get-organization-members', fault });
		expect(await revoke(bench.connection(), JANE)).toMatchObject({ cause: 'unexpected_reply' });
	});
});

describe('Check Setup', () => {
	const check = (token: Partial<MiroAccessTokenInit>, more?: Record<string, unknown>) =>
		checkSetup({ connection: withToken(token, more), budget: within(5_000) });

	test.each([
		[[], [READ, RESET]],
		[[READ], [RESET]],
		[[RESET], [READ]],
	])('with %j names %j', async (scopes, missingPermissions) => {
		expect(await check({ scopes })).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			missingPermissions,
		});
	});

	test.each([{}, { organizationId: '' }])('is ready, and has proved it: %j', async (more) => {
		const result = await check({}, more);
		expect(result).toMatchObject({ outcome: 'ready' });
		expect(result.message).toBe(
			'Miro answers, and the credential may look up users and end their sessions',
		);
	});

	test('says what it does not know when Miro does not tell the scopes', async () => {
		bench.miro.showsScopes = false;
		const result = await check({});
		expect(result).toMatchObject({ outcome: 'ready', message: expect.stringContaining(RESET) });
		expect(await check({ scopes: [RESET] })).toMatchObject({ missingPermissions: [READ] });
	});

	test('finds the role that is missing', async () => {
		expect(await check({ user: JANE })).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			message: expect.stringContaining('no Company Admin'),
		});
	});
});

describe('the credential', () => {
	const open = (fields: Record<string, unknown>) => openCredential(connector, fields);

	test.each(['T0ken', ' T0ken ', 'Bearer T0ken', 'bearer  T0ken'])('takes %j', (accessToken) => {
		expect(open({ accessToken }).access).toMatchObject({
			baseUrl: 'https://api.miro.com',
			authentication: { type: 'header', name: 'Authorization', value: 'Bearer T0ken' },
			secrets: ['T0ken'],
		});
	});

	test.each([
		['', '/v1/oauth-token'],
		[' ', '/v1/oauth-token'],
		[undefined, '/v1/oauth-token'],
		[' 307445 ', '/v2/orgs/307445/members?limit=1'],
		['a/b', '/v2/orgs/a%2Fb/members?limit=1'],
	])('is tested at an address that follows from the organization %j: %s', (id, path) => {
		const data = { $credentials: { organizationId: id } };
		Expression.initializeGlobalContext(data);
		const { test: tested } = connector.credential;
		expect(Expression.resolveWithoutWorkflow(tested.path?.slice(1) ?? '', data)).toBe(path);
	});

	test.each([
		["'Access Token'", {}],
		["'Access Token'", { accessToken: 'a b' }],
		["'Organization ID'", { accessToken: 'a', organizationId: '../1' }],
		["'API URL'", { accessToken: 'a', apiUrl: 'http://api.miro.com' }],
		["'API URL'", { accessToken: 'a', apiUrl: 'https://api.miro.com/v2' }],
		["'API URL'", { accessToken: 'a', apiUrl: '' }],
	])('names %s when it cannot work: %j', (label, fields) => {
		expect(() => open(fields)).toThrow(label);
	});
});
