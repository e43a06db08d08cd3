/**
 * A decoded security event token: CAEP's `session-revoked`, or the body of a Universal Logout call.
 * Whether the token was signed by who it says it is must have been verified before.
 *
 * https://openid.net/specs/openid-caep-1_0.html, subjects: https://www.rfc-editor.org/rfc/rfc9493
 * Okta's older shape, with the subject in the event and milliseconds:
 * https://developer.okta.com/docs/reference/ssf-transmitter-sets/
 */
import { z } from 'zod';
import { type Account, defineSource } from '../contract';
import { accountOf, anyObject, memberOf, metaOf, type Named, under } from '../values';

const EVENT_TYPE = '/event-type/';
const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

const event = z.object({
	subject: z.unknown(),
	event_timestamp: z.unknown(),
	reason_admin: z.unknown(),
});

const token = z
	.object({
		jti: z.unknown(),
		iat: z.unknown(),
		sub_id: z.unknown(),
		events: z
			.object({})
			.passthrough()
			.refine((events) => Object.keys(events).some((type) => type.includes(EVENT_TYPE))),
	})
	.transform((body) => ({ ...body, path: '' }));

const logout = z.object({ sub_id: anyObject, events: z.undefined() });

const schema = z.union([
	token,
	z.object({ payload: token }).transform(({ payload }) => ({ ...payload, path: 'payload' })),
	logout,
]);

export const caep = defineSource<z.infer<typeof schema>>({
	key: 'caep',
	title: 'CAEP',
	schema,
	read(body, at) {
		if (!('path' in body)) {
			const accounts = accountsIn(body.sub_id, under(at, 'sub_id'));
			return [{ meta: metaOf({ ...UNTITLED, title: 'Universal Logout' }), accounts }];
		}
		const place = body.path === '' ? at : under(at, body.path);
		const events = Object.entries(body.events).filter(([type]) => type.includes(EVENT_TYPE));
		return events.map(([type, value]) => {
			const read = event.safeParse(value);
			const { subject, event_timestamp, reason_admin } = read.success ? read.data : {};
			const accounts =
				body.sub_id === undefined || body.sub_id === null
					? accountsIn(subject, under(place, `events${keyOf(type)}.subject`))
					: accountsIn(body.sub_id, under(place, 'sub_id'));
			return {
				meta: metaOf({
					id: body.jti,
					title: textIn(reason_admin) ?? type.replace(/^.*\//, ''),
					severity: null,
					detectedAt: event_timestamp ?? body.iat,
					url: null,
				}),
				accounts: accounts.map((account) =>
					type === SESSION_REVOKED ? account : { ...account, doubt: OTHER_EVENT },
				),
			};
		});
	},
});

const UNTITLED = { id: null, severity: null, detectedAt: null, url: null };
const OTHER_EVENT = 'The event is not session-revoked, so it does not ask to end sessions';
const NARROW =
	'The event is about a part of the sessions of the user: ending all of them does more than it says';

/** An event type in a path; one that is no URI could be anything. */
const keyOf = (type: string): string =>
	type.length <= 200 && /^[\w:/.-]+$/.test(type) ? `['${type}']` : '[*]';

/** A reason by languages: English, or the first. */
const textIn = (reason: unknown): unknown =>
	memberOf(reason, 'en') ??
	(typeof reason === 'object' && reason !== null ? Object.values(reason)[0] : null);

const subjectSchema = z.object({
	format: z.unknown(),
	subject_type: z.unknown(),
	user: z.unknown(),
	email: z.unknown(),
	iss: z.unknown(),
	sub: z.unknown(),
	id: z.unknown(),
	uri: z.unknown(),
	identifiers: z.array(z.unknown()).nullish(),
});

/** Members of a complex subject that narrow it to some sessions of its user. */
const NARROWING = ['session', 'device', 'application'];

function accountsIn(subject: unknown, at: string): readonly Account[] {
	const read = subjectSchema.safeParse(subject);
	if (!read.success) return [];
	const { user } = read.data;
	if (user === undefined || user === null)
		return [accountOf('subject', 'high', named(subject, at))];
	const account = accountOf('subject', 'high', named(user, under(at, 'user')));
	const isNarrow = NARROWING.some((name) => memberOf(subject, name) !== undefined);
	return [isNarrow ? { ...account, notes: [...account.notes, NARROW] } : account];
}

/** What a simple subject names; `subject_type` and hyphens are of drafts that are still in use. */
function named(subject: unknown, at: string): readonly Named[] {
	const read = subjectSchema.safeParse(subject);
	if (!read.success) return [];
	const { format, subject_type, identifiers, email, iss, sub, id, uri } = read.data;
	const place = (name: string, value: unknown, as: Named['as']): Named => ({
		value,
		path: under(at, name),
		as,
	});
	switch (String(format ?? subject_type).replaceAll('-', '_')) {
		case 'email':
			return [place('email', email, 'email')];
		case 'iss_sub':
			return [place('sub', sub, isOkta(iss) ? 'oktaId' : 'name')];
		case 'opaque':
			return [place('id', id, 'name')];
		case 'account':
			return [place('uri', String(uri).replace(/^acct:/, ''), 'upn')];
		case 'aliases':
			return (identifiers ?? []).flatMap((one, index) =>
				isAliases(one) ? [] : named(one, under(at, `identifiers[${index}]`)),
			);
		default:
			return [];
	}
}

/** Aliases do not hold aliases (RFC 9493, section 3.2.8). */
const isAliases = (one: unknown): boolean => memberOf(one, 'format') === 'aliases';

/** Okta's subjects are ids of Okta's users. Of a custom domain nobody can tell that it is Okta's. */
function isOkta(issuer: unknown): boolean {
	if (typeof issuer !== 'string' || !URL.canParse(issuer)) return false;
	const { protocol, hostname } = new URL(issuer);
	return protocol === 'https:' && /\.(?:okta|oktapreview|okta-emea)\.com$/.test(hostname);
}
