/**
 * The state of one simulated Janssen server: users, the sessions and tokens that the authorization
 * server keeps of them, OAuth clients and their access tokens. Shapes follow the OpenAPI documents of
 * the config API and its examples (https://github.com/JanssenProject/jans, jans-config-api).
 */
import { randomBytes, randomUUID } from 'node:crypto';

/** The values of `jansStatus`. */
type JanssenStatus = 'active' | 'inactive' | 'expired' | 'register';

/** The two states that a session can have. */
export type JanssenSessionState = 'authenticated' | 'unauthenticated';

export type JanssenTokenKind = 'access_token' | 'id_token' | 'refresh_token';

/** A user; `userId` is the attribute `uid`, which people sign in with. */
export interface JanssenUser {
	readonly inum: string;
	readonly dn: string;
	userId: string;
	mail: string | null;
	displayName: string;
	givenName: string | null;
	sn: string | null;
	status: JanssenStatus;
	readonly createdAt: string;
}

/** What `addUser` takes. Only the user id is needed; numbers create things. */
export interface JanssenUserInit {
	userId: string;
	/** Default: a UUID. */
	inum?: string;
	/** Default: the user id if it is an address; `null` for an account without one. */
	mail?: string | null;
	displayName?: string;
	givenName?: string;
	sn?: string;
	status?: JanssenStatus;
	/** Authenticated sessions, each with an access token and an ID token. */
	sessions?: number;
	/** Sessions of a sign-in that was begun and not finished. */
	unauthenticated?: number;
	refreshTokens?: number;
}

/** What of a user `updateUser` may change. */
export type JanssenUserChange = Partial<
	Pick<JanssenUser, 'displayName' | 'givenName' | 'mail' | 'sn' | 'status' | 'userId'>
>;

/** A session as the authorization server keeps it. Times are milliseconds since the epoch. */
export interface JanssenSession {
	readonly id: string;
	readonly dn: string;
	/** The identifier that relying parties see; single sessions are named by it. */
	readonly sid: string;
	readonly userDn: string;
	readonly userId: string;
	readonly state: JanssenSessionState;
	readonly createdAt: number;
	readonly expiresAt: number;
	readonly remoteIp: string;
}

/** A registered OAuth client. */
export interface JanssenClient {
	readonly clientId: string;
	readonly secret: string;
	scopes: readonly string[];
}

/** What `addClient` takes. */
export interface JanssenClientInit {
	clientId?: string;
	secret?: string;
	scopes: readonly string[];
}

/** An access token outside the token endpoint. */
export interface JanssenAccessTokenInit {
	clientId: string;
	/** Default: all scopes of the client. */
	scopes?: readonly string[];
	/** Default: `tokenLifeSeconds`. */
	lifeSeconds?: number;
}

/** Whom an access token stands for. */
export interface JanssenPrincipal {
	readonly client: JanssenClient;
	readonly scopes: readonly string[];
}

/** Behaviour that tests switch: versions and installations differ in it, or the documents do. */
export interface JanssenSwitches {
	/** The path of the user plugin: most documents write `mgt`, one version of its OpenAPI `mgmt`. */
	userPath: 'mgt' | 'mgmt';
	/** How `fieldValuePair` finds users: as a part of the value (the newer source), or all of it. */
	userMatch: 'substring' | 'equality';
	/** A matter of the database below: MySQL ignores letter case, PostgreSQL does not. */
	letterCase: 'ignored' | 'significant';
	/**
	 * `delete`: today's `DELETE /session/user/{userDn}`, search, and single sessions.
	 * `post`: an older version with `GET /session` and `POST /session/{userDn}`.
	 */
	sessionApi: 'delete' | 'post';
	/** How the older version answers the paths of today. */
	absentStatus: 404 | 405;
	/** The source answers 200 to both DELETEs, the OpenAPI document says 204. */
	deletedStatus: 200 | 204;
	/** `GET /session`: the schema is a page, the example and the older version an array. */
	sessionList: 'page' | 'array';
	/** Documented as the first result's number, from 1; the source hands it to the database as an offset. */
	startIndex: 'offset' | 'oneBased';
	/** The member of a session that names it in paths: documented as `outsideSid`. */
	sidMember: 'outsideSid' | 'sid';
	/** `GET /session/sid/{sid}` for none: documented as 404; the source answers 200 without a body. */
	unknownSid: 'notFound' | 'empty';
	/** Whether the feature flag GLOBAL_TOKEN_REVOCATION is on. */
	globalTokenRevocation: boolean;
	/** Whether the feature flag REVOKE_SESSION is on. */
	revokeSession: boolean;
	/** The documents show Bearer at the revocation endpoints, the vendor's own run log Basic. */
	bearerAtRevocation: boolean;
	/** How long lists show sessions that have ended. */
	replicationLagMs: number;
	/** Difference between the vendor's clock and ours. */
	clockSkewMs: number;
	/** The life of access tokens that clients get. */
	tokenLifeSeconds: number;
}

/** Options of a server. */
export interface JanssenServerOptions extends Partial<JanssenSwitches> {
	/** The entry that users are below. */
	peopleDn?: string;
	/** Fills a new or reset server. */
	seed?: (server: JanssenServer) => void;
	users?: readonly JanssenUserInit[];
	clients?: readonly JanssenClientInit[];
}

const DEFAULTS: JanssenSwitches = {
	userPath: 'mgt',
	userMatch: 'substring',
	letterCase: 'ignored',
	sessionApi: 'delete',
	absentStatus: 404,
	deletedStatus: 200,
	sessionList: 'page',
	startIndex: 'offset',
	sidMember: 'outsideSid',
	unknownSid: 'notFound',
	globalTokenRevocation: true,
	revokeSession: true,
	bearerAtRevocation: true,
	replicationLagMs: 0,
	clockSkewMs: 0,
	tokenLifeSeconds: 300,
};

const DAY_MS = 24 * 60 * 60 * 1000;
/** The default of `sessionIdLifetime`, a day. */
const SESSION_MS = DAY_MS;
const SESSIONS_DN = 'ou=sessions,o=jans';

interface StoredSession extends JanssenSession {
	endedAt?: number;
}

interface StoredToken {
	readonly code: string;
	readonly kind: JanssenTokenKind;
	readonly userDn: string;
	readonly sessionDn: string | undefined;
}

/** The form in which the config API writes times: UTC, without a zone. */
export const janssenTime = (ms: number): string => new Date(ms).toISOString().slice(0, 19);

/** One Janssen server. All methods that take a user take a user id, an inum or a DN. */
export class JanssenServer implements JanssenSwitches {
	userPath!: JanssenSwitches['userPath'];
	userMatch!: JanssenSwitches['userMatch'];
	letterCase!: JanssenSwitches['letterCase'];
	sessionApi!: JanssenSwitches['sessionApi'];
	absentStatus!: JanssenSwitches['absentStatus'];
	deletedStatus!: JanssenSwitches['deletedStatus'];
	sessionList!: JanssenSwitches['sessionList'];
	startIndex!: JanssenSwitches['startIndex'];
	sidMember!: JanssenSwitches['sidMember'];
	unknownSid!: JanssenSwitches['unknownSid'];
	globalTokenRevocation!: boolean;
	revokeSession!: boolean;
	bearerAtRevocation!: boolean;
	replicationLagMs!: number;
	clockSkewMs!: number;
	tokenLifeSeconds!: number;
	readonly peopleDn: string;

	private readonly people = new Map<string, JanssenUser>();
	/** By DN, of those who have signed in. */
	private readonly sessions = new Map<string, StoredSession[]>();
	private readonly tokens = new Map<string, StoredToken[]>();
	private readonly clients = new Map<string, JanssenClient>();
	private readonly accessTokens = new Map<string, JanssenPrincipal & { expiresAt: number }>();
	/** Given out in the same order after each reset. */
	private readonly inums: string[] = [];
	private inumsUsed = 0;

	constructor(private readonly options: JanssenServerOptions) {
		this.peopleDn = options.peopleDn ?? 'ou=people,o=jans';
		this.fill();
	}

	/** The vendor's clock, in milliseconds since the epoch. */
	now(): number {
		return Date.now() + this.clockSkewMs;
	}

	/** Back to the seed, switches included: same users, same inums. */
	reset(): void {
		for (const kept of [this.people, this.sessions, this.tokens, this.clients]) kept.clear();
		this.accessTokens.clear();
		this.inumsUsed = 0;
		this.fill();
	}

	private fill(): void {
		const { peopleDn: _, seed, users = [], clients = [], ...switches } = this.options;
		Object.assign(this, DEFAULTS, switches);
		for (const user of users) this.addUser(user);
		for (const client of clients) this.addClient(client);
		seed?.(this);
	}

	// --- Users -------------------------------------------------------------------------------------

	/** Adds a user; the user id must be free. */
	addUser(init: JanssenUserInit): JanssenUser {
		if (this.getUser(init.userId) !== undefined) {
			throw new Error(`there already is a user ${init.userId}`);
		}
		const inum = init.inum ?? (this.inums[this.inumsUsed] ??= randomUUID());
		if (init.inum === undefined) this.inumsUsed += 1;
		const { userId, displayName = userId, givenName = null, sn = null, status = 'active' } = init;
		const user: JanssenUser = {
			inum,
			dn: `inum=${inum},${this.peopleDn}`,
			userId,
			mail: init.mail === undefined ? (userId.includes('@') ? userId : null) : init.mail,
			displayName,
			givenName,
			sn,
			status,
			createdAt: janssenTime(this.now() - 90 * DAY_MS),
		};
		this.people.set(inum, user);
		this.open(user, 'authenticated', init.sessions ?? 0);
		this.open(user, 'unauthenticated', init.unauthenticated ?? 0);
		this.issueRefreshTokens(user, init.refreshTokens ?? 0);
		return { ...user };
	}

	/** Changes a user as an admin would. */
	updateUser(user: string, change: JanssenUserChange): JanssenUser {
		return { ...Object.assign(this.require(user), change) };
	}

	/** Deletes a user. The config API leaves the sessions and tokens of a deleted user alone. */
	removeUser(user: string): void {
		this.people.delete(this.require(user).inum);
	}

	/** The user with this user id (ignoring case), inum or DN. */
	getUser(user: string): JanssenUser | undefined {
		const found = this.find(user);
		return found && { ...found };
	}

	/** Everybody, in order of creation. */
	allUsers(): JanssenUser[] {
		return [...this.people.values()].map((user) => ({ ...user }));
	}

	private find(user: string): JanssenUser | undefined {
		const byInum = this.people.get(user);
		if (byInum !== undefined) return byInum;
		const folded = user.toLowerCase();
		for (const one of this.people.values()) {
			if (one.userId.toLowerCase() === folded || one.dn === user) return one;
		}
		return undefined;
	}

	private require(user: string): JanssenUser {
		const found = this.find(user);
		if (found === undefined) throw new Error(`there is no user ${user}`);
		return found;
	}

	// --- Sessions and tokens -----------------------------------------------------------------------

	/** The user signs in, which makes sessions and refresh tokens (one of each by default). */
	signIn(
		user: string,
		made: { sessions?: number; refreshTokens?: number } = {},
	): { sessions: JanssenSession[]; refreshTokens: string[] } {
		const found = this.require(user);
		if (found.status !== 'active') throw new Error(`${user} is ${found.status}, cannot sign in`);
		return {
			sessions: this.open(found, 'authenticated', made.sessions ?? 1),
			refreshTokens: this.issueRefreshTokens(found, made.refreshTokens ?? 1),
		};
	}

	/** Whether the session with this id or sid, or the token with this code, is alive. */
	isLive(id: string): boolean {
		const now = this.now();
		for (const [userDn, sessions] of this.sessions) {
			if (sessions.some((one) => (one.id === id || one.sid === id) && alive(one, now))) return true;
			if (this.tokens.get(userDn)?.some(({ code }) => code === id)) return true;
		}
		return false;
	}

	/** Sessions that are alive. */
	sessionsOf(user: string, state: JanssenSessionState = 'authenticated'): JanssenSession[] {
		const now = this.now();
		const all = this.sessions.get(this.require(user).dn) ?? [];
		return all.filter((one) => one.state === state && alive(one, now));
	}

	/** The codes of the tokens that are alive. */
	tokensOf(user: string, kind: JanssenTokenKind): string[] {
		const all = this.tokens.get(this.require(user).dn) ?? [];
		return all.filter((token) => token.kind === kind).map(({ code }) => code);
	}

	/** What lists show: expired sessions stay until they are cleaned up, ended ones may. */
	listedSessions(): JanssenSession[] {
		const now = this.now();
		return [...this.sessions.values()]
			.flat()
			.filter(({ endedAt }) => endedAt === undefined || endedAt + this.replicationLagMs > now);
	}

	/**
	 * Ends the authenticated sessions of the user with exactly this DN, with their access and ID
	 * tokens; refresh tokens stay. The number of sessions that ended.
	 * https://github.com/JanssenProject/jans/blob/main/jans-config-api/server/src/main/java/io/jans/configapi/service/auth/SessionService.java
	 */
	endUserSessions(userDn: string, { tokens = true }: { tokens?: boolean } = {}): number {
		const open = this.openSessions(userDn).filter(({ state }) => state === 'authenticated');
		for (const session of open) this.end(session, tokens);
		return open.length;
	}

	/** Ends one session by its sid, whatever its state; false if there is none. */
	endSession(sid: string): boolean {
		const session = [...this.sessions.values()]
			.flat()
			.find((one) => one.sid === sid && one.endedAt === undefined);
		if (session !== undefined) this.end(session, true);
		return session !== undefined;
	}

	/**
	 * Ends all sessions and all tokens of a user, refresh tokens too.
	 * https://docs.jans.io/stable/janssen-server/auth-server/endpoints/global-token-revocation
	 */
	endEverything(userDn: string): void {
		for (const session of this.openSessions(userDn)) this.end(session, true);
		this.tokens.delete(userDn);
	}

	private openSessions(userDn: string): StoredSession[] {
		return (this.sessions.get(userDn) ?? []).filter(({ endedAt }) => endedAt === undefined);
	}

	private end(session: StoredSession, withTokens: boolean): void {
		session.endedAt = this.now();
		if (!withTokens) return;
		const tokens = this.tokens.get(session.userDn) ?? [];
		const kept = tokens.filter(
			({ kind, sessionDn }) => kind === 'refresh_token' || sessionDn !== session.dn,
		);
		this.tokens.set(session.userDn, kept);
	}

	private open(
		{ dn: userDn, userId }: JanssenUser,
		state: JanssenSessionState,
		count: number,
	): JanssenSession[] {
		const kept = this.sessions.get(userDn) ?? [];
		this.sessions.set(userDn, kept);
		return Array.from({ length: count }, () => {
			const id = randomUUID();
			const createdAt = this.now();
			const session: StoredSession = {
				id,
				dn: `jansId=${id},${SESSIONS_DN}`,
				sid: randomUUID(),
				userDn,
				userId,
				state,
				createdAt,
				expiresAt: createdAt + SESSION_MS,
				remoteIp: '192.0.2.17',
			};
			kept.push(session);
			if (state === 'authenticated') {
				this.issue(userDn, 'access_token', session.dn);
				this.issue(userDn, 'id_token', session.dn);
			}
			return { ...session };
		});
	}

	private issueRefreshTokens({ dn }: JanssenUser, count: number): string[] {
		const sessionDn = this.openSessions(dn).at(-1)?.dn;
		return Array.from({ length: count }, () => this.issue(dn, 'refresh_token', sessionDn));
	}

	private issue(userDn: string, kind: JanssenTokenKind, sessionDn: string | undefined): string {
		const code = randomUUID();
		const kept = this.tokens.get(userDn) ?? [];
		this.tokens.set(userDn, kept);
		kept.push({ code, kind, userDn, sessionDn });
		return code;
	}

	// --- Clients -----------------------------------------------------------------------------------

	/** Registers a client that authenticates with its secret (`client_secret_basic`). */
	addClient(init: JanssenClientInit): JanssenClient {
		const { clientId = randomUUID(), secret = randomBytes(24).toString('base64url') } = init;
		const client: JanssenClient = { clientId, secret, scopes: init.scopes };
		this.clients.set(clientId, client);
		return client;
	}

	getClient(clientId: string): JanssenClient | undefined {
		return this.clients.get(clientId);
	}

	/** An access token for a client. It is opaque: by default the vendor gives out references. */
	addAccessToken(init: JanssenAccessTokenInit): string {
		const client = this.getClient(init.clientId);
		if (client === undefined) throw new Error(`there is no client ${init.clientId}`);
		const { scopes = client.scopes, lifeSeconds = this.tokenLifeSeconds } = init;
		const token = randomUUID();
		const expiresAt = this.now() + lifeSeconds * 1000;
		this.accessTokens.set(token, { client, scopes: [...scopes], expiresAt });
		return token;
	}

	/** Ends every access token of every client before its time. */
	withdrawTokens(): void {
		this.accessTokens.clear();
	}

	/** Whom an access token stands for; none if it is unknown or has expired. */
	principal(token: string): JanssenPrincipal | undefined {
		const found = this.accessTokens.get(token);
		return found !== undefined && found.expiresAt > this.now() ? found : undefined;
	}

	/** Everything but secrets, as JSON. */
	toJSON(): unknown {
		return {
			users: this.allUsers().map((user) => ({
				...user,
				sessions: this.sessionsOf(user.inum).length,
				unauthenticated: this.sessionsOf(user.inum, 'unauthenticated').length,
				accessTokens: this.tokensOf(user.inum, 'access_token').length,
				refreshTokens: this.tokensOf(user.inum, 'refresh_token').length,
			})),
			clients: [...this.clients.values()].map(({ clientId, scopes }) => ({ clientId, scopes })),
		};
	}
}

const alive = ({ endedAt, expiresAt }: StoredSession, now: number): boolean =>
	endedAt === undefined && expiresAt > now;
