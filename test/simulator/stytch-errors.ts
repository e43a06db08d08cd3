/**
 * Stytch's errors by type: status and message of each, in Stytch's envelope.
 *
 * Types are those of stytchauth/stytch-android (`StytchAPIErrorType`), statuses and messages those of
 * https://stytch.com/docs/api-reference/consumer/api/errors/overview where they could be read there,
 * and else those of stytchauth/stytch-ios (`LocalizationManager`). A message that neither tells is
 * worded here: nobody may depend on one.
 */
import type { Reply } from './simulator';

/** The two products. A project belongs to one of them for ever. */
export type StytchVertical = 'consumer' | 'b2b';

/** `test.stytch.com` or `api.stytch.com`: every id, key and secret says which one it is of. */
export type StytchEnvironment = 'test' | 'live';

const ERRORS = {
	bad_request: [400, 'The submitted request is invalid.'],
	// The next two were observed on the live API by the makers of CauldronUp/cauldron
	// (recipes/stytch/recipe.yaml): neither is a 401, unlike what one expects.
	invalid_authorization_header: [
		400,
		'The authorization header provided with the request is invalid.',
	],
	invalid_project_id_authentication: [
		400,
		'The project ID provided in the basic authentication header is invalid. Please check to make sure the format is correct and there are no trailing whitespaces. To create a new project or confirm an existing project ID please visit the Stytch dashboard here: https://stytch.com/dashboard/api-keys',
	],
	invalid_secret_authentication: [
		400,
		'The secret provided in the basic authentication header is invalid.',
	],
	unauthorized_credentials: [401, 'Unauthorized credentials.'],
	unauthorized_project_id_live: [
		401,
		'The project ID is of a live project: use https://api.stytch.com.',
	],
	unauthorized_project_id_test: [
		401,
		'The project ID is of a test project: use https://test.stytch.com.',
	],
	invalid_b2b_endpoint: [400, 'This endpoint is only enabled for B2B projects.'],
	invalid_consumer_endpoint: [400, 'This endpoint is only enabled for consumer projects.'],
	live_id_used_in_test_environment: [400, 'A live id was used in the test environment.'],
	test_id_used_in_live_environment: [400, 'A test id was used in the live environment.'],
	invalid_id: [400, 'ID format is invalid.'],
	invalid_user_id: [400, 'user_id format is invalid.'],
	invalid_organization_id: [400, 'organization_id format is invalid.'],
	invalid_session_id: [400, 'session_id format is invalid.'],
	invalid_session_token: [400, 'Session token format is invalid.'],
	invalid_member_get_fields: [400, 'Please provide exactly one of member_id or email_address.'],
	unable_to_parse_session_jwt: [400, 'The session JWT could not be parsed.'],
	no_session_arguments: [400, 'Please include a session_token or a session_jwt.'],
	too_many_session_arguments: [
		400,
		'Please include at most one of session_token, session_jwt, or intermediate_session_token in an authenticate request, not multiple.',
	],
	no_session_revoke_arguments: [400, 'Please include what to revoke.'],
	too_many_session_revoke_arguments: [400, 'Please include only one of what can be revoked.'],
	invalid_session_duration_minutes: [
		400,
		'session_duration_minutes is invalid, should be between 5 to 527040 minutes.',
	],
	user_search_invalid_cursor: [400, 'cursor is invalid.'],
	user_search_invalid_limit: [400, 'limit is invalid, should be between 1 and 1000.'],
	user_search_invalid_operator: [400, 'operator is invalid, should be AND or OR.'],
	user_search_missing_filter_name: [400, 'An operand has no filter_name.'],
	user_search_missing_filter_value: [400, 'An operand has no filter_value.'],
	user_search_filter_name_not_recognized: [400, 'filter_name is not recognized.'],
	user_search_expected_array_of_string: [400, 'filter_value should be an array of strings.'],
	user_search_expected_bool: [400, 'filter_value should be a boolean.'],
	user_search_expected_string: [400, 'filter_value should be a string.'],
	user_search_cannot_mix_internal_and_external_user_ids: [
		400,
		'user_id cannot mix Stytch ids and external ids.',
	],
	member_search_organization_ids_empty: [400, 'organization_ids should have at least one value.'],
	member_search_missing_filter_name: [400, 'An operand has no filter_name.'],
	member_search_missing_filter_value: [400, 'An operand has no filter_value.'],
	member_search_filter_name_not_recognized: [400, 'filter_name is not recognized.'],
	member_search_expected_array_of_strings: [400, 'filter_value should be an array of strings.'],
	member_search_expected_boolean: [400, 'filter_value should be a boolean.'],
	member_search_expected_string: [400, 'filter_value should be a string.'],
	member_search_cannot_mix_internal_and_external_member_ids: [
		400,
		'member_ids cannot mix Stytch ids and external ids.',
	],
	organization_search_missing_filter_name: [400, 'An operand has no filter_name.'],
	organization_search_missing_filter_value: [400, 'An operand has no filter_value.'],
	organization_search_filter_name_not_recognized: [400, 'filter_name is not recognized.'],
	organization_search_expected_array_of_strings: [
		400,
		'filter_value should be an array of strings.',
	],
	organization_search_expected_string: [400, 'filter_value should be a string.'],
	search_invalid_status_filter: [400, 'The status filter is invalid.'],
	unauthorized_action: [403, 'Unauthorized action.'],
	connected_app_not_found: [404, 'The Connected App requested could not be found.'],
	member_not_found: [404, 'Member could not be found.'],
	organization_not_found: [404, 'Organization could not be found.'],
	route_not_found: [404, 'The route provided is not supported.'],
	session_not_found: [404, 'Session could not be found.'],
	user_not_found: [404, 'User could not be found.'],
	method_not_allowed: [405, 'Method not allowed.'],
	client_closed_request: [499, 'Client closed request.'],
	too_many_requests: [429, 'Too many requests have been made.'],
	internal_server_error: [
		500,
		'Oops, something seems to have gone wrong. If this issue persists, please reach out to support.',
	],
	server_unavailable: [
		503,
		'Oops, something seems to have gone wrong. Please retry the request. If this issue persists, please reach out to support.',
	],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

/** The name of an error, as `error_type` carries it. */
export type StytchErrorType = keyof typeof ERRORS;

/** An answer instead of a result. */
export class StytchRefusal extends Error {
	constructor(readonly type: StytchErrorType) {
		super(type);
	}
}

/** The error in Stytch's envelope; `status` replaces its own. */
export function stytchError(
	type: StytchErrorType,
	requestId: string,
	vertical: StytchVertical,
	status: number = ERRORS[type][0],
): Reply {
	const pages = `https://stytch.com/docs/${vertical === 'b2b' ? 'b2b/' : ''}api/errors`;
	return {
		status,
		body: {
			status_code: status,
			request_id: requestId,
			error_type: type,
			error_message: ERRORS[type][1],
			error_url: `${pages}/${String(status)}#${type}`,
		},
	};
}

const BY_STATUS: Readonly<Record<number, StytchErrorType>> = {
	400: 'bad_request',
	401: 'unauthorized_credentials',
	403: 'unauthorized_action',
	405: 'method_not_allowed',
	429: 'too_many_requests',
	499: 'client_closed_request',
	503: 'server_unavailable',
};

/** What Stytch calls a status at a path: a 404 names what is not there. */
export function typeByStatus(status: number, path: string): StytchErrorType {
	if (status !== 404) return BY_STATUS[status] ?? 'internal_server_error';
	if (path.includes('/connected_apps/')) return 'connected_app_not_found';
	if (/^\/v1\/(b2b\/)?sessions(\/|$)/.test(path)) return 'session_not_found';
	if (path.startsWith('/v1/users/')) return 'user_not_found';
	if (/\/members?(\/|$)/.test(path)) return 'member_not_found';
	return path.startsWith('/v1/b2b/organizations/') ? 'organization_not_found' : 'route_not_found';
}
