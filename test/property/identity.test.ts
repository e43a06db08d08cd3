/** Reading whom an item means, and putting it into a URL. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readEntries, matches } from '../../nodes/core/everywhere/protect';
import { hasDomain, MAX_IDENTITY_LENGTH, readIdentity, sameName } from '../../nodes/core/identity';
import { path, UnsafeSegmentError } from '../../nodes/core/transport/url';

const anyText = fc.oneof(
	fc.string({ unit: 'grapheme', maxLength: 600 }),
	fc.string({ unit: 'binary', maxLength: 60 }),
	// Code units at random: also halves of characters.
	fc
		.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
		.map((units) => String.fromCharCode(...units)),
	fc.emailAddress(),
);

describe('readIdentity', () => {
	test('what it accepts is plain text without spaces around, and means the same', () => {
		fc.assert(
			fc.property(anyText, (text) => {
				const read = readIdentity(text);
				// Blank ones have cases of their own.
				fc.pre(text.trim() !== '');
				if ('problem' in read) {
					expect(read.problem).toMatch(/^(is|contains) .*[^.]$/);
					return;
				}
				const { identity } = read;
				expect(text).toContain(identity);
				expect(identity).not.toMatch(/^[ \u00a0]|[ \u00a0]$/);
				expect(identity.length).toBeLessThanOrEqual(MAX_IDENTITY_LENGTH);
				expect(identity.isWellFormed()).toBe(true);
				for (const character of identity) {
					const code = character.codePointAt(0) ?? 0;
					expect(code < 0x20 || (code >= 0x7f && code < 0xa0)).toBe(false);
				}
				// Reading is done once: a second time changes nothing.
				expect(readIdentity(identity)).toEqual({ identity });
			}),
			{ numRuns: 1_000 },
		);
	});

	test('plain names of any length up to the limit are accepted as they are', () => {
		const plain = fc
			.string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
			.filter((text) => text.trim() === text && !/[\p{Cc}\u2028\u2029]/u.test(text))
			.filter((text) => text.length <= MAX_IDENTITY_LENGTH && text.trim() !== '');
		fc.assert(
			fc.property(plain, (text) => expect(readIdentity(text)).toEqual({ identity: text })),
			{ numRuns: 500 },
		);
	});

	test('spaces around a name are dropped', () => {
		fc.assert(
			fc.property(fc.emailAddress(), fc.nat(3), fc.nat(3), (name, before, after) => {
				const padded = ' '.repeat(before) + name + '\u00a0'.repeat(after);
				expect(readIdentity(padded)).toEqual({ identity: name });
			}),
			{ numRuns: 200 },
		);
	});

	test('anything that is not text is bad data, whatever it is', () => {
		const notText = fc.anything({ withBigInt: true, withDate: true, withMap: true });
		fc.assert(
			fc.property(
				notText.filter((value) => typeof value !== 'string'),
				(value) => expect(readIdentity(value)).toHaveProperty('problem'),
			),
			{ numRuns: 500 },
		);
	});

	test.each([
		['', 'is empty'],
		[null, 'is empty'],
		[undefined, 'is empty'],
		['   ', 'is blank'],
		['\u00a0', 'is blank'],
		['\u2003', 'is blank'],
		['\u3000 \ufeff', 'is blank'],
		[7, 'is not text but a number'],
		[true, 'is not text but a boolean'],
		[['jane@example.com'], 'is not text but a list'],
		[{ user: 'jane@example.com' }, 'is not text but an object'],
		['a\u0000b', 'contains a control character'],
		['a\nb', 'contains a control character'],
		['a\tb', 'contains a control character'],
		['a\u0085b', 'contains a control character'],
		['a\u2028b', 'contains a control character'],
		['a\ud800', 'contains half of a character'],
		['x'.repeat(513), 'is longer than 512 characters'],
	])('%j: %s', (value, problem) => {
		expect(readIdentity(value)).toEqual({ problem });
	});

	test('512 are not too long', () => {
		const identity = 'x'.repeat(512);
		expect(readIdentity(identity)).toEqual({ identity });
	});
});

describe('names', () => {
	test('are the same but for letter case, and for nothing else', () => {
		fc.assert(
			fc.property(fc.emailAddress(), fc.emailAddress(), (one, other) => {
				expect(sameName(one, one.toUpperCase())).toBe(true);
				expect(sameName(one, other)).toBe(one.toLowerCase() === other.toLowerCase());
				expect(sameName(`${one}x`, one)).toBe(false);
				expect(sameName(null, one)).toBe(false);
				expect(sameName(undefined, one)).toBe(false);
				expect(hasDomain(one)).toBe(true);
			}),
			{ numRuns: 300 },
		);
	});

	test.each([
		['jane', false],
		['@', false],
		['jane@', false],
		['@example.com', false],
		['00u1abc', false],
		['a@b', true],
		['@@@', true],
	])('whether %j has a domain: %p', (name, expected) => {
		expect(hasDomain(name)).toBe(expected);
	});
});

describe('path', () => {
	test('a value is one segment, which any parser reads as the same value', () => {
		fc.assert(
			fc.property(anyText, anyText, (one, other) => {
				const unsafe = [one, other].some(
					(text) => /^\.{0,2}$/.test(text) || /\p{Cc}/u.test(text) || !text.isWellFormed(),
				);
				if (unsafe) {
					expect(() => path`/users/${one}/sessions/${other}`).toThrow(UnsafeSegmentError);
					return;
				}
				const built = path`/users/${one}/sessions/${other}`;
				const segments = built.split('/');
				expect(segments).toHaveLength(5);
				expect([segments[0], segments[1], segments[3]]).toEqual(['', 'users', 'sessions']);
				expect(decodeURIComponent(segments[2] ?? '')).toBe(one);
				expect(decodeURIComponent(segments[4] ?? '')).toBe(other);
				expect(built).toMatch(/^[\w.~%/-]+$/);
				const url = new URL(`https://example.com${built}`);
				expect(url.pathname).toBe(built);
				expect({ host: url.host, search: url.search, hash: url.hash }).toEqual({
					host: 'example.com',
					search: '',
					hash: '',
				});
			}),
			{ numRuns: 1_000 },
		);
	});

	test('two values never make the same path', () => {
		fc.assert(
			fc.property(anyText, anyText, (one, other) => {
				fc.pre(one !== other);
				const build = (value: string): string | null => {
					try {
						return path`/users/${value}`;
					} catch {
						return null;
					}
				};
				const built = [build(one), build(other)];
				fc.pre(!built.includes(null));
				expect(built[0]).not.toBe(built[1]);
			}),
			{ numRuns: 500 },
		);
	});
});

describe('protected users', () => {
	/** Its small form depends on what follows it: there is a case of its own for that. */
	const SIGMA = /[Σσς]/;

	/** The same rule as a regular expression. */
	function byRegularExpression(pattern: string, value: string): boolean {
		const source = pattern
			.toLowerCase()
			.split('*')
			.map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
			.join('[^]*');
		return new RegExp(`^${source}$`).test(value.toLowerCase());
	}

	const few = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '*', '.', '@', '['), maxLength: 9 });
	const value = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '.', '@', '['), maxLength: 12 });

	test('match as the regular expression does', () => {
		fc.assert(
			fc.property(fc.oneof(few, anyText), fc.oneof(value, anyText), (pattern, text) => {
				fc.pre(!SIGMA.test(pattern + text));
				expect(matches(pattern, text)).toBe(byRegularExpression(pattern, text));
			}),
			{ numRuns: 3_000 },
		);
	});

	test('a value always matches itself, and itself with a part replaced by *', () => {
		fc.assert(
			fc.property(anyText, fc.nat(20), fc.nat(20), (text, from, length) => {
				fc.pre(!text.includes('*') && !SIGMA.test(text));
				expect(matches(text, text)).toBe(true);
				expect(matches(text.toUpperCase(), text.toUpperCase())).toBe(true);
				const characters = Array.from(text);
				const kept = [characters.slice(0, from), characters.slice(from + length)];
				expect(matches(kept.map((part) => part.join('')).join('*'), text)).toBe(true);
				expect(matches('*', text)).toBe(true);
				expect(matches(text, `${text}x`)).toBe(false);
				expect(matches(text, `x${text}`)).toBe(false);
			}),
			{ numRuns: 500 },
		);
	});

	test('a pattern does not take time that grows with its stars', () => {
		const began = performance.now();
		expect(matches(`${'*a'.repeat(40)}b`, 'a'.repeat(5_000))).toBe(false);
		expect(performance.now() - began).toBeLessThan(500);
	});

	test.each([
		['admin', 'administrator', false],
		['administrator', 'ADMINISTRATOR', true],
		['*admin*', 'anna.systemadmin@example.com', true],
		['system', 'anna.systemova@example.com', false],
		['*@vip.example.com', 'ceo@vip.example.com', true],
		['*@vip.example.com', 'ceo@vip.example.com.evil.example', false],
		['break-glass-*@example.com', 'break-glass-1@example.com', true],
		['a*a', 'a', false],
		['a**a', 'aa', true],
		['', '', true],
		['.*', 'x', false],
		['ΝΙΚΟΣ*', 'ΝΙΚΟΣΑ@example.com', true],
	])('%j protects %j: %p', (pattern, text, expected) => {
		expect(matches(pattern, text)).toBe(expected);
	});

	test('lines, commas and lists say the same', () => {
		const entry = fc
			.string({ unit: fc.constantFrom('a', 'b', '*', '@', '.', ' '), minLength: 1, maxLength: 8 })
			.filter((text) => text.trim() !== '');
		fc.assert(
			fc.property(
				fc.array(entry, { maxLength: 6 }),
				fc.constantFrom('\n', '\r\n', ',', ',\n', '\n\n'),
				(entries, separator) => {
					const expected = entries.map((text) => text.trim());
					expect(readEntries(entries.join(separator))).toEqual(expected);
					expect(readEntries(entries)).toEqual(expected);
				},
			),
			{ numRuns: 300 },
		);
		expect(readEntries(undefined)).toEqual([]);
		expect(readEntries(7)).toHaveProperty('problem');
		expect(readEntries(['a', 7])).toHaveProperty('problem');
	});
});
