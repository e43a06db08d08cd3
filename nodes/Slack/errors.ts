/**
 * Slack's logical errors: an answer 200 whose `ok` is false and whose `error` says why. Only
 * throttling has a status of its own.
 *
 * @see https://docs.slack.dev/apis/web-api/#responses
 */
import type { Explanation, VendorReply } from '../core/connector';
import { slackError } from './replies';

/** The error of an answer that Slack itself gave; undefined when it is none. */
export function errorIn(reply: VendorReply): string | undefined {
	return reply.status === 200 ? (errorCode(reply) ?? undefined) : undefined;
}

export function errorCode(reply: VendorReply): string | null {
	return slackError.safeParse(reply.body).data?.error ?? null;
}

/** Documented with status 429. */
export const isThrottled = (reply: VendorReply): boolean => errorIn(reply) === 'ratelimited';

/** "Try again" in the words of the methods' pages; a part may have been done. */
const passing: ReadonlySet<string> = new Set([
	'fatal_error',
	'internal_error',
	'request_timeout',
	'service_unavailable',
	'session_invalidation_failed',
	'user_session_reset_failed',
]);

export const isPassing = (reply: VendorReply): boolean => passing.has(errorIn(reply) ?? '');

interface Meaning extends Explanation {
	advice: string;
}

const dead: Meaning = {
	cause: 'credential_invalid',
	advice:
		"the token is wrong, expired or was withdrawn; copy the app's User OAuth Token into the credential again",
};
const notAdmin: Meaning = {
	cause: 'permission_denied',
	missingPermissions: ['Org Owner or Org Admin'],
	advice:
		'the member who authorized the app is neither Org Owner nor Org Admin; let one of them install it',
};
const forbidden: Meaning = {
	cause: 'permission_denied',
	missingPermissions: [],
	advice: "the organization's own rules forbid it to the token",
};
const notEnterprise: Meaning = {
	cause: 'configuration',
	advice:
		'it takes an Enterprise organization, and an app that is installed on all of it, not on a workspace',
};
const moving: Meaning = {
	cause: 'unavailable',
	advice: 'the workspace is being moved to an Enterprise organization; run again when that is done',
};

/**
 * What the errors mean that every method's page lists, and those of the admin methods.
 *
 * @see https://docs.slack.dev/reference/methods/admin.users.session.reset#errors
 */
const meanings: Readonly<Record<string, Meaning>> = {
	account_inactive: dead,
	invalid_auth: dead,
	not_authed: dead,
	token_expired: dead,
	token_revoked: dead,
	not_allowed_token_type: {
		cause: 'credential_invalid',
		advice:
			"the token is of the wrong type; use the app's User OAuth Token, which begins with 'xoxp-'",
	},
	missing_scope: {
		cause: 'permission_denied',
		advice: "add it to the app's User Token Scopes and install the app again",
	},
	admin_unauthorized: notAdmin,
	not_an_admin: notAdmin,
	access_denied: forbidden,
	ekm_access_denied: forbidden,
	no_permission: forbidden,
	restricted_action: forbidden,
	team_access_not_granted: forbidden,
	two_factor_setup_required: forbidden,
	enterprise_is_restricted: notEnterprise,
	feature_not_enabled: notEnterprise,
	org_login_required: moving,
	team_added_to_org: moving,
};

/** Scopes as `needed` names them: `admin.users:write`. */
const scopes = /^[a-z._]+:[a-z._]+(?:, ?[a-z._]+:[a-z._]+)*$/;

export function explain(reply: VendorReply): Explanation | undefined {
	const code = errorIn(reply);
	if (code === undefined) return undefined;
	if (isThrottled(reply)) return { cause: 'rate_limited' };
	if (isPassing(reply)) return { cause: 'unavailable' };
	if (code !== 'missing_scope') return meanings[code];
	const { needed } = slackError.parse(reply.body);
	// Without it the request says what it needs.
	const named = typeof needed === 'string' && scopes.test(needed);
	return {
		cause: 'permission_denied',
		...(named ? { missingPermissions: needed.split(/, ?/) } : {}),
	};
}

/** The same for n8n's own connection test, which reads members of an answer. */
export const refusals = Object.entries(meanings).map(([error, { advice }]) => ({
	member: 'error',
	value: error,
	message: `Slack answers ${error}: ${advice}`,
}));
