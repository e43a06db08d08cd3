/**
 * How the simulated Okta org authenticates: API tokens, service apps with private_key_jwt, DPoP.
 * Signatures are verified for real. Facts: Okta's guides "Implement OAuth for Okta with a service
 * app" and "Configure OAuth 2.0 Demonstrating Proof-of-Possession", and its list of OAuth errors.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
	calculateJwkThumbprint,
	compactVerify,
	decodeProtectedHeader,
	importJWK,
	type JWK,
	type ProtectedHeaderParameters,
} from 'jose';
import { z } from 'zod';
import type { OktaOrg, OktaPermission, OktaServiceApp, OktaUser } from './okta-org';
import type { Reply, SimulatedRoute, VendorRequest } from './simulator';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const TOKEN_LIFE_SECONDS = 3600;
const PROOF_LIFE_SECONDS = 300;

/** Who calls, and what the caller may do. */
export interface Principal {
	readonly id: string;
	readonly type: 'User' | 'PublicClientApp';
	readonly alternateId: string;
	readonly displayName: string;
	readonly permissions: ReadonlySet<OktaPermission>;
	/** The user that `me` stands for; only API tokens have one. */
	readonly self?: OktaUser;
	readonly apiTokenId?: string;
	readonly clientId?: string;
}

/** An answer instead of a principal. */
export class Refusal extends Error {
	constructor(readonly reply: Reply) {
		super(`refused with ${String(reply.status)}`);
	}
}

interface AccessToken {
	readonly app: OktaServiceApp;
	readonly scopes: readonly string[];
	readonly expiresAt: number;
	readonly thumbprint?: string;
}

interface OAuthProblem {
	status: number;
	error: string;
	description: string;
}

class OAuthError extends Error {
	constructor(readonly problem: OAuthProblem) {
		super(problem.description);
	}
}

function fail(status: number, error: string, description: string): never {
	throw new OAuthError({ status, error, description });
}

const invalidClient = (description: string): never => fail(401, 'invalid_client', description);
const invalidProof = (description: string): never => fail(400, 'invalid_dpop_proof', description);

/** Seconds since the epoch; the guide's example writes them as a string. */
const seconds = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);

const assertionClaims = z.object({
	iss: z.string().optional(),
	sub: z.string().optional(),
	aud: z.union([z.string(), z.array(z.string())]).optional(),
	exp: seconds.optional(),
	iat: seconds.optional(),
	jti: z.string().optional(),
});

const proofClaims = z.object({
	htm: z.string().optional(),
	htu: z.string().optional(),
	iat: z.number().optional(),
	jti: z.string().optional(),
	nonce: z.string().optional(),
	ath: z.string().optional(),
});

const publicJwk = z
	.object({ kty: z.enum(['RSA', 'EC']), d: z.undefined() })
	.passthrough()
	.transform((key) => key as unknown as JWK);

function header(jwt: string): ProtectedHeaderParameters | undefined {
	try {
		return decodeProtectedHeader(jwt);
	} catch {
		return undefined;
	}
}

async function verified(jwt: string, key: JWK, algorithm: string): Promise<unknown> {
	const { payload } = await compactVerify(jwt, await importJWK(key, algorithm), {
		algorithms: [algorithm],
	});
	return JSON.parse(new TextDecoder().decode(payload));
}

/** Tokens, nonces and everything else that authentication remembers. */
export class OktaAuth {
	private readonly accessTokens = new Map<string, AccessToken>();
	private readonly usedAssertions = new Set<string>();
	private readonly usedProofs = new Set<string>();
	private nonces: string[] = [];
	private issued = 0;

	constructor(private readonly org: OktaOrg) {
		this.rotateNonce();
	}

	/** Forgets everything. */
	reset(): void {
		this.accessTokens.clear();
		this.usedAssertions.clear();
		this.usedProofs.clear();
		this.nonces = [];
		this.rotateNonce();
	}

	/** A new DPoP nonce; older ones stay valid (documented: for three days) unless dropped. */
	rotateNonce(dropOld = false): void {
		if (dropOld) this.nonces = [];
		this.nonces.unshift(randomBytes(24).toString('base64url'));
	}

	/** Ends an access token; true if it was live. */
	revokeAccessToken(token: string): boolean {
		return this.accessTokens.delete(token);
	}

	/** Ends all access tokens at once. */
	revokeAllAccessTokens(): void {
		this.accessTokens.clear();
	}

	/** `POST /oauth2/v1/token`. */
	async token(request: VendorRequest): Promise<Reply> {
		const headers = { 'cache-control': 'no-cache, no-store', pragma: 'no-cache' };
		try {
			return { status: 200, headers, body: await this.clientCredentials(request) };
		} catch (error) {
			if (!(error instanceof OAuthError)) throw error;
			const { status, error: code, description } = error.problem;
			const nonce: Record<string, string> =
				code === 'use_dpop_nonce' ? { 'dpop-nonce': this.nonces[0] ?? '' } : {};
			return {
				status,
				headers: { ...headers, ...nonce },
				body: { error: code, error_description: description },
			};
		}
	}

	private async clientCredentials(request: VendorRequest): Promise<Record<string, unknown>> {
		const form = new URLSearchParams(request.body);
		const names = [...form.keys()];
		if (new Set(names).size !== names.length) {
			fail(400, 'invalid_request', 'The request contained multiple parameters with the same name.');
		}
		if (['client_id', 'client_secret', 'client_assertion'].some((one) => request.search.has(one))) {
			fail(400, 'invalid_request', 'Client credentials cannot be supplied via query parameters.');
		}
		if (form.get('grant_type') !== 'client_credentials') {
			fail(400, 'unsupported_grant_type', "The grant type in the request isn't supported.");
		}
		const app = await this.authenticateApp(form, request);
		// An app that does not require DPoP gets an ordinary token, whatever header it sends.
		const thumbprint = app.dpop ? await this.tokenProof(request) : undefined;
		const scopes = this.grantedScopes(app, form.get('scope') ?? '');
		const token = this.newAccessToken(app, scopes, request.origin, thumbprint);
		return {
			token_type: thumbprint === undefined ? 'Bearer' : 'DPoP',
			expires_in: TOKEN_LIFE_SECONDS,
			access_token: token,
			scope: scopes.join(' '),
		};
	}

	private async authenticateApp(
		form: URLSearchParams,
		request: VendorRequest,
	): Promise<OktaServiceApp> {
		const assertion = form.get('client_assertion');
		if (assertion === null) {
			const secret = form.has('client_secret') || request.headers.authorization !== undefined;
			return invalidClient(
				secret
					? 'Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.'
					: 'No client credentials found.',
			);
		}
		if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
			fail(400, 'invalid_request', 'The client_assertion_type is invalid.');
		}
		const { alg, kid } =
			header(assertion) ?? invalidClient('The parsing of the client_assertion failed.');
		if (alg === undefined || !ALGORITHMS.includes(alg)) {
			return invalidClient('The client_assertion JWT signature algorithm is invalid.');
		}
		const unverified = assertionClaims.safeParse(payloadOf(assertion));
		if (!unverified.success) return invalidClient('The parsing of the client_assertion failed.');
		const app =
			this.org.serviceApp(unverified.data.iss ?? '') ??
			invalidClient('The issuer claim for client_assertion is not a valid client_id.');
		const keys = app.publicJwks.filter((key) => kid === undefined || key.kid === kid);
		if (keys.length === 0) return invalidClient('The client_assertion JWT kid is invalid.');
		await firstVerified(assertion, keys, alg);
		this.checkAssertion(unverified.data, app, `${request.origin}/oauth2/v1/token`);
		return app;
	}

	private checkAssertion(
		{ sub, aud, exp, iat, jti }: z.infer<typeof assertionClaims>,
		app: OktaServiceApp,
		endpoint: string,
	): void {
		const now = Math.floor(this.org.now() / 1000);
		if (sub !== app.clientId) {
			invalidClient('The subject claim for client_assertion is not a valid client_id.');
		}
		if (![aud].flat().includes(endpoint)) {
			invalidClient(
				'The audience claim for client_assertion must be the endpoint invoked for the request.',
			);
		}
		if (exp === undefined) {
			return invalidClient(
				"The client_assertion must contain the 'exp' claim as seconds since epoch.",
			);
		}
		if (exp <= now) invalidClient('The client_assertion token is expired.');
		if (exp - now > TOKEN_LIFE_SECONDS) {
			invalidClient('The client_assertion token has an expiration too far into the future.');
		}
		if (iat !== undefined && iat > now + 1) {
			invalidClient('The client_assertion token must be issued before the current time.');
		}
		if (jti !== undefined) {
			const once = `${app.clientId} ${jti}`;
			if (this.usedAssertions.has(once)) {
				invalidClient('The client_assertion token has already been used.');
			}
			this.usedAssertions.add(once);
		}
	}

	private grantedScopes(app: OktaServiceApp, requested: string): string[] {
		const scopes = requested.split(' ').filter((scope) => scope !== '');
		if (scopes.length === 0) fail(400, 'invalid_scope', 'No scopes were requested.');
		const granted = scopes.filter((scope) => app.scopes.has(scope));
		if (granted.length === 0 || (granted.length < scopes.length && app.excessScopes === 'refuse')) {
			fail(
				400,
				'invalid_scope',
				'The requested scope is invalid, unknown, malformed, or exceeds the scope granted by the resource owner.',
			);
		}
		return granted;
	}

	private newAccessToken(
		app: OktaServiceApp,
		scopes: readonly string[],
		origin: string,
		thumbprint: string | undefined,
	): string {
		const now = Math.floor(this.org.now() / 1000);
		this.issued += 1;
		const claims = {
			ver: 1,
			jti: `AT.${String(this.issued)}.${randomBytes(16).toString('base64url')}`,
			iss: origin,
			aud: origin,
			sub: app.clientId,
			iat: now,
			exp: now + TOKEN_LIFE_SECONDS,
			cid: app.clientId,
			scp: scopes,
			...(thumbprint === undefined ? {} : { cnf: { jkt: thumbprint } }),
		};
		// Clients must take the token as opaque, so it has the looks of a signed JWT and no signature.
		const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
		const signature = randomBytes(64).toString('base64url');
		const token = `${part({ kid: 'simulated', alg: 'RS256' })}.${part(claims)}.${signature}`;
		this.accessTokens.set(token, {
			app,
			scopes,
			expiresAt: this.org.now() + TOKEN_LIFE_SECONDS * 1000,
			...(thumbprint === undefined ? {} : { thumbprint }),
		});
		return token;
	}

	/** Verifies a proof for the token endpoint; the thumbprint of its key. */
	private async tokenProof(request: VendorRequest): Promise<string> {
		const { claims, thumbprint } = await this.proof(request);
		if (claims.nonce === undefined || !this.nonces.includes(claims.nonce)) {
			fail(400, 'use_dpop_nonce', 'Authorization server requires nonce in DPoP proof.');
		}
		this.useProof(claims.jti);
		return thumbprint;
	}

	private useProof(jti: string | undefined): void {
		if (jti === undefined) return invalidProof("'jti' claim in the DPoP proof JWT is invalid.");
		if (this.usedProofs.has(jti)) invalidProof('The DPoP proof JWT has already been used.');
		this.usedProofs.add(jti);
	}

	private async proof(
		request: VendorRequest,
	): Promise<{ claims: z.infer<typeof proofClaims>; thumbprint: string }> {
		const jwt = request.headers.dpop;
		if (jwt === undefined) return invalidProof('The DPoP proof JWT header is missing.');
		// Node joins repeated headers with a comma, which no JWT contains.
		if (typeof jwt !== 'string' || jwt.includes(',')) {
			return invalidProof('Multiple DPoP proof JWT headers are not allowed.');
		}
		const { typ, alg, jwk } = header(jwt) ?? invalidProof('The DPoP proof JWT cannot be parsed.');
		if (typ !== 'dpop+jwt') invalidProof("'typ' must be 'dpop+jwt' in the DPoP proof JWT.");
		if (alg === undefined || !ALGORITHMS.includes(alg)) {
			return invalidProof('The DPoP proof JWT signature algorithm is invalid.');
		}
		const key = publicJwk.safeParse(jwk);
		if (!key.success) return invalidProof('The DPoP proof JWT is invalid.');
		const payload = await verified(jwt, key.data, alg).catch(() =>
			invalidProof('The DPoP proof JWT signature is invalid.'),
		);
		const claims = proofClaims.safeParse(payload);
		if (!claims.success) return invalidProof('The DPoP proof JWT is invalid.');
		const { htm, htu, iat } = claims.data;
		const now = Math.floor(this.org.now() / 1000);
		if (htm !== request.method) invalidProof("'htm' claim in the DPoP proof JWT is invalid.");
		// RFC 9449: the target without query and fragment.
		if (htu !== request.origin + request.path) {
			invalidProof("'htu' claim in the DPoP proof JWT is invalid.");
		}
		if (iat === undefined) return invalidProof("'iat' claim in the DPoP proof JWT is invalid.");
		if (iat > now + 1) invalidProof('The DPoP proof JWT is issued in the future.');
		if (iat < now - PROOF_LIFE_SECONDS) {
			invalidProof('The DPoP proof JWT is issued more than five minutes in the past.');
		}
		return { claims: claims.data, thumbprint: await calculateJwkThumbprint(key.data) };
	}

	/**
	 * Who calls a management route. Throws `Refusal` with the vendor's answer if nobody does, or if the
	 * caller lacks the scope or the permission.
	 */
	async principal(
		request: VendorRequest,
		route: Pick<SimulatedRoute, 'scopes'>,
		permission: OktaPermission,
		errorBody: (code: string) => Reply,
	): Promise<Principal> {
		const [, scheme = '', credential = ''] =
			/^(\S+) +(\S+)$/.exec(request.headers.authorization ?? '') ?? [];
		let principal: Principal;
		if (scheme.toUpperCase() === 'SSWS') {
			const token = this.org.apiToken(credential);
			const owner = token && this.org.findById(token.ownerId);
			if (token === undefined || owner === undefined) throw new Refusal(errorBody('E0000011'));
			principal = {
				id: owner.id,
				type: 'User',
				alternateId: owner.profile.login,
				displayName: `${owner.profile.firstName} ${owner.profile.lastName}`,
				permissions: token.permissions,
				self: owner,
				apiTokenId: token.id,
			};
		} else if (/^(bearer|dpop)$/i.test(scheme)) {
			try {
				principal = await this.appPrincipal(request, scheme.toLowerCase(), credential, route);
			} catch (error) {
				if (!(error instanceof OAuthError)) throw error;
				throw new Refusal(
					this.challenge(error.problem, scheme, request, route, errorBody('E0000011')),
				);
			}
		} else {
			throw new Refusal(errorBody('E0000005'));
		}
		const covered =
			principal.permissions.has(permission) ||
			(permission === 'sessions.read' && principal.permissions.has('sessions.manage'));
		if (!covered) throw new Refusal(errorBody('E0000006'));
		return principal;
	}

	private async appPrincipal(
		request: VendorRequest,
		scheme: string,
		credential: string,
		route: Pick<SimulatedRoute, 'scopes'>,
	): Promise<Principal> {
		const token =
			this.accessTokens.get(credential) ??
			fail(401, 'invalid_token', 'The access token is invalid.');
		if (token.expiresAt <= this.org.now()) fail(401, 'invalid_token', 'The token has expired.');
		if (token.thumbprint === undefined) {
			if (scheme === 'dpop') {
				fail(401, 'invalid_token', 'The presented access_token is not DPoP bound.');
			}
		} else {
			if (scheme !== 'dpop') {
				fail(
					400,
					'invalid_request',
					'The resource request must use the DPoP authentication scheme when using a DPoP bound token.',
				);
			}
			if (request.headers.dpop === undefined) {
				fail(400, 'invalid_request', 'The resource request requires a DPoP proof.');
			}
			const { claims, thumbprint } = await this.proof(request);
			const hash = createHash('sha256').update(credential, 'ascii').digest('base64url');
			if (claims.ath !== hash) {
				invalidProof("'ath' claim in the DPoP proof does not match the presented access_token.");
			}
			if (thumbprint !== token.thumbprint) {
				invalidProof('The access_token is not bound to the provided DPoP proof.');
			}
			this.useProof(claims.jti);
		}
		if (!(route.scopes ?? []).some((scope) => token.scopes.includes(scope))) {
			fail(
				403,
				'insufficient_scope',
				'The access token provided does not contain the required scopes.',
			);
		}
		return {
			id: token.app.clientId,
			type: 'PublicClientApp',
			alternateId: token.app.clientId,
			displayName: token.app.label,
			permissions: token.app.permissions,
			clientId: token.app.clientId,
		};
	}

	/**
	 * OAuth problems of a resource request are told in the header; the body is empty, as seen in
	 * okta/okta-sdk-golang issue 145 and okta/okta-sdk-nodejs issue 453. A dead token also gets a body.
	 */
	private challenge(
		{ status, error, description }: OAuthProblem,
		scheme: string,
		request: VendorRequest,
		route: Pick<SimulatedRoute, 'scopes'>,
		invalidToken: Reply,
	): Reply {
		const dpop = /^dpop$/i.test(scheme) || error === 'invalid_dpop_proof';
		const parameters = [
			...(dpop ? [`algs="${ALGORITHMS.join(' ')}"`] : []),
			`authorization_uri="${request.origin}/oauth2/v1/authorize"`,
			`realm="${request.origin}"`,
			`scope="${route.scopes?.[0] ?? ''}"`,
			`error="${error}"`,
			`error_description="${description}"`,
			`resource="${request.path}"`,
		];
		const challenge = `${dpop ? 'DPoP' : 'Bearer'} ${parameters.join(', ')}`;
		const headers = { 'www-authenticate': challenge };
		return status === 401 ? { ...invalidToken, headers } : { status, headers, body: '' };
	}
}

function payloadOf(jwt: string): unknown {
	try {
		return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
	} catch {
		return undefined;
	}
}

async function firstVerified(jwt: string, keys: readonly JWK[], algorithm: string): Promise<void> {
	for (const key of keys) {
		try {
			await verified(jwt, key, algorithm);
			return;
		} catch {
			// Another registered key may fit.
		}
	}
	invalidClient('The client_assertion signature is invalid.');
}
