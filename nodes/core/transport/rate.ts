import { httpDate } from './reply';
import type { VendorReply } from './types';

/** Vendors name no sensible time beyond this (ms); whatever is longer counts as this. */
export const longestWait = 60 * 60 * 1000;

/** What an answer says about the vendor's rate limit; a member is absent when it says nothing usable. */
export interface Rate {
	/** `Retry-After`, as ms from the moment of the answer. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
	retryAfterMs?: number;
	limit?: number;
	remaining?: number;
	/** When the window ends, as ms from the moment of the answer. */
	resetInMs?: number;
}

/**
 * Reads the rate-limit headers of an answer: `Retry-After`, Okta's `X-Rate-Limit-*`
 * (https://developer.okta.com/docs/reference/rl2-monitor/) and `X-RateLimit-*` as Miro sends it
 * (https://developers.miro.com/reference/rate-limiting). All times are counted from the server's
 * own `Date`, because the clock here may be wrong; 1 s is added because `Date` and the reset are
 * cut to whole seconds.
 */
export function readRate(reply: Pick<VendorReply, 'headers' | 'serverTime'>): Rate {
	const header = (name: string) => reply.headers[name]?.trim() ?? '';
	const limited = (name: string) =>
		wholeNumber(header(`x-rate-limit-${name}`)) ?? wholeNumber(header(`x-ratelimit-${name}`));

	const until = (time: number) =>
		time < reply.serverTime ? undefined : Math.min(time - reply.serverTime + 1000, longestWait);
	const seconds = wholeNumber(header('retry-after'));
	const date = httpDate(header('retry-after'));
	const reset = limited('reset');

	return compact({
		retryAfterMs:
			seconds !== undefined
				? Math.min(seconds * 1000, longestWait)
				: date === undefined
					? undefined
					: until(date),
		limit: limited('limit'),
		remaining: limited('remaining'),
		// Seconds since 1970; some vendors send milliseconds.
		resetInMs: reset === undefined ? undefined : until(reset < 1e11 ? reset * 1000 : reset),
	});
}

/**
 * Whether a refusal means "too many at the same time": Okta then sends 0 for the limit and for
 * what remains, and a reset that means nothing. https://developer.okta.com/docs/reference/rl2-concurrency/
 */
export function isConcurrencyLimit(rate: Rate): boolean {
	return rate.limit === 0 && rate.remaining === 0;
}

function wholeNumber(text: string): number | undefined {
	return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function compact(rate: { [Name in keyof Rate]: Rate[Name] | undefined }): Rate {
	return Object.fromEntries(Object.entries(rate).filter(([, value]) => value !== undefined));
}
