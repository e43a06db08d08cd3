/**
 * The state of one simulated Miro organization: members with their sessions, and the access tokens
 * of apps. Shapes follow Miro's published specification:
 * https://github.com/miroapp/api-clients/blob/main/packages/generator/spec.json
 */
import { randomBytes, randomUUID } from 'node:crypto';

/** `OrganizationMember.role`. Who may use the Enterprise API is an internal admin. */
export const MIRO_ROLES = [
	'organization_internal_admin',
	'organization_internal_user',
	'organization_external_user',
	'organization_team_guest_user',
	'unknown',
] as const;

/** `OrganizationMember.license`. */
export const MIRO_LICENSES = [
	'advanced',
	'standard',
	'basic',
	'full',
	'occasional',
	'free',
	'free_restricted',
	'full_trial',
	'unknown',
] as const;

type MiroRole = (typeof MIRO_ROLES)[number];
type MiroLicense = (typeof MIRO_LICENSES)[number];

/** `OrganizationMember` as the API shows it. */
export interface MiroMember {
	readonly type: 'organization-member';
	/** Digits; too large for a JSON number. */
	readonly id: string;
	email: string;
	/** False for a deactivated member. */
	active: boolean;
	role: MiroRole;
	license: MiroLicense;
	readonly licenseAssignedAt: string;
	/** Absent for somebody who never signed in. */
	lastActivityAt?: string;
}

/** What `addUser` takes. Only the e-mail address is needed. */
export interface MiroUserInit {
	email: string;
	id?: string;
	/** Shown by the token's own information only: members have no name. */
	name?: string;
	active?: boolean;
	role?: MiroRole;
	license?: MiroLicense;
	/** How many devices are signed in. */
	sessions?: number;
}

/** What of a member `updateUser` may change. */
export type MiroUserChange = Partial<Pick<MiroMember, 'active' | 'email' | 'license' | 'role'>>;

/** A session on one device. Miro's API shows none of it. */
export interface MiroSession {
	readonly id: string;
	readonly device: string;
	readonly createdAt: string;
}

/** An app's access token, as its installation or the OAuth flow gives it. */
export interface MiroAccessTokenInit {
	/** Id or e-mail address of the member whom the token acts for. */
	user: string;
	/** Who created it. Default: the same member. */
	createdBy?: string;
	token?: string;
	/** Default: all that look-up and reset need. */
	scopes?: readonly string[];
	/** Rate limits count by user and app. */
	app?: string;
	/** Default: never expires, as an app without expiring tokens gets it. */
	lifeSeconds?: number;
	/** False for a token of a team that belongs to no organization. */
	inOrganization?: boolean;
}

/** Whom a token stands for. */
export interface MiroPrincipal {
	readonly userId: string;
	readonly createdById: string;
	readonly app: string;
	readonly scopes: readonly string[];
	readonly inOrganization: boolean;
}

/** Behaviour that tests switch. Miro's documents leave all of it open. */
export interface MiroSwitches {
	/**
	 * Code of the 403 for a missing scope: the general page of errors has the first one, the pages of
	 * the Enterprise operations have the other.
	 */
	missingScopeCode: 'insufficientPermissions' | 'forbiddenAccess';
	/** Answer of the token's own information to a bad token: 400 by the specification, unlike elsewhere. */
	badTokenStatus: 400 | 401;
	/** Whether the token's own information tells the scopes: the member is optional. */
	showsScopes: boolean;
	/** Answer for an organization that is not the token's. */
	foreignOrganizationStatus: 403 | 404;
	/** What a reset makes of guests and external users: the documents name no exception. */
	guestReset: 'reset' | 'notFound' | 'forbidden';
	/** Body of a reset's 200: the specification describes it without any content. */
	resetBody: 'empty' | 'object';
	/** Difference between the vendor's clock and ours. */
	clockSkewMs: number;
}

/** Options of an organization. */
export interface MiroOrgOptions extends Partial<MiroSwitches> {
	organizationId?: string;
	organizationName?: string;
	/** Fills a new or reset organization. */
	seed?: (org: MiroOrg) => void;
	users?: readonly MiroUserInit[];
}

const DEFAULT_ORGANIZATION = '3458764523071482900';
const TEAM = { type: 'team', name: 'Example Team', id: '3458764523071482901' } as const;
const FIRST_MEMBER = 3_458_764_523_071_483_000n;
const DAY_MS = 86_400_000;
const DEVICES = ['Chrome on macOS', 'Miro for iPad', 'Firefox on Windows', 'Miro for Android'];

interface StoredMember {
	readonly member: MiroMember;
	readonly name: string;
	sessions: MiroSession[];
	resets: number;
}

const fold = (text: string): string => text.toLowerCase();

/** One Miro organization. All methods that take a user take an id or an e-mail address. */
export class MiroOrg implements MiroSwitches {
	missingScopeCode!: MiroSwitches['missingScopeCode'];
	badTokenStatus!: MiroSwitches['badTokenStatus'];
	showsScopes!: boolean;
	foreignOrganizationStatus!: MiroSwitches['foreignOrganizationStatus'];
	guestReset!: MiroSwitches['guestReset'];
	resetBody!: MiroSwitches['resetBody'];
	clockSkewMs!: number;
	readonly organizationId: string;
	readonly organizationName: string;

	private ids = 0n;
	/** By id, in order of creation. */
	private readonly members = new Map<string, StoredMember>();
	private readonly byEmail = new Map<string, StoredMember>();
	private readonly accessTokens = new Map<string, MiroPrincipal & { expiresAt: number }>();

	constructor(private readonly options: MiroOrgOptions) {
		this.organizationId = options.organizationId ?? DEFAULT_ORGANIZATION;
		this.organizationName = options.organizationName ?? 'Example Corporation';
		this.fill();
	}

	/** The vendor's clock, in milliseconds since the epoch. */
	now(): number {
		return Date.now() + this.clockSkewMs;
	}

	/** Back to the seed, switches included: same members, same ids. */
	reset(): void {
		this.ids = 0n;
		this.members.clear();
		this.byEmail.clear();
		this.accessTokens.clear();
		this.fill();
	}

	private fill(): void {
		const { options } = this;
		this.missingScopeCode = options.missingScopeCode ?? 'insufficientPermissions';
		this.badTokenStatus = options.badTokenStatus ?? 400;
		this.showsScopes = options.showsScopes ?? true;
		this.foreignOrganizationStatus = options.foreignOrganizationStatus ?? 404;
		this.guestReset = options.guestReset ?? 'reset';
		this.resetBody = options.resetBody ?? 'empty';
		this.clockSkewMs = options.clockSkewMs ?? 0;
		for (const user of options.users ?? []) this.addUser(user);
		options.seed?.(this);
	}

	// --- Members -----------------------------------------------------------------------------------

	/** Adds a member; the e-mail address must be free. */
	addUser(init: MiroUserInit): MiroMember {
		this.ids += 1n;
		const id = init.id ?? String(FIRST_MEMBER + this.ids * 97n);
		if (this.find(init.email) !== undefined || this.members.has(id)) {
			throw new Error(`there already is a member ${init.email} or ${id}`);
		}
		const stored: StoredMember = {
			member: {
				type: 'organization-member',
				id,
				email: init.email,
				active: init.active ?? true,
				role: init.role ?? 'organization_internal_user',
				license: init.license ?? 'full',
				licenseAssignedAt: new Date(this.now() - 90 * DAY_MS).toISOString(),
			},
			name: init.name ?? init.email,
			sessions: [],
			resets: 0,
		};
		this.members.set(id, stored);
		this.byEmail.set(fold(init.email), stored);
		for (let made = 0; made < (init.sessions ?? 0); made += 1) this.open(stored);
		return structuredClone(stored.member);
	}

	/** Changes a member as an admin would. */
	updateUser(user: string, change: MiroUserChange): MiroMember {
		const stored = this.require(user);
		this.byEmail.delete(fold(stored.member.email));
		Object.assign(stored.member, change);
		this.byEmail.set(fold(stored.member.email), stored);
		return structuredClone(stored.member);
	}

	/** Removes a member, and with it the tokens that act for it. */
	removeUser(user: string): void {
		const { member } = this.require(user);
		this.members.delete(member.id);
		this.byEmail.delete(fold(member.email));
	}

	/** The member with this id or e-mail address, ignoring case. */
	getUser(user: string): MiroMember | undefined {
		return structuredClone(this.find(user)?.member);
	}

	/** Everybody, in order of creation. */
	allUsers(): MiroMember[] {
		return [...this.members.values()].map(({ member }) => structuredClone(member));
	}

	private find(user: string): StoredMember | undefined {
		return this.members.get(user) ?? this.byEmail.get(fold(user));
	}

	private require(user: string): StoredMember {
		const stored = this.find(user);
		if (stored === undefined) throw new Error(`there is no member ${user}`);
		return stored;
	}

	// --- Sessions ----------------------------------------------------------------------------------

	/** The member signs in on a device; the new session. */
	signIn(user: string, device?: string): MiroSession {
		const stored = this.require(user);
		if (!stored.member.active) throw new Error(`${user} is deactivated and cannot sign in`);
		return this.open(stored, device);
	}

	/** Sessions that are alive. */
	sessionsOf(user: string): MiroSession[] {
		return structuredClone(this.require(user).sessions);
	}

	/** Whether a session with this id is alive. */
	isLive(sessionId: string): boolean {
		return [...this.members.values()].some(({ sessions }) =>
			sessions.some(({ id }) => id === sessionId),
		);
	}

	/** How often the member's sessions were reset through the API. */
	resetsOf(user: string): number {
		return this.require(user).resets;
	}

	/** Ends all sessions on all devices. Apps keep their tokens: the documents speak of sessions only. */
	resetSessions(user: string): void {
		const stored = this.require(user);
		stored.resets += 1;
		stored.sessions = [];
	}

	private open(stored: StoredMember, device?: string): MiroSession {
		const createdAt = new Date(this.now()).toISOString();
		const known = DEVICES[stored.sessions.length % DEVICES.length] ?? '';
		const session: MiroSession = { id: randomUUID(), device: device ?? known, createdAt };
		stored.sessions.push(session);
		stored.member.lastActivityAt = createdAt;
		return session;
	}

	// --- Access tokens -----------------------------------------------------------------------------

	/** An access token that acts for a member; its text. */
	addAccessToken(init: MiroAccessTokenInit): string {
		const token = init.token ?? randomBytes(27).toString('base64url');
		const { id } = this.require(init.user).member;
		this.accessTokens.set(token, {
			userId: id,
			createdById: init.createdBy === undefined ? id : this.require(init.createdBy).member.id,
			app: init.app ?? 'Session revocation',
			scopes: [...(init.scopes ?? ['organizations:read', 'sessions:delete'])],
			inOrganization: init.inOrganization ?? true,
			expiresAt: init.lifeSeconds === undefined ? Infinity : this.now() + init.lifeSeconds * 1000,
		});
		return token;
	}

	/** Ends every access token before its time. */
	withdrawTokens(): void {
		this.accessTokens.clear();
	}

	/** Whom a token stands for; nobody if it is unknown, expired, or its member is gone. */
	principal(token: string): MiroPrincipal | undefined {
		const found = this.accessTokens.get(token);
		if (found === undefined || found.expiresAt <= this.now()) return undefined;
		return this.members.has(found.userId) ? found : undefined;
	}

	/** What Miro tells of a token. `user` is whom it acts for, `createdBy` who created it. */
	tokenInformation({ userId, createdById, scopes, inOrganization }: MiroPrincipal): unknown {
		const mini = (id: string) => ({
			type: 'user',
			name: this.members.get(id)?.name ?? '',
			id,
		});
		const { organizationName: name, organizationId: id } = this;
		return {
			type: 'oAuthToken',
			...(inOrganization ? { organization: { type: 'organization', name, id } } : {}),
			team: TEAM,
			createdBy: mini(createdById),
			user: mini(userId),
			...(this.showsScopes ? { scopes } : {}),
		};
	}

	/** Everything but tokens, as JSON. */
	toJSON(): unknown {
		return {
			organizationId: this.organizationId,
			organizationName: this.organizationName,
			users: [...this.members.values()].map(({ member, name, sessions, resets }) => ({
				...member,
				name,
				sessions: sessions.length,
				resets,
			})),
		};
	}
}
