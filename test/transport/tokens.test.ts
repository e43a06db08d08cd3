import { describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt, EmbeddedJWK, jwtVerify } from 'jose';
import type { Access, Line, TokenGrant } from '../../nodes/core/transport/types';
import {
	counting,
	failure,
	get,
	json,
	lineTo,
	post,
	serve,
	within,
	type Answer,
	type Seen,
} from './support/server';

const secret = 'client-secret-1';

/** A vendor whose token endpoint and API are one server. */
async function vendor(
	token: (response: ServerResponse, count: number, proof: string) => void,
	api: Answer = (_, response) => json(response, {}),
): Promise<
	Seen & {
		line: (more?: Partial<TokenGrant>, access?: Partial<Access>) => Line;
		minted: () => number;
	}
> {
	let minted = 0;
	const server = await serve((request, response, count, body) => {
		if (request.url !== '/token') {
			api(request, response, count, body);
			return;
		}
		token(response, ++minted, String(request.headers.dpop ?? ''));
	});
	const line = (more: Partial<TokenGrant> = {}, access: Partial<Access> = {}) =>
		lineTo(server.origin, {
			secrets: [secret],
			authentication: {
				type: 'oauth2',
				grant: {
					tokenUrl: `${server.origin}/token`,
					form: { grant_type: 'client_credentials' },
					client: { method: 'client_secret_post', clientId: 'app', clientSecret: secret },
					dpop: false,
					...more,
				},
			},
			...access,
		});
	return Object.assign(server, { line, minted: () => minted });
}

const issue = (response: ServerResponse, count: number, more = {}) =>
	json(response, {
		access_token: `token-${count}`,
		token_type: 'Bearer',
		expires_in: 3600,
		...more,
	});
const bearers = ({ requests }: Seen) =>
	requests.filter(({ url }) => url !== '/token').map(({ headers }) => headers.authorization);

describe('a token', () => {
	test('is minted once for 50 callers who wait, and used by all', async () => {
		const server = await vendor((response, count) => setTimeout(() => issue(response, count), 50));
		const line = server.line();
		await Promise.all(Array.from({ length: 50 }, () => line.send(get, within(10_000))));
		expect(server.minted()).toBe(1);
		expect(bearers(server)).toEqual(Array.from({ length: 50 }, () => 'Bearer token-1'));
	});

	test('is shared by lines of the same credential, and not with another', async () => {
		const server = await vendor(issue);
		await server.line().send(get, within(5000));
		await server.line().send(get, within(5000));
		expect(server.minted()).toBe(1);
		await server.line({ form: { scope: 'more' } }).send(get, within(5000));
		expect(server.minted()).toBe(2);
	});

	test('does not count as a request to the vendor', async () => {
		const server = await vendor(issue);
		const budget = counting(5000);
		await server.line().send(get, budget);
		expect(budget.sent).toBe(1);
	});

	test('is replaced shortly before it expires', async () => {
		const server = await vendor((response, count) => issue(response, count, { expires_in: 1 }));
		const line = server.line();
		await line.send(get, within(5000));
		await line.send(get, within(5000));
		expect(server.minted()).toBe(1);
		await sleep(950);
		await line.send(get, within(5000));
		expect(server.minted()).toBe(2);
	});

	test('is redacted from then on', async () => {
		const server = await vendor(issue);
		const line = server.line();
		await line.send(get, within(5000));
		expect(line.redact('saw token-1')).toBe('saw [redacted]');
		const other = server.line();
		await other.send(get, within(5000));
		expect(other.redact('saw token-1')).toBe('saw [redacted]');
	});

	test.each([
		['what was granted', { scope: 'a b' }, ['a', 'b']],
		['null when the endpoint does not say', {}, null],
	])('tells its scopes: %s', async (_, more, scopes) => {
		const server = await vendor((response, count) => issue(response, count, more));
		const line = server.line();
		expect(await line.grantedScopes(within(5000))).toEqual(scopes);
		await line.grantedScopes(within(5000));
		expect(server.minted()).toBe(1);
	});

	test('tells the scopes of now when asked anew, and the next request goes with them', async () => {
		const server = await vendor((response, count) =>
			issue(response, count, { scope: count === 1 ? 'read write' : 'read' }),
		);
		const line = server.line();
		expect(await line.grantedScopes(within(5000))).toEqual(['read', 'write']);
		expect(await line.grantedScopes(within(5000), 'anew')).toEqual(['read']);
		await line.send(get, within(5000));
		expect(server.minted()).toBe(2);
	});

	test('a credential that mints none has no scopes', async () => {
		expect(await lineTo('https://vendor.example').grantedScopes(within(100))).toBeNull();
	});
});

describe('401', () => {
	const onlyTakes =
		(...tokens: string[]): Answer =>
		(request, response) => {
			const known = tokens.some((token) => request.headers.authorization === `Bearer ${token}`);
			json(response, {}, known ? 200 : 401);
		};

	test('mints again, once, also for a request that is not idempotent', async () => {
		const server = await vendor(issue, onlyTakes('token-2'));
		const reply = await server.line().send(post, within(5000));
		expect(reply.status).toBe(200);
		expect(bearers(server)).toEqual(['Bearer token-1', 'Bearer token-2']);
	});

	test('twice is returned', async () => {
		const server = await vendor(issue, onlyTakes());
		expect((await server.line().send(get, within(5000))).status).toBe(401);
		expect(server.minted()).toBe(2);
	});

	test('of many callers at once mints once', async () => {
		const server = await vendor(issue, onlyTakes('token-2'));
		const line = server.line();
		const replies = await Promise.all(
			Array.from({ length: 10 }, () => line.send(get, within(5000))),
		);
		expect(replies.every(({ status }) => status === 200)).toBe(true);
		expect(server.minted()).toBe(2);
	});

	test('without a minted token is returned at once', async () => {
		const server = await serve((_, response) => json(response, {}, 401));
		expect((await lineTo(server.origin).send(get, within(5000))).status).toBe(401);
		expect(server.requests).toHaveLength(1);
	});
});

describe('a token endpoint that fails', () => {
	test('503, then a token', async () => {
		const server = await vendor((response, count) =>
			count < 3 ? json(response, {}, 503) : issue(response, count),
		);
		expect((await server.line().send(get, within(10_000))).status).toBe(200);
		expect(server.minted()).toBe(3);
	});

	test('429 with a time, then a token', async () => {
		const server = await vendor((response, count) =>
			count === 1 ? json(response, {}, 429, { 'retry-after': '1' }) : issue(response, count),
		);
		expect((await server.line().send(get, within(10_000))).status).toBe(200);
	});

	test.each([
		[503, {}, 'unavailable', 4],
		[429, { 'retry-after': '60' }, 'rate_limited', 1],
		[401, {}, 'credential_invalid', 1],
		[302, { location: 'https://vendor.invalid/' }, 'unexpected_reply', 1],
	])('%i for ever', async (status, headers, reason, attempts) => {
		const server = await vendor((response) => json(response, {}, status, headers));
		const error = await failure(server.line().send(get, within(8000)));
		expect(error).toMatchObject({ reason, statusCode: status, mayHaveArrived: false });
		expect(server.minted()).toBe(attempts);
		expect(bearers(server)).toEqual([]);
	});

	test('a connection that breaks: the request itself surely did not arrive', async () => {
		const server = await vendor((response) => response.destroy());
		expect(await failure(server.line().send(get, within(8000)))).toMatchObject({
			reason: 'unavailable',
			mayHaveArrived: false,
		});
		expect(server.minted()).toBe(4);
	});

	test('a refused credential is not tried a thousand times', async () => {
		const server = await vendor((response) => json(response, { error: 'invalid_client' }, 401));
		const line = server.line();
		for (let user = 0; user < 20; user++) {
			expect(await failure(line.send(get, within(5000)))).toMatchObject({
				reason: 'credential_invalid',
			});
		}
		expect(server.minted()).toBe(1);
	});

	test('an error shows no secret that the endpoint sends back', async () => {
		const server = await vendor((response) =>
			json(response, { error: 'invalid_client', error_description: `bad ${secret}` }, 401),
		);
		const error = await failure(server.line().send(get, within(5000)));
		expect(String(error)).toContain('bad [redacted]');
		expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(secret);
	});
});

describe('those who wait for a token', () => {
	test('may leave without failing the others', async () => {
		const server = await vendor((response, count) => setTimeout(() => issue(response, count), 200));
		const line = server.line();
		const controller = new AbortController();
		const leaving = failure(line.send(get, within(10_000, controller.signal)));
		const hurried = failure(line.send(get, within(100)));
		const staying = line.send(get, within(10_000));
		await sleep(30);
		controller.abort();
		expect(await leaving).toMatchObject({ reason: 'cancelled', mayHaveArrived: false });
		expect(await hurried).toMatchObject({ reason: 'timeout', mayHaveArrived: false });
		expect((await staying).status).toBe(200);
		expect(server.minted()).toBe(1);
	});

	test('stop the request for it when all have left; the next caller starts anew', async () => {
		const server = await vendor((response, count) => {
			if (count > 1) issue(response, count);
		});
		const line = server.line();
		expect(await failure(line.send(get, within(150)))).toMatchObject({ reason: 'timeout' });
		expect((await line.send(get, within(5000))).status).toBe(200);
		expect(server.minted()).toBe(2);
	});
});

describe('DPoP', () => {
	const bound = { token_type: 'DPoP' };

	test('the whole dance: nonce of the token endpoint, proof per request, nonce of the API', async () => {
		const proofs: string[] = [];
		const server = await vendor(
			(response, count, proof) =>
				decodeJwt(proof).nonce === 'token-nonce'
					? issue(response, count, bound)
					: json(response, { error: 'use_dpop_nonce' }, 400, { 'dpop-nonce': 'token-nonce' }),
			(request, response) => {
				const proof = String(request.headers.dpop);
				proofs.push(proof);
				const demand = {
					'www-authenticate': 'DPoP error="use_dpop_nonce"',
					'dpop-nonce': 'api-nonce',
				};
				if (decodeJwt(proof).nonce === 'api-nonce') json(response, { ok: 1 });
				else json(response, {}, 401, demand);
			},
		);
		const line = server.line({ dpop: true });
		const reply = await line.send({ ...post, path: '/u/a%2Fb', query: { q: 1 } }, within(5000));
		expect(reply.body).toEqual({ ok: 1 });
		await line.send(get, within(5000));

		expect(server.minted()).toBe(2);
		expect(bearers(server)).toEqual(['DPoP token-2', 'DPoP token-2', 'DPoP token-2']);
		const verified = await Promise.all(proofs.map((proof) => jwtVerify(proof, EmbeddedJWK)));
		expect(verified.map(({ payload }) => [payload.htm, payload.htu, payload.nonce])).toEqual([
			['POST', `${server.origin}/u/a%2Fb`, undefined],
			['POST', `${server.origin}/u/a%2Fb`, 'api-nonce'],
			['GET', `${server.origin}/x`, 'api-nonce'],
		]);
		expect(new Set(verified.map(({ payload }) => payload.jti)).size).toBe(3);
	});

	test('an API that demands a nonce for ever gets two tries, and two with a fresh token', async () => {
		const demand = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n' };
		const server = await vendor(
			(response, count) => issue(response, count, bound),
			(_, response) => json(response, {}, 401, demand),
		);
		expect((await server.line({ dpop: true }).send(get, within(5000))).status).toBe(401);
		expect(server.requests.length).toBeLessThanOrEqual(5);
	});
});
