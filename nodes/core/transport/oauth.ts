import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { scopesIn } from './claims';
import { dpopProof, makeDpopKey, type DpopKey } from './dpop';
import { readSigningKey } from './keys';
import { redactor } from './redact';
import {
	TransportError,
	type ClientAuthentication,
	type SigningKey,
	type TokenGrant,
	type TransportCause,
} from './types';

export { readSigningKey };

/** A token as the token endpoint issued it. */
export interface MintedToken {
	accessToken: string;
	/** How long it is valid from now on (ms). */
	lifetimeMs: number;
	/** As the endpoint named them, else as the token's own claims do; undefined when neither says. */
	scopes: readonly string[] | undefined;
	/** Present when the token is bound to this key. */
	dpopKey: DpopKey | undefined;
}

/** Sends a form to the token endpoint; header names come back in lower case. */
export type PostForm = (
	url: string,
	headers: Readonly<Record<string, string>>,
	form: Readonly<Record<string, string>>,
) => Promise<{ status: number; headers: Readonly<Record<string, string>>; body: unknown }>;

/** Validity of a client assertion (s): long enough for clocks that differ, short enough to be worthless soon. */
const clientAssertionLife = 300;
/** Google takes at most an hour. https://developers.google.com/identity/protocols/oauth2/service-account */
const grantAssertionLife = 3600;
const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** For an endpoint that does not say how long its token is valid (ms). */
const assumedLife = 5 * 60 * 1000;

/**
 * Obtains an access token. Does not retry, but for the DPoP nonce that a token endpoint may ask for.
 *
 * @param post how a form reaches the token endpoint; what it throws is passed on
 * @param dpopKey for a grant with `dpop`: the key to bind the token to; a new one is made when absent
 * @throws TransportError `credential_invalid`, `permission_denied`, `configuration`, `rate_limited`, `unavailable` or `unexpected_reply`
 */
export async function mint(
	grant: TokenGrant,
	post: PostForm,
	dpopKey?: DpopKey,
): Promise<MintedToken> {
	const key = grant.dpop ? (dpopKey ?? (await makeDpopKey())) : undefined;
	let reply = await send();
	const nonce = reply.headers['dpop-nonce'];
	if (key !== undefined && nonce !== undefined) {
		key.tokenNonce = nonce;
		if (reply.status === 400 && errorCode(reply.body) === 'use_dpop_nonce') reply = await send();
	}
	return readToken(grant, reply, key);

	async function send() {
		const { headers, form } = await tokenRequest(grant, key);
		return await post(grant.tokenUrl, headers, form);
	}
}

/**
 * Writes the request to the token endpoint: what changes from one to the next is made anew.
 *
 * @throws TransportError `configuration` when the private key cannot be used
 */
export async function tokenRequest(
	grant: TokenGrant,
	dpopKey: DpopKey | undefined,
): Promise<{ headers: Record<string, string>; form: Record<string, string> }> {
	const client = await clientAuthentication(grant.client, grant.tokenUrl);
	const { assertion } = grant;
	const proof =
		dpopKey === undefined
			? {}
			: {
					dpop: await dpopProof(
						dpopKey,
						{ method: 'POST', url: grant.tokenUrl },
						{ nonce: dpopKey.tokenNonce },
					),
				};
	return {
		headers: { ...client.headers, ...proof },
		form: {
			...grant.form,
			...client.form,
			// RFC 7523 section 2.1
			...(assertion === undefined
				? {}
				: { assertion: await sign(assertion.claims, grantAssertionLife, assertion.key) }),
		},
	};
}

/**
 * The headers that prove a request to the API with a token.
 *
 * @param url absolute; for a DPoP token the proof names it without its query
 */
export async function authorizationHeaders(
	token: MintedToken,
	method: string,
	url: string,
): Promise<Record<string, string>> {
	const { accessToken, dpopKey } = token;
	if (dpopKey === undefined) return { authorization: `Bearer ${accessToken}` };
	const nonce = dpopKey.nonces.get(new URL(url).origin);
	return {
		authorization: `DPoP ${accessToken}`,
		dpop: await dpopProof(dpopKey, { method, url }, { nonce, accessToken }),
	};
}

async function clientAuthentication(
	client: ClientAuthentication,
	tokenUrl: string,
): Promise<{ headers: Record<string, string>; form: Record<string, string> }> {
	switch (client.method) {
		case 'none':
			return { headers: {}, form: {} };
		case 'client_secret_basic':
			return { headers: { authorization: clientSecretBasic(client) }, form: {} };
		case 'client_secret_post':
			return {
				headers: {},
				form: { client_id: client.clientId, client_secret: client.clientSecret },
			};
		case 'private_key_jwt': {
			const { clientId } = client;
			const claims = { iss: clientId, sub: clientId, aud: tokenUrl, jti: randomUUID() };
			return {
				headers: {},
				form: {
					client_id: clientId,
					client_assertion_type: jwtBearer,
					client_assertion: await sign(claims, clientAssertionLife, client.key, client.notBefore),
				},
			};
		}
	}
}

/** The `Authorization` header of a client that proves itself with its secret. */
export function clientSecretBasic({
	clientId,
	clientSecret,
}: Readonly<Record<'clientId' | 'clientSecret', string>>): string {
	const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
	return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** RFC 6749 section 2.3.1 wants id and secret form-encoded before they are joined. */
function formEncoded(text: string): string {
	return new URLSearchParams({ '': text }).toString().slice(1);
}

async function sign(
	claims: Readonly<Record<string, string>>,
	lifeSeconds: number,
	signingKey: SigningKey,
	notBefore = false,
): Promise<string> {
	const { key, algorithm, keyId } = readSigningKey(signingKey);
	const issuedAt = Math.floor(Date.now() / 1000);
	return await new SignJWT({ ...claims, ...(notBefore ? { nbf: issuedAt } : {}) })
		.setProtectedHeader({
			typ: 'JWT',
			...signingKey.header,
			alg: algorithm,
			...(keyId === undefined ? {} : { kid: keyId }),
		})
		.setIssuedAt(issuedAt)
		.setExpirationTime(issuedAt + lifeSeconds)
		.sign(key);
}

type TokenReply = Awaited<ReturnType<PostForm>>;

function readToken(grant: TokenGrant, reply: TokenReply, key: DpopKey | undefined): MintedToken {
	if (reply.status < 200 || reply.status > 299) throw refusal(grant, reply);
	const accessToken = member(reply.body, 'access_token');
	if (typeof accessToken !== 'string' || accessToken === '') {
		throw problem('answered without an access token', 'unexpected_reply', reply.status);
	}
	const type = member(reply.body, 'token_type');
	const bound = typeof type === 'string' && type.toLowerCase() === 'dpop';
	if (bound && key === undefined) {
		throw problem(
			'issues DPoP tokens for this app: switch DPoP on in the credential, or off for the app at the vendor',
			'configuration',
			reply.status,
		);
	}
	const seconds = Number(member(reply.body, 'expires_in') ?? NaN);
	const scope = member(reply.body, 'scope');
	return {
		accessToken,
		lifetimeMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : assumedLife,
		scopes: typeof scope === 'string' ? scope.split(/\s+/).filter(Boolean) : scopesIn(accessToken),
		dpopKey: bound ? key : undefined,
	};
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 and https://openid.net/specs/openid-connect-core-1_0.html#AuthError */
const meaning: Readonly<Record<string, TransportCause>> = {
	invalid_client: 'credential_invalid',
	unauthorized_client: 'credential_invalid',
	invalid_grant: 'credential_invalid',
	invalid_scope: 'permission_denied',
	access_denied: 'permission_denied',
	consent_required: 'permission_denied',
	interaction_required: 'permission_denied',
};

function refusal(grant: TokenGrant, { status, body }: TokenReply): TransportError {
	const code = errorCode(body);
	const told = description(grant, body);
	const why = code === undefined ? `(status ${status})` : `with ${code} (status ${status})`;
	const known = Object.entries(grant.refusals ?? {}).find(([name]) => name === code)?.[1];
	const detail = [told, known?.advice].filter((text) => text !== undefined).join('; ');
	const message = `refused the credential ${why}${detail === '' ? '' : `: ${detail}`}`;

	if (status === 429) return problem('takes no more requests just now', 'rate_limited', status);
	if (status >= 500) return problem(`failed (status ${status})`, 'unavailable', status);
	if (known?.missingPermissions) {
		return problem(message, 'permission_denied', status, known.missingPermissions);
	}
	// A client that is known and may not: Entra's conditional access says it like this.
	if (status === 403 && code === 'unauthorized_client') {
		return problem(message, 'permission_denied', status);
	}
	if (code !== undefined && Object.hasOwn(meaning, code)) {
		return problem(message, meaning[code] ?? 'unexpected_reply', status);
	}
	if (status === 401) return problem(message, 'credential_invalid', status);
	if (status === 403) return problem(message, 'permission_denied', status);
	return problem(
		code === undefined ? `gave no token (status ${status})` : message,
		'unexpected_reply',
		status,
	);
}

function errorCode(body: unknown): string | undefined {
	const code = member(body, 'error');
	return typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? code : undefined;
}

/** What the endpoint says in words, when that is one short line; without any secret of the grant. */
function description(grant: TokenGrant, body: unknown): string | undefined {
	const text = member(body, 'error_description');
	if (typeof text !== 'string') return undefined;
	const firstLine = (text.split(/[\r\n]/)[0] ?? '').trim().replace(/\.$/, '');
	const printable = /^[\x20-\x7e]{1,200}$/.test(firstLine);
	return printable ? redactor(secretsOf(grant)).redact(firstLine) : undefined;
}

/** Everything in a grant that must never leave. */
export function secretsOf({ client, assertion }: TokenGrant): string[] {
	return [
		'clientSecret' in client ? client.clientSecret : '',
		'key' in client ? client.key.privateKey : '',
		assertion?.key.privateKey ?? '',
	].filter(Boolean);
}

function problem(
	what: string,
	reason: TransportCause,
	status: number,
	missingPermissions: readonly string[] = [],
): TransportError {
	return new TransportError(
		`The token endpoint ${what}`,
		reason,
		false,
		status,
		missingPermissions,
	);
}

function member(body: unknown, name: string): unknown {
	return typeof body === 'object' && body !== null && Object.hasOwn(body, name)
		? Reflect.get(body, name)
		: undefined;
}
