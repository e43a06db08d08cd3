/**
 * The token endpoint of Google's authorization server for service accounts: JWT bearer assertions
 * (RFC 7523), whose signature is verified for real, with domain-wide delegation.
 * Facts: https://developers.google.com/identity/protocols/oauth2/service-account (flow, claims, error
 * codes). Texts that the page leaves open are those that clients record, see `OAUTH2_TOKEN_ERRORS` in
 * https://github.com/GAM-team/GAM and the issues cited below.
 */
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import type { GoogleDirectory, GoogleServiceAccount } from './google-directory';
import type { Reply, VendorRequest } from './simulator';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** "When making an access token request this value is always …" */
const AUDIENCE = 'https://oauth2.googleapis.com/token';
/** "This value has a maximum of 1 hour after the issued time." */
const LONGEST_SECONDS = 3600;
/** How far clocks may be apart; the page only says "in a reasonable timeframe". */
const SKEW_SECONDS = 300;
const SCOPE =
	/^(https:\/\/(www\.googleapis\.com\/auth\/[\w.-]+|mail\.google\.com\/)|openid|email)$/;

class TokenError extends Error {
	constructor(
		readonly status: number,
		readonly error: string,
		message: string,
	) {
		super(message);
	}
}

function fail(status: number, error: string, message: string): never {
	throw new TokenError(status, error, message);
}

const invalidGrant = (message: string): never => fail(400, 'invalid_grant', message);

const claimsSchema = z.object({
	iss: z.string(),
	scope: z.string().optional(),
	aud: z.unknown(),
	iat: z.number().optional(),
	exp: z.number().optional(),
	sub: z.string().optional(),
});

type Claims = z.infer<typeof claimsSchema>;

/** An error answer of the token endpoint. */
export function tokenError(status: number, error: string, message: string): Reply {
	return { status, body: { error, error_description: message } };
}

/** `POST /token` */
export async function mintToken(
	directory: GoogleDirectory,
	request: VendorRequest,
): Promise<Reply> {
	try {
		const claims = await verified(directory, request, assertionOf(request));
		const { scope = '', sub } = claims;
		const access_token = directory.addAccessToken({
			...(sub === undefined ? {} : { user: sub }),
			scopes: scope.split(' '),
		});
		return {
			status: 200,
			body: { access_token, expires_in: directory.tokenLifeSeconds, token_type: 'Bearer' },
		};
	} catch (error) {
		if (!(error instanceof TokenError)) throw error;
		return tokenError(error.status, error.error, error.message);
	}
}

function assertionOf(request: VendorRequest): string {
	const form = new URLSearchParams(request.body);
	for (const name of new Set(form.keys())) {
		if (name !== 'grant_type' && name !== 'assertion') {
			request.violate(`undocumented form parameter ${name}`);
		}
		if (form.getAll(name).length > 1) request.violate(`form parameter ${name} is sent twice`);
	}
	const needed = (name: string): string => {
		const value = form.get(name) ?? '';
		return value === ''
			? fail(400, 'invalid_request', `Required parameter is missing: ${name}`)
			: value;
	};
	const grantType = needed('grant_type');
	if (grantType !== GRANT_TYPE) {
		fail(400, 'unsupported_grant_type', `Invalid grant_type: ${grantType}`);
	}
	return needed('assertion');
}

/** The claims of an assertion that holds in every respect. */
async function verified(
	directory: GoogleDirectory,
	request: VendorRequest,
	assertion: string,
): Promise<Claims> {
	const { account, typ } = issuer(directory, assertion);
	// The page calls typ mandatory, Google's own SDK leaves it out. A key id is optional and only a hint.
	if (typ !== undefined && typ !== 'JWT') request.violate(`typ ${typ} instead of JWT`);
	let claims: Claims;
	try {
		const { payload } = await compactVerify(assertion, account.key, { algorithms: ['RS256'] });
		claims = claimsSchema.parse(JSON.parse(new TextDecoder().decode(payload)));
	} catch {
		return invalidGrant('Invalid JWT Signature.');
	}
	if (account.disabled) fail(401, 'disabled_client', 'The OAuth client was disabled.');
	// One text: a list is refused even if the right address is in it. The simulator's own address stands
	// for Google's, because a client may well take the address that it sends the assertion to.
	if (claims.aud !== AUDIENCE && claims.aud !== request.origin + request.path) {
		invalidGrant(`Invalid JWT: Failed audience check. The right audience is ${AUDIENCE}`);
	}
	checkTimes(directory, claims);
	checkScopes(directory, account, claims);
	return claims;
}

function issuer(
	directory: GoogleDirectory,
	assertion: string,
): { account: GoogleServiceAccount; typ: string | undefined } {
	let iss: string | undefined;
	let typ: string | undefined;
	try {
		({ typ } = decodeProtectedHeader(assertion));
		({ iss } = decodeJwt(assertion));
	} catch {
		return invalidGrant('Bad Request');
	}
	const account = directory.findServiceAccount(iss ?? '');
	return account === undefined
		? invalidGrant('Invalid grant: account not found')
		: { account, typ };
}

function checkTimes(directory: GoogleDirectory, { iat, exp }: Claims): void {
	const now = directory.now() / 1000;
	const fits =
		iat !== undefined &&
		exp !== undefined &&
		exp - iat <= LONGEST_SECONDS &&
		iat <= now + SKEW_SECONDS &&
		exp > now - SKEW_SECONDS;
	if (fits) return;
	invalidGrant(
		'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.',
	);
}

function checkScopes(
	directory: GoogleDirectory,
	account: GoogleServiceAccount,
	{ scope = '', sub }: Claims,
): void {
	const scopes = scope.split(' ');
	if (scope === '') fail(400, 'invalid_scope', 'Empty or missing scope not allowed.');
	if (!scopes.every((one) => SCOPE.test(one))) {
		fail(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
	}
	// A service account that acts as itself needs nobody's consent, and reaches nobody's data.
	if (sub === undefined) return;
	// The domain of `sub` is what delegates; the simulated one can speak for itself only.
	const user = directory.getUser(sub);
	const delegated = user !== undefined || directory.owns(sub) ? account.scopes : [];
	if (delegated.length > 0 && user === undefined) invalidGrant('Invalid email or User ID');
	if (scopes.every((one) => delegated.includes(one))) {
		if (user?.suspended === true) invalidGrant('Account disabled');
		return;
	}
	if (directory.unauthorizedScopes === 'access_denied' && delegated.length > 0) {
		fail(403, 'access_denied', 'Requested client not authorized.');
	}
	// Seen with this status: https://github.com/hlavki/g-suite-identity-sync/issues/7
	fail(
		401,
		'unauthorized_client',
		'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
	);
}
