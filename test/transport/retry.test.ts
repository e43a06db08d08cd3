import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
	decideRetry,
	mostFailures,
	mostPostponements,
	type AttemptFacts,
	type Outcome,
} from '../../nodes/core/transport/retry';
import type { TransportCause } from '../../nodes/core/transport/types';

const facts = (over: Partial<AttemptFacts>): AttemptFacts => ({
	outcome: { kind: 'failed', reason: 'unavailable', mayHaveArrived: false },
	idempotent: true,
	failures: 0,
	postponements: 0,
	remainingMs: 60_000,
	random: 0.5,
	...over,
});
const failed = (reason: TransportCause, mayHaveArrived = false): Outcome => ({
	kind: 'failed',
	reason,
	mayHaveArrived,
});
const replied = (status: number, rate = {}, throttled = status === 429): Outcome => ({
	kind: 'replied',
	status,
	throttled,
	rate,
});
const no = { retry: false };

describe('errors', () => {
	test.each<[TransportCause, boolean]>([
		['unavailable', true],
		['timeout', true],
		['blocked_by_policy', false],
		['cancelled', false],
		['configuration', false],
		['credential_invalid', false],
		['permission_denied', false],
		['rate_limited', false],
		['unexpected_reply', false],
	])('%s is retried: %s', (reason, retried) => {
		expect(decideRetry(facts({ outcome: failed(reason) })).retry).toBe(retried);
	});

	test('back off exponentially, with full jitter, up to the cap', () => {
		const wait = (failures: number, random: number) => decideRetry(facts({ failures, random }));
		expect([0, 1, 2].map((n) => wait(n, 1))).toEqual(
			[200, 400, 800].map((waitMs) => ({ retry: true, waitMs, countsAs: 'failure' })),
		);
		expect(wait(2, 0)).toEqual({ retry: true, waitMs: 0, countsAs: 'failure' });
	});

	test('end after four attempts', () => {
		expect(decideRetry(facts({ failures: mostFailures - 2 })).retry).toBe(true);
		expect(decideRetry(facts({ failures: mostFailures - 1 }))).toEqual(no);
	});
});

describe('answers', () => {
	test.each([
		[500, true],
		[502, true],
		[503, true],
		[504, true],
		[501, false],
		[400, false],
		[401, false],
		[403, false],
		[404, false],
		[200, false],
		[302, false],
	])('%i is retried: %s', (status, retried) => {
		expect(decideRetry(facts({ outcome: replied(status) })).retry).toBe(retried);
	});

	test('429 with Retry-After waits so long, also for a request that is not idempotent', () => {
		const outcome = replied(429, { retryAfterMs: 7000, resetInMs: 9000 });
		expect(decideRetry(facts({ outcome, idempotent: false }))).toEqual({
			retry: true,
			waitMs: 7000,
			countsAs: 'postponement',
		});
	});

	test('429 with a reset waits until then', () => {
		const outcome = replied(429, { limit: 600, remaining: 0, resetInMs: 9000 });
		expect(decideRetry(facts({ outcome }))).toMatchObject({ waitMs: 9000 });
	});

	test('a concurrency 429 waits shortly and not until the reset', () => {
		const outcome = replied(429, { limit: 0, remaining: 0, resetInMs: 60_000 });
		expect(decideRetry(facts({ outcome, random: 1 }))).toMatchObject({ waitMs: 200 });
	});

	test('429 without a time backs off as for a quota', () => {
		const wait = (postponements: number) =>
			decideRetry(facts({ outcome: replied(429), postponements, random: 1 }));
		expect(wait(0)).toMatchObject({ waitMs: 1000, countsAs: 'postponement' });
		expect(wait(3)).toMatchObject({ waitMs: 8000 });
	});

	test('a throttled 403 counts as 429', () => {
		const outcome = replied(403, {}, true);
		expect(decideRetry(facts({ outcome, idempotent: false })).retry).toBe(true);
	});

	test('Retry-After: 0 does not hammer', () => {
		const outcome = replied(429, { retryAfterMs: 0 });
		expect(decideRetry(facts({ outcome, random: 0 }))).toMatchObject({ waitMs: 500 });
		expect(decideRetry(facts({ outcome, random: 0.9 }))).toMatchObject({ waitMs: 900 });
	});

	test('503 waits for Retry-After, not for the reset that Okta sends with every answer', () => {
		const reset = { limit: 600, remaining: 599, resetInMs: 60_000 };
		expect(decideRetry(facts({ outcome: replied(503, reset) }))).toMatchObject({
			waitMs: 100,
			countsAs: 'failure',
		});
		expect(
			decideRetry(facts({ outcome: replied(503, { ...reset, retryAfterMs: 2000 }) })),
		).toMatchObject({ waitMs: 2000, countsAs: 'postponement' });
	});

	test('postponements end after five', () => {
		const outcome = replied(429, { retryAfterMs: 1 });
		expect(decideRetry(facts({ outcome, postponements: mostPostponements - 1 })).retry).toBe(true);
		expect(decideRetry(facts({ outcome, postponements: mostPostponements }))).toEqual(no);
	});

	test('a wait that does not fit ends it at once', () => {
		const outcome = replied(429, { retryAfterMs: 7000 });
		expect(decideRetry(facts({ outcome, remainingMs: 7000 }))).toEqual(no);
		expect(decideRetry(facts({ outcome, remainingMs: 7001 })).retry).toBe(true);
	});
});

describe('whatever happens', () => {
	const ms = fc.option(fc.integer({ min: 0, max: 3_600_000 }), { nil: undefined });
	const count = fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined });
	const rate = fc
		.record({ retryAfterMs: ms, resetInMs: ms, limit: count, remaining: count })
		.map((all) => Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined)));
	const outcome: fc.Arbitrary<Outcome> = fc.oneof(
		fc.record({
			kind: fc.constant('failed' as const),
			reason: fc.constantFrom<TransportCause>(
				'unavailable',
				'timeout',
				'cancelled',
				'unexpected_reply',
			),
			mayHaveArrived: fc.boolean(),
		}),
		fc.record({
			kind: fc.constant('replied' as const),
			status: fc.constantFrom(200, 204, 400, 401, 403, 404, 429, 500, 502, 503, 504),
			throttled: fc.boolean(),
			rate,
		}),
	);
	const any: fc.Arbitrary<AttemptFacts> = fc.record({
		outcome,
		idempotent: fc.boolean(),
		failures: fc.integer({ min: 0, max: 6 }),
		postponements: fc.integer({ min: 0, max: 6 }),
		remainingMs: fc.double({ min: 0, max: 600_000, noNaN: true }),
		random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
	});

	test('a wait is bounded and fits the budget', () => {
		fc.assert(
			fc.property(any, (given) => {
				const decision = decideRetry(given);
				if (!decision.retry) return;
				expect(decision.waitMs).toBeGreaterThanOrEqual(0);
				expect(decision.waitMs).toBeLessThan(given.remainingMs);
				expect(decision.waitMs).toBeLessThanOrEqual(3_600_000);
			}),
			{ numRuns: 5000 },
		);
	});

	test('a request that is not idempotent is never repeated after it may have been carried out', () => {
		fc.assert(
			fc.property(any, (given) => {
				const { outcome: what } = given;
				const maybeDone = what.kind === 'failed' ? what.mayHaveArrived : !what.throttled;
				fc.pre(!given.idempotent && maybeDone);
				expect(decideRetry(given)).toEqual(no);
			}),
			{ numRuns: 5000 },
		);
	});

	test('it ends: no sequence of outcomes is repeated more than 3 + 5 times', () => {
		fc.assert(
			fc.property(fc.array(outcome, { minLength: 20, maxLength: 20 }), (outcomes) => {
				const counts = { failure: 0, postponement: 0 };
				let attempts = 0;
				for (const what of outcomes) {
					attempts++;
					const decision = decideRetry(
						facts({
							outcome: what,
							failures: counts.failure,
							postponements: counts.postponement,
							remainingMs: Infinity,
						}),
					);
					if (!decision.retry) break;
					counts[decision.countsAs]++;
				}
				expect(attempts).toBeLessThanOrEqual(1 + (mostFailures - 1) + mostPostponements);
			}),
		);
	});
});
