/** Who may call the webhook: whoever holds one of its secrets. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { RefusedRequest } from './refusal';

const SIGNATURE_HEADER = 'X-Session-Revocation-Signature';
const TIMESTAMP_HEADER = 'X-Session-Revocation-Timestamp';

/** Headers by their names in lower case, as Node gives them. */
export type Headers = Readonly<Record<string, unknown>>;

export interface SigningRules {
	/** Each is valid by itself. With none, nothing is. */
	secrets: readonly string[];
	/** How far a timestamp may be from now, in seconds. */
	tolerance: number;
	requireTimestamp: boolean;
}

export interface Verified {
	/** The HMAC in lower-case hex. */
	signature: string;
	/** The last moment at which the same signature is good, in Unix seconds. */
	goodUntil: number;
}

export const isSigned = (headers: Headers): boolean =>
	headers[SIGNATURE_HEADER.toLowerCase()] !== undefined;

/**
 * Checks that a message was signed with one of the secrets: HMAC-SHA256 over the message or, where
 * a timestamp was sent, over `<timestamp>.<message>`.
 *
 * A caller without a secret learns nothing but that the signature does not fit: whether the time is
 * right is said to those only who signed it.
 *
 * @param now in Unix seconds
 * @throws RefusedRequest
 */
export function verify(
	headers: Headers,
	message: Uint8Array,
	{ secrets, tolerance, requireTimestamp }: SigningRules,
	now: number,
): Verified {
	const given = headers[SIGNATURE_HEADER.toLowerCase()];
	if (given === undefined || given === '') {
		throw new RefusedRequest('missing_signature', `The header ${SIGNATURE_HEADER} is missing`);
	}
	const timestamp = headers[TIMESTAMP_HEADER.toLowerCase()];
	// A header that was sent twice arrives as one text with a comma, or as a list: neither is a signature.
	const [, hex = ''] =
		/^sha256=([0-9a-f]{64})$/i.exec(typeof given === 'string' ? given : '') ?? [];
	const signature = hex.toLowerCase();
	const stamp = typeof timestamp === 'string' ? `${timestamp}.` : '';
	if (!secrets.map((secret) => isBy(secret, signature, stamp, message)).includes(true)) {
		throw new RefusedRequest(
			'invalid_signature',
			`The header ${SIGNATURE_HEADER} is not sha256=<hex HMAC-SHA256 of the raw body>, or was made with another secret`,
		);
	}
	if (timestamp === undefined) {
		if (requireTimestamp) throw untimely(`The header ${TIMESTAMP_HEADER} is missing`);
		return { signature, goodUntil: now + tolerance };
	}
	if (typeof timestamp !== 'string' || !/^\d{1,11}$/.test(timestamp)) {
		throw untimely(`The header ${TIMESTAMP_HEADER} is not a time in Unix seconds`);
	}
	if (Math.abs(now - Number(timestamp)) > tolerance) {
		throw untimely(
			`The time in the header ${TIMESTAMP_HEADER} is more than ${tolerance} seconds from now`,
		);
	}
	return { signature, goodUntil: Number(timestamp) + tolerance };
}

function isBy(secret: string, signature: string, stamp: string, message: Uint8Array): boolean {
	const wanted = createHmac('sha256', secret).update(stamp).update(message).digest();
	const given = Buffer.alloc(wanted.length);
	return given.write(signature, 'hex') === wanted.length && timingSafeEqual(given, wanted);
}

const untimely = (problem: string): RefusedRequest =>
	new RefusedRequest('timestamp_out_of_range', problem);
