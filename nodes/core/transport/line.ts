import { createHash } from 'node:crypto';
import { Batches } from './batches';
import { bearerIn, scopesIn } from './claims';
import { closePools } from './dispatcher';
import { transmit, type Door } from './door';
import { demandedNonce } from './dpop';
import type { Outgoing } from './exchange';
import { LeastRecentlyUsed } from './lru';
import { authorizationHeaders, secretsOf, type MintedToken } from './oauth';
import { Pace, type Load } from './pace';
import { persist, type Attempt } from './persist';
import { redactor, type Redactor } from './redact';
import { Remembered } from './remembered';
import { outgoingForm, outgoingOf, readBase, targetOf, type Base, type Target } from './request';
import { outcomeOf } from './retry';
import { Scope } from './scope';
import { forgetTokens, tokenCache, type TokenCache } from './tokens';
import {
	TransportError,
	type Access,
	type Authentication,
	type Budget,
	type Line,
	type Surroundings,
	type VendorReply,
	type VendorRequest,
} from './types';

const paces = new LeastRecentlyUsed<Pace>(256);

/**
 * Opens a credential's way to its vendor. Nothing is sent yet.
 *
 * @throws TransportError `configuration` when an address of the credential is not https (http on a loopback host)
 */
export function openLine(access: Access, surroundings: Surroundings): Line {
	return new VendorLine(access, surroundings);
}

/** Closes every connection and forgets every token and rate limit: for tests, and for a process that ends. */
export async function closeAll(): Promise<void> {
	forgetTokens();
	paces.clear();
	await closePools();
}

/** What the attempts of one `send` share. */
interface Sending {
	readonly request: VendorRequest;
	readonly target: Target;
	readonly scope: Scope;
	attempts: number;
	/** Told of each request that leaves. */
	readonly onSend: () => void;
	/** Whether the vendor may have carried out an attempt: that stays true whatever the next one meets. */
	arrived: boolean;
	/** The last answer, if it was "too many requests". */
	refusal: VendorReply | undefined;
	/** A fresh token, and a DPoP nonce, are tried once each. */
	renewed: boolean;
	nonceGiven: boolean;
	/** What minting a token ended with, if it failed. */
	tokenFailure: unknown;
}

class VendorLine implements Line {
	readonly #access: Access;
	readonly #door: Door;
	readonly #base: Base;
	readonly #redactor: Redactor;
	readonly #pace: Pace;
	readonly #load: Load;
	readonly #tokens: TokenCache;
	readonly #remembered = new Remembered();
	readonly #batches = new Batches((...sending) => this.#sendBatched(...sending));

	constructor(access: Access, surroundings: Surroundings) {
		const { authentication, furtherAuthentications = {}, secrets } = access;
		const { allowUnauthorizedCerts = false } = access;
		this.#access = access;
		this.#door = { surroundings, allowUnauthorizedCerts };
		this.#base = readBase(access.baseUrl, 'base URL');
		if (authentication.type === 'oauth2') {
			readBase(authentication.grant.tokenUrl.replace(/\?.*$/s, ''), 'token URL');
		}
		const ways = [authentication, ...Object.values(furtherAuthentications)];
		this.#redactor = redactor([...secrets, ...ways.flatMap(secretsIn)]);
		const credential = [secrets, authentication];
		this.#pace = paces.getOrMake(fingerprint([this.#base.origin, credential]), () => new Pace());
		this.#tokens = tokenCache(fingerprint([credential, allowUnauthorizedCerts]));
		this.#load = { most: Math.max(1, surroundings.usersInParallel), inFlight: 0 };
	}

	redact<T>(value: T): T {
		return this.#redactor.redact(value);
	}

	urlOf(request: VendorRequest): string {
		return this.redact(targetOf(this.#base, request).url);
	}

	async send(request: VendorRequest, budget: Budget): Promise<VendorReply> {
		const target = targetOf(this.#base, request);
		const onSend = () => budget.onSend?.();
		return await this.#within(budget, async (own) => {
			const ask = async (scope: Scope): Promise<VendorReply> =>
				await this.#persist({ request, target, scope, onSend, ...unsent });
			return await (request.once ? this.#remembered.get(target.url, own, ask) : ask(own));
		});
	}

	async #persist(sending: Sending): Promise<VendorReply> {
		const { scope, request } = sending;
		try {
			return await persist(scope, request.idempotent, () => this.#attempt(sending));
		} catch (error) {
			throw sending.arrived ? afterArrival(error) : error;
		}
	}

	async wait(ms: number, budget: Budget): Promise<void> {
		await this.#within(budget, async (scope) => {
			if (ms >= scope.remaining()) scope.expire();
			scope.ensureOpen();
			await scope.wait(ms);
		});
	}

	async grantedScopes(budget: Budget, how?: 'anew'): Promise<readonly string[] | null> {
		if (how === 'anew') this.#tokens.forget();
		const { authentication } = this.#access;
		const pasted = authentication.type === 'header' ? bearerIn(authentication.value) : undefined;
		return await this.#within(budget, async (scope) => {
			const token = await this.#token(scope);
			if (token) return token.scopes ?? null;
			return (pasted === undefined ? undefined : scopesIn(pasted)) ?? null;
		});
	}

	async #within<T>(budget: Budget, work: (scope: Scope) => Promise<T>): Promise<T> {
		const signals = [budget.signal, this.#door.surroundings.cancelSignal];
		const scope = new Scope(budget.deadline, signals);
		try {
			scope.ensureOpen();
			return await work(scope);
		} catch (error) {
			throw this.redact(error);
		} finally {
			scope.close();
		}
	}

	/** @throws TransportError when no token can be had: that was tried often enough already */
	async #attempt(sending: Sending): Promise<Attempt<VendorReply>> {
		try {
			const reply = await this.#authorized(sending);
			const throttled = this.#isThrottled(reply);
			sending.arrived ||= !throttled;
			sending.refusal = throttled ? reply : undefined;
			const status = this.#access.isPassing?.(reply) ? 503 : reply.status;
			return { outcome: outcomeOf({ ...reply, status }, throttled), finish: () => reply };
		} catch (error) {
			if (!(error instanceof TransportError) || error === sending.tokenFailure) throw error;
			sending.arrived ||= error.mayHaveArrived;
			const { refusal, arrived } = sending;
			return {
				outcome: { kind: 'failed', reason: error.reason, mayHaveArrived: arrived },
				finish: () => {
					// The gate stayed shut: the refusal that shut it says more than the gate can.
					if (error.reason === 'rate_limited' && refusal !== undefined) return refusal;
					throw error;
				},
			};
		}
	}

	/** Sends the request, and once more when the vendor wants a fresh token or a DPoP nonce. */
	async #authorized(sending: Sending): Promise<VendorReply> {
		const token = await this.#token(sending.scope, sending.request).catch((error: unknown) => {
			sending.tokenFailure = error;
			throw error;
		});
		const reply = await this.#paced(sending, token);
		if (token === undefined || reply.status !== 401) return reply;

		const nonce = demandedNonce(reply.status, reply.headers);
		if (nonce !== undefined && token.dpopKey !== undefined && !sending.nonceGiven) {
			sending.nonceGiven = true;
			return await this.#authorized(sending);
		}
		if (sending.renewed) return reply;
		sending.renewed = true;
		this.#tokens.drop(token);
		return await this.#authorized(sending);
	}

	async #paced(sending: Sending, token: MintedToken | undefined): Promise<VendorReply> {
		const { request, target, scope } = sending;
		const pass = await this.#pace.enter(request.bucket, this.#load, scope);
		let answer: Parameters<Pace['leave']>[1];
		try {
			const reply = await this.#sendOnce(sending, token, target, scope);
			answer = { reply, throttled: this.#isThrottled(reply) };
			const nonce = reply.headers['dpop-nonce'];
			if (nonce !== undefined) token?.dpopKey?.nonces.set(target.origin, nonce);
			return reply;
		} finally {
			this.#pace.leave(pass, answer);
		}
	}

	/** One attempt, in the company of others where the vendor offers that and the run is large. */
	async #sendOnce(
		sending: Sending,
		token: MintedToken | undefined,
		target: Target,
		scope: Scope,
	): Promise<VendorReply> {
		const { request, onSend } = sending;
		const attempt = ++sending.attempts;
		const { users = 1 } = this.#door.surroundings;
		if (request.batch !== undefined && users >= request.batch.fromUsers) {
			return await this.#batches.send(request.batch, request, scope, onSend);
		}
		const authorization = await this.#authorization(request, target, token);
		return await this.#transmit(outgoingOf(target, request, authorization), scope, attempt, onSend);
	}

	async #sendBatched(
		request: VendorRequest,
		scope: Scope,
		onSend: () => void,
	): Promise<VendorReply> {
		const target = targetOf(this.#base, request);
		const authorization = await this.#authorization(
			request,
			target,
			await this.#token(scope, request),
		);
		return await this.#transmit(outgoingOf(target, request, authorization), scope, 1, onSend);
	}

	async #authorization(
		request: VendorRequest,
		{ url }: Target,
		token: MintedToken | undefined,
	): Promise<Record<string, string>> {
		if (token !== undefined) return await authorizationHeaders(token, request.method, url);
		const authentication = this.#authenticationOf(request);
		return authentication.type === 'header'
			? { [authentication.name.toLowerCase()]: authentication.value }
			: {};
	}

	#authenticationOf({ authentication: name }: Partial<VendorRequest>): Authentication {
		const { authentication, furtherAuthentications } = this.#access;
		if (name === undefined) return authentication;
		const further = furtherAuthentications?.[name];
		if (!further) throw new TypeError(`There is no authentication '${name}'`);
		return further;
	}

	async #token(
		scope: Scope,
		request: Partial<VendorRequest> = {},
	): Promise<MintedToken | undefined> {
		const authentication = this.#authenticationOf(request);
		if (authentication.type !== 'oauth2') return undefined;
		const token = await this.#tokens.get(
			authentication.grant,
			async (within, ...form) =>
				await this.#transmit(outgoingForm(...form), within, 1, () => undefined),
			scope,
		);
		this.#redactor.add(token.accessToken);
		return token;
	}

	async #transmit(
		outgoing: Outgoing,
		scope: Scope,
		attempt: number,
		onHandedOver: () => void,
	): Promise<VendorReply> {
		const startedAt = performance.now();
		const log = (status: number | string) =>
			this.#door.surroundings.log(
				'debug',
				'Request',
				this.redact({
					method: outgoing.method,
					host: new URL(outgoing.origin).host,
					path: outgoing.path.replace(/\?.*$/s, ''),
					status,
					ms: Math.round(performance.now() - startedAt),
					attempt,
				}),
			);
		try {
			const reply = await transmit(this.#door, outgoing, scope, onHandedOver);
			log(reply.status);
			return reply;
		} catch (error) {
			log(error instanceof TransportError ? error.reason : 'error');
			throw error;
		}
	}

	#isThrottled(reply: VendorReply): boolean {
		return reply.status === 429 || (this.#access.isThrottled?.(reply) ?? false);
	}
}

const unsent = {
	attempts: 0,
	arrived: false,
	refusal: undefined,
	renewed: false,
	nonceGiven: false,
	tokenFailure: undefined,
};

function secretsIn(authentication: Authentication): string[] {
	if (authentication.type === 'oauth2') return secretsOf(authentication.grant);
	// `SSWS token`: the token by itself is as secret as the whole header.
	return authentication.type === 'header'
		? [authentication.value, authentication.value.split(' ').at(-1) ?? '']
		: [];
}

function afterArrival(error: unknown): unknown {
	return error instanceof TransportError ? error.withArrival(true) : error;
}

function fingerprint(value: unknown): string {
	return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
