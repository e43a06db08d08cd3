import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Dispatcher, request as http } from 'undici';
import { Follower, parseProvider } from '../host/servers/provider';
import { createKratos, type Kratos } from './kratos';
import { DEMO_KRATOS_TOKEN, seedKratosDemo } from './kratos-demo';
import { type Simulator, startSimulator } from './simulator';

const NORA = 'nora.lindqvist@example.com';
const TOMAS = 'tomas.okafor@example.com';
const LENA = 'lena.fischer@example.com';
/** Inactive, with a session that nothing ended. */
const PRIYA = 'priya.nair@example.com';
const FORMER = 'former.employee@example.com';
const NOBODY = '3f8f5b1c-7d0a-4c1e-9a55-0d5b7b1d2c3e';

let kratos: Kratos;
let simulator: Simulator;

beforeEach(async () => {
	kratos = createKratos({ seed: seedKratosDemo });
	simulator = await startSimulator(kratos);
});

afterEach(async () => {
	await simulator.close();
});

interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	json: unknown;
}

async function call(
	method: Dispatcher.HttpMethod,
	path: string,
	bearer: string | null = DEMO_KRATOS_TOKEN,
): Promise<Answer> {
	const headers = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
	const answer = await http(simulator.url + path, { method, headers });
	const text = await answer.body.text();
	const json: unknown = text === '' ? undefined : JSON.parse(text);
	return { status: answer.statusCode, headers: answer.headers, json };
}

const idOf = (person: string) => kratos.getIdentity(person)?.id ?? '';
const find = (identifier: string) =>
	call('GET', `/admin/identities?credentials_identifier=${encodeURIComponent(identifier)}`);
const sessions = (id: string, query = '') =>
	call('GET', `/admin/identities/${id}/sessions${query}`);
const endAll = (id: string) => call('DELETE', `/admin/identities/${id}/sessions`);
const endOne = (id: string) => call('DELETE', `/admin/sessions/${id}`);
const idsIn = ({ json }: Answer) => (json as { id: string }[]).map(({ id }) => id);
const next = ({ headers }: Answer) => /<([^>]+)>; rel="next"/.exec(String(headers.link))?.[1];
const problem = ({ status, json }: Answer) => [
	status,
	(json as { error: { code: number } }).error.code,
];

it('has a source for every route, at the vendor', () => {
	for (const { source } of simulator.routes) {
		expect(source).toMatch(/^https:\/\/www\.ory\.com\/docs\/kratos\/reference\/api#/);
	}
});

it('has one error object for everything', async () => {
	simulator.faults.next({ fault: { kind: 'status', status: 500 } });
	simulator.faults.next({ fault: { kind: 'rateLimit' } });
	const answers = [
		await find(NORA),
		await find(NORA),
		await call('GET', '/admin/identities', 'wrong'),
		await call('GET', '/admin/nowhere'),
		await call('PUT', '/admin/sessions/x'),
		await endAll('no-uuid'),
		await endAll(NOBODY),
	];
	expect(answers.map(problem)).toEqual(
		[500, 429, 401, 404, 405, 400, 404].map((status) => [status, status]),
	);
	expect(answers.at(-1)?.json).toEqual({
		error: {
			code: 404,
			status: 'Not Found',
			request: expect.any(String),
			message: 'Unable to locate the resource',
		},
	});
	expect(simulator.violations).toEqual([]);
});

it('is open to everybody unless something stands before it', async () => {
	const path = '/admin/identities';
	expect((await call('GET', path, null)).status).toBe(401);
	kratos.withdrawTokens();
	expect((await call('GET', path)).status).toBe(401);
	await simulator.close();
	simulator = await startSimulator(createKratos({ identities: [{ email: NORA }] }));
	expect((await call('GET', path, null)).status).toBe(200);
});

describe('identities', () => {
	it('are found by an identifier, whole, in any letter case', async () => {
		const { status, json } = await find(NORA.toUpperCase());
		expect([status, json]).toEqual([
			200,
			[
				expect.objectContaining({
					id: idOf(NORA),
					state: 'active',
					traits: { email: NORA, name: 'Nora Lindqvist' },
					credentials: {
						password: expect.objectContaining({ identifiers: [NORA] }),
						oidc: expect.objectContaining({ identifiers: ['google:104598'] }),
					},
				}),
			],
		]);
		expect(idsIn(await find('TOMAS'))).toEqual([idOf(TOMAS)]);
		expect(idsIn(await find('google:104598'))).toEqual([idOf(NORA)]);
		for (const nobody of ['nora', 'Google:104598', idOf(NORA), 'nobody@example.com']) {
			expect([nobody, (await find(nobody)).json]).toEqual([nobody, []]);
		}
		expect(simulator.violations).toEqual([]);
	});

	it('show their traits as they were written, and no credentials in a list of all', async () => {
		const [tomas] = (await find(TOMAS)).json as { traits: unknown }[];
		expect(tomas?.traits).toMatchObject({ email: 'Tomas.Okafor@example.com', username: 'tomas' });
		for (const identity of (await call('GET', '/admin/identities')).json as unknown[]) {
			expect(identity).not.toHaveProperty('credentials');
		}
	});

	it('come in pages that are linked', async () => {
		const seen: string[] = [];
		let path: string | undefined = '/admin/identities?page_size=3';
		while (path !== undefined) {
			const page: Answer = await call('GET', path);
			seen.push(...idsIn(page));
			path = next(page);
		}
		expect(seen).toEqual(kratos.all().map(({ id }) => id));
		for (const query of ['page_size=x', 'page_token=x', `ids=${NOBODY}&credentials_identifier=x`]) {
			expect([query, (await call('GET', `/admin/identities?${query}`)).status]).toEqual([
				query,
				400,
			]);
		}
		expect(simulator.violations).toEqual([]);
	});

	it('are read by id', async () => {
		expect((await call('GET', `/admin/identities/${idOf(NORA)}`)).json).toMatchObject({
			id: idOf(NORA),
		});
		expect((await call('GET', `/admin/identities/${NOBODY}`)).status).toBe(404);
	});
});

describe('sessions of an identity', () => {
	it('are listed with the ended ones, unless only the active are asked for', async () => {
		const all = await sessions(idOf(NORA));
		expect([all.status, idsIn(all).length, all.headers['x-total-count']]).toEqual([200, 6, '6']);
		const active = await sessions(idOf(NORA), '?active=true');
		expect(idsIn(active).sort()).toEqual(
			kratos
				.sessionsOf(NORA)
				.map(({ id }) => id)
				.sort(),
		);
		expect((active.json as unknown[])[0]).toMatchObject({
			active: true,
			issued_at: expect.any(String),
			expires_at: expect.any(String),
			identity: { id: idOf(NORA) },
			devices: [{ user_agent: expect.any(String) }],
		});
		expect(idsIn(await sessions(idOf(NORA), '?active=false'))).toHaveLength(2);
		expect((await sessions(idOf(NORA), '?active=yes')).status).toBe(400);
		kratos.clockSkewMs = 25 * 3_600_000;
		expect(idsIn(await sessions(idOf(NORA), '?active=true'))).toEqual([]);
		expect(simulator.violations).toEqual([]);
	});

	it('are asked for as active, and shown as not, while their identity is inactive', async () => {
		const { json } = await sessions(idOf(PRIYA), '?active=true');
		expect(json).toEqual([expect.objectContaining({ active: false })]);
		expect(() => kratos.signIn(PRIYA)).toThrow('inactive');
	});

	it('come in pages that are linked, of a size that is documented', async () => {
		const first = await sessions(idOf(NORA), '?active=true&page_size=3');
		const second = await call('GET', next(first) ?? '');
		expect(next(second)).toBeUndefined();
		expect([...idsIn(first), ...idsIn(second)]).toEqual(
			kratos.sessionsOf(NORA).map(({ id }) => id),
		);
		expect(simulator.violations).toEqual([]);
		expect((await sessions(idOf(NORA), '?page_size=1000')).status).toBe(200);
		expect(simulator.violations).toEqual([expect.stringContaining('page_size')]);
	});

	it('are none for somebody unknown: an empty list, or the 404 that is documented', async () => {
		expect(await sessions(NOBODY)).toMatchObject({ status: 200, json: [] });
		kratos.unknownIdentityList = 404;
		expect(problem(await sessions(NOBODY))).toEqual([404, 404]);
		expect((await sessions(idOf(LENA))).json).toEqual([]);
	});

	it('are deleted at once, the ended ones too, and nobody else loses one', async () => {
		expect(await endAll(idOf(NORA))).toMatchObject({ status: 204, json: undefined });
		expect(kratos.stored(idOf(NORA))).toEqual([]);
		expect(kratos.sessionsOf(TOMAS)).toHaveLength(2);
		expect((await endAll(idOf(FORMER))).status).toBe(204);
		for (const id of [idOf(NORA), idOf(LENA), idOf(FORMER), NOBODY]) {
			expect(problem(await endAll(id))).toEqual([404, 404]);
		}
		expect(simulator.violations).toEqual([]);
	});
});

describe('one session', () => {
	it('is ended and kept', async () => {
		const { id } = kratos.signIn(LENA, 'Safari on iOS');
		expect((await call('GET', `/admin/sessions/${id}`)).json).toMatchObject({ id, active: true });
		expect((await endOne(id)).status).toBe(204);
		expect(kratos.isLive(id)).toBe(false);
		expect((await call('GET', `/admin/sessions/${id}`)).json).toMatchObject({ id, active: false });
		expect((await endOne(id)).status).toBe(204);
		kratos.endedSessionAgain = 404;
		expect(problem(await endOne(id))).toEqual([404, 404]);
		expect(problem(await endOne(NOBODY))).toEqual([404, 404]);
		expect(problem(await endOne('no-uuid'))).toEqual([400, 400]);
		expect(simulator.violations).toEqual([]);
	});
});

it('gives back its seed', async () => {
	await endAll(idOf(NORA));
	kratos.removeIdentity(TOMAS);
	kratos.reset();
	expect(kratos.toJSON()).toMatchObject({
		identities: expect.arrayContaining([
			expect.objectContaining({ email: NORA, sessions: 4, endedSessions: 2 }),
			expect.objectContaining({ email: 'Tomas.Okafor@example.com', sessions: 2 }),
		]),
	});
});

describe('the description in docs/providers', () => {
	const follower = () => {
		const file = join(__dirname, '..', '..', 'docs', 'providers', 'ory-kratos.json');
		const provider = parseProvider(JSON.parse(readFileSync(file, 'utf8')));
		return new Follower(simulator.url, provider, { authorization: `Bearer ${DEMO_KRATOS_TOKEN}` });
	};

	it('leads to one person, by what the person signs in with', async () => {
		for (const user of [
			NORA,
			TOMAS,
			TOMAS.toUpperCase(),
			"maeve.o'neil@example.com",
			'mei.tanaka+contractor@example.com',
		]) {
			expect([user, await follower().lookUp(user)]).toEqual([user, [idOf(user)]]);
		}
		for (const user of ['nora', 'nobody@example.com']) {
			expect([user, await follower().lookUp(user)]).toEqual([user, []]);
		}
		expect(simulator.violations).toEqual([]);
	});

	it('lists what lets somebody in, ends one, ends all, and says when there was nothing', async () => {
		const live = () => kratos.sessionsOf(NORA).map(({ id }) => id);
		const [one = '', ...others] = await follower().sessions(idOf(NORA));
		expect([one, ...others]).toEqual(live());
		expect(await follower().revokeSession(idOf(NORA), one)).toBe('revoked');
		expect(live()).toEqual(others);
		await follower().revokeAll(idOf(NORA));
		expect(live()).toEqual([]);
		expect(await follower().revokeSession(idOf(NORA), one)).toBe('nothing_to_revoke');
		await follower().revokeAll(idOf(NORA));
		expect(await follower().sessions(idOf(PRIYA))).toHaveLength(1);
		expect(await follower().sessions(idOf(LENA))).toEqual([]);
		kratos.unknownIdentityList = 404;
		expect(await follower().sessions(NOBODY)).toEqual([]);
		expect(kratos.sessionsOf(TOMAS)).toHaveLength(2);
		expect(simulator.violations).toEqual([]);
	});
});
