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

const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
const tokenOf = (sub_id: unknown, event: object = {}) => ({
	jti: 'j1',
	iat: 1768469732,
	sub_id,
	events: { [SESSION_REVOKED]: event },
});

test('the subject of the token', () => {
	expect(find(fixture('caep-session-revoked'))).toEqual([
		{
			user: 'jane@example.com',
			identities: [
				{
					value: 'jane@example.com',
					kind: 'email',
					role: 'subject',
					path: 'sub_id.email',
					confidence: 'high',
				},
			],
			notes: [],
			alert: {
				id: '24c63fb56e5a2d77a6b512616ca9fa24',
				source: 'caep',
				title: 'INC-42 account takeover',
				severity: null,
				detectedAt: '2026-01-15T09:35:31.000Z',
				url: null,
			},
		},
	]);
});

test("Okta's older shape: the subject in the event, and milliseconds", () => {
	const [found] = identified(fixture('caep-okta'));
	expect(found).toMatchObject({
		user: '00u1qw6mqitPHM8AJ0g7',
		identities: [{ kind: 'oktaId', confidence: 'high' }],
		alert: { detectedAt: '2026-01-15T09:35:31.643Z', title: 'Policy Violation: C076E822' },
	});
	const subject = ['events', SESSION_REVOKED, 'subject'];
	const user = at(fixture('caep-okta'), ...subject, 'user');
	expect(users(fixture('caep-okta', [subject, user]))).toEqual(['00u1qw6mqitPHM8AJ0g7']);
});

test('what the JWT node puts out', () => {
	expect(users({ payload: fixture('caep-session-revoked') })).toEqual(['jane@example.com']);
});

test.each([
	[{ format: 'email', email: 'jane@example.com' }, ['email jane@example.com']],
	[{ subject_type: 'email', email: 'jane@example.com' }, ['email jane@example.com']],
	[{ subject_type: 'iss-sub', iss: 'https://a.okta.com', sub: '00u1' }, ['oktaId 00u1']],
	[
		{ format: 'iss_sub', iss: 'https://idp.example', sub: 'jane@example.com' },
		['email jane@example.com'],
	],
	[{ format: 'account', uri: 'acct:jane@example.com' }, ['upn jane@example.com']],
	[
		{ format: 'complex', user: { format: 'email', email: 'jane@example.com' } },
		['email jane@example.com'],
	],
	[
		{
			format: 'aliases',
			identifiers: [
				{ format: 'email', email: 'jane@example.com' },
				{ format: 'iss_sub', iss: 'https://a.okta.com/', sub: '00u1' },
				{ format: 'aliases', identifiers: [{ format: 'email', email: 'joe@example.com' }] },
			],
		},
		['email jane@example.com', 'oktaId 00u1'],
	],
])('the subject %j is %j', (subject, expected) => {
	expect(identified(tokenOf(subject)).map(named)).toEqual([expected]);
});

test.each([
	[{ format: 'iss_sub', iss: 'https://idp.example', sub: '00u1' }, ['login 00u1']],
	[{ format: 'iss_sub', iss: 'https://a.okta.com.evil.example', sub: '00u1' }, ['login 00u1']],
	[{ format: 'iss_sub', iss: 'http://a.okta.com', sub: '00u1' }, ['login 00u1']],
	[{ format: 'opaque', id: 'x1' }, ['login x1']],
	[{ format: 'phone_number', phone_number: '+12065550100' }, []],
	[{ format: 'complex', session: { format: 'opaque', id: 's1' } }, []],
	[{ format: 'nothing we know', email: 'jane@example.com' }, []],
	['jane@example.com', []],
	[undefined, []],
])('the subject %j identifies nobody; candidates %j', (subject, expected) => {
	expect(users(tokenOf(subject))).toEqual([]);
	expect(candidates(tokenOf(subject))).toEqual(expected);
});

test('the subject of the token wins over one in the event', () => {
	const event = { subject: { format: 'email', email: 'joe@example.com' } };
	const token = tokenOf({ format: 'email', email: 'jane@example.com' }, event);
	expect(users(token)).toEqual(['jane@example.com']);
});

test('a subject that is narrowed to some sessions says so', () => {
	const user = { format: 'email', email: 'jane@example.com' };
	const session = { format: 'opaque', id: 's1' };
	const [found] = identified(tokenOf({ format: 'complex', user, session }));
	expect(found?.notes).toEqual([expect.stringContaining('a part of the sessions')]);
});

test('another event does not ask to end sessions', () => {
	const { events, ...token } = fixture('caep-session-revoked');
	const other = 'https://schemas.openid.net/secevent/caep/event-type/credential-change';
	const alert = { ...token, events: { [other]: at(events, SESSION_REVOKED) } };
	expect(users(alert)).toEqual([]);
	expect(notIdentified(alert)[0]?.reason).toMatch(/not session-revoked/);
	expect(candidates(alert)).toEqual(['email jane@example.com']);
});

test('a call of Universal Logout', () => {
	expect(users({ sub_id: { format: 'email', email: 'jane@example.com' } })).toEqual([
		'jane@example.com',
	]);
});

test('a token that nobody has verified is not read', () => {
	const token = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{}').toString('base64url')}.c2ln`;
	expect(notIdentified(token)[0]?.reason).toMatch(/signed token: verify it first/);
});
