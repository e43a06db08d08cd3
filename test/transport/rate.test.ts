import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isConcurrencyLimit, longestWait, readRate } from '../../nodes/core/transport/rate';
import { httpDate } from '../../nodes/core/transport/reply';

const serverTime = Date.UTC(2026, 10, 22, 12, 0, 0);
const rate = (headers: Record<string, string>) => readRate({ headers, serverTime });
const epoch = serverTime / 1000;

describe('readRate', () => {
	test.each([
		['seconds', { 'retry-after': '7' }, { retryAfterMs: 7000 }],
		['zero seconds', { 'retry-after': '0' }, { retryAfterMs: 0 }],
		[
			'a date',
			{ 'retry-after': new Date(serverTime + 9000).toUTCString() },
			{ retryAfterMs: 10_000 },
		],
		['a day', { 'retry-after': '86400' }, { retryAfterMs: longestWait }],
		['a past date', { 'retry-after': new Date(serverTime - 9000).toUTCString() }, {}],
		['a negative number', { 'retry-after': '-1' }, {}],
		['a word', { 'retry-after': 'soon' }, {}],
		['a number that Date.parse takes for a year', { 'retry-after': '1.5' }, {}],
		['nothing', {}, {}],
	])('reads Retry-After: %s', (_, headers, expected) => {
		expect(rate(headers)).toEqual(expected);
	});

	test.each(['x-rate-limit', 'x-ratelimit'])('reads %s-*', (prefix) => {
		expect(
			rate({
				[`${prefix}-limit`]: '600',
				[`${prefix}-remaining`]: '3',
				[`${prefix}-reset`]: String(epoch + 30),
			}),
		).toEqual({ limit: 600, remaining: 3, resetInMs: 31_000 });
	});

	test.each([
		['milliseconds since 1970', String(serverTime + 30_000), 31_000],
		['two hours ahead', String(epoch + 7200), longestWait],
		['the past', String(epoch - 30), undefined],
		['a number of seconds', '30', undefined],
		['nonsense', 'NaN', undefined],
		['an enormous number', '9'.repeat(40), undefined],
	])('clamps or drops a reset that is %s', (_, reset, expected) => {
		expect(rate({ 'x-rate-limit-reset': reset }).resetInMs).toBe(expected);
	});

	test('counts from the clock of the server, not from the one here', () => {
		const reset = String(epoch + 5);
		const late = readRate({
			headers: { 'x-rate-limit-reset': reset },
			serverTime: serverTime + 3000,
		});
		expect(late.resetInMs).toBe(3000);
	});

	test('never throws, and every time is within bounds', () => {
		const value = fc.oneof(
			fc.string(),
			fc.integer().map(String),
			fc.double().map(String),
			fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
		);
		const headers = fc.record({
			'retry-after': value,
			'x-rate-limit-reset': value,
			'x-ratelimit-limit': value,
			'x-ratelimit-remaining': value,
		});
		fc.assert(
			fc.property(headers, (given) => {
				for (const ms of [rate(given).retryAfterMs, rate(given).resetInMs]) {
					if (ms === undefined) continue;
					expect(ms).toBeGreaterThanOrEqual(0);
					expect(ms).toBeLessThanOrEqual(longestWait);
				}
			}),
			{ numRuns: 2000 },
		);
	});
});

test('a concurrency limit is told by two zeros', () => {
	expect(isConcurrencyLimit({ limit: 0, remaining: 0 })).toBe(true);
	expect(isConcurrencyLimit({ limit: 600, remaining: 0 })).toBe(false);
	expect(isConcurrencyLimit({})).toBe(false);
});

test.each([
	['Sun, 22 Nov 2026 12:00:00 GMT', serverTime],
	['Sunday, 22-Nov-26 12:00:00 GMT', serverTime],
	['2026-11-22T12:00:00Z', undefined],
	['1', undefined],
	['', undefined],
])('httpDate(%j)', (text, expected) => {
	expect(httpDate(text)).toBe(expected);
});
