/** What an execution of n8n may do to the nodes: be cancelled, and be an AI agent's. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { IExecuteFunctions } from 'n8n-workflow';
import { sorted } from '../../nodes/core/n8n/items';
import { type OktaBench, startOkta } from '../support/okta';
import { nodeLog, runNode } from './engine';

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

test('what was done before a cancellation is in the log, with the request id', async () => {
	const info = jest.spyOn(await nodeLog(), 'info').mockImplementation(() => undefined);
	for (const login of users) bench.org.signIn(login, 1);
	// Whoever was contained by then waits for the read-back.
	bench.simulator.faults.next({
		match: 'listLogEvents',
		times: Infinity,
		fault: { kind: 'slow', delayMs: 60_000 },
	});
	await runNode({
		type: 'revokeEverywhere',
		parameters: { operation: 'revoke', user: '={{ $json.user }}', requestId: '={{ $json.id }}' },
		credentials: { oktaSessionsApi: bench.credential() as never },
		items: users.map((user) => ({ user, id: `request of ${user}` })),
		during: (running) => {
			const watch = setInterval(() => {
				if ((bench.simulator.hits.listLogEvents ?? 0) < 10) return;
				clearInterval(watch);
				running.cancel();
			}, 5);
		},
	});
	const logged = () =>
		info.mock.calls.filter(([text]) => text.startsWith('Session revocation was cancelled'));
	// n8n does not wait for a node that it cancels.
	while (logged().length < 10) await pause(5);
	const told = logged().map(([, details]) => details);
	info.mockRestore();
	bench.simulator.faults.clear();
	const contained = users.filter((user) => bench.org.sessionsOf(user).length === 0);
	expect(contained).toHaveLength(10);
	expect(told).toEqual(
		contained.map((user) => ({
			requestId: `request of ${user}`,
			connector: 'okta',
			user,
			outcome: 'revoked',
			cause: null,
			vendorRequestId: expect.any(String),
		})),
	);
});

test('the first user is contained before the last is looked up', async () => {
	const last = users.at(-1) ?? '';
	await runNode({
		type: 'revokeEverywhere',
		parameters: { operation: 'revoke', user: '={{ $json.user }}' },
		credentials: { oktaSessionsApi: bench.credential() as never },
		items: users.map((user) => ({ user })),
	});
	const { requests } = bench.simulator;
	const contained = requests.findIndex(({ method }) => method === 'DELETE');
	const lookedUp = requests.findIndex(({ path }) => path.endsWith(encodeURIComponent(last)));
	expect(contained).toBeGreaterThan(0);
	expect(contained).toBeLessThan(lookedUp);
});

test('every item leaves once, by one output, in order and with its origin', async () => {
	const whom = [...users, 'nobody@example.com', ' ', ...users.slice(0, 3)];
	bench.simulator.faults.next({ match: 'getUser', skip: 5, times: 3, fault: { kind: 'notJson' } });
	bench.simulator.faults.next({ times: 20, fault: { kind: 'serverError' } });
	const { success, failure } = await runNode({
		type: 'revokeEverywhere',
		parameters: { operation: 'revoke', user: '={{ $json.user }}' },
		credentials: { oktaSessionsApi: bench.credential() as never },
		items: whom.map((user) => ({ user })),
	});
	expect(success.length).toBeGreaterThan(0);
	expect(failure.length).toBeGreaterThan(2);
	const places = (items: typeof success): number[] =>
		items.map(({ json, pairedItem }) => {
			const { item = -1 } = pairedItem as { item?: number };
			if (json.user !== null) expect(json.user).toBe(whom[item]);
			return item;
		});
	for (const items of [success, failure])
		expect(places(items)).toEqual(places(items).toSorted((a, b) => a - b));
	expect([...places(success), ...places(failure)].toSorted((a, b) => a - b)).toEqual([
		...whom.keys(),
	]);
	bench.simulator.faults.clear();
});

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
