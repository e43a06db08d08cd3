/**
 * Miro Enterprise: members by the search of the organization, their sessions by "Reset all sessions
 * of a user". Nothing of it can be read back: Miro shows no sessions.
 *
 * @see https://developers.miro.com/reference/reset-all-sessions-of-a-user
 * @see https://github.com/miroapp/api-clients/blob/main/packages/generator/spec.json
 */
import { z } from 'zod';
import {
	defineConnector,
	expectJson,
	type Explanation,
	hasDomain,
	type Inquiry,
	type Lookup,
	MissingPermission,
	oneOrMany,
	path,
	sameName,
	type StepVerdict,
	type Survivor,
	UnusableReply,
	type User,
	type VendorReply,
	type VendorRequest,
} from '../core/connector';
import { SEPARATOR, sharing } from './batch';
import { access, fields, type MiroCredential, schema } from './credential';
import {
	memberPage,
	membersByEmail,
	miroError,
	nothing,
	organizationMember,
	type OrganizationMember,
	tokenInformation,
	type TokenInformation,
} from './replies';

interface Account {
	email: string;
	/** Belongs to another organization, or to single teams only. */
	isGuest: boolean;
}

type MiroLookup = Lookup<Account>;

const options = z.record(z.string(), z.never());

type MiroOptions = z.infer<typeof options>;

/** @see https://developers.miro.com/reference/scopes */
const READ = 'organizations:read';
const RESET = 'sessions:delete';

const TOKEN_INFORMATION = '/v1/oauth-token';

/** Whose the token is. Needs no scope. */
const askTokenInformation: VendorRequest = {
	method: 'GET',
	path: TOKEN_INFORMATION,
	idempotent: true,
	once: true,
	bucket: 'oauth-token',
	needs: [],
};

const readMembers = { method: 'GET', idempotent: true, needs: [READ] } as const;

const MEMBERS_OF = '/v2/orgs/';

const getMember = (organization: string, id: string): VendorRequest => ({
	...readMembers,
	path: path`/v2/orgs/${organization}/members/${id}`,
	bucket: 'orgs/{id}/members/{id}',
});

const listMembers = (
	organization: string,
	query: { emails: string } | { limit: number },
): VendorRequest => ({
	...readMembers,
	path: path`/v2/orgs/${organization}/members`,
	query,
	bucket: 'orgs/{id}/members',
	...('emails' in query ? sharing(query.emails) : {}),
});

const memberId = /^\d+$/;

/** For n8n's connection test: members can be asked for only where the organization is known. */
const TEST_PATH = `={{ ($credentials.organizationId || '').trim() ? '${MEMBERS_OF}' + encodeURIComponent($credentials.organizationId.trim()) + '/members?limit=1' : '${TOKEN_INFORMATION}' }}`;

/** Miro has no short names, so there is nothing to allow: a bare name is nobody's address. */
function* lookUp(
	identity: string,
	{ credential }: { credential: MiroCredential },
): Inquiry<MiroLookup> {
	if (identity.includes(SEPARATOR)) {
		const why = `Miro's search reads a comma as the end of an address: ${identity} cannot be looked up`;
		return { found: 'refused', refusal: { cause: 'unsupported_user', why } };
	}
	const isId = memberId.test(identity);
	if (!isId && !hasDomain(identity)) return { found: 'none', reply: null };
	const organization = yield* organizationOf(credential);
	const reply = yield isId
		? getMember(organization, identity)
		: listMembers(organization, { emails: identity });
	if (reply.status === 403) return yield* withoutLookUp(identity, credential, reply);
	if (!isId) {
		const members = expectJson(reply, membersByEmail);
		const owners = members.filter(({ email }) => sameName(email, identity));
		return oneOrMany(reply, owners, one, asUser);
	}
	if (notFound(reply)) {
		// The same answer may mean that the organization is not known.
		expectJson(yield listMembers(organization, { limit: 1 }), memberPage);
		return { found: 'none', reply };
	}
	const member = expectJson(reply, organizationMember);
	return member.id === identity ? one(reply, member) : { found: 'none', reply };
}

function* organizationOf({ organizationId }: MiroCredential): Inquiry<string> {
	if (organizationId !== '') return organizationId;
	const reply = yield askTokenInformation;
	const id = expectJson(reply, tokenInformation).organization?.id;
	if (id === undefined) throw new UnusableReply(reply);
	return id;
}

/**
 * A look-up was refused. A reset names the user by the address itself, so a token that may not look
 * up can still reset; whether it may is for the reset's own answer to tell.
 *
 * @throws UnusableReply when the token may look up, or is that of another organization
 * @throws MissingPermission for an id
 */
function* withoutLookUp(
	identity: string,
	{ organizationId }: MiroCredential,
	refusal: VendorReply,
): Inquiry<MiroLookup> {
	const { scopes, organization } = expectJson(yield askTokenInformation, tokenInformation);
	const isForeign = organizationId !== '' && organization && organization.id !== organizationId;
	if (isForeign || scopes?.includes(READ)) throw new UnusableReply(refusal);
	if (!hasDomain(identity)) {
		const why = 'Miro resets the sessions of an address, and only a look-up tells that of an ID';
		throw new MissingPermission([READ], why);
	}
	return {
		found: 'unknown',
		reply: refusal,
		account: { email: identity, isGuest: false },
		why: `The look-up was not possible, because it needs ${READ}: the address was used as it was given`,
		missingPermissions: [READ],
	};
}

const one = (reply: VendorReply, member: OrganizationMember): MiroLookup => ({
	found: 'one',
	reply,
	user: asUser(member),
	account: { email: member.email, isGuest: GUESTS.has(member.role ?? '') },
});

const GUESTS: ReadonlySet<string> = new Set([
	'organization_external_user',
	'organization_team_guest_user',
]);

/** Members sign in with their address, which is unique. */
const asUser = ({ id, email, active }: OrganizationMember): User => ({
	id,
	login: email,
	email,
	displayName: null,
	status: active ? 'active' : 'deactivated',
});

function errorCode(reply: VendorReply): string | null {
	const parsed = miroError.safeParse(reply.body);
	return parsed.success ? parsed.data.code : null;
}

/** In Miro's own words. The documents show its code as an example only, so the status decides. */
const notFound = (reply: VendorReply): boolean => reply.status === 404 && errorCode(reply) !== null;

function explain(
	reply: VendorReply,
	{ path: asked, needs }: VendorRequest,
): Explanation | undefined {
	if (asked === TOKEN_INFORMATION) {
		// "Invalid token provided", where every other operation answers 401. It takes no parameters.
		if (reply.status === 400) return { cause: 'credential_invalid' };
		if (!tokenInformation.safeParse(reply.body).success) return undefined;
		const advice =
			'the token belongs to no organization; install the app in the Enterprise organization';
		return { cause: 'configuration', advice };
	}
	const isLookUp = asked.startsWith(MEMBERS_OF);
	if (isLookUp && notFound(reply)) {
		const advice = "it does not know the organization; check 'Organization ID' in the credential";
		return { cause: 'configuration', advice };
	}
	if (reply.status === 403 && errorCode(reply) !== 'insufficientPermissions') {
		const reasons = [
			`the token lacks ${needs.join(' or ')}`,
			'it acts for somebody who is no Company Admin on the Enterprise plan',
			...(isLookUp ? ["'Organization ID' is not that of the token"] : []),
		];
		return { cause: 'permission_denied', advice: reasons.join(', or ') };
	}
	return undefined;
}

/** Whether guests can be reset is not documented; that they were just looked up is known. */
const guestRefused: StepVerdict = {
	verdict: 'refused',
	refusal: {
		cause: 'external_user',
		why: 'Miro does not reset the sessions of this user, who is a guest of the organization: revoke in the home organization',
	},
};

const missingIn = ({ scopes }: TokenInformation): string[] =>
	scopes ? [READ, RESET].filter((scope) => !scopes.includes(scope)) : [];

const survives = (): readonly Survivor[] => [
	{
		what: 'access tokens of apps',
		forMs: null,
		note: 'Apps that the user authorized in Miro keep their access and refresh tokens: Miro documents the reset for sessions only',
	},
];

export const miro = defineConnector<MiroCredential, Account, MiroOptions>({
	key: 'miro',
	title: 'Miro',
	node: {
		className: 'MiroSessions',
		displayName: 'Miro Sessions',
		description: 'Look up members of a Miro Enterprise organization and reset their sessions',
		icon: 'miro',
		alias: ['Reset All Sessions', 'Sign Out', 'Log Out', 'Incident Response', 'Whiteboard'],
	},
	docs: 'miro',
	userPlaceholder: 'e.g. jane@example.com',
	operations: ['retrieveUser', 'revokeAllSessions', 'checkSetup'],
	// Two searches side by side.
	usersInParallel: 20,
	options: { fields: [], schema: options },
	credential: {
		name: 'miroSessionsApi',
		displayName: 'Miro Sessions API',
		fields,
		schema,
		test: {
			baseUrlField: 'apiUrl',
			path: TEST_PATH,
			needs: READ,
			refusals: [
				{
					status: 400,
					message: 'Miro does not accept the token: it is wrong, expired or was withdrawn',
				},
				{ status: 404, message: "Miro does not know the organization: check 'Organization ID'" },
			],
		},
	},
	access,
	// Miro documents none.
	requestId: null,
	errorCode,
	explain,
	lookUp,

	*ownAccount() {
		return expectJson(yield askTokenInformation, tokenInformation).user.id;
	},

	endedOutcome: 'revoked',

	/** @see https://developers.miro.com/reference/reset-all-sessions-of-a-user */
	revocation({ email, isGuest }) {
		return [
			{
				request: {
					method: 'POST',
					path: '/v2/sessions/reset_all',
					query: { email },
					idempotent: true,
					bucket: 'sessions/reset_all',
					needs: [RESET],
				},
				ends: ['sessions'],
				judge(reply) {
					if (notFound(reply)) return isGuest ? guestRefused : { verdict: 'user_gone' };
					if (reply.status !== 200) return undefined;
					const isEmpty = reply.bodyKind === 'empty' || nothing.safeParse(reply.body).success;
					return isEmpty ? { verdict: 'ended', changed: null } : undefined;
				},
			},
		];
	},

	survives,

	*checkSetup({ credential }) {
		const information = expectJson(yield askTokenInformation, tokenInformation);
		const missingPermissions = missingIn(information);
		if (missingPermissions.length > 0) return { missingPermissions, unproved: null };
		// It needs the same role and the same plan as the reset.
		const organization = yield* organizationOf(credential);
		expectJson(yield listMembers(organization, { limit: 1 }), memberPage);
		return {
			missingPermissions,
			unproved: information.scopes
				? null
				: `Miro does not tell the scopes of the token, so whether it may reset sessions (${RESET}) shows only when it is done`,
		};
	},
});
