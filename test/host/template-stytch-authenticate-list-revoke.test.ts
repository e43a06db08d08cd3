/** The template for Stytch in a real n8n: what the Arazzo workflow promises, step by step. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Simulator } from '../simulator/simulator';
import { createStytch } from '../simulator/stytch';
import { seedStytchDemo, STYTCH_DEMO_KEYS } from '../simulator/stytch-demo';
import { post, WRONG_KEYS } from './calls';
import { onStage } from './on-stage';
import { startOwn } from './own-vendor';
import { lookAt } from './picture';
import { filledIn, publishWorkflow, withParameters } from './templates';

const { n8n, webhookKey } = onStage();

const FILE = 'stytch-authenticate-list-revoke.json';
const PATH = 'webhook/stytch-authenticate-list-revoke';
const NORA = 'nora.lindqvist@example.com';

const stytch = createStytch({ ...STYTCH_DEMO_KEYS, seed: seedStytchDemo });
const { consumer } = stytch;
let simulator: Simulator;
let published: Awaited<ReturnType<typeof publishWorkflow>>;

const routes = () => simulator.requests.map(({ route }) => route);
const end = async (body: unknown) => {
	const response = await post(published.url, body);
	return { status: response.status, answer: await response.json() };
};

beforeAll(async () => {
	const own = await startOwn('stytch', stytch);
	({ simulator } = own);
	const workflow = filledIn(FILE, {
		'Session to End': [webhookKey],
		'Authenticate Session': [own.credential],
		'List Sessions': [own.credential],
		'Revoke Session': [own.credential],
	});
	published = await publishWorkflow(n8n.client, workflow, PATH);
});

afterAll(async () => {
	await simulator.close();
});

beforeEach(() => {
	stytch.reset();
	simulator.forget();
	simulator.faults.clear();
});

describe('a session that lives', () => {
	test('is ended, it alone, and the outputs are those of the Arazzo workflow', async () => {
		const { id, token, ownerId } = consumer.signIn(NORA);
		const others = consumer.listedSessions(ownerId).filter((one) => one.id !== id);
		expect(others.length).toBeGreaterThan(1);

		const { status, answer } = await end({ session_token: token });

		expect(status).toBe(200);
		const revocation = simulator.requests.at(-1);
		// The list is that of a user who is looked up first, as in every operation with a user.
		expect(routes()).toEqual(['authenticateSession', 'getUser', 'getSessions', 'revokeSession']);
		expect(answer).toEqual({
			userId: ownerId,
			revokeRequestId: expect.stringMatching(/^request-id-test-/),
		});
		expect(JSON.parse(revocation?.body ?? '')).toEqual({ session_token: token });
		expect(consumer.isLive(id)).toBe(false);
		for (const other of others) expect(consumer.isLive(other.id)).toBe(true);
		expect(simulator.violations).toEqual([]);
	});

	test('is not extended unless a duration is given', async () => {
		await end({ session_token: consumer.signIn(NORA).token });
		await end({ session_token: consumer.signIn(NORA).token, session_duration_minutes: 60 });
		const sent = simulator.requests
			.filter(({ route }) => route === 'authenticateSession')
			.map(({ body }) => (JSON.parse(body) as Record<string, unknown>).session_duration_minutes);
		expect(sent).toEqual([undefined, 60]);
	});

	test('leaves no trace in what n8n stores or logs', async () => {
		const { token } = consumer.signIn(NORA);
		await end({ session_token: token });
		await end({ session_token: 'A'.repeat(44) });
		expect(await n8n.client.executionCount(published.id)).toBe(0);
		expect(readFileSync(n8n.logFile, 'utf8')).not.toContain(token);
	});
});

describe('what cannot be ended', () => {
	const error = (body: Record<string, unknown>) => ({ error: expect.objectContaining(body) });

	test('a token of no live session is 401, and nothing else is called', async () => {
		expect(await end({ session_token: 'A'.repeat(44) })).toEqual({
			status: 401,
			answer: error({ step: 'Authenticate Session', cause: 'session_invalid' }),
		});
		expect(routes()).toEqual(['authenticateSession']);
	});

	test.each([
		['no token', {}],
		['a blank token', { session_token: ' ' }],
		['a list', { session_token: ['x'] }],
		['a duration that is none', { session_token: 'x', session_duration_minutes: 'soon' }],
	])('%s is 400, and Stytch is not called', async (_, body) => {
		expect(await end(body)).toEqual({
			status: 400,
			answer: error({ step: 'Authenticate Session', cause: 'invalid_input' }),
		});
		expect(routes()).toEqual([]);
	});

	test.each([
		['List Sessions', 'getSessions'],
		['Revoke Session', 'revokeSession'],
	])('%s that does not work is 502, and says that it was that step', async (step, route) => {
		const { id, token } = consumer.signIn(NORA);
		simulator.faults.next({ match: { route }, fault: { kind: 'status', status: 401 }, times: 99 });
		expect(await end({ session_token: token })).toEqual({
			status: 502,
			answer: error({ step, outcome: 'failed' }),
		});
		expect(consumer.isLive(id)).toBe(true);
	});
});

describe('the entry is closed', () => {
	test.each(WRONG_KEYS)('%s Stytch is not asked', async (_, headers) => {
		const { token } = consumer.signIn(NORA);
		expect((await post(published.url, { session_token: token }, headers)).status).toBe(403);
		expect(routes()).toEqual([]);
	});

	test('it cannot be published before its credential is chosen', async () => {
		const path = 'stytch-open';
		const open = withParameters(filledIn(FILE, {}), 'Session to End', { path });
		await expect(publishWorkflow(n8n.client, open, `webhook/${path}`)).rejects.toThrow(
			/Missing required credential/,
		);
	});
});

test('looks as its page shows it', async () => {
	expect(await lookAt(n8n, published.id, 'stytch-authenticate-list-revoke')).toBe(0);
}, 120_000);
