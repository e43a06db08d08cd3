import { TransportError } from './types';

/** Thrown by the connection when n8n's egress filter refuses the address that a name resolved to. */
export class BlockedByPolicyError extends Error {
	override readonly name = 'BlockedByPolicyError';
}

/** The error code that Node or undici put on an error, if any. */
export function codeOf(error: unknown): string {
	return textMember(error, 'code');
}

/** Whether a name could not be resolved, as opposed to being refused. */
export function isDnsFailure(error: unknown): boolean {
	return /^(?:ENOTFOUND|ENODATA|EAI_\w+|ESERVFAIL|ETIMEOUT|EREFUSED)$/.test(codeOf(error));
}

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes, and undici's own for a proxy. */
const certificateCode =
	/^(?!ERR_SSL_).*CERT|^UNABLE_TO_(?:GET|VERIFY|DECRYPT|DECODE)_|^CRL_|^HOSTNAME_MISMATCH$|^UND_ERR_PRX_TLS$/;
const timeoutCode = /TIMEOUT$|^ETIMEDOUT$/;
/** undici's only trace of a proxy that does not open the tunnel. */
const proxyRefusal = /^Proxy response \((\d+)\)/;

/**
 * Says what a failed connection or exchange means.
 *
 * @param error what Node or undici reported
 * @param handedOver whether the request had been given to a connected socket
 * @param host named in the message
 */
export function failureOf(error: unknown, handedOver: boolean, host: string): TransportError {
	const code = codeOf(error);
	const fail = (message: string, reason: ConstructorParameters<typeof TransportError>[1]) =>
		new TransportError(message, reason, handedOver);

	if (error instanceof TransportError) return error;
	if (error instanceof BlockedByPolicyError) return blockedByPolicy(host);
	if (code.startsWith('UND_ERR_INVALID') || code === 'UND_ERR_NOT_SUPPORTED') {
		return fail(
			`The request to ${host} cannot be written as HTTP: check the credential for line breaks and for characters that are not plain text`,
			'configuration',
		);
	}
	if (certificateCode.test(code)) {
		return fail(
			`The certificate of ${host} is not trusted (${code}): let n8n trust its issuer with NODE_EXTRA_CA_CERTS, or check the address`,
			'configuration',
		);
	}
	const refused = proxyRefusal.exec(textMember(error, 'message'))?.[1];
	if (refused === '407') {
		return fail(
			'The proxy wants a user name and a password: add them to HTTPS_PROXY',
			'configuration',
		);
	}
	if (refused !== undefined) {
		return fail(`The proxy refused to connect to ${host} (status ${refused})`, 'unavailable');
	}
	// undici's parser errors have no code of their own.
	if (code === 'UND_ERR_HEADERS_OVERFLOW' || textMember(error, 'name') === 'HTTPParserError') {
		return fail(`What ${host} answered is not HTTP`, 'unexpected_reply');
	}
	if (timeoutCode.test(code)) return fail(`${host} did not answer in time (${code})`, 'timeout');
	const detail = /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? ` (${code})` : '';
	return fail(
		handedOver
			? `The connection to ${host} broke before the answer was complete${detail}`
			: `${host} could not be reached${detail}`,
		'unavailable',
	);
}

/** What a refusal of n8n's egress filter means; nothing was sent. */
export function blockedByPolicy(host: string): TransportError {
	return new TransportError(
		`This n8n does not allow requests to ${host.replace(/:\d+$/, '')}: ask its administrator to allow the host (N8N_SSRF_ALLOWED_HOSTNAMES or N8N_SSRF_ALLOWED_IP_RANGES)`,
		'blocked_by_policy',
		false,
	);
}

// Not `instanceof Error`: Node's errors come from another realm when the code runs in a sandbox.
function textMember(error: unknown, name: 'code' | 'message' | 'name'): string {
	const value: unknown =
		typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
	return typeof value === 'string' ? value : '';
}
