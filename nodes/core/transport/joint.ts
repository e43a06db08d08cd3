import { Scope } from './scope';

/**
 * One piece of work that several wait for, each within its own time. It may take as long as the most
 * patient of them waits, and ends when nobody waits any more.
 */
export class Joint<T> {
	readonly #waiting: Set<Scope>;
	readonly #scope: Scope;
	readonly #onLeft: () => void;
	readonly #work: Promise<T>;

	/**
	 * @param first of whoever comes first, and then waits
	 * @param onLeft called when nobody waits any more
	 */
	constructor(first: Scope, work: (scope: Scope) => Promise<T>, onLeft: () => void) {
		const waiting = new Set([first]);
		this.#waiting = waiting;
		this.#scope = new Scope(
			() => performance.now() + Math.max(0, ...[...waiting].map((each) => each.remaining())),
		);
		this.#onLeft = onLeft;
		this.#work = work(this.#scope);
		// Whoever waits hears of a failure; when nobody does, there is nobody to tell.
		this.#work.catch(() => undefined);
	}

	/** @throws what the work throws, or TransportError as the caller's scope */
	async wait(scope: Scope): Promise<T> {
		this.#waiting.add(scope);
		try {
			return await scope.race(this.#work);
		} finally {
			this.#waiting.delete(scope);
			if (this.#waiting.size === 0) {
				this.#scope.cancel();
				this.#scope.close();
				this.#onLeft();
			}
		}
	}
}
