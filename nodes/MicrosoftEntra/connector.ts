/**
 * Microsoft Entra ID through Microsoft Graph: users by the Users API, their tokens by
 * `revokeSignInSessions`, read back in the time from which on the user's sign-ins count.
 *
 * @see https://learn.microsoft.com/graph/api/resources/user
 */
import { z } from 'zod';
import {
	claimsIn,
	defineConnector,
	expectJson,
	hasDomain,
	type Inquiry,
	type Lookup,
	oneOrMany,
	path,
	type Refusal,
	sameName,
	type Survivor,
	unasked,
	UnusableReply,
	type User,
	type VendorReply,
	type VendorRequest,
} from '../core/connector';
import { batch } from './batch';
import { access, type EntraCredential, fields, graphUrls, schema } from './credential';
import {
	graphError,
	graphIds,
	type GraphUser,
	graphUser,
	type GraphUsers,
	graphUsers,
	revoked,
	validFrom,
} from './replies';

interface Account {
	id: string;
	/** `signInSessionsValidFromDateTime` before the revocation; null when it cannot be read. */
	validFrom: string | null;
}

type EntraLookup = Lookup<Account>;

const options = z.record(z.string(), z.never());

type EntraOptions = z.infer<typeof options>;

const MARKER = 'signInSessionsValidFromDateTime';

/**
 * What is read of a user, from everything wanted down to the basic profile, which is all that
 * User.ReadBasic.All may read.
 */
const WANTED = ['id', 'userPrincipalName', 'mail', 'displayName'];
const profiles = [
	[...WANTED, 'userType', 'accountEnabled', MARKER],
	[...WANTED, 'userType', 'accountEnabled'],
	WANTED,
] as const;

const readUsers = {
	batch,
	idempotent: true,
	needs: ['User.ReadBasic.All', 'User.Read.All'],
} as const;

/** More than everybody who could share a name. */
const PAGE = 50;

const getUser = (id: string, select: readonly string[]): VendorRequest => ({
	method: 'GET',
	path: path`/v1.0/users/${id}`,
	query: { $select: select.join(',') },
	bucket: 'users',
	...readUsers,
});

const listUsers = (filter: string, select: readonly string[]): VendorRequest => ({
	method: 'GET',
	path: '/v1.0/users',
	query: { $filter: filter, $select: select.join(','), $top: PAGE },
	bucket: 'users',
	...readUsers,
});

/** A text in a filter. https://learn.microsoft.com/graph/query-parameters#escaping-single-quotes */
const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** Asks for all that is wanted, and after a 403 for less. */
function* asMuchAsAllowed(
	request: (select: readonly string[]) => VendorRequest,
): Inquiry<{ reply: VendorReply; select: readonly string[] }> {
	const [all, ...fewer] = profiles;
	let select: readonly string[] = all;
	let reply = yield request(select);
	for (const less of fewer) {
		if (reply.status !== 403) break;
		select = less;
		reply = yield request(select);
	}
	return { reply, select };
}

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Entra has no short names, so there is nothing to allow: a bare name is nobody's sign-in name. */
function* lookUp(identity: string): Inquiry<EntraLookup> {
	if (guid.test(identity)) return yield* lookUpById(identity);
	const named = `userPrincipalName eq ${quoted(identity)} or mail eq ${quoted(identity)}`;
	const { reply, select } = yield* asMuchAsAllowed((some) => listUsers(named, some));
	const page = expectJson(reply, graphUsers);
	const owners = page.value.filter((user) => sameName(user.userPrincipalName, identity));
	if (owners.length > 0) return among(reply, owners);
	const addressees = page.value.filter((user) => sameName(user.mail, identity));
	refuseHalf(reply, page, addressees);
	if (addressees.length > 0) return among(reply, addressees);
	if (!hasDomain(identity)) return { found: 'none', reply };
	return (yield* lookUpByAlias(identity, select)) ?? { found: 'none', reply };
}

function* lookUpById(id: string): Inquiry<EntraLookup> {
	const { reply } = yield* asMuchAsAllowed((some) => getUser(id, some));
	if (gone(reply)) return { found: 'none', reply };
	const user = expectJson(reply, graphUser);
	return sameName(user.id, id) ? one(reply, user) : { found: 'none', reply };
}

function* lookUpByAlias(
	identity: string,
	select: readonly string[],
): Inquiry<EntraLookup | undefined> {
	const alias = `smtp:${identity}`;
	const filter = `proxyAddresses/any(p:p eq ${quoted(alias)})`;
	const request = listUsers(filter, [...select, 'proxyAddresses']);
	const reply = yield { ...request, needs: ['User.Read.All'] };
	const holds = ({ proxyAddresses }: GraphUser): boolean =>
		(proxyAddresses ?? []).some((address) => sameName(address, alias));
	const page = expectJson(reply, graphUsers);
	const users = page.value.filter(holds);
	refuseHalf(reply, page, users);
	return users.length > 0 ? among(reply, users) : undefined;
}

/**
 * Who matches only in a later page would be overlooked: one match, or none, is not all then.
 *
 * @throws UnusableReply
 */
function refuseHalf(reply: VendorReply, page: GraphUsers, matches: readonly GraphUser[]): void {
	if (typeof page['@odata.nextLink'] === 'string' && matches.length < 2) {
		throw new UnusableReply(reply);
	}
}

const among = (reply: VendorReply, users: readonly GraphUser[]): EntraLookup =>
	oneOrMany(reply, users, one, asUser);

function one(reply: VendorReply, user: GraphUser): EntraLookup {
	const refusal = refusalOf(user);
	return {
		found: 'one',
		reply,
		user: asUser(user),
		account: { id: user.id, validFrom: user[MARKER] ?? null },
		...(refusal ? { refusal } : {}),
	};
}

/** @see https://learn.microsoft.com/graph/api/user-revokesigninsessions */
function refusalOf({ userPrincipalName, userType }: GraphUser): Refusal | undefined {
	const isGuest = sameName(userType, 'Guest') || /#EXT#/i.test(userPrincipalName);
	if (!isGuest) return undefined;
	const why = `${userPrincipalName} is an external user, who signs in at another tenant: revoking here has no effect there; revoke in the home tenant`;
	return { cause: 'external_user', why };
}

const asUser = ({ id, userPrincipalName, mail, displayName, accountEnabled }: GraphUser): User => ({
	id,
	login: userPrincipalName,
	email: mail ?? null,
	displayName: displayName ?? null,
	status: typeof accountEnabled === 'boolean' ? (accountEnabled ? 'enabled' : 'disabled') : null,
});

function errorCode(reply: VendorReply): string | null {
	const parsed = graphError.safeParse(reply.body);
	return parsed.success ? parsed.data.error.code : null;
}

const gone = (reply: VendorReply): boolean =>
	reply.status === 404 && errorCode(reply) === 'Request_ResourceNotFound';

const HOUR = 60 * 60 * 1000;

const survives = (): readonly Survivor[] => [
	{
		what: 'access tokens already issued',
		forMs: 28 * HOUR,
		note: 'They stay valid for about an hour; where apps and services use continuous access evaluation they can last up to 28 hours, but the revocation then usually ends them within minutes',
	},
	{
		what: 'app sessions',
		forMs: null,
		note: 'Apps that the user is signed in to keep their own sessions until they ask Microsoft Entra again',
	},
];

/** Each may revoke. @see https://learn.microsoft.com/graph/permissions-reference */
const REVOKE = 'User.RevokeSessions.All';
const mayRevoke = new Set([REVOKE, 'User.ReadWrite.All', 'Directory.ReadWrite.All']);

/** How far the clocks of Microsoft's services may be apart, in ms. */
const SKEW = 60_000;

export const microsoftEntra = defineConnector<EntraCredential, Account, EntraOptions>({
	key: 'entra',
	title: 'Microsoft Entra',
	node: {
		className: 'MicrosoftEntraSessions',
		displayName: 'Microsoft Entra Sessions',
		description: 'Look up users of Microsoft Entra ID and revoke their sign-in sessions',
		icon: 'microsoftEntra',
		alias: ['Azure AD', 'Revoke Sign-in Sessions', 'Sign Out', 'Incident Response', 'Identity'],
	},
	docs: 'entra',
	userPlaceholder: 'e.g. jane@example.com',
	operations: ['retrieveUser', 'revokeAllSessions', 'checkSetup'],
	// Two batches side by side.
	usersInParallel: 40,
	options: { fields: [], schema: options },
	credential: {
		name: 'microsoftEntraSessionsApi',
		displayName: 'Microsoft Entra Sessions API',
		fields,
		schema,
		test: {
			baseUrlField: 'graphUrl',
			knownBaseUrls: { field: 'cloud', urls: graphUrls },
			path: '/v1.0/users?$top=1&$select=id',
			needs: 'User.ReadBasic.All',
		},
	},
	access,
	requestId: { header: 'request-id' },
	errorCode,
	lookUp,

	/** Only a token of a user, which names its scopes in `scp`, acts as somebody. */
	ownAccount({ credential }) {
		if (credential.authentication !== 'accessToken') return unasked(null);
		const claims = claimsIn(credential.accessToken);
		return unasked(
			typeof claims?.scp === 'string' && typeof claims.oid === 'string' ? claims.oid : null,
		);
	},

	endedOutcome: 'tokens_revoked',

	/** @see https://learn.microsoft.com/graph/api/user-revokesigninsessions */
	revocation({ id }) {
		return [
			{
				request: {
					method: 'POST',
					path: path`/v1.0/users/${id}/revokeSignInSessions`,
					body: { json: {} },
					batch,
					idempotent: true,
					bucket: 'users/{id}/revokeSignInSessions',
					needs: [REVOKE],
				},
				ends: ['refresh tokens', 'browser sign-in sessions'],
				/** The documents promise "a 2xx" and show `{"value":true}`; a page of a proxy is neither. */
				judge(reply) {
					if (gone(reply)) return { verdict: 'user_gone' };
					if (reply.status < 200 || reply.status > 299) return undefined;
					const accepted = reply.bodyKind === 'empty' || revoked.safeParse(reply.body).success;
					return accepted ? { verdict: 'ended', changed: null } : undefined;
				},
			},
		];
	},

	readBack: {
		method: `Microsoft Graph (${MARKER})`,
		// Replicas of the directory lag: a few seconds decide between verified and unconfirmed.
		polls: [0, 1000, 2000],
		isPossible: (_, account) => account.validFrom !== null,
		*read({ id, validFrom: before }, since) {
			const reply = yield getUser(id, ['id', MARKER]);
			const shown = expectJson(reply, validFrom);
			if (!sameName(shown.id, id)) throw new UnusableReply(reply);
			const now = Date.parse(shown[MARKER] ?? '');
			const moved = now > Date.parse(before ?? '') && now >= since - SKEW;
			return moved ? { seen: 'confirmed', changed: true } : { seen: 'not_yet' };
		},
	},

	survives,

	*checkSetup({ credential, scopes }) {
		const reply = yield {
			method: 'GET',
			path: '/v1.0/users',
			query: { $top: 1, $select: 'id' },
			bucket: 'users',
			...readUsers,
		};
		expectJson(reply, graphIds);
		if (scopes === null) {
			return {
				missingPermissions: [],
				unproved: `The access token does not name its permissions, so whether it may revoke (${REVOKE}) shows only when it is done`,
			};
		}
		const missingPermissions = scopes.some((scope) => mayRevoke.has(scope)) ? [] : [REVOKE];
		const isDelegated =
			credential.authentication === 'accessToken' &&
			typeof claimsIn(credential.accessToken)?.scp === 'string';
		return {
			missingPermissions,
			unproved: isDelegated
				? "Whether the role of the token's user allows revoking others shows only when it is done"
				: null,
		};
	},
});
