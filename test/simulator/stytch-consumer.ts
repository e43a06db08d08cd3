/** The state of a Consumer project of Stytch: users, as the API shows them. */
import { StytchRefusal } from './stytch-errors';
import {
	isExternalId,
	type StytchConnectedApp,
	StytchProject,
	type StytchProjectInit,
	type StytchSession,
	type StytchSurroundings,
	timestamp,
} from './stytch-project';
import { anyAddress, anyOf, fuzzy, present, type StytchFilter } from './stytch-search';

/** A user in the shape of the API. */
export interface StytchUser {
	readonly user_id: string;
	readonly external_id?: string;
	status: 'active' | 'pending';
	emails: { email_id: string; email: string; verified: boolean }[];
	phone_numbers: { phone_id: string; phone_number: string; verified: boolean }[];
	name: { first_name: string; middle_name: string; last_name: string };
	is_locked: boolean;
	roles: string[];
	readonly created_at: string;
	readonly webauthn_registrations: [];
	readonly providers: [];
	readonly totps: [];
	readonly crypto_wallets: [];
	readonly biometric_registrations: [];
	readonly password: null;
	readonly trusted_metadata: Readonly<Record<string, unknown>>;
	readonly untrusted_metadata: Readonly<Record<string, unknown>>;
}

/** What `addUser` takes. Only an address is needed; numbers create things. */
export interface StytchUserInit {
	email: string;
	/** More addresses of the same user. */
	otherEmails?: readonly string[];
	id?: string;
	externalId?: string;
	firstName?: string;
	lastName?: string;
	phoneNumber?: string;
	/** `pending`: created, and never signed in. */
	status?: 'active' | 'pending';
	/** Too many failed attempts to sign in. Sessions that are there go on. */
	isLocked?: boolean;
	sessions?: number;
	connectedApps?: number;
}

const addresses = (user: StytchUser): string[] => user.emails.map(({ email }) => email);

/** What users can be searched by: the filters of the reference that this state can answer. */
export const USER_FILTERS: Readonly<Record<string, StytchFilter<StytchUser>>> = {
	user_id: {
		value: 'strings',
		passes: (user, wanted) => anyOf(present([user.user_id, user.external_id]), wanted),
	},
	email_address: {
		value: 'strings',
		passes: (user, wanted) => anyAddress(addresses(user), wanted),
	},
	email_address_fuzzy: {
		value: 'string',
		passes: (user, wanted) => fuzzy(addresses(user), wanted),
	},
	email_id: {
		value: 'strings',
		passes: ({ emails }, wanted) =>
			anyOf(
				emails.map(({ email_id }) => email_id),
				wanted,
			),
	},
	email_verified: {
		value: 'boolean',
		passes: ({ emails }, wanted) => emails.some(({ verified }) => verified === wanted),
	},
	phone_number: {
		value: 'strings',
		passes: (user, wanted) =>
			anyOf(
				user.phone_numbers.map(({ phone_number }) => phone_number),
				wanted,
			),
	},
	phone_id: {
		value: 'strings',
		passes: (user, wanted) =>
			anyOf(
				user.phone_numbers.map(({ phone_id }) => phone_id),
				wanted,
			),
	},
	full_name_fuzzy: {
		value: 'string',
		passes: ({ name }, wanted) => fuzzy([`${name.first_name} ${name.last_name}`], wanted),
	},
	status: { value: 'string', passes: ({ status }, wanted) => status === wanted },
};

/** A Consumer project. All methods that take a user take a `user_id`, an external id or an address. */
export class StytchConsumerProject extends StytchProject {
	readonly vertical = 'consumer';
	private readonly users = new Map<string, StytchUser>();
	private readonly byEmail = new Map<string, string>();
	private readonly byExternalId = new Map<string, string>();

	constructor(surroundings: StytchSurroundings, init: StytchProjectInit = {}) {
		super(surroundings, init, 'consumer');
	}

	override clear(): void {
		super.clear();
		for (const map of [this.users, this.byEmail, this.byExternalId]) map.clear();
	}

	/** Adds a user. Documented: an address belongs to one user of the project. */
	addUser(init: StytchUserInit): StytchUser {
		const addresses = [init.email, ...(init.otherEmails ?? [])];
		const { externalId } = init;
		const taken =
			addresses.some((one) => this.byEmail.has(one.toLowerCase())) ||
			this.byExternalId.has(externalId ?? '') ||
			this.users.has(init.id ?? '');
		if (taken) throw new Error(`an address or an id is taken: ${init.email}`);
		if (externalId !== undefined && !isExternalId(externalId)) {
			throw new Error(`not an external id: ${externalId}`);
		}
		const user: StytchUser = {
			user_id: this.chosenId('user', init.id),
			...(externalId === undefined ? {} : { external_id: externalId }),
			status: init.status ?? 'active',
			emails: addresses.map((email) => ({
				email_id: this.newId('email'),
				email,
				verified: init.status !== 'pending',
			})),
			phone_numbers:
				init.phoneNumber === undefined
					? []
					: [
							{
								phone_id: this.newId('phone-number'),
								phone_number: init.phoneNumber,
								verified: true,
							},
						],
			name: {
				first_name: init.firstName ?? '',
				middle_name: '',
				last_name: init.lastName ?? '',
			},
			is_locked: init.isLocked ?? false,
			roles: ['stytch_user'],
			created_at: timestamp(this.surroundings.now()),
			webauthn_registrations: [],
			providers: [],
			totps: [],
			crypto_wallets: [],
			biometric_registrations: [],
			password: null,
			trusted_metadata: {},
			untrusted_metadata: {},
		};
		this.users.set(user.user_id, user);
		for (const one of addresses) this.byEmail.set(one.toLowerCase(), user.user_id);
		if (externalId !== undefined) this.byExternalId.set(externalId, user.user_id);
		for (let n = 0; n < (init.sessions ?? 0); n += 1) this.signIn(user.user_id);
		this.connect(user.user_id, init.connectedApps ?? 0);
		return user;
	}

	/** Deletes a user with all sessions. */
	deleteUser(ref: string): void {
		const user = this.user(ref);
		this.forgetOwner(user.user_id);
		this.users.delete(user.user_id);
		for (const { email } of user.emails) this.byEmail.delete(email.toLowerCase());
		this.byExternalId.delete(user.external_id ?? '');
	}

	allUsers(): StytchUser[] {
		return [...this.users.values()];
	}

	/** The user; throws if there is none. */
	user(ref: string): StytchUser {
		const id = this.byEmail.get(ref.toLowerCase()) ?? this.byExternalId.get(ref) ?? ref;
		const user = this.users.get(id);
		if (user === undefined) throw new Error(`no such user: ${ref}`);
		return user;
	}

	/** The user that a request names, by `user_id` or external id. */
	named(ref: string): StytchUser {
		if (!isExternalId(ref)) throw new StytchRefusal('invalid_user_id');
		const id = this.isInternalId('user', ref) ? ref : this.byExternalId.get(ref);
		const user = this.users.get(id ?? '');
		if (user === undefined) throw new StytchRefusal('user_not_found');
		return user;
	}

	/** The user signs in; who was pending is active now. */
	signIn(ref: string, lifeMs?: number): StytchSession {
		const user = this.user(ref);
		user.status = 'active';
		const [email] = user.emails;
		const factor = { id: email?.email_id ?? '', address: email?.email ?? '' };
		return this.startSession(user.user_id, factor, lifeMs);
	}

	/** The user's live sessions. */
	sessionsOf(ref: string): StytchSession[] {
		return this.liveSessions(this.user(ref).user_id);
	}

	/** Apps that hold tokens of the user. */
	connectedAppsOf(ref: string): StytchConnectedApp[] {
		return this.appsOf(this.user(ref).user_id);
	}

	/** The user signs in again whenever the last session is revoked, so many times. */
	keepSigningIn(ref: string, times = Infinity): void {
		this.keepReturning(this.user(ref).user_id, times);
	}

	protected override signInAgain(ownerId: string): void {
		this.signIn(ownerId);
	}

	protected override subject({ ownerId }: StytchSession) {
		return { roles: this.user(ownerId).roles, claims: {} };
	}

	/** A session in the shape of the API. */
	shown(session: StytchSession) {
		return {
			session_id: session.id,
			user_id: session.ownerId,
			started_at: timestamp(session.startedAt),
			last_accessed_at: timestamp(session.lastAccessedAt),
			expires_at: timestamp(session.expiresAt),
			attributes: { ip_address: session.ipAddress, user_agent: session.userAgent },
			authentication_factors: session.factors,
			roles: this.users.get(session.ownerId)?.roles ?? [],
			custom_claims: session.customClaims,
		};
	}

	/** For the control API: no secrets, no tokens. */
	toJSON(): unknown {
		return {
			projectId: this.projectId,
			users: this.allUsers().map((user) => ({
				...user,
				sessions: this.sessionsOf(user.user_id).map((one) => this.shown(one)),
				connectedApps: this.appsOf(user.user_id),
			})),
		};
	}
}
