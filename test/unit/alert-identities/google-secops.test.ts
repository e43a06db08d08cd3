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

const detectionOf = (...events: readonly object[]) => ({
	id: 'de_1',
	collectionElements: [{ references: events.map((event) => ({ event })) }],
});
const userOf = (name: string) => ({
	user: { userid: name, emailAddresses: [`${name}@example.com`] },
});

test('who signed in is one person, however many events name them', () => {
	const [jane, ...others] = find(fixture('google-secops-detection'));
	expect(others).toEqual([]);
	expect(jane && named(jane)).toEqual([
		'email jane@example.com',
		'email jane.doe@example.com',
		'login jane',
		'sid S-1-5-21-1004336348-1177238915-682003330-1111',
	]);
	expect(jane?.identities[0]).toMatchObject({
		role: 'subject',
		path: 'collectionElements[0].references[0].event.target.user.emailAddresses[0]',
		confidence: 'medium',
	});
	expect(jane?.alert).toEqual({
		id: 'de_0c6b7a1e-6f0a-4f3f-9d13-1a2b3c4d5e6f',
		source: 'google_secops',
		title: 'login_from_two_countries',
		severity: 'HIGH',
		detectedAt: '2026-01-15T09:42:11.000Z',
		url: 'https://soc.backstory.chronicle.security/ruleDetections?ruleId=ru_0c6b7a1e',
	});
});

test('snake_case does as well', () => {
	const user = { email_addresses: ['jane@example.com'], windows_sid: 'S-1-5-21-1-2-3-4' };
	const [jane] = identified({
		id: 'de_1',
		detection_time: '2026-01-15T09:42:11Z',
		detection: [{ rule_name: 'r', url_back_to_product: 'https://x.example/' }],
		collection_elements: [{ references: [{ event: { principal: { user } } }] }],
	});
	expect(jane && named(jane)).toEqual(['email jane@example.com', 'sid S-1-5-21-1-2-3-4']);
	expect(jane?.alert).toMatchObject({
		title: 'r',
		detectedAt: '2026-01-15T09:42:11.000Z',
		url: 'https://x.example/',
	});
});

test('a principal without a target is whom it is about', () => {
	expect(users(detectionOf({ principal: userOf('jane') }))).toEqual(['jane@example.com']);
});

test('an administrator and whom they changed: nobody knows which is meant', () => {
	const alert = detectionOf({
		metadata: { eventType: 'USER_CHANGE_PERMISSIONS' },
		principal: userOf('admin'),
		target: userOf('jane'),
	});
	expect(users(alert)).toEqual([]);
	expect(notIdentified(alert)).toHaveLength(1);
	expect(candidates(alert)).toEqual(
		expect.arrayContaining(['email admin@example.com', 'email jane@example.com']),
	);
});

test('whoever signs in is the target, not what passed it on', () => {
	const alert = detectionOf({
		metadata: { eventType: 'USER_LOGIN' },
		principal: userOf('proxy'),
		target: userOf('jane'),
	});
	expect(users(alert)).toEqual(['jane@example.com']);
});

test('several events can name several people', () => {
	const alert = detectionOf({ principal: userOf('jane') }, { principal: userOf('joe') });
	expect(users(alert)).toEqual(['jane@example.com', 'joe@example.com']);
});

test('fields of the rule stand in where the events name nobody', () => {
	const detection = [
		{
			detectionFields: [
				{ key: 'hostname', value: 'host@example.com' },
				{ key: 'owner', value: 'owner@example.com' },
				{ key: 'user', value: 'jane@example.com' },
			],
		},
	];
	expect(users({ ...detectionOf({ principal: {} }), detection })).toEqual(['jane@example.com']);
	expect(users({ ...detectionOf({ principal: userOf('joe') }), detection })).toEqual([
		'joe@example.com',
	]);
});

test('fields of the rule that name two users name nobody', () => {
	const detectionFields = [
		{ key: 'user', value: 'admin@example.com' },
		{ key: 'target_user', value: 'jane@example.com' },
	];
	const alert = { ...detectionOf({}), detection: [{ detectionFields }] };
	expect(users(alert)).toEqual([]);
	expect(candidates(alert)).toEqual(['email admin@example.com', 'email jane@example.com']);
});

test('several detections in one answer', () => {
	const detections = [detectionOf({ principal: userOf('jane') }), detectionOf({})];
	expect(find({ detections, nextPageToken: 'x' }).map(({ user }) => user)).toEqual([
		'jane@example.com',
		null,
	]);
});

test.each([[[]], [[null, 7, { references: 7 }, { references: [null, { event: 7 }] }]]])(
	'elements %j name nobody',
	(collectionElements) => {
		expect(find({ id: 'de_1', collectionElements })).toEqual([
			expect.objectContaining({ user: null, candidates: [] }),
		]);
	},
);
