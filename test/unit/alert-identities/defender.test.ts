import { expect, test } from '@jest/globals';
import {
	at,
	candidates,
	find,
	fixture,
	identified,
	named,
	notIdentified,
	users,
} from '../../support/alerts';

const evidenceOf = (name: string, roles: readonly string[], type = 'userEvidence') => ({
	'@odata.type': `#microsoft.graph.security.${type}`,
	roles,
	userAccount: { accountName: name, userPrincipalName: `${name}@example.com` },
});

const alertWith = (...evidence: readonly unknown[]): unknown => ({ id: 'a', evidence });

test('the compromised user is identified, once, by the richest evidence', () => {
	const [jane, ...others] = identified(fixture('defender-alert'));
	expect(others).toEqual([]);
	expect(jane && named(jane)).toEqual([
		'entraId 11111111-1111-4111-8111-111111111111',
		'upn jane@example.com',
		'sid S-1-5-21-1004336348-1177238915-682003330-1111',
		'samAccount CORP\\jane',
	]);
	expect(jane?.identities[0]).toMatchObject({ role: 'subject', confidence: 'high' });
	expect(jane?.alert).toMatchObject({
		id: 'da637578995287051192_756343937',
		source: 'defender',
		severity: 'high',
		detectedAt: '2026-04-27T12:19:27.721Z',
		url: 'https://security.microsoft.com/alerts/da637578995287051192_756343937?tid=b3c1b5fc',
	});
});

test('whom the alert names beside the compromised one is a candidate', () => {
	expect(notIdentified(fixture('defender-alert'))).toEqual([
		expect.objectContaining({ reason: expect.stringContaining('another account compromised') }),
	]);
	expect(candidates(fixture('defender-alert'))).toContain('upn joe@example.com');
});

test('neither the analyst nor who is logged on at a device', () => {
	expect(JSON.stringify(find(fixture('defender-alert')))).not.toMatch(/analyst|visitor/);
});

test('SYSTEM ran the process, and is nobody', () => {
	const evidence = at(fixture('defender-alert'), 'evidence') as unknown[];
	expect(find(fixture('defender-alert', [['evidence'], evidence.slice(0, 2)]))).toEqual([
		expect.objectContaining({
			user: null,
			candidates: [],
			reason: expect.stringMatching(/system/),
		}),
	]);
});

test('whom a process ran under is never identified', () => {
	const alert = alertWith(evidenceOf('jane', ['compromised'], 'processEvidence'));
	expect(users(alert)).toEqual([]);
	expect(candidates(alert)).toContain('upn jane@example.com');
});

test.each([
	[[], 'medium'],
	[['unknown'], 'medium'],
	[['suspicious'], 'medium'],
	[['attacked', 'source'], 'medium'],
	[['contextual', 'compromised'], 'high'],
])('a user with the roles %j is identified with confidence %s', (roles, confidence) => {
	const [jane] = identified(alertWith(evidenceOf('jane', roles)));
	expect(jane?.identities[0]).toMatchObject({ value: 'jane@example.com', confidence });
});

test.each([[['attacker']], [['contextual']], [['created', 'added']]])(
	'a user with the roles %j is a candidate only',
	(roles) => {
		expect(users(alertWith(evidenceOf('jane', roles)))).toEqual([]);
		expect(candidates(alertWith(evidenceOf('jane', roles)))).toContain('upn jane@example.com');
	},
);

test('a mailbox has an address and a UPN, which can differ', () => {
	const mailbox = {
		'@odata.type': '#microsoft.graph.security.mailboxEvidence',
		primaryAddress: 'jane.doe@example.com',
		upn: 'jane@example.com',
	};
	const [jane] = identified(alertWith(mailbox));
	expect(jane && named(jane)).toEqual(['upn jane@example.com', 'email jane.doe@example.com']);
});

test('one address with two ids is two accounts, and neither is lost', () => {
	const one = evidenceOf('jane', []);
	const account = (azureAdUserId: string) => ({
		...one,
		userAccount: { ...one.userAccount, azureAdUserId },
	});
	const ids = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
	expect(identified(alertWith(...ids.map(account))).map((person) => named(person)[0])).toEqual(
		ids.map((id) => `entraId ${id}`),
	);
});

test('evidence of the wrong shape does not hide the others', () => {
	const alert = alertWith(null, 7, { '@odata.type': 7 }, { roles: 'x' }, evidenceOf('jane', []));
	expect(users(alert)).toEqual(['jane@example.com']);
});

test("Graph's answer with several alerts, and an incident with its alerts", () => {
	const value = [alertWith(evidenceOf('jane', [])), alertWith(evidenceOf('joe', []))];
	const people = ['jane@example.com', 'joe@example.com'];
	expect(users({ '@odata.context': 'x', value })).toEqual(people);
	expect(users({ id: '28282', assignedTo: 'analyst@example.com', alerts: value })).toEqual(people);
	expect(find({ value: [...value, { id: 'b', evidence: [] }] })).toHaveLength(3);
});
