/**
 * The state of one simulated Google Workspace account: users with their sessions, the tokens that
 * they issued to apps, their app passwords, service accounts with domain-wide delegation, access
 * tokens, and the audit log of the admins. Shapes follow the discovery documents `admin:directory_v1`
 * and `admin:reports_v1` (https://admin.googleapis.com/$discovery/rest?version=directory_v1).
 */
import { createHash, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';

/**
 * Privileges of an administrator, by Google's names.
 * https://developers.google.com/workspace/admin/directory/v1/guides/manage-roles
 */
export type GooglePrivilege = 'USERS_RETRIEVE' | 'USER_SECURITY_ALL' | 'REPORTS_ACCESS';

/** A user as `users.get` shows it. Empty lists are left out, as Google does. */
export interface GoogleUser {
	readonly kind: 'admin#directory#user';
	readonly id: string;
	readonly etag: string;
	readonly primaryEmail: string;
	readonly name: { givenName: string; familyName: string; fullName: string };
	readonly isAdmin: boolean;
	readonly isDelegatedAdmin: boolean;
	readonly lastLoginTime: string;
	readonly creationTime: string;
	readonly agreedToTerms: boolean;
	readonly suspended: boolean;
	readonly suspensionReason?: 'ADMIN';
	readonly archived: boolean;
	readonly changePasswordAtNextLogin: boolean;
	readonly ipWhitelisted: boolean;
	readonly emails: readonly { address: string; type?: string; primary?: true }[];
	readonly aliases?: readonly string[];
	readonly nonEditableAliases: readonly string[];
	readonly customerId: string;
	readonly orgUnitPath: string;
	readonly isMailboxSetup: boolean;
	readonly isEnrolledIn2Sv: boolean;
	readonly isEnforcedIn2Sv: boolean;
	readonly includeInGlobalAddressList: boolean;
	readonly recoveryEmail?: string;
}

/** What `addUser` takes. Only the primary address is needed; numbers create things. */
export interface GoogleUserInit {
	/** In one of the account's domains. */
	primaryEmail: string;
	id?: string;
	givenName?: string;
	familyName?: string;
	/** Addresses in the account's domains that lead to the user as well. */
	aliases?: readonly string[];
	/** Addresses elsewhere that the profile shows; they lead to nobody. */
	otherEmails?: readonly string[];
	recoveryEmail?: string;
	suspended?: boolean;
	archived?: boolean;
	/** `super`, or the privileges of a delegated administrator. Default: no administrator. */
	admin?: 'super' | readonly GooglePrivilege[];
	/** Web and device sessions. */
	sessions?: number;
	/** Apps that the user granted access to. */
	tokens?: number;
	/** Application-specific passwords. */
	asps?: number;
}

/** What of a user `updateUser` may change. */
export type GoogleUserChange = Partial<
	Pick<GoogleUserInit, 'primaryEmail' | 'aliases' | 'suspended' | 'archived' | 'admin'>
>;

/** A web or device session. No API of Google's shows it. */
export interface GoogleSession {
	readonly id: string;
	readonly device: string;
	/** RFC 3339. */
	readonly createdAt: string;
}

/** What a user granted to an app, as `tokens.list` shows it. */
export interface GoogleToken {
	readonly kind: 'admin#directory#token';
	readonly etag: string;
	readonly clientId: string;
	readonly displayText: string;
	readonly anonymous: boolean;
	readonly nativeApp: boolean;
	readonly userKey: string;
	readonly scopes: readonly string[];
}

/** An application-specific password, as `asps.list` shows it. Times are Unix seconds, as text. */
export interface GoogleAsp {
	readonly kind: 'admin#directory#asp';
	readonly etag: string;
	readonly codeId: number;
	readonly name: string;
	readonly creationTime: string;
	readonly lastTimeUsed: string;
	readonly userKey: string;
}

/** A service account, and the scopes that the domain authorised its client for. */
export interface GoogleServiceAccountInit {
	clientEmail: string;
	/** PEM (SPKI) of the public key. */
	publicKeyPem: string;
	/** Scopes of the domain-wide delegation; none: the account is not delegated anything. */
	scopes: readonly string[];
	disabled?: boolean;
}

/** A registered service account. */
export interface GoogleServiceAccount {
	readonly clientEmail: string;
	readonly key: KeyObject;
	scopes: readonly string[];
	readonly disabled: boolean;
}

/** An access token, as the token endpoint mints it or as somebody pastes it into a credential. */
export interface GoogleAccessTokenInit {
	/** The user that it acts as; without one it is the service account itself, which is nobody here. */
	user?: string;
	scopes: readonly string[];
	/** Default: a text that says nothing. */
	token?: string;
	/** Default: `tokenLifeSeconds`. */
	lifeSeconds?: number;
}

/** Whom an access token stands for, and what for. */
export interface GooglePrincipal {
	readonly user: GoogleUser | undefined;
	readonly admin: GoogleUserInit['admin'];
	readonly scopes: readonly string[];
}

/** An event of the admins' audit log. */
export interface GoogleActivity {
	readonly time: number;
	readonly actor: { email: string; profileId: string };
	readonly name: 'RESET_SIGNIN_COOKIES' | 'REVOKE_3LO_TOKEN' | 'REVOKE_ASP';
	readonly parameters: Readonly<Record<string, string>>;
}

/** Behaviour that tests switch. Each is open in Google's documents, or allowed by them. */
export interface GoogleSwitches {
	/**
	 * How an operation without a result answers. The reference only says that the body is empty;
	 * `emptyObject` is what Google's newer APIs send.
	 * https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/signOut
	 */
	voidAnswer: 'noContent' | 'empty' | 'emptyObject';
	/** Whether a suspended user can be signed out; `refused` is a 400 `invalid`. */
	suspendedSignOut: 'done' | 'refused';
	/**
	 * What the token endpoint says when the domain did not authorise all scopes: both are documented.
	 * https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth
	 */
	unauthorizedScopes: 'unauthorized_client' | 'access_denied';
	/** Whether `signOut` leaves `RESET_SIGNIN_COOKIES` in the audit log, as the Admin console does. */
	signOutEvent: boolean;
	/** How long `tokens.list` and `asps.list` show what is gone. */
	listLagMs: number;
	/** How long an event takes to appear in the audit log. */
	reportLagMs: number;
	/** Difference between the vendor's clock and ours. */
	clockSkewMs: number;
	tokenLifeSeconds: number;
}

/** Options of a directory. */
export interface GoogleDirectoryOptions extends Partial<GoogleSwitches> {
	/** The account's domains. Default: `example.com`. */
	domains?: readonly string[];
	/** Fills a new or reset directory. */
	seed?: (directory: GoogleDirectory) => void;
	users?: readonly GoogleUserInit[];
	serviceAccounts?: readonly GoogleServiceAccountInit[];
}

const CUSTOMER_ID = 'C03simul8';
const DAY_MS = 86_400_000;
const DEVICES = ['Chrome on Windows', 'Safari on iPhone', 'Chrome on Android', 'Firefox on Linux'];
const APPS: readonly Pick<GoogleToken, 'displayText' | 'nativeApp' | 'scopes'>[] = [
	{ displayText: 'Sample Mail', nativeApp: true, scopes: ['https://mail.google.com/'] },
	{
		displayText: 'Sample CRM',
		nativeApp: false,
		scopes: ['https://www.googleapis.com/auth/calendar', 'openid'],
	},
	{
		displayText: 'Sample Backup',
		nativeApp: false,
		scopes: ['https://www.googleapis.com/auth/drive.readonly'],
	},
];

/** Something of a user that is alive until `endsAt`, in milliseconds since the epoch. */
interface Lasting<Thing> {
	readonly thing: Thing;
	endsAt: number;
}

interface StoredUser {
	readonly id: string;
	readonly createdAt: number;
	lastLoginAt: number;
	init: GoogleUserInit;
	sessions: Lasting<GoogleSession>[];
	tokens: Lasting<GoogleToken>[];
	asps: Lasting<GoogleAsp>[];
	signOuts: number;
}

const fold = (text: string): string => text.toLowerCase();
/** Of an address or a domain: Google gives every account a second domain for tests of mail routing. */
const forTests = (text: string): string => `${text}.test-google-a.com`;
const etagOf = (value: unknown): string =>
	`"${createHash('sha256').update(JSON.stringify(value)).digest('base64url')}"`;
const rfc3339 = (ms: number): string => new Date(ms).toISOString();

/** One Google Workspace account. Methods that take a user take what Google calls a user key. */
export class GoogleDirectory implements GoogleSwitches {
	voidAnswer!: GoogleSwitches['voidAnswer'];
	suspendedSignOut!: GoogleSwitches['suspendedSignOut'];
	unauthorizedScopes!: GoogleSwitches['unauthorizedScopes'];
	signOutEvent!: boolean;
	listLagMs!: number;
	reportLagMs!: number;
	clockSkewMs!: number;
	tokenLifeSeconds!: number;
	readonly customerId = CUSTOMER_ID;
	readonly domains: readonly string[];

	private numbers = 0;
	private readonly people = new Map<string, StoredUser>();
	/** By every address that leads to a user, in lower case. */
	private readonly addresses = new Map<string, StoredUser>();
	private readonly serviceAccounts = new Map<string, GoogleServiceAccount>();
	private readonly accessTokens = new Map<
		string,
		{ userId?: string; scopes: readonly string[]; expiresAt: number }
	>();
	private readonly log: GoogleActivity[] = [];

	constructor(private readonly options: GoogleDirectoryOptions) {
		this.domains = (options.domains ?? ['example.com']).map(fold);
		this.fill();
	}

	/** The vendor's clock, in milliseconds since the epoch. */
	now(): number {
		return Date.now() + this.clockSkewMs;
	}

	/** Back to the seed, switches included: same users, same ids. */
	reset(): void {
		this.numbers = 0;
		this.people.clear();
		this.addresses.clear();
		this.serviceAccounts.clear();
		this.accessTokens.clear();
		this.log.length = 0;
		this.fill();
	}

	private fill(): void {
		const { options } = this;
		this.voidAnswer = options.voidAnswer ?? 'noContent';
		this.suspendedSignOut = options.suspendedSignOut ?? 'done';
		this.unauthorizedScopes = options.unauthorizedScopes ?? 'unauthorized_client';
		this.signOutEvent = options.signOutEvent ?? true;
		this.listLagMs = options.listLagMs ?? 0;
		this.reportLagMs = options.reportLagMs ?? 0;
		this.clockSkewMs = options.clockSkewMs ?? 0;
		this.tokenLifeSeconds = options.tokenLifeSeconds ?? 3599;
		for (const user of options.users ?? []) this.addUser(user);
		for (const account of options.serviceAccounts ?? []) this.addServiceAccount(account);
		options.seed?.(this);
	}

	/** Digits that are the same after every reset. */
	private digits(count: number): string {
		this.numbers += 1;
		const hex = createHash('sha256').update(`google-${this.numbers}`).digest('hex');
		return BigInt(`0x${hex}`).toString().slice(0, count);
	}

	// --- Users -------------------------------------------------------------------------------------

	/** Adds a user; the addresses must be free and in the account's domains. */
	addUser(init: GoogleUserInit): GoogleUser {
		const createdAt = this.now() - 90 * DAY_MS;
		const stored: StoredUser = {
			id: init.id ?? `1${this.digits(20)}`,
			createdAt,
			lastLoginAt: createdAt,
			init,
			sessions: [],
			tokens: [],
			asps: [],
			signOuts: 0,
		};
		this.enter(stored);
		this.people.set(stored.id, stored);
		for (let made = 0; made < (init.sessions ?? 0); made += 1) this.newSession(stored);
		for (let made = 0; made < (init.tokens ?? 0); made += 1) this.newToken(stored);
		for (let made = 0; made < (init.asps ?? 0); made += 1) this.newAsp(stored);
		return this.shown(stored);
	}

	/** Changes a user as an admin would. A former primary address stays an alias, as Google keeps it. */
	updateUser(userKey: string, change: GoogleUserChange): GoogleUser {
		const stored = this.require(userKey);
		const { primaryEmail, aliases = [] } = stored.init;
		const renamed = change.primaryEmail !== undefined && change.primaryEmail !== primaryEmail;
		this.leave(stored);
		stored.init = {
			...stored.init,
			...(renamed ? { aliases: [...aliases, primaryEmail] } : {}),
			...change,
		};
		this.enter(stored);
		return this.shown(stored);
	}

	/** Deletes a user. */
	removeUser(userKey: string): void {
		const stored = this.require(userKey);
		this.leave(stored);
		this.people.delete(stored.id);
	}

	/** The user with this id, primary address or alias, ignoring case. */
	getUser(userKey: string): GoogleUser | undefined {
		const stored = this.find(userKey);
		return stored && this.shown(stored);
	}

	/** Everybody, in order of creation. */
	allUsers(): GoogleUser[] {
		return [...this.people.values()].map((stored) => this.shown(stored));
	}

	/** Whether a user is an administrator of any kind. */
	isAdmin(userKey: string): boolean {
		return this.require(userKey).init.admin !== undefined;
	}

	/** Whether an address is in one of the account's domains. */
	owns(address: string): boolean {
		const domain = fold(address.slice(address.lastIndexOf('@') + 1));
		return [...this.domains, ...this.domains.map(forTests)].includes(domain);
	}

	private addressesOf({ init }: StoredUser): string[] {
		return [init.primaryEmail, ...(init.aliases ?? []), forTests(init.primaryEmail)].map(fold);
	}

	private enter(stored: StoredUser): void {
		const addresses = this.addressesOf(stored);
		for (const address of addresses) {
			if (!this.owns(address)) throw new Error(`${address} is not in a domain of the account`);
			if (this.addresses.has(address)) throw new Error(`there already is a user ${address}`);
		}
		for (const address of addresses) this.addresses.set(address, stored);
	}

	private leave(stored: StoredUser): void {
		for (const address of this.addressesOf(stored)) this.addresses.delete(address);
	}

	private find(userKey: string): StoredUser | undefined {
		return this.people.get(userKey) ?? this.addresses.get(fold(userKey));
	}

	private require(userKey: string): StoredUser {
		const stored = this.find(userKey);
		if (stored === undefined) throw new Error(`there is no user ${userKey}`);
		return stored;
	}

	private shown({ id, createdAt, lastLoginAt, init }: StoredUser): GoogleUser {
		const { primaryEmail, familyName = '' } = init;
		const givenName = init.givenName ?? primaryEmail.split('@')[0] ?? '';
		const { aliases = [], otherEmails = [], suspended = false, recoveryEmail } = init;
		const user = {
			id,
			primaryEmail,
			name: { givenName, familyName, fullName: `${givenName} ${familyName}`.trim() },
			isAdmin: init.admin === 'super',
			isDelegatedAdmin: Array.isArray(init.admin),
			lastLoginTime: rfc3339(lastLoginAt),
			creationTime: rfc3339(createdAt),
			agreedToTerms: true,
			suspended,
			...(suspended ? { suspensionReason: 'ADMIN' as const } : {}),
			archived: init.archived ?? false,
			changePasswordAtNextLogin: false,
			ipWhitelisted: false,
			emails: [
				{ address: primaryEmail, primary: true as const },
				...otherEmails.map((address) => ({ address, type: 'home' })),
				...aliases.map((address) => ({ address })),
				{ address: forTests(primaryEmail) },
			],
			...(aliases.length === 0 ? {} : { aliases: [...aliases] }),
			nonEditableAliases: [forTests(primaryEmail)],
			customerId: CUSTOMER_ID,
			orgUnitPath: '/',
			isMailboxSetup: true,
			isEnrolledIn2Sv: false,
			isEnforcedIn2Sv: false,
			includeInGlobalAddressList: true,
			...(recoveryEmail === undefined ? {} : { recoveryEmail }),
		};
		return { kind: 'admin#directory#user', etag: etagOf(user), ...user };
	}

	// --- Sessions, tokens, app passwords -----------------------------------------------------------

	/** The user signs in on a device. */
	signIn(userKey: string, device?: string): GoogleSession {
		const stored = this.require(userKey);
		if (stored.init.suspended === true || stored.init.archived === true) {
			throw new Error(`${userKey} is suspended or archived and cannot sign in`);
		}
		stored.lastLoginAt = this.now();
		return this.newSession(stored, device);
	}

	/** The user grants an app access; a client that has a grant already gets a new one instead. */
	addToken(userKey: string, app: Partial<GoogleToken> = {}): GoogleToken {
		return this.newToken(this.require(userKey), app);
	}

	/** The user makes an app password. */
	addAsp(userKey: string, name?: string): GoogleAsp {
		return this.newAsp(this.require(userKey), name);
	}

	/** Whether a session with this id is alive. */
	isLive(sessionId: string): boolean {
		return this.allUsers().some(({ id }) =>
			this.sessionsOf(id).some((one) => one.id === sessionId),
		);
	}

	/** Sessions that are alive. */
	sessionsOf(userKey: string): GoogleSession[] {
		return this.alive(this.require(userKey).sessions);
	}

	/** Grants to apps that are alive. */
	tokensOf(userKey: string): GoogleToken[] {
		return this.alive(this.require(userKey).tokens);
	}

	/** App passwords that are alive. */
	aspsOf(userKey: string): GoogleAsp[] {
		return this.alive(this.require(userKey).asps);
	}

	/** Grants to apps as a list shows them, which may lag behind. */
	listedTokens(userKey: string): GoogleToken[] {
		return this.alive(this.require(userKey).tokens, this.listLagMs);
	}

	/** App passwords as a list shows them, which may lag behind. */
	listedAsps(userKey: string): GoogleAsp[] {
		return this.alive(this.require(userKey).asps, this.listLagMs);
	}

	/** How often the user was signed out through the API. */
	signOutsOf(userKey: string): number {
		return this.require(userKey).signOuts;
	}

	/** What `users.signOut` does: sessions end, grants to apps and app passwords stay. */
	signOut(userKey: string, actor: GoogleUser): void {
		const stored = this.require(userKey);
		stored.signOuts += 1;
		for (const session of stored.sessions) this.end(session);
		if (this.signOutEvent) this.note(stored, actor, 'RESET_SIGNIN_COOKIES');
	}

	/** What `tokens.delete` does; false if the app has no grant of the user. */
	deleteToken(userKey: string, clientId: string, actor: GoogleUser): boolean {
		const stored = this.require(userKey);
		const found = stored.tokens.find(
			(one) => one.thing.clientId === clientId && one.endsAt > this.now(),
		);
		if (found === undefined) return false;
		this.end(found);
		this.note(stored, actor, 'REVOKE_3LO_TOKEN', { APP_ID: clientId });
		return true;
	}

	/** What `asps.delete` does; false if the user has no such app password. */
	deleteAsp(userKey: string, codeId: string, actor: GoogleUser): boolean {
		const stored = this.require(userKey);
		const found = stored.asps.find(
			(one) => String(one.thing.codeId) === codeId && one.endsAt > this.now(),
		);
		if (found === undefined) return false;
		this.end(found);
		this.note(stored, actor, 'REVOKE_ASP', { ASP_ID: codeId });
		return true;
	}

	/** The audit log as it shows now, newest first. */
	activities(): GoogleActivity[] {
		const now = this.now();
		return this.log.filter(({ time }) => time + this.reportLagMs <= now).toReversed();
	}

	private note(
		{ init }: StoredUser,
		actor: GoogleUser,
		name: GoogleActivity['name'],
		more: Record<string, string> = {},
	): void {
		this.log.push({
			time: this.now(),
			actor: { email: actor.primaryEmail, profileId: actor.id },
			name,
			parameters: { USER_EMAIL: init.primaryEmail, ...more },
		});
	}

	private newSession(stored: StoredUser, device?: string): GoogleSession {
		const thing: GoogleSession = {
			id: `session-${this.digits(16)}`,
			device: device ?? DEVICES[stored.sessions.length % DEVICES.length] ?? '',
			createdAt: rfc3339(this.now()),
		};
		stored.sessions.push({ thing, endsAt: Infinity });
		return thing;
	}

	private newToken(stored: StoredUser, app: Partial<GoogleToken> = {}): GoogleToken {
		const nth = stored.tokens.length;
		const sample = APPS[nth] ?? {
			displayText: `Sample App ${nth + 1}`,
			nativeApp: false,
			scopes: ['openid'],
		};
		const token = {
			clientId: `${100_000_000_000 + nth}-sample.apps.googleusercontent.com`,
			anonymous: false,
			...sample,
			...app,
			userKey: stored.id,
		};
		const thing: GoogleToken = {
			kind: 'admin#directory#token',
			etag: etagOf(token),
			...token,
		};
		stored.tokens = stored.tokens.filter((one) => one.thing.clientId !== thing.clientId);
		stored.tokens.push({ thing, endsAt: Infinity });
		return thing;
	}

	private newAsp(stored: StoredUser, name?: string): GoogleAsp {
		const nth = stored.asps.length;
		const created = String(Math.floor(this.now() / 1000));
		const asp = {
			codeId: nth,
			name: name ?? `Mail on device ${nth + 1}`,
			creationTime: created,
			lastTimeUsed: created,
			userKey: stored.id,
		};
		const thing: GoogleAsp = { kind: 'admin#directory#asp', etag: etagOf(asp), ...asp };
		stored.asps.push({ thing, endsAt: Infinity });
		return thing;
	}

	private end(one: Lasting<unknown>): void {
		one.endsAt = Math.min(one.endsAt, this.now());
	}

	private alive<Thing>(all: readonly Lasting<Thing>[], lagMs = 0): Thing[] {
		const now = this.now();
		return all.filter(({ endsAt }) => endsAt + lagMs > now).map(({ thing }) => thing);
	}

	// --- Service accounts and access tokens --------------------------------------------------------

	/** Registers a service account and authorises its client for scopes in the domain. */
	addServiceAccount(init: GoogleServiceAccountInit): void {
		const { clientEmail, publicKeyPem, scopes, disabled = false } = init;
		const key = createPublicKey(publicKeyPem);
		this.serviceAccounts.set(clientEmail, { clientEmail, key, scopes, disabled });
	}

	/** Changes what the domain authorised a service account's client for. */
	authorizeScopes(clientEmail: string, scopes: readonly string[]): void {
		const account = this.serviceAccounts.get(clientEmail);
		if (account === undefined) throw new Error(`there is no service account ${clientEmail}`);
		account.scopes = scopes;
	}

	/** The service account with this address. */
	findServiceAccount(clientEmail: string): GoogleServiceAccount | undefined {
		return this.serviceAccounts.get(clientEmail);
	}

	/** A new access token. */
	addAccessToken(init: GoogleAccessTokenInit): string {
		const { user, scopes, lifeSeconds = this.tokenLifeSeconds } = init;
		const token = init.token ?? `ya29.${randomBytes(96).toString('base64url')}`;
		this.accessTokens.set(token, {
			...(user === undefined ? {} : { userId: this.require(user).id }),
			scopes: [...scopes],
			expiresAt: this.now() + lifeSeconds * 1000,
		});
		return token;
	}

	/** Ends every access token before its time. */
	withdrawTokens(): void {
		this.accessTokens.clear();
	}

	/** Whom an access token stands for; nothing if it is unknown, expired, or its user is gone. */
	principal(token: string): GooglePrincipal | undefined {
		const found = this.accessTokens.get(token);
		if (found === undefined || found.expiresAt <= this.now()) return undefined;
		const { userId, scopes } = found;
		if (userId === undefined) return { user: undefined, admin: undefined, scopes };
		const stored = this.people.get(userId);
		if (stored === undefined || stored.init.suspended === true) return undefined;
		return { user: this.shown(stored), admin: stored.init.admin, scopes };
	}

	/** Everything but keys and tokens, as JSON. */
	toJSON(): unknown {
		return {
			customerId: CUSTOMER_ID,
			domains: this.domains,
			users: [...this.people.values()].map((stored) => ({
				...this.shown(stored),
				admin: stored.init.admin ?? null,
				sessions: this.alive(stored.sessions),
				tokens: this.alive(stored.tokens),
				asps: this.alive(stored.asps),
				signOuts: stored.signOuts,
			})),
			serviceAccounts: [...this.serviceAccounts.values()].map(
				({ clientEmail, scopes, disabled }) => ({ clientEmail, scopes, disabled }),
			),
		};
	}
}
