/**
 * The state of one simulated Microsoft Entra directory: users with their browser sessions and refresh
 * tokens, app registrations and access tokens. Shapes follow the v1.0 metadata of Microsoft Graph.
 */
import { createHash, createHmac, randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import type { ODataFilter } from './entra-filter';

/** A user as Graph shows it. Only some of it is returned unless it is selected. */
export interface EntraUser {
	readonly id: string;
	userPrincipalName: string;
	mail: string | null;
	displayName: string | null;
	givenName: string | null;
	surname: string | null;
	jobTitle: string | null;
	businessPhones: string[];
	mobilePhone: string | null;
	officeLocation: string | null;
	preferredLanguage: string | null;
	userType: 'Member' | 'Guest';
	accountEnabled: boolean;
	mailNickname: string | null;
	otherMails: string[];
	proxyAddresses: string[];
	readonly createdDateTime: string;
	/** What a read shows; may lag behind the revocation. */
	readonly signInSessionsValidFromDateTime: string;
}

/** What `addUser` takes. Only the user principal name is needed; numbers create things. */
export interface EntraUserInit {
	userPrincipalName: string;
	id?: string;
	/** Default: the user principal name; `null` for an account without a mailbox. */
	mail?: string | null;
	displayName?: string;
	givenName?: string;
	surname?: string;
	jobTitle?: string;
	userType?: 'Member' | 'Guest';
	accountEnabled?: boolean;
	otherMails?: string[];
	/** Default: `SMTP:` and the mail address, if there is one. */
	proxyAddresses?: string[];
	/** Browser sessions; of a guest they are in the home tenant. */
	sessions?: number;
	refreshTokens?: number;
}

/** What of a user `updateUser` may change. */
export type EntraUserChange = Partial<
	Pick<
		EntraUser,
		| 'accountEnabled'
		| 'displayName'
		| 'mail'
		| 'otherMails'
		| 'proxyAddresses'
		| 'userPrincipalName'
	>
>;

/** A browser session or a refresh token. */
export interface EntraGrant {
	readonly id: string;
	readonly createdDateTime: string;
}

/** An app registration with the application permissions that an admin consented to. */
export interface EntraAppInit {
	clientId?: string;
	secret?: string;
	/** When the secret dies, in milliseconds since the epoch. */
	secretExpiresAt?: number;
	/** PEM of an X.509 certificate with an RSA key. */
	certificatePem?: string;
	/** Application permissions, e.g. `User.RevokeSessions.All`. */
	roles: readonly string[];
	/** Default: the directory's tenant. */
	tenantId?: string;
	displayName?: string;
}

/** A registered app. */
export interface EntraApp {
	readonly clientId: string;
	readonly tenantId: string;
	readonly displayName: string;
	/** The id of its service principal. */
	readonly objectId: string;
	roles: readonly string[];
	readonly secret?: string;
	readonly secretExpiresAt?: number;
	readonly certificate?: X509Certificate;
}

/** An access token outside the token endpoint, as somebody would paste it into a credential. */
export interface EntraAccessTokenInit {
	clientId: string;
	/** Default: the directory's tenant. */
	tenantId?: string;
	/** Default: a JWT, or with the switch `opaqueTokens` a text that says nothing. */
	token?: string;
	/** Default: `tokenLifeSeconds`. */
	lifeSeconds?: number;
	audience?: string;
}

/** Whom an access token stands for. */
export interface EntraPrincipal {
	readonly tenantId: string;
	readonly clientId: string;
	readonly roles: readonly string[];
}

/** Behaviour that tests switch; the documents allow all of it. */
export interface EntraSwitches {
	/** What `revokeSignInSessions` answers. `false` revokes nothing, the others do. */
	revokeAnswer: 'true' | 'empty' | 'false';
	/** How long reads show the old `signInSessionsValidFromDateTime`. */
	replicationLagMs: number;
	/** The documented "small delay" before sessions and refresh tokens end. */
	effectLagMs: number;
	/** Order of the answers in a batch. */
	batchOrder: 'reversed' | 'shuffled' | 'asSent';
	/** Access tokens that are no JWT: their form is not part of the contract. */
	opaqueTokens: boolean;
	/** What becomes of properties beyond the basic profile with `User.ReadBasic.All` alone. */
	beyondBasicProfile: 'null' | 'refused';
	/** Difference between the vendor's clock and ours. */
	clockSkewMs: number;
	tokenLifeSeconds: number;
}

/** Options of a directory. */
export interface EntraDirectoryOptions extends Partial<EntraSwitches> {
	tenantId?: string;
	/** A verified domain that names the tenant in the token URL as well as its id. */
	tenantDomain?: string;
	/** Fills a new or reset directory. */
	seed?: (directory: EntraDirectory) => void;
	users?: readonly EntraUserInit[];
	apps?: readonly EntraAppInit[];
}

/** The tenant unless `tenantId` says otherwise. */
export const DEFAULT_ENTRA_TENANT = '3f2a8c54-7b1e-4d0a-9c66-5e8f0a1b2c3d';

const DAY_MS = 86_400_000;
const INDEXED = ['id', 'userPrincipalName', 'mail', 'mailNickname'] as const;
const INDEXED_LISTS = ['proxyAddresses', 'otherMails'] as const;

interface StoredGrant extends EntraGrant {
	readonly kind: 'session' | 'refreshToken';
	/** Alive until then, or for good. */
	endsAt: number;
}

interface StoredUser {
	user: Omit<EntraUser, 'signInSessionsValidFromDateTime'>;
	/** Newest last; a value shows from `visibleAt` on. */
	validFrom: { value: string; visibleAt: number }[];
	grants: StoredGrant[];
	revocations: number;
	keys: string[];
}

/** The directory's own precision: whole seconds. */
const wholeSeconds = (ms: number): string =>
	new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

const fold = (text: string): string => text.toLowerCase();
const indexKey = (property: string, value: string): string => `${property}\n${fold(value)}`;

/** One Microsoft Entra directory. All methods that take a user take an id or a user principal name. */
export class EntraDirectory implements EntraSwitches {
	revokeAnswer!: EntraSwitches['revokeAnswer'];
	replicationLagMs!: number;
	effectLagMs!: number;
	batchOrder!: EntraSwitches['batchOrder'];
	opaqueTokens!: boolean;
	beyondBasicProfile!: EntraSwitches['beyondBasicProfile'];
	clockSkewMs!: number;
	tokenLifeSeconds!: number;
	readonly tenantId: string;
	readonly tenantDomain: string;

	private ids = 0;
	private readonly people = new Map<string, StoredUser>();
	private readonly index = new Map<string, Set<StoredUser>>();
	private readonly registrations: EntraApp[] = [];
	private readonly accessTokens = new Map<string, EntraPrincipal & { expiresAt: number }>();
	/** Nobody but Graph may look into an access token, so nobody knows this key. */
	private readonly key = randomBytes(32);

	constructor(private readonly options: EntraDirectoryOptions) {
		this.tenantId = options.tenantId ?? DEFAULT_ENTRA_TENANT;
		this.tenantDomain = options.tenantDomain ?? 'example.onmicrosoft.com';
		this.fill();
	}

	/** The vendor's clock, in milliseconds since the epoch. */
	now(): number {
		return Date.now() + this.clockSkewMs;
	}

	/** Back to the seed, switches included: same users, same ids. */
	reset(): void {
		this.ids = 0;
		this.people.clear();
		this.index.clear();
		this.registrations.length = 0;
		this.accessTokens.clear();
		this.fill();
	}

	private fill(): void {
		const { options } = this;
		this.revokeAnswer = options.revokeAnswer ?? 'true';
		this.replicationLagMs = options.replicationLagMs ?? 0;
		this.effectLagMs = options.effectLagMs ?? 0;
		this.batchOrder = options.batchOrder ?? 'reversed';
		this.opaqueTokens = options.opaqueTokens ?? false;
		this.beyondBasicProfile = options.beyondBasicProfile ?? 'null';
		this.clockSkewMs = options.clockSkewMs ?? 0;
		this.tokenLifeSeconds = options.tokenLifeSeconds ?? 3599;
		for (const user of options.users ?? []) this.addUser(user);
		for (const app of options.apps ?? []) this.addApp(app);
		options.seed?.(this);
	}

	private nextId(): string {
		this.ids += 1;
		const hex = createHash('sha256').update(`entra-${this.ids}`).digest('hex');
		return [
			hex.slice(0, 8),
			hex.slice(8, 12),
			`4${hex.slice(13, 16)}`,
			`8${hex.slice(17, 20)}`,
			hex.slice(20, 32),
		].join('-');
	}

	// --- Users -------------------------------------------------------------------------------------

	/** Adds a user; the principal name must be free. */
	addUser(init: EntraUserInit): EntraUser {
		if (this.find(init.userPrincipalName) !== undefined) {
			throw new Error(`there already is a user ${init.userPrincipalName}`);
		}
		const mail = init.mail === undefined ? init.userPrincipalName : init.mail;
		const created = this.now() - 90 * DAY_MS;
		const stored: StoredUser = {
			user: {
				id: init.id ?? this.nextId(),
				userPrincipalName: init.userPrincipalName,
				mail,
				displayName: init.displayName ?? init.userPrincipalName,
				givenName: init.givenName ?? null,
				surname: init.surname ?? null,
				jobTitle: init.jobTitle ?? null,
				businessPhones: [],
				mobilePhone: null,
				officeLocation: null,
				preferredLanguage: null,
				userType: init.userType ?? 'Member',
				accountEnabled: init.accountEnabled ?? true,
				mailNickname: init.userPrincipalName.split('@')[0] ?? null,
				otherMails: init.otherMails ?? [],
				proxyAddresses: init.proxyAddresses ?? (mail === null ? [] : [`SMTP:${mail}`]),
				createdDateTime: wholeSeconds(created),
			},
			validFrom: [{ value: wholeSeconds(created), visibleAt: 0 }],
			grants: [],
			revocations: 0,
			keys: [],
		};
		this.people.set(stored.user.id, stored);
		this.enter(stored);
		const { sessions = 0, refreshTokens = 0 } = init;
		this.grant(stored, 'session', sessions);
		this.grant(stored, 'refreshToken', refreshTokens);
		return this.shown(stored);
	}

	/** Changes a user as an admin would. */
	updateUser(user: string, change: EntraUserChange): EntraUser {
		const stored = this.require(user);
		this.leave(stored);
		Object.assign(stored.user, change);
		this.enter(stored);
		return this.shown(stored);
	}

	/** Deletes a user. */
	removeUser(user: string): void {
		const stored = this.require(user);
		this.leave(stored);
		this.people.delete(stored.user.id);
	}

	/** The user with this id or user principal name, ignoring case, as a read shows it. */
	getUser(user: string): EntraUser | undefined {
		const stored = this.find(user);
		return stored && this.shown(stored);
	}

	/** Everybody, in order of creation. */
	allUsers(): EntraUser[] {
		return [...this.people.values()].map((stored) => this.shown(stored));
	}

	/** The users that a filter matches, in order of creation. */
	filterUsers(filter: ODataFilter): EntraUser[] {
		const found = this.candidates(filter) ?? [...this.people.values()];
		const matching = [...found].filter(({ user }) => matchesODataFilter(filter, user));
		if (matching.length > 1) {
			const order = [...this.people.keys()];
			matching.sort((a, b) => order.indexOf(a.user.id) - order.indexOf(b.user.id));
		}
		return matching.map((stored) => this.shown(stored));
	}

	/** From the index if that can answer it; a directory may have many users. */
	private candidates(filter: ODataFilter): Set<StoredUser> | undefined {
		if (filter.kind !== 'comparison') {
			if (filter.kind === 'and') return undefined;
			const sets = filter.operands.map((one) => this.candidates(one));
			if (!sets.every((set) => set !== undefined)) return undefined;
			return new Set(sets.flatMap((set) => [...set]));
		}
		const { property, operator, value } = filter;
		const indexed = [...INDEXED, ...INDEXED_LISTS].some((one) => one === property);
		if (!indexed || operator !== 'eq' || typeof value !== 'string') return undefined;
		return this.index.get(indexKey(property, value)) ?? new Set();
	}

	private enter(stored: StoredUser): void {
		const { user } = stored;
		const keys: string[] = [];
		for (const property of INDEXED) {
			const value = user[property];
			if (value !== null) keys.push(indexKey(property, value));
		}
		for (const property of INDEXED_LISTS) {
			for (const value of user[property]) keys.push(indexKey(property, value));
		}
		for (const key of keys) {
			const set = this.index.get(key) ?? new Set();
			set.add(stored);
			this.index.set(key, set);
		}
		stored.keys = keys;
	}

	private leave(stored: StoredUser): void {
		for (const key of stored.keys) this.index.get(key)?.delete(stored);
		stored.keys = [];
	}

	private find(user: string): StoredUser | undefined {
		const [byId] = this.index.get(indexKey('id', user)) ?? [];
		if (byId !== undefined) return byId;
		const [byName] = this.index.get(indexKey('userPrincipalName', user)) ?? [];
		return byName;
	}

	private require(user: string): StoredUser {
		const stored = this.find(user);
		if (stored === undefined) throw new Error(`there is no user ${user}`);
		return stored;
	}

	private shown(stored: StoredUser): EntraUser {
		const now = this.now();
		const visible = stored.validFrom.findLast(({ visibleAt }) => visibleAt <= now);
		return {
			...structuredClone(stored.user),
			signInSessionsValidFromDateTime: (visible ?? stored.validFrom[0])?.value ?? '',
		};
	}

	// --- Sessions and refresh tokens ---------------------------------------------------------------

	/**
	 * The user signs in, which makes browser sessions and refresh tokens (one of each by default); the
	 * ids of what was made.
	 */
	signIn(
		user: string,
		made: { sessions?: number; refreshTokens?: number } = {},
	): { sessions: string[]; refreshTokens: string[] } {
		const stored = this.require(user);
		if (!stored.user.accountEnabled) throw new Error(`${user} is disabled and cannot sign in`);
		return {
			sessions: this.grant(stored, 'session', made.sessions ?? 1),
			refreshTokens: this.grant(stored, 'refreshToken', made.refreshTokens ?? 1),
		};
	}

	/** Whether a browser session or refresh token with this id is alive. */
	isLive(id: string): boolean {
		const now = this.now();
		return [...this.people.values()].some(({ grants }) =>
			grants.some((grant) => grant.id === id && grant.endsAt > now),
		);
	}

	/** Browser sessions that are alive. */
	sessionsOf(user: string): EntraGrant[] {
		return this.alive(this.require(user), 'session');
	}

	/** Refresh tokens that are alive. */
	refreshTokensOf(user: string): EntraGrant[] {
		return this.alive(this.require(user), 'refreshToken');
	}

	/** How often the user's sessions were revoked through Graph. */
	revocationsOf(user: string): number {
		return this.require(user).revocations;
	}

	/** What `revokeSignInSessions` does. External users' sessions are their home tenant's. */
	revokeSignInSessions(user: string): void {
		const stored = this.require(user);
		const now = this.now();
		stored.revocations += 1;
		stored.validFrom.push({
			value: wholeSeconds(now),
			visibleAt: now + this.replicationLagMs,
		});
		if (stored.user.userType === 'Guest') return;
		for (const grant of stored.grants) {
			grant.endsAt = Math.min(grant.endsAt, now + this.effectLagMs);
		}
	}

	private grant(stored: StoredUser, kind: StoredGrant['kind'], count: number): string[] {
		const made = Array.from({ length: count }, () => ({
			id: randomUUID(),
			kind,
			createdDateTime: new Date(this.now()).toISOString(),
			endsAt: Number.POSITIVE_INFINITY,
		}));
		stored.grants.push(...made);
		return made.map(({ id }) => id);
	}

	private alive(stored: StoredUser, wanted: StoredGrant['kind']): EntraGrant[] {
		const now = this.now();
		return stored.grants
			.filter(({ kind, endsAt }) => kind === wanted && endsAt > now)
			.map(({ id, createdDateTime }) => ({ id, createdDateTime }));
	}

	// --- Apps --------------------------------------------------------------------------------------

	/** Registers an app and consents to its permissions. */
	addApp(init: EntraAppInit): EntraApp {
		const { secret, secretExpiresAt, certificatePem } = init;
		const app: EntraApp = {
			clientId: init.clientId ?? this.nextId(),
			tenantId: init.tenantId ?? this.tenantId,
			displayName: init.displayName ?? 'Simulated app',
			objectId: this.nextId(),
			roles: init.roles,
			...(secret === undefined ? {} : { secret }),
			...(secretExpiresAt === undefined ? {} : { secretExpiresAt }),
			...(certificatePem === undefined ? {} : { certificate: new X509Certificate(certificatePem) }),
		};
		this.registrations.push(app);
		return app;
	}

	/** The app with this client id in a tenant. */
	findApp(clientId: string, tenantId: string): EntraApp | undefined {
		return this.registrations.find(
			(app) => fold(app.clientId) === fold(clientId) && app.tenantId === tenantId,
		);
	}

	/** The id of the tenant that a token URL names by id or by domain. */
	findTenant(name: string): string | undefined {
		const wanted = fold(name);
		if (wanted === fold(this.tenantDomain)) return this.tenantId;
		const ids = [this.tenantId, ...this.registrations.map(({ tenantId }) => tenantId)];
		return ids.find((id) => fold(id) === wanted);
	}

	/** An access token for a registered app, which carries the roles that the app has now. */
	addAccessToken(init: EntraAccessTokenInit): string {
		const { clientId, tenantId = this.tenantId, audience = 'https://graph.microsoft.com' } = init;
		const app = this.findApp(clientId, tenantId);
		if (app === undefined) throw new Error(`there is no app ${clientId} in tenant ${tenantId}`);
		const now = Math.floor(this.now() / 1000);
		const exp = now + (init.lifeSeconds ?? this.tokenLifeSeconds);
		const token = init.token ?? this.newToken(app, audience, now, exp);
		const roles = [...app.roles];
		this.accessTokens.set(token, {
			tenantId,
			clientId: app.clientId,
			roles,
			expiresAt: exp * 1000,
		});
		return token;
	}

	/** Ends every access token before its time. */
	withdrawTokens(): void {
		this.accessTokens.clear();
	}

	/** Whom a token stands for, or what is wrong with it. */
	principal(token: string): EntraPrincipal | 'unknown' | 'expired' {
		const found = this.accessTokens.get(token);
		if (found === undefined) return 'unknown';
		return found.expiresAt > this.now() ? found : 'expired';
	}

	private newToken(app: EntraApp, aud: string, now: number, exp: number): string {
		if (this.opaqueTokens) return `EwB${randomBytes(48).toString('base64url')}`;
		const claims = {
			aud,
			iss: `https://sts.windows.net/${app.tenantId}/`,
			iat: now,
			nbf: now,
			exp,
			app_displayname: app.displayName,
			appid: app.clientId,
			idtyp: 'app',
			oid: app.objectId,
			// An app without any application permission has no such claim.
			...(app.roles.length === 0 ? {} : { roles: app.roles }),
			sub: app.objectId,
			tid: app.tenantId,
			uti: randomUUID(),
			ver: '1.0',
		};
		const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
		const signed = `${encode({ typ: 'JWT', alg: 'HS256', kid: 'simulated' })}.${encode(claims)}`;
		return `${signed}.${createHmac('sha256', this.key).update(signed).digest('base64url')}`;
	}

	/** Everything but secrets, as JSON. */
	toJSON(): unknown {
		return {
			tenantId: this.tenantId,
			tenantDomain: this.tenantDomain,
			users: [...this.people.values()].map((stored) => ({
				...this.shown(stored),
				sessions: this.alive(stored, 'session').length,
				refreshTokens: this.alive(stored, 'refreshToken').length,
				revocations: stored.revocations,
			})),
			apps: this.registrations.map(({ clientId, tenantId, displayName, objectId, roles }) => ({
				clientId,
				tenantId,
				displayName,
				objectId,
				roles,
			})),
		};
	}
}

/** The directory compares texts without case. */
function matchesODataFilter(filter: ODataFilter, user: StoredUser['user']): boolean {
	if (filter.kind !== 'comparison') {
		const matches = (one: ODataFilter): boolean => matchesODataFilter(one, user);
		return filter.kind === 'and' ? filter.operands.every(matches) : filter.operands.some(matches);
	}
	const { property, operator, value } = filter;
	const actual: unknown = user[property as keyof StoredUser['user']];
	const items: unknown[] = Array.isArray(actual) ? actual : [actual];
	return items.some((item) => {
		if (typeof item !== 'string' || typeof value !== 'string') return item === value;
		return operator === 'eq' ? fold(item) === fold(value) : fold(item).startsWith(fold(value));
	});
}
