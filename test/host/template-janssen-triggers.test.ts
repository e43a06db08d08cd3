/** The template for Janssen in a real n8n: triggers in a Data Table, as Terraform has them in its state. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createJanssen } from '../simulator/janssen';
import { seedJanssenDemo } from '../simulator/janssen-demo';
import type { Simulator } from '../simulator/simulator';
import { post, WRONG_KEYS } from './calls';
import { complaint } from './execution';
import { onStage } from './on-stage';
import { startOwn } from './own-vendor';
import { lookAt } from './picture';
import { filledIn, publishWorkflow, withParameters } from './templates';

const { n8n, webhookKey } = onStage();

const FILE = 'janssen-triggers.json';
const A = { incident_id: 'INC-1' };
const B = { incident_id: 'INC-2' };

const janssen = createJanssen({ seed: seedJanssenDemo });
let simulator: Simulator;
let published: Awaited<ReturnType<typeof publishWorkflow>>;

const sessionsOf = (user: string) => janssen.sessionsOf(user).length;
const apply = async (user: string, triggers?: object) => {
	const response = await post(published.url, { user, triggers });
	return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
};

beforeAll(async () => {
	const own = await startOwn('janssen', janssen);
	({ simulator } = own);
	const workflow = filledIn(FILE, {
		'Desired State': [webhookKey],
		'Revoke Everywhere': [own.credential],
	});
	published = await publishWorkflow(n8n.client, workflow, 'webhook/janssen-triggers');
});

afterAll(async () => {
	await simulator.close();
});

beforeEach(() => {
	janssen.reset();
	simulator.forget();
	simulator.faults.clear();
});

test('without the table nothing is revoked', async () => {
	const response = await post(published.url, { user: 'nora.lindqvist', triggers: A });
	expect(response.status).toBe(500);
	expect(simulator.requests).toEqual([]);
});

describe('with the table that the set-up branch makes', () => {
	beforeAll(async () => {
		for (const time of ['the first time', 'again']) {
			const execution = await n8n.client.executionAfter(published.id, async () => {
				await n8n.client.run(published.id, 'Set Up');
			});
			if (execution.status !== 'success') throw new Error(`${time}: ${complaint(execution)}`);
		}
	});

	test('a user is revoked once for each change: A, A, B, A', async () => {
		const user = 'nora.lindqvist';
		expect(await apply(user, A)).toMatchObject({
			status: 200,
			answer: { status: 'completed', outcome: 'revoked', triggers: A },
		});
		expect(sessionsOf(user)).toBe(0);

		janssen.signIn(user);
		simulator.forget();
		expect(await apply(user, A)).toMatchObject({
			status: 200,
			answer: { status: 'completed', coverage: 'none', outcome: 'unchanged' },
		});
		expect(simulator.requests).toEqual([]);
		expect(sessionsOf(user)).toBe(1);

		for (const triggers of [B, A]) {
			janssen.signIn(user);
			expect(await apply(user, triggers)).toMatchObject({
				status: 200,
				answer: { outcome: 'revoked', triggers },
			});
			expect(sessionsOf(user)).toBe(0);
		}
		expect(simulator.violations).toEqual([]);
	});

	test('a user is named by DN, as in Terraform, and the table does not mind letter case', async () => {
		const { dn } = janssen.getUser('tomas.okafor') ?? { dn: '' };
		expect(await apply(dn, A)).toMatchObject({ answer: { outcome: 'revoked' } });
		expect(await apply(` ${dn.toUpperCase()}`, A)).toMatchObject({
			answer: { outcome: 'unchanged' },
		});
	});

	test('users have triggers of their own', async () => {
		expect(await apply('mei.tanaka', A)).toMatchObject({ answer: { outcome: 'revoked' } });
		expect(await apply('eleonora.lindqvist', A)).toMatchObject({ answer: { outcome: 'revoked' } });
	});

	test('a run that fails stores nothing: the next one tries again', async () => {
		const user = 'alex.rivera';
		simulator.faults.next({
			match: { pathIncludes: '/session' },
			fault: { kind: 'status', status: 401 },
			times: 99,
		});
		expect(await apply(user, A)).toMatchObject({ status: 502, answer: { status: 'failed' } });
		expect(sessionsOf(user)).toBe(2);

		simulator.faults.clear();
		expect(await apply(user, A)).toMatchObject({ status: 200, answer: { outcome: 'revoked' } });
		expect(sessionsOf(user)).toBe(0);
		expect(await apply(user, A)).toMatchObject({ answer: { outcome: 'unchanged' } });
	});

	test('a failed change leaves what was stored before', async () => {
		const user = "maeve.o'neil";
		await apply(user, A);
		simulator.faults.next({
			match: { pathIncludes: '/session' },
			fault: { kind: 'status', status: 401 },
			times: 99,
		});
		expect(await apply(user, B)).toMatchObject({ status: 502 });
		simulator.faults.clear();
		expect(await apply(user, A)).toMatchObject({ answer: { outcome: 'unchanged' } });
		expect(await apply(user, B)).not.toMatchObject({ answer: { outcome: 'unchanged' } });
	});

	test('without triggers a user is revoked in every run', async () => {
		const revoked = {
			status: 200,
			answer: { triggers: null, outcome: 'revoked' },
		};
		expect(await apply('press@example.com')).toMatchObject(revoked);
		janssen.signIn('press@example.com');
		expect(await apply('press@example.com')).toMatchObject(revoked);
		expect(sessionsOf('press@example.com')).toBe(0);
	});

	test('a user whom Janssen does not know is 404, and bad values are 400', async () => {
		expect(await apply('nobody.at.all', A)).toMatchObject({
			status: 404,
			answer: { outcome: 'user_not_found' },
		});
		for (const [user, triggers] of [
			['', A],
			['sam.rivera', { incident_id: ['no', 'text'] }],
		] as const) {
			expect(await apply(user, triggers)).toMatchObject({
				status: 400,
				answer: { cause: 'invalid_input' },
			});
		}
		expect(sessionsOf('sam.rivera')).toBe(1);
	});

	test.each(WRONG_KEYS)('%s nothing starts', async (_, headers) => {
		const executions = await n8n.client.executionCount(published.id);
		const response = await post(published.url, { user: 'lena.fischer', triggers: A }, headers);
		expect(response.status).toBe(403);
		expect(await n8n.client.executionCount(published.id)).toBe(executions);
	});
});

test('it cannot be published before its credential is chosen', async () => {
	const path = 'janssen-open';
	const open = withParameters(filledIn(FILE, {}), 'Desired State', { path });
	await expect(publishWorkflow(n8n.client, open, `webhook/${path}`)).rejects.toThrow(
		/Missing required credential/,
	);
});

test('looks as its page shows it', async () => {
	expect(await lookAt(n8n, published.id, 'janssen-triggers')).toBe(0);
}, 120_000);
