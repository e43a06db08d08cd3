/** What is the Custom Provider's own: what a description may say, and what becomes of each of its members. */
import { describe, expect, test } from '@jest/globals';
import { CustomSessionsApi } from '../../credentials/CustomSessionsApi.credentials';
import { ConfigurationError, openCredential } from '../../nodes/core/connection';
import { checkSetup } from '../../nodes/core/flow';
import { custom as connector } from '../../nodes/Custom/connector';
import { endSession, list, retrieve, revoke, within } from '../contract/runs';
import { connectCustom, readyMade } from '../support/custom';
import { type Answer, type Seen, serve } from '../transport/support/server';

const JANE = 'jane@example.com';

const LOOKUP = {
	method: 'GET',
	path: '/users',
	query: { name: '{user}' },
	success: [200],
	items: '/users',
	id: '/id',
	login: '/login',
	email: '/mail',
};
const LIST = {
	method: 'GET',
	path: '/users/{userId}/sessions',
	success: [200],
	items: '/sessions',
	id: '/id',
};
const END_ALL = { method: 'DELETE', path: '/users/{userId}/sessions', success: [204] };
const END_ONE = {
	method: 'DELETE',
	path: '/sessions/{sessionId}',
	success: [204],
	nothingToRevoke: [404],
};
const WHOLE = { name: 'Acme', lookup: LOOKUP, listSessions: LIST, revokeAll: END_ALL };
const COMPOSED = { name: 'Acme', lookup: LOOKUP, listSessions: LIST, revokeSession: END_ONE };

const fields = (provider: unknown, more: object = {}) => ({
	baseUrl: 'https://acme.example.com/api',
	authentication: 'bearer',
	token: 'token-of-the-tests',
	provider,
	...more,
});

const open = (provider: unknown, more: object = {}) =>
	openCredential(connector, fields(provider, more)).access;

type Reply = readonly [status: number, body?: unknown, type?: string];

/** A server that answers by method and address; what it is not told is a 500. */
async function serving(
	replies: (method: string, url: string, body: string) => Reply | undefined,
): Promise<{
	seen: Seen;
	at: (provider: unknown, more?: object) => ReturnType<typeof connectCustom>;
}> {
	const answer: Answer = (request, response, _, body) => {
		const [status, content, type = 'application/json'] = replies(
			request.method ?? '',
			request.url ?? '',
			body,
		) ?? [500];
		const text = typeof content === 'string' ? content : JSON.stringify(content);
		response.writeHead(status, { 'content-type': type }).end(content === undefined ? '' : text);
	};
	const seen = await serve(answer);
	return {
		seen,
		at: (provider, more) => connectCustom(fields(provider, { baseUrl: seen.origin, ...more })),
	};
}

const sent = ({ requests }: Seen) => requests.map(({ method, url }) => `${method} ${url}`);
const jane = { id: 'u1', login: JANE, mail: 'jane.doe@mail.example.com' };

describe('a description', () => {
	test.each(['authentik', 'better-auth', 'glewlwyd', 'ory-kratos'])('%s.json is one', (name) => {
		expect(() => open(readyMade(name))).not.toThrow();
	});

	test('can be an object, as an expression gives it', () => {
		expect(() => open(JSON.parse(readyMade('glewlwyd')))).not.toThrow();
	});

	const without = (name: string, from: object) =>
		Object.fromEntries(Object.entries(from).filter(([key]) => key !== name));
	const all = (more: object) => ({ ...WHOLE, revokeAll: { ...END_ALL, ...more } });
	const find = (more: object) => ({ ...WHOLE, lookup: { ...LOOKUP, ...more } });

	test.each<[string, unknown, string]>([
		['nothing', '', 'is empty'],
		['no JSON', '{"name":', 'is not valid JSON'],
		['a list', '[]', 'it must be object, not array'],
		['a text', '"x"', 'it must be object, not string'],
		['no name', without('name', WHOLE), 'name is missing'],
		['markup in its name', { ...WHOLE, name: '<b>Acme</b>' }, 'name is not plain text'],
		['no way to end sessions', { name: 'Acme', lookup: LOOKUP }, 'no way to end all sessions'],
		['half a way', { name: 'Acme', listSessions: LIST }, 'no way to end all sessions'],
		['an unknown request', { ...WHOLE, logout: END_ALL }, "it has the unknown member 'logout'"],
		['an unknown member', all({ timeout: 1 }), "revokeAll has the unknown member 'timeout'"],
		[
			'a look-up that changes',
			find({ method: 'DELETE' }),
			'lookup.method must be one of GET, POST',
		],
		['another method', all({ method: 'TRACE' }), 'revokeAll.method must be one of'],
		['a relative path', find({ path: 'users' }), 'lookup.path must begin with /'],
		['another host', all({ path: '//evil.example.com/{userId}' }), 'must stay below the base URL'],
		['a URL', all({ path: 'https://evil.example.com/{userId}' }), 'must begin with /'],
		['dot segments', all({ path: '/a/../../{userId}' }), 'must stay below the base URL'],
		['encoded dot segments', all({ path: '/%2e%2e/{userId}' }), 'must stay below the base URL'],
		['an encoded slash', all({ path: '/..%2f{userId}' }), 'must stay below the base URL'],
		['a backslash', all({ path: '/a\\{userId}' }), 'must stay below the base URL'],
		['a query in the path', all({ path: '/a?user={userId}' }), 'must stay below the base URL'],
		['a line break in the path', all({ path: '/a\r\n{userId}' }), 'must stay below the base URL'],
		['nobody in the end of all', all({ path: '/sessions' }), 'says nothing of whom it is about'],
		[
			'nobody in the list',
			{ ...WHOLE, listSessions: { ...LIST, path: '/sessions' } },
			'listSessions says nothing of whom it is about',
		],
		[
			'no session in the end of one',
			{ ...COMPOSED, revokeSession: { ...END_ONE, path: '/users/{userId}' } },
			'needs {sessionId} or {sessionToken}',
		],
		['an unknown placeholder', all({ query: { a: '{password}' } }), 'placeholder {password}'],
		['a placeholder out of place', find({ path: '/users/{sessionId}' }), 'placeholder {sessionId}'],
		['a placeholder in a name', all({ query: { '{user}': 'x' } }), 'has a placeholder in its name'],
		[
			'a placeholder in a name of the body',
			all({ method: 'POST', body: { a: [{ '{user}': 1 }] } }),
			'has a placeholder in its name',
		],
		['an expression', find({ path: '/{{ $json.path }}' }), 'lookup.path holds an expression'],
		['an expression of n8n', all({ query: { a: '={{ 1 }}' } }), 'holds an expression'],
		['a template', all({ method: 'POST', body: { a: ['${env}'] } }), 'holds an expression'],
		[
			'an e-mail nobody tells',
			{ ...WHOLE, lookup: without('email', LOOKUP), revokeAll: { ...END_ALL, path: '/{email}' } },
			'lookup.email is missing',
		],
		[
			'a token nobody tells',
			{
				...COMPOSED,
				revokeSession: { ...END_ONE, method: 'POST', path: '/end', body: '{sessionToken}' },
			},
			'listSessions.token is missing',
		],
		[
			'a token in the address',
			{
				...COMPOSED,
				listSessions: { ...LIST, token: '/t' },
				revokeSession: { ...END_ONE, path: '/{sessionToken}' },
			},
			'outside of its body',
		],
		[
			'an ID that is the token',
			{ ...WHOLE, listSessions: { ...LIST, token: LIST.id } },
			'listSessions.token is the ID too',
		],
		['a body with GET', find({ body: { a: 1 } }), 'lookup.body cannot be sent with GET'],
		['no status', all({ success: [] }), 'revokeAll.success is empty'],
		['a text as status', all({ success: ['200'] }), 'revokeAll.success.0 must be number'],
		['a status of the server', all({ success: [500] }), 'revokeAll.success.0 is above 499'],
		['a status with two meanings', all({ notFound: [204] }), 'has the status 204 twice'],
		['no pointer', find({ id: 'id' }), 'lookup.id is not a JSON pointer'],
		['a pointer to no data', find({ id: '/constructor/name' }), 'names what is no data'],
		['a function', { ...WHOLE, lookup: { ...LOOKUP, path: () => '/' } }, 'lookup.path is not data'],
		['a date', { ...WHOLE, lookup: { ...LOOKUP, body: new Date(0) } }, 'lookup.body is not data'],
		['a secret', all({ headers: { Authorization: 'Bearer x' } }), 'cannot be described'],
		['a cookie', all({ headers: { cookie: 'a=b' } }), 'cannot be described'],
		['another host by header', all({ headers: { Host: 'evil' } }), 'cannot be described'],
		['another length', all({ headers: { 'Content-Length': '0' } }), 'cannot be described'],
		['another method by header', all({ headers: { 'X-HTTP-Method-Override': 'GET' } }), 'cannot'],
		['a split header', all({ headers: { 'X-A': 'b\r\nX-C: d' } }), 'characters that no header has'],
		['a split name', all({ headers: { 'X-A\r\nX-C': 'd' } }), 'is not the name of a header'],
		['a value in a header', all({ headers: { 'X-A': '{user}' } }), 'takes no placeholders'],
		['another content', all({ headers: { 'Content-Type': 'text/xml' } }), 'must be JSON'],
		['two ways of paging', find({ pages: { size: 1, next: '/n' } }), 'lookup.pages'],
	])('with %s is refused by name', (_, provider, message) => {
		expect(() => open(provider)).toThrow(ConfigurationError);
		expect(() => open(provider)).toThrow(`The field 'Provider' of the credential`);
		expect(() => open(provider)).toThrow(message);
	});

	test.each(['__proto__', 'constructor', 'prototype'])('with the member %s is refused', (name) => {
		const text = JSON.stringify({ ...WHOLE, lookup: { ...LOOKUP, '@': 1 } }).replace('@', name);
		expect(() => open(text)).toThrow(`lookup has a member '${name}', which is refused`);
	});

	test('may hold what no placeholder is, such as a query language', () => {
		const body = {
			query: 'mutation($id: ID!) { end(id: $id) { ok } }',
			variables: { id: '{userId}' },
		};
		expect(() => open(all({ method: 'POST', body }))).not.toThrow();
	});
});

describe('the other fields', () => {
	test.each([
		['Base URL', { baseUrl: 'http://acme.example.com' }],
		['Base URL', { baseUrl: 'https://acme.example.com/a//b' }],
		['Base URL', { baseUrl: 'https://acme.example.com/?a=b' }],
		['Token', { token: '' }],
		['Token', { token: 'a b' }],
		['User Name', { authentication: 'basic', username: 'a:b', password: 'x' }],
		['Password', { authentication: 'basic', username: 'a' }],
		['Header Name', { authentication: 'header', headerName: 'Host', headerValue: 'x' }],
		['Header Name', { authentication: 'header', headerName: 'a b', headerValue: 'x' }],
		['Header Value', { authentication: 'header', headerName: 'X-Key', headerValue: 'a\nb' }],
		['Token URL', { authentication: 'clientCredentials', tokenUrl: 'http://a.example.com/t' }],
		[
			'Client Secret',
			{ authentication: 'clientCredentials', tokenUrl: 'https://a.example.com/t', clientId: 'c' },
		],
	])("'%s' is named when it cannot work: %j", (label, more) => {
		expect(() => open(WHOLE, more)).toThrow(`The field '${label}'`);
	});

	test('the header that authenticates cannot be described too', () => {
		const provider = { ...WHOLE, revokeAll: { ...END_ALL, headers: { 'x-key': 'other' } } };
		const more = { authentication: 'header', headerName: 'X-Key', headerValue: 'secret' };
		expect(() => open(provider, more)).toThrow("the header of 'Header Name'");
	});

	test.each<[object, string, string]>([
		[{ authentication: 'none' }, 'authorization', 'undefined'],
		[{ token: 'Bearer abcdef' }, 'authorization', 'Bearer abcdef'],
		[
			{ authentication: 'basic', username: 'ann', password: 'pä:ss' },
			'authorization',
			`Basic ${Buffer.from('ann:pä:ss').toString('base64')}`,
		],
		[
			{ authentication: 'header', headerName: 'Cookie', headerValue: 'a=bcdef; g=hijkl' },
			'cookie',
			'a=bcdef; g=hijkl',
		],
	])('%j authenticates each request', async (more, header, value) => {
		const { seen, at } = await serving(() => [200, { users: [] }]);
		await retrieve(at(WHOLE, more), JANE);
		expect(String(seen.requests[0]?.headers[header])).toBe(value);
	});

	test('each cookie is a secret by itself', () => {
		const more = {
			authentication: 'header',
			headerName: 'Cookie',
			headerValue: 'a=bcdef; g=hijkl',
		};
		expect(open(WHOLE, more).secrets).toEqual(expect.arrayContaining(['bcdef', 'hijkl']));
	});

	test('client credentials mint a token, once, and again when it is refused', async () => {
		let minted = 0;
		const { seen, at } = await serving((method, url) => {
			if (url !== '/oauth/token/') return [minted === 1 ? 401 : 200, { users: [jane] }];
			minted += 1;
			return [
				200,
				{ access_token: `token-${minted}-of-acme`, token_type: 'Bearer', expires_in: 600 },
			];
		});
		const connection = at(WHOLE, {
			authentication: 'clientCredentials',
			tokenUrl: `${seen.origin}/oauth/token/`,
			clientId: 'client',
			clientSecret: 'se/cret',
			scopes: ' users.read  sessions.end ',
		});
		const results = await Promise.all([retrieve(connection, JANE), retrieve(connection, JANE)]);
		expect(results.map(({ outcome }) => outcome)).toEqual(['user_found', 'user_found']);
		expect(minted).toBe(2);
		expect(seen.requests[0]?.headers.authorization).toBe(
			`Basic ${Buffer.from('client:se%2Fcret').toString('base64')}`,
		);
		const form = new URLSearchParams(seen.bodies[0]);
		expect(Object.fromEntries(form)).toEqual({
			grant_type: 'client_credentials',
			scope: 'users.read sessions.end',
		});
	});
});

describe('who is meant', () => {
	const users = (...found: object[]) => ({ users: found });

	test.each<[string, string, object, string]>([
		['the sign-in name, in any letter case', 'Jane@Example.com', users(jane), 'user_found'],
		['the id', 'U1', users(jane), 'user_found'],
		['the address, when nobody has it as a name', jane.mail, users(jane), 'user_found'],
		['a part of the name', 'jane', users(jane), 'user_not_found'],
		['somebody else', 'joe@example.com', users(jane), 'user_not_found'],
		[
			'two with one address',
			jane.mail,
			users(jane, { ...jane, id: 'u2', login: 'x' }),
			'ambiguous_user',
		],
		['the same one twice', JANE, users(jane, jane), 'user_found'],
		[
			'a name that is the address of another',
			JANE,
			users({ id: 'u2', login: 'x', mail: JANE }, jane),
			'user_found',
		],
		[
			'the id of one and the name of another',
			'u1',
			users(jane, { id: 'u2', login: 'u1' }),
			'ambiguous_user',
		],
		['an entry without an id', JANE, users({ login: JANE }), 'failed'],
		['no list', JANE, { users: {} }, 'failed'],
	])('%s', async (_, identity, answer, outcome) => {
		const { at } = await serving(() => [200, answer]);
		const result = await retrieve(at(WHOLE), identity);
		expect(result.outcome).toBe(outcome);
		if (outcome === 'user_found') expect(result.user?.id).toBe('u1');
		if (outcome === 'failed') expect(result.message).toMatch(/'lookup\.(id|items)'/);
	});

	test('an id that is a number is one too', async () => {
		const { at } = await serving(() => [200, { users: [{ ...jane, id: 7 }] }]);
		expect((await retrieve(at(WHOLE), JANE)).user?.id).toBe('7');
	});

	test('nobody, where a status says so', async () => {
		const { at } = await serving(() => [404, { error: 'none' }]);
		const provider = { ...WHOLE, lookup: { ...LOOKUP, notFound: [404] } };
		expect((await retrieve(at(provider), JANE)).outcome).toBe('user_not_found');
		const { outcome, message } = await retrieve(at(WHOLE), JANE);
		expect(outcome).toBe('failed');
		expect(message).toContain("name the status in 'notFound'");
	});

	test('an answer that is one user needs no list', async () => {
		const { items: _, ...single } = LOOKUP;
		const { at } = await serving(() => [200, jane]);
		expect((await retrieve(at({ ...WHOLE, lookup: single }), JANE)).outcome).toBe('user_found');
	});

	describe('page by page', () => {
		const everybody = Array.from({ length: 25 }, (_, index) => ({
			id: `n${index}`,
			login: `n${index}`,
		}));

		test('by how many came before', async () => {
			const { seen, at } = await serving((_, url) => {
				const before = Number(new URL(url, 'http://x').searchParams.get('skip'));
				return [200, users(...everybody.slice(before, before + 10))];
			});
			const provider = { ...WHOLE, lookup: { ...LOOKUP, pages: { size: 10, offset: 'skip' } } };
			expect((await retrieve(at(provider), 'n24')).outcome).toBe('user_found');
			expect(seen.requests).toHaveLength(3);
		});

		test('by what the answer names', async () => {
			const { seen, at } = await serving((_, url) => {
				const page = Number(new URL(url, 'http://x').searchParams.get('page') ?? 1);
				const found = everybody.slice((page - 1) * 10, page * 10);
				return [200, { users: found, next: page < 3 ? page + 1 : 0 }];
			});
			const provider = { ...WHOLE, lookup: { ...LOOKUP, pages: { next: '/next', query: 'page' } } };
			expect((await retrieve(at(provider), 'n24')).outcome).toBe('user_found');
			expect(seen.requests).toHaveLength(3);
		});

		test('what the answer names is taken as it is', async () => {
			const { seen, at } = await serving((_, url) =>
				url.includes('page') ? [200, users(jane)] : [200, { users: everybody, next: '{user}&a=b' }],
			);
			const provider = { ...WHOLE, lookup: { ...LOOKUP, pages: { next: '/next', query: 'page' } } };
			expect((await retrieve(at(provider), JANE)).outcome).toBe('user_found');
			expect(seen.requests[1]?.url).toContain('page=%7Buser%7D%26a%3Db');
		});

		test.each([
			['no way to ask for more', { size: 10 }],
			['a server that repeats itself', { size: 10, offset: 'skip' }],
		])('with %s nobody is taken for missing', async (_, pages) => {
			const { seen, at } = await serving(() => [200, users(...everybody.slice(0, 10))]);
			const provider = { ...WHOLE, lookup: { ...LOOKUP, pages } };
			const connection = at(provider);
			const result = await retrieve(connection, 'n24');
			expect(result).toMatchObject({ outcome: 'failed', cause: 'unexpected_reply' });
			expect(result.message).toContain("'lookup.pages'");
			expect(seen.requests.length).toBeLessThan(4);
			// A sign-in name is one user's: whoever was seen is the one.
			expect((await retrieve(connection, 'n3')).outcome).toBe('user_found');
		});
	});

	describe('without a look-up', () => {
		const BLIND = {
			name: 'Acme',
			listSessions: LIST,
			revokeAll: { ...END_ALL, nothingToRevoke: [404] },
			revokeSession: { ...END_ONE, path: '/users/{userId}/sessions/{sessionId}' },
		};
		const answers = (method: string) =>
			method === 'GET' ? ([200, { sessions: [{ id: 's1' }] }] as const) : ([204] as const);

		test('the identity is all that is known', async () => {
			let live = true;
			const { seen, at } = await serving((method) => {
				if (method === 'DELETE') live = false;
				return method === 'DELETE' ? [204] : [200, { sessions: live ? [{ id: 's1' }] : [] }];
			});
			const result = await revoke(at(BLIND), JANE);
			expect(result).toMatchObject({
				outcome: 'revoked',
				userKnown: null,
				user: null,
				changed: true,
				sessions: { found: 1, revoked: 1 },
				verification: { status: 'verified' },
			});
			expect(result.message).toContain('has no lookup');
			expect(sent(seen)[0]).toBe('GET /users/jane%40example.com/sessions');
		});

		test('sessions are listed and ended too', async () => {
			const { seen, at } = await serving(answers);
			expect((await list(at(BLIND), JANE)).sessions?.map(({ id }) => id)).toEqual(['s1']);
			expect((await endSession(at(BLIND), 's1', JANE)).outcome).toBe('revoked');
			expect(sent(seen).at(-1)).toBe('DELETE /users/jane%40example.com/sessions/s1');
		});

		test('what can mean everybody is refused', async () => {
			const { seen, at } = await serving(answers);
			const result = await revoke(at(BLIND), '*');
			expect(result).toMatchObject({ outcome: 'refused', cause: 'unsupported_user' });
			expect(seen.requests).toEqual([]);
		});

		test('nothing can be checked, nobody retrieved', async () => {
			const { seen, at } = await serving(answers);
			const connection = at(BLIND);
			const checked = await checkSetup({ connection, budget: within(2_000) });
			expect(checked).toMatchObject({ outcome: 'failed', cause: 'configuration' });
			expect(connector.unsupported?.('retrieveUser', connection.credential)).toContain('lookup');
			expect((await retrieve(connection, JANE)).outcome).toBe('failed');
			expect(seen.requests).toEqual([]);
		});
	});
});

describe('a revocation', () => {
	/** Acme, with the sessions of Jane. */
	async function acme(
		sessions: { id: string; on?: boolean; token?: string }[],
		ends: (method: string, url: string, body: string) => Reply | undefined = () => undefined,
	) {
		const ended: string[] = [];
		const { seen, at } = await serving((method, url, body) => {
			if (url.startsWith('/users?')) return [200, { users: [jane] }];
			const own = ends(method, url, body);
			if (own) return own;
			if (method === 'GET')
				return [200, { sessions: sessions.filter(({ id }) => !ended.includes(id)) }];
			const one = /^\/sessions\/(.+)$/.exec(url)?.[1];
			ended.push(...(one === undefined ? sessions.map(({ id }) => id) : [decodeURIComponent(one)]));
			return [204];
		});
		return { seen, at, ended };
	}

	test('ends everything at once where there is a request for it', async () => {
		const { seen, at, ended } = await acme([{ id: 'a' }, { id: 'b' }]);
		const result = await revoke(at(WHOLE), JANE);
		expect(result).toMatchObject({
			connector: 'custom',
			outcome: 'revoked',
			sessions: { found: 2, revoked: 2 },
			verification: { status: 'verified', method: 'list of sessions' },
		});
		expect(result.message).toContain('Acme ended the sessions');
		expect(ended).toEqual(['a', 'b']);
		expect(sent(seen)).toEqual([
			'GET /users?name=jane%40example.com',
			'GET /users/u1/sessions',
			'DELETE /users/u1/sessions',
			'GET /users/u1/sessions',
		]);
	});

	test('ends each where there is none, and no session that had ended', async () => {
		const { at, ended } = await acme([
			{ id: 'a', on: true },
			{ id: 'b/..', on: true },
			{ id: 'c', on: false },
		]);
		const active = { pointer: '/on', equals: true };
		const result = await revoke(at({ ...COMPOSED, listSessions: { ...LIST, active } }), JANE);
		expect(result).toMatchObject({
			outcome: 'revoked',
			changed: true,
			sessions: { found: 2, revoked: 2 },
		});
		expect(ended.toSorted()).toEqual(['a', 'b/..']);
	});

	test('finds nothing where there is nothing', async () => {
		const { seen, at } = await acme([]);
		expect(await revoke(at(COMPOSED), JANE)).toMatchObject({
			outcome: 'nothing_to_revoke',
			changed: false,
			sessions: { found: 0, revoked: 0 },
		});
		expect(sent(seen).some((one) => one.startsWith('DELETE'))).toBe(false);
	});

	test('says what ended when only some did', async () => {
		const { at } = await acme([{ id: 'a' }, { id: 'b' }], (method, url) =>
			method === 'DELETE' && url.endsWith('/b') ? [403, {}] : undefined,
		);
		expect(await revoke(at(COMPOSED), JANE)).toMatchObject({
			outcome: 'partial',
			cause: 'permission_denied',
			sessions: { found: 2, revoked: 1 },
		});
	});

	test('that is answered with success while sessions go on is partial', async () => {
		const { at } = await acme([{ id: 'a' }], (method) => (method === 'DELETE' ? [204] : undefined));
		expect(await revoke(at(WHOLE), JANE)).toMatchObject({
			outcome: 'partial',
			verification: { status: 'unconfirmed' },
		});
	});

	test('is not verified while somebody is signed in, and not partial for a new session', async () => {
		let after = false;
		const { at } = await acme([], (method) => {
			if (method === 'DELETE') after = true;
			return method === 'GET' ? [200, { sessions: [{ id: after ? 'new' : 'old' }] }] : undefined;
		});
		expect(await revoke(at(WHOLE), JANE)).toMatchObject({
			outcome: 'revoked',
			verification: { status: 'unconfirmed' },
		});
	});

	test('cannot be verified without a list', async () => {
		const { at } = await acme([{ id: 'a' }]);
		const { listSessions: _, ...blind } = WHOLE;
		expect(await revoke(at(blind), JANE)).toMatchObject({
			outcome: 'revoked',
			changed: null,
			sessions: { found: null, revoked: null },
			verification: { status: 'unverifiable' },
		});
	});

	test('of a list that was cut ends nothing, and claims nothing', async () => {
		const { seen, at } = await acme([{ id: 'a' }, { id: 'b' }]);
		const pages = { size: 2 };
		const composed = { ...COMPOSED, listSessions: { ...LIST, pages } };
		const result = await revoke(at(composed), JANE);
		expect(result).toMatchObject({ outcome: 'failed', cause: 'unexpected_reply', changed: false });
		expect(result.message).toContain("'listSessions.pages'");
		expect(sent(seen).some((one) => one.startsWith('DELETE'))).toBe(false);
	});

	test('is not verified by a list that holds nothing but ended sessions and was cut', async () => {
		const { at } = await acme([], (method) =>
			method === 'GET'
				? [
						200,
						{
							sessions: [
								{ id: 'x', on: false },
								{ id: 'y', on: false },
							],
						},
					]
				: undefined,
		);
		const active = { pointer: '/on', equals: true };
		const provider = { ...WHOLE, listSessions: { ...LIST, active, pages: { size: 2 } } };
		expect(await revoke(at(provider), JANE)).toMatchObject({
			outcome: 'revoked',
			sessions: { found: null, revoked: null },
			verification: { status: 'unconfirmed' },
		});
	});

	test.each<[string, Reply, object, string]>([
		['the user is gone', [404, {}], { notFound: [404] }, 'user_not_found'],
		['nothing was there', [404, {}], { nothingToRevoke: [404] }, 'nothing_to_revoke'],
		['nobody described it', [404, {}], {}, 'failed'],
		['a page of somebody else', [404, '<h1>', 'text/html'], { nothingToRevoke: [404] }, 'failed'],
		['a page of somebody else', [200, '<h1>', 'text/html'], { success: [200] }, 'failed'],
		['plain text', [200, 'OK', 'text/plain'], { success: [200] }, 'revoked'],
		['a count', [200, { gone: 3 }], { success: [200], count: '/gone' }, 'revoked'],
		[
			'a count of none',
			[200, { gone: 0 }],
			{ success: [200], count: '/gone' },
			'nothing_to_revoke',
		],
		['no count', [200, { error: 1 }], { success: [200], count: '/gone' }, 'failed'],
	])('is answered: %s', async (_, reply, more, outcome) => {
		const { at } = await acme([], (method) => (method === 'DELETE' ? reply : undefined));
		const { listSessions: __, ...blind } = WHOLE;
		const result = await revoke(at({ ...blind, revokeAll: { ...END_ALL, ...more } }), JANE);
		expect(result.outcome).toBe(outcome);
	});

	test('uses the name and the address of the look-up', async () => {
		const { seen, at } = await acme([]);
		const body = { name: '{login}', to: ['{email}', 'as {user}'] };
		const revokeAll = { method: 'POST', path: '/users/end', success: [204], body };
		const provider = { name: 'Acme', lookup: LOOKUP, revokeAll };
		expect((await revoke(at(provider), 'JANE@example.com')).outcome).toBe('revoked');
		expect(JSON.parse(seen.bodies.at(-1) ?? '')).toEqual({
			name: JANE,
			to: [jane.mail, 'as JANE@example.com'],
		});
	});

	test('does not send what nobody knows', async () => {
		const { seen, at } = await serving(() => [200, { users: [{ id: 'u1', login: JANE }] }]);
		const provider = { name: 'Acme', lookup: LOOKUP, revokeAll: { ...END_ALL, path: '/{email}' } };
		expect(await revoke(at(provider), JANE)).toMatchObject({
			outcome: 'failed',
			cause: 'invalid_input',
		});
		expect(seen.requests).toHaveLength(1);
	});

	test('puts nothing into a filter that could end it', async () => {
		const { seen, at } = await serving(() => [204]);
		const query = { filter: 'userName eq "{user}"' };
		const connection = at({ name: 'Acme', revokeAll: { ...END_ALL, path: '/sessions', query } });
		const identity = 'x" or id pr or "x@example.com';
		expect(await revoke(connection, identity)).toMatchObject({ cause: 'invalid_input' });
		expect(seen.requests).toEqual([]);
		expect((await revoke(connection, JANE)).outcome).toBe('revoked');
		expect(new URL(seen.requests[0]?.url ?? '', 'http://x').searchParams.get('filter')).toBe(
			`userName eq "${JANE}"`,
		);
	});

	test('may look up by a filter, whoever it finds', async () => {
		const { seen, at } = await serving(() => [200, { users: [jane] }]);
		const query = { filter: "userName eq '{user}'" };
		const provider = { ...WHOLE, lookup: { ...LOOKUP, query } };
		expect((await revoke(at(provider), "o'brien' or id pr or 'x")).outcome).toBe('user_not_found');
		expect(seen.requests).toHaveLength(1);
	});

	describe('by the token of each session', () => {
		const TOKEN = 'opens-the-session-of-jane';
		const BY_TOKEN = {
			...COMPOSED,
			listSessions: { ...LIST, token: '/token' },
			revokeSession: {
				method: 'POST',
				path: '/end',
				body: { session: '{sessionToken}' },
				success: [204],
			},
		};
		const world = () =>
			acme(
				[
					{ id: 'a', token: TOKEN },
					{ id: 'b', token: `${TOKEN}-too` },
				],
				(method) => (method === 'POST' ? [204] : undefined),
			);

		test('sends the token, and shows it nowhere', async () => {
			const { seen, at } = await world();
			const lines: unknown[] = [];
			const connection = at(BY_TOKEN);
			const one = await endSession(connection, 'b', JANE);
			expect(one).toMatchObject({ outcome: 'revoked', changed: true, ended: ['session'] });
			expect(JSON.parse(seen.bodies.at(-1) ?? '')).toEqual({ session: `${TOKEN}-too` });
			const listed = await list(connection, JANE);
			expect(listed.sessions?.map(({ raw }) => raw)).toEqual([
				{ id: 'a', token: '[redacted]' },
				{ id: 'b', token: '[redacted]' },
			]);
			const all = await revoke(connection, JANE, { verify: false });
			expect(all).toMatchObject({ outcome: 'revoked', sessions: { found: 2, revoked: 2 } });
			expect(JSON.stringify([one, listed, all, lines])).not.toContain(TOKEN);
		});

		test('finds no other session', async () => {
			const { seen, at } = await world();
			expect((await endSession(at(BY_TOKEN), 'c', JANE)).outcome).toBe('nothing_to_revoke');
			expect(sent(seen).some((one) => one.startsWith('POST'))).toBe(false);
		});
	});

	test('a list shows no member that is named like a secret', async () => {
		const { at } = await acme([{ id: 'a', token: 'opens-everything' }]);
		expect((await list(at(WHOLE), JANE)).sessions).toMatchObject([
			{ id: 'a', raw: { id: 'a', token: '[redacted]' } },
		]);
	});
});

describe('the test of the credential', () => {
	const credential = new CustomSessionsApi();
	const authenticate = credential.authenticate as unknown as (
		data: object,
		request: object,
	) => Promise<object>;
	const asked = async (provider: unknown) =>
		await authenticate(fields(provider), {
			...credential.test?.request,
			// As n8n evaluates the expression.
			baseURL: 'https://acme.example.com/api',
		});

	test('looks a user up who does not exist', async () => {
		expect(await asked({ ...WHOLE, lookup: { ...LOOKUP, notFound: [404] } })).toMatchObject({
			method: 'GET',
			url: 'https://acme.example.com/api/users?name=nobody%40session-revocation.invalid',
			headers: { Authorization: 'Bearer token-of-the-tests' },
			disableFollowRedirect: true,
			ignoreHttpStatusErrors: { ignore: true, except: expect.not.arrayContaining([404]) },
		});
	});

	test('sends the body of a look-up by POST', async () => {
		const { query: _, ...bare } = LOOKUP;
		const body = { name: '{user}' };
		expect(await asked({ ...WHOLE, lookup: { ...bare, method: 'POST', body } })).toMatchObject({
			method: 'POST',
			body: { name: 'nobody@session-revocation.invalid' },
		});
	});

	test('says that it cannot be made without a look-up', async () => {
		const { lookup: _, ...blind } = WHOLE;
		await expect(asked(blind)).rejects.toThrow('has no lookup');
	});
});
