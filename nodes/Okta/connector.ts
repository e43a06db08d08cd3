/**
 * Okta: users by the Users API, sessions by "Clear User Sessions", read back in the System Log.
 *
 * @see https://developer.okta.com/docs/api/openapi/okta-management/guides/overview/
 */
import { z } from 'zod';
import {
	defineConnector,
	expectJson,
	hasDomain,
	type Inquiry,
	type Lookup,
	oneOrMany,
	path,
	sameName,
	type Survivor,
	type User,
	type VendorReply,
	type VendorRequest,
} from '../core/connector';
import { access, fields, type OktaCredential, schema } from './credential';
import { logEvents, oktaError, oktaUser, oktaUsers, type OktaUser } from './replies';

type OktaLookup = Lookup<{ id: string }>;

const readUsers = { idempotent: true, needs: ['okta.users.read'] } as const;

const getUser = (idOrLogin: string): VendorRequest => ({
	method: 'GET',
	path: path`/api/v1/users/${idOrLogin}`,
	bucket: 'users/{id}',
	...readUsers,
});

/** `search` also finds deactivated users, and compares without regard to letter case. */
const searchUsers = (
	property: 'profile.login' | 'profile.email',
	value: string,
): VendorRequest => ({
	method: 'GET',
	path: '/api/v1/users',
	query: { search: `${property} eq ${quoted(value)}`, limit: 200 },
	bucket: 'users',
	...readUsers,
});

/** A value within Okta's filter expressions. */
const quoted = (value: string): string => `"${value.replace(/[\\"]/g, '\\$&')}"`;

/** By id, login, or short name of a login; a login with a slash cannot be asked for this way. */
function* userByKey(key: string): Inquiry<{ reply: VendorReply; user: OktaUser | null }> {
	const reply = yield getUser(key);
	if (reply.status === 404 && errorCode(reply) === NOT_FOUND) return { reply, user: null };
	return { reply, user: expectJson(reply, oktaUser) };
}

function* usersWith(
	property: 'profile.login' | 'profile.email',
	value: string,
): Inquiry<{ reply: VendorReply; users: OktaUser[] }> {
	const reply = yield searchUsers(property, value);
	const users = expectJson(reply, oktaUsers);
	const exact = ({ profile }: OktaUser): boolean =>
		sameName(property === 'profile.login' ? profile.login : profile.email, value);
	return { reply, users: users.filter(exact) };
}

/** The path can carry everything but a slash, and the dot segments that URL parsers resolve. */
const fitsInPath = (key: string): boolean => !key.includes('/') && key !== '.' && key !== '..';

function* lookUp(
	identity: string,
	{ allowShortNames }: { allowShortNames: boolean },
): Inquiry<OktaLookup> {
	if (identity.toLowerCase() === 'me') {
		const why = "Okta reads 'me' as the user whom the credential itself acts as";
		return { found: 'refused', refusal: { cause: 'unsupported_user', why } };
	}
	let asked: VendorReply | null = null;
	if (fitsInPath(identity)) {
		const { reply, user } = yield* userByKey(identity);
		asked = reply;
		if (user && means(user, identity, allowShortNames)) return one(reply, user);
	} else {
		const { reply, users } = yield* usersWith('profile.login', identity);
		asked = reply;
		if (users.length > 0) return among(reply, users);
	}
	if (!hasDomain(identity)) return { found: 'none', reply: asked };
	const { reply, users } = yield* usersWith('profile.email', identity);
	return users.length > 0 ? among(reply, users) : { found: 'none', reply: asked };
}

/** Okta also answers with the one user whose login starts with the name that was asked for. */
function means({ id, profile }: OktaUser, identity: string, allowShortNames: boolean): boolean {
	if (id === identity || sameName(profile.login, identity)) return true;
	return allowShortNames && sameName(profile.login.split('@')[0], identity);
}

const among = (reply: VendorReply, users: readonly OktaUser[]): OktaLookup =>
	oneOrMany(reply, users, one, asUser);

const one = (reply: VendorReply, user: OktaUser): OktaLookup => ({
	found: 'one',
	reply,
	user: asUser(user),
	account: { id: user.id },
});

function asUser({ id, status, profile }: OktaUser): User {
	const names = [profile.firstName, profile.lastName].filter(Boolean).join(' ');
	return {
		id,
		login: profile.login,
		email: profile.email ?? null,
		displayName: profile.displayName ?? (names === '' ? null : names),
		status,
	};
}

const NOT_FOUND = 'E0000007';

function errorCode(reply: VendorReply): string | null {
	const parsed = oktaError.safeParse(reply.body);
	return parsed.success ? parsed.data.errorCode : null;
}

const gone = (reply: VendorReply): boolean =>
	reply.status === 404 && errorCode(reply) === NOT_FOUND;

const options = z
	.object({ oauthTokens: z.boolean().default(false), forgetDevices: z.boolean().default(false) })
	.strict();

type OktaOptions = z.infer<typeof options>;

function survives({ oauthTokens, forgetDevices }: OktaOptions): readonly Survivor[] {
	const survivors: Survivor[] = [
		{
			what: 'app sessions',
			forMs: null,
			note: 'Web and native apps that the user is signed in to keep their own sessions until they ask Okta again',
		},
	];
	survivors.push(
		oauthTokens
			? {
					what: 'access tokens that apps check without asking Okta',
					forMs: null,
					note: 'A revoked access token passes a local check until it expires',
				}
			: {
					what: 'OAuth tokens',
					forMs: null,
					note: 'Refresh and access tokens that apps hold for the user stay valid until they expire',
					option: 'oauthTokens',
				},
	);
	if (!forgetDevices) {
		survivors.push({
			what: 'remembered devices',
			forMs: null,
			note: 'Multifactor authentication is not asked for again on devices that the user chose to remember',
			option: 'forgetDevices',
		});
	}
	return survivors;
}

/** `okta.users.manage` includes reading. */
function missingScopes(granted: readonly string[]): string[] {
	return granted.includes('okta.users.manage')
		? []
		: ['okta.users.read', 'okta.users.manage'].filter((scope) => !granted.includes(scope));
}

export const okta = defineConnector<OktaCredential, { id: string }, OktaOptions>({
	key: 'okta',
	title: 'Okta',
	node: {
		className: 'OktaSessions',
		displayName: 'Okta Sessions',
		description: 'Look up users of Okta and end their sessions',
		icon: 'okta',
		alias: ['Clear User Sessions', 'Sign Out', 'Log Out', 'Incident Response', 'Identity'],
	},
	docs: 'okta',
	userPlaceholder: 'e.g. jane@example.com',
	operations: ['retrieveUser', 'revokeAllSessions', 'revokeSession', 'checkSetup'],
	options: {
		fields: [
			{
				name: 'oauthTokens',
				label: 'Revoke OAuth Tokens',
				type: 'boolean',
				default: false,
				description:
					'Whether to revoke the OpenID Connect and OAuth 2.0 refresh and access tokens of the user too',
			},
			{
				name: 'forgetDevices',
				label: 'Forget Devices',
				type: 'boolean',
				default: false,
				description:
					'Whether to clear the devices that the user chose to remember, so that multifactor authentication is asked for again',
			},
		],
		schema: options,
	},
	credential: {
		name: 'oktaSessionsApi',
		displayName: 'Okta Sessions API',
		fields,
		schema,
		test: { baseUrlField: 'domain', path: '/api/v1/users?limit=1', needs: 'okta.users.read' },
	},
	access,
	requestId: { header: 'x-okta-request-id' },
	errorCode,
	lookUp,

	*ownAccount({ credential }) {
		if (credential.authentication === 'serviceApp') return null;
		return expectJson(yield getUser('me'), oktaUser).id;
	},

	endedOutcome: 'revoked',

	/**
	 * Both parameters are always sent: Identity Engine forgets devices unless it is told not to.
	 *
	 * @see https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserSessions/#tag/UserSessions/operation/revokeUserSessions
	 */
	revocation({ id }, { options: { oauthTokens, forgetDevices } }) {
		const ends = ['sessions'];
		if (oauthTokens) ends.push('OAuth tokens');
		if (forgetDevices) ends.push('remembered devices');
		return [
			{
				request: {
					method: 'DELETE',
					path: path`/api/v1/users/${id}/sessions`,
					query: { oauthTokens, forgetDevices },
					idempotent: true,
					bucket: 'users/{id}/sessions',
					needs: ['okta.users.manage', 'okta.users.lifecycle.clearSessions'],
				},
				ends,
				judge(reply) {
					if (reply.status === 204) return { verdict: 'ended', changed: null };
					return gone(reply) ? { verdict: 'user_gone' } : undefined;
				},
			},
		];
	},

	revokeOne: {
		placeholder: 'e.g. 102fWxQ1wKgS7aUnD9fYzbQyg',
		/** @see https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Session/#tag/Session/operation/revokeSession */
		step({ value }) {
			if (value.toLowerCase() === 'me') {
				const why = "Okta reads 'me' as the session of the credential itself";
				return { cause: 'unsupported_user', why };
			}
			return {
				request: {
					method: 'DELETE',
					path: path`/api/v1/sessions/${value}`,
					idempotent: true,
					bucket: 'sessions/{id}',
					needs: ['okta.sessions.manage'],
				},
				ends: ['session'],
				judge(reply) {
					if (reply.status === 204) return { verdict: 'ended', changed: true };
					return gone(reply) ? { verdict: 'already_gone' } : undefined;
				},
			};
		},
	},

	readBack: {
		method: 'Okta System Log (user.session.clear)',
		// The log is "near real time": a few seconds decide between verified and unconfirmed.
		polls: [0, 500, 1000, 2000],
		isPossible: ({ scopes }) => scopes === null || scopes.includes('okta.logs.read'),
		*read({ id }, since) {
			const reply = yield {
				method: 'GET',
				path: '/api/v1/logs',
				query: {
					since: new Date(since).toISOString(),
					filter: `eventType eq "user.session.clear" and target.id eq ${quoted(id)}`,
					limit: 10,
				},
				idempotent: true,
				bucket: 'logs',
				needs: ['okta.logs.read'],
			};
			return { seen: expectJson(reply, logEvents).length > 0 ? 'confirmed' : 'not_yet' };
		},
	},

	survives,

	*checkSetup({ credential, scopes }) {
		const reply = yield {
			method: 'GET',
			path: '/api/v1/users',
			query: { limit: 1 },
			bucket: 'users',
			...readUsers,
		};
		expectJson(reply, oktaUsers);
		const missingPermissions = scopes === null ? [] : missingScopes(scopes);
		const role = 'okta.users.lifecycle.clearSessions';
		return {
			missingPermissions,
			unproved:
				credential.authentication === 'apiToken'
					? `Okta does not tell whether the token's administrator may clear sessions (${role})`
					: `Okta does not tell whether the app's admin role may clear sessions (${role})`,
		};
	},
});
