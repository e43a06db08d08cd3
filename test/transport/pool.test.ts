import { describe, expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import { closeIdle } from '../../nodes/core/transport';
import { lease, type Route } from '../../nodes/core/transport/dispatcher';
import { get, json, lineTo, serve, within } from './support/server';

const answering = async () => await serve((_, response) => json(response, {}));

describe('connections', () => {
	test('a second call that depends on the first uses its connection', async () => {
		const server = await answering();
		const line = lineTo(server.origin);
		for (let call = 0; call < 5; call++) await line.send(get, within(5000));
		expect(server.sockets).toBe(1);
	});

	test.each([1, 5, 10])(
		'%i users side by side, 20 calls each, need no more than one each',
		async (users) => {
			const server = await answering();
			const line = lineTo(server.origin, {}, { usersInParallel: users });
			const user = async () => {
				for (let call = 0; call < 20; call++) await line.send(get, within(20_000));
			};
			await Promise.all(Array.from({ length: users }, user));
			expect(server.requests).toHaveLength(users * 20);
			expect(server.sockets).toBeLessThanOrEqual(users);
		},
	);

	test('no more requests are on their way than users may be worked on', async () => {
		let now = 0;
		let most = 0;
		const server = await serve((_, response) => {
			most = Math.max(most, ++now);
			setTimeout(() => {
				now--;
				json(response, {});
			}, 10);
		});
		const line = lineTo(server.origin, {}, { usersInParallel: 3 });
		await Promise.all(Array.from({ length: 20 }, async () => await line.send(get, within(20_000))));
		expect(most).toBe(3);
	});

	test('lines of different credentials share them', async () => {
		const server = await answering();
		for (const secret of ['secret-1', 'secret-2', 'secret-3']) {
			await lineTo(server.origin, { secrets: [secret] }).send(get, within(5000));
		}
		expect(server.sockets).toBe(1);
	});
});

describe('lease', () => {
	const route: Route = {
		origin: 'https://vendor.example',
		allowUnauthorizedCerts: false,
		egressFilter: undefined,
		connections: 2,
	};
	const filter = {
		validateUrl: () => Promise.resolve({ ok: true as const }),
		createSecureLookup: () => () => undefined,
	};
	const take = (more: Partial<Route> = {}) => {
		const { dispatcher, release } = lease({ ...route, ...more });
		release();
		return dispatcher;
	};

	test('gives the same pool for the same route, and another for any other', () => {
		const pool = take();
		expect(take()).toBe(pool);
		expect(take({ connections: 1 })).toBe(pool);
		expect(take({ origin: 'https://other.example' })).not.toBe(pool);
		expect(take({ allowUnauthorizedCerts: true })).not.toBe(pool);
		expect(take({ egressFilter: filter })).not.toBe(pool);
	});

	test('shares the pool between executions, each with its own filter object', () => {
		expect(take({ egressFilter: { ...filter } })).toBe(take({ egressFilter: { ...filter } }));
	});

	test('grows: a wider pool replaces a narrow one, which finishes what it has to do', async () => {
		const server = await serve((_, response) => setTimeout(() => json(response, {}), 100));
		const narrow = lineTo(server.origin, {}, { usersInParallel: 1 });
		const wide = lineTo(server.origin, {}, { usersInParallel: 20 });
		const first = narrow.send(get, within(5000));
		await sleep(30);
		const replies = await Promise.all([first, wide.send(get, within(5000))]);
		expect(replies.map(({ status }) => status)).toEqual([200, 200]);
		await narrow.send(get, within(5000));
		expect(server.sockets).toBe(2);
	});

	test('closes a pool that was idle for 60 s, and never one in use', () => {
		jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
		try {
			const first = lease(route);
			jest.advanceTimersByTime(120_000);
			expect(take()).toBe(first.dispatcher);
			first.release();
			jest.advanceTimersByTime(59_999);
			expect(take()).toBe(first.dispatcher);
			jest.advanceTimersByTime(60_000);
			expect(take()).not.toBe(first.dispatcher);
			expect(first.dispatcher).toMatchObject({ closed: true });
		} finally {
			jest.useRealTimers();
		}
	});

	test('closeIdle closes what nobody uses', async () => {
		const idle = take();
		const used = lease({ ...route, origin: 'https://other.example' });
		await closeIdle();
		expect(idle).toMatchObject({ closed: true });
		expect(used.dispatcher).toMatchObject({ closed: false });
		used.release();
	});
});

test('a process that has sent requests can end by itself', async () => {
	const server = await answering();
	const script = `
		const { openLine } = require(${JSON.stringify(path.resolve('nodes/core/transport/index.ts'))});
		const line = openLine(
			{ baseUrl: ${JSON.stringify(server.origin)}, authentication: { type: 'none' }, secrets: [] },
			{ usersInParallel: 2, log: () => undefined },
		);
		const request = ${JSON.stringify(get)};
		line.send(request, { deadline: performance.now() + 60000 }).then(({ status }) => console.log(status));
	`;
	const startedAt = performance.now();
	const { stdout } = await promisify(execFile)(
		process.execPath,
		['--require', 'tsx/cjs', '--eval', script],
		{ timeout: 25_000, env: { PATH: process.env.PATH } },
	);
	expect(stdout.trim()).toBe('200');
	expect(performance.now() - startedAt).toBeLessThan(20_000);
});
