/**
 * Remembers what was let in, so that the same signed request is not let in again. Exact within one
 * process; processes do not know of each other.
 */
export class SeenRequests {
	readonly #seen = new Map<string, { requestId: string; until: number }>();
	readonly #most: number;

	/** @param most the most requests that are remembered; beyond, the oldest is forgotten first */
	constructor(most = 100_000) {
		this.#most = most;
	}

	/**
	 * Asks and remembers in one step, so that of two equal requests just one is the first.
	 *
	 * @param key what makes requests the same
	 * @param until how long it is remembered, in Unix seconds
	 * @param now in Unix seconds
	 * @returns null when this is the first; else the id that the first one got
	 */
	claim(key: string, requestId: string, until: number, now: number): string | null {
		const first = this.#seen.get(key);
		if (first && first.until >= now) return first.requestId;
		this.#seen.delete(key);
		this.#seen.set(key, { requestId, until });
		for (const [oldest, entry] of this.#seen) {
			if (this.#seen.size <= this.#most && entry.until >= now) break;
			this.#seen.delete(oldest);
		}
		return null;
	}

	/** Forgets a request that came to nothing: its sender may repeat it. */
	forget(key: string): void {
		this.#seen.delete(key);
	}
}
