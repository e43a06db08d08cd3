import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Dispatcher, request as http } from 'undici';
import { Follower, parseProvider } from '../host/servers/provider';
import { type Authentik, createAuthentik } from './authentik';
import { DEMO_AUTHENTIK_TOKEN, seedAuthentikDemo } from './authentik-demo';
import { type Simulator, startSimulator } from './simulator';

const USERS = '/api/v3/core/users/';
const SESSIONS = '/api/v3/core/authenticated_sessions/';
const NOWHERE = '3f8f5b1c-7d0a-4c1e-9a55-0d5b7b1d2c3e';
const DENIED = 'You do not have permission to perform this action.';

let authentik: Authentik;
let simulator: Simulator;

beforeEach(async () => {
	authentik = createAuthentik({ seed: seedAuthentikDemo });
	simulator = await startSimulator(authentik);
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

async function call(
	method: Dispatcher.HttpMethod,
	path: string,
	authorization: string | null = `Bearer ${DEMO_AUTHENTIK_TOKEN}`,
): Promise<Answer> {
	const headers = authorization === null ? {} : { authorization };
	const answer = await http(simulator.url + path, { method, headers });
	const text = await answer.body.text();
	const json: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
	return { status: answer.statusCode, headers: answer.headers, text, json };
}

interface Page {
	pagination: Record<string, number>;
	results: { pk?: number; uuid: string; username?: string; user?: number }[];
}

const query = (parameters: Record<string, string>) =>
	`?${new URLSearchParams(parameters).toString()}`;
const users = (parameters: Record<string, string>) => call('GET', USERS + query(parameters));
const endAll = (pk: number | string, authorization?: string) =>
	call('DELETE', `${SESSIONS}bulk_delete/?user_pks=${encodeURIComponent(pk)}`, authorization);
const endOne = (uuid: string, authorization?: string) =>
	call('DELETE', `${SESSIONS}${uuid}/`, authorization);
const results = ({ json }: Answer) => (json as Page).results;
const namesIn = (answer: Answer) => results(answer).map(({ username }) => username);
const detail = ({ status, json }: Answer) => [status, (json as { detail: string }).detail];
const pkOf = (username: string) => authentik.getUser(username)?.pk ?? 0;

it('has a source for every route, at the vendor', () => {
	for (const { source } of simulator.routes) {
		expect(source).toMatch(/^https:\/\/api\.goauthentik\.io\/reference\/core-/);
	}
});

it('says what is wrong in a detail, by field where a field is wrong, and in HTML when it broke', async () => {
	simulator.faults.next({ fault: { kind: 'status', status: 500 } });
	simulator.faults.next({ fault: { kind: 'rateLimit', resetInSeconds: 7 } });
	expect(await users({})).toMatchObject({ status: 500, json: undefined });
	expect(await users({})).toMatchObject({
		status: 429,
		headers: { 'retry-after': '7' },
		json: { detail: 'Request was throttled. Expected available in 7 seconds.' },
	});
	expect(detail(await call('GET', '/api/v3/core/nowhere/'))).toEqual([404, 'Not found.']);
	expect(detail(await call('PUT', SESSIONS))).toEqual([405, 'Method not allowed.']);
	expect((await endAll('nora')).json).toEqual({
		user_pks: { '0': ['A valid integer is required.'] },
	});
	expect((await call('DELETE', `${SESSIONS}bulk_delete/`)).json).toEqual({
		user_pks: ['This field is required.'],
	});
	expect(simulator.violations).toEqual([]);
});

describe('tokens', () => {
	it('that open nothing are refused with 403, as no 401 is documented', async () => {
		const expiring = `Bearer ${authentik.addToken('nora', { lifeSeconds: 3600 })}`;
		expect((await call('GET', `${USERS}me/`, expiring)).status).toBe(200);
		authentik.clockSkewMs = 3_600_000;
		const inactive = `Bearer ${authentik.addToken('lena')}`;
		authentik.deactivate('lena');
		for (const [header, why] of [
			[null, 'Authentication credentials were not provided.'],
			['Basic eDp5', 'Unsupported authentication type'],
			['Bearer wrong', 'Token invalid/expired'],
			[expiring, 'Token invalid/expired'],
			[inactive, 'Token invalid/expired'],
		] as const) {
			expect(detail(await call('GET', `${USERS}me/`, header))).toEqual([403, why]);
		}
		authentik.withdrawTokens();
		expect((await users({})).status).toBe(403);
		expect(simulator.violations).toEqual([]);
	});

	it('tell whom they act for', async () => {
		expect((await call('GET', `${USERS}me/`)).json).toMatchObject({
			user: { username: 'session-revocation', is_superuser: false, type: 'service_account' },
		});
	});

	it('open what their permissions open', async () => {
		const bearer = (...permissions: Parameters<Authentik['addToken']>[1][]) =>
			`Bearer ${authentik.addToken('session-revocation', permissions[0])}`;
		const viewer = bearer({ permissions: ['authentik_core.view_user'] });
		const ender = bearer({ permissions: ['authentik_core.delete_authenticatedsession'] });
		const nobody = bearer({ permissions: [] });
		const list = (header: string) => call('GET', USERS, header);
		expect((await list(viewer)).status).toBe(200);
		expect(detail(await list(ender))).toEqual([403, DENIED]);
		for (const header of [viewer, nobody]) {
			expect(detail(await endAll(pkOf('nora'), header))).toEqual([403, DENIED]);
		}
		expect(authentik.sessionsOf('nora')).toHaveLength(3);
		// What may not be seen is not found, also by who may end it.
		const [session] = authentik.sessionsOf('nora');
		expect((await endOne(session?.uuid ?? '', ender)).status).toBe(404);
		expect((await endAll(pkOf('nora'), ender)).json).toEqual({ deleted: 3 });
		const admin = `Bearer ${authentik.addToken('akadmin', { permissions: [] })}`;
		expect((await list(admin)).status).toBe(200);
		expect((await endAll(pkOf('mei'), admin)).json).toEqual({ deleted: 1 });
	});

	it('without a permission show and end the own sessions', async () => {
		const own = `Bearer ${authentik.addToken('nora', { permissions: [] })}`;
		const seen = results(await call('GET', SESSIONS, own));
		expect(seen.map(({ user }) => user)).toEqual(Array(3).fill(pkOf('nora')));
		expect((await endOne(seen[0]?.uuid ?? '', own)).status).toBe(204);
		expect(authentik.sessionsOf('nora')).toHaveLength(2);
		const other = authentik.sessionsOf('sam')[0]?.uuid ?? '';
		expect((await endOne(other, own)).status).toBe(404);
	});
});

describe('users', () => {
	it('are filtered exactly, in the letters that are stored', async () => {
		expect(namesIn(await users({ email: 'nora.lindqvist@example.com' }))).toEqual(['nora']);
		expect(namesIn(await users({ email: 'frontdesk@example.com' }))).toEqual(['alex', 'sam']);
		expect(namesIn(await users({ username: 'nora' }))).toEqual(['nora']);
		expect(namesIn(await users({ email: 'tomas.okafor@example.com' }))).toEqual([]);
		expect(namesIn(await users({ username: 'NORA' }))).toEqual([]);
		expect(namesIn(await users({ is_active: 'false' }))).toEqual(['priya']);
		expect(simulator.violations).toEqual([]);
	});

	it('are searched in any letter case, in parts of names and addresses', async () => {
		expect(namesIn(await users({ search: 'TOMAS.okafor@example.com' }))).toEqual([
			'Tomas.Okafor@example.com',
		]);
		expect(namesIn(await users({ search: 'rivera example.com' }))).toEqual(['alex', 'sam']);
		expect(namesIn(await users({ search: 'lind' }))).toEqual(['nora']);
		expect(namesIn(await users({ search: 'nobody@example.com' }))).toEqual([]);
	});

	it('come in pages, whose size is limited', async () => {
		const first = await users({ page_size: '4' });
		expect((first.json as Page).pagination).toEqual({
			next: 2,
			previous: 0,
			count: 10,
			current: 1,
			total_pages: 3,
			start_index: 1,
			end_index: 4,
		});
		const last = (await users({ page_size: '4', page: '3' })).json as Page;
		expect(last.pagination).toMatchObject({ next: 0, previous: 2, start_index: 9, end_index: 10 });
		expect(last.results).toHaveLength(2);
		expect(detail(await users({ page: '4' }))).toEqual([404, 'Invalid page.']);
		authentik.largestPage = 3;
		expect(results(await users({ page_size: '100' }))).toHaveLength(3);
		expect(simulator.violations).toEqual([]);
	});

	it('are read by their number', async () => {
		expect((await call('GET', `${USERS}${String(pkOf('nora'))}/`)).json).toMatchObject({
			pk: pkOf('nora'),
			username: 'nora',
			email: 'nora.lindqvist@example.com',
			is_active: true,
		});
		expect(detail(await call('GET', `${USERS}999/`))).toEqual([
			404,
			'No User matches the given query.',
		]);
	});
});

describe('sessions', () => {
	it('are listed of everybody, or by user name', async () => {
		expect(results(await call('GET', SESSIONS))).toHaveLength(11);
		const noras = await call('GET', `${SESSIONS}?user__username=nora`);
		expect(results(noras).map(({ uuid }) => uuid)).toEqual(
			authentik.sessionsOf('nora').map(({ uuid }) => uuid),
		);
		expect(results(await call('GET', `${SESSIONS}?user__username=NORA`))).toEqual([]);
		expect(simulator.violations).toEqual([]);
	});

	it('are ended all at once, and counted; somebody unknown has none', async () => {
		expect(await endAll(pkOf('nora'))).toMatchObject({ status: 200, json: { deleted: 3 } });
		expect(authentik.sessionsOf('nora')).toEqual([]);
		expect(authentik.sessionsOf('akadmin')).toHaveLength(1);
		for (const pk of [pkOf('nora'), pkOf('lena'), 999]) {
			expect((await endAll(pk)).json).toEqual({ deleted: 0 });
		}
		authentik.signIn('nora', 'Firefox');
		expect(authentik.sessionsOf('nora')).toHaveLength(1);
		expect(simulator.violations).toEqual([]);
	});

	it('end one by one', async () => {
		const [one, ...others] = authentik.sessionsOf('nora').map(({ uuid }) => uuid);
		expect(await endOne(one ?? '')).toMatchObject({ status: 204, text: '' });
		expect(authentik.sessionsOf('nora').map(({ uuid }) => uuid)).toEqual(others);
		const missing = [404, 'No AuthenticatedSession matches the given query.'];
		for (const uuid of [one ?? '', NOWHERE, 'no-uuid']) {
			expect(detail(await endOne(uuid))).toEqual(missing);
		}
		expect(simulator.violations).toEqual([]);
	});

	it('end with their user, and when it is deactivated', () => {
		authentik.deactivate('sam');
		authentik.removeUser('alex');
		expect(authentik.sessionsOf('sam')).toEqual([]);
		expect(() => authentik.signIn('sam')).toThrow('deactivated');
		expect(authentik.allSessions()).toHaveLength(8);
		authentik.reset();
		expect(authentik.allSessions()).toHaveLength(11);
	});
});

describe('the description in docs/providers', () => {
	const follower = () => {
		const file = join(__dirname, '..', '..', 'docs', 'providers', 'authentik.json');
		const provider = parseProvider(JSON.parse(readFileSync(file, 'utf8')));
		const authorization = `Bearer ${DEMO_AUTHENTIK_TOKEN}`;
		return new Follower(simulator.url, provider, { authorization });
	};

	it('leads to everybody who has the name or the address, and to nobody else', async () => {
		for (const [user, ...names] of [
			['nora'],
			['Nora.Lindqvist@Example.com', 'nora'],
			['tomas.okafor@example.com', 'Tomas.Okafor@example.com'],
			["maeve.o'neil@example.com", 'maeve'],
			['mei.tanaka+contractor@example.com', 'mei'],
			['frontdesk@example.com', 'alex', 'sam'],
		] as const) {
			const pks = (names.length > 0 ? names : [user]).map((name) => String(pkOf(name)));
			expect([user, await follower().lookUp(user)]).toEqual([user, pks]);
		}
		for (const user of [
			'nor',
			'lindqvist@example.com',
			'nobody@example.com',
			'username = "nora"',
		]) {
			expect([user, await follower().lookUp(user)]).toEqual([user, []]);
		}
		expect(simulator.violations).toEqual([]);
	});

	it('ends one session and all of them, and nobody else loses one', async () => {
		const pk = String(pkOf('nora'));
		const [one = ''] = authentik.sessionsOf('nora').map(({ uuid }) => uuid);
		expect(await follower().revokeSession(pk, one)).toBe('revoked');
		expect(await follower().revokeSession(pk, one)).toBe('nothing_to_revoke');
		expect(authentik.sessionsOf('nora')).toHaveLength(2);
		await follower().revokeAll(pk);
		expect(authentik.sessionsOf('nora')).toEqual([]);
		expect(authentik.allSessions()).toHaveLength(8);
		expect(simulator.violations).toEqual([]);
	});
});
