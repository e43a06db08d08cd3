/** Descriptions and values of any kind: what is filled in is one value, and what is no data is refused. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openCredential } from '../../nodes/core/connection';
import { readIdentity } from '../../nodes/core/identity';
import { custom as connector } from '../../nodes/Custom/connector';
import { retrieve, revoke } from '../contract/runs';
import { connectCustom } from '../support/custom';
import { serve } from '../transport/support/server';

const END_ALL = { method: 'DELETE', path: '/users/{userId}/sessions', success: [204] };

const open = (provider: unknown) =>
	openCredential(connector, {
		baseUrl: 'https://acme.example.com',
		authentication: 'none',
		provider,
	});

const part = fc.constantFrom(
	...['/', '\\', '.', '..', '%', '%2f', '?', '#', '&', '=', '+', ' ', '@', '"', "'", '{user}'],
	...[
		'//evil.example.com',
		'\u202e',
		'é',
		'😀',
		'{{',
		'}}',
		'$',
		':',
		';',
		',',
		'(',
		')',
		'[',
		'jane',
	],
);
const identities = fc
	.oneof(
		fc.string({ unit: 'grapheme', maxLength: 60 }),
		fc.string({ unit: 'binary', maxLength: 60 }),
		fc.array(part, { minLength: 1, maxLength: 10 }).map((parts) => parts.join('')),
	)
	.filter((text) => 'identity' in readIdentity(text) && !text.includes('*'))
	.map((text) => {
		const read = readIdentity(text);
		return 'identity' in read ? read.identity : '';
	});

describe('a value that is filled in', () => {
	const provider = {
		name: 'Acme',
		lookup: {
			method: 'POST',
			path: '/find/{user}/user',
			query: { q: '{user}', fixed: 'yes' },
			body: { name: '{user}', list: ['{user}', 1, null, { deep: '{user}' }], fixed: 'yes' },
			success: [200],
			id: '/id',
			login: '/id',
		},
		revokeAll: END_ALL,
	};

	test('stays in its segment, its parameter and its text, and means itself', async () => {
		const seen = await serve((_, response) => {
			response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"x"}');
		});
		const baseUrl = `${seen.origin}/base`;
		const connection = connectCustom({ baseUrl, authentication: 'none', provider });
		await fc.assert(
			fc.asyncProperty(identities, async (identity) => {
				const before = seen.requests.length;
				const result = await retrieve(connection, identity);
				// What no path can carry is not sent at all.
				if (identity === '.' || identity === '..') {
					expect(result.cause).toBe('invalid_input');
					expect(seen.requests).toHaveLength(before);
					return;
				}
				expect(seen.requests).toHaveLength(before + 1);
				const { url = '', headers } = seen.requests.at(-1) ?? { headers: {} };
				expect(headers.host).toBe(`127.0.0.1:${seen.port}`);
				const { pathname, searchParams } = new URL(url, seen.origin);
				const segments = pathname.split('/');
				expect(segments).toHaveLength(5);
				expect(segments.with(3, '')).toEqual(['', 'base', 'find', '', 'user']);
				expect(decodeURIComponent(segments[3] ?? '')).toBe(identity);
				expect([...searchParams]).toEqual([
					['q', identity],
					['fixed', 'yes'],
				]);
				expect(JSON.parse(seen.bodies.at(-1) ?? '')).toEqual({
					name: identity,
					list: [identity, 1, null, { deep: identity }],
					fixed: 'yes',
				});
			}),
			{ numRuns: 300 },
		);
	});

	test('is refused within a longer text as soon as it could mean something there', async () => {
		const seen = await serve((_, response) => {
			response.writeHead(204).end();
		});
		const within = {
			name: 'Acme',
			revokeAll: {
				method: 'POST',
				path: "/Users('{user}')",
				query: { filter: 'name eq "{user}"' },
				body: { query: 'end "{user}"' },
				success: [204],
			},
		};
		const connection = connectCustom({
			baseUrl: seen.origin,
			authentication: 'none',
			provider: within,
		});
		await fc.assert(
			fc.asyncProperty(identities, async (identity) => {
				const before = seen.requests.length;
				const { outcome } = await revoke(connection, identity);
				if (seen.requests.length === before) {
					expect(outcome).toBe('failed');
					return;
				}
				expect(identity).not.toMatch(/["'\\(){}[\]<>=&,;%/?#\s]/u);
				const { url = '' } = seen.requests.at(-1) ?? {};
				const { pathname, searchParams } = new URL(url, seen.origin);
				expect(decodeURIComponent(pathname)).toBe(`/Users('${identity}')`);
				expect(searchParams.get('filter')).toBe(`name eq "${identity}"`);
			}),
			{ numRuns: 300 },
		);
		expect(seen.requests.length).toBeGreaterThan(0);
	});
});

describe('a description', () => {
	const sound = { name: 'Acme', revokeAll: { ...END_ALL, method: 'POST', body: {} as unknown } };
	const withBody = (body: unknown) => ({ ...sound, revokeAll: { ...sound.revokeAll, body } });
	const innocent = fc.jsonValue({ maxDepth: 4 }).filter((value) => {
		const text = JSON.stringify(value);
		return !/\{\{|\$\{|\{\w+\}|__proto__|constructor|prototype/.test(text);
	});
	/** A value with something put into it at any depth. */
	const holding = (bad: fc.Arbitrary<unknown>) =>
		fc
			.tuple(
				bad,
				fc.array(fc.oneof(fc.constant('[]'), fc.stringMatching(/^[a-z]{1,5}$/)), { maxLength: 6 }),
			)
			.map(([value, way]) =>
				way.reduce<unknown>((inner, name) => (name === '[]' ? [inner] : { [name]: inner }), value),
			);

	test('takes any data for a body', () => {
		fc.assert(
			fc.property(innocent, (body) => {
				expect(() => open(withBody(body))).not.toThrow();
				expect(() => open(JSON.stringify(withBody(body)))).not.toThrow();
			}),
		);
	});

	test('never takes a member that every object has a prototype by', () => {
		const name = fc.constantFrom('__proto__', 'constructor', 'prototype');
		const bad = name.map((member): unknown => JSON.parse(`{"${member}":{"polluted":true}}`));
		fc.assert(
			fc.property(holding(bad), (body) => {
				expect(() => open(withBody(body))).toThrow('which is refused');
				expect(() => open(JSON.stringify(withBody(body)))).toThrow('which is refused');
			}),
		);
		expect(Reflect.get({}, 'polluted')).toBeUndefined();
	});

	test('never takes an expression, or what is no data', () => {
		const expression = fc
			.tuple(fc.string(), fc.constantFrom('{{', '={{', '${'), fc.string())
			.map((parts) => parts.join(''));
		const noData = fc.constantFrom<unknown>(
			() => 1,
			Symbol('s'),
			undefined,
			1n,
			NaN,
			new Date(0),
			/x/,
			new Map(),
			new (class Own {})(),
		);
		fc.assert(
			fc.property(holding(fc.oneof(expression, noData)), (body) => {
				fc.pre(body !== undefined);
				expect(() => open(withBody(body))).toThrow(/holds an expression|is not data/);
			}),
		);
	});

	test('is refused in words, whatever it is', () => {
		fc.assert(
			fc.property(fc.oneof(fc.jsonValue(), fc.string(), fc.anything()), (provider) => {
				expect(() => open(provider)).toThrow(/^The field 'Provider' of the credential /);
			}),
		);
	});
});
