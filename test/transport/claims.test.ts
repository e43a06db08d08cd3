import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bearerIn, claimsIn, scopesIn } from '../../nodes/core/transport/claims';
import { json, lineTo, serve, within } from './support/server';

const encoded = (value: unknown): string =>
	Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: unknown): string => `${encoded({ alg: 'RS256' })}.${encoded(claims)}.c2ln`;

describe('the claims of a token', () => {
	test('are those of its payload', () => {
		expect(claimsIn(jwt({ oid: 'ä', roles: ['a'] }))).toEqual({ oid: 'ä', roles: ['a'] });
	});

	test.each([
		['an opaque token', 'tok-1'],
		['two parts', 'a.b'],
		['five parts, encrypted', 'a.b.c.d.e'],
		['no JSON', `a.${Buffer.from('{').toString('base64url')}.c`],
		['a list', jwt([1])],
		['a text', jwt('x')],
		['null', jwt(null)],
	])('are unknown: %s', (_, token) => {
		expect(claimsIn(token)).toBeUndefined();
		expect(scopesIn(token)).toBeUndefined();
	});

	test('are read of anything without throwing', () => {
		fc.assert(
			fc.property(fc.string(), fc.jsonValue(), (text, value) => {
				for (const token of [text, `a.${text}.c`, jwt(value)]) {
					expect(() => [claimsIn(token), scopesIn(token), bearerIn(token)]).not.toThrow();
				}
			}),
		);
	});

	test.each([
		['roles of an application', { roles: ['User.Read.All', 'B'] }, ['User.Read.All', 'B']],
		['scp as one text', { scp: 'User.Read  B' }, ['User.Read', 'B']],
		['scp as a list', { scp: ['a', 'b'] }, ['a', 'b']],
		['both', { roles: ['a'], scp: 'b' }, ['a', 'b']],
		['what is no text is left out', { roles: ['a', 1, null, ''] }, ['a']],
	])('name scopes: %s', (_, claims, scopes) => {
		expect(scopesIn(jwt(claims))).toEqual(scopes);
	});

	test.each([{}, { roles: [] }, { scp: '' }, { roles: { a: 1 } }, { scp: 7 }])(
		'name no scopes: %j',
		(claims) => {
			expect(scopesIn(jwt(claims))).toBeUndefined();
		},
	);
});

describe('the scopes that were granted', () => {
	const roles = jwt({ roles: ['User.RevokeSessions.All'] });

	async function granted(answer: Record<string, unknown>): Promise<readonly string[] | null> {
		const server = await serve((_, response) =>
			json(response, { token_type: 'Bearer', expires_in: 60, ...answer }),
		);
		const grant = {
			tokenUrl: `${server.origin}/token`,
			form: { grant_type: 'client_credentials' },
			client: { method: 'none' },
			dpop: false,
		} as const;
		const line = lineTo(server.origin, { authentication: { type: 'oauth2', grant } });
		return await line.grantedScopes(within(5000));
	}

	test('are those that the token endpoint names, whatever the token says', async () => {
		expect(await granted({ access_token: roles, scope: 'a b' })).toEqual(['a', 'b']);
	});

	test('are those of the token when the endpoint names none', async () => {
		expect(await granted({ access_token: roles })).toEqual(['User.RevokeSessions.All']);
	});

	test('are unknown when neither names any', async () => {
		expect(await granted({ access_token: 'opaque' })).toBeNull();
		expect(await granted({ access_token: jwt({ aud: 'x' }) })).toBeNull();
	});

	const pasted = async (name: string, value: string) => {
		const server = await serve((_, response) => json(response, {}));
		const line = lineTo(server.origin, { authentication: { type: 'header', name, value } });
		const scopes = await line.grantedScopes(within(5000));
		expect(server.requests).toHaveLength(0);
		return scopes;
	};

	test('are those of a token that was pasted, and nothing is sent for it', async () => {
		expect(await pasted('Authorization', `Bearer ${roles}`)).toEqual(['User.RevokeSessions.All']);
	});

	test.each([`SSWS ${roles}`, roles, 'Bearer opaque', 'Bearer '])(
		'are unknown for the header %j',
		async (value) => {
			expect(await pasted('Authorization', value)).toBeNull();
		},
	);
});
