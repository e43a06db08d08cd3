import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
	adapt,
	admission,
	freshBucket,
	freshConcurrency,
	learn,
	Pace,
	type Bucket,
	type Concurrency,
} from '../../nodes/core/transport/pace';
import { Scope } from '../../nodes/core/transport/scope';
import type { VendorReply } from '../../nodes/core/transport/types';
import { failure } from './support/server';

const now = 1000;
const bucket = (over: Partial<Bucket>): Bucket => ({ ...freshBucket, ...over });

describe('admission', () => {
	test('lets everything through while nothing is known', () => {
		expect(admission(bucket({ inFlight: 1000 }), freshConcurrency, now)).toBe(0);
	});
	test('waits for the reset when nothing remains', () => {
		expect(admission(bucket({ remaining: 0, resetAt: 4000 }), freshConcurrency, now)).toBe(3000);
	});
	test('forgets what remained when the window is over', () => {
		expect(admission(bucket({ remaining: 0, resetAt: now }), freshConcurrency, now)).toBe(0);
	});
	test('waits for what is on its way when that may use up the rest', () => {
		const rest = { remaining: 2, resetAt: 4000 };
		expect(admission(bucket({ ...rest, inFlight: 1 }), freshConcurrency, now)).toBe(0);
		expect(admission(bucket({ ...rest, inFlight: 2 }), freshConcurrency, now)).toBe(Infinity);
	});
	test('never blocks for ever: it waits without a time only while something is on its way', () => {
		const state = fc.record({
			inFlight: fc.nat(20),
			remaining: fc.oneof(fc.nat(20), fc.constant(Infinity)),
			resetAt: fc.nat(5000),
		});
		fc.assert(
			fc.property(state, fc.nat(20), fc.integer({ min: 1, max: 20 }), (given, others, allowed) => {
				const concurrency = { ...freshConcurrency, allowed, inFlight: given.inFlight + others };
				const wait = admission(given, concurrency, now);
				expect(wait).toBeGreaterThanOrEqual(0);
				if (wait === Infinity) expect(concurrency.inFlight).toBeGreaterThan(0);
				else expect(wait).toBeLessThanOrEqual(5000);
			}),
		);
	});
});

describe('learn', () => {
	test('a refusal with a time shuts the bucket until then', () => {
		expect(learn(freshBucket, {}, 5000, now)).toMatchObject({ remaining: 0, resetAt: 6000 });
	});
	test('a later refusal does not open it earlier', () => {
		const shut = learn(freshBucket, {}, 5000, now);
		expect(learn(shut, {}, 1000, now)).toMatchObject({ remaining: 0, resetAt: 6000 });
	});
	test('a refusal counts more than the end of the window that it interrupts', () => {
		const open = learn(freshBucket, { remaining: 500, resetInMs: 60_000 }, 0, now);
		expect(learn(open, {}, 1000, now)).toMatchObject({ remaining: 0, resetAt: now + 1000 });
	});
	test('within a window what remains only falls, also when answers overtake each other', () => {
		const first = learn(freshBucket, { remaining: 5, resetInMs: 60_000 }, 0, now);
		const second = learn(first, { remaining: 6, resetInMs: 59_500 }, 0, now + 100);
		expect(second.remaining).toBe(5);
	});
	test('a new window brings a new number', () => {
		const first = learn(freshBucket, { remaining: 0, resetInMs: 1000 }, 0, now);
		const second = learn(first, { remaining: 599, resetInMs: 61_000 }, 0, now + 1000);
		expect(second).toMatchObject({ remaining: 599, resetAt: now + 62_000 });
	});
	test('an answer to a request that left earlier does not open it', () => {
		const shut = learn(freshBucket, {}, 30_000, now);
		expect(learn(shut, { remaining: 7, resetInMs: 60_000 }, 0, now + 10)).toBe(shut);
		expect(learn(shut, { remaining: 7, resetInMs: 60_000 }, 0, now + 30_000).remaining).toBe(7);
	});
	test('an answer that says nothing teaches nothing', () => {
		const shut = learn(freshBucket, {}, 5000, now);
		expect(learn(shut, { remaining: 5 }, 0, now)).toBe(shut);
	});
});

describe('adapt', () => {
	const busy = (inFlight: number): Concurrency => ({ ...freshConcurrency, inFlight });

	test('halves what was on its way, once for a burst', () => {
		const halved = adapt(busy(10), true, now, now + 50);
		expect(halved.allowed).toBe(5);
		expect(adapt(halved, true, now + 10, now + 60)).toBe(halved);
		expect(adapt(halved, true, now + 51, now + 90).allowed).toBe(2);
	});
	test('never goes below one', () => {
		const state = fc.record({ inFlight: fc.nat(50), allowed: fc.integer({ min: 1, max: 50 }) });
		fc.assert(
			fc.property(state, (given) => {
				const next = adapt({ ...freshConcurrency, ...given }, true, now, now + 1);
				expect(next.allowed).toBeGreaterThanOrEqual(1);
				expect(next.allowed).toBeLessThanOrEqual(given.allowed);
			}),
		);
	});
	test('recovers by one after as many successes as are allowed at a time', () => {
		let state = adapt(busy(4), true, now, now + 1);
		const seen = Array.from({ length: 5 }, () => (state = adapt(state, false, now, now)).allowed);
		expect(seen).toEqual([2, 3, 3, 3, 4]);
	});
});

describe('Pace', () => {
	const reply = (headers: Record<string, string>, status = 200): VendorReply => ({
		status,
		headers,
		body: undefined,
		bodyKind: 'empty',
		serverTime: Date.now(),
	});
	const scope = (ms = 5000) => new Scope(performance.now() + ms);
	const load = (most: number) => ({ most, inFlight: 0 });

	test('a line has no more on its way than it may', async () => {
		const pace = new Pace();
		const mine = load(2);
		const within = scope();
		const passes = [await pace.enter('b', mine, within), await pace.enter('b', mine, within)];
		let third = false;
		const waiting = pace.enter('b', mine, within).then((pass) => {
			third = true;
			return pass;
		});
		const other = await pace.enter('b', load(1), within);
		expect([mine.inFlight, third]).toEqual([2, false]);
		pace.leave(other);
		for (const pass of passes) pace.leave(pass);
		pace.leave(await waiting);
		expect(mine.inFlight).toBe(0);
		within.close();
	});

	test('a refusal with a time stops all callers of the bucket, and none of another', async () => {
		const pace = new Pace();
		const within = scope(3000);
		const pass = await pace.enter('a', load(5), within);
		pace.leave(pass, { reply: reply({ 'retry-after': '60' }, 429), throttled: true });
		const refusals = await Promise.all(
			Array.from({ length: 5 }, () => failure(pace.enter('a', load(5), within))),
		);
		for (const refusal of refusals) {
			expect(refusal).toMatchObject({ reason: 'rate_limited', mayHaveArrived: false });
			expect(String(refusal)).toMatch(/for 60 s/);
		}
		pace.leave(await pace.enter('b', load(5), within));
		within.close();
	});

	test('a wait that fits is waited for', async () => {
		const pace = new Pace();
		const within = scope();
		const pass = await pace.enter('a', load(5), within);
		pace.leave(pass, { reply: reply({ 'retry-after': '1' }, 429), throttled: true });
		const startedAt = performance.now();
		pace.leave(await pace.enter('a', load(5), within));
		expect(performance.now() - startedAt).toBeGreaterThan(900);
		within.close();
	});

	test('a concurrency refusal narrows the gate and does not shut the bucket', async () => {
		const pace = new Pace();
		const within = scope();
		const passes = await Promise.all(
			Array.from({ length: 4 }, () => pace.enter('a', load(5), within)),
		);
		const zero = { 'x-rate-limit-limit': '0', 'x-rate-limit-remaining': '0' };
		const reset = String(Math.floor(Date.now() / 1000) + 60);
		for (const pass of passes) {
			const refused = reply({ ...zero, 'x-rate-limit-reset': reset }, 429);
			pace.leave(pass, { reply: refused, throttled: true });
		}
		const two = [await pace.enter('a', load(5), within), await pace.enter('a', load(5), within)];
		const brief = scope(50);
		expect(await failure(pace.enter('a', load(5), brief))).toMatchObject({ reason: 'timeout' });
		for (const pass of two) pace.leave(pass);
		within.close();
	});

	test('whoever gives up leaves nothing behind', async () => {
		const pace = new Pace();
		const mine = load(1);
		const within = scope();
		const pass = await pace.enter('a', mine, within);
		const leaving = scope();
		const left = failure(pace.enter('a', mine, leaving));
		leaving.cancel();
		expect(await left).toMatchObject({ reason: 'cancelled', mayHaveArrived: false });
		pace.leave(pass);
		pace.leave(await pace.enter('a', mine, within));
		expect(mine.inFlight).toBe(0);
		within.close();
	});
});
