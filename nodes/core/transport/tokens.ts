import type { DpopKey } from './dpop';
import { Joint } from './joint';
import { LeastRecentlyUsed } from './lru';
import { mint, type MintedToken, type PostForm } from './oauth';
import { persist, type Attempt } from './persist';
import { outcomeOf, type Outcome } from './retry';
import type { Scope } from './scope';
import { TransportError, type TokenGrant, type VendorReply } from './types';

/** A token is replaced so long before it expires (ms), or after nine tenths of its life. */
const safetyMargin = 60_000;
/** A refused credential is not tried again for so long (ms): with a thousand users to go it would be, a thousand times. */
const refusalMemory = 5_000;

/** Sends a form to the token endpoint, once, within a scope. */
export type SendForm = (
	scope: Scope,
	...request: Parameters<PostForm>
) => Promise<Pick<VendorReply, 'status' | 'headers' | 'body' | 'serverTime' | 'bodyKind'>>;

/** The access token of one credential, minted when somebody needs it and none is valid. */
export class TokenCache {
	#current: { token: MintedToken; until: number } | undefined;
	#refused: { error: TransportError; until: number } | undefined;
	#minting: Joint<MintedToken> | undefined;
	#dpopKey: DpopKey | undefined;

	/**
	 * Returns the token; however many callers wait, it is minted once. A caller whose scope ends
	 * leaves; when nobody waits any more, minting stops.
	 *
	 * @throws TransportError as `mint`, or as the caller's scope; its `mayHaveArrived` is false
	 */
	async get(grant: TokenGrant, send: SendForm, scope: Scope): Promise<MintedToken> {
		const now = performance.now();
		if (this.#current !== undefined && now < this.#current.until) return this.#current.token;
		if (this.#refused !== undefined && now < this.#refused.until) throw this.#refused.error;

		this.#minting ??= new Joint(
			scope,
			(within) => this.#mint(grant, send, within),
			() => (this.#minting = undefined),
		);
		return await this.#minting.wait(scope);
	}

	/** Forgets a token that the vendor no longer takes, unless another has replaced it already. */
	drop(token: MintedToken): void {
		if (this.#current?.token === token) this.#current = undefined;
	}

	/** Forgets the token, whether or not the vendor still takes it. */
	forget(): void {
		this.#current = undefined;
	}

	async #mint(grant: TokenGrant, send: SendForm, scope: Scope): Promise<MintedToken> {
		try {
			const token = await mintWithRetries(grant, send, scope, this.#dpopKey);
			const life = token.lifetimeMs - Math.min(safetyMargin, token.lifetimeMs / 10);
			this.#current = { token, until: performance.now() + life };
			this.#dpopKey = token.dpopKey;
			return token;
		} catch (error) {
			const lasting = ['configuration', 'credential_invalid', 'permission_denied'];
			if (error instanceof TransportError && lasting.includes(error.reason)) {
				this.#refused = { error, until: performance.now() + refusalMemory };
			}
			throw error;
		}
	}
}

const caches = new LeastRecentlyUsed<TokenCache>(256);

/** The token cache of the credential with this fingerprint, shared by all lines of the process. */
export function tokenCache(fingerprint: string): TokenCache {
	return caches.getOrMake(fingerprint, () => new TokenCache());
}

/** Forgets every token. */
export function forgetTokens(): void {
	caches.clear();
}

async function mintWithRetries(
	grant: TokenGrant,
	send: SendForm,
	scope: Scope,
	dpopKey: DpopKey | undefined,
): Promise<MintedToken> {
	return await persist(scope, true, async (): Promise<Attempt<MintedToken>> => {
		let outcome: Outcome | undefined;
		const post: PostForm = async (...request) => {
			outcome = undefined;
			const reply = await send(scope, ...request);
			outcome = outcomeOf(reply, reply.status === 429);
			return reply;
		};
		try {
			// Each attempt signs anew: a server may refuse to see the same `jti` twice.
			const token = await mint(grant, post, dpopKey);
			return { outcome: minted, finish: () => token };
		} catch (caught) {
			const error = withoutArrival(caught);
			return {
				outcome: outcome ?? { kind: 'failed', reason: error.reason, mayHaveArrived: false },
				finish: () => {
					throw error;
				},
			};
		}
	});
}

const minted: Outcome = { kind: 'replied', status: 200, throttled: false, rate: {} };

/** Whatever became of the request for a token: what the vendor was to be asked for was not sent. */
function withoutArrival(error: unknown): TransportError {
	if (!(error instanceof TransportError)) throw error;
	return error.withArrival(false);
}
