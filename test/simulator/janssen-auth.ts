/**
 * The authorization server of the simulated Janssen: its token endpoint, its discovery document and
 * the two endpoints that end a user's sessions. Clients are authenticated for real. Facts: the
 * vendor's endpoint pages, and of https://github.com/JanssenProject/jans its AuthenticationFilter,
 * ErrorResponseFactory, GlobalTokenRevocationService, RevokeSessionRestWebService and error texts.
 */
import { z } from 'zod';
import { equals, userAttributes } from './janssen-search';
import type { JanssenClient, JanssenPrincipal, JanssenServer } from './janssen-server';
import type { Reply, SimulatedRoute, VendorRequest } from './simulator';

export const JANSSEN_AUTH = '/jans-auth';
const TOKEN = `${JANSSEN_AUTH}/restv1/token`;
const GLOBAL_TOKEN_REVOCATION = `${JANSSEN_AUTH}/restv1/global-token-revocation`;
const REVOKE_SESSION = `${JANSSEN_AUTH}/restv1/revoke_session`;
const DISCOVERY = `${JANSSEN_AUTH}/.well-known/openid-configuration`;

const DOCS = 'https://docs.jans.io/stable/janssen-server/auth-server/endpoints';

const FORM = { contentType: 'application/x-www-form-urlencoded' };

/** The vendor's texts, by its own error ids. */
const DESCRIPTIONS = {
	access_denied: 'The resource owner or authorization server denied the request.',
	invalid_client:
		'Client authentication failed (e.g. unknown client, no client authentication included, or unsupported authentication method). The authorization server MAY return an HTTP 401 (Unauthorized) status code to indicate which HTTP authentication schemes are supported. If the client attempted to authenticate via the Authorization request header field, the authorization server MUST respond with an HTTP 401 (Unauthorized) status code, and include the WWW-Authenticate response header field matching the authentication scheme used by the client.',
	invalid_request:
		'The request is missing a required parameter, includes an unsupported parameter or parameter value, repeats a parameter, or is otherwise malformed.',
	server_error:
		'The authorization server encountered an unexpected condition which prevented it from fulfilling the request.',
	temporarily_unavailable:
		'The authorization server is currently unable to handle the request due to a temporary overloading or maintenance of the server.',
	unsupported_grant_type:
		'The authorization grant type is not supported by the authorization server.',
} as const;

type AuthErrorId = keyof typeof DESCRIPTIONS;

const ID_BY_STATUS: Readonly<Record<number, AuthErrorId>> = {
	400: 'invalid_request',
	401: 'invalid_client',
	403: 'access_denied',
	503: 'temporarily_unavailable',
};

/** An error answer of the authorization server; by default with the id that goes with the status. */
export function authError(status: number, id?: AuthErrorId): Reply {
	const error = id ?? ID_BY_STATUS[status] ?? 'server_error';
	const challenge = { 'www-authenticate': 'Basic realm="jans-auth"' };
	return {
		status,
		...(error === 'invalid_client' ? { headers: challenge } : {}),
		body: { error_description: DESCRIPTIONS[error], error },
	};
}

/** Documented: `format` names an attribute of the user, unlike in RFC 9493. */
const revocationSchema = z.object({
	sub_id: z.object({ format: z.string(), id: z.string() }).strict(),
});

/** The authorization header's credential if it has this scheme. */
function credential(request: VendorRequest, scheme: 'Basic' | 'Bearer'): string | undefined {
	const [, found = '', value] = /^(\S+) +(\S+)$/.exec(request.headers.authorization ?? '') ?? [];
	return found.toLowerCase() === scheme.toLowerCase() ? value : undefined;
}

/** Both halves of HTTP Basic are form-encoded (RFC 6749, section 2.3.1), and decoded by the vendor. */
function formDecoded(text: string): string {
	try {
		return decodeURIComponent(text.replaceAll('+', ' '));
	} catch {
		return text;
	}
}

/** The authorization server over the state of a `JanssenServer`. */
export class JanssenAuth {
	readonly routes: readonly SimulatedRoute[];

	constructor(private readonly server: JanssenServer) {
		this.routes = [
			{
				name: 'token',
				method: 'POST',
				url: TOKEN,
				source: `${DOCS}/token`,
				body: FORM,
				handler: (request) => this.token(request),
			},
			{
				name: 'openidConfiguration',
				method: 'GET',
				url: DISCOVERY,
				source: `${DOCS}/configuration`,
				handler: (request) => this.discovery(request),
			},
			{
				name: 'globalTokenRevocation',
				method: 'POST',
				url: GLOBAL_TOKEN_REVOCATION,
				source: `${DOCS}/global-token-revocation`,
				scopes: ['global_token_revocation'],
				body: { contentType: 'application/json' },
				handler: (request) => this.revokeGlobally(request),
			},
			{
				name: 'revokeSession',
				method: 'POST',
				url: REVOKE_SESSION,
				source: `${DOCS}/session-revocation`,
				scopes: ['revoke_session'],
				body: FORM,
				handler: (request) => this.revokeSession(request),
			},
		];
	}

	/** Whom the bearer token of a request stands for. */
	bearer(request: VendorRequest): JanssenPrincipal | undefined {
		return this.server.principal(credential(request, 'Bearer') ?? '');
	}

	private basic(request: VendorRequest): JanssenClient | undefined {
		const decoded = Buffer.from(credential(request, 'Basic') ?? '', 'base64').toString('utf8');
		const colon = decoded.indexOf(':');
		if (colon < 0) return undefined;
		const client = this.server.getClient(formDecoded(decoded.slice(0, colon)));
		return client?.secret === formDecoded(decoded.slice(colon + 1)) ? client : undefined;
	}

	private token(request: VendorRequest): Reply {
		const client = this.basic(request);
		if (client === undefined) return authError(401);
		const form = new URLSearchParams(request.body);
		for (const name of new Set(form.keys())) {
			if (form.getAll(name).length > 1) request.violate(`form parameter ${name} is sent twice`);
		}
		if (form.has('client_secret')) request.violate('the client authenticates in two ways');
		const grantType = form.get('grant_type') ?? '';
		if (grantType === '') return authError(400);
		if (grantType !== 'client_credentials') return authError(400, 'unsupported_grant_type');
		// Scopes that the client has not are left out without a word; that is how they are noticed.
		const asked = (form.get('scope') ?? '').split(' ');
		const scopes = [...new Set(asked)].filter((scope) => client.scopes.includes(scope));
		const { clientId } = client;
		return {
			status: 200,
			headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
			body: {
				access_token: this.server.addAccessToken({ clientId, scopes }),
				...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
				token_type: 'Bearer',
				expires_in: this.server.tokenLifeSeconds - 1,
			},
		};
	}

	private discovery({ origin }: VendorRequest): Reply {
		const { globalTokenRevocation, revokeSession } = this.server;
		const body = {
			issuer: origin,
			token_endpoint: origin + TOKEN,
			...(revokeSession ? { session_revocation_endpoint: origin + REVOKE_SESSION } : {}),
			...(globalTokenRevocation
				? { global_token_revocation_endpoint: origin + GLOBAL_TOKEN_REVOCATION }
				: {}),
			grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token'],
			token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
		};
		return { status: 200, body };
	}

	/** What the request may not pass: who calls, the feature flag, the scope of the client, in this order. */
	private refusal(request: VendorRequest, enabled: boolean, scope: string): Reply | undefined {
		const byToken = this.server.bearerAtRevocation ? this.bearer(request)?.client : undefined;
		const client = this.basic(request) ?? byToken;
		if (client === undefined) return authError(401);
		if (!enabled) return authError(403);
		// Not the token's scope: the one that the client is registered with.
		return client.scopes.includes(scope) ? undefined : authError(401, 'invalid_request');
	}

	/** Documented: if several users fit, the first is meant. */
	private firstUser(request: VendorRequest, attribute: string, value: string): string | undefined {
		const user = this.server.allUsers().find((one) => {
			const attributes = userAttributes(one);
			if (!(attribute in attributes)) request.violate(`no attribute of a user: ${attribute}`);
			return equals(this.server, attributes[attribute], value);
		});
		return user?.dn;
	}

	private revokeGlobally(request: VendorRequest): Reply {
		const { globalTokenRevocation } = this.server;
		const refusal = this.refusal(request, globalTokenRevocation, 'global_token_revocation');
		if (refusal !== undefined) return refusal;
		let body: unknown;
		try {
			body = JSON.parse(request.body);
		} catch {
			return authError(400);
		}
		const parsed = revocationSchema.safeParse(body);
		if (!parsed.success) {
			request.violate('the body is not {"sub_id": {"format", "id"}}');
			return authError(400);
		}
		const { format, id } = parsed.data.sub_id;
		const userDn = this.firstUser(request, format, id);
		if (userDn !== undefined) this.server.endEverything(userDn);
		// Documented: whether there is such a user is not disclosed.
		return { status: 204 };
	}

	private revokeSession(request: VendorRequest): Reply {
		const refusal = this.refusal(request, this.server.revokeSession, 'revoke_session');
		if (refusal !== undefined) return refusal;
		const form = new URLSearchParams(request.body);
		const [key, value] = ['user_criterion_key', 'user_criterion_value'].map((name) => {
			const given = form.get(name) ?? '';
			if (given === '') request.violate(`the form parameter ${name} is missing`);
			return given;
		});
		const userDn = this.firstUser(request, key ?? '', value ?? '');
		// Tokens stay: this endpoint ends nothing but sessions.
		if (userDn !== undefined) this.server.endUserSessions(userDn, { tokens: false });
		return { status: 200 };
	}
}
