import { expect, test } from '@jest/globals';
import { candidates, find, fixture, identified, named, users } from '../../support/alerts';

test('a SID and a name of an identity detection are candidates only', () => {
	expect(users(fixture('crowdstrike-fusion'))).toEqual([]);
	expect(candidates(fixture('crowdstrike-fusion'))).toEqual([
		'sid S-1-5-21-1004336348-1177238915-682003330-1111',
		'login jane',
	]);
});

test('an address that the workflow adds identifies', () => {
	const alert = { ...fixture('crowdstrike-fusion'), user_email: 'jane@example.com' };
	expect(users(alert)).toEqual(['jane@example.com']);
});

test('the event stream knows the UPN', () => {
	const [jane, ...others] = identified(fixture('crowdstrike-stream'));
	expect(others).toEqual([]);
	expect(jane && named(jane)).toEqual([
		'upn jane@example.com',
		'sid S-1-5-21-1004336348-1177238915-682003330-1111',
		'samAccount CORP.EXAMPLE.COM\\jane',
	]);
	expect(jane?.alert).toMatchObject({
		source: 'crowdstrike',
		severity: 'High',
		detectedAt: '2026-01-15T09:35:31.000Z',
	});
	expect(JSON.stringify(find(fixture('crowdstrike-stream')))).not.toMatch(/analyst/);
});

test('the user of an endpoint is a local name', () => {
	const alert = {
		metadata: { eventType: 'EppDetectionSummaryEvent', eventCreationTime: 1768469731000 },
		event: { UserName: 'jane', Name: 'Malware' },
	};
	expect(users(alert)).toEqual([]);
	expect(candidates(alert)).toEqual(['login jane']);
});

test.each([
	"${data['Trigger.Category.Investigatable.Product.IDP.SourceAccountName']}",
	'{{user}}',
	'$USER',
])('the variable %s was not filled in, and is nobody', (user) => {
	expect(find({ source: 'crowdstrike', alert_id: 'a', user })).toEqual([
		expect.objectContaining({ user: null, candidates: [] }),
	]);
});
