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

const signalOf = (attributes: unknown, group_by?: unknown) => ({
	source: 'datadog',
	signal: 's1',
	attributes,
	group_by,
});

test('the user of a signal', () => {
	const [jane, ...others] = find(fixture('datadog-webhook'));
	expect(others).toEqual([]);
	expect(jane && named(jane)).toEqual(['email jane@example.com', 'login jane']);
	expect(jane?.identities[0]).toMatchObject({ path: 'attributes.usr.id', confidence: 'medium' });
	expect(jane?.alert).toEqual({
		id: 'AAAAA-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
		source: 'datadog',
		title: 'Impossible travel',
		severity: 'medium',
		detectedAt: null,
		url: 'https://app.datadoghq.com/security?event=AAAAA',
	});
});

test("Datadog's variables as the names of the members", () => {
	expect(users(fixture('datadog-variables'))).toEqual(['jane@example.com']);
});

test('attributes in quotes are JSON in a text', () => {
	const alert = fixture('datadog-webhook');
	const asText = { ...alert, attributes: JSON.stringify(alert.attributes) };
	expect(find(asText)).toEqual(find(alert));
	expect(notIdentified(signalOf('{"usr":'))[0]?.reason).toMatch(/'attributes' is not valid JSON/);
});

test('paths with a sign in front, as rules write them', () => {
	expect(users(signalOf({ '@usr.email': 'jane@example.com' }))).toEqual(['jane@example.com']);
	expect(users(signalOf(null, { '@usr.name': 'jane@example.com' }))).toEqual(['jane@example.com']);
	expect(users(signalOf({}, '{"@usr.id":"jane@example.com"}'))).toEqual(['jane@example.com']);
});

test('ids of a notification on update are several users', () => {
	const alert = signalOf({ usr: { id: ['jane@example.com', 'joe@example.com', '4711'] } });
	expect(users(alert)).toEqual(['jane@example.com', 'joe@example.com']);
	expect(candidates(alert)).toEqual(['login 4711']);
});

test('two addresses where one user was expected: nobody', () => {
	const alert = signalOf({ usr: { id: 'jane@example.com', email: 'joe@example.com' } });
	expect(users(alert)).toEqual([]);
	expect(candidates(alert)).toEqual(['email joe@example.com', 'email jane@example.com']);
});

test('a name or a number alone is never enough', () => {
	expect(identified(signalOf({ usr: { id: '4711', name: 'jane' } }))).toEqual([]);
	expect(identified(signalOf({ usr: { id: 4711 } }))).toEqual([]);
});
