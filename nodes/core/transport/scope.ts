import { setTimeout as sleep } from 'node:timers/promises';
import { TransportError } from './types';

/** Timers of Node take no longer delay than this (ms). */
const longestTimer = 2 ** 31 - 1;

/** The time and the signals that bound one piece of work. Close it when the work is over. */
export class Scope {
	readonly #controller = new AbortController();
	readonly #deadline: () => number;
	readonly #release: () => void;
	#cause: 'cancelled' | 'timeout' | undefined;

	/**
	 * @param deadline `performance.now()` value at which the work ends; a function when it can move
	 * @param signals each of them ends the work at once
	 */
	constructor(
		deadline: number | (() => number),
		signals: readonly (AbortSignal | undefined)[] = [],
	) {
		this.#deadline = typeof deadline === 'number' ? () => deadline : deadline;
		const cancel = () => this.#end('cancelled');
		const given = signals.filter((signal) => signal !== undefined);
		for (const signal of given) signal.addEventListener('abort', cancel, { once: true });
		const timer = typeof deadline === 'number' ? this.#timer(deadline) : undefined;
		this.#release = () => {
			clearTimeout(timer);
			for (const signal of given) signal.removeEventListener('abort', cancel);
		};
		if (given.some((signal) => signal.aborted)) cancel();
		else if (this.remaining() === 0) this.#end('timeout');
	}

	#timer(deadline: number): NodeJS.Timeout | undefined {
		const delay = deadline - performance.now();
		return delay > longestTimer
			? undefined
			: setTimeout(() => this.#end('timeout'), Math.max(0, Math.ceil(delay)));
	}

	#end(cause: 'cancelled' | 'timeout'): void {
		if (this.#cause !== undefined) return;
		this.#cause = cause;
		this.#release();
		this.#controller.abort();
	}

	/** Aborted as soon as the work has to end. */
	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	/** Milliseconds left; 0 once the work has to end. */
	remaining(): number {
		return this.#cause === undefined ? Math.max(0, this.#deadline() - performance.now()) : 0;
	}

	/** Why the work ended, to be thrown. */
	error(mayHaveArrived: boolean): TransportError {
		return this.#cause === 'cancelled'
			? new TransportError('The execution was cancelled', 'cancelled', mayHaveArrived)
			: new TransportError('No answer came within the time allowed', 'timeout', mayHaveArrived);
	}

	/** @throws TransportError `cancelled` or `timeout` when the work has to end */
	ensureOpen(): void {
		if (this.#cause !== undefined) throw this.error(false);
	}

	/**
	 * Resolves after `ms` milliseconds.
	 *
	 * @throws TransportError `cancelled` or `timeout`, as soon as the work has to end
	 */
	async wait(ms: number): Promise<void> {
		try {
			await sleep(Math.min(ms, longestTimer), undefined, { signal: this.signal });
		} catch {
			throw this.error(false);
		}
	}

	/**
	 * Settles as `work` does, which is left alone.
	 *
	 * @throws TransportError `cancelled` or `timeout`, as soon as this scope's own work has to end
	 */
	async race<T>(work: Promise<T>): Promise<T> {
		const left = new AbortController();
		const ended = new Promise<never>((_, reject) => {
			const stop = () => reject(this.error(false));
			if (this.signal.aborted) stop();
			this.signal.addEventListener('abort', stop, { once: true, signal: left.signal });
		});
		try {
			return await Promise.race([ended, work]);
		} finally {
			left.abort();
		}
	}

	/** Ends the work as `timeout`: what is to come does not fit into its time. */
	expire(): void {
		this.#end('timeout');
	}

	/** Ends the work as `cancelled`, for whoever owns it. */
	cancel(): void {
		this.#end('cancelled');
	}

	/** Lets go of timer and signals. */
	close(): void {
		this.#release();
	}
}
