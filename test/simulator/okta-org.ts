/**
 * The state of one simulated Okta org: users, their sessions, tokens, grants and remembered devices,
 * API tokens, service apps and the System Log. Shapes follow Okta's published management
 * specification (okta/okta-management-openapi-spec, 2026.06.3).
 */
import { createHash, randomUUID } from 'node:crypto';
import type { JWK } from 'jose';

/** User statuses as documented. */
export type OktaStatus =
	| 'ACTIVE'
	| 'DEPROVISIONED'
	| 'LOCKED_OUT'
	| 'PASSWORD_EXPIRED'
	| 'PROVISIONED'
	| 'RECOVERY'
	| 'STAGED'
	| 'SUSPENDED';

/** What an admin, and so an API token or a service app's role, may do. */
export type OktaPermission =
	| 'users.read'
	| 'users.lifecycle.clearSessions'
	| 'users.lifecycle.suspend'
	| 'sessions.read'
	| 'sessions.manage'
	| 'logs.read';

/** Every permission, for tokens of a super admin. */
const ALL_OKTA_PERMISSIONS: readonly OktaPermission[] = [
	'users.read',
	'users.lifecycle.clearSessions',
	'users.lifecycle.suspend',
	'sessions.read',
	'sessions.manage',
	'logs.read',
];

/** A user, in the shape of the API (without `_links`, which depend on the request). */
export interface OktaUser {
	readonly id: string;
	status: OktaStatus;
	readonly created: string;
	activated: string | null;
	statusChanged: string | null;
	lastLogin: string | null;
	lastUpdated: string;
	passwordChanged: string | null;
	readonly type: { readonly id: string };
	readonly realmId: string;
	profile: {
		login: string;
		email: string;
		secondEmail: string | null;
		firstName: string;
		lastName: string;
		[attribute: string]: unknown;
	};
}

/** What `addUser` takes. Only the login is needed; counts create things that the user has. */
export interface OktaUserInit {
	login: string;
	id?: string;
	email?: string;
	secondEmail?: string;
	firstName?: string;
	lastName?: string;
	status?: OktaStatus;
	realmId?: string;
	/** More profile attributes. */
	profile?: Record<string, unknown>;
	sessions?: number;
	tokens?: number;
	devices?: number;
	grants?: number;
}

/** One live session at the identity provider. */
export interface OktaSession {
	readonly id: string;
	readonly userId: string;
	readonly createdAt: string;
	readonly expiresAt: string;
}

/** A token that an app holds for a user. */
export interface OktaUserToken {
	readonly id: string;
	readonly userId: string;
	readonly clientId: string;
	readonly kind: 'access' | 'refresh';
}

/** An API token (SSWS). It has the rights of the admin who owns it. */
export interface OktaApiToken {
	readonly id: string;
	readonly token: string;
	readonly ownerId: string;
	readonly permissions: ReadonlySet<OktaPermission>;
}

/** A service app: client credentials with a private key. */
export interface OktaServiceApp {
	readonly clientId: string;
	readonly label: string;
	readonly publicJwks: readonly JWK[];
	/** The scopes in the app's grants collection. */
	readonly scopes: ReadonlySet<string>;
	/** The permissions of the app's admin role. */
	readonly permissions: ReadonlySet<OktaPermission>;
	readonly dpop: boolean;
	/** What happens to a request for more than the granted scopes. */
	readonly excessScopes: 'refuse' | 'drop';
}

/** A System Log event. */
interface OktaLogEvent {
	readonly uuid: string;
	readonly published: string;
	readonly eventType: string;
	readonly [attribute: string]: unknown;
}

/** A System Log event, and when it can be seen. */
export interface StoredLogEvent {
	readonly sequence: number;
	readonly publishedAt: number;
	readonly persistedAt: number;
	readonly event: OktaLogEvent;
}

/** Who does something, and in which request: what the System Log tells about it. */
export interface OktaActor {
	readonly id: string;
	readonly type: string;
	readonly alternateId: string;
	readonly displayName: string;
	readonly requestId: string;
	readonly requestUri: string;
	readonly userAgent: string;
	readonly apiTokenId?: string;
	readonly clientId?: string;
}

/** Options of the org. */
export interface OktaOrgOptions {
	users?: readonly OktaUserInit[];
	/** Fills the org; runs again on every `reset()`. */
	seed?: (org: OktaOrg) => void;
	/** `classic` differs: `forgetDevices` defaults to false, and no `user.session.end` events. */
	engine?: 'identity' | 'classic';
	/** How long `search` lags behind (documented: eventually consistent). `Infinity` until `reindex()`. */
	searchLagMs?: number;
	/** How long a System Log event is invisible (documented: near real time). */
	logLagMs?: number;
	/** How far the vendor's clock is from this machine's. */
	clockSkewMs?: number;
}

const SESSION_LIFE_MS = 2 * 60 * 60 * 1000;

/** Logins are compared without case and without diacritical marks, unlike search values. */
function foldLogin(login: string): string {
	return login.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

function shortName(login: string): string {
	return login.split('@')[0] ?? login;
}

/** Lists by key. Orgs of thousands of users must not make the simulator the slow part of a bench. */
class ManyByKey<T> {
	private readonly lists = new Map<string, T[]>();

	of(key: string): readonly T[] {
		return this.lists.get(key) ?? [];
	}

	add(key: string, value: T): void {
		const list = this.lists.get(key);
		if (list === undefined) this.lists.set(key, [value]);
		else list.push(value);
	}

	remove(key: string, value: T): void {
		const left = this.of(key).filter((one) => one !== value);
		if (left.length === 0) this.lists.delete(key);
		else this.lists.set(key, left);
	}

	/** Removes a list and returns it. */
	drop(key: string): T[] {
		const list = this.lists.get(key) ?? [];
		this.lists.delete(key);
		return list;
	}

	clear(): void {
		this.lists.clear();
	}
}

/** One Okta org. All methods that take a user take an id or a login. */
export class OktaOrg {
	engine: 'identity' | 'classic';
	searchLagMs: number;
	logLagMs: number;
	clockSkewMs: number;

	private ids = 0;
	private readonly people = new Map<string, OktaUser>();
	/** Ids by folded login, and by the part of it before the @. */
	private readonly byLogin = new ManyByKey<string>();
	private readonly byShortName = new ManyByKey<string>();
	private readonly searchable = new Map<string, OktaUser>();
	private unindexed: { dueAt: number; snapshot: OktaUser }[] = [];
	private readonly liveSessions = new Map<string, OktaSession>();
	private readonly sessionIds = new ManyByKey<string>();
	private readonly userTokens = new ManyByKey<OktaUserToken>();
	private readonly grants = new ManyByKey<string>();
	private readonly devices = new ManyByKey<string>();
	private readonly apiTokens = new Map<string, OktaApiToken>();
	private readonly apps = new Map<string, OktaServiceApp>();
	private log: StoredLogEvent[] = [];
	private readonly logByTarget = new ManyByKey<StoredLogEvent>();

	constructor(private readonly options: OktaOrgOptions) {
		this.engine = options.engine ?? 'identity';
		this.searchLagMs = options.searchLagMs ?? 0;
		this.logLagMs = options.logLagMs ?? 0;
		this.clockSkewMs = options.clockSkewMs ?? 0;
		this.fill();
	}

	/** The vendor's clock, in milliseconds since the epoch. */
	now(): number {
		return Date.now() + this.clockSkewMs;
	}

	/** Back to the seed: same users, same ids. */
	reset(): void {
		this.ids = 0;
		this.people.clear();
		this.byLogin.clear();
		this.byShortName.clear();
		this.searchable.clear();
		this.unindexed = [];
		this.liveSessions.clear();
		this.sessionIds.clear();
		this.userTokens.clear();
		this.grants.clear();
		this.devices.clear();
		this.apiTokens.clear();
		this.apps.clear();
		this.log = [];
		this.logByTarget.clear();
		this.fill();
	}

	private fill(): void {
		for (const user of this.options.users ?? []) this.addUser(user);
		this.options.seed?.(this);
		this.reindex();
	}

	/** An id in the vendor's style, the same for the same history. */
	newId(prefix: string, length: number): string {
		this.ids += 1;
		const hash = createHash('sha256')
			.update(`${prefix}:${String(this.ids)}`)
			.digest('base64');
		return prefix + hash.replace(/[^A-Za-z0-9]/g, '').slice(0, length);
	}

	private timestamp(): string {
		return new Date(this.now()).toISOString();
	}

	/** Adds a user with whatever sessions, tokens, devices and grants the counts say. */
	addUser(init: OktaUserInit): OktaUser {
		const taken = this.byLogin.of(foldLogin(init.login)).length > 0;
		if (taken || this.people.has(init.id ?? '')) {
			throw new Error(`login or id is taken: ${init.login}`);
		}
		const at = this.timestamp();
		const status = init.status ?? 'ACTIVE';
		const [local = init.login] = init.login.split('@');
		const user: OktaUser = {
			id: init.id ?? this.newId('00u', 17),
			status,
			created: at,
			activated: status === 'STAGED' ? null : at,
			statusChanged: at,
			lastLogin: null,
			lastUpdated: at,
			passwordChanged: at,
			type: { id: 'otyfnjfba4ye7pgjB0g4' },
			realmId: init.realmId ?? 'guo1bfiNtSnZYILxO0g4',
			profile: {
				...init.profile,
				login: init.login,
				email: init.email ?? init.login,
				secondEmail: init.secondEmail ?? null,
				firstName: init.firstName ?? local,
				lastName: init.lastName ?? 'Example',
			},
		};
		this.people.set(user.id, user);
		this.addNames(user);
		this.index(user);
		if ((init.sessions ?? 0) > 0) this.signIn(user.id, init.sessions);
		this.issueTokens(user.id, init.tokens ?? 0);
		this.rememberDevices(user.id, init.devices ?? 0);
		for (let n = 0; n < (init.grants ?? 0); n += 1) {
			this.grants.add(user.id, this.newId('oag', 17));
		}
		return user;
	}

	/** Changes a user's status or profile. Deprovisioning ends what the user had. */
	updateUser(
		idOrLogin: string,
		change: { status?: OktaStatus; profile?: Partial<OktaUser['profile']> },
	): OktaUser {
		const user = this.user(idOrLogin);
		const at = this.timestamp();
		if (change.status !== undefined) {
			user.status = change.status;
			user.statusChanged = at;
			if (change.status === 'DEPROVISIONED') {
				this.dropSessions(user.id);
				this.userTokens.drop(user.id);
			}
		}
		this.removeNames(user);
		Object.assign(user.profile, change.profile);
		this.addNames(user);
		user.lastUpdated = at;
		this.index(user);
		return user;
	}

	private addNames(user: OktaUser): void {
		const login = foldLogin(user.profile.login);
		this.byLogin.add(login, user.id);
		this.byShortName.add(shortName(login), user.id);
	}

	private removeNames(user: OktaUser): void {
		const login = foldLogin(user.profile.login);
		this.byLogin.remove(login, user.id);
		this.byShortName.remove(shortName(login), user.id);
	}

	/** Makes every change visible to `search` now. */
	reindex(): void {
		for (const { snapshot } of this.unindexed) this.searchable.set(snapshot.id, snapshot);
		this.unindexed = [];
	}

	private index(user: OktaUser): void {
		this.unindexed.push({ dueAt: this.now() + this.searchLagMs, snapshot: structuredClone(user) });
	}

	/** All users as they are. */
	allUsers(): OktaUser[] {
		return [...this.people.values()];
	}

	/** All users as `search` sees them. */
	searchableUsers(): OktaUser[] {
		const now = this.now();
		for (const { dueAt, snapshot } of this.unindexed) {
			if (dueAt <= now) this.searchable.set(snapshot.id, snapshot);
		}
		this.unindexed = this.unindexed.filter(({ dueAt }) => dueAt > now);
		return [...this.searchable.values()];
	}

	/** The user with this id, exactly. */
	findById(id: string): OktaUser | undefined {
		return this.people.get(id);
	}

	/** The user with this login, or with this login shortname if only one user has it. */
	findByLogin(login: string): OktaUser | undefined {
		const wanted = foldLogin(login);
		const [exact] = this.byLogin.of(wanted);
		const short = this.byShortName.of(wanted);
		const id = exact ?? (short.length === 1 ? short[0] : undefined);
		return id === undefined ? undefined : this.people.get(id);
	}

	/** The user, by id or login; throws if there is none. */
	user(idOrLogin: string): OktaUser {
		const user = this.findById(idOrLogin) ?? this.findByLogin(idOrLogin);
		if (user === undefined) throw new Error(`no such user: ${idOrLogin}`);
		return user;
	}

	/** The user signs in `times` times; the ids of the new sessions. */
	signIn(idOrLogin: string, times = 1): string[] {
		const user = this.user(idOrLogin);
		if (user.status === 'DEPROVISIONED') throw new Error('a deprovisioned user cannot sign in');
		const at = this.now();
		user.lastLogin = new Date(at).toISOString();
		return Array.from({ length: times }, () => {
			const id = this.newId('idx', 22);
			this.liveSessions.set(id, {
				id,
				userId: user.id,
				createdAt: new Date(at).toISOString(),
				expiresAt: new Date(at + SESSION_LIFE_MS).toISOString(),
			});
			this.sessionIds.add(user.id, id);
			return id;
		});
	}

	/** Ids of the user's live sessions. */
	sessionsOf(idOrLogin: string): string[] {
		return [...this.sessionIds.of(this.user(idOrLogin).id)];
	}

	/** One live session. */
	session(id: string): OktaSession | undefined {
		return this.liveSessions.get(id);
	}

	/** Apps get `count` pairs of an access and a refresh token for the user. */
	issueTokens(idOrLogin: string, count = 1): void {
		const userId = this.user(idOrLogin).id;
		for (let n = 0; n < count; n += 1) {
			const clientId = this.newId('0oa', 17);
			this.userTokens.add(userId, { id: this.newId('oat', 17), userId, clientId, kind: 'access' });
			this.userTokens.add(userId, { id: this.newId('oar', 17), userId, clientId, kind: 'refresh' });
		}
	}

	/** Live access and refresh tokens that apps hold for the user. */
	tokensOf(idOrLogin: string): OktaUserToken[] {
		return [...this.userTokens.of(this.user(idOrLogin).id)];
	}

	/** The user ticks "remember this device" on `count` devices. */
	rememberDevices(idOrLogin: string, count = 1): void {
		const userId = this.user(idOrLogin).id;
		for (let n = 0; n < count; n += 1) this.devices.add(userId, this.newId('guo', 17));
	}

	/** Devices on which factors are remembered for the user. */
	rememberedDevicesOf(idOrLogin: string): string[] {
		return [...this.devices.of(this.user(idOrLogin).id)];
	}

	/** Consents of the user to apps. Revoking sessions or tokens leaves them. */
	grantsOf(idOrLogin: string): string[] {
		return [...this.grants.of(this.user(idOrLogin).id)];
	}

	/** Creates an API token of an admin (all permissions unless given). */
	addApiToken(init: {
		owner: string;
		permissions?: readonly OktaPermission[];
		token?: string;
	}): OktaApiToken {
		const created: OktaApiToken = {
			id: this.newId('00T', 17),
			token: init.token ?? this.newId('00', 40),
			ownerId: this.user(init.owner).id,
			permissions: new Set(init.permissions ?? ALL_OKTA_PERMISSIONS),
		};
		this.apiTokens.set(created.token, created);
		return created;
	}

	/** A live API token by its value. Tokens of an admin who is gone are dead. */
	apiToken(value: string): OktaApiToken | undefined {
		const token = this.apiTokens.get(value);
		const owner = token && this.people.get(token.ownerId);
		return owner?.status === 'DEPROVISIONED' || owner?.status === 'SUSPENDED' ? undefined : token;
	}

	/** Revokes an API token; true if it was there. */
	revokeApiToken(value: string): boolean {
		return this.apiTokens.delete(value);
	}

	/** Creates a service app with registered public keys and granted scopes. */
	addServiceApp(init: {
		publicJwk: JWK | readonly JWK[];
		scopes: readonly string[];
		permissions?: readonly OktaPermission[];
		dpop?: boolean;
		excessScopes?: 'refuse' | 'drop';
		clientId?: string;
		label?: string;
	}): OktaServiceApp {
		const keys = Array.isArray(init.publicJwk) ? init.publicJwk : [init.publicJwk];
		const app: OktaServiceApp = {
			clientId: init.clientId ?? this.newId('0oa', 17),
			label: init.label ?? 'Session revocation',
			publicJwks: keys as readonly JWK[],
			scopes: new Set(init.scopes),
			permissions: new Set(init.permissions ?? ALL_OKTA_PERMISSIONS),
			dpop: init.dpop ?? false,
			excessScopes: init.excessScopes ?? 'refuse',
		};
		this.apps.set(app.clientId, app);
		return app;
	}

	/** A service app by its client id. */
	serviceApp(clientId: string): OktaServiceApp | undefined {
		return this.apps.get(clientId);
	}

	/** Ends all sessions of a user, and more if asked; the ids of the ended sessions. */
	clearSessions(
		userId: string,
		also: { oauthTokens: boolean; forgetDevices: boolean },
		actor: OktaActor,
	): string[] {
		const ended = this.dropSessions(userId);
		if (also.oauthTokens) this.userTokens.drop(userId);
		if (also.forgetDevices) this.devices.drop(userId);
		this.writeEvent('user.session.clear', 'Clear user session', userId, actor, {});
		// Counting these is the only way to learn how many sessions there were.
		if (this.engine === 'identity') {
			for (const id of ended) this.writeSessionEnd(userId, id, actor);
		}
		return ended;
	}

	/** Ends one session; false if it is not live. */
	endSession(id: string, actor: OktaActor): boolean {
		const session = this.liveSessions.get(id);
		if (session === undefined) return false;
		this.liveSessions.delete(id);
		this.sessionIds.remove(session.userId, id);
		this.writeSessionEnd(session.userId, id, actor);
		return true;
	}

	private dropSessions(userId: string): string[] {
		const ended = this.sessionIds.drop(userId);
		for (const id of ended) this.liveSessions.delete(id);
		return ended;
	}

	private writeSessionEnd(userId: string, sessionId: string, actor: OktaActor): void {
		this.writeEvent('user.session.end', 'User logout from Okta', userId, actor, {
			EndedSessionId: sessionId,
			TraceId: actor.requestId,
		});
	}

	private writeEvent(
		eventType: string,
		displayMessage: string,
		userId: string,
		actor: OktaActor,
		debugData: Record<string, unknown>,
	): void {
		const user = this.people.get(userId);
		const at = this.now();
		const { requestId, requestUri, userAgent, apiTokenId, clientId, ...who } = actor;
		const event: OktaLogEvent = {
			actor: { ...who, detailEntry: null },
			client: {
				userAgent: { rawUserAgent: userAgent, os: 'Unknown', browser: 'UNKNOWN' },
				zone: null,
				device: 'Unknown',
				id: clientId ?? null,
				ipAddress: '127.0.0.1',
				geographicalContext: null,
			},
			device: null,
			authenticationContext: {
				authenticationProvider: null,
				credentialProvider: null,
				credentialType: null,
				issuer: null,
				interface: null,
				authenticationStep: 0,
				rootSessionId: null,
				externalSessionId: null,
			},
			displayMessage,
			eventType,
			outcome: { result: 'SUCCESS', reason: null },
			published: new Date(at).toISOString(),
			securityContext: { asNumber: null, asOrg: null, isp: null, domain: null, isProxy: null },
			severity: 'INFO',
			debugContext: { debugData: { requestId, requestUri, url: requestUri, ...debugData } },
			legacyEventType: null,
			transaction: {
				type: 'WEB',
				id: requestId,
				detail: apiTokenId === undefined ? {} : { requestApiTokenId: apiTokenId },
			},
			uuid: randomUUID(),
			version: '0',
			request: { ipChain: [] },
			target: [
				{
					id: userId,
					type: 'User',
					alternateId: user?.profile.login ?? 'unknown',
					displayName: `${user?.profile.firstName ?? ''} ${user?.profile.lastName ?? ''}`.trim(),
					detailEntry: null,
				},
			],
		};
		const stored: StoredLogEvent = {
			sequence: this.log.length,
			publishedAt: at,
			persistedAt: at + this.logLagMs,
			event,
		};
		this.log.push(stored);
		this.logByTarget.add(userId, stored);
	}

	/** The System Log as it can be seen now, or only what is about one target. */
	visibleLog(targetId?: string): StoredLogEvent[] {
		const now = this.now();
		const log = targetId === undefined ? this.log : this.logByTarget.of(targetId);
		return log.filter(({ persistedAt }) => persistedAt <= now);
	}

	/** The state as JSON, with the (worthless) secrets that a demo needs to connect. */
	toJSON(): unknown {
		return {
			engine: this.engine,
			users: this.allUsers().map(({ id, status, profile: { login, email } }) => ({
				id,
				status,
				login,
				email,
				sessions: this.sessionsOf(id),
				tokens: this.tokensOf(id).length,
				devices: this.rememberedDevicesOf(id).length,
				grants: this.grantsOf(id).length,
			})),
			apiTokens: [...this.apiTokens.values()].map(({ token, ownerId, permissions }) => ({
				token,
				ownerId,
				permissions: [...permissions],
			})),
			serviceApps: [...this.apps.values()].map(({ clientId, scopes, dpop }) => ({
				clientId,
				scopes: [...scopes],
				dpop,
			})),
			events: this.visibleLog().length,
		};
	}
}
