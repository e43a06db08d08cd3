/**
 * The token endpoint of the simulated Microsoft Entra ID: client credentials with a secret or with a
 * certificate's assertion, whose signature is verified for real. Facts: Microsoft's pages on the
 * client credentials flow, on certificate credentials and on AADSTS error codes.
 */
import { createHash, randomUUID } from 'node:crypto';
import { compactVerify, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import type { EntraApp, EntraDirectory } from './entra-directory';
import type { Reply, VendorRequest } from './simulator';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** How far clocks may be apart. */
const SKEW_SECONDS = 300;
/** Documented advice for the life of an assertion. */
const ASSERTION_SECONDS = 600;

class LoginError extends Error {
	constructor(
		readonly status: number,
		readonly error: string,
		readonly code: number,
		message: string,
	) {
		super(message);
	}
}

function fail(status: number, error: string, code: number, message: string): never {
	throw new LoginError(status, error, code, message);
}

const invalidClient = (code: number, message: string): never =>
	fail(401, 'invalid_client', code, message);

const claimsSchema = z.object({
	aud: z.string().optional(),
	iss: z.string().optional(),
	sub: z.string().optional(),
	jti: z.string().optional(),
	nbf: z.number().optional(),
	iat: z.number().optional(),
	exp: z.number().optional(),
});

/** An error answer in the shape of the login host. */
export function loginError(
	directory: EntraDirectory,
	status: number,
	error: string,
	code: number,
	message: string,
): Reply {
	const trace = randomUUID();
	const correlation = randomUUID();
	const timestamp = `${new Date(directory.now()).toISOString().slice(0, 19).replace('T', ' ')}Z`;
	return {
		status,
		body: {
			error,
			error_description: `AADSTS${code}: ${message} Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`,
			error_codes: [code],
			timestamp,
			trace_id: trace,
			correlation_id: correlation,
			error_uri: `https://login.microsoftonline.com/error?code=${code}`,
		},
	};
}

/** Authenticates apps and gives out access tokens. */
export class EntraLogin {
	private readonly usedAssertions = new Set<string>();

	constructor(private readonly directory: EntraDirectory) {}

	/** Forgets the assertions that it has seen. */
	reset(): void {
		this.usedAssertions.clear();
	}

	/** `POST /{tenant}/oauth2/v2.0/token` */
	async token(request: VendorRequest): Promise<Reply> {
		try {
			const form = new URLSearchParams(request.body);
			const app = await this.authenticated(request, form);
			const { clientId, tenantId } = app;
			const audience = request.origin;
			const access_token = this.directory.addAccessToken({ clientId, tenantId, audience });
			const life = this.directory.tokenLifeSeconds;
			return {
				status: 200,
				headers: { 'cache-control': 'no-store, no-cache', pragma: 'no-cache' },
				body: { token_type: 'Bearer', expires_in: life, ext_expires_in: life, access_token },
			};
		} catch (error) {
			if (!(error instanceof LoginError)) throw error;
			const { status, code, message } = error;
			return loginError(this.directory, status, error.error, code, message);
		}
	}

	private async authenticated(request: VendorRequest, form: URLSearchParams): Promise<EntraApp> {
		const tenant = request.params.tenantId ?? '';
		const needed = (name: string): string => {
			const value = form.get(name) ?? '';
			if (value !== '') return value;
			const message = `The request body must contain the following parameter: '${name}'.`;
			return fail(400, 'invalid_request', 900144, message);
		};
		for (const name of new Set(form.keys())) {
			if (form.getAll(name).length > 1) request.violate(`form parameter ${name} is sent twice`);
		}
		const tenantId = this.directory.findTenant(tenant);
		if (tenantId === undefined) {
			const message = `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`;
			return fail(400, 'invalid_request', 90002, message);
		}
		const grantType = needed('grant_type');
		if (grantType !== 'client_credentials') {
			const message = `The app requested an unsupported grant type '${grantType}'.`;
			return fail(400, 'unsupported_grant_type', 70003, message);
		}
		const clientId = needed('client_id');
		const app = this.directory.findApp(clientId, tenantId);
		if (app === undefined) {
			const message = `Application with identifier '${clientId}' was not found in the directory '${tenantId}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`;
			return fail(400, 'unauthorized_client', 700016, message);
		}
		const scope = needed('scope');
		if (!scope.endsWith('/.default') || scope.includes(' ')) {
			const message = `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`;
			return fail(400, 'invalid_scope', 1002012, message);
		}
		const resource = scope.slice(0, -'/.default'.length);
		if (resource !== request.origin) {
			const message = `The resource principal named ${resource} was not found in the tenant named ${tenantId}.`;
			return fail(400, 'invalid_resource', 500011, message);
		}
		const secret = form.get('client_secret');
		const assertion = form.get('client_assertion');
		if (secret !== null && assertion !== null) {
			request.violate('client_secret and client_assertion exclude each other');
		}
		if (assertion !== null) await this.checkAssertion(request, form, assertion, app);
		else if (secret !== null) this.checkSecret(secret, app);
		else {
			const message =
				"The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
			return invalidClient(7000218, message);
		}
		return app;
	}

	private checkSecret(secret: string, app: EntraApp): void {
		if (app.secret === undefined || app.secret !== secret) {
			const message = `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${app.clientId}'.`;
			invalidClient(7000215, message);
		}
		if ((app.secretExpiresAt ?? Number.POSITIVE_INFINITY) <= this.directory.now()) {
			invalidClient(7000222, 'The provided client secret keys for app are expired.');
		}
	}

	private async checkAssertion(
		request: VendorRequest,
		form: URLSearchParams,
		assertion: string,
		app: EntraApp,
	): Promise<void> {
		if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
			fail(400, 'invalid_request', 900144, `client_assertion_type must be '${ASSERTION_TYPE}'.`);
		}
		let header: ReturnType<typeof decodeProtectedHeader>;
		try {
			header = decodeProtectedHeader(assertion);
		} catch {
			return invalidClient(50027, 'JWT token is invalid or malformed.');
		}
		const { alg } = header;
		if (alg !== 'PS256' && alg !== 'RS256') {
			return invalidClient(50027, 'JWT token is invalid or malformed: unsupported algorithm.');
		}
		if (header.typ !== undefined && header.typ !== 'JWT') request.violate('typ must be JWT');
		const { certificate } = app;
		const sha256 = header['x5t#S256'];
		const sha1 = header.x5t;
		if (typeof sha256 !== 'string' && typeof sha1 !== 'string') {
			const message =
				'Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId is specified in token header.';
			return invalidClient(5002723, message);
		}
		const print = (algorithm: string): string | undefined =>
			certificate && createHash(algorithm).update(certificate.raw).digest('base64url');
		const known =
			(sha256 === undefined || sha256 === print('sha256')) &&
			(sha1 === undefined || sha1 === print('sha1'));
		if (certificate === undefined || !known) {
			const message =
				'The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]';
			return invalidClient(700027, message);
		}
		let claims: z.infer<typeof claimsSchema>;
		try {
			const { payload } = await compactVerify(assertion, certificate.publicKey);
			claims = claimsSchema.parse(JSON.parse(new TextDecoder().decode(payload)));
		} catch {
			const message =
				'Client assertion failed signature validation. [Reason - The key was found, but use of the key to verify the signature failed.]';
			return invalidClient(700027, message);
		}
		const nowMs = this.directory.now();
		const [from, to] = [certificate.validFrom, certificate.validTo].map((date) => Date.parse(date));
		if (nowMs < (from ?? 0) || nowMs > (to ?? 0)) {
			invalidClient(
				1000502,
				'The provided certificate is not within its specified validity period.',
			);
		}
		const tokenUrl = request.origin + request.path;
		if (claims.aud !== tokenUrl) {
			const message = `Client assertion audience claim does not match Realm issuer. Expected '${tokenUrl}'.`;
			invalidClient(700023, message);
		}
		if (claims.iss !== app.clientId || claims.sub !== app.clientId) {
			const message =
				"Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation for the correct issuer and subject.";
			invalidClient(700021, message);
		}
		const now = nowMs / 1000;
		const { exp, nbf, iat, jti } = claims;
		if (exp === undefined || exp + SKEW_SECONDS < now || (nbf ?? now) - SKEW_SECONDS > now) {
			invalidClient(700024, 'Client assertion is not within its valid time range.');
		}
		// Documented, but not enforced by the service.
		for (const name of ['nbf', 'iat', 'jti'] as const) {
			if (claims[name] === undefined) request.violate(`the assertion has no ${name}`);
		}
		if ((exp ?? 0) - (nbf ?? iat ?? now) > ASSERTION_SECONDS) {
			request.violate('the assertion lives longer than 10 minutes');
		}
		if (jti !== undefined && this.usedAssertions.has(jti)) {
			request.violate('the jti of an assertion is used twice');
		}
		if (jti !== undefined) this.usedAssertions.add(jti);
	}
}
