/** Lets requests in that hold in every respect, and no others. Knows no n8n: what it needs of the world comes in. */
import { type Policy, refusalOf } from '../policy';
import type { AllowList } from './addresses';
import {
	type BodyRules,
	readBody,
	requestIdSchema,
	type RevocationRequest,
	wrongTenant,
} from './body';
import type { WebhookCredential } from './credential';
import { RefusedRequest } from './refusal';
import type { SeenRequests } from './replay';
import { type Headers, isSigned, verify } from './signature';

/** Who may come in, and what for. */
export interface Gate extends Pick<BodyRules, 'targets' | 'newRequestId'> {
	/** Null: the list cannot be read, so nobody may. */
	allowed: AllowList | null;
	credential: WebhookCredential;
	/** Null: the policy cannot be read, so nothing is allowed. */
	policy: Policy | null;
	/** In seconds. */
	tolerance: number;
	requireTimestamp: boolean;
	/** In Unix milliseconds. */
	now: number;
}

/** What came over HTTP. */
interface Incoming {
	/** The caller's, as n8n sees it behind its proxies. */
	address: string | undefined;
	headers: Headers;
}

export interface IncomingRevocation extends Incoming {
	/** Undefined when n8n did not keep it. */
	body: Uint8Array | undefined;
}

export interface IncomingStatus extends Incoming {
	requestId: unknown;
	tenantId: unknown;
}

/** A request that may start an execution. */
export interface Admitted {
	request: RevocationRequest;
	/** To be called when nothing came of it after all: then the sender may repeat it. */
	forget: () => void;
}

/**
 * Receives a request to revoke.
 *
 * @param scope where requests are the same: not beyond one node of one workflow
 * @throws RefusedRequest
 */
export function receiveRevocation(
	{ address, headers, body }: IncomingRevocation,
	gate: Gate,
	seen: SeenRequests,
	scope: string,
): Admitted {
	checkAddress(gate, address);
	if (!isJson(headers['content-type'])) {
		throw new RefusedRequest(
			'unsupported_media_type',
			'The header Content-Type is not application/json in UTF-8',
		);
	}
	const now = Math.floor(gate.now / 1000);
	const { signature, goodUntil } = verify(headers, body ?? NOTHING, rulesOf(gate), now);
	const refusal = gate.policy === null ? UNREADABLE : refusalOf(gate.policy, 'webhook');
	if (refusal) throw new RefusedRequest('disabled', refusal.why);
	const { targets, newRequestId, credential } = gate;
	const rules = { targets, newRequestId, tenantId: credential.tenantId, receivedAt: gate.now };
	const request = readBody(body ?? NOTHING, rules);
	const key = `${scope} ${signature}`;
	const first = seen.claim(key, request.requestId, goodUntil, now);
	if (first === null) return { request, forget: () => seen.forget(key) };
	throw new RefusedRequest(
		'replayed',
		'The same signed request was received before; to repeat it on purpose, sign it with the present time in X-Session-Revocation-Timestamp',
		first,
	);
}

export interface StatusRequest {
	requestId: string;
	tenantId: string | null;
	/** The caller holds the secret. */
	authenticated: boolean;
}

/**
 * Receives a question about an earlier request.
 *
 * @param mustSign whether only those are answered who hold the secret
 * @throws RefusedRequest
 */
export function receiveStatus(
	{ address, headers, requestId, tenantId }: IncomingStatus,
	gate: Gate,
	mustSign: boolean,
): StatusRequest {
	checkAddress(gate, address);
	const tenant = typeof tenantId === 'string' ? tenantId : null;
	const authenticated = mustSign || isSigned(headers);
	if (authenticated) {
		const message = Buffer.from(
			`GET.${typeof requestId === 'string' ? requestId : ''}.${tenant ?? ''}`,
		);
		const rules = { ...rulesOf(gate), requireTimestamp: true };
		verify(headers, message, rules, Math.floor(gate.now / 1000));
	}
	const own = gate.credential.tenantId;
	const isUnclear = tenant === null && tenantId !== undefined;
	if (isUnclear || (own !== null && tenant !== own)) throw wrongTenant();
	const id = requestIdSchema.safeParse(requestId);
	if (id.success) return { requestId: id.data, tenantId: tenant, authenticated };
	throw new RefusedRequest('invalid_body', 'The address names no request id');
}

const NOTHING = new Uint8Array();
const UNREADABLE = { why: 'The session revocation policy cannot be read, so nothing is allowed' };

const rulesOf = ({ credential, tolerance, requireTimestamp }: Gate) => ({
	secrets: credential.secrets,
	tolerance,
	requireTimestamp,
});

function checkAddress({ allowed }: Gate, address: string | undefined): void {
	if (allowed?.(address) === true) return;
	throw new RefusedRequest('address_not_allowed', 'Requests from this address are not accepted');
}

/** JSON is UTF-8 (RFC 8259, 8.1): under another name two readers could read two different users. */
function isJson(contentType: unknown): boolean {
	if (typeof contentType !== 'string') return false;
	return /^application\/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*$/i.test(contentType);
}
