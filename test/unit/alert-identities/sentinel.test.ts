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

const JANE = '11111111-1111-4111-8111-111111111111';

const withAccount = (properties: object): unknown => ({
	object: { properties: { relatedEntities: [{ kind: 'Account', properties }] } },
});

test('each account of an incident is a person of its own, with what its entity says', () => {
	const [jane, guest, ...others] = identified(fixture('sentinel-incident'));
	expect(others).toEqual([]);
	expect(jane).toMatchObject({ user: 'jane@example.com', notes: [] });
	expect(jane?.alert).toEqual({
		id: expect.stringMatching(/\/Incidents\/6a4b1d1f-0001$/),
		source: 'sentinel',
		title: 'Atypical travel',
		severity: 'High',
		detectedAt: '2026-01-15T09:42:11.567Z',
		url: 'https://portal.azure.com/#asset/Incident/6a4b1d1f-0001',
	});
	const at = 'object.properties.relatedEntities[0].properties';
	expect(jane?.identities).toEqual([
		{
			value: JANE,
			kind: 'entraId',
			role: 'subject',
			path: `${at}.aadUserId`,
			confidence: 'high',
		},
		{
			value: 'jane@example.com',
			kind: 'upn',
			role: 'subject',
			path: `${at}.accountName + ${at}.upnSuffix`,
			confidence: 'high',
		},
		{
			value: 'S-1-5-21-1004336348-1177238915-682003330-512',
			kind: 'sid',
			role: 'subject',
			path: `${at}.sid`,
			confidence: 'low',
		},
		{
			value: 'CORP\\jane',
			kind: 'samAccount',
			role: 'subject',
			path: `${at}.ntDomain + ${at}.accountName`,
			confidence: 'low',
		},
	]);
	expect(guest?.notes).toEqual([expect.stringContaining('guest')]);
});

test('a guest is a UPN, never an e-mail address', () => {
	const [, guest] = identified(fixture('sentinel-incident'));
	expect(guest && named(guest)).toEqual(['upn joe_partner.example#EXT#@contoso.onmicrosoft.com']);
});

test('an account without a UPN suffix is a candidate only', () => {
	expect(notIdentified(fixture('sentinel-incident'))).toHaveLength(1);
	expect(candidates(fixture('sentinel-incident'))).toEqual(['samAccount CORP\\bob']);
});

test('hosts and addresses are no accounts, even with a name that could be one', () => {
	const relatedEntities = [
		{ kind: 'Host', properties: { accountName: 'jane', upnSuffix: 'example.com' } },
		{ kind: 'Mailbox', properties: { upn: 'jane@example.com' } },
		{ properties: { accountName: 'jane', upnSuffix: 'example.com' } },
		null,
		'jane@example.com',
	];
	const [finding, ...others] = find({ object: { properties: { relatedEntities } } });
	expect(others).toEqual([]);
	expect(finding).toMatchObject({ user: null, candidates: [] });
});

test('the owner of an incident is the analyst', () => {
	const alert = fixture('sentinel-incident', [['object', 'properties', 'relatedEntities'], []]);
	const [finding, ...others] = find(alert);
	expect(others).toEqual([]);
	expect(finding).toMatchObject({ user: null, candidates: [] });
	expect(JSON.stringify(find(fixture('sentinel-incident')))).not.toMatch(/analyst|Lyst|99999999/);
});

test('entities of an alert are JSON in a string, or a list', () => {
	const alert = fixture('sentinel-alert');
	const [asText] = identified(alert);
	expect(asText?.alert).toMatchObject({
		id: '5342baa5-531d-4496-9f5f-b3e9c4a077dd',
		title: 'Impossible travel to a privileged application',
		severity: 'High',
	});
	const [asList] = identified({
		...alert,
		Entities: JSON.parse(alert.Entities as string) as unknown,
	});
	expect(asList).toEqual(asText);
	expect(asText && named(asText)).toEqual([
		'entraId b1e7d6a4-3c25-4f18-9d8e-2a7c6f5b4e30',
		'upn jane@example.com',
	]);
});

test.each([
	['{not json', /'Entities' is not valid JSON/],
	['', /names no user/],
	['7', /names no user/],
	['"[{\\"Type\\":\\"account\\"}]"', /names no user/],
])('entities %j are parsed once and then given up', (Entities, reason) => {
	const [finding] = notIdentified({ ...fixture('sentinel-alert'), Entities });
	expect(finding?.reason).toMatch(reason);
});

test('references to other entities are no accounts', () => {
	const Entities = [
		{ $ref: '3' },
		{ $id: '3', Type: 'account', Name: 'joe', UPNSuffix: 'x.example' },
	];
	expect(users({ ...fixture('sentinel-alert'), Entities })).toEqual(['joe@x.example']);
});

test('the accounts that a Logic App got', () => {
	expect(users(fixture('sentinel-accounts'))).toEqual(['jane@example.com', 'joe@example.com']);
});

test.each([
	[{ accountName: 'jane@example.com' }, ['upn jane@example.com']],
	[{ accountName: 'jane@example.com', upnSuffix: 'example.com' }, ['upn jane@example.com']],
	[{ aadUserId: JANE }, [`entraId ${JANE}`]],
])('%j is %j', (properties, expected) => {
	expect(identified(withAccount(properties)).map(named)).toEqual([expected]);
});

test.each([
	[{ displayName: 'Jane Doe', friendlyName: 'jane' }, ['login Jane Doe']],
	[{ accountName: 'jane' }, ['login jane']],
	[{ aadUserId: '00000000-0000-0000-0000-000000000000', accountName: 'jane' }, ['login jane']],
	[{ aadUserId: 'jane', sid: 'S-1-5-21-1-2-3-1111' }, ['sid S-1-5-21-1-2-3-1111']],
	[{ accountName: 'jane', upnSuffix: 7 }, []],
	[{ accountName: 'WIN-4711$', upnSuffix: 'example.com', aadUserId: JANE }, []],
	[{ accountName: 'SYSTEM', ntDomain: 'NT AUTHORITY', aadUserId: JANE }, []],
	[{ sid: 'S-1-5-18', aadUserId: JANE }, []],
	[{ accountName: { name: 'jane' }, upnSuffix: 'example.com' }, []],
])('%j identifies nobody; candidates %j', (properties, expected) => {
	expect(users(withAccount(properties))).toEqual([]);
	expect(candidates(withAccount(properties))).toEqual(expected);
});
