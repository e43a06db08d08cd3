/**
 * What the projects of both products of Stytch have in common: keys, sessions with their tokens and
 * JWTs, and connected apps. Shapes follow the types of Stytch's Node SDK (stytchauth/stytch-node,
 * `types/lib`).
 */
import { createHash, randomBytes } from 'node:crypto';
import { compactVerify, type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type StytchEnvironment, StytchRefusal, type StytchVertical } from './stytch-errors';

/** What a project takes from the whole of Stytch. */
export interface StytchSurroundings {
	/** Stytch's clock, in milliseconds since the epoch. */
	now(): number;
	/** From now on a session that is revoked stays in the lists. */
	readonly hideRevocations: boolean;
}

/** A project's keys. Everything has a default. */
export interface StytchProjectInit {
	/** `project-test-…` or `project-live-…`: says the environment. The default is made up. */
	projectId?: string;
	secret?: string;
	/** For a project id that is made up; `test` by default. */
	environment?: StytchEnvironment;
}

/** One live session of a user or a member. Times are milliseconds since the epoch. */
export interface StytchSession {
	readonly id: string;
	readonly ownerId: string;
	readonly token: string;
	readonly startedAt: number;
	lastAccessedAt: number;
	expiresAt: number;
	readonly ipAddress: string;
	readonly userAgent: string;
	readonly factors: readonly Readonly<Record<string, unknown>>[];
	customClaims: Readonly<Record<string, unknown>>;
}

/** An app that a user or a member let in: its tokens end with `revoke`, not with the sessions. */
export interface StytchConnectedApp {
	readonly connected_app_id: string;
	readonly name: string;
	readonly description: string;
	readonly client_type: 'first_party' | 'first_party_public' | 'third_party' | 'third_party_public';
	readonly scopes_granted: string;
	readonly logo_url: null;
}

/** Whose a session is, as its JWT tells it. */
interface JwtSubject {
	roles: readonly string[];
	claims: Readonly<Record<string, unknown>>;
}

/** Documented: "Sessions can be between 5 minutes and 366 days long"; 60 minutes by default. */
const SESSION_LIFE_MS = 60 * 60_000;
/** Documented for JWTs, however long the session lives. */
const JWT_LIFE_SECONDS = 5 * 60;

const SESSION_CLAIM = 'https://stytch.com/session';

const DEVICES = [
	'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
	'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1',
	'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
];

/** RFC 3339 in UTC, as all times of the API. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Documented: letters, digits and `._-|`, at most 128 of them. */
export const isExternalId = (text: string): boolean => /^[\w.|-]{1,128}$/.test(text);

/** The part that the projects of both products share. */
export abstract class StytchProject {
	abstract readonly vertical: StytchVertical;
	readonly projectId: string;
	readonly environment: StytchEnvironment;

	private readonly firstSecret: string;
	private readonly secrets = new Set<string>();
	private ids = 0;
	private readonly sessions = new Map<string, StytchSession>();
	private readonly idsOf = new Map<string, Set<string>>();
	/** Revoked sessions that still show, by owner. */
	private readonly ghosts = new Map<string, StytchSession[]>();
	private readonly apps = new Map<string, StytchConnectedApp[]>();
	/** How often somebody will sign in again. */
	private readonly returning = new Map<string, number>();
	private keys?: Promise<{ publicKey: CryptoKey; privateKey: CryptoKey }>;

	constructor(
		protected readonly surroundings: StytchSurroundings,
		init: StytchProjectInit,
		vertical: StytchVertical,
	) {
		const { environment = 'test' } = init;
		this.projectId = init.projectId ?? `project-${environment}-${madeUp(`project:${vertical}`)}`;
		this.environment = this.projectId.startsWith('project-live-') ? 'live' : 'test';
		this.firstSecret = init.secret ?? newSecret(this.environment);
		this.secrets.add(this.firstSecret);
	}

	/** Nothing is left but the first secret. */
	clear(): void {
		this.ids = 0;
		for (const map of [this.sessions, this.idsOf, this.ghosts, this.apps, this.returning]) {
			map.clear();
		}
		this.secrets.clear();
		this.secrets.add(this.firstSecret);
	}

	/** A secret that is valid now. */
	get secret(): string {
		const [first] = this.secrets;
		if (first === undefined) throw new Error('the project has no secret left');
		return first;
	}

	/** Adds a secret; a project may have several while it rotates them. */
	addSecret(secret = newSecret(this.environment)): string {
		this.secrets.add(secret);
		return secret;
	}

	/** Ends a secret; true if it was valid. */
	deleteSecret(secret: string): boolean {
		return this.secrets.delete(secret);
	}

	hasSecret(secret: string): boolean {
		return this.secrets.has(secret);
	}

	/** An id in Stytch's style, the same for the same history. */
	protected newId(kind: string): string {
		this.ids += 1;
		return `${kind}-${this.environment}-${madeUp(`${this.projectId}:${kind}:${String(this.ids)}`)}`;
	}

	/** An id that a test chose, if it is one of this kind and environment. */
	protected chosenId(kind: string, id: string | undefined): string {
		if (id === undefined) return this.newId(kind);
		if (!this.isInternalId(kind, id)) throw new Error(`not an id of a ${kind}: ${id}`);
		return id;
	}

	/** Whether `text` is a Stytch id of this kind. One of the other environment is refused. */
	protected isInternalId(kind: string, text: string): boolean {
		const environment = new RegExp(`^${kind}-(test|live)-[\\da-f-]{36}$`).exec(text)?.[1];
		if (environment === undefined || environment === this.environment) {
			return environment !== undefined;
		}
		throw new StytchRefusal(
			environment === 'live'
				? 'live_id_used_in_test_environment'
				: 'test_id_used_in_live_environment',
		);
	}

	// --- Sessions ----------------------------------------------------------------------------------

	protected startSession(
		ownerId: string,
		email: { id: string; address: string },
		lifeMs = SESSION_LIFE_MS,
	): StytchSession {
		const now = this.surroundings.now();
		const number = this.ids + 1;
		const session: StytchSession = {
			id: this.newId('session'),
			ownerId,
			// Documented: "a unique and opaque 44-character string".
			token: randomBytes(33).toString('base64url'),
			startedAt: now,
			lastAccessedAt: now,
			expiresAt: now + lifeMs,
			ipAddress: `203.0.113.${String((number % 250) + 1)}`,
			userAgent: DEVICES[number % DEVICES.length] ?? '',
			factors: [
				{
					type: 'magic_link',
					delivery_method: 'email',
					last_authenticated_at: timestamp(now),
					email_factor: { email_id: email.id, email_address: email.address },
				},
			],
			customClaims: {},
		};
		this.sessions.set(session.id, session);
		const ids = this.idsOf.get(ownerId) ?? new Set();
		this.idsOf.set(ownerId, ids.add(session.id));
		return session;
	}

	/** Signs somebody in again who has just lost the last session. */
	protected abstract signInAgain(ownerId: string): void;
	/** What the JWT of a session says of its owner. */
	protected abstract subject(session: StytchSession): JwtSubject;

	protected liveSessions(ownerId: string): StytchSession[] {
		return [...(this.idsOf.get(ownerId) ?? [])].flatMap((id) => this.session(id) ?? []);
	}

	/** The sessions that a list shows. */
	listedSessions(ownerId: string): StytchSession[] {
		return [...(this.ghosts.get(ownerId) ?? []), ...this.liveSessions(ownerId)];
	}

	/** A live session. */
	session(id: string): StytchSession | undefined {
		const session = this.sessions.get(id);
		if (session === undefined || session.expiresAt > this.surroundings.now()) return session;
		this.forget(session);
		return undefined;
	}

	isLive(sessionId: string): boolean {
		return this.session(sessionId) !== undefined;
	}

	/** The live session with this id; refuses what is not an id, and an id of no live session. */
	sessionById(id: string): StytchSession {
		if (!this.isInternalId('session', id)) throw new StytchRefusal('invalid_session_id');
		return known(this.session(id));
	}

	/** The live session with this token. */
	sessionByToken(token: string): StytchSession {
		if (!/^[\w-]{43,44}=?$/.test(token)) throw new StytchRefusal('invalid_session_token');
		const found = [...this.sessions.values()].find((one) => one.token === token);
		return known(found && this.session(found.id));
	}

	/**
	 * The live session with this JWT. Documented: one that has expired will do, as long as its signature
	 * is right and the session lives.
	 */
	async sessionByJwt(jwt: string): Promise<StytchSession> {
		const { publicKey } = await this.keyPair();
		let claims: Record<string, unknown>;
		try {
			const { payload } = await compactVerify(jwt, publicKey, { algorithms: ['RS256'] });
			claims = JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>;
		} catch {
			throw new StytchRefusal('unable_to_parse_session_jwt');
		}
		const { id } = claims[SESSION_CLAIM] as { id: string };
		return known(this.session(id));
	}

	/** A JWT of the session, valid for five minutes. */
	async jwt(session: StytchSession): Promise<string> {
		const { privateKey } = await this.keyPair();
		const { roles, claims } = this.subject(session);
		const now = Math.floor(this.surroundings.now() / 1000);
		return await new SignJWT({
			...session.customClaims,
			...claims,
			[SESSION_CLAIM]: {
				id: session.id,
				started_at: timestamp(session.startedAt),
				last_accessed_at: timestamp(session.lastAccessedAt),
				expires_at: timestamp(session.expiresAt),
				attributes: { ip_address: session.ipAddress, user_agent: session.userAgent },
				authentication_factors: session.factors,
				roles,
			},
		})
			.setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: this.keyId() })
			.setIssuer(`stytch.com/${this.projectId}`)
			.setAudience([this.projectId])
			.setSubject(session.ownerId)
			.setIssuedAt(now)
			.setNotBefore(now)
			.setExpirationTime(now + JWT_LIFE_SECONDS)
			.sign(privateKey);
	}

	/** The public keys, with which apps verify JWTs without asking Stytch. */
	async jwks(): Promise<JWK[]> {
		const { publicKey } = await this.keyPair();
		return [
			{
				...(await exportJWK(publicKey)),
				alg: 'RS256',
				use: 'sig',
				key_ops: ['verify'],
				kid: this.keyId(),
			},
		];
	}

	private keyPair(): Promise<{ publicKey: CryptoKey; privateKey: CryptoKey }> {
		this.keys ??= generateKeyPair('RS256', { extractable: true });
		return this.keys;
	}

	private keyId(): string {
		return `jwk-${this.environment}-${madeUp(`jwk:${this.projectId}`)}`;
	}

	/** Ends sessions of one owner, as a call of the API does. */
	revokeSessions(ownerId: string, sessions: readonly StytchSession[]): void {
		for (const session of sessions) {
			this.forget(session);
			if (this.surroundings.hideRevocations) {
				this.ghosts.set(ownerId, [...(this.ghosts.get(ownerId) ?? []), session]);
			}
		}
		const left = this.returning.get(ownerId) ?? 0;
		if (sessions.length === 0 || left === 0 || this.liveSessions(ownerId).length > 0) return;
		this.returning.set(ownerId, left - 1);
		this.signInAgain(ownerId);
	}

	/** From now on the owner signs in again whenever the last session is revoked, so many times. */
	protected keepReturning(ownerId: string, times: number): void {
		this.returning.set(ownerId, times);
	}

	/** Nothing of the owner is left. */
	protected forgetOwner(ownerId: string): void {
		for (const session of this.liveSessions(ownerId)) this.forget(session);
		for (const map of [this.ghosts, this.apps, this.returning]) map.delete(ownerId);
	}

	private forget(session: StytchSession): void {
		this.sessions.delete(session.id);
		this.idsOf.get(session.ownerId)?.delete(session.id);
	}

	// --- Connected apps ----------------------------------------------------------------------------

	protected connect(ownerId: string, count: number): void {
		const apps = this.apps.get(ownerId) ?? [];
		for (let n = 0; n < count; n += 1) {
			apps.push({
				connected_app_id: this.newId('connected-app'),
				name: `Report Builder ${String(apps.length + 1)}`,
				description: 'Reads reports on behalf of its users.',
				client_type: 'third_party',
				scopes_granted: 'openid profile offline_access',
				logo_url: null,
			});
		}
		this.apps.set(ownerId, apps);
	}

	/** Apps that hold tokens of the owner. */
	appsOf(ownerId: string): StytchConnectedApp[] {
		return [...(this.apps.get(ownerId) ?? [])];
	}

	/** Ends what an app may do for the owner, and all its tokens. */
	revokeApp(ownerId: string, appId: string): void {
		const apps = this.appsOf(ownerId);
		const left = apps.filter((one) => one.connected_app_id !== appId);
		if (left.length === apps.length) throw new StytchRefusal('connected_app_not_found');
		this.apps.set(ownerId, left);
	}
}

function newSecret(environment: StytchEnvironment): string {
	return `secret-${environment}-${randomBytes(27).toString('base64url')}=`;
}

/** A UUID, the same for the same text. */
function madeUp(text: string): string {
	const hex = createHash('sha256').update(text).digest('hex');
	return [
		hex.slice(0, 8),
		hex.slice(8, 12),
		`4${hex.slice(13, 16)}`,
		`8${hex.slice(17, 20)}`,
		hex.slice(20, 32),
	].join('-');
}

function known(session: StytchSession | undefined): StytchSession {
	if (session === undefined) throw new StytchRefusal('session_not_found');
	return session;
}
