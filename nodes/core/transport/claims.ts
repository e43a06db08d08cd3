/** What a JWT says about itself. Nothing here is verified: it informs, it never decides who may do what. */

/**
 * The claims of an access token that is a JWT.
 *
 * @returns undefined when the token is none
 */
export function claimsIn(token: string): Readonly<Record<string, unknown>> | undefined {
	const parts = token.split('.');
	if (parts.length !== 3) return undefined;
	try {
		const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString());
		return typeof claims === 'object' && claims !== null && !Array.isArray(claims)
			? { ...claims }
			: undefined;
	} catch {
		return undefined;
	}
}

/**
 * The permissions that an access token names: `roles` of an application, `scp` of a user.
 *
 * @returns undefined when it names none, which does not mean that it has none
 */
export function scopesIn(token: string): readonly string[] | undefined {
	const claims = claimsIn(token);
	const named = [claims?.roles, claims?.scp].flatMap((claim) => {
		if (typeof claim === 'string') return claim.split(/\s+/);
		return Array.isArray(claim) ? (claim as unknown[]) : [];
	});
	const scopes = named.filter((name) => typeof name === 'string').filter((name) => name !== '');
	return scopes.length > 0 ? scopes : undefined;
}

/** The token in the value of an Authorization header. https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
export const bearerIn = (header: string): string | undefined =>
	/^Bearer +(\S+)$/i.exec(header)?.[1];
