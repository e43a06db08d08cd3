/**
 * Slack (Enterprise organization): members by the Web API, their sessions by
 * `admin.users.session.reset`, for many at once by `resetBulk`, read back in the list of sessions.
 *
 * @see https://docs.slack.dev/reference/methods/admin.users.session.reset
 */
import { z } from 'zod';
import {
	type Batch,
	defineConnector,
	expectJson,
	hasDomain,
	InvalidInput,
	type Inquiry,
	type Listing,
	type Lookup,
	type Refusal,
	type RevokeStep,
	sameName,
	type Session,
	type StepVerdict,
	type Survivor,
	UnusableReply,
	type User,
	type VendorReply,
	type VendorRequest,
} from '../core/connector';
import { access, fields, schema, type SlackCredential } from './credential';
import { errorCode, errorIn, explain, refusals } from './errors';
import {
	accepted,
	queued,
	sessionPage,
	type SlackSession,
	slackUser,
	type SlackUser,
	tokenOwner,
} from './replies';

interface Account {
	id: string;
	/** Only the primary owner can end the primary owner's sessions. */
	isPrimaryOwner: boolean;
	/** The Enterprise organization; null when the look-up did not tell. */
	organization: string | null;
	/** The user's workspaces. */
	teams: readonly string[];
}

type SlackLookup = Lookup<Account>;

const options = z
	.object({ mobileOnly: z.boolean().default(false), webOnly: z.boolean().default(false) })
	.strict()
	.refine(({ mobileOnly, webOnly }) => !(mobileOnly && webOnly), {
		path: ['mobileOnly'],
		message:
			"it and 'Web Sessions Only' exclude each other; without both, all sessions are revoked",
	});

type SlackOptions = z.infer<typeof options>;

const READ = 'users:read';
const READ_EMAIL = 'users:read.email';
const READ_SESSIONS = 'admin.users:read';
const END_SESSIONS = 'admin.users:write';

/**
 * One call of a method. As a form, which every method takes: JSON is for those that write, and Slack
 * warns of it without a charset. A form also keeps addresses out of the logs of proxies. Limits count
 * by method.
 *
 * @see https://docs.slack.dev/apis/web-api/#methods_supporting_json
 * @see https://docs.slack.dev/apis/web-api/rate-limits
 */
const call = (
	method: string,
	form: Readonly<Record<string, string>>,
	needs: readonly string[],
): VendorRequest => ({
	method: 'POST',
	path: `/${method}`,
	body: { form },
	// Resetting again, or invalidating again, ends nothing that was meant to stay.
	idempotent: true,
	bucket: method,
	needs,
});

const whoIsIt = (): VendorRequest => call('auth.test', {}, []);

// --- Users -----------------------------------------------------------------------------------------

/** @see https://docs.slack.dev/reference/objects/user-object */
const userId = /^[UW][A-Z0-9]+$/i;

/** Slack has no short names, so there is nothing to allow: members sign in by their address. */
function* lookUp(identity: string): Inquiry<SlackLookup> {
	if (hasDomain(identity)) return yield* lookUpByEmail(identity);
	if (!userId.test(identity)) return { found: 'none', reply: null };
	const id = identity.toUpperCase();
	const reply = yield call('users.info', { user: id }, [READ]);
	if (errorIn(reply) === 'user_not_found') return { found: 'none', reply };
	const { user } = expectJson(reply, slackUser);
	return user.id === id ? one(reply, user) : { found: 'none', reply };
}

/** @see https://docs.slack.dev/reference/methods/users.lookupByEmail */
function* lookUpByEmail(email: string): Inquiry<SlackLookup> {
	const reply = yield call('users.lookupByEmail', { email }, [READ_EMAIL]);
	if (errorIn(reply) === 'users_not_found') return { found: 'none', reply };
	const { user } = expectJson(reply, slackUser);
	return sameName(user.profile.email, email) ? one(reply, user) : { found: 'none', reply };
}

function one(reply: VendorReply, user: SlackUser): SlackLookup {
	const { id, team_id, enterprise_user: member } = user;
	const refusal = refusalOf(user);
	return {
		found: 'one',
		reply,
		user: asUser(user),
		account: {
			id,
			isPrimaryOwner: (member?.is_primary_owner ?? user.is_primary_owner) === true,
			organization: member?.enterprise_id ?? null,
			teams: member?.teams ?? (team_id ? [team_id] : []),
		},
		...(refusal ? { refusal } : {}),
	};
}

/** Slackbot says of itself that it is none. */
const isBot = ({ id, is_bot }: SlackUser): boolean => is_bot === true || id === 'USLACKBOT';

const refusalOf = (user: SlackUser): Refusal | undefined =>
	isBot(user)
		? unsupported(`${user.id} is a bot, which has no sessions that could end`)
		: undefined;

const unsupported = (why: string): Refusal => ({ cause: 'unsupported_user', why });

const OF_PRIMARY_OWNER = unsupported(
	'Only the primary owner of the organization can end the sessions of the primary owner',
);

function asUser({ id, deleted, profile, real_name }: SlackUser): User {
	const email = profile.email ?? null;
	const names = [profile.real_name, real_name, profile.display_name];
	return {
		id,
		login: email,
		email,
		displayName: names.find(Boolean) ?? null,
		status: deleted === true ? 'deactivated' : 'active',
	};
}

// --- Sessions --------------------------------------------------------------------------------------

/** The most sessions in one answer. */
const PAGE = 1000;

/**
 * The sessions of a user on the whole organization. The document asks for a workspace, but Slack's
 * own example of an answer has an organization there. So the organization is asked for first, and
 * if Slack does not know it as a team, each workspace of the user.
 *
 * @param most no more than so many are needed; null: all
 * @see https://docs.slack.dev/reference/methods/admin.users.session.list
 * @see https://github.com/slackapi/java-slack-sdk/blob/main/json-logs/samples/api/admin.users.session.list.json
 */
function* sessionsOf(
	{ id, organization, teams }: Account,
	most: number | null,
): Inquiry<readonly SlackSession[]> {
	let whole = organization;
	let refusal: VendorReply | null = null;
	if (whole === null) {
		refusal = yield whoIsIt();
		whole = tokenOwner.safeParse(refusal.body).data?.enterprise_id ?? null;
	}
	if (whole !== null) {
		const everywhere = yield* sessionsIn(id, whole, most);
		if ('sessions' in everywhere) return everywhere.sessions;
		({ refusal } = everywhere);
	}
	if (refusal && teams.length === 0) throw new UnusableReply(refusal);
	const found = new Map<number, SlackSession>();
	for (const team of teams) {
		const there = yield* sessionsIn(id, team, most);
		if ('refusal' in there) throw new UnusableReply(there.refusal);
		for (const session of there.sessions) found.set(session.session_id, session);
	}
	return [...found.values()];
}

/** What Slack may say of an organization where it wants a workspace; nothing is documented for it. */
const notThere: ReadonlySet<string | undefined> = new Set(['team_not_found', 'user_not_found']);

function* sessionsIn(
	user: string,
	team: string,
	most: number | null,
): Inquiry<{ sessions: readonly SlackSession[] } | { refusal: VendorReply }> {
	const sessions: SlackSession[] = [];
	let cursor = '';
	do {
		const limit = Math.min(PAGE, most === null ? PAGE : most - sessions.length);
		const form = { user_id: user, team_id: team, limit: String(limit) };
		const reply = yield call(
			'admin.users.session.list',
			cursor === '' ? form : { ...form, cursor },
			[READ_SESSIONS],
		);
		const error = errorIn(reply);
		if (error === 'no_active_sessions') break;
		if (notThere.has(error)) return { refusal: reply };
		const page = expectJson(reply, sessionPage);
		sessions.push(...page.active_sessions);
		cursor = page.response_metadata?.next_cursor ?? '';
	} while (cursor !== '' && (most === null || sessions.length < most));
	return { sessions };
}

const idOf = ({ session_id: id }: SlackSession): string => String(id);

function asSession(raw: SlackSession): Session {
	const { created, recent } = raw;
	const now = recent ?? created;
	const device = [now?.device_hardware, now?.os, now?.os_version].filter(Boolean).join(' ');
	return {
		id: idOf(raw),
		kind: 'session',
		device: device === '' ? null : device,
		address: now?.ip ?? null,
		startedAt: null,
		lastUsedAt: null,
		expiresAt: null,
		raw,
	};
}

// --- Revocation ------------------------------------------------------------------------------------

/** Which sessions are to end. */
interface Which {
	ends: string;
	flags: { mobile_only: string; web_only: string };
	bulk: Batch;
}

function whichOf(ends: string, mobileOnly: boolean, webOnly: boolean): Which {
	const flags = { mobile_only: String(mobileOnly), web_only: String(webOnly) };
	return { ends, flags, bulk: bulkWith(flags) };
}

const RESET_IN_BULK = 'admin.users.session.resetBulk';

/** How a bulk says that it could not be done for one user or another, without telling for whom. */
const FOR_SOME = 'failed_for_some_users';

/** Errors about one of the users; the others may have been queued or not. */
const aboutOne: ReadonlySet<string | undefined> = new Set([
	FOR_SOME,
	'cannot_reset_bot',
	'cannot_reset_primary_owner',
	'session_reset_not_allowed',
	'user_not_found',
]);

/**
 * A bulk is a job that Slack only queues, so it is for runs that are too large for single resets:
 * of those Slack surely takes 20 a minute.
 *
 * @see https://docs.slack.dev/reference/methods/admin.users.session.resetBulk
 */
function bulkWith(flags: Which['flags']): Batch {
	return {
		name: RESET_IN_BULK,
		most: 1000,
		fromUsers: 21,
		gatherMs: 250,
		combine(requests) {
			const users = [...new Set(requests.map(userIn))];
			const form = { user_ids: JSON.stringify(users), ...flags };
			return call(RESET_IN_BULK, form, [END_SESSIONS]);
		},
		split(reply, requests) {
			const all = (body: unknown): VendorReply[] => requests.map(() => ({ ...reply, body }));
			if (isAccepted(reply)) return all({ ok: true, queued: true });
			return aboutOne.has(errorIn(reply)) ? all({ ok: false, error: FOR_SOME }) : undefined;
		},
	};
}

function userIn({ body }: VendorRequest): string {
	if (body === undefined || !('form' in body)) throw new TypeError('A reset is a form');
	return body.form.user_id ?? '';
}

const everySession = whichOf('sessions', false, false);
const mobileSessions = whichOf('mobile sessions', true, false);
const webSessions = whichOf('web sessions', false, true);

function chosen({ mobileOnly, webOnly }: SlackOptions): Which {
	if (mobileOnly) return mobileSessions;
	return webOnly ? webSessions : everySession;
}

const isAccepted = (reply: VendorReply): boolean =>
	reply.status === 200 && accepted.safeParse(reply.body).success;

/**
 * The request that ends a user's sessions.
 *
 * @param listed ids of the sessions that are to end; null when they are not known
 */
function reset(
	{ id, isPrimaryOwner }: Pick<Account, 'id' | 'isPrimaryOwner'>,
	which: Which,
	listed: readonly string[] | null,
	alone = isPrimaryOwner,
): RevokeStep {
	const { ends, flags, bulk } = which;
	const request = call('admin.users.session.reset', { user_id: id, ...flags }, [END_SESSIONS]);
	const done = (reply: VendorReply): StepVerdict => {
		if (listed?.length === 0) return { verdict: 'already_gone' };
		const isQueued = queued.safeParse(reply.body).success;
		return isQueued ? { verdict: 'queued' } : { verdict: 'ended', changed: null };
	};
	return {
		request: alone ? request : { ...request, batch: bulk },
		ends: [ends],
		...(listed ? { count: listed.length, sessions: listed } : {}),
		judge(reply) {
			if (isAccepted(reply)) return done(reply);
			switch (errorIn(reply)) {
				case 'user_not_found':
					return { verdict: 'user_gone' };
				case 'cannot_reset_bot':
					return { verdict: 'refused', refusal: unsupported(`${id} is a bot`) };
				case 'cannot_reset_primary_owner':
				case 'session_reset_not_allowed':
					return { verdict: 'refused', refusal: OF_PRIMARY_OWNER };
				case FOR_SOME:
					if (alone) return undefined;
					return {
						verdict: 'undecided',
						instead: reset({ id, isPrimaryOwner }, which, listed, true),
					};
				default:
					return undefined;
			}
		},
	};
}

const survives = (options: SlackOptions): readonly Survivor[] => [
	...survivingSessions(options),
	{
		what: 'OAuth tokens of apps',
		forMs: null,
		note: 'Apps that the user has authorized keep their tokens; Slack documents no end of them by a reset',
	},
];

function survivingSessions({ mobileOnly, webOnly }: SlackOptions): readonly Survivor[] {
	if (mobileOnly) {
		const note = 'Only mobile sessions were to end: browsers and desktop apps stay signed in';
		return [{ what: 'web and desktop sessions', forMs: null, note }];
	}
	if (!webOnly) return [];
	const note =
		'Only web sessions were to end: mobile apps stay signed in, and Slack does not document whether desktop apps do';
	return [{ what: 'mobile and desktop sessions', forMs: null, note }];
}

// --- Set-up ----------------------------------------------------------------------------------------

/**
 * The scopes of the token; null when Slack does not tell. Slack's SDK reads the same header.
 *
 * @see https://github.com/slackapi/node-slack-sdk/blob/main/packages/web-api/src/WebClient.ts
 */
function scopesIn({ headers }: VendorReply): readonly string[] | null {
	return headers['x-oauth-scopes']?.split(',').map((scope) => scope.trim()) ?? null;
}

const UNSEEN = `Without ${READ_SESSIONS} sessions can be neither counted nor verified, and whether the token's member is an Org Owner or Org Admin shows only when sessions are revoked`;

export const slack = defineConnector<SlackCredential, Account, SlackOptions>({
	key: 'slack_enterprise',
	title: 'Slack',
	node: {
		className: 'SlackSessions',
		displayName: 'Slack Sessions',
		description: 'Look up members of a Slack Enterprise organization and end their sessions',
		icon: 'slack',
		alias: ['Enterprise Grid', 'Session Reset', 'Sign Out', 'Log Out', 'Incident Response'],
	},
	docs: 'slack',
	userPlaceholder: 'e.g. jane@example.com',
	operations: ['retrieveUser', 'revokeAllSessions', 'listSessions', 'revokeSession', 'checkSetup'],
	options: {
		fields: [
			{
				name: 'mobileOnly',
				label: 'Mobile Sessions Only',
				type: 'boolean',
				default: false,
				description:
					'Whether to end only the sessions of mobile apps. They are neither counted nor verified.',
			},
			{
				name: 'webOnly',
				label: 'Web Sessions Only',
				type: 'boolean',
				default: false,
				description:
					'Whether to end only the sessions of browsers. They are neither counted nor verified.',
			},
		],
		schema: options,
	},
	credential: {
		name: 'slackSessionsApi',
		displayName: 'Slack Sessions API',
		fields,
		schema,
		// Nobody is meant: that such a member is not found is what shows that members can be looked up.
		test: {
			baseUrlField: 'apiUrl',
			path: '/users.lookupByEmail?email=nobody%40example.com',
			needs: READ_EMAIL,
			refusals,
		},
	},
	access,
	// In every answer, though in no document.
	requestId: { header: 'x-slack-req-id' },
	errorCode,
	explain,
	lookUp,

	*ownAccount() {
		return expectJson(yield whoIsIt(), tokenOwner).user_id;
	},

	endedOutcome: 'revoked',

	/**
	 * The list is for the counts only. The reset goes out also when it is empty, because Slack does
	 * not promise that it shows everything. It does not say either which sessions are mobile ones.
	 */
	revocation(account, { options }) {
		const sort = chosen(options);
		const uncounted = reset(account, sort, null);
		if (sort !== everySession) return [uncounted];
		const listing: Listing = {
			lists: sort.ends,
			*list() {
				return [reset(account, sort, (yield* sessionsOf(account, null)).map(idOf))];
			},
			orElse: [uncounted],
		};
		return [listing];
	},

	*listSessions(account, { limit }) {
		return (yield* sessionsOf(account, limit)).map(asSession);
	},

	revokeOne: {
		placeholder: 'e.g. 5000000000123',
		ofUser: true,
		/**
		 * The user's id names the session together with its own: an id of the workspace, which Slack's
		 * SDKs still ask for, was for a time of transition.
		 *
		 * @see https://docs.slack.dev/reference/methods/admin.users.session.invalidate
		 */
		step({ value }, account) {
			const isNumber = /^\d+$/.test(value) && Number.isSafeInteger(Number(value));
			if (!isNumber || account === null) {
				throw new InvalidInput('The ID of a session is a whole number, as List Sessions tells it');
			}
			const { id } = account;
			return {
				request: call('admin.users.session.invalidate', { session_id: value, user_id: id }, [
					END_SESSIONS,
				]),
				ends: ['session'],
				judge(reply) {
					if (isAccepted(reply)) return { verdict: 'ended', changed: true };
					switch (errorIn(reply)) {
						case 'session_not_found':
							return { verdict: 'already_gone' };
						case 'user_not_found':
							return { verdict: 'user_gone' };
						case 'cannot_invalidate_primary_owner':
							return { verdict: 'refused', refusal: OF_PRIMARY_OWNER };
						default:
							return undefined;
					}
				},
			};
		},
	},

	readBack: {
		method: 'Slack admin.users.session.list',
		// A reset shows at once; a bulk is a job, for which Slack documents no time.
		polls: [0, 500, 1000, 2000],
		isPossible: ({ options }) => chosen(options) === everySession,
		*read(account, _, { sent }) {
			const shown = yield* sessionsOf(account, null);
			if (shown.length === 0) return { seen: 'confirmed' };
			// Sessions carry no times: only those that were listed before are surely old.
			const before = sent.find(({ sessions }) => sessions)?.sessions;
			if (!before) return { seen: 'not_yet' };
			const remaining = shown.filter((session) => before.includes(idOf(session))).length;
			return remaining === 0 ? { seen: 'confirmed' } : { seen: 'residue', remaining };
		},
	},

	survives,

	/** Reading the settings of its own member's sessions proves that the token may administer members. */
	*checkSetup() {
		const reply = yield whoIsIt();
		const { user_id, enterprise_id, bot_id } = expectJson(reply, tokenOwner);
		const problemOf = (cause: 'credential_invalid' | 'configuration', what: string) => ({
			missingPermissions: [],
			unproved: null,
			problem: { cause, what },
		});
		if (bot_id) {
			return problemOf('credential_invalid', "the token is a bot's; sessions end by a user token");
		}
		if (!enterprise_id) {
			const what = 'the token is of a workspace outside any Enterprise organization';
			return problemOf('configuration', what);
		}
		const scopes = scopesIn(reply);
		const needed = [READ, READ_EMAIL, END_SESSIONS];
		const missingPermissions = scopes ? needed.filter((scope) => !scopes.includes(scope)) : [];
		if (missingPermissions.length > 0) return { missingPermissions, unproved: null };
		if (scopes?.includes(READ_SESSIONS) === false) return { missingPermissions, unproved: UNSEEN };
		const user_ids = JSON.stringify([user_id]);
		expectJson(
			yield call('admin.users.session.getSettings', { user_ids }, [READ_SESSIONS]),
			accepted,
		);
		const unproved = scopes
			? null
			: `Slack does not tell the scopes of the token, so whether it may revoke (${END_SESSIONS}) shows only when it is done`;
		return { missingPermissions, unproved };
	},
});
