import { expect, test } from '@jest/globals';
import { find } from '../../support/alerts';

const usersAt = (alert: unknown, path: string): readonly (string | null)[] =>
	find(alert, 'custom', path).map(({ user }) => user);

const alert = {
	who: 'jane@example.com',
	data: { users: [{ 'e-mail': 'jane@example.com' }, { 'e-mail': 'joe@example.com' }] },
	names: ['jane@example.com', 'joe@example.com', 'jane'],
	'a.b': 'joe@example.com',
};

test.each([
	['who', ['jane@example.com']],
	['$.who', ['jane@example.com']],
	['data.users[1].e-mail', ['joe@example.com']],
	["data.users[0]['e-mail']", ['jane@example.com']],
	['data["users"][*]["e-mail"]', ['jane@example.com', 'joe@example.com']],
	['names', ['jane@example.com', 'joe@example.com', null]],
	['names[*]', ['jane@example.com', 'joe@example.com', null]],
	["['a.b']", ['joe@example.com']],
	['a.b', [null]],
	['nowhere', [null]],
	['who.length', [null]],
	['constructor.name', [null]],
	['__proto__', [null]],
])('at %s: %j', (path, expected) => {
	expect(usersAt(alert, path)).toEqual(expected);
});

test('the path in the result leads to the value', () => {
	const findings = find(alert, 'custom', "data.users[*]['e-mail']");
	expect(findings.map((one) => one.identities[0]?.path)).toEqual([
		"data.users[0]['e-mail']",
		"data.users[1]['e-mail']",
	]);
	expect(findings[0]?.identities[0]).toMatchObject({ confidence: 'medium', role: 'subject' });
});

test.each(['', '   ', '$', 'a..b', 'a[', 'a[-1]', 'a b', "a['x", 'a[x]', '.a.', 'a'.repeat(513)])(
	'%j is no path, and the alert is not lost',
	(path) => {
		expect(find(alert, 'custom', path)).toEqual([
			expect.objectContaining({ user: null, reason: expect.stringContaining("'User Path'") }),
		]);
	},
);

test('a path does not make anybody of the system', () => {
	expect(usersAt({ who: 'NT AUTHORITY\\SYSTEM' }, 'who')).toEqual([null]);
});
