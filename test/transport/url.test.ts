import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
	encodePairs,
	encodeStrictly,
	isLoopback,
	isSafePath,
	path,
	readBaseUrl,
	UnsafeSegmentError,
} from '../../nodes/core/transport/url';

const identifier = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });

describe('path', () => {
	test('makes every identifier exactly one segment that decodes to itself, or refuses it', () => {
		fc.assert(
			fc.property(identifier, (value) => {
				let built: string;
				try {
					built = path`/api/v1/users/${value}/sessions`;
				} catch (error) {
					expect(error).toBeInstanceOf(UnsafeSegmentError);
					return;
				}
				const url = new URL(built, 'https://vendor.example');
				expect(url.host).toBe('vendor.example');
				expect(url.search + url.hash).toBe('');
				const segments = url.pathname.split('/');
				expect(segments).toHaveLength(6);
				expect(decodeURIComponent(segments[4] ?? '')).toBe(value);
				expect(isSafePath(built)).toBe(true);
			}),
			{ numRuns: 2000 },
		);
	});

	test.each([
		['an address', 'a+b@x.org', '/u/a%2Bb%40x.org'],
		['a slash', 'a/../b', '/u/a%2F..%2Fb'],
		['an encoded dot', '%2e%2e', '/u/%252e%252e'],
		['a query', 'x?y#z', '/u/x%3Fy%23z'],
		['a backslash', '..\\x', '/u/..%5Cx'],
		['delimiters', "!'()*;", '/u/%21%27%28%29%2A%3B'],
		['three dots', '...', '/u/...'],
	])('encodes %s', (_, value, expected) => {
		expect(path`/u/${value}`).toBe(expected);
	});

	test.each([
		['nothing', ''],
		['a dot', '.'],
		['two dots', '..'],
		['a NUL', 'victim\0x'],
		['a line break', 'a\nb'],
		['a lone surrogate', '\ud800'],
	])('refuses %s', (_, value) => {
		expect(() => path`/u/${value}`).toThrow(UnsafeSegmentError);
	});

	test('refuses a value that is missing at run time', () => {
		const call = path as (strings: TemplateStringsArray, ...values: unknown[]) => string;
		expect(() => call`/users/${undefined}/sessions`).toThrow(UnsafeSegmentError);
	});
});

describe('isSafePath', () => {
	test.each([
		'/',
		'/x',
		'/x/',
		'/x%2Fy',
		'/a.b/~c',
		"/a!$&'()*+,;=:@-_",
		'/.well-known/x',
		'/a..b',
	])('lets %s through', (text) => expect(isSafePath(text)).toBe(true));
	test.each([
		'',
		'x',
		'//evil.example/x',
		'/a//b',
		'/a/../b',
		'/..',
		'/a/.',
		'/a/%2e%2E/b',
		'/a/.%2e',
		'/%2E',
		'/a?b',
		'/a#b',
		'/a\\b',
		'/a b',
		'/a\tb',
		'/a\r\nHost: evil.example',
		'/a\0',
		'/ä',
		'/%zz',
		'/%4',
		'https://evil.example/',
	])('refuses %j', (text) => expect(isSafePath(text)).toBe(false));

	test('whatever it lets through is not changed by a URL parser', () => {
		const piece = fc.constantFrom(
			'/',
			'.',
			'%2e',
			'a',
			'\\',
			'?',
			'#',
			'%',
			' ',
			'@',
			':',
			'é',
			'\n',
		);
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
				const text = '/' + pieces.join('');
				fc.pre(isSafePath(text));
				const url = new URL(text, 'https://vendor.example');
				expect(url.href).toBe(`https://vendor.example${text}`);
			}),
			{ numRuns: 3000 },
		);
	});
});

describe('encodePairs', () => {
	test('survives a round trip through a form parser', () => {
		const text = fc.string({ unit: 'grapheme', maxLength: 20 });
		fc.assert(
			fc.property(fc.dictionary(text, text, { noNullPrototype: true }), (pairs) => {
				const read = Object.fromEntries(new URLSearchParams(encodePairs(pairs)));
				expect(read).toEqual(pairs);
			}),
		);
	});
	test('never writes a plus sign or a blank', () => {
		expect(encodePairs({ 'a b': 'c+d', n: 1, t: true })).toBe('a%20b=c%2Bd&n=1&t=true');
	});
	test('leaves only unreserved characters', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), (text) => {
				expect(encodeStrictly(text)).toMatch(/^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*$/);
			}),
		);
	});
});

describe('isLoopback', () => {
	test.each(['localhost', '127.0.0.1', '127.9.9.9', '[::1]'])('%s is', (host) =>
		expect(isLoopback(host)).toBe(true),
	);
	test.each([
		'128.0.0.1',
		'localhost.evil.example',
		'0.0.0.0',
		'[::]',
		'[::ffff:7f00:1]',
		'::1',
		'',
	])('%s is not', (host) => expect(isLoopback(host)).toBe(false));
});

describe('readBaseUrl', () => {
	const read = (text: string, allowPath = false) => readBaseUrl(text, { allowPath });
	test.each([
		[' https://x.okta.com/ ', 'https://x.okta.com'],
		['https://X.okta.com:443', 'https://x.okta.com'],
		['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
		['http://127.1', 'http://127.0.0.1'],
		['http://[::1]:1', 'http://[::1]:1'],
		['HTTPS://x.org', 'https://x.org'],
	])('reads %s', (text, url) => expect(read(text)).toEqual({ url }));
	test('reads a path where one is allowed', () => {
		expect(read('https://x.org/a/b//', true)).toEqual({ url: 'https://x.org/a/b' });
	});
	test.each([
		['x.okta.com', 'must start with https://'],
		['https:/x.org', 'must start with https://'],
		['javascript:alert(1)', 'must start with https://'],
		['https://', 'is not a valid URL'],
		['http://x.org', 'must use https:// (http:// is allowed for this machine only)'],
		['ftp://x.org', 'must use https:// (http:// is allowed for this machine only)'],
		['https://u:p@x.org', 'must not contain a user name or password'],
		['https://x.org?a', 'must not contain a query or a fragment'],
		['https://x.org#a', 'must not contain a query or a fragment'],
		['https://x.org/admin', 'must not contain a path'],
		['https://x.org\\@evil.example', 'must not contain a path'],
	])('refuses %s', (text, problem) => expect(read(text)).toEqual({ problem }));
});
