import { describe, expect, jest, test } from '@jest/globals';
import { createHash, generateKeyPairSync } from 'node:crypto';
import {
	calculateJwkThumbprint,
	decodeJwt,
	EmbeddedJWK,
	jwtVerify,
	type JWTVerifyResult,
} from 'jose';
import { demandedNonce, makeDpopKey } from '../../nodes/core/transport/dpop';
import {
	authorizationHeaders,
	mint,
	tokenRequest,
	type MintedToken,
	type PostForm,
} from '../../nodes/core/transport/oauth';
import type { ClientAuthentication, TokenGrant } from '../../nodes/core/transport/types';
import { failure } from './support/server';

const tokenUrl = 'https://vendor.example/oauth2/v1/token';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const grantWith = (client: ClientAuthentication, more: Partial<TokenGrant> = {}): TokenGrant => ({
	tokenUrl,
	form: { grant_type: 'client_credentials', scope: 'a b' },
	client,
	dpop: false,
	...more,
});
const none = grantWith({ method: 'none' });
const answer = (body: unknown, status = 200, headers = {}) =>
	jest.fn<PostForm>().mockResolvedValue({ status, headers, body });
const issued = { access_token: 'tok-1', token_type: 'Bearer', expires_in: 3600 };

describe('tokenRequest', () => {
	test('sends the form as it is given', async () => {
		expect(await tokenRequest(none, undefined)).toEqual({ headers: {}, form: none.form });
	});

	test('client_secret_basic form-encodes id and secret before base64 (RFC 6749 section 2.3.1)', async () => {
		const grant = grantWith({
			method: 'client_secret_basic',
			clientId: 'a:b c',
			clientSecret: 'p%+/é:',
		});
		const { headers, form } = await tokenRequest(grant, undefined);
		const basic = Buffer.from(headers.authorization?.replace('Basic ', '') ?? '', 'base64');
		expect(basic.toString()).toBe('a%3Ab+c:p%25%2B%2F%C3%A9%3A');
		expect(form).toEqual(grant.form);
	});

	test('client_secret_post puts both into the form', async () => {
		const client = { method: 'client_secret_post', clientId: 'id', clientSecret: 's' } as const;
		const { headers, form } = await tokenRequest(grantWith(client), undefined);
		expect(headers).toEqual({});
		expect(form).toEqual({ ...none.form, client_id: 'id', client_secret: 's' });
	});

	const pairs = {
		RS256: rsa,
		RS384: rsa,
		RS512: rsa,
		PS256: rsa,
		ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
		ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
		ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
	};
	test.each([true, false])(
		'private_key_jwt says from when on only when asked: %p',
		async (notBefore) => {
			const client = { method: 'private_key_jwt', clientId: 'app', key: { privateKey } } as const;
			const { form } = await tokenRequest(grantWith({ ...client, notBefore }), undefined);
			const { nbf, iat } = decodeJwt(form.client_assertion ?? '');
			expect(nbf).toBe(notBefore ? iat : undefined);
		},
	);

	test.each(Object.entries(pairs))('private_key_jwt signs with %s', async (algorithm, pair) => {
		const key = {
			privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
			algorithm,
			keyId: 'kid-1',
			header: { 'x5t#S256': 'thumb' },
		};
		const grant = grantWith({ method: 'private_key_jwt', clientId: 'app', key });
		const { form } = await tokenRequest(grant, undefined);
		expect(form).toMatchObject({
			client_id: 'app',
			client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
		});
		const { payload, protectedHeader } = await jwtVerify(
			form.client_assertion ?? '',
			pair.publicKey,
			{ audience: tokenUrl, issuer: 'app', subject: 'app' },
		);
		expect(protectedHeader).toEqual({
			alg: algorithm,
			kid: 'kid-1',
			typ: 'JWT',
			'x5t#S256': 'thumb',
		});
		expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
		expect(payload.jti).toMatch(/^[0-9a-f-]{36}$/);
	});

	test('signs anew each time', async () => {
		const grant = grantWith({ method: 'private_key_jwt', clientId: 'app', key: { privateKey } });
		const ids = await Promise.all(
			[1, 2].map(async () => {
				const { form } = await tokenRequest(grant, undefined);
				return decodeJwt(form.client_assertion ?? '').jti;
			}),
		);
		expect(new Set(ids).size).toBe(2);
	});

	test('a jwt-bearer assertion carries its claims for an hour', async () => {
		const claims = { iss: 'sa@x', sub: 'admin@x', scope: 's', aud: tokenUrl };
		const assertion = { claims, key: { privateKey, keyId: 'k' } };
		const { form } = await tokenRequest({ ...none, assertion }, undefined);
		const { payload }: JWTVerifyResult = await jwtVerify(form.assertion ?? '', rsa.publicKey);
		expect(payload).toMatchObject(claims);
		expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
	});
});

describe('mint', () => {
	test('reads the token, its life and its scopes', async () => {
		const post = answer({ ...issued, scope: 'a  b' });
		expect(await mint(none, post)).toEqual({
			accessToken: 'tok-1',
			lifetimeMs: 3_600_000,
			scopes: ['a', 'b'],
			dpopKey: undefined,
		});
		expect(post).toHaveBeenCalledWith(tokenUrl, {}, none.form);
	});

	test.each([
		['a text', '120', 120_000],
		['nothing', undefined, 300_000],
		['nonsense', 'soon', 300_000],
		['less than nothing', -1, 300_000],
	])('takes %s for expires_in', async (_, expires_in, lifetimeMs) => {
		const token = await mint(none, answer({ ...issued, expires_in }));
		expect(token).toMatchObject({ lifetimeMs, scopes: undefined });
	});

	test.each([
		[400, 'invalid_client', 'credential_invalid'],
		[401, 'unauthorized_client', 'credential_invalid'],
		[403, 'unauthorized_client', 'permission_denied'],
		[400, 'invalid_grant', 'credential_invalid'],
		[401, undefined, 'credential_invalid'],
		[400, 'invalid_scope', 'permission_denied'],
		[400, 'access_denied', 'permission_denied'],
		[400, 'consent_required', 'permission_denied'],
		[403, undefined, 'permission_denied'],
		[429, undefined, 'rate_limited'],
		[503, 'temporarily_unavailable', 'unavailable'],
		[400, 'invalid_request', 'unexpected_reply'],
		[404, undefined, 'unexpected_reply'],
		[302, undefined, 'unexpected_reply'],
	])('%i %s means %s', async (status, error, reason) => {
		const thrown = await failure(mint(none, answer({ error }, status)));
		expect(thrown).toMatchObject({ reason, mayHaveArrived: false, statusCode: status });
		if (error !== undefined && status < 429) expect(String(thrown)).toContain(error);
	});

	test('repeats a short description without secrets, and no other', async () => {
		const client = {
			method: 'client_secret_post',
			clientId: 'i',
			clientSecret: 'hunter2!',
		} as const;
		const refuse = async (error_description: unknown) =>
			String(
				await failure(
					mint(grantWith(client), answer({ error: 'invalid_client', error_description }, 401)),
				),
			);
		expect(await refuse('AADSTS7000215: Invalid secret hunter2! given.\r\nTrace: 1')).toMatch(
			/: AADSTS7000215: Invalid secret \[redacted\] given$/,
		);
		expect(await refuse('x'.repeat(201))).not.toContain('xxx');
		expect(await refuse({ a: 'xxx' })).not.toContain('xxx');
	});

	test('a vendor can say what an error code means there', async () => {
		const refusals = {
			unauthorized_client: { advice: 'Authorize the scope a', missingPermissions: ['a'] },
			invalid_grant: { advice: 'check the address' },
		};
		const refuse = async (error: string, status: number) =>
			await failure(
				mint({ ...none, refusals }, answer({ error, error_description: 'No.' }, status)),
			);
		const undelegated = await refuse('unauthorized_client', 401);
		expect(undelegated).toMatchObject({ reason: 'permission_denied', missingPermissions: ['a'] });
		expect(String(undelegated)).toMatch(/unauthorized_client \(status 401\): No; Authorize the/);
		const wrong = await refuse('invalid_grant', 400);
		expect(wrong).toMatchObject({ reason: 'credential_invalid', missingPermissions: [] });
		expect(String(wrong)).toMatch(/No; check the address$/);
		expect(await refuse('unauthorized_client', 503)).toMatchObject({ reason: 'unavailable' });
		expect(await refuse('toString', 400)).toMatchObject({ reason: 'unexpected_reply' });
	});

	test('does not repeat an error code that is none', async () => {
		const thrown = await failure(mint(none, answer({ error: '<script>' }, 400)));
		expect(String(thrown)).not.toContain('script');
	});

	test.each([[{}], [{ access_token: '' }], [{ access_token: 1 }], ['text'], [null], [undefined]])(
		'refuses 200 with %j',
		async (body) => {
			expect(await failure(mint(none, answer(body)))).toMatchObject({ reason: 'unexpected_reply' });
		},
	);

	test('names the setting when the endpoint issues DPoP tokens unasked', async () => {
		const thrown = await failure(mint(none, answer({ ...issued, token_type: 'DPoP' })));
		expect(thrown).toMatchObject({ reason: 'configuration' });
		expect(String(thrown)).toContain('switch DPoP on');
	});

	test('passes on what post throws', async () => {
		const error = new Error('no network');
		const post = jest.fn<PostForm>().mockRejectedValue(error);
		expect(await failure(mint(none, post))).toBe(error);
	});
});

describe('DPoP', () => {
	const dpop = { ...none, dpop: true };
	const bound = { ...issued, token_type: 'DPoP' };

	test('answers use_dpop_nonce with the nonce, and remembers it', async () => {
		const proofs: string[] = [];
		const post = jest.fn<PostForm>().mockImplementation((_, headers) => {
			const proof = headers.dpop ?? '';
			proofs.push(proof);
			return Promise.resolve(
				decodeJwt(proof).nonce === 'n-1'
					? { status: 200, headers: {}, body: bound }
					: { status: 400, headers: { 'dpop-nonce': 'n-1' }, body: { error: 'use_dpop_nonce' } },
			);
		});
		const token = await mint(dpop, post);
		expect(post).toHaveBeenCalledTimes(2);
		expect(token.dpopKey).toBeDefined();

		for (const proof of proofs) {
			const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' });
			expect(payload).toMatchObject({ htm: 'POST', htu: tokenUrl });
			expect(protectedHeader.alg).toBe('ES256');
			expect(Object.keys(protectedHeader.jwk ?? {}).sort()).toEqual(['crv', 'kty', 'x', 'y']);
		}
		expect(new Set(proofs.map((proof) => decodeJwt(proof).jti)).size).toBe(2);

		await mint(dpop, post, token.dpopKey);
		expect(post).toHaveBeenCalledTimes(3);
	});

	test('asks for a nonce only once', async () => {
		const headers = { 'dpop-nonce': 'n' };
		const post = answer({ error: 'use_dpop_nonce' }, 400, headers);
		expect(await failure(mint(dpop, post))).toMatchObject({ reason: 'unexpected_reply' });
		expect(post).toHaveBeenCalledTimes(2);
	});

	test('proves each request to the API: method, URL without query, hash of the token', async () => {
		const token: MintedToken = {
			accessToken: 'tok',
			lifetimeMs: 1,
			scopes: undefined,
			dpopKey: await makeDpopKey(),
		};
		const url = 'https://vendor.example/api/v1/users/a%2Fb?x=1#f';
		const headers = await authorizationHeaders(token, 'DELETE', url);
		expect(headers.authorization).toBe('DPoP tok');
		const { payload, protectedHeader } = await jwtVerify(headers.dpop ?? '', EmbeddedJWK);
		expect(payload).toMatchObject({
			htm: 'DELETE',
			htu: 'https://vendor.example/api/v1/users/a%2Fb',
			ath: createHash('sha256').update('tok').digest('base64url'),
		});
		expect(payload).not.toHaveProperty('nonce');
		expect(await calculateJwkThumbprint(protectedHeader.jwk ?? {})).toBe(
			await calculateJwkThumbprint(token.dpopKey?.publicJwk ?? {}),
		);

		token.dpopKey?.nonces.set('https://vendor.example', 'r-1');
		const again = await authorizationHeaders(token, 'DELETE', url);
		expect(decodeJwt(again.dpop ?? '')).toMatchObject({ nonce: 'r-1' });
		const elsewhere = await authorizationHeaders(token, 'GET', 'https://other.example/');
		expect(decodeJwt(elsewhere.dpop ?? '')).not.toHaveProperty('nonce');
	});

	test('uses a Bearer token as one, though a proof was sent', async () => {
		const token = await mint(dpop, answer(issued));
		expect(await authorizationHeaders(token, 'GET', tokenUrl)).toEqual({
			authorization: 'Bearer tok-1',
		});
	});

	test.each([
		[401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'r' }, 'r'],
		[401, { 'www-authenticate': 'DPoP error="invalid_token"', 'dpop-nonce': 'r' }, undefined],
		[403, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'r' }, undefined],
		[401, {}, undefined],
	])('sees that a server demands a nonce: %i %j', (status, headers, nonce) => {
		expect(demandedNonce(status, headers)).toBe(nonce);
	});
});
