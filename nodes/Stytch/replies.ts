/**
 * The parts of Stytch's answers that the connector reads. Nothing else is relied on. Shapes as in the
 * types of Stytch's own SDK, which are generated from its description of the API:
 * https://github.com/stytchauth/stytch-node/tree/main/types/lib
 */
import { z } from 'zod';

const id = z.string().min(1);
const text = z.string().nullish();

/** What every success says; a revocation says no more. https://stytch.com/docs/api-reference/consumer/api/sessions/revoke-session */
export const done = z.object({ status_code: z.literal(200), request_id: id });

/**
 * The error object of every failed call.
 *
 * @see https://stytch.com/docs/api-reference/consumer/api/errors/error-object
 */
export const stytchError = z.object({ error_type: z.string().regex(/^[a-z][a-z0-9_]{0,99}$/) });

/** https://stytch.com/docs/api-reference/consumer/api/users/user-object */
export const user = z.object({
	user_id: id,
	external_id: text,
	emails: z.array(z.object({ email: z.string() })),
	name: z.object({ first_name: text, middle_name: text, last_name: text }).nullish(),
	status: z.string(),
	is_locked: z.boolean().nullish(),
});

export type StytchUser = z.infer<typeof user>;

/** https://stytch.com/docs/api-reference/b2b/api/members/member-object */
const member = z.object({
	member_id: id,
	organization_id: id,
	external_id: text,
	email_address: id,
	name: text,
	status: z.string(),
	is_locked: z.boolean().nullish(),
});

export type StytchMember = z.infer<typeof member>;

/** `next_cursor` is there while there are more pages. */
const metadata = z.object({ next_cursor: text });

/** https://stytch.com/docs/api-reference/consumer/api/users/search-users */
export const users = z.object({ results: z.array(user), results_metadata: metadata });

/** https://stytch.com/docs/api-reference/b2b/api/members/search-members */
export const members = z.object({ members: z.array(member), results_metadata: metadata });

/** What sessions of both products have. A member's tells neither device nor address. */
const session = z
	.object({
		started_at: text,
		last_accessed_at: text,
		expires_at: text,
		attributes: z.object({ ip_address: text, user_agent: text }).nullish(),
	})
	.passthrough();

export type StytchSession = z.infer<typeof session>;

/** https://stytch.com/docs/api-reference/consumer/api/sessions/get-sessions */
const userSession = session.extend({ session_id: id, user_id: id });

export const userSessions = z.object({ sessions: z.array(userSession) });

/** https://stytch.com/docs/api-reference/b2b/api/sessions/get-sessions */
const memberSession = session.extend({ member_session_id: id, member_id: id });

export const memberSessions = z.object({ member_sessions: z.array(memberSession) });

/** What a session that is valid says of its owner, in either product. */
export const authenticated = z.union([
	z
		.object({ user: z.object({ user_id: id }), session: userSession, session_token: id })
		.transform((valid) => ({ ...valid, userId: valid.user.user_id })),
	z
		.object({
			member: z.object({ member_id: id }),
			member_session: memberSession,
			session_token: id,
		})
		.transform(({ member_session, ...valid }) => ({
			...valid,
			session: member_session,
			userId: valid.member.member_id,
		})),
]);

export const connectedApps = z.object({
	connected_apps: z.array(z.object({ connected_app_id: id })),
});
