/** What an execution of n8n may do to the nodes: be cancelled, and be an AI agent's. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { IExecuteFunctions } from 'n8n-workflow';
import { sorted } from '../../nodes/core/n8n/items';
import { type OktaBench, startOkta } from '../support/okta';
import { runNode } from './engine';

let bench: OktaBench;
const users = Array.from({ length: 40 }, (_, index) => `user${index}@example.com`);
beforeAll(async () => {
	bench = await startOkta();
	for (const login of users) bench.org.addUser({ login, sessions: 1 });
});
beforeEach(() => {
	bench.simulator.forget();
});
afterAll(() => bench.close());

test.each(['oktaSessions', 'revokeEverywhere'])(
	'%s sends nothing more once its execution is cancelled',
	async (type) => {
		bench.simulator.latencyMs = 50;
		await runNode({
			type,
			parameters: {
				operation: type === 'oktaSessions' ? 'revokeAllSessions' : 'revoke',
				user: '={{ $json.user }}',
			},
			credentials: { oktaSessionsApi: bench.credential() as never },
			items: users.map((user) => ({ user })),
			during: (running) => {
				const watch = setInterval(() => {
					if (bench.simulator.requests.length < 5) return;
					clearInterval(watch);
					running.cancel();
				}, 5);
			},
		});
		bench.simulator.latencyMs = 0;
		// What had been written to a socket before the cancellation still arrives.
		await pause(150);
		const sent = bench.simulator.requests.length;
		await pause(500);
		expect(sent).toBeGreaterThan(0);
		expect(bench.simulator.requests).toHaveLength(sent);
		expect(users.filter((user) => bench.org.sessionsOf(user).length > 0)).not.toEqual([]);
	},
);

test('as a tool of an AI agent every result leaves by the first output', () => {
	const tool = { isToolExecution: () => true } as unknown as IExecuteFunctions;
	const results = [true, false, true].map((success, index) => ({
		item: { json: { index } },
		success,
	}));
	expect(sorted(tool, results).map((items) => items.map(({ json }) => json.index))).toEqual([
		[0, 1, 2],
		[],
	]);
	const node = { isToolExecution: () => false } as unknown as IExecuteFunctions;
	expect(sorted(node, results).map((items) => items.map(({ json }) => json.index))).toEqual([
		[0, 2],
		[1],
	]);
});

test('no secret of the credential is in an execution, even when the vendor echoes it', async () => {
	bench.org.updateUser(users[39] ?? '', { profile: { displayName: `Token ${bench.token}` } });
	const { run } = await runNode({
		type: 'oktaSessions',
		parameters: { operation: 'retrieveUser', user: users[39] },
		credentials: { oktaSessionsApi: bench.credential() as never },
	});
	const written = JSON.stringify(run.data);
	expect(written).toContain('[redacted]');
	expect(written).not.toContain(bench.token);
});
