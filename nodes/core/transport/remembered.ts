import { Joint } from './joint';
import type { Scope } from './scope';
import type { VendorReply } from './types';

/** Answers that are the same for all users: each is asked for once, however many need it. */
export class Remembered {
	readonly #known = new Map<string, VendorReply>();
	readonly #asked = new Map<string, Joint<VendorReply>>();

	/**
	 * Returns the answer that is known, or else what `ask` gives to all who wait. Only a 200 is kept:
	 * whoever needs a refused answer later asks again.
	 *
	 * @throws what `ask` throws, or TransportError as the caller's scope
	 */
	async get(
		key: string,
		scope: Scope,
		ask: (scope: Scope) => Promise<VendorReply>,
	): Promise<VendorReply> {
		const known = this.#known.get(key);
		if (known !== undefined) return known;
		const asked = this.#asked.get(key) ?? new Joint(scope, ask, () => this.#asked.delete(key));
		this.#asked.set(key, asked);
		const reply = await asked.wait(scope);
		if (reply.status === 200) this.#known.set(key, reply);
		return reply;
	}
}
