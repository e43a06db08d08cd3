/** The parts of Microsoft Graph's answers that the connector reads. Nothing else is relied on. */
import { z } from 'zod';

const text = z.string().nullish();

/**
 * A user. Members that the credential may not read are absent or null.
 *
 * @see https://learn.microsoft.com/graph/api/resources/user
 */
export const graphUser = z.object({
	id: z.string().min(1),
	userPrincipalName: z.string(),
	mail: text,
	displayName: text,
	userType: text,
	accountEnabled: z.boolean().nullish(),
	signInSessionsValidFromDateTime: text,
	proxyAddresses: z.array(z.string()).nullish(),
});

export type GraphUser = z.infer<typeof graphUser>;

/**
 * A page of a list of users.
 *
 * @see https://learn.microsoft.com/graph/paging
 */
export const graphUsers = z.object({
	value: z.array(graphUser),
	'@odata.nextLink': text,
});

export type GraphUsers = z.infer<typeof graphUsers>;

/** An answer to `$select=id`. */
export const graphIds = z.object({ value: z.array(z.object({ id: z.string() })) });

/**
 * From when on sign-ins count.
 *
 * @see https://learn.microsoft.com/graph/api/resources/user
 */
export const validFrom = z.object({ id: z.string(), signInSessionsValidFromDateTime: text });

/**
 * The answer to a batch: those to its parts, in any order.
 *
 * @see https://learn.microsoft.com/graph/json-batching#response-format
 */
export const batchReplies = z.object({
	responses: z.array(
		z.object({
			id: z.string(),
			status: z.number().int(),
			headers: z.record(z.string(), z.string()).default({}),
			body: z.unknown(),
		}),
	),
});

/** @see https://learn.microsoft.com/graph/api/user-revokesigninsessions */
export const revoked = z.object({ value: z.literal(true) });

/**
 * The error object of every failed call.
 *
 * @see https://learn.microsoft.com/graph/errors
 */
export const graphError = z.object({
	error: z.object({ code: z.string().regex(/^[A-Za-z][A-Za-z0-9_.]{0,99}$/) }),
});
