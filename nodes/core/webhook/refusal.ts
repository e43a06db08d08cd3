/** Why a request to the webhook starts nothing: a closed list, each code with its HTTP status. Documented in docs/webhook.md. */
export const REFUSALS = {
	invalid_json: 400,
	invalid_body: 400,
	user_missing: 400,
	unknown_action: 400,
	unknown_target: 400,
	missing_signature: 401,
	invalid_signature: 401,
	timestamp_out_of_range: 401,
	wrong_tenant: 403,
	address_not_allowed: 403,
	disabled: 403,
	replayed: 409,
	unsupported_media_type: 415,
	unavailable: 503,
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/**
 * A request that starts nothing. Its message reaches the caller, who may be anybody: it names
 * headers and members, never their values.
 */
export class RefusedRequest extends Error {
	override readonly name = 'RefusedRequest';

	constructor(
		readonly code: RefusalCode,
		message: string,
		/** The id of the earlier request that this one repeats. */
		readonly firstRequestId: string | null = null,
	) {
		super(message);
	}
}
