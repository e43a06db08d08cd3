import { describe, expect, test } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { redacted, redactor } from '../../nodes/core/transport/redact';
import { TransportError } from '../../nodes/core/transport/types';

const secret = fc.string({ unit: 'grapheme', minLength: 4, maxLength: 40 }).filter(
	// A "secret" that is part of "[redacted]" itself cannot be told from it.
	(text) => text.isWellFormed() && text.trim() !== '' && !'[redacted]'.includes(text),
);
const encodings: readonly (readonly [string, (text: string) => string])[] = [
	['raw', (text) => text],
	['percent-encoded', encodeURIComponent],
	[
		'percent-encoded in lower case',
		(text) => encodeURIComponent(text).replace(/%../g, (c) => c.toLowerCase()),
	],
	['form-encoded', (text) => new URLSearchParams({ '': text }).toString().slice(1)],
	['base64', (text) => Buffer.from(text).toString('base64')],
	['base64url', (text) => Buffer.from(text).toString('base64url')],
	[
		'JSON in ASCII',
		(text) =>
			JSON.stringify(text)
				.slice(1, -1)
				.replace(/[^ -~]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')),
	],
	['JSON', (text) => JSON.stringify(text).slice(1, -1)],
];

describe('a planted secret survives', () => {
	test.each(encodings)('in no text, %s', (_, encode) => {
		fc.assert(
			fc.property(secret, fc.string(), fc.string(), (planted, before, after) => {
				const hidden = encode(planted);
				fc.pre(hidden.length >= 4);
				const clean = redactor([planted]).redact(`${before} ${hidden} ${after}`);
				fc.pre(!`${before} ${redacted} ${after}`.includes(hidden));
				expect(clean).not.toContain(hidden);
			}),
			{ numRuns: 500 },
		);
	});

	test('in no value and no key, however deep', () => {
		fc.assert(
			fc.property(secret, fc.object(), (planted, other) => {
				const tree = { a: [{ [planted]: planted, b: { c: `x${planted}y` } }], other };
				const clean = redactor([planted]).redact(tree);
				fc.pre(!JSON.stringify(other).includes(planted));
				const values = (node: unknown): string[] =>
					typeof node === 'object' && node !== null
						? Object.entries(node).flatMap(([key, value]) => [key, ...values(value)])
						: [String(node)];
				for (const text of values(clean.a)) expect(text).not.toContain(planted);
			}),
		);
	});

	test('not inside the base64 of a longer text', () => {
		fc.assert(
			fc.property(fc.string({ maxLength: 12 }), fc.base64String({ minLength: 16 }), (id, key) => {
				const header = Buffer.from(`${id}:${key}`).toString('base64');
				const clean = redactor([key]).redact(`value=${header};`);
				const whole = /value=(.*);/.exec(clean)?.[1] ?? '';
				const left = Buffer.from(whole.replace(redacted, ''), 'base64').toString('latin1');
				expect(left).not.toContain(key.slice(3, -3));
				expect(clean).toContain(redacted);
			}),
		);
	});
});

describe('what looks like a credential is redacted though nobody named it', () => {
	const { redact } = redactor([]);
	test.each([
		['Authorization: SSWS 00abcDEF-_x', 'Authorization: SSWS [redacted]'],
		['bearer abc123.def', 'bearer [redacted]'],
		['DPoP eyJhbGciOi', 'DPoP [redacted]'],
		['Basic dXNlcjpwYXNz', 'Basic [redacted]'],
		['token eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln!', 'token [redacted]!'],
		['xoxp-123-456-abc', '[redacted]'],
		['xoxe.xoxp-1-Mi0y', '[redacted]'],
		['a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b', 'a [redacted] b'],
		['-----BEGIN PRIVATE KEY----- MII cut off', '[redacted]'],
	])('%s', (text, clean) => expect(redact(text)).toBe(clean));

	test.each([
		'The Bearer token is missing',
		'Bearer realm="okta", error="invalid_token"',
		'A Basic authentication',
		'eyJust a word',
		'xoxo',
	])('but not: %s', (text) => expect(redact(text)).toBe(text));
});

describe('a private key', () => {
	const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
	const body = pem.replace(/-----[^-]+-----|\s/g, '');
	const { redact } = redactor([pem]);

	test.each([
		['with escaped line breaks', pem.replaceAll('\n', '\\n')],
		['with Windows line breaks', pem.replaceAll('\n', '\r\n')],
		['on one line', pem.replaceAll('\n', ' ')],
		['without its marks', body],
		['wrapped at 76', body.replace(/.{76}/g, '$&\n')],
		['wrapped at 40 with escaped line breaks', body.replace(/.{40}/g, '$&\\n')],
	])('is redacted %s', (_, text) => {
		const clean = redact(`key: ${text} end`);
		expect(clean).toContain(redacted);
		const runs = clean.match(/[A-Za-z0-9+/]{16,}/g) ?? [];
		expect(runs.filter((run) => body.includes(run))).toEqual([]);
	});

	test('is redacted member by member as JWK', () => {
		const jwk = privateKey.export({ format: 'jwk' });
		const clean = redactor([JSON.stringify(jwk)]).redact({ d: jwk.d, text: `${jwk.p} ${jwk.qi}` });
		expect(clean).toEqual({ d: redacted, text: `${redacted} ${redacted}` });
	});
});

describe('redact', () => {
	const { redact, add } = redactor(['s3cr3t-value', '12']);

	test('leaves numbers, booleans, null, undefined and dates alone', () => {
		const date = new Date();
		const value = { n: 12, b: true, nothing: null, missing: undefined, date, list: [1, 'x'] };
		expect(redact(value)).toEqual(value);
		expect(redact(value).date).toBe(date);
	});

	test('ignores secrets too short to be told from text', () => {
		expect(redact('12')).toBe('12');
	});

	test('does not change what it is given', () => {
		const value = Object.freeze({ list: Object.freeze(['s3cr3t-value']) });
		expect(redact(value)).toEqual({ list: [redacted] });
		expect(value.list[0]).toBe('s3cr3t-value');
	});

	test('keeps an error an error, without the secret', () => {
		const error = new TransportError('No s3cr3t-value', 'unavailable', true, 500);
		error.cause = new Error('because of s3cr3t-value');
		const clean = redact(error);
		expect(clean).toBeInstanceOf(TransportError);
		expect(clean).toMatchObject({
			message: `No ${redacted}`,
			reason: 'unavailable',
			mayHaveArrived: true,
			statusCode: 500,
			cause: { message: `because of ${redacted}` },
		});
		expect(clean.stack).not.toContain('s3cr3t-value');
		expect(clean.stack).toContain('TransportError');
	});

	test('survives cycles', () => {
		const value: Record<string, unknown> = { text: 's3cr3t-value' };
		value.self = value;
		const clean = redact(value);
		expect(clean.self).toBe(clean);
		expect(clean.text).toBe(redacted);
	});

	test('gives nothing away when it cannot finish', () => {
		let deep: unknown = 's3cr3t-value';
		for (let level = 0; level < 100_000; level++) deep = [deep];
		expect(redact(deep)).toBe(redacted);
		const trap = {
			get text() {
				throw new Error('s3cr3t-value');
			},
		};
		expect(redact(trap)).toBe(redacted);
	});

	test('redacts URLs and leaves a key named __proto__ an ordinary key', () => {
		expect(redact(new URL('https://x.example/?k=s3cr3t-value'))).toBe(
			`https://x.example/?k=${redacted}`,
		);
		const clean = redact(JSON.parse('{"__proto__":{"a":"s3cr3t-value"}}') as object);
		expect(JSON.stringify(clean)).toBe(`{"__proto__":{"a":"${redacted}"}}`);
	});

	test('redacts what is added later', () => {
		expect(redact('later-token')).toBe('later-token');
		add('later-token');
		expect(redact('a later-token b')).toBe(`a ${redacted} b`);
	});

	test('prefers the longer of two secrets', () => {
		expect(redactor(['abcd', 'abcdefgh']).redact('abcdefgh')).toBe(redacted);
	});
});
