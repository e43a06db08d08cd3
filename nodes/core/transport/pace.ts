import { LeastRecentlyUsed } from './lru';
import { isConcurrencyLimit, readRate, type Rate } from './rate';
import { askedWait } from './retry';
import type { Scope } from './scope';
import { TransportError, type VendorReply } from './types';

/** What is known of one rate-limit bucket of the vendor. */
export interface Bucket {
	/** Requests on their way. */
	inFlight: number;
	/** How many requests the vendor said it still takes in this window; Infinity while unknown. */
	remaining: number;
	/** When the window ends (`performance.now()`). */
	resetAt: number;
}

/** How many requests the vendor takes side by side (additive increase, multiplicative decrease). */
export interface Concurrency {
	inFlight: number;
	/** Infinity until the vendor refused one for being too many at a time. */
	allowed: number;
	/** Answers since `allowed` last changed. */
	successes: number;
	/** When `allowed` was last halved (`performance.now()`). */
	halvedAt: number;
}

/** How many requests one line may have on their way, and has. */
export interface Load {
	readonly most: number;
	inFlight: number;
}

/** Handed out for each request that may leave. */
export interface Pass {
	readonly bucket: { state: Bucket };
	readonly load: Load;
	readonly startedAt: number;
}

export const freshBucket: Bucket = { inFlight: 0, remaining: Infinity, resetAt: 0 };
export const freshConcurrency: Concurrency = {
	inFlight: 0,
	allowed: Infinity,
	successes: 0,
	halvedAt: -Infinity,
};

/**
 * How long a request has to wait before it may leave: 0 means now, Infinity means until another
 * request has come back.
 */
export function admission(bucket: Bucket, concurrency: Concurrency, now: number): number {
	if (concurrency.inFlight >= concurrency.allowed) return Infinity;
	if (now >= bucket.resetAt || bucket.remaining > bucket.inFlight) return 0;
	// What is on its way may use up the rest: its answer will tell.
	return bucket.remaining === 0 ? bucket.resetAt - now : Infinity;
}

/** What an answer teaches about its bucket. `waitMs`: how long the vendor asked to wait, 0 for not at all. */
export function learn(bucket: Bucket, rate: Rate, waitMs: number, now: number): Bucket {
	const shut = bucket.remaining === 0 && now < bucket.resetAt;
	if (waitMs > 0) {
		const until = now + waitMs;
		// The end of a window that was open says nothing: the vendor may ask for less, or for more.
		return { ...bucket, remaining: 0, resetAt: shut ? Math.max(bucket.resetAt, until) : until };
	}
	if (rate.remaining === undefined || rate.resetInMs === undefined) return bucket;
	// What was on its way when the vendor shut the bucket knows nothing of that.
	if (shut && rate.remaining > 0) return bucket;
	const resetAt = now + rate.resetInMs;
	// Answers overtake each other; within a window what remains only falls. A window's end moves by clock rounding.
	const sameWindow = now < bucket.resetAt && Math.abs(resetAt - bucket.resetAt) < 2_000;
	return {
		...bucket,
		remaining: sameWindow ? Math.min(bucket.remaining, rate.remaining) : rate.remaining,
		resetAt: sameWindow ? Math.max(bucket.resetAt, resetAt) : resetAt,
	};
}

/**
 * How many requests may be side by side after an answer.
 *
 * @param startedAt when the answered request left: of a burst that was refused together only the first halves
 */
export function adapt(
	state: Concurrency,
	refused: boolean,
	startedAt: number,
	now: number,
): Concurrency {
	if (refused) {
		if (startedAt <= state.halvedAt) return state;
		const allowed = Math.max(1, Math.floor(Math.min(state.allowed, state.inFlight) / 2));
		return { ...state, allowed, successes: 0, halvedAt: now };
	}
	const successes = state.successes + 1;
	return successes >= state.allowed
		? { ...state, allowed: state.allowed + 1, successes: 0 }
		: { ...state, successes };
}

/** The gate that all requests of one credential to one origin pass, whichever line they come from. */
export class Pace {
	readonly #buckets = new LeastRecentlyUsed<{ state: Bucket }>(64);
	readonly #waiting = new Set<() => void>();
	#concurrency = freshConcurrency;

	/**
	 * Waits until a request of this bucket and this line may leave.
	 *
	 * @returns the pass, to be handed back with `leave` whatever becomes of the request
	 * @throws TransportError `rate_limited` when the wait is longer than the scope allows, else as the scope
	 */
	async enter(bucketName: string, load: Load, scope: Scope): Promise<Pass> {
		const bucket = this.#buckets.getOrMake(bucketName, () => ({ state: freshBucket }));
		for (;;) {
			scope.ensureOpen();
			const now = performance.now();
			const wait =
				load.inFlight >= load.most ? Infinity : admission(bucket.state, this.#concurrency, now);
			if (wait === 0) {
				load.inFlight++;
				bucket.state = { ...bucket.state, inFlight: bucket.state.inFlight + 1 };
				this.#concurrency = { ...this.#concurrency, inFlight: this.#concurrency.inFlight + 1 };
				return { bucket, load, startedAt: now };
			}
			if (wait !== Infinity && wait >= scope.remaining()) throw outOfQuota(wait);
			await this.#change(wait, scope);
		}
	}

	/** Hands a pass back, with the answer if there was one. */
	leave(pass: Pass, reply?: { reply: VendorReply; throttled: boolean }): void {
		const now = performance.now();
		const { bucket } = pass;
		if (reply !== undefined) {
			const rate = readRate(reply.reply);
			const tooManyAtOnce = reply.throttled && isConcurrencyLimit(rate);
			const asked = reply.throttled ? askedWait(rate, reply.reply.status) : 0;
			this.#concurrency = adapt(this.#concurrency, tooManyAtOnce, pass.startedAt, now);
			if (!tooManyAtOnce) bucket.state = learn(bucket.state, rate, asked, now);
		}
		pass.load.inFlight--;
		bucket.state = { ...bucket.state, inFlight: bucket.state.inFlight - 1 };
		this.#concurrency = { ...this.#concurrency, inFlight: this.#concurrency.inFlight - 1 };
		for (const wake of this.#waiting) wake();
	}

	async #change(ms: number, scope: Scope): Promise<void> {
		let forget: (() => void) | undefined;
		const changed = new Promise<void>((resolve) => {
			const timer = ms === Infinity ? undefined : setTimeout(resolve, Math.ceil(ms));
			this.#waiting.add(resolve);
			forget = () => {
				clearTimeout(timer);
				this.#waiting.delete(resolve);
			};
		});
		try {
			await scope.race(changed);
		} finally {
			forget?.();
		}
	}
}

function outOfQuota(waitMs: number): TransportError {
	return new TransportError(
		`The vendor takes no more requests for ${Math.ceil(waitMs / 1000)} s, which is longer than the time allowed`,
		'rate_limited',
		false,
	);
}
