/** The webhook API with a ledger in queue mode: taken in here, worked on and answered there. */
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { unixSeconds } from '../../support/signed';
import { LEDGER, Ledger } from '../ledger';
import { onStage } from '../on-stage';
import { withParameters } from '../templates';
import type { WorkflowFile } from '../workflow';

const { n8n, okta, simulator } = onStage();
const SIGNED_IN = 'nora.lindqvist@example.com';
const MANY = 50;
const BUSY_MACHINE_MS = 600_000;

const webhookUrl = n8n.processes.find(({ role }) => role === 'webhook')?.url ?? '';
let entries: readonly [Ledger, Ledger];

const revocations = async () =>
	(await simulator.traffic()).requests.filter(({ route }) => route === 'revokeUserSessions').length;

async function publish(changes: Pick<Parameters<typeof Ledger.publish>[1], 'table' | 'respond'>) {
	// On a busy machine the last of many waits longer than a user usually may.
	const edit = (workflow: WorkflowFile) =>
		withParameters(workflow, LEDGER.revoke, { options: { timeoutMs: BUSY_MACHINE_MS } });
	const ledger = await Ledger.publish(n8n.client, { ...changes, systems: [okta], edit });
	expect((await ledger.run(LEDGER.setUp)).status).toBe('success');
	return [ledger, ledger.at(webhookUrl)] as const;
}

beforeAll(async () => {
	entries = await publish({ table: 'queue_awaited' });
});

beforeEach(async () => {
	await simulator.reset();
});

test('the caller at either process is answered by the worker, when it is finished', async () => {
	for (const entry of entries) {
		const request_id = randomUUID();
		const reply = { status: 200, body: { request_id, job_status: 'completed' } };
		expect(await entry.post({ request_id, user: SIGNED_IN })).toEqual(reply);
		for (const asked of entries) {
			expect(await asked.ask(request_id)).toEqual(reply);
			expect((await asked.askSigned(request_id)).body).toMatchObject({
				account: SIGNED_IN,
				results: [{ integration: 'okta', outcome: 'revoked' }],
			});
		}
	}
	expect((await simulator.user(SIGNED_IN)).sessions).toEqual([]);
});

test('or at once, with 202', async () => {
	for (const entry of await publish({ table: 'queue_immediate', respond: 'immediately' })) {
		const request_id = randomUUID();
		const pending = { request_id, job_status: 'pending' };
		expect(await entry.post({ request_id, user: SIGNED_IN })).toEqual({
			status: 202,
			body: pending,
		});
		expect(await entry.settled(request_id)).toMatchObject({ job_status: 'completed' });
	}
});

test('a replay at the same process is refused', async () => {
	for (const [index, entry] of entries.entries()) {
		const request = { request_id: randomUUID(), user: SIGNED_IN };
		const time = unixSeconds() - index;
		expect((await entry.post(request, time)).status).toBe(200);
		expect(await entry.post(request, time)).toMatchObject({
			status: 409,
			body: { request_id: request.request_id, error: { code: 'replayed' } },
		});
	}
	expect(await revocations()).toBe(2);
});

test('a replay at the other process is answered from the ledger, and nobody is touched', async () => {
	const request = { request_id: randomUUID(), user: SIGNED_IN };
	const time = unixSeconds();
	const first = await entries[0].post(request, time);
	expect(await entries[1].post(request, time)).toEqual(first);
	expect(await revocations()).toBe(1);
});

test(
	`${MANY} requests at once at both processes: every caller gets its own answer`,
	async () => {
		const logins = Array.from({ length: MANY }, (_, index) => `caller.${index}@example.com`);
		for (const login of logins) await simulator.addUser(login, 1);
		const ids = logins.map(() => randomUUID());
		const replies = await Promise.all(
			logins.map(async (user, index) =>
				(index % 2 === 0 ? entries[0] : entries[1]).postPatiently({ request_id: ids[index], user }),
			),
		);
		expect(replies).toEqual(
			ids.map((request_id) => ({ status: 200, body: { request_id, job_status: 'completed' } })),
		);
		for (const [index, id] of ids.entries()) {
			const { body } = await entries[0].askSigned(id);
			expect(body).toMatchObject({ account: logins[index], results: [{ outcome: 'revoked' }] });
		}
		const left = (await simulator.users()).filter(
			({ login, sessions }) => logins.includes(login) && sessions.length > 0,
		);
		expect(left).toEqual([]);
	},
	BUSY_MACHINE_MS,
);
