/**
 * Janssen: users by the user management plugin of the config API, sessions by its session API or by
 * Global Token Revocation at the authorization server, read back in the session search.
 *
 * @see https://docs.jans.io/stable/janssen-server/config-guide/config-tools/config-api
 * @see https://github.com/JanssenProject/jans
 */
import { z } from 'zod';
import {
	defineConnector,
	type Explanation,
	expectJson,
	hasDomain,
	type Inquiry,
	type Lookup,
	MissingPermission,
	oneOrMany,
	path,
	type RevokeStep,
	sameName,
	type Schema,
	type Session,
	type Standpoint,
	type StepVerdict,
	type Survivor,
	UnusableReply,
	type User,
	type VendorReply,
	type VendorRequest,
	type Viewpoint,
} from '../core/connector';
import { access, AS_CLIENT, fields, type JanssenCredential, schema } from './credential';
import {
	discovery,
	janssenError,
	type JanssenSession,
	type JanssenUser,
	janssenUser,
	sessionList,
	sessionPage,
	userPage,
} from './replies';
import {
	END_SESSIONS,
	lackingFor,
	may,
	READ_SESSIONS,
	READ_USERS,
	REVOKE_GLOBALLY,
	type Right,
} from './scopes';

/** Whom Global Token Revocation means: an attribute of a user and its value. */
interface Subject {
	format: 'inum' | 'mail' | 'uid';
	id: string;
}

interface Account {
	/** Null when nobody was asked for it. */
	dn: string | null;
	subject: Subject;
}

type JanssenLookup = Lookup<Account>;
type At = Standpoint<JanssenCredential>;

const options = z
	.object({ revokeThrough: z.enum(['configApi', 'globalTokenRevocation']).default('configApi') })
	.strict();

type JanssenOptions = z.infer<typeof options>;

const USERS = '/jans-config-api/mgt/configuser';
const SESSIONS = '/jans-config-api/api/v1/jans-auth-server/session';

/** The default page; the largest is up to the installation (`maxCount`). */
const PAGE = 50;
/** More than everybody whose data hold the same text. */
const MOST = 100 * PAGE;

const needing = ([fewest]: Right): Pick<VendorRequest, 'idempotent' | 'needs'> => ({
	idempotent: true,
	needs: fewest,
});

/** @throws MissingPermission */
function insistOn(right: Right, at: At): void {
	const lacking = lackingFor(right, at);
	if (lacking.length > 0) throw new MissingPermission(lacking);
}

type Query = VendorRequest['query'] & object;

const searchUsers = (query: Query): VendorRequest => ({
	method: 'GET',
	path: USERS,
	query,
	bucket: 'configuser',
	...needing(READ_USERS),
});

const getUser = (inum: string): VendorRequest => ({
	method: 'GET',
	path: USERS + path`/${inum}`,
	bucket: 'configuser/{inum}',
	...needing(READ_USERS),
});

const searchSessions = (query: Query): VendorRequest => ({
	method: 'GET',
	path: `${SESSIONS}/search`,
	query,
	bucket: 'session/search',
	...needing(READ_SESSIONS),
});

/** Of an older version, which has no search: everything at once. */
const listSessions: VendorRequest = {
	method: 'GET',
	path: SESSIONS,
	bucket: 'session',
	...needing(READ_SESSIONS),
};

/** Public; says which endpoints are switched on. */
const getDiscovery: VendorRequest = {
	method: 'GET',
	path: '/jans-auth/.well-known/openid-configuration',
	idempotent: true,
	bucket: 'openid-configuration',
	needs: [],
};

/**
 * Asks the user plugin. The vendor's OpenAPI document spells its path `mgmt`, its code and all other
 * documents `mgt`: the other one is asked when the first is not there.
 */
function* askForUsers(request: VendorRequest): Inquiry<VendorReply> {
	const isElsewhere = (reply: VendorReply): boolean =>
		reply.status === 404 && errorCode(reply) === null;
	const reply = yield request;
	if (!isElsewhere(reply)) return reply;
	const other = yield { ...request, path: request.path.replace('/mgt/', '/mgmt/') };
	return isElsewhere(other) ? reply : other;
}

/**
 * All entries of a search, the same one once: `startIndex` counts from 1 in the documents and from 0
 * in the code, so that pages may overlap.
 *
 * @param enough when no further page is needed
 */
function* everyEntry<T>(
	ask: (page: Query) => Inquiry<VendorReply>,
	page: Schema<{ entries: readonly T[] }>,
	enough: (entries: readonly T[]) => boolean = () => false,
): Inquiry<{ reply: VendorReply; entries: readonly T[] }> {
	const found = new Map<string, T>();
	for (let start = 0; ; start += PAGE) {
		const reply = yield* ask({ limit: PAGE, ...(start === 0 ? {} : { startIndex: start }) });
		const { entries } = expectJson(reply, page);
		for (const entry of entries) found.set(JSON.stringify(entry), entry);
		const all = [...found.values()];
		if (entries.length < PAGE || enough(all)) return { reply, entries: all };
		// Who is looked for may stand in a later page.
		if (start >= MOST) throw new UnusableReply(reply);
	}
}

/** The inum in the distinguished name of a user. */
const inumIn = (dn: string): string | undefined => /^inum=([^,]+),.*[^,]$/i.exec(dn)?.[1];

/** Distinguished names compare without regard to letter case and to spaces around commas. */
const sameDn = (one: string | null | undefined, other: string): boolean =>
	typeof one === 'string' && sameName(spaceless(one), spaceless(other));

const spaceless = (dn: string): string => dn.replace(/\s*,\s*/g, ',');

/** Janssen has no short names, so there is nothing to allow: a bare name is a user ID or nobody's. */
function* lookUp(
	identity: string,
	at: Viewpoint<JanssenCredential, JanssenOptions>,
): Inquiry<JanssenLookup> {
	const lacking = lackingFor(READ_USERS, at);
	if (lacking.length > 0) return takenAtItsWord(identity, at.options, lacking);
	const inum = inumIn(identity);
	if (inum !== undefined) return yield* lookUpByInum(inum, ({ dn }) => sameDn(dn, identity));
	return yield* lookUpByName(identity);
}

/** @param isMeant decides when the inum alone does not */
function* lookUpByInum(
	inum: string,
	isMeant: (user: JanssenUser) => boolean = () => true,
): Inquiry<JanssenLookup> {
	const reply = yield* askForUsers(getUser(inum));
	if (reply.status === 404 && errorCode(reply) === NOT_FOUND) return { found: 'none', reply };
	const user = expectJson(reply, janssenUser);
	return sameName(user.id, inum) && isMeant(user) ? one(reply, user) : { found: 'none', reply };
}

/**
 * `pattern` finds every user who has the text in a name, the address, the user ID or the inum. It is
 * split at commas and cannot be quoted, `fieldValuePair` at equals and comparison signs too: so the
 * longest part is asked for, and the answer compared with the whole.
 *
 * @see https://github.com/JanssenProject/jans/blob/main/jans-config-api/plugins/user-mgt-plugin/src/main/java/io/jans/configapi/plugin/mgt/service/UserMgmtService.java
 */
function* lookUpByName(identity: string): Inquiry<JanssenLookup> {
	const [pattern = ''] = identity.split(',').toSorted((a, b) => b.length - a.length);
	// An empty pattern would stand for everybody.
	if (pattern.trim() === '') return yield* lookUpByInum(identity);
	const ask = (page: Query): Inquiry<VendorReply> => askForUsers(searchUsers({ pattern, ...page }));
	const { reply, entries } = yield* everyEntry(ask, userPage);
	const owners = entries.filter(
		({ id, userId }) => sameName(id, identity) || sameName(userId, identity),
	);
	if (owners.length > 0) return oneOrMany(reply, owners, one, asUser);
	const addressees = entries.filter(({ mail }) => hasDomain(identity) && sameName(mail, identity));
	return oneOrMany(reply, addressees, one, asUser);
}

const one = (reply: VendorReply, user: JanssenUser): JanssenLookup => ({
	found: 'one',
	reply,
	user: asUser(user),
	account: { dn: user.dn, subject: { format: 'inum', id: user.id } },
});

/**
 * Whom an identity means when nobody may be looked up. The config API wants a DN, which only a DN or
 * an inum gives; Global Token Revocation takes any attribute.
 *
 * @throws MissingPermission
 */
function takenAtItsWord(
	identity: string,
	{ revokeThrough }: JanssenOptions,
	lacking: readonly string[],
): JanssenLookup {
	const account = named(identity);
	if (account.dn === null && revokeThrough === 'configApi') throw new MissingPermission(lacking);
	const why = `Whether Janssen has this user is not known: a look-up takes the scope ${lacking.join(' ')}`;
	return { found: 'unknown', reply: null, account, why, missingPermissions: lacking };
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function named(identity: string): Account {
	const inum = inumIn(identity);
	if (inum !== undefined) return { dn: identity, subject: { format: 'inum', id: inum } };
	if (uuid.test(identity)) {
		// Where an installation has its users unless it was changed.
		const dn = `inum=${identity},ou=people,o=jans`;
		return { dn, subject: { format: 'inum', id: identity } };
	}
	const format = hasDomain(identity) ? 'mail' : 'uid';
	return { dn: null, subject: { format, id: identity } };
}

const asUser = ({ id, userId, mail, displayName, jansStatus }: JanssenUser): User => ({
	id,
	login: userId ?? null,
	email: mail ?? null,
	displayName: displayName ?? null,
	status: jansStatus ?? null,
});

const NOT_FOUND = '404';

function errorCode(reply: VendorReply): string | null {
	const parsed = janssenError.safeParse(reply.body);
	if (!parsed.success) return null;
	return 'code' in parsed.data ? parsed.data.code : parsed.data.error;
}

const SWITCH_ON =
	'Global Token Revocation is off; switch on the feature flag GLOBAL_TOKEN_REVOCATION of the authorization server';

/**
 * The config API answers 401 to a lack of scopes too, with a bare text. The errors of Global Token
 * Revocation are those of its service.
 *
 * @see https://github.com/JanssenProject/jans/blob/main/jans-config-api/server/src/main/java/io/jans/configapi/filters/AuthorizationFilter.java
 * @see https://github.com/JanssenProject/jans/blob/main/jans-auth-server/server/src/main/java/io/jans/as/server/service/token/GlobalTokenRevocationService.java
 */
function explain(reply: VendorReply): Explanation | undefined {
	const code = errorCode(reply);
	if (reply.status === 401 && code === null) {
		const advice =
			'it says so of a token that is not valid and of one that lacks a scope: check the client, and that it has every scope of the credential';
		return { cause: 'credential_invalid', advice };
	}
	if (reply.status === 401 && code === 'invalid_request') {
		const [missingPermissions] = REVOKE_GLOBALLY;
		const advice = `the client lacks the scope ${missingPermissions.join(' ')}`;
		return { cause: 'permission_denied', missingPermissions, advice };
	}
	if (reply.status === 403 && code === 'access_denied') {
		return { cause: 'configuration', advice: SWITCH_ON };
	}
	return undefined;
}

/** The document promises 204 and the code answers 200: nothing follows either. */
const done = ({ status, bodyKind }: VendorReply): boolean =>
	(status === 200 || status === 204) && bodyKind === 'empty';

/**
 * The session API says 404 when there is nothing to end, without a body; a version that does not know
 * a path says the same, or 405. A page of somebody else is neither.
 */
const isAbsent = (reply: VendorReply): boolean =>
	(reply.status === 404 || reply.status === 405) &&
	(reply.bodyKind === 'empty' || errorCode(reply) === String(reply.status));

/**
 * Ends the authenticated sessions of the user with exactly this DN. What says 404 or 405 has done
 * nothing: then the request of older versions is sent in its place, which today's do not know.
 */
const endSessionsOf = (dn: string): RevokeStep => ({
	request: {
		method: 'DELETE',
		path: SESSIONS + path`/user/${dn}`,
		bucket: 'session/user/{userDn}',
		...needing(END_SESSIONS),
	},
	ends: ['sessions'],
	judge(reply) {
		if (done(reply)) return { verdict: 'ended', changed: true };
		if (!isAbsent(reply)) return undefined;
		return { verdict: 'undecided', instead: endSessionsAsBefore(dn, reply.status) };
	},
});

/**
 * @param answered to the request of today: after 405 it is not known which of both was meant by 404
 * @see https://github.com/JanssenProject/jans/blob/f72ff0d2cab35afad3dd135a4e4fc8174fffe617/jans-config-api/server/src/main/java/io/jans/configapi/rest/resource/auth/SessionResource.java
 */
const endSessionsAsBefore = (dn: string, answered: number): RevokeStep => ({
	request: {
		method: 'POST',
		path: SESSIONS + path`/${dn}`,
		bucket: 'session/{userDn}',
		...needing(END_SESSIONS),
	},
	ends: ['sessions'],
	judge(reply) {
		if (done(reply)) return { verdict: 'ended', changed: true };
		return answered === 404 && isAbsent(reply) ? { verdict: 'already_gone' } : undefined;
	},
});

/** @see https://docs.jans.io/stable/janssen-server/auth-server/endpoints/global-token-revocation */
const revokeGlobally = (subject: Subject): RevokeStep => ({
	request: {
		method: 'POST',
		path: '/jans-auth/restv1/global-token-revocation',
		body: { json: { sub_id: subject } },
		bucket: 'global-token-revocation',
		authentication: AS_CLIENT,
		...needing(REVOKE_GLOBALLY),
	},
	ends: ['sessions', 'refresh tokens', 'access tokens'],
	judge: ({ status }) => (status === 204 ? { verdict: 'ended', changed: null } : undefined),
});

/** Shows whether the session API of today is there at all. */
const probe: RevokeStep = {
	request: searchSessions({ limit: 1 }),
	ends: [],
	judge: (reply) =>
		reply.status === 200 && sessionPage.safeParse(reply.body).success
			? { verdict: 'already_gone' }
			: undefined,
};

/**
 * The authenticated sessions of a user; those of a sign-in that was not finished open nothing.
 *
 * @param limit no more than so many are needed
 */
function* sessionsOf(
	dn: string,
	limit = Infinity,
): Inquiry<{ reply: VendorReply; sessions: readonly JanssenSession[] }> {
	const own = (entries: readonly JanssenSession[]): readonly JanssenSession[] =>
		entries.filter(({ userDn, state }) => sameDn(userDn, dn) && sameName(state, 'authenticated'));
	const ask = function* (page: Query): Inquiry<VendorReply> {
		return yield searchSessions({ pattern: inumIn(dn) ?? dn, ...page });
	};
	const enough = (entries: readonly JanssenSession[]): boolean => own(entries).length >= limit;
	try {
		const { reply, entries } = yield* everyEntry(ask, sessionPage, enough);
		return { reply, sessions: own(entries) };
	} catch (error) {
		if (!(error instanceof UnusableReply && error.reply.status === 405)) throw error;
		const reply = yield listSessions;
		return { reply, sessions: own(expectJson(reply, sessionList)) };
	}
}

/** A time of the config API, ms since 1970; it is written without a zone. NaN when there is none. */
const timeOf = (text: string | null | undefined): number =>
	Date.parse(/(?:z|[+-]\d{2}:?\d{2})$/i.test(text ?? '') ? (text ?? '') : `${text ?? ''}Z`);

function isoTime(text: string | null | undefined): string | null {
	const time = timeOf(text);
	return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** How far the clocks of Janssen's services may be apart, in ms. */
const SKEW = 60_000;

/**
 * Whether a session surely began after the revocation. A server that writes times of another zone
 * than UTC shifts them by quarters of an hour at least: then they do not fall into this minute.
 */
function beganAfter(
	{ authenticationTime, creationDate }: JanssenSession,
	since: number,
	now: number,
): boolean {
	const began = timeOf(authenticationTime ?? creationDate);
	return began > since && began <= now + SKEW;
}

const sidOf = ({ outsideSid, sid, sessionAttributes }: JanssenSession): string | null =>
	outsideSid ?? sid ?? sessionAttributes?.sid ?? null;

const asSession = (id: string, session: JanssenSession): Session => ({
	id,
	kind: 'session',
	device: null,
	address: session.sessionAttributes?.remote_ip ?? null,
	startedAt: isoTime(session.authenticationTime ?? session.creationDate),
	lastUsedAt: isoTime(session.lastUsedAt),
	expiresAt: isoTime(session.expirationDate),
	raw: session,
});

function survives({ revokeThrough }: JanssenOptions): readonly Survivor[] {
	const survivors: Survivor[] = [
		{
			what: 'app sessions',
			forMs: null,
			note: 'Apps that the user is signed in to keep their own sessions until they ask Janssen again',
		},
	];
	if (revokeThrough === 'globalTokenRevocation') {
		survivors.push({
			what: 'access tokens that apps check without asking Janssen',
			forMs: null,
			note: 'A revoked access token that is a JWT passes a local check until it expires',
		});
	} else {
		survivors.push({
			what: 'access tokens already issued',
			forMs: null,
			note: 'Current versions of Janssen end those of the ended sessions too, but do not tell whether that worked; apps that check a token by themselves take it until it expires',
		});
		survivors.push({
			what: 'refresh tokens',
			forMs: null,
			note: "Apps go on renewing their tokens with them until they expire; 'Revoke Through' with 'Global Token Revocation' ends them too",
		});
	}
	return survivors;
}

export const janssen = defineConnector<JanssenCredential, Account, JanssenOptions>({
	key: 'janssen',
	title: 'Janssen',
	node: {
		className: 'JanssenSessions',
		displayName: 'Janssen Sessions',
		description: 'Look up users of a Janssen (Gluu) server, list and end their sessions',
		icon: 'janssen',
		alias: ['Gluu', 'Jans', 'Sign Out', 'Log Out', 'Incident Response', 'Identity'],
	},
	docs: 'janssen',
	userPlaceholder: 'e.g. jane@example.com',
	operations: ['retrieveUser', 'revokeAllSessions', 'listSessions', 'revokeSession', 'checkSetup'],
	options: {
		fields: [
			{
				name: 'revokeThrough',
				label: 'Revoke Through',
				type: 'choice',
				default: 'configApi',
				choices: [
					{
						value: 'configApi',
						label: 'Config API',
						description: 'Ends the sessions, and says when there was none',
					},
					{
						value: 'globalTokenRevocation',
						label: 'Global Token Revocation',
						description:
							'Ends the sessions and all tokens, refresh tokens too; does not say whether there was anything, or such a user',
					},
				],
			},
		],
		schema: options,
	},
	credential: {
		name: 'janssenSessionsApi',
		displayName: 'Janssen Sessions API',
		fields,
		schema,
		test: {
			baseUrlField: 'url',
			path: `${USERS}?limit=1`,
			needs: READ_USERS[0].join(' '),
		},
	},
	access,
	requestId: null,
	errorCode,
	explain,
	lookUp,
	endedOutcome: 'revoked',

	revocation({ dn, subject }, at) {
		// Without a DN there is only this way: the look-up saw to that.
		if (dn === null || at.options.revokeThrough === 'globalTokenRevocation') {
			return [revokeGlobally(subject)];
		}
		insistOn(END_SESSIONS, at);
		return [endSessionsOf(dn)];
	},

	*listSessions({ dn }, { limit, ...at }) {
		insistOn(READ_SESSIONS, at);
		if (dn === null) return [];
		const { reply, sessions } = yield* sessionsOf(dn, limit ?? Infinity);
		return sessions.map((session) => {
			const id = sidOf(session);
			if (id === null) throw new UnusableReply(reply);
			return asSession(id, session);
		});
	},

	revokeOne: {
		placeholder: 'e.g. 2f9e6fb5-9b1b-4c5e-8d3a-6c0d1e2f3a4b',
		/** 404 is both: no such session, and a version that cannot end one by its id. */
		step({ value }, _, at) {
			insistOn(END_SESSIONS, at);
			return {
				request: {
					method: 'DELETE',
					path: SESSIONS + path`/sid/${value}`,
					bucket: 'session/sid/{sid}',
					...needing(END_SESSIONS),
				},
				ends: ['session'],
				judge(reply): StepVerdict | undefined {
					if (done(reply)) return { verdict: 'ended', changed: true };
					if (reply.status !== 404 || !isAbsent(reply)) return undefined;
					return may(READ_SESSIONS, at)
						? { verdict: 'undecided', instead: probe }
						: { verdict: 'already_gone' };
				},
			};
		},
	},

	readBack: {
		method: 'Janssen session search',
		polls: [0, 500, 1000],
		alsoOfNothing: true,
		isPossible: (at, { dn }) => dn !== null && may(READ_SESSIONS, at),
		*read({ dn }, since) {
			const { reply, sessions } = yield* sessionsOf(dn ?? '');
			const left = sessions.filter((one) => !beganAfter(one, since, reply.serverTime));
			return left.length === 0
				? { seen: 'confirmed' }
				: { seen: 'residue', remaining: left.length };
		},
	},

	survives,

	*checkSetup(at) {
		const { scopes, credential } = at;
		const missing = new Set([
			...lackingFor(READ_USERS, at),
			...(may(REVOKE_GLOBALLY, at) ? [] : lackingFor(END_SESSIONS, at)),
			...credential.scopes.filter((asked) => scopes?.includes(asked) === false),
		]);
		if (missing.size > 0) return { missingPermissions: [...missing], unproved: null };
		expectJson(yield* askForUsers(searchUsers({ limit: 1 })), userPage);
		const reservations: string[] = [];
		if (scopes === null) {
			reservations.push(
				'The token endpoint did not name the granted scopes, so whether the client may revoke shows only when it is done',
			);
		}
		if (may(REVOKE_GLOBALLY, at)) {
			const offered = expectJson(yield getDiscovery, discovery);
			if (typeof offered.global_token_revocation_endpoint !== 'string') {
				const problem = { cause: 'configuration', what: SWITCH_ON } as const;
				return { missingPermissions: [], unproved: null, problem };
			}
			if (!may(END_SESSIONS, at)) {
				reservations.push(
					`Only Global Token Revocation can revoke: the config API takes ${END_SESSIONS[0].join(' and ')}`,
				);
			}
		}
		if (may(READ_SESSIONS, at)) {
			const reply = yield searchSessions({ limit: 1 });
			// An older version has no search.
			if (reply.status !== 405) expectJson(reply, sessionPage);
		} else {
			reservations.push(
				`Sessions cannot be listed, nor revocations verified, without ${READ_SESSIONS[0].join(' ')}`,
			);
		}
		const unproved = reservations.length === 0 ? null : reservations.join('. ');
		return { missingPermissions: [], unproved };
	},
});
