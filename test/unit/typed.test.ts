/** Tokens, secrets and ids as users paste them. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readWord } from '../../nodes/core/connector';

const pasted = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('Bearer abc'));
const scheme = fc.constantFrom(undefined, 'Bearer' as const, 'SSWS' as const);

test('whatever is typed: what is read can stand in a header as it is, and nothing is made up', () => {
	fc.assert(
		fc.property(pasted, scheme, (typed, word) => {
			const read = readWord(typed, 'token', word);
			if ('problem' in read) return;
			expect(read.word).toMatch(/^[\x21-\x7e]+$/);
			expect(typed).toContain(read.word);
		}),
	);
});

test.each([
	[' abc\n', undefined, { word: 'abc' }],
	['Bearer abc', 'Bearer', { word: 'abc' }],
	['bearer\tabc', 'Bearer', { word: 'abc' }],
	['SSWS abc', 'SSWS', { word: 'abc' }],
	['Bearerabc', 'Bearer', { word: 'Bearerabc' }],
	['Bearer abc', undefined, { problem: 'contains characters that no token has' }],
	['Bearer ', 'Bearer', { word: 'Bearer' }],
	['  ', 'Bearer', { problem: 'is empty' }],
	['abc\r\nx: y', undefined, { problem: 'contains characters that no token has' }],
	['“abc”', undefined, { problem: 'contains characters that no token has' }],
] as const)('%j with %s is read as %j', (typed, word, read) => {
	expect(readWord(typed, 'token', word)).toEqual(read);
});
