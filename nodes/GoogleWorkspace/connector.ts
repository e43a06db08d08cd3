/**
 * Google Workspace: users, their sign-in cookies, OAuth grants and app passwords by the Directory
 * API of the Admin SDK, read back in the audit log of the Admin console by its Reports API.
 *
 * @see https://developers.google.com/workspace/admin/directory/reference/rest
 */
import { z } from 'zod';
import {
	defineConnector,
	expectJson,
	type Inquiry,
	type Listing,
	type Lookup,
	path,
	type RevokeStep,
	sameName,
	type Session,
	type Standpoint,
	type Survivor,
	type User,
	type VendorReply,
	type VendorRequest,
} from '../core/connector';
import { access, fields, type GoogleCredential, isThrottled, schema, scopes } from './credential';
import {
	activities,
	administrator,
	aspList,
	type GoogleUser,
	googleUser,
	nothing,
	reasonOf,
	tokenList,
	userList,
} from './replies';

interface Account {
	id: string;
	primaryEmail: string;
	isSuspended: boolean;
	isAdmin: boolean;
}

type Target = Pick<Account, 'id' | 'isAdmin'>;

type GoogleLookup = Lookup<Account>;

const options = z
	.object({
		revokeOAuthGrants: z.boolean().default(false),
		deleteAppPasswords: z.boolean().default(false),
	})
	.strict();

type GoogleOptions = z.infer<typeof options>;

/**
 * Scopes, and the administrator's privileges as the Admin console names them.
 *
 * @see https://support.google.com/a/answer/1219251
 */
const READ = [scopes.read, 'Users > Read'];
const REPORTS = 'Reports';
/** Only super administrators may touch other administrators. @see https://support.google.com/a/answer/2405986 */
const toRevoke = ({ isAdmin }: Target): readonly string[] => [
	scopes.revoke,
	isAdmin ? 'Super Admin' : 'User Security Management',
];

const WANTED =
	'id,primaryEmail,name/fullName,suspended,archived,isAdmin,isDelegatedAdmin,aliases,nonEditableAliases';

/** By id, primary address or alias. @see https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/get */
const getUser = (userKey: string, wanted: string): VendorRequest => ({
	method: 'GET',
	path: path`/admin/directory/v1/users/${userKey}`,
	query: { fields: wanted },
	needs: READ,
	idempotent: true,
	bucket: 'users',
});

/** The administrator as whom the credential acts. Its own bucket: nobody's look-up waits for it. */
const getAdmin = (adminEmail: string): VendorRequest => ({
	...getUser(adminEmail, 'id,isAdmin'),
	once: true,
	bucket: 'admin',
});

/** Somebody who is no administrator. @see https://developers.google.com/workspace/admin/directory/v1/guides/search-users */
const listOrdinaryUser: VendorRequest = {
	method: 'GET',
	path: '/admin/directory/v1/users',
	query: {
		customer: 'my_customer',
		query: 'isAdmin=false isDelegatedAdmin=false',
		maxResults: 1,
		fields: 'kind,users(id)',
	},
	needs: READ,
	idempotent: true,
	bucket: 'users',
};

const listGrants = (account: Target, wanted: string): VendorRequest => ({
	method: 'GET',
	path: path`/admin/directory/v1/users/${account.id}/tokens`,
	query: { fields: wanted },
	needs: toRevoke(account),
	idempotent: true,
	bucket: 'tokens',
});

const listAppPasswords = (account: Target, wanted: string): VendorRequest => ({
	method: 'GET',
	path: path`/admin/directory/v1/users/${account.id}/asps`,
	query: { fields: wanted },
	needs: toRevoke(account),
	idempotent: true,
	bucket: 'asps',
});

/**
 * The account whose address was reset is a parameter of the event; its actor is the administrator.
 *
 * @see https://developers.google.com/workspace/admin/reports/v1/appendix/activity/admin-user-settings
 */
const listResets = (primaryEmail: string, since: number): VendorRequest => ({
	method: 'GET',
	path: '/admin/reports/v1/activity/users/all/applications/admin',
	query: {
		eventName: 'RESET_SIGNIN_COOKIES',
		filters: `USER_EMAIL==${primaryEmail}`,
		startTime: new Date(since).toISOString(),
		maxResults: 1,
		fields: 'kind,items(id(time))',
	},
	idempotent: true,
	bucket: 'reports',
	needs: [scopes.audit, REPORTS],
});

const isScope = (permission: string): boolean => permission.startsWith('https://');
const isAddress = (identity: string): boolean => identity.includes('@');
const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1);

/** No address and no id has a slash; dot segments are resolved by URL parsers. @see https://support.google.com/a/answer/9193374 */
const canExist = (identity: string): boolean =>
	!identity.includes('/') && identity !== '.' && identity !== '..';

const gone = (reply: VendorReply): boolean =>
	reply.status === 404 && reasonOf(reply) === 'notFound';
const isForbidden = (reply: VendorReply): boolean =>
	reply.status === 403 && reasonOf(reply) === 'forbidden';

/** Google has no short names, so there is nothing to allow: a bare name is nobody's address. */
function* lookUp(
	identity: string,
	{ credential }: Standpoint<GoogleCredential>,
): Inquiry<GoogleLookup> {
	if (!canExist(identity)) return { found: 'none', reply: null };
	const reply = yield getUser(identity, WANTED);
	if (gone(reply)) return { found: 'none', reply };
	if (isForbidden(reply) && (yield* isElsewhere(identity, credential))) {
		return { found: 'none', reply };
	}
	const user = expectJson(reply, googleUser);
	return means(user, identity) ? one(reply, user) : { found: 'none', reply };
}

/**
 * Google refuses an address in a foreign domain as it refuses somebody without the right to look up:
 * with 403 `forbidden`. That the administrator is shown tells the one from the other.
 *
 * @see https://github.com/googleapis/google-api-nodejs-client/issues/1884
 */
function* isElsewhere(identity: string, { adminEmail }: GoogleCredential): Inquiry<boolean> {
	const isOwnDomain = sameName(domainOf(identity), domainOf(adminEmail));
	if (adminEmail === '' || !isAddress(identity) || isOwnDomain) return false;
	const reply = yield getAdmin(adminEmail);
	return reply.status === 200 && administrator.safeParse(reply.body).success;
}

const aliasesOf = ({ aliases, nonEditableAliases }: GoogleUser): string[] => [
	...(aliases ?? []),
	...(nonEditableAliases ?? []),
];

const means = (user: GoogleUser, identity: string): boolean =>
	user.id === identity ||
	[user.primaryEmail, ...aliasesOf(user)].some((address) => sameName(address, identity));

const one = (reply: VendorReply, user: GoogleUser): GoogleLookup => ({
	found: 'one',
	reply,
	user: asUser(user),
	account: {
		id: user.id,
		primaryEmail: user.primaryEmail,
		isSuspended: user.suspended === true,
		isAdmin: user.isAdmin === true || user.isDelegatedAdmin === true,
	},
});

function asUser(user: GoogleUser): User {
	const { id, primaryEmail, name, suspended, archived } = user;
	const otherNames = aliasesOf(user);
	return {
		id,
		login: primaryEmail,
		email: primaryEmail,
		displayName: name?.fullName ?? null,
		status: archived ? 'archived' : suspended ? 'suspended' : 'active',
		...(otherNames.length > 0 ? { otherNames } : {}),
	};
}

const isDone = ({ status, body, bodyKind }: VendorReply): boolean =>
	(status === 200 || status === 204) && (bodyKind === 'empty' || nothing.safeParse(body).success);

/** @see https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/signOut */
const signOut = (account: Account): RevokeStep => ({
	request: {
		method: 'POST',
		path: path`/admin/directory/v1/users/${account.id}/signOut`,
		needs: toRevoke(account),
		idempotent: true,
		bucket: 'signOut',
	},
	ends: ['sessions'],
	judge(reply) {
		if (isDone(reply)) return { verdict: 'ended', changed: null };
		if (gone(reply)) return { verdict: 'user_gone' };
		// Whether suspended users can be signed out is open in Google's documents; a 400 then says no.
		if (!account.isSuspended || reply.status !== 400 || reasonOf(reply) === null) return undefined;
		const why = `Google did not sign ${account.primaryEmail} out because the account is suspended: nobody can use it until it is restored; run again then`;
		return { verdict: 'refused', refusal: { cause: 'unsupported_user', why } };
	},
});

/** Ends one thing that was listed. */
const deletion = (
	what: string,
	at: string,
	account: Account,
	isGone: (reply: VendorReply) => boolean,
): RevokeStep => ({
	request: {
		method: 'DELETE',
		path: at,
		needs: toRevoke(account),
		idempotent: true,
		bucket: `delete ${what}`,
	},
	ends: [what],
	count: 1,
	judge(reply) {
		if (isDone(reply)) return { verdict: 'ended', changed: true };
		return isGone(reply) ? { verdict: 'already_gone' } : undefined;
	},
});

const GRANTS = 'OAuth grants';
const APP_PASSWORDS = 'app passwords';

/**
 * One request for each app ends all that the user granted to it.
 *
 * @see https://developers.google.com/workspace/admin/directory/reference/rest/v1/tokens/delete
 */
const grantsOf = (account: Account): Listing => ({
	lists: GRANTS,
	*list() {
		const { id } = account;
		const { items } = expectJson(yield listGrants(account, 'kind,items(clientId)'), tokenList);
		return [...new Set(items.map(({ clientId }) => clientId))].map((clientId) => {
			const at = path`/admin/directory/v1/users/${id}/tokens/${clientId}`;
			return deletion(GRANTS, at, account, gone);
		});
	},
});

/** @see https://developers.google.com/workspace/admin/directory/reference/rest/v1/asps/delete */
const appPasswordsOf = (account: Account): Listing => ({
	lists: APP_PASSWORDS,
	*list() {
		const { id } = account;
		const { items } = expectJson(yield listAppPasswords(account, 'kind,items(codeId)'), aspList);
		return items.map(({ codeId }) => {
			const at = path`/admin/directory/v1/users/${id}/asps/${String(codeId)}`;
			return deletion(APP_PASSWORDS, at, account, isAppPasswordGone);
		});
	},
});

/**
 * How Google says it is open in its documents; clients are prepared for 400 `invalid`.
 *
 * @see https://github.com/GAM-team/GAM (`asps().delete`)
 */
const isAppPasswordGone = (reply: VendorReply): boolean =>
	gone(reply) || (reply.status === 400 && reasonOf(reply) === 'invalid');

function* listSessions(
	account: Account,
	{ limit }: { limit: number | null },
): Inquiry<readonly Session[]> {
	const granted = expectJson(yield listGrants(account, 'kind,items'), tokenList).items.map(
		(raw): Session => ({ ...UNTOLD, id: raw.clientId, kind: 'OAuth grant', raw }),
	);
	if (limit !== null && granted.length >= limit) return granted;
	const passwords = expectJson(yield listAppPasswords(account, 'kind,items'), aspList).items.map(
		(raw): Session => ({
			...UNTOLD,
			id: String(raw.codeId),
			kind: 'app password',
			startedAt: timeOf(raw.creationTime),
			lastUsedAt: timeOf(raw.lastTimeUsed),
			raw,
		}),
	);
	return [...granted, ...passwords];
}

const UNTOLD = {
	device: null,
	address: null,
	startedAt: null,
	lastUsedAt: null,
	expiresAt: null,
} as const;

/**
 * "Unix time" says the reference; clients read milliseconds, and 0 as never. A number tells by its
 * size which of both it is.
 *
 * @see https://github.com/GAM-team/GAM (`formatTimestampYMDHMS`)
 */
function timeOf(told: string | null | undefined): string | null {
	const number = Number(told);
	const ms = number < 1e11 ? number * 1000 : number;
	return ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString() : null;
}

const HOUR = 60 * 60 * 1000;

function survives({ revokeOAuthGrants, deleteAppPasswords }: GoogleOptions): readonly Survivor[] {
	const survivors: Survivor[] = [
		{
			what: 'open Gmail sessions',
			forMs: HOUR,
			note: 'Google takes up to an hour to sign the user out of them; other Google apps take their own time',
		},
		{
			what: 'app sessions',
			forMs: null,
			note: 'Apps that the user signed in to with Google keep their own sessions until they ask Google again',
		},
	];
	if (!revokeOAuthGrants) {
		survivors.push({
			what: GRANTS,
			forMs: null,
			note: 'Apps that the user granted access keep it, with refresh tokens that do not expire by themselves',
			option: 'revokeOAuthGrants',
		});
	}
	if (!deleteAppPasswords) {
		survivors.push({
			what: APP_PASSWORDS,
			forMs: null,
			note: 'They open mail, calendars and contacts without a second factor until they are deleted',
			option: 'deleteAppPasswords',
		});
	}
	return survivors;
}

/** The scopes are asked for by the credential, and given all or none. */
const mayAudit = ({ credential, scopes: granted }: Standpoint<GoogleCredential>): boolean =>
	granted?.includes(scopes.audit) ?? credential.auditLog;

/**
 * Whether grants can be listed proves the right to revoke: one scope and one privilege are for both.
 * Of somebody who is no administrator, should those of the administrator itself be withheld.
 *
 * @returns false when there was nobody to try it with
 */
function* provesRevoking(adminId: string | null): Inquiry<boolean> {
	if (adminId !== null) {
		const reply = yield listGrants({ id: adminId, isAdmin: false }, 'kind');
		if (!isForbidden(reply)) {
			expectJson(reply, tokenList);
			return true;
		}
	}
	const [ordinary] = expectJson(yield listOrdinaryUser, userList).users;
	if (!ordinary) return false;
	expectJson(yield listGrants({ ...ordinary, isAdmin: false }, 'kind'), tokenList);
	return true;
}

export const googleWorkspace = defineConnector<GoogleCredential, Account, GoogleOptions>({
	key: 'google_workspace',
	title: 'Google Workspace',
	node: {
		className: 'GoogleWorkspaceSessions',
		displayName: 'Google Workspace Sessions',
		description: 'Look up users of Google Workspace and end their sessions',
		icon: 'googleWorkspace',
		alias: ['G Suite', 'Reset Sign-in Cookies', 'Sign Out', 'Incident Response', 'Identity'],
	},
	docs: 'google-workspace',
	userPlaceholder: 'e.g. jane@example.com',
	operations: ['retrieveUser', 'revokeAllSessions', 'listSessions', 'checkSetup'],
	options: {
		fields: [
			{
				name: 'revokeOAuthGrants',
				label: 'Revoke OAuth Grants',
				type: 'boolean',
				default: false,
				description: 'Whether to take away the access that the user granted to apps too',
			},
			{
				name: 'deleteAppPasswords',
				label: 'Delete App Passwords',
				type: 'boolean',
				default: false,
				description:
					'Whether to delete the passwords too that the user made for apps without two-step verification',
			},
		],
		schema: options,
	},
	credential: {
		name: 'googleWorkspaceSessionsApi',
		displayName: 'Google Workspace Sessions API',
		fields,
		schema,
		test: {
			baseUrlField: 'apiUrl',
			path: "=/admin/directory/v1/users{{ ($credentials.adminEmail ?? '').trim() ? '/' + encodeURIComponent($credentials.adminEmail.trim()) + '?fields=id' : '?customer=my_customer&maxResults=1&fields=kind' }}",
			needs: READ.join(', and to the administrator the privilege '),
		},
	},
	access,
	requestId: null,
	errorCode: reasonOf,

	/** @see https://developers.google.com/workspace/admin/directory/v1/limits */
	explain(reply, { needs }) {
		if (isThrottled(reply)) return { cause: 'rate_limited' };
		if (reply.status !== 403) return undefined;
		switch (reasonOf(reply)) {
			case 'accessNotConfigured':
				return {
					cause: 'configuration',
					advice:
						'enable the Admin SDK API in the Google Cloud project to which the service account belongs',
				};
			case 'insufficientPermissions':
				return { cause: 'permission_denied', missingPermissions: needs.filter(isScope) };
			default:
				return undefined;
		}
	},

	lookUp,

	*ownAccount({ credential: { adminEmail } }) {
		if (adminEmail === '') return null;
		return expectJson(yield getAdmin(adminEmail), administrator).id;
	},

	endedOutcome: 'revoked',

	revocation(account, { options: { revokeOAuthGrants, deleteAppPasswords } }) {
		return [
			signOut(account),
			...(revokeOAuthGrants ? [grantsOf(account)] : []),
			...(deleteAppPasswords ? [appPasswordsOf(account)] : []),
		];
	},

	lists: `${GRANTS} and ${APP_PASSWORDS}`,
	listSessions,

	/** Google does not say that a sign-out leaves this event: its absence says nothing. */
	readBack: {
		method: 'Google Workspace audit log (RESET_SIGNIN_COOKIES)',
		// The log takes minutes, as Google says, and often less: https://support.google.com/a/answer/7061566
		polls: [0, 1000, 2000],
		isPossible: mayAudit,
		*read({ primaryEmail }, since) {
			const { items } = expectJson(yield listResets(primaryEmail, since), activities);
			return { seen: items.length > 0 ? 'confirmed' : 'not_yet' };
		},
	},

	survives,

	*checkSetup(at) {
		const { adminEmail } = at.credential;
		let admin: z.infer<typeof administrator> | null = null;
		if (adminEmail !== '') {
			const reply = yield getAdmin(adminEmail);
			if (gone(reply)) {
				const what = `the field 'Admin Email' names nobody: there is no user ${adminEmail}`;
				return {
					missingPermissions: [],
					unproved: null,
					problem: { cause: 'configuration', what },
				};
			}
			admin = expectJson(reply, administrator);
		}
		const isProved = yield* provesRevoking(admin?.id ?? null);
		if (mayAudit(at)) {
			const reply = yield listResets(adminEmail, Date.now());
			// Without the privilege the Reports API answers 401 to a token that was good a moment ago.
			if (reply.status === 401) return { missingPermissions: [REPORTS], unproved: null };
			expectJson(reply, activities);
		}
		const unproved = [
			...(isProved ? [] : ['There is no user with whom the right to revoke could be proved']),
			...(admin?.isAdmin === false
				? [
						`${adminEmail} is no super administrator: Google lets it revoke the sessions of users only, not of administrators`,
					]
				: []),
		];
		return { missingPermissions: [], unproved: unproved.length > 0 ? unproved.join('. ') : null };
	},
});
