import type { LookupFunction } from 'node:net';

/**
 * The words that connectors and the transport share. A connector describes requests and reads
 * replies; it never sees n8n's `this`, undici, or the clock.
 */

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request to the vendor, as data. */
export interface VendorRequest {
	method: Method;
	/** Absolute path below the base URL, every value already percent-encoded: build it with `path` of `url.ts`. */
	path: string;
	query?: Readonly<Record<string, string | number | boolean>>;
	headers?: Readonly<Record<string, string>>;
	body?: { json: unknown } | { form: Readonly<Record<string, string>> };
	/** True when repeating the request cannot do more than sending it once: only then may it be retried after it may have reached the vendor. */
	idempotent: boolean;
	/** The answer is the same for all users: once it was 200, it is not asked for again on the same line. For reading only. */
	once?: true;
	/** The vendor's rate-limit bucket that the request counts against; any stable name. */
	bucket: string;
	/** The vendor's names of the permissions that the request needs, named to the user after a 403. */
	needs: readonly string[];
	/** One of the access's `furtherAuthentications`, by its name; absent: the main one. */
	authentication?: string;
	/** How it can share one request of the vendor with others of its kind; absent: it goes alone. */
	batch?: Batch;
}

/** A vendor's own way to do for many users at once what a request does for one. One object for each kind. */
export interface Batch {
	/** For messages and logs. */
	name: string;
	/** The most requests that it takes. */
	most: number;
	/** From so many users in a run on it is used. */
	fromUsers: number;
	/** How long the first request waits for others, in ms. */
	gatherMs: number;
	/** The one request that does the work of two or more. */
	combine(requests: readonly VendorRequest[]): VendorRequest;
	/** The answer to each request, in their order; undefined when this is an answer to them all. */
	split(reply: VendorReply, requests: readonly VendorRequest[]): readonly VendorReply[] | undefined;
}

/** An HTTP answer of the vendor, complete and bounded, whatever its status. */
export interface VendorReply {
	/** 0: not an HTTP answer, but that of something which stands in a vendor's place. */
	status: number;
	/** Lower-case names. */
	headers: Readonly<Record<string, string>>;
	/** The parsed JSON body; undefined when the body was empty or was not JSON. */
	body: unknown;
	/** What arrived in the body; `other` is anything that does not parse as JSON (an HTML page of a proxy, for example). */
	bodyKind: 'empty' | 'json' | 'other';
	/** When the vendor answered, by the vendor's own `Date` header, else by the local clock (ms since 1970). */
	serverTime: number;
}

/** Why no usable answer came. Closed list; the flow maps it to the cause of the outcome of the same name. */
export type TransportCause =
	| 'blocked_by_policy'
	| 'cancelled'
	| 'configuration'
	| 'credential_invalid'
	| 'permission_denied'
	| 'rate_limited'
	| 'timeout'
	| 'unavailable'
	| 'unexpected_reply';

/** Thrown by the transport; never carries a secret. */
export class TransportError extends Error {
	override readonly name = 'TransportError';

	constructor(
		/** What happened, in one sentence without a final full stop. */
		message: string,
		readonly reason: TransportCause,
		/** True when the vendor may have received the request: what it asked for may have happened. */
		readonly mayHaveArrived: boolean,
		readonly statusCode: number | null = null,
		/** The vendor's names of permissions of which at least one was not granted. */
		readonly missingPermissions: readonly string[] = [],
	) {
		super(message);
	}

	/** The same failure, of a request of which something else is known. */
	withArrival(mayHaveArrived: boolean): TransportError {
		const { message, reason, statusCode, missingPermissions } = this;
		return new TransportError(message, reason, mayHaveArrived, statusCode, missingPermissions);
	}
}

/** How requests prove who sends them. */
export type Authentication =
	| { type: 'none' }
	/** A fixed header, for example `Authorization: SSWS …`. */
	| { type: 'header'; name: string; value: string }
	/** An access token minted from the credential, cached until shortly before it expires. */
	| { type: 'oauth2'; grant: TokenGrant };

/** How an access token is obtained from an OAuth 2.0 token endpoint. */
export interface TokenGrant {
	/** Absolute URL of the token endpoint. */
	tokenUrl: string;
	/** The fixed members of the form: `grant_type`, `scope`, … */
	form: Readonly<Record<string, string>>;
	client: ClientAuthentication;
	/** RFC 7523 section 2.1 (`grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`): claims of the assertion beside iat and exp, which are added. */
	assertion?: { claims: Readonly<Record<string, string>>; key: SigningKey };
	/** RFC 9449: send a DPoP proof to the token endpoint and with each request. */
	dpop: boolean;
	/** What error codes of the endpoint mean at this vendor. */
	refusals?: Readonly<Record<string, TokenRefusal>>;
}

/** Why a token endpoint gives no token. */
interface TokenRefusal {
	/** What to do, without a final full stop. */
	advice: string;
	/** Permissions of which at least one was not granted: the failure is `permission_denied` then. */
	missingPermissions?: readonly string[];
}

export type ClientAuthentication =
	| { method: 'none' }
	| { method: 'client_secret_basic'; clientId: string; clientSecret: string }
	| { method: 'client_secret_post'; clientId: string; clientSecret: string }
	/** RFC 7523 section 2.2; the audience is the token endpoint. `notBefore`: the server wants `nbf` too. */
	| { method: 'private_key_jwt'; clientId: string; key: SigningKey; notBefore?: boolean };

/** A private key as a user pastes it: PEM (PKCS#8, PKCS#1 or SEC1) or a JWK as JSON. */
export interface SigningKey {
	privateKey: string;
	/** JOSE `kid`; when absent, the JWK's own `kid` is used. */
	keyId?: string;
	/** JOSE `alg`; when absent, the JWK's own `alg`, else RS256 for RSA and the curve's own for EC. */
	algorithm?: string;
	/** Further JOSE header members, for example Entra's `x5t#S256`. */
	header?: Readonly<Record<string, string>>;
}

/** Where a credential leads to and how it proves itself: what a connector makes of its credential's fields. */
export interface Access {
	/** Absolute base URL without a trailing slash; https, or http on a loopback host. */
	baseUrl: string;
	authentication: Authentication;
	/** Other ways to prove oneself, which single requests ask for by name. */
	furtherAuthentications?: Readonly<Record<string, Exclude<Authentication, { type: 'oauth2' }>>>;
	/** Every value that must never leave: tokens, keys, passwords. */
	secrets: readonly string[];
	/** Skip certificate verification for this credential alone. */
	allowUnauthorizedCerts?: boolean;
	/** True when a reply means "too many requests" though its status is not 429 (Google's quota answers are 403). */
	isThrottled?: (reply: VendorReply) => boolean;
	/** True when a reply means "not now" though its status is not 5xx (Slack's own errors are 200). */
	isPassing?: (reply: VendorReply) => boolean;
}

/** What the transport needs from the program around it; n8n's face supplies it. */
export interface Surroundings {
	/** n8n's egress filter (SSRF protection). Absent: the host is too old to have one. */
	egressFilter?: EgressFilter;
	/** Aborted when the n8n execution is cancelled. */
	cancelSignal?: AbortSignal;
	/** Users worked on side by side: bounds the connections per origin. */
	usersInParallel: number;
	/** Users of the whole run: with many, vendors that can are asked for several at once. One when not told. */
	users?: number;
	log: (
		level: 'debug' | 'info' | 'warn',
		message: string,
		details?: Record<string, unknown>,
	) => void;
}

/** The part of n8n's `NodeEgressFilter` (n8n-workflow, `helpers.getSecureEgressFilter()`) that the transport uses. */
export interface EgressFilter {
	validateUrl(url: string | URL): Promise<{ ok: true } | { ok: false; error: Error }>;
	/** For `connect.lookup`: refuses at connect time what a DNS answer turned into a forbidden address. */
	createSecureLookup(): LookupFunction;
}

/** How long one piece of work may take, and what else ends it. */
export interface Budget {
	/** `performance.now()` value after which nothing is waited for. */
	deadline: number;
	signal?: AbortSignal;
	/** Called each time a request of this work leaves for the vendor, retries included, token requests not. */
	onSend?: () => void;
}

/** One credential's way to its vendor: the only door to the network. */
export interface Line {
	/**
	 * Sends a request and returns the vendor's answer, whatever its status, after the retries and
	 * waits that the answer, the request's idempotence and the budget allow.
	 *
	 * @throws TransportError when no complete answer could be had
	 */
	send(request: VendorRequest, budget: Budget): Promise<VendorReply>;
	/**
	 * The scopes that the vendor granted to the access token: as the token endpoint named them, else
	 * as the claims of a token that is a JWT do (unverified: for information only). Null when neither
	 * says. Mints a token when the credential mints one and there is none yet.
	 *
	 * @param how `anew`: mints a token in any case, because rights may have changed since the last one
	 * @throws TransportError as `send`
	 */
	grantedScopes(budget: Budget, how?: 'anew'): Promise<readonly string[] | null>;
	/**
	 * Lets `ms` milliseconds pass.
	 *
	 * @throws TransportError `cancelled` or `timeout`, at once when the wait does not fit into the budget
	 */
	wait(ms: number, budget: Budget): Promise<void>;
	/** The absolute URL that `request` would go to; for plans and logs, holds no secret. */
	urlOf(request: VendorRequest): string;
	/** Replaces every secret of the credential, and every token minted from it, by `[redacted]`; recurses into arrays and objects, keys included. */
	redact<T>(value: T): T;
}
