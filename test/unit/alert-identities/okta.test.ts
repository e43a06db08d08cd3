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

const jane = { id: '00u1jane', type: 'User', alternateId: 'jane@example.com' };
const admin = { id: '00u9admin', type: 'User', alternateId: 'admin@example.com' };
const eventOf = (eventType: string, actor: object, ...target: readonly object[]) => ({
	uuid: eventType,
	published: '2026-01-15T09:42:11.567Z',
	eventType,
	actor,
	target,
});

test('each event of a delivery is an alert of its own', () => {
	const [own, byAdmin, ...others] = identified(fixture('okta-event-hook'));
	expect(others).toEqual([]);
	expect(own && named(own)).toEqual(['oktaId 00u1qw6mqitPHM8AJ0g7', 'email jane@example.com']);
	expect(own?.identities[0]).toMatchObject({
		role: 'subject',
		path: 'data.events[0].actor.id',
		confidence: 'high',
	});
	expect(own?.alert).toEqual({
		id: 'f790999f-fe87-467a-9880-6982a583986c',
		source: 'okta',
		title: 'User report suspicious activity',
		severity: 'WARN',
		detectedAt: '2026-01-15T09:42:11.567Z',
		url: null,
	});
	expect(byAdmin).toMatchObject({ user: 'joe@example.com', identities: [{ role: 'target' }, {}] });
});

test('never the administrator who acted', () => {
	expect(JSON.stringify(find(fixture('okta-event-hook')))).not.toMatch(/admin/i);
});

test('an event that came twice counts once', () => {
	const events = at(fixture('okta-event-hook'), 'data', 'events') as unknown[];
	const alert = fixture('okta-event-hook', [
		['data', 'events'],
		[...events, events[0]],
	]);
	expect(users(alert)).toEqual(['jane@example.com', 'joe@example.com']);
});

test.each([
	'user.session.start',
	'user.authentication.sso',
	'user.account.report_suspicious_activity_by_enduser',
	'policy.evaluate_sign_on',
])('the actor of %s is the user', (eventType) => {
	expect(users(eventOf(eventType, jane, { type: 'AppInstance', id: '0oa1' }))).toEqual([
		'jane@example.com',
	]);
});

test.each([
	'system.api_token.create',
	'policy.lifecycle.update',
	'user.session.access_admin_app',
	'user.session.impersonation.initiate',
	'security.threat.detected',
])('the actor of %s can be anybody', (eventType) => {
	const [finding, ...others] = find(eventOf(eventType, admin));
	expect(others).toEqual([]);
	expect(finding).toMatchObject({ user: null, reason: expect.stringContaining('who acted') });
	expect(candidates(eventOf(eventType, admin))).toContain('email admin@example.com');
});

test('users among the targets win over the actor, each by itself', () => {
	const joe = { id: '00u2joe', type: 'User', alternateId: 'joe@example.com' };
	expect(users(eventOf('user.session.clear', admin, jane, joe))).toEqual([
		'jane@example.com',
		'joe@example.com',
	]);
});

test('an alternate id can be unknown; the id is enough', () => {
	const [found] = identified(eventOf('user.session.start', { ...jane, alternateId: 'unknown' }));
	expect(found).toMatchObject({ user: '00u1jane', identities: [{ kind: 'oktaId' }] });
});

test.each(['SystemPrincipal', 'PublicClientApp', 'AppUser', undefined])(
	'an actor of the type %s is no user',
	(type) => {
		const actor = { id: 'okta.2b1959c8', type, alternateId: 'system@okta.com' };
		expect(find(eventOf('user.session.start', actor))).toEqual([
			expect.objectContaining({ user: null, candidates: [] }),
		]);
	},
);

test('a target of the wrong shape does not hide the others', () => {
	const alert = {
		...eventOf('user.session.clear', admin),
		target: [null, 7, { type: 'User' }, jane],
	};
	expect(users(alert)).toEqual(['jane@example.com']);
	expect(notIdentified(alert)).toEqual([]);
});
