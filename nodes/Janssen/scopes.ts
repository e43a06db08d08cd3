/**
 * What a token of the config API may do. The scopes of a call stand in `security` of its OpenAPI
 * document; a wider scope opens it alone.
 *
 * @see https://github.com/JanssenProject/jans/blob/main/jans-config-api/docs/jans-config-api-swagger.yaml
 * @see https://github.com/JanssenProject/jans/blob/main/jans-config-api/plugins/docs/user-mgt-plugin-swagger.yaml
 */
import type { Standpoint } from '../core/connector';
import type { JanssenCredential } from './credential';

const oauth = (scope: string): string => `https://jans.io/oauth/${scope}`;

/** Scopes that each open a call, some only together; the first way is the one with the fewest rights. */
export type Right = readonly [fewest: readonly string[], ...wider: (readonly string[])[]];

export const READ_USERS: Right = [
	[oauth('config/user.readonly')],
	[oauth('config/user.write')],
	[oauth('config/user.admin')],
	[oauth('config/read-all')],
];

export const READ_SESSIONS: Right = [
	[oauth('jans-auth-server/session.readonly')],
	[oauth('jans-auth-server/session.admin')],
	[oauth('config/read-all')],
];

export const END_SESSIONS: Right = [
	[oauth('jans-auth-server/session.delete'), 'revoke_session'],
	[oauth('jans-auth-server/session.admin')],
	[oauth('config/delete-all')],
];

/**
 * The client needs it, not the token; a token that was granted it shows that the client has it.
 *
 * @see https://docs.jans.io/stable/janssen-server/auth-server/endpoints/global-token-revocation
 */
export const REVOKE_GLOBALLY: Right = [['global_token_revocation']];

export const DEFAULT_SCOPES: readonly string[] = [READ_USERS, READ_SESSIONS, END_SESSIONS].flatMap(
	([fewest]) => fewest,
);

/**
 * What the credential lacks for a right; empty when it has it. An endpoint that names no scopes
 * granted those that were asked for. https://www.rfc-editor.org/rfc/rfc6749#section-5.1
 */
export function lackingFor(
	right: Right,
	{ scopes, credential }: Standpoint<JanssenCredential>,
): readonly string[] {
	const held = new Set(scopes ?? credential.scopes);
	const suffices = right.some((way) => way.every((scope) => held.has(scope)));
	return suffices ? [] : right[0].filter((scope) => !held.has(scope));
}

export const may = (right: Right, at: Standpoint<JanssenCredential>): boolean =>
	lackingFor(right, at).length === 0;
