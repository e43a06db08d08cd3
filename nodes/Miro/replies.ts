/** The parts of Miro's answers that the connector reads. Nothing else is relied on. */
import { z } from 'zod';

/**
 * Whose a token is and what it may do. `scopes` is optional by the specification; the organization
 * is not, and yet a team outside of any organization has none to tell.
 *
 * @see https://developers.miro.com/reference/get-access-token-context
 */
export const tokenInformation = z.object({
	user: z.object({ id: z.string().min(1) }),
	organization: z.object({ id: z.string().min(1) }).nullish(),
	scopes: z.array(z.string()).nullish(),
});

export type TokenInformation = z.infer<typeof tokenInformation>;

/**
 * A member of the organization. Members have no name here.
 *
 * @see https://developers.miro.com/reference/enterprise-get-organization-member
 */
export const organizationMember = z.object({
	id: z.string().min(1),
	email: z.string().min(1),
	active: z.boolean(),
	role: z.string().nullish(),
});

export type OrganizationMember = z.infer<typeof organizationMember>;

/**
 * The answer to a question for addresses: a bare list, in which unknown addresses are missing.
 *
 * @see https://developers.miro.com/reference/enterprise-get-organization-members
 */
export const membersByEmail = z.array(organizationMember);

/** The answer of the same operation to a question for no addresses. */
export const memberPage = z.object({ data: z.array(z.object({ id: z.string() })) });

/** The specification describes a 200 without content; an empty object says the same. */
export const nothing = z.object({}).strict();

/**
 * The error object of every failed call.
 *
 * @see https://developers.miro.com/reference/errors
 */
export const miroError = z.object({
	type: z.literal('error'),
	status: z.number(),
	code: z.string().regex(/^[A-Za-z][A-Za-z0-9_.]{0,99}$/),
});
