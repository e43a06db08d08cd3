/** A map that forgets the entry that was not used for the longest time when it grows too large. */
export class LeastRecentlyUsed<Value> {
	readonly #entries = new Map<string, Value>();
	readonly #size: number;

	/** @param size the most entries kept */
	constructor(size: number) {
		this.#size = size;
	}

	/** Returns the value of `key`, made by `make` when there is none yet. */
	getOrMake(key: string, make: () => Value): Value {
		const value = this.#entries.get(key) ?? make();
		this.#entries.delete(key);
		this.#entries.set(key, value);
		for (const oldest of this.#entries.keys()) {
			if (this.#entries.size <= this.#size) break;
			this.#entries.delete(oldest);
		}
		return value;
	}

	clear(): void {
		this.#entries.clear();
	}
}
