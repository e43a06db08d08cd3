/** The parts of Slack's answers that the connector reads. Nothing else is relied on. */
import { z } from 'zod';

const text = z.string().nullish();

export const accepted = z.object({ ok: z.literal(true) });

/** What `resetBulk` means for one of its users; made by the connector. */
export const queued = accepted.extend({ queued: z.literal(true) });

/**
 * Every failed call; `needed` comes with `missing_scope`.
 *
 * @see https://docs.slack.dev/apis/web-api/#responses
 */
export const slackError = z.object({
	ok: z.literal(false),
	error: z.string().regex(/^\w{1,64}$/),
	needed: z.unknown(),
});

/**
 * `bot_id` is there for bot tokens only, `enterprise_id` in Enterprise organizations only.
 *
 * @see https://docs.slack.dev/reference/methods/auth.test
 */
export const tokenOwner = accepted.extend({
	user_id: z.string().min(1),
	enterprise_id: text,
	bot_id: text,
});

/**
 * The address needs `users:read.email`; deactivated accounts are told with fewer members.
 *
 * @see https://docs.slack.dev/reference/objects/user-object
 */
export const slackUser = accepted.extend({
	user: z.object({
		id: z.string().min(1),
		team_id: text,
		real_name: text,
		deleted: z.boolean().nullish(),
		is_bot: z.boolean().nullish(),
		is_primary_owner: z.boolean().nullish(),
		profile: z.object({ email: text, real_name: text, display_name: text }),
		enterprise_user: z
			.object({
				enterprise_id: text,
				teams: z.array(z.string()).nullish(),
				is_primary_owner: z.boolean().nullish(),
			})
			.nullish(),
	}),
});

export type SlackUser = z.infer<typeof slackUser>['user'];

const device = z.object({ device_hardware: text, os: text, os_version: text, ip: text });

/**
 * `created` is the session as it began, `recent` as it is now if that is different. There are no
 * times in it.
 *
 * @see https://docs.slack.dev/reference/methods/admin.users.session.list
 */
const session = z
	.object({ session_id: z.number(), created: device.nullish(), recent: device.nullish() })
	.passthrough();

export type SlackSession = z.infer<typeof session>;

export const sessionPage = accepted.extend({
	active_sessions: z.array(session),
	response_metadata: z.object({ next_cursor: text }).nullish(),
});
