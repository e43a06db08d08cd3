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

const alertOf = (data: object) => ({ id: '1', rule: { id: '1', level: 12 }, data });
const officeOf = (office365: object) => alertOf({ office365 });
const upn = (ID: string, Type: number | string = 5) => ({ ID, Type });

test('who signed in, from the index', () => {
	const [jane, ...others] = find(fixture('wazuh-office365'));
	expect(others).toEqual([]);
	expect(jane && named(jane)).toEqual(['upn jane@example.com']);
	expect(jane?.identities[0]).toMatchObject({
		path: '_source.data.office365.UserId',
		confidence: 'high',
		role: 'subject',
	});
	expect(jane?.alert).toEqual({
		id: '1706513609.3469',
		source: 'wazuh',
		title: 'Office 365: Secure Token Service (STS) logon events in Azure Active Directory.',
		severity: '3',
		detectedAt: '2024-01-29T07:33:29.195Z',
		url: null,
	});
});

test('the same from the manager, without a wrapper', () => {
	expect(users(at(fixture('wazuh-office365'), '_source'))).toEqual(['jane@example.com']);
});

test('without a user id, the actor of the type 5', () => {
	const Actor = [upn('5a4603e7-100d-4fab-83c0-8dac779b2628', 0), upn('joe@example.com')];
	expect(users(officeOf({ RecordType: '15', Actor }))).toEqual(['joe@example.com']);
	expect(users(officeOf({ UserId: 'Not Available', Actor }))).toEqual(['joe@example.com']);
});

test('when another user is the target, the user id is who acted', () => {
	const change = {
		Operation: 'Reset user password.',
		RecordType: '8',
		UserId: 'admin@example.com',
	};
	const byTarget = officeOf({ ...change, Target: [upn('x', 2), upn('jane@example.com', '5')] });
	const byObject = officeOf({ ...change, ObjectId: 'jane@example.com' });
	for (const alert of [byTarget, byObject]) {
		expect(users(alert)).toEqual(['jane@example.com']);
		expect(JSON.stringify(find(alert))).not.toMatch(/admin/);
	}
});

test.each([{ RecordType: '8' }, { RecordType: 8 }, { UserType: '2' }, { UserType: 3 }])(
	'an administrator who acts on no user is a candidate only: %j',
	(kind) => {
		const alert = officeOf({ ...kind, UserId: 'admin@example.com', ObjectId: 'Some policy' });
		expect(users(alert)).toEqual([]);
		expect(candidates(alert)).toEqual(['upn admin@example.com']);
		expect(notIdentified(alert)[0]?.reason).toMatch(/administrator/);
	},
);

test('an administrator who signs in is the user concerned', () => {
	expect(users(officeOf({ RecordType: '15', UserType: '2', UserId: 'admin@example.com' }))).toEqual(
		['admin@example.com'],
	);
});

test('Windows events name an account of a domain, never the computer that reported', () => {
	expect(users(fixture('wazuh-windows'))).toEqual([]);
	expect(candidates(fixture('wazuh-windows'))).toEqual([
		'sid S-1-5-21-1004336348-1177238915-682003330-1111',
		'samAccount CORP\\jane',
	]);
});

test('dstuser before srcuser', () => {
	const both = { dstuser: 'jane@example.com', srcuser: 'joe@example.com' };
	expect(users(alertOf(both))).toEqual(['jane@example.com']);
	expect(users(alertOf({ srcuser: 'joe@example.com' }))).toEqual(['joe@example.com']);
	expect(users(alertOf({ dstuser: 'root', srcuser: 'joe@example.com' }))).toEqual([]);
	expect(candidates(alertOf({ dstuser: 'root' }))).toEqual(['login root']);
});

test('an alert without data names nobody', () => {
	expect(identified({ id: '1', rule: { id: '1', level: 3 } })).toEqual([]);
	expect(find({ id: '1', rule: { id: '1', level: 3 } })).toHaveLength(1);
});
