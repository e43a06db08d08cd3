import { describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeastRecentlyUsed } from '../../nodes/core/transport/lru';
import { Scope } from '../../nodes/core/transport/scope';
import { failure } from './support/server';

const soon = (ms: number) => performance.now() + ms;

describe('Scope', () => {
	test('ends at its deadline', async () => {
		const scope = new Scope(soon(30));
		expect(scope.remaining()).toBeGreaterThan(0);
		expect(await failure(scope.wait(10_000))).toMatchObject({
			reason: 'timeout',
			mayHaveArrived: false,
		});
		expect(scope.remaining()).toBe(0);
		expect(scope.signal.aborted).toBe(true);
		expect(() => scope.ensureOpen()).toThrow('No answer came');
	});

	test('ends at once when its deadline has passed', () => {
		const scope = new Scope(soon(-1));
		expect(() => scope.ensureOpen()).toThrow(expect.objectContaining({ reason: 'timeout' }));
	});

	test.each([0, 1])('ends when signal %i does, before or after it was made', async (index) => {
		const controllers = [new AbortController(), new AbortController()];
		const scope = new Scope(Infinity, [undefined, ...controllers.map(({ signal }) => signal)]);
		const waiting = failure(scope.wait(10_000));
		controllers[index]?.abort();
		expect(await waiting).toMatchObject({ reason: 'cancelled' });

		const late = new Scope(
			Infinity,
			controllers.map(({ signal }) => signal),
		);
		expect(() => late.ensureOpen()).toThrow(expect.objectContaining({ reason: 'cancelled' }));
	});

	test('a cancellation stays one when the deadline passes later', async () => {
		const scope = new Scope(soon(20));
		scope.cancel();
		await sleep(40);
		expect(scope.error(true)).toMatchObject({ reason: 'cancelled', mayHaveArrived: true });
	});

	test('a moving deadline moves', () => {
		let deadline = soon(1000);
		const scope = new Scope(() => deadline);
		deadline = soon(10_000);
		expect(scope.remaining()).toBeGreaterThan(5000);
	});

	test('race settles as the work does, or ends without it', async () => {
		const scope = new Scope(soon(5000));
		expect(await scope.race(Promise.resolve(1))).toBe(1);
		expect(await failure(scope.race(Promise.reject(new Error('own'))))).toMatchObject({
			message: 'own',
		});
		const work = failure(scope.race(new Promise(() => undefined)));
		scope.cancel();
		expect(await work).toMatchObject({ reason: 'cancelled' });
		expect(await failure(scope.race(new Promise(() => undefined)))).toMatchObject({
			reason: 'cancelled',
		});
	});

	test('lets go of its signals when closed', () => {
		const controller = new AbortController();
		const scope = new Scope(Infinity, [controller.signal]);
		scope.close();
		controller.abort();
		expect(scope.signal.aborted).toBe(false);
	});
});

test('LeastRecentlyUsed forgets what was not used for the longest time', () => {
	const cache = new LeastRecentlyUsed<number>(2);
	let made = 0;
	const get = (key: string) => cache.getOrMake(key, () => ++made);
	expect([get('a'), get('b'), get('a'), get('c'), get('a'), get('b')]).toEqual([1, 2, 1, 3, 1, 4]);
	cache.clear();
	expect(get('a')).toBe(5);
});
