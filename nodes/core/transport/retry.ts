import { isConcurrencyLimit, readRate, type Rate } from './rate';
import type { TransportCause, VendorReply } from './types';

/** At most so many attempts end in an error or in a 5xx. */
export const mostFailures = 4;
/** At most so many times a request is repeated because the vendor said "later". */
export const mostPostponements = 5;

const quickBackoff = { base: 200, cap: 5_000 };
/** For a vendor that says "too many" without a time: Google asks for 1, 2, 4 … s, and a quota is counted per minute. https://developers.google.com/workspace/admin/directory/v1/limits */
const quotaBackoff = { base: 1_000, cap: 32_000 };
/** Who said "too many" is not asked again at once (ms), whatever the dice say. */
const leastQuotaWait = 500;

/** What became of one attempt. */
export type Outcome =
	| { kind: 'failed'; reason: TransportCause; mayHaveArrived: boolean }
	/** `throttled`: the vendor refused because of too many requests, so it did nothing. */
	| { kind: 'replied'; status: number; throttled: boolean; rate: Rate };

export interface AttemptFacts {
	outcome: Outcome;
	idempotent: boolean;
	/** Earlier attempts of the same request that counted as `failure`. */
	failures: number;
	/** Earlier attempts of the same request that counted as `postponement`. */
	postponements: number;
	/** What is left of the budget (ms). */
	remainingMs: number;
	/** A number in [0, 1). */
	random: number;
}

export type RetryDecision =
	{ retry: false } | { retry: true; waitMs: number; countsAs: 'failure' | 'postponement' };

/**
 * Decides whether a request may be sent again, and after how long. Never waits longer than the
 * budget, never repeats a request that is not idempotent and that the vendor may have carried out.
 */
export function decideRetry(facts: AttemptFacts): RetryDecision {
	const again = (waitMs: number, countsAs: 'failure' | 'postponement'): RetryDecision => {
		const [made, most] =
			countsAs === 'failure'
				? [facts.failures + 1, mostFailures]
				: [facts.postponements, mostPostponements];
		return made < most && waitMs < facts.remainingMs
			? { retry: true, waitMs, countsAs }
			: { retry: false };
	};
	const jitter = ({ base, cap }: { base: number; cap: number }, exponent: number) =>
		facts.random * Math.min(cap, base * 2 ** exponent);

	const { outcome } = facts;
	if (outcome.kind === 'failed') {
		const passing = outcome.reason === 'unavailable' || outcome.reason === 'timeout';
		const harmless = facts.idempotent || !outcome.mayHaveArrived;
		if (!passing || !harmless) return { retry: false };
		return again(jitter(quickBackoff, facts.failures), 'failure');
	}
	if (outcome.throttled) {
		if (isConcurrencyLimit(outcome.rate)) {
			return again(jitter(quickBackoff, facts.postponements), 'postponement');
		}
		const asked = askedWait(outcome.rate, outcome.status);
		const untold = Math.max(leastQuotaWait, jitter(quotaBackoff, facts.postponements));
		return again(asked || untold, 'postponement');
	}
	if (!facts.idempotent || ![500, 502, 503, 504].includes(outcome.status)) return { retry: false };
	const asked = outcome.status === 503 ? askedWait(outcome.rate, outcome.status) : 0;
	return asked > 0
		? again(asked, 'postponement')
		: again(jitter(quickBackoff, facts.failures), 'failure');
}

/** What an answer means for the decision. */
export function outcomeOf(reply: VendorReply, throttled: boolean): Outcome {
	return { kind: 'replied', status: reply.status, throttled, rate: readRate(reply) };
}

/**
 * How long the vendor asks to wait (ms); 0 when it names no time. Okta sends its reset with every
 * answer, so the reset counts only in a 429, or when nothing remains.
 */
export function askedWait(rate: Rate, status: number): number {
	const windowIsUsedUp = status === 429 || rate.remaining === 0;
	return rate.retryAfterMs ?? (windowIsUsedUp ? rate.resetInMs : undefined) ?? 0;
}
