import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

/** Key pair that binds access tokens to this process. https://www.rfc-editor.org/rfc/rfc9449 */
export interface DpopKey {
	privateKey: CryptoKey;
	publicJwk: JWK;
	/** The nonce that the token endpoint last asked for. */
	tokenNonce: string | undefined;
	/** The nonces that other servers last asked for, by origin. */
	nonces: Map<string, string>;
}

/** Makes a key pair for ES256, the algorithm that RFC 9449 uses throughout. */
export async function makeDpopKey(): Promise<DpopKey> {
	const { publicKey, privateKey } = await generateKeyPair('ES256');
	return {
		privateKey,
		publicJwk: await exportJWK(publicKey),
		tokenNonce: undefined,
		nonces: new Map(),
	};
}

/**
 * Makes the value of a `DPoP` header. https://www.rfc-editor.org/rfc/rfc9449#section-4.2
 *
 * @param request the URL's query and fragment are left out, as the RFC says
 * @param bound the nonce that the server asked for, and the access token that is sent along
 */
export async function dpopProof(
	{ privateKey, publicJwk }: DpopKey,
	request: { method: string; url: string },
	bound: { nonce?: string | undefined; accessToken?: string },
): Promise<string> {
	const { origin, pathname } = new URL(request.url);
	const claims = {
		htm: request.method,
		htu: origin + pathname,
		jti: randomUUID(),
		...(bound.nonce === undefined ? {} : { nonce: bound.nonce }),
		...(bound.accessToken === undefined
			? {}
			: { ath: createHash('sha256').update(bound.accessToken).digest('base64url') }),
	};
	return await new SignJWT(claims)
		.setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicJwk })
		.setIssuedAt()
		.sign(privateKey);
}

/**
 * The nonce that a resource server demands, if this answer does. https://www.rfc-editor.org/rfc/rfc9449#section-9
 */
export function demandedNonce(
	status: number,
	headers: Readonly<Record<string, string>>,
): string | undefined {
	return status === 401 && /\buse_dpop_nonce\b/.test(headers['www-authenticate'] ?? '')
		? headers['dpop-nonce']
		: undefined;
}
