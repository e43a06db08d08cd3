/**
 * The parts of the answers of Google's Admin SDK that the connector reads. Nothing else is relied on.
 *
 * @see https://admin.googleapis.com/$discovery/rest?version=directory_v1
 */
import { z } from 'zod';
import type { VendorReply } from '../core/connector';

const text = z.string().nullish();
const addresses = z.array(z.string()).nullish();

/**
 * A user. Lists that are empty are left out.
 *
 * @see https://developers.google.com/workspace/admin/directory/reference/rest/v1/users#User
 */
export const googleUser = z.object({
	id: z.string().min(1),
	primaryEmail: z.string().min(1),
	name: z.object({ fullName: text }).nullish(),
	suspended: z.boolean().nullish(),
	archived: z.boolean().nullish(),
	isAdmin: z.boolean().nullish(),
	isDelegatedAdmin: z.boolean().nullish(),
	aliases: addresses,
	nonEditableAliases: addresses,
});

export type GoogleUser = z.infer<typeof googleUser>;

/** What is read of the administrator whom the credential acts as. */
export const administrator = googleUser.pick({ id: true, isAdmin: true });

/** @see https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list */
export const userList = z.object({
	kind: z.literal('admin#directory#users'),
	users: z.array(googleUser.pick({ id: true })).default([]),
});

/**
 * What a user granted to apps. Without any there are no `items`: only `kind` tells such an answer
 * from that of somebody else.
 *
 * @see https://developers.google.com/workspace/admin/directory/reference/rest/v1/tokens
 */
export const tokenList = z.object({
	kind: z.literal('admin#directory#tokenList'),
	items: z.array(z.object({ clientId: z.string().min(1) }).passthrough()).default([]),
});

/**
 * App passwords. Numbers of 64 bits are texts.
 *
 * @see https://developers.google.com/workspace/admin/directory/reference/rest/v1/asps
 */
export const aspList = z.object({
	kind: z.literal('admin#directory#aspList'),
	items: z
		.array(
			z
				.object({ codeId: z.number().int(), name: text, creationTime: text, lastTimeUsed: text })
				.passthrough(),
		)
		.default([]),
});

/**
 * Events of the audit log.
 *
 * @see https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list
 */
export const activities = z.object({
	kind: z.literal('reports#activities'),
	items: z.array(z.object({ id: z.object({ time: z.string() }) })).default([]),
});

/**
 * The answer of a method without a result. The reference says that the body is empty, and not
 * whether its status is 200 or 204; Google's newer methods send an empty object.
 *
 * @see https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/signOut
 */
export const nothing = z.object({}).strict();

/**
 * The error object of every failed call: `reason` says what a status does not.
 *
 * @see https://developers.google.com/workspace/admin/directory/v1/limits
 */
const googleError = z.object({
	error: z.object({
		errors: z.array(z.object({ reason: z.string().regex(/^[A-Za-z][A-Za-z0-9_.]{0,99}$/) })).min(1),
	}),
});

/** The reason of a failure by Google's name; null when the answer names none. */
export function reasonOf({ body }: Pick<VendorReply, 'body'>): string | null {
	const parsed = googleError.safeParse(body);
	return parsed.success ? (parsed.data.error.errors[0]?.reason ?? null) : null;
}
