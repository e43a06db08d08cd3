/**
 * The state of one simulated authentik: users with their sessions, and API tokens. Shapes follow the
 * published schema, https://github.com/goauthentik/authentik/blob/main/schema.yml; what it leaves open
 * follows the server's source in the same repository, named where it is used.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';

/** `UserTypeEnum`. */
type AuthentikUserType = 'external' | 'internal' | 'internal_service_account' | 'service_account';

/** What `addUser` takes. Only the user name is needed. */
export interface AuthentikUserInit {
	username: string;
	email?: string;
	name?: string;
	active?: boolean;
	type?: AuthentikUserType;
	/** May do everything. */
	superuser?: boolean;
	/** How many browsers are signed in. */
	sessions?: number;
}

/** One user, as the state holds it. */
export interface AuthentikUser {
	/** A number that counts up. */
	readonly pk: number;
	readonly uuid: string;
	username: string;
	/** Not unique: two users may have the same. */
	email: string;
	name: string;
	active: boolean;
	readonly type: AuthentikUserType;
	readonly superuser: boolean;
	readonly joinedAt: string;
}

/** One signed-in browser. It is gone when it ends. */
export interface AuthentikSession {
	readonly uuid: string;
	readonly userPk: number;
	readonly userAgent: string;
	readonly usedAt: string;
	readonly expiresAt: string;
}

/** Global permissions that the simulated operations ask for. */
export type AuthentikPermission =
	| 'authentik_core.delete_authenticatedsession'
	| 'authentik_core.view_authenticatedsession'
	| 'authentik_core.view_user';

/** Behaviour that tests switch. */
interface AuthentikSwitches {
	/** Settings of the server: the size of a page that does not ask for one, and the largest. */
	pageSize: number;
	largestPage: number;
	/** Difference between the vendor's clock and ours. */
	clockSkewMs: number;
}

/** Options of a server. */
export interface AuthentikOptions extends Partial<AuthentikSwitches> {
	/** Fills a new or reset server. */
	seed?: (authentik: AuthentikUsers) => void;
	users?: readonly AuthentikUserInit[];
}

/** The stage that signs people in decides; this is one of its usual settings. */
const LIFE_MS = 14 * 86_400_000;
const AGENTS = [
	'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0',
	'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Safari/604.1',
	'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Firefox/143.0',
];

/** A UUID that is the same after each reset. */
function stableId(name: string): string {
	const hex = createHash('sha256').update(`authentik:${name}`).digest('hex');
	return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`]
		.concat(hex.slice(20, 32))
		.join('-');
}

/** The users of one server. Methods that take a person take a user name or a pk. */
export class AuthentikUsers implements AuthentikSwitches {
	pageSize!: number;
	largestPage!: number;
	clockSkewMs!: number;

	private pks = 0;
	private readonly users = new Map<number, AuthentikUser>();
	private sessions: AuthentikSession[] = [];
	private readonly tokens = new Map<
		string,
		{ pk: number; permissions: ReadonlySet<AuthentikPermission>; expiresAt: number }
	>();

	constructor(private readonly options: AuthentikOptions) {
		this.fill();
	}

	/** The vendor's clock, in milliseconds since the epoch. */
	now(): number {
		return Date.now() + this.clockSkewMs;
	}

	/** Back to the seed, switches included: same users, same numbers. */
	reset(): void {
		// The first is the anonymous user of django-guardian, which no list shows.
		this.pks = 1;
		this.users.clear();
		this.sessions = [];
		this.tokens.clear();
		this.fill();
	}

	private fill(): void {
		const { options } = this;
		this.pageSize = options.pageSize ?? 20;
		this.largestPage = options.largestPage ?? 100;
		this.clockSkewMs = options.clockSkewMs ?? 0;
		for (const user of options.users ?? []) this.addUser(user);
		options.seed?.(this);
	}

	// --- Users -------------------------------------------------------------------------------------

	/** Adds a user; the user name must be free, in exactly these letters. */
	addUser(init: AuthentikUserInit): AuthentikUser {
		const { username } = init;
		if (this.getUser(username) !== undefined)
			throw new Error(`there already is a user ${username}`);
		this.pks += 1;
		const user: AuthentikUser = {
			pk: this.pks,
			uuid: stableId(username),
			username,
			email: init.email ?? '',
			name: init.name ?? username,
			active: init.active ?? true,
			type: init.type ?? 'internal',
			superuser: init.superuser ?? false,
			joinedAt: new Date(this.now()).toISOString(),
		};
		this.users.set(user.pk, user);
		for (let made = 0; made < (init.sessions ?? 0); made += 1) this.open(user);
		return user;
	}

	/** Deactivates a user. Its sessions end with that: `authentik/core/signals.py`. */
	deactivate(person: number | string): void {
		const user = this.require(person);
		user.active = false;
		this.deleteSessionsOf([user.pk]);
	}

	removeUser(person: number | string): void {
		const { pk } = this.require(person);
		this.users.delete(pk);
		this.deleteSessionsOf([pk]);
	}

	getUser(person: number | string): AuthentikUser | undefined {
		return typeof person === 'number'
			? this.users.get(person)
			: this.all().find(({ username }) => username === person);
	}

	/** Everybody, by user name, as lists are. */
	all(): AuthentikUser[] {
		return [...this.users.values()].sort((one, other) => (one.username < other.username ? -1 : 1));
	}

	private require(person: number | string): AuthentikUser {
		const user = this.getUser(person);
		if (user === undefined) throw new Error(`there is no user ${String(person)}`);
		return user;
	}

	// --- Sessions ----------------------------------------------------------------------------------

	/** A user signs in with a browser; the new session. */
	signIn(person: number | string, userAgent?: string): AuthentikSession {
		const user = this.require(person);
		if (!user.active) throw new Error(`${user.username} is deactivated and cannot sign in`);
		return this.open(user, userAgent);
	}

	private open({ pk }: AuthentikUser, userAgent?: string): AuthentikSession {
		const now = this.now();
		const known = AGENTS[this.sessionsOf(pk).length % AGENTS.length] ?? '';
		const session: AuthentikSession = {
			uuid: randomUUID(),
			userPk: pk,
			userAgent: userAgent ?? known,
			usedAt: new Date(now).toISOString(),
			expiresAt: new Date(now + LIFE_MS).toISOString(),
		};
		this.sessions.push(session);
		return session;
	}

	allSessions(): readonly AuthentikSession[] {
		return this.sessions;
	}

	/** Sessions that are alive. */
	sessionsOf(person: number | string): AuthentikSession[] {
		const { pk } = this.require(person);
		return this.sessions.filter(({ userPk }) => userPk === pk);
	}

	/** Ends all sessions of these users; how many there were. */
	deleteSessionsOf(pks: readonly number[]): number {
		const before = this.sessions.length;
		this.sessions = this.sessions.filter(({ userPk }) => !pks.includes(userPk));
		return before - this.sessions.length;
	}

	/** Ends one session; false if there is none. */
	deleteSession(uuid: string): boolean {
		const before = this.sessions.length;
		this.sessions = this.sessions.filter((session) => session.uuid !== uuid);
		return this.sessions.length < before;
	}

	// --- API tokens --------------------------------------------------------------------------------

	/** An API token of a user; its key. Default: all that look-up and revocation need. */
	addToken(
		person: number | string,
		init: {
			key?: string;
			permissions?: readonly AuthentikPermission[];
			lifeSeconds?: number;
		} = {},
	): string {
		const key = init.key ?? randomBytes(30).toString('base64url');
		this.tokens.set(key, {
			pk: this.require(person).pk,
			permissions: new Set<AuthentikPermission>(
				init.permissions ?? [
					'authentik_core.view_user',
					'authentik_core.view_authenticatedsession',
					'authentik_core.delete_authenticatedsession',
				],
			),
			expiresAt: init.lifeSeconds === undefined ? Infinity : this.now() + init.lifeSeconds * 1000,
		});
		return key;
	}

	/** Ends every token before its time. */
	withdrawTokens(): void {
		this.tokens.clear();
	}

	/** Whom a key acts for, and what that user may do; undefined when it opens nothing. */
	principal(
		key: string,
	): { user: AuthentikUser; may: (permission: AuthentikPermission) => boolean } | undefined {
		const token = this.tokens.get(key);
		const user = token && this.users.get(token.pk);
		if (token === undefined || token.expiresAt <= this.now() || user?.active !== true) {
			return undefined;
		}
		return { user, may: (permission) => user.superuser || token.permissions.has(permission) };
	}

	/** Everything but tokens, as JSON. */
	toJSON(): unknown {
		return {
			users: this.all().map(({ pk, uuid, username, email, name, active, type }) => ({
				pk,
				uuid,
				username,
				email,
				name,
				active,
				type,
				sessions: this.sessionsOf(pk).length,
			})),
		};
	}
}
