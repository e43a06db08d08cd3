import { Joint } from './joint';
import type { Scope } from './scope';
import type { Batch, VendorReply, VendorRequest } from './types';

/** Sends one request, once, within a scope; `onSend` is told when it leaves. */
export type SendOne = (
	request: VendorRequest,
	scope: Scope,
	onSend: () => void,
) => Promise<VendorReply>;

interface Member {
	request: VendorRequest;
	onSend: () => void;
}

interface Gathering {
	members: Member[];
	joint: Joint<readonly VendorReply[]>;
	/** Ends the gathering before its time. */
	close: () => void;
}

/** Requests of one line that wait for company, by the batch that they may share. */
export class Batches {
	readonly #open = new Map<Batch, Gathering>();
	readonly #send: SendOne;

	constructor(send: SendOne) {
		this.#send = send;
	}

	/**
	 * Sends a request together with the others that come while it waits.
	 *
	 * @returns the part of the answer that is this request's; the whole when it cannot be split
	 * @throws TransportError when no answer came, or as the scope
	 */
	async send(
		batch: Batch,
		request: VendorRequest,
		scope: Scope,
		onSend: () => void,
	): Promise<VendorReply> {
		const gathering = this.#open.get(batch) ?? this.#gather(batch, scope);
		const index = gathering.members.push({ request, onSend }) - 1;
		if (gathering.members.length >= batch.most) gathering.close();
		const reply = (await gathering.joint.wait(scope))[index];
		if (reply === undefined) throw new TypeError(`The batch ${batch.name} lost a request`);
		return reply;
	}

	#gather(batch: Batch, first: Scope): Gathering {
		const members: Member[] = [];
		let full: (() => void) | undefined;
		const isFull = new Promise<void>((resolve) => (full = resolve));
		const close = (): void => {
			if (this.#open.get(batch)?.members === members) this.#open.delete(batch);
			full?.();
		};
		const gather = async (scope: Scope): Promise<readonly VendorReply[]> => {
			await Promise.race([isFull, scope.wait(batch.gatherMs)]);
			close();
			return await this.#sendAll(batch, members, scope);
		};
		const gathering = { members, joint: new Joint(first, gather, close), close };
		this.#open.set(batch, gathering);
		return gathering;
	}

	async #sendAll(
		batch: Batch,
		members: readonly Member[],
		scope: Scope,
	): Promise<readonly VendorReply[]> {
		const requests = members.map(({ request }) => request);
		const onSend = (): void => {
			for (const member of members) member.onSend();
		};
		const [only] = requests;
		if (only && requests.length === 1) return [await this.#send(only, scope, onSend)];
		const reply = await this.#send(batch.combine(requests), scope, onSend);
		return batch.split(reply, requests) ?? requests.map(() => reply);
	}
}
