import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { comparisons, FilterSyntaxError, matchesFilter, parseFilter, usesNot } from './filter';

const ada = {
	status: 'ACTIVE',
	logins: 3,
	mfa: true,
	lastUpdated: '2026-01-02T00:00:00.000Z',
	profile: { login: 'Ada@example.com', nickName: '', tags: ['red', 'blue'] },
	target: [{ id: 'u1' }, { id: 'a1' }],
};

const matches = (text: string, ignoreCase = true) =>
	matchesFilter(parseFilter(text), ada, { ignoreCase });

describe('SCIM filter', () => {
	test.each([
		['profile.login eq "ada@example.com"', true],
		['profile.login Eq "ADA@EXAMPLE.COM"', true],
		['Profile.login eq "ada@example.com"', false],
		['profile.login ne "bob@example.com"', true],
		['profile.login sw "ada"', true],
		['profile.login co "@example"', true],
		['profile.login ew ".com"', true],
		['profile.login pr', true],
		['profile.nickName pr', false],
		['profile.missing pr', false],
		['profile.tags eq "blue"', true],
		['target.id eq "u1" and target.id eq "a1"', true],
		['logins gt 2 and logins le 3', true],
		['logins lt 3', false],
		['mfa eq true', true],
		['mfa eq "true"', false],
		['lastUpdated gt "2026-01-01T23:59:59Z"', true],
		['lastUpdated ge "2026-01-02T00:00:00Z"', true],
		['status eq "X" or status eq "ACTIVE" and logins eq 3', true],
		['(status eq "X" or status eq "ACTIVE") and logins eq 4', false],
		['not (status eq "X")', true],
	])('%s -> %s', (text, expected) => {
		expect(matches(text)).toBe(expected);
	});

	it('compares values exactly where the vendor does', () => {
		expect(matches('profile.login eq "ada@example.com"', false)).toBe(false);
		expect(matches('profile.login eq "Ada@example.com"', false)).toBe(true);
	});

	test.each([
		'',
		'status',
		'status eq',
		'status eq ACTIVE',
		'status eqq "A"',
		'(status pr',
		'status pr )',
	])('refuses %p', (text) => {
		expect(() => parseFilter(text)).toThrow(FilterSyntaxError);
	});

	test.each(['login eq "a', 'login eq "a\\x"', 'status pr and', 'not status pr'])(
		'refuses %p',
		(text) => {
			expect(() => parseFilter(text)).toThrow(FilterSyntaxError);
		},
	);

	it('tells what an expression uses', () => {
		const parsed = parseFilter('a eq "1" and (b pr or not (c lt 2))');
		expect(comparisons(parsed).map(({ attribute }) => attribute)).toEqual(['a', 'b', 'c']);
		expect(usesNot(parsed)).toBe(true);
		expect(usesNot(parseFilter('a eq "1" and b pr'))).toBe(false);
	});

	it('finds any name that is quoted as a JSON string, and never another', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, other) => {
				const filter = parseFilter(`name eq ${JSON.stringify(name)}`);
				expect(matchesFilter(filter, { name }, { ignoreCase: false })).toBe(true);
				expect(matchesFilter(filter, { name: other }, { ignoreCase: false })).toBe(name === other);
			}),
		);
	});
});
