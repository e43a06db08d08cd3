import { expect, test } from '@jest/globals';
import {
	candidates,
	find,
	fixture,
	identified,
	named,
	notIdentified,
	users,
} from '../../support/alerts';

const withResult = (result: object) => ({ ...fixture('splunk-webhook'), result });

test('the user of the first row', () => {
	const [jane, ...others] = find(fixture('splunk-webhook'));
	expect(others).toEqual([]);
	expect(jane).toEqual({
		user: 'jane@example.com',
		identities: [
			{
				value: 'jane@example.com',
				kind: 'email',
				role: 'subject',
				path: 'result.user',
				confidence: 'medium',
			},
		],
		notes: [],
		alert: {
			id: 'scheduler__admin__search__RMD5a7c_at_1768469731_178',
			source: 'splunk',
			title: 'Impossible travel',
			severity: 'high',
			detectedAt: '2026-01-15T09:35:31.250Z',
			url: 'https://splunk.example.com:8000/app/search/@go?sid=scheduler__admin__search__RMD5a7c_at_1768469731_178',
		},
	});
});

test('never the owner of the search or of the finding', () => {
	const alert = { ...withResult({ owner: 'owner@example.com' }), owner: 'owner@example.com' };
	expect(find(alert)).toEqual([expect.objectContaining({ user: null, candidates: [] })]);
});

test('several values in a field are several users', () => {
	expect(users(withResult({ user: ['jane@example.com', 'joe@example.com'] }))).toEqual([
		'jane@example.com',
		'joe@example.com',
	]);
	expect(users(withResult({ user: ['jane@example.com'] }))).toEqual(['jane@example.com']);
	expect(find(withResult({ user: [] }))).toHaveLength(1);
});

test('entries of two lists are never put together', () => {
	const alert = withResult({
		user: ['jane', 'joe'],
		user_email: ['joe@example.com', 'jane@example.com'],
	});
	expect(identified(alert).map(named)).toEqual([
		['email joe@example.com'],
		['email jane@example.com'],
	]);
	expect(candidates(alert)).toEqual(['login jane', 'login joe']);
});

test('a name and an address of one row are one user', () => {
	const [jane] = identified(withResult({ user: 'CORP\\jane', user_email: 'jane@example.com' }));
	expect(jane && named(jane)).toEqual(['samAccount CORP\\jane', 'email jane@example.com']);
});

test('two addresses where one user was expected: nobody', () => {
	const alert = withResult({ user: 'jane@example.com', UserPrincipalName: 'joe@example.com' });
	expect(users(alert)).toEqual([]);
	expect(notIdentified(alert)[0]?.reason).toMatch(/different addresses/);
	expect(candidates(alert)).toEqual(['email jane@example.com', 'upn joe@example.com']);
});

test('the same address twice is no contradiction', () => {
	const alert = withResult({ user: 'Jane@Example.com', UserPrincipalName: 'jane@example.com' });
	expect(users(alert)).toEqual(['Jane@Example.com']);
});

test('src_user is the user when no other is named, else who acted', () => {
	expect(users(withResult({ src_user: 'joe@example.com' }))).toEqual(['joe@example.com']);
	expect(users(withResult({ user: 'jane@example.com', src_user: 'joe@example.com' }))).toEqual([
		'jane@example.com',
	]);
	// A name that identifies nobody must not make way for who acted.
	expect(users(withResult({ user: 'jane', src_user: 'joe@example.com' }))).toEqual([]);
	expect(users(withResult({ user: 'WIN-4711$', src_user: 'joe@example.com' }))).toEqual([
		'joe@example.com',
	]);
});

test.each([
	'unknown',
	'-',
	'null',
	'N/A',
	'SYSTEM',
	'NT AUTHORITY\\SYSTEM',
	'WIN-4711$',
	'CORP\\WIN-4711$',
])('%s is nobody', (user) => {
	expect(find(withResult({ user }))).toEqual([
		expect.objectContaining({ user: null, candidates: [] }),
	]);
});
