/** The parts of Okta's answers that the connector reads. Nothing else is relied on. */
import { z } from 'zod';

const text = z.string().nullish();

/**
 * A user of the Users API.
 *
 * @see https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/getUser
 */
export const oktaUser = z.object({
	id: z.string().min(1),
	status: z.string(),
	profile: z.object({
		login: z.string(),
		email: text,
		displayName: text,
		firstName: text,
		lastName: text,
	}),
});

export type OktaUser = z.infer<typeof oktaUser>;

export const oktaUsers = z.array(oktaUser);

/**
 * The error object of every failed call.
 *
 * @see https://developer.okta.com/docs/reference/error-codes/
 */
export const oktaError = z.object({ errorCode: z.string().regex(/^E\d{7}$/) });

/**
 * Events of the System Log.
 *
 * @see https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/#tag/SystemLog/operation/listLogEvents
 */
export const logEvents = z.array(z.object({ uuid: z.string(), eventType: z.string() }));
