/**
 * The state of one simulated Slack organisation: workspaces, members with their sessions, tokens of
 * apps. Shapes follow Slack's documents of the user object and of `admin.users.session.list`, and the
 * recorded answers in slackapi/java-slack-sdk (`json-logs/samples/api`).
 */
import { createHash, randomBytes } from 'node:crypto';

/** What a session runs in. */
export type SlackClient = 'desktop' | 'mobile' | 'web';

/** Rank in the organisation. */
type SlackRole = 'primary_owner' | 'owner' | 'admin' | 'member';

/** What `addUser` takes. */
export interface SlackUserInit {
	/** Unique in the organisation; bots have none. */
	email?: string;
	id?: string;
	/** Default: what stands before the @ of the address. */
	name?: string;
	realName?: string;
	/** Default: `member`. */
	role?: SlackRole;
	/** A guest of several channels (`restricted`) or of a single one. */
	guest?: 'restricted' | 'ultra_restricted';
	isBot?: boolean;
	/** A deactivated account. */
	deleted?: boolean;
	/** Ids of workspaces; default: the first one. */
	teams?: readonly string[];
	title?: string;
	sessions?: readonly SlackClient[];
	/** Settings of the account's sessions, if an admin made any; the duration in seconds. */
	sessionSettings?: { desktop_app_browser_quit: boolean; duration: number };
}

/** A member, a guest or a bot. */
export interface SlackUser {
	readonly id: string;
	/** Only bots have one. */
	readonly botId?: string;
	email?: string;
	name: string;
	realName: string;
	role: SlackRole;
	guest?: 'restricted' | 'ultra_restricted';
	deleted: boolean;
	teams: readonly string[];
	title: string;
	sessionSettings?: { desktop_app_browser_quit: boolean; duration: number };
	/** Milliseconds since the epoch. */
	updatedAt: number;
}

/** What of a member `updateUser` may change. */
type SlackUserChange = Partial<
	Pick<SlackUser, 'email' | 'name' | 'realName' | 'role' | 'guest' | 'teams' | 'sessionSettings'>
>;

interface SlackDevice {
	readonly device_hardware: string;
	readonly os: string;
	readonly os_version: string;
	readonly slack_client_version: string;
	readonly ip: string;
}

/** A session as `admin.users.session.list` shows it. */
export interface SlackSession {
	readonly user_id: string;
	readonly team_id: string;
	readonly session_id: number;
	readonly created: SlackDevice;
	/** Absent if nothing changed since the sign-in. */
	readonly recent?: SlackDevice;
}

/** What `addToken` takes. */
export interface SlackTokenInit {
	/** Whom the token acts as: a member for a user token, a bot for a bot token. */
	user: string;
	scopes: readonly string[];
	/** Default: `org`, or `workspace` where there is no organisation. */
	install?: 'org' | 'workspace';
	token?: string;
	/** Rate limits are counted by app. */
	appId?: string;
	/** Milliseconds since the epoch; only with token rotation does a token expire. */
	expiresAt?: number;
}

/** A token of an app. */
export interface SlackToken {
	readonly kind: 'user' | 'bot';
	readonly userId: string;
	readonly scopes: readonly string[];
	readonly install: 'org' | 'workspace';
	readonly appId: string;
	readonly expiresAt: number;
	revoked: boolean;
}

/** Behaviour that tests switch; the documents allow all of it. */
interface SlackSwitches {
	/** False: a workspace of another plan, without an organisation around it. */
	enterprise: boolean;
	/** How long after `admin.users.session.reset` sessions end, in milliseconds. */
	resetDelayMs: number;
	/** How long after `admin.users.session.resetBulk` the queued job runs, in milliseconds. */
	bulkDelayMs: number;
	/** `refused`: one account that cannot be reset keeps the whole job from being queued. */
	bulkWithFailures: 'partial' | 'refused';
	/** How long the list shows sessions that ended, in milliseconds. */
	listLagMs: number;
	/** How the list says that there is nothing: with the documented error, or with an empty list. */
	cleanList: 'no_active_sessions' | 'empty';
	/** Whose id the sessions carry: the recorded answer shows the organisation's. */
	sessionTeam: 'enterprise' | 'workspace';
	/** Which `team_id` the list takes. The document says workspace, the recorded answer organisation. */
	listTeam: 'either' | 'enterprise' | 'workspace';
	/** Which `team_id` `auth.test` shows for an app of the whole organisation. Both were seen. */
	orgTeam: 'enterprise' | 'workspace';
	/** Whether `web_only` ends the sessions of desktop apps. The document does not name them. */
	webOnlyEndsDesktop: boolean;
	/** `team`: a session may be named by its workspace too, as `session.invalidate` once documented. */
	invalidateBy: 'user' | 'team';
	/**
	 * Whether `users.lookupByEmail` finds deactivated accounts. Slack's page once said that it answers
	 * `users_not_found` (quoted in pablovarela/terraform-provider-slack, issue 251).
	 */
	lookupFindsDeleted: boolean;
	/** Whether `users.lookupByEmail` ignores case. The documents do not say. */
	lookupIgnoresCase: boolean;
	/** Whether methods that only read take JSON. Slack says so of "most write methods". */
	readsTakeJson: boolean;
	/** How far Slack's clock is off, in milliseconds. */
	clockSkewMs: number;
}

/** Options of a Slack organisation. */
export interface SlackOrgOptions extends Partial<SlackSwitches> {
	/** Fills the organisation; runs again after a reset. */
	seed?: (org: SlackOrg) => void;
}

interface StoredSession {
	readonly shown: SlackSession;
	readonly client: SlackClient;
	readonly createdAt: number;
	endedAt: number;
}

interface ResetJob {
	readonly userId: string;
	readonly clients: readonly SlackClient[];
	readonly runsAt: number;
}

const ENTERPRISE_ID = 'E0SIMULATED';

const DEVICES: Readonly<Record<SlackClient, Omit<SlackDevice, 'ip'>>> = {
	desktop: {
		device_hardware: 'MacBookPro18,3',
		os: 'Mac OS',
		os_version: '15.5',
		slack_client_version: '4.44.65',
	},
	mobile: {
		device_hardware: 'iPhone15,2',
		os: 'iOS',
		os_version: '18.5',
		slack_client_version: '25.06.10',
	},
	web: {
		device_hardware: '',
		os: 'Windows',
		os_version: '10',
		slack_client_version: 'browser',
	},
};

const fold = (text: string): string => text.toLowerCase();

/** One Slack organisation. All methods that take a user take an id or an e-mail address. */
export class SlackOrg implements SlackSwitches {
	enterprise!: SlackSwitches['enterprise'];
	resetDelayMs!: SlackSwitches['resetDelayMs'];
	bulkDelayMs!: SlackSwitches['bulkDelayMs'];
	bulkWithFailures!: SlackSwitches['bulkWithFailures'];
	listLagMs!: SlackSwitches['listLagMs'];
	cleanList!: SlackSwitches['cleanList'];
	sessionTeam!: SlackSwitches['sessionTeam'];
	listTeam!: SlackSwitches['listTeam'];
	orgTeam!: SlackSwitches['orgTeam'];
	webOnlyEndsDesktop!: SlackSwitches['webOnlyEndsDesktop'];
	invalidateBy!: SlackSwitches['invalidateBy'];
	lookupFindsDeleted!: SlackSwitches['lookupFindsDeleted'];
	lookupIgnoresCase!: SlackSwitches['lookupIgnoresCase'];
	readsTakeJson!: SlackSwitches['readsTakeJson'];
	clockSkewMs!: SlackSwitches['clockSkewMs'];
	readonly enterpriseId = ENTERPRISE_ID;
	readonly enterpriseName = 'Example';
	/** The first one is everybody's unless said otherwise. */
	readonly workspaces: readonly { id: string; name: string; domain: string }[] = [
		{ id: 'T0SIMULATED', name: 'Example HQ', domain: 'example-hq' },
		{ id: 'T1SIMULATED', name: 'Example Labs', domain: 'example-labs' },
	];

	private ids = 0;
	private sessionIds = 0;
	private readonly people = new Map<string, SlackUser>();
	private readonly byEmail = new Map<string, SlackUser>();
	private readonly sessions = new Map<number, StoredSession>();
	private readonly sessionsByUser = new Map<string, StoredSession[]>();
	private readonly tokens = new Map<string, SlackToken>();
	private jobs: ResetJob[] = [];

	constructor(private readonly options: SlackOrgOptions) {
		this.fill();
	}

	/** The vendor's clock, in milliseconds since the epoch. */
	now(): number {
		return Date.now() + this.clockSkewMs;
	}

	/** Back to the seed, switches included: same users, same ids. */
	reset(): void {
		this.ids = 0;
		this.sessionIds = 0;
		this.people.clear();
		this.byEmail.clear();
		this.sessions.clear();
		this.sessionsByUser.clear();
		this.tokens.clear();
		this.jobs = [];
		this.fill();
	}

	private fill(): void {
		const { options } = this;
		this.enterprise = options.enterprise ?? true;
		this.resetDelayMs = options.resetDelayMs ?? 0;
		this.bulkDelayMs = options.bulkDelayMs ?? 500;
		this.bulkWithFailures = options.bulkWithFailures ?? 'partial';
		this.listLagMs = options.listLagMs ?? 0;
		this.cleanList = options.cleanList ?? 'no_active_sessions';
		this.sessionTeam = options.sessionTeam ?? 'enterprise';
		this.listTeam = options.listTeam ?? 'either';
		this.orgTeam = options.orgTeam ?? 'enterprise';
		this.webOnlyEndsDesktop = options.webOnlyEndsDesktop ?? true;
		this.invalidateBy = options.invalidateBy ?? 'user';
		this.lookupFindsDeleted = options.lookupFindsDeleted ?? false;
		this.lookupIgnoresCase = options.lookupIgnoresCase ?? true;
		this.readsTakeJson = options.readsTakeJson ?? false;
		this.clockSkewMs = options.clockSkewMs ?? 0;
		options.seed?.(this);
	}

	/** Ids of members of an organisation begin with U or with W. */
	private nextId(prefix: string): string {
		this.ids += 1;
		const hex = createHash('sha256').update(`slack-${this.ids}`).digest('hex');
		const text = BigInt(`0x${hex}`).toString(36).toUpperCase();
		return `${prefix}0${text.slice(0, 9)}`;
	}

	// --- Users -------------------------------------------------------------------------------------

	/** Adds a member, a guest or a bot; the address must be free. */
	addUser(init: SlackUserInit): SlackUser {
		const { email, isBot = false } = init;
		if ((email === undefined) !== isBot) throw new Error('bots, and only bots, have no address');
		if (email !== undefined && this.byEmail.has(fold(email))) {
			throw new Error(`there already is a user ${email}`);
		}
		const name = init.name ?? email?.split('@')[0] ?? 'bot';
		const user: SlackUser = {
			id: init.id ?? this.nextId(this.enterprise && this.ids % 2 === 1 ? 'W' : 'U'),
			...(isBot ? { botId: this.nextId('B') } : {}),
			...(email === undefined ? {} : { email }),
			name,
			realName: init.realName ?? name,
			role: init.role ?? 'member',
			...(init.guest === undefined ? {} : { guest: init.guest }),
			deleted: init.deleted ?? false,
			teams: init.teams ?? [this.workspaces[0]?.id ?? ''],
			title: init.title ?? '',
			...(init.sessionSettings === undefined ? {} : { sessionSettings: init.sessionSettings }),
			updatedAt: this.now(),
		};
		this.people.set(user.id, user);
		if (email !== undefined) this.byEmail.set(fold(email), user);
		this.signIn(user.id, init.sessions ?? []);
		return user;
	}

	/** Changes a member as an admin would. */
	updateUser(user: string, change: SlackUserChange): SlackUser {
		const found = this.require(user);
		if (found.email !== undefined) this.byEmail.delete(fold(found.email));
		Object.assign(found, change, { updatedAt: this.now() });
		if (found.email !== undefined) this.byEmail.set(fold(found.email), found);
		return found;
	}

	/** Deactivates a member, which ends the sessions. */
	deactivateUser(user: string): void {
		const found = this.require(user);
		found.deleted = true;
		found.updatedAt = this.now();
		this.end(found.id, ['desktop', 'mobile', 'web'], this.now());
	}

	/** Removes a member as if the account had never been: Slack itself only deactivates. */
	removeUser(user: string): void {
		const { id, email } = this.require(user);
		if (email !== undefined) this.byEmail.delete(fold(email));
		for (const { shown } of this.sessionsByUser.get(id) ?? []) {
			this.sessions.delete(shown.session_id);
		}
		this.sessionsByUser.delete(id);
		this.people.delete(id);
	}

	/** The user with this id or this address, ignoring the address's case. */
	getUser(user: string): SlackUser | undefined {
		return this.people.get(user) ?? this.byEmail.get(fold(user));
	}

	/** Everybody, in order of creation. */
	allUsers(): SlackUser[] {
		return [...this.people.values()];
	}

	private require(user: string): SlackUser {
		const found = this.getUser(user);
		if (found === undefined) throw new Error(`there is no user ${user}`);
		return found;
	}

	// --- Sessions ----------------------------------------------------------------------------------

	/** The user signs in with these clients; the ids of the new sessions. */
	signIn(user: string, clients: readonly SlackClient[] = ['web'], teamId?: string): number[] {
		const { id, deleted, botId, teams } = this.require(user);
		if (clients.length > 0 && (deleted || botId !== undefined)) {
			throw new Error(`${user} cannot sign in`);
		}
		const ofOrg = this.enterprise && this.sessionTeam === 'enterprise';
		const team = teamId ?? (ofOrg ? this.enterpriseId : (teams[0] ?? ''));
		return clients.map((client) => {
			this.sessionIds += 1;
			const created = { ...DEVICES[client], ip: `192.0.2.${this.sessionIds % 255}` };
			// Every third client was updated since.
			const updated = this.sessionIds % 3 === 0;
			const stored: StoredSession = {
				shown: {
					user_id: id,
					team_id: team,
					session_id: 4_000_000_000_000 + this.sessionIds,
					created,
					...(updated ? { recent: { ...created, ip: '198.51.100.7' } } : {}),
				},
				client,
				createdAt: this.now(),
				endedAt: Number.POSITIVE_INFINITY,
			};
			this.sessions.set(stored.shown.session_id, stored);
			this.sessionsByUser.set(id, [...(this.sessionsByUser.get(id) ?? []), stored]);
			return stored.shown.session_id;
		});
	}

	/** Whether a session with this id is alive. */
	isLive(sessionId: number): boolean {
		this.runJobs();
		return (this.sessions.get(sessionId)?.endedAt ?? 0) > this.now();
	}

	/** Sessions of a user that are alive, of one kind of client or of all. */
	sessionsOf(user: string, client?: SlackClient): SlackSession[] {
		this.runJobs();
		const now = this.now();
		return (this.sessionsByUser.get(this.require(user).id) ?? [])
			.filter((one) => one.endedAt > now && (client === undefined || one.client === client))
			.map(({ shown }) => shown);
	}

	/** What the list shows, ended sessions within `listLagMs` included: of one user, or of all. */
	listedSessions(user?: string): SlackSession[] {
		this.runJobs();
		const now = this.now();
		const stored =
			user === undefined ? this.sessions.values() : (this.sessionsByUser.get(user) ?? []);
		return [...stored]
			.filter(({ endedAt }) => endedAt + this.listLagMs > now)
			.map(({ shown }) => shown);
	}

	/** Ends one session; false if it is not alive. */
	endSession(sessionId: number): boolean {
		const stored = this.sessions.get(sessionId);
		if (stored === undefined || !this.isLive(sessionId)) return false;
		stored.endedAt = this.now();
		return true;
	}

	/** The sessions of this kind end after a delay: all that are alive by then. */
	scheduleReset(
		userIds: readonly string[],
		{ mobileOnly, webOnly }: { mobileOnly: boolean; webOnly: boolean },
		delayMs: number,
	): void {
		const mobile: SlackClient[] = mobileOnly || !webOnly ? ['mobile'] : [];
		const web: SlackClient[] = webOnly || !mobileOnly ? ['web'] : [];
		const desktop: SlackClient[] =
			mobileOnly === webOnly || (webOnly && this.webOnlyEndsDesktop) ? ['desktop'] : [];
		const clients = [...mobile, ...web, ...desktop];
		const runsAt = this.now() + delayMs;
		for (const userId of userIds) this.jobs.push({ userId, clients, runsAt });
		this.runJobs();
	}

	/** Jobs need no timer: whoever looks at a session lets those run first that are due. */
	private runJobs(): void {
		const now = this.now();
		const due = this.jobs.filter(({ runsAt }) => runsAt <= now);
		if (due.length === 0) return;
		this.jobs = this.jobs.filter(({ runsAt }) => runsAt > now);
		for (const { userId, clients, runsAt } of due) this.end(userId, clients, runsAt);
	}

	private end(userId: string, clients: readonly SlackClient[], at: number): void {
		for (const stored of this.sessionsByUser.get(userId) ?? []) {
			if (!clients.includes(stored.client) || stored.createdAt > at) continue;
			stored.endedAt = Math.min(stored.endedAt, at);
		}
	}

	// --- Tokens ------------------------------------------------------------------------------------

	/** Installs an app, so to speak; its token. */
	addToken(init: SlackTokenInit): string {
		const user = this.require(init.user);
		const { scopes, install = this.enterprise ? 'org' : 'workspace' } = init;
		// Documented: https://docs.slack.dev/reference/scopes/users.read.email
		if (scopes.includes('users:read.email') && !scopes.includes('users:read')) {
			throw new Error('users:read.email is granted together with users:read only');
		}
		if (install === 'org' && !this.enterprise) throw new Error('there is no organisation');
		const kind = user.botId === undefined ? 'user' : 'bot';
		const prefix = kind === 'user' ? 'xoxp' : 'xoxb';
		const token = init.token ?? `${prefix}-simulated-${randomBytes(24).toString('hex')}`;
		this.tokens.set(token, {
			kind,
			userId: user.id,
			scopes: [...scopes],
			install,
			appId: init.appId ?? 'A0SIMULATED',
			expiresAt: init.expiresAt ?? Number.POSITIVE_INFINITY,
			revoked: false,
		});
		return token;
	}

	/** Ends a token, as removing the app does; false if there is none. */
	revokeToken(token: string): boolean {
		const found = this.tokens.get(token);
		if (found === undefined) return false;
		found.revoked = true;
		return true;
	}

	/** Ends every token. */
	withdrawTokens(): void {
		for (const token of this.tokens.values()) token.revoked = true;
	}

	/** The token, or the documented error that it earns. */
	token(
		text: string,
	): SlackToken | 'invalid_auth' | 'account_inactive' | 'token_revoked' | 'token_expired' {
		const found = this.tokens.get(text);
		if (found === undefined) return 'invalid_auth';
		if (found.revoked || this.people.get(found.userId)?.deleted !== false) {
			return found.kind === 'bot' ? 'account_inactive' : 'token_revoked';
		}
		return found.expiresAt > this.now() ? found : 'token_expired';
	}

	/** Everything but secrets, as JSON. */
	toJSON(): unknown {
		return {
			enterpriseId: this.enterprise ? this.enterpriseId : null,
			workspaces: this.workspaces,
			users: this.allUsers().map((user) => ({ ...user, sessions: this.sessionsOf(user.id) })),
			tokens: [...this.tokens.values()],
		};
	}
}
