/** The parts of Janssen's answers that the connector reads. Nothing else is relied on. */
import { z } from 'zod';

const text = z.string().nullish();

/**
 * A user of the user management plugin.
 *
 * @see https://github.com/JanssenProject/jans/blob/main/jans-config-api/plugins/docs/user-mgt-plugin-swagger.yaml
 */
export const janssenUser = z
	.object({
		inum: z.string().min(1),
		dn: z.string().min(1),
		/** The attribute `uid`, which people sign in with. */
		userId: text,
		mail: text,
		displayName: text,
		jansStatus: text,
	})
	.transform(({ inum, ...user }) => ({ id: inum, ...user }));

export type JanssenUser = z.infer<typeof janssenUser>;

/**
 * A session. The members that would open it are left out and must never be read: `id`, the `id` in
 * `dn`, `session_id` in the attributes, `deviceSecrets`.
 *
 * @see https://github.com/JanssenProject/jans/blob/main/jans-config-api/docs/jans-config-api-swagger.yaml
 */
const janssenSession = z.object({
	userDn: text,
	state: text,
	creationDate: text,
	authenticationTime: text,
	lastUsedAt: text,
	expirationDate: text,
	/** What names the session in paths: documented as `outsideSid`, and `sid` in the vendor's Go client. */
	outsideSid: text,
	sid: text,
	sessionAttributes: z
		.object({ sid: text, auth_user: text, client_id: text, acr: text, remote_ip: text })
		.nullish(),
});

export type JanssenSession = z.infer<typeof janssenSession>;

/** @see https://github.com/JanssenProject/jans/blob/main/jans-config-api/docs/jans-config-api-swagger.yaml (PagedResult) */
const pageOf = <T extends z.ZodTypeAny>(entry: T) =>
	z.object({ totalEntriesCount: z.number(), entries: z.array(entry) });

export const userPage = pageOf(janssenUser);
export const sessionPage = pageOf(janssenSession);

/** `GET /session` of an older version: everything there is, without pages. */
export const sessionList = z.array(janssenSession);

/**
 * The error of the config API (`ApiError`), or of the authorization server.
 *
 * @see https://github.com/JanssenProject/jans/blob/main/jans-config-api/shared/src/main/java/io/jans/configapi/core/model/ApiError.java
 * @see https://docs.jans.io/stable/janssen-server/auth-server/endpoints/global-token-revocation
 */
export const janssenError = z.union([
	z.object({ code: z.string().regex(/^(?:\d{3}|[A-Z]{1,8}\d{1,6})$/) }),
	z.object({ error: z.string().regex(/^[a-z_]{1,64}$/) }),
]);

/** @see https://docs.jans.io/stable/janssen-server/auth-server/endpoints/configuration */
export const discovery = z.object({ issuer: z.string(), global_token_revocation_endpoint: text });
