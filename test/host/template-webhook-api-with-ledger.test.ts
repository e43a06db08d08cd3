/** The webhook API with a ledger in a real n8n that is also ended and started again. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { unixSeconds } from '../support/signed';
import type { Credential } from './client';
import { output } from './execution';
import { installN8n } from './install';
import { LEDGER, Ledger } from './ledger';
import { startN8n, temporaryFolder, type N8nHost } from './n8n';
import { onStage } from './on-stage';
import { lookAt } from './picture';
import { step } from './progress';
import { pack } from './tarball';
import { withParameters } from './templates';
import type { WorkflowFile } from './workflow';

const { simulator, oktaData } = onStage();
const SIGNED_IN = 'nora.lindqvist@example.com';
const UNKNOWN = 'nobody.at.all@example.com';
const LONG_MS = 300_000;
const CROWD_MS = 600_000;
const POLL_MS = 100;

let n8n: N8nHost;
let okta: Credential;
let ledger: Ledger;

const folder = temporaryFolder('package');

/** The template with a table of its own, its set-up done. */
async function publish(table: string, changes: Partial<Parameters<typeof Ledger.publish>[1]> = {}) {
	const published = await Ledger.publish(n8n.client, { systems: [okta], ...changes, table });
	const { status } = await published.run(LEDGER.setUp);
	if (status !== 'success') throw new Error(`The set-up ended with ${status}.`);
	return published;
}

/** Completed requests of this month, by the template's own report. */
async function usageOf(metered: Ledger) {
	const execution = await metered.run(LEDGER.usage);
	expect(execution.status).toBe('success');
	const month = new Date().toISOString().slice(0, 7);
	const rows = output(execution, LEDGER.usageReport).map(({ json }) => json);
	return rows.find((row) => row.tenant_id === metered.tenantId && row.month === month)
		?.completed_requests;
}

/** Another time to sign with: the same request at the same time would be refused as a replay. */
const earlier = () => unixSeconds() - 1;

const sessionsOf = async (login: string) => (await simulator.user(login)).sessions.length;
const revocations = async () =>
	(await simulator.traffic()).requests.filter(({ route }) => route === 'revokeUserSessions').length;

beforeAll(async () => {
	n8n = await step('n8n of its own started', async (current) =>
		startN8n(await installN8n(), await pack(folder), current),
	);
	okta = await n8n.client.createCredential('Okta', 'oktaSessionsApi', oktaData);
	ledger = await publish('ledger_life');
}, LONG_MS);

afterAll(async () => {
	await n8n.stop();
	await rm(folder, { recursive: true, force: true });
}, LONG_MS);

beforeEach(async () => {
	await simulator.reset();
});

describe('the life of a request', () => {
	test('is recorded, worked on, answered and told to whoever asks', async () => {
		const request_id = `soar-${randomUUID()}`;
		const request = { request_id, user: SIGNED_IN, integration_targets: ['okta'] };
		const done = { request_id, job_status: 'completed' };
		expect(await ledger.post(request)).toEqual({ status: 200, body: done });
		expect(await sessionsOf(SIGNED_IN)).toBe(0);

		expect(await ledger.ask(request_id)).toEqual({ status: 200, body: done });
		expect(await ledger.askSigned(request_id)).toEqual({
			status: 200,
			body: {
				...done,
				tenant_id: ledger.tenantId,
				account: SIGNED_IN,
				reason: 'SOAR containment',
				source: 'playbook',
				integration_targets: ['okta'],
				coverage: 'all',
				billable: true,
				error: null,
				results: [
					{
						integration: 'okta',
						outcome: 'revoked',
						state: 'revoked',
						cause: null,
						status_code: 204,
						message: expect.any(String),
					},
				],
				received_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
				finished_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
			},
		});
	});

	test('of a user whom nobody knows is failed, with the reason', async () => {
		const request_id = randomUUID();
		const failed = { request_id, job_status: 'failed' };
		expect(await ledger.post({ request_id, user: UNKNOWN })).toEqual({ status: 200, body: failed });
		expect((await ledger.askSigned(request_id)).body).toMatchObject({
			...failed,
			coverage: 'none',
			billable: false,
			integration_targets: null,
			results: [{ integration: 'okta', outcome: 'user_not_found' }],
		});
	});

	test('is pending while it is worked on', async () => {
		const request_id = randomUUID();
		const fault = { kind: 'slow', delayMs: 5_000 } as const;
		await simulator.meet({ match: 'revokeUserSessions', fault });
		const answer = ledger.post({ request_id, user: SIGNED_IN });
		while ((await revocations()) === 0) await sleep(POLL_MS);
		const pending = { request_id, job_status: 'pending' };
		expect(await ledger.ask(request_id)).toEqual({ status: 200, body: pending });
		expect((await answer).body).toEqual({ request_id, job_status: 'completed' });
	});

	test('that is answered at once is completed later', async () => {
		const quick = await publish('ledger_quick', { respond: 'immediately' });
		const request_id = randomUUID();
		const pending = { request_id, job_status: 'pending' };
		expect(await quick.post({ request_id, user: SIGNED_IN })).toEqual({
			status: 202,
			body: pending,
		});
		expect(await quick.settled(request_id)).toMatchObject({ request_id, job_status: 'completed' });
		expect(await sessionsOf(SIGNED_IN)).toBe(0);
	});

	test('with users by system is recorded with them', async () => {
		const request_id = randomUUID();
		await ledger.post({ request_id, identities: { okta: SIGNED_IN } });
		expect((await ledger.askSigned(request_id)).body).toMatchObject({
			job_status: 'completed',
			account: JSON.stringify({ okta: SIGNED_IN }),
		});
	});
});

describe('the same request again', () => {
	test('is answered from the record, and nobody is touched', async () => {
		const request = { request_id: randomUUID(), user: SIGNED_IN };
		const first = await ledger.post(request);
		const before = await revocations();
		expect(await ledger.post(request, earlier())).toEqual(first);
		expect(await revocations()).toBe(before);
		expect((await ledger.ask(request.request_id)).body).toEqual(first.body);
	});

	test('is worked on once when it comes twice at the same moment', async () => {
		const request_id = randomUUID();
		const fault = { kind: 'slow', delayMs: 2_000 } as const;
		await simulator.meet({ match: 'revokeUserSessions', fault });
		const both = await Promise.all([
			ledger.post({ request_id, user: SIGNED_IN }),
			ledger.post({ request_id, user: SIGNED_IN }, earlier()),
		]);
		expect(both.map(({ status }) => status)).toEqual([200, 200]);
		expect(await revocations()).toBe(1);
		const completed = { request_id, job_status: 'completed' };
		expect((await ledger.ask(request_id)).body).toEqual(completed);
	});

	test('is worked on again when it failed', async () => {
		const request_id = randomUUID();
		await simulator.meet({ fault: { kind: 'status', status: 403 }, times: 10 });
		expect((await ledger.post({ request_id, user: SIGNED_IN })).body).toEqual({
			request_id,
			job_status: 'failed',
		});
		await simulator.reset();
		const completed = { request_id, job_status: 'completed' };
		const again = await ledger.post({ request_id, user: SIGNED_IN }, earlier());
		expect(again.body).toEqual(completed);
		expect((await ledger.ask(request_id)).body).toEqual(completed);
		expect(await sessionsOf(SIGNED_IN)).toBe(0);
	});
});

describe('whoever asks', () => {
	test('for a request that is not recorded is told so', async () => {
		expect(await ledger.ask(randomUUID())).toMatchObject({
			status: 404,
			body: { error: { code: 'not_found' } },
		});
	});

	test('for another tenant learns nothing, and cannot revoke', async () => {
		const request_id = randomUUID();
		const stranger = randomUUID();
		expect(await ledger.post({ tenant_id: stranger, user: SIGNED_IN })).toMatchObject({
			status: 403,
			body: { error: { code: 'wrong_tenant' } },
		});
		expect(await revocations()).toBe(0);
		await ledger.post({ request_id, user: SIGNED_IN });
		for (const asked of [
			ledger.ask(request_id, stranger),
			ledger.askSigned(request_id, stranger),
		]) {
			expect(await asked).toMatchObject({ status: 403, body: { error: { code: 'wrong_tenant' } } });
		}
	});

	test('for a tenant among several gets the rows of this one only', async () => {
		const shared = await publish('ledger_shared', { tenantId: null });
		const request_id = randomUUID();
		const [one, other] = [randomUUID(), randomUUID()];
		await shared.post({ request_id, tenant_id: one, user: SIGNED_IN });
		expect((await shared.askSigned(request_id, one)).status).toBe(200);
		expect((await shared.askSigned(request_id, other)).status).toBe(404);
	});

	test('with a wrong signature is refused', async () => {
		const forger = new Proxy(ledger, {
			get: (target, member) =>
				member === 'secret' ? 'sr_wrong' : (Reflect.get(target, member) as unknown),
		});
		expect((await forger.askSigned(randomUUID())).status).toBe(401);
		expect((await forger.post({ user: SIGNED_IN })).status).toBe(401);
		expect(await revocations()).toBe(0);
	});
});

describe('nobody is touched', () => {
	test('before the table is made, and the caller is told that it did not work', async () => {
		const unready = await Ledger.publish(n8n.client, { systems: [okta], table: 'not_made_yet' });
		expect((await unready.post({ user: SIGNED_IN })).status).toBe(500);
		expect(await revocations()).toBe(0);
	});

	test('beyond the hourly limit, however many come at once', async () => {
		const limited = await publish('ledger_limited', { hourlyLimit: 5 });
		const ids = Array.from({ length: 8 }, () => randomUUID());
		const replies = await Promise.all(
			ids.map(async (request_id) => await limited.post({ request_id, user: SIGNED_IN })),
		);
		expect(replies.filter(({ status }) => status === 200)).toHaveLength(5);
		const refused = ids.filter((_, index) => replies[index]?.status === 429);
		expect(refused).toHaveLength(3);
		expect(await revocations()).toBe(5);
		for (const request_id of refused) {
			expect((await limited.askSigned(request_id)).body).toMatchObject({
				request_id,
				job_status: 'failed',
				error: 'hourly_limit',
				results: [],
			});
		}
		expect(await usageOf(limited)).toBe(5);
	});

	test('when the node cannot work at all, and the row says so', async () => {
		const helpless = await publish('ledger_helpless', { systems: [] });
		const request_id = randomUUID();
		const failed = { request_id, job_status: 'failed' };
		expect((await helpless.post({ request_id, user: SIGNED_IN })).body).toEqual(failed);
		expect((await helpless.askSigned(request_id)).body).toMatchObject({
			...failed,
			error: 'not_run',
			billable: false,
		});
	});
});

test('usage counts completed requests, and no others', async () => {
	const metered = await publish('ledger_metered');
	expect(await usageOf(metered)).toBeUndefined();
	const repeated = { request_id: randomUUID(), user: SIGNED_IN };
	for (const request of [repeated, { user: 'tomas.okafor@example.com' }, { user: UNKNOWN }]) {
		await metered.post(request);
	}
	await metered.post(repeated, earlier());
	expect(await usageOf(metered)).toBe(2);
});

test('the set-up can run again, and what is recorded stays', async () => {
	const request_id = randomUUID();
	await ledger.post({ request_id, user: SIGNED_IN });
	expect((await ledger.run(LEDGER.setUp)).status).toBe('success');
	expect((await ledger.ask(request_id)).status).toBe(200);
});

test('looks as its page shows it', async () => {
	expect(await lookAt(n8n, ledger.workflow.id, 'webhook-api-with-ledger')).toBe(0);
}, 120_000);

test(
	'200 requests at once: each is taken in, worked on and recorded, none is lost',
	async () => {
		// On a busy machine the last of them waits longer than a user usually may.
		const edit = (workflow: WorkflowFile) =>
			withParameters(workflow, LEDGER.revoke, { options: { timeoutMs: CROWD_MS } });
		const crowded = await publish('ledger_crowd', { respond: 'immediately', edit });
		const logins = Array.from({ length: 200 }, (_, index) => `crowd.${index}@example.com`);
		for (const login of logins) await simulator.addUser(login, 1);
		const ids = logins.map(() => randomUUID());
		const replies = await Promise.all(
			logins.map(async (user, index) => crowded.postPatiently({ request_id: ids[index], user })),
		);
		expect(replies).toEqual(
			ids.map((request_id) => ({ status: 202, body: { request_id, job_status: 'pending' } })),
		);
		for (const [index, id] of ids.entries()) {
			expect(await crowded.settled(id)).toMatchObject({
				request_id: id,
				job_status: 'completed',
				account: logins[index],
				results: [{ integration: 'okta', outcome: 'revoked' }],
			});
		}
		const left = (await simulator.users()).filter(
			({ login, sessions }) => logins.includes(login) && sessions.length > 0,
		);
		expect(left).toEqual([]);
		expect(await usageOf(crowded)).toBe(200);
	},
	CROWD_MS,
);

test(
	'n8n that is ended and started again still knows every request, also one that it did not finish',
	async () => {
		// What takes 10 minutes in the template takes a second here.
		const impatient = await publish('ledger_restart', {
			edit: (workflow) =>
				JSON.parse(
					JSON.stringify(workflow).replaceAll('minutes: 10', 'seconds: 1'),
				) as WorkflowFile,
		});
		const finished = randomUUID();
		await impatient.post({ request_id: finished, user: SIGNED_IN });
		const before = await impatient.askSigned(finished);

		await simulator.reset();
		const cut = randomUUID();
		const fault = { kind: 'slow', delayMs: LONG_MS } as const;
		await simulator.meet({ match: 'revokeUserSessions', fault });
		const answer = impatient.post({ request_id: cut, user: SIGNED_IN }).catch(() => undefined);
		while ((await revocations()) === 0) await sleep(POLL_MS);
		await n8n.restart();
		expect((await answer)?.status).not.toBe(200);

		expect(await impatient.askSigned(finished)).toEqual(before);
		expect(before.body).toMatchObject({ job_status: 'completed' });
		expect((await impatient.askSigned(cut)).body).toMatchObject({
			request_id: cut,
			job_status: 'failed',
			error: 'interrupted',
			billable: false,
		});
		// It may be sent again, and then it is done.
		await simulator.reset();
		expect((await impatient.post({ request_id: cut, user: SIGNED_IN })).body).toEqual({
			request_id: cut,
			job_status: 'completed',
		});
		expect(await sessionsOf(SIGNED_IN)).toBe(0);
	},
	LONG_MS,
);
