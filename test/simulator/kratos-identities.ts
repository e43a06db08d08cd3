/**
 * The state of one simulated Ory Kratos: identities with their sessions. Shapes follow the published
 * specification, https://github.com/ory/kratos/blob/master/spec/api.json; what it leaves open follows
 * the server's source, named where it is used.
 */
import { createHash, randomUUID } from 'node:crypto';

/** What `addIdentity` takes. Only the e-mail address is needed. */
export interface KratosIdentityInit {
	/** The trait that a person signs in with: an identifier of the password credential. */
	email: string;
	id?: string;
	name?: string;
	/** A second identifier of the password credential. */
	username?: string;
	/** Subjects at social sign-in providers, for example `google:10345`. */
	oidc?: readonly string[];
	/** Default: `active`. Sessions outlive a change of it. */
	state?: KratosState;
	/** How many devices are signed in. */
	sessions?: number;
	/** How many sessions ended before: Kratos keeps them. */
	endedSessions?: number;
}

type KratosState = 'active' | 'inactive';

interface Credential {
	type: 'oidc' | 'password';
	/** As Kratos compares them. */
	identifiers: readonly string[];
}

/** One person, as the state holds it. */
export interface KratosIdentity {
	readonly id: string;
	email: string;
	name: string;
	username?: string;
	state: KratosState;
	readonly createdAt: string;
	readonly credentials: readonly Credential[];
}

/** One session, as the state holds it. A session that ended stays, with `active: false`. */
export interface KratosSession {
	readonly id: string;
	readonly identityId: string;
	readonly issuedAt: string;
	readonly expiresAt: string;
	readonly device: string;
	readonly deviceId: string;
	active: boolean;
}

/** Behaviour that tests switch, where the documents and the source differ or depend on the set-up. */
interface KratosSwitches {
	/**
	 * Answer to the list of sessions of an unknown identity: 404 is documented, the source has an empty
	 * list (`ListSessionsByIdentity` in persistence/sql/persister_session.go).
	 */
	unknownIdentityList: 200 | 404;
	/**
	 * Answer to a second end of one session: PostgreSQL counts what it found, MySQL what it changed
	 * (`revokeMatchingSessions` in persistence/sql/persister_session.go).
	 */
	endedSessionAgain: 204 | 404;
	/** Difference between the vendor's clock and ours. */
	clockSkewMs: number;
}

/** Options of a server. */
export interface KratosOptions extends Partial<KratosSwitches> {
	/** Fills a new or reset server. */
	seed?: (kratos: KratosIdentities) => void;
	identities?: readonly KratosIdentityInit[];
}

/** https://www.ory.com/docs/kratos/session-management/session-lifespan: 24 hours unless configured. */
const LIFE_MS = 24 * 3_600_000;
const DEVICES = ['Chrome on Windows', 'Safari on iOS', 'Firefox on Linux', 'Chrome on Android'];

/** A UUID that is the same after each reset. */
function stableId(name: string): string {
	const hex = createHash('sha256').update(`kratos:${name}`).digest('hex');
	return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`]
		.concat(hex.slice(20, 32))
		.join('-');
}

/** How identifiers of passwords are compared: `GracefulNormalization` in x/normalize.go. */
const normalized = (identifier: string): string => identifier.trim().toLowerCase();

/** The identities of one server. Methods that take a person take an id or an e-mail address. */
export class KratosIdentities implements KratosSwitches {
	unknownIdentityList!: KratosSwitches['unknownIdentityList'];
	endedSessionAgain!: KratosSwitches['endedSessionAgain'];
	clockSkewMs!: number;

	private readonly identities = new Map<string, KratosIdentity>();
	private readonly sessions = new Map<string, KratosSession>();
	private readonly proxyTokens = new Set<string>();

	constructor(private readonly options: KratosOptions) {
		this.fill();
	}

	/** The vendor's clock, in milliseconds since the epoch. */
	now(): number {
		return Date.now() + this.clockSkewMs;
	}

	/** Back to the seed, switches included: same identities, same ids. */
	reset(): void {
		this.identities.clear();
		this.sessions.clear();
		this.proxyTokens.clear();
		this.fill();
	}

	private fill(): void {
		const { options } = this;
		this.unknownIdentityList = options.unknownIdentityList ?? 200;
		this.endedSessionAgain = options.endedSessionAgain ?? 204;
		this.clockSkewMs = options.clockSkewMs ?? 0;
		for (const identity of options.identities ?? []) this.addIdentity(identity);
		options.seed?.(this);
	}

	// --- Identities --------------------------------------------------------------------------------

	/** Adds an identity. Its identifiers must be free: Kratos keeps them unique for each credential. */
	addIdentity(init: KratosIdentityInit): KratosIdentity {
		const { email, username, oidc = [] } = init;
		const passwords = [email, ...(username === undefined ? [] : [username])].map(normalized);
		const credentials: Credential[] = [
			{ type: 'password', identifiers: passwords },
			...(oidc.length > 0 ? [{ type: 'oidc' as const, identifiers: [...oidc] }] : []),
		];
		const taken = credentials
			.flatMap(({ identifiers }) => identifiers)
			.find((one) => this.byIdentifier(one).length > 0);
		if (taken !== undefined) throw new Error(`there already is an identity with ${taken}`);
		const identity: KratosIdentity = {
			id: init.id ?? stableId(email),
			email,
			name: init.name ?? email,
			...(username === undefined ? {} : { username }),
			state: init.state ?? 'active',
			createdAt: new Date(this.now()).toISOString(),
			credentials,
		};
		this.identities.set(identity.id, identity);
		for (let made = 0; made < (init.sessions ?? 0); made += 1) this.open(identity);
		for (let made = 0; made < (init.endedSessions ?? 0); made += 1) {
			this.endSession(this.open(identity).id);
		}
		return identity;
	}

	/** Removes an identity with everything that belongs to it. */
	removeIdentity(person: string): void {
		const { id } = this.require(person);
		this.identities.delete(id);
		this.deleteSessions(id);
	}

	/** The identity with this id or e-mail address, ignoring case. */
	getIdentity(person: string): KratosIdentity | undefined {
		return (
			this.identities.get(person) ??
			this.all().find(({ email }) => normalized(email) === normalized(person))
		);
	}

	/** Everybody, in the order of their ids, as lists are. */
	all(): KratosIdentity[] {
		return [...this.identities.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
	}

	/**
	 * Who has this identifier, exactly: of a password in any letter case, of a social sign-in as it is.
	 * `ListIdentities` in persistence/sql/identity/persister_identity.go.
	 */
	byIdentifier(identifier: string): KratosIdentity[] {
		return this.all().filter(({ credentials }) =>
			credentials.some(({ type, identifiers }) =>
				identifiers.includes(type === 'password' ? normalized(identifier) : identifier),
			),
		);
	}

	private require(person: string): KratosIdentity {
		const identity = this.getIdentity(person);
		if (identity === undefined) throw new Error(`there is no identity ${person}`);
		return identity;
	}

	// --- Sessions ----------------------------------------------------------------------------------

	/** A person signs in on a device; the new session. */
	signIn(person: string, device?: string): KratosSession {
		const identity = this.require(person);
		if (identity.state === 'inactive') throw new Error(`${person} is inactive and cannot sign in`);
		return this.open(identity, device);
	}

	private open({ id }: KratosIdentity, device?: string): KratosSession {
		const now = this.now();
		const session: KratosSession = {
			id: randomUUID(),
			identityId: id,
			issuedAt: new Date(now).toISOString(),
			expiresAt: new Date(now + LIFE_MS).toISOString(),
			device: device ?? DEVICES[this.stored(id).length % DEVICES.length] ?? '',
			deviceId: randomUUID(),
			active: true,
		};
		this.sessions.set(session.id, session);
		return session;
	}

	/** Everything that is stored of an identity's sessions, ended ones too, the newest first. */
	stored(identityId: string): KratosSession[] {
		return [...this.sessions.values()].filter((one) => one.identityId === identityId).reverse();
	}

	/** Sessions of a person that have not ended. While the identity is inactive they wait. */
	sessionsOf(person: string): KratosSession[] {
		return this.stored(this.require(person).id).filter((session) => this.isLive(session.id));
	}

	/** Whether a session has not ended; `ListSessionsByIdentity` asks the same for `active=true`. */
	isLive(sessionId: string): boolean {
		const session = this.sessions.get(sessionId);
		return session?.active === true && Date.parse(session.expiresAt) >= this.now();
	}

	session(sessionId: string): KratosSession | undefined {
		return this.sessions.get(sessionId);
	}

	/** Deletes every stored session of an identity, ended ones too; how many there were. */
	deleteSessions(identityId: string): number {
		const stored = this.stored(identityId);
		for (const { id } of stored) this.sessions.delete(id);
		return stored.length;
	}

	/** Ends one session and keeps it; whether there is such a session, and whether it was active. */
	endSession(sessionId: string): 'ended' | 'was_ended' | 'unknown' {
		const session = this.sessions.get(sessionId);
		if (session === undefined) return 'unknown';
		if (!session.active) return 'was_ended';
		session.active = false;
		return 'ended';
	}

	// --- Access ------------------------------------------------------------------------------------

	/**
	 * A token that whatever stands before the administration API asks for. As long as there is none,
	 * everybody who reaches it may do everything:
	 * https://www.ory.com/docs/kratos/guides/production#admin-api
	 */
	addProxyToken(token: string): void {
		this.proxyTokens.add(token);
	}

	withdrawTokens(): void {
		this.proxyTokens.clear();
		this.proxyTokens.add(randomUUID());
	}

	admits(token: string | undefined): boolean {
		return this.proxyTokens.size === 0 || (token !== undefined && this.proxyTokens.has(token));
	}

	/** Everything but tokens, as JSON. */
	toJSON(): unknown {
		return {
			identities: this.all().map(({ id, email, name, username, state }) => ({
				id,
				email,
				name,
				...(username === undefined ? {} : { username }),
				state,
				sessions: this.sessionsOf(id).length,
				endedSessions: this.stored(id).length - this.sessionsOf(id).length,
			})),
		};
	}
}
