/** The state of a B2B project of Stytch: organizations and their members, as the API shows them. */
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
import { anyAddress, anyOf, fuzzy, present, sameAddress, type StytchFilter } from './stytch-search';

/** An organization in the shape of the API. */
export interface StytchOrganization {
	readonly organization_id: string;
	readonly organization_external_id?: string;
	readonly organization_name: string;
	readonly organization_slug: string;
	readonly organization_logo_url: string;
	readonly [setting: string]: unknown;
}

/** What `addOrganization` takes. */
export interface StytchOrganizationInit {
	name: string;
	/** Default: from the name. */
	slug?: string;
	id?: string;
	externalId?: string;
}

/** A member's status as documented. */
type StytchMemberStatus = 'active' | 'pending' | 'invited' | 'deleted';

/** A member in the shape of the API: one person in one organization. */
export interface StytchMember {
	readonly organization_id: string;
	readonly member_id: string;
	readonly external_id?: string;
	readonly email_address: string;
	status: StytchMemberStatus;
	readonly name: string;
	readonly is_breakglass: boolean;
	readonly is_admin: boolean;
	is_locked: boolean;
	readonly roles: readonly { role_id: string; sources: readonly { type: string }[] }[];
	readonly [attribute: string]: unknown;
}

/** What `addMember` takes; numbers create things. */
export interface StytchMemberInit {
	/** Id, slug or external id. */
	organization: string;
	email: string;
	id?: string;
	externalId?: string;
	name?: string;
	/** A member who is not `active` has no sessions. */
	status?: StytchMemberStatus;
	isLocked?: boolean;
	isBreakglass?: boolean;
	sessions?: number;
	connectedApps?: number;
}

/** Settings that every organization shows. */
const ORGANIZATION_SETTINGS = {
	sso_jit_provisioning: 'ALL_ALLOWED',
	sso_jit_provisioning_allowed_connections: [],
	sso_active_connections: [],
	email_allowed_domains: [],
	email_jit_provisioning: 'NOT_ALLOWED',
	email_invites: 'ALL_ALLOWED',
	auth_methods: 'ALL_ALLOWED',
	allowed_auth_methods: [],
	mfa_policy: 'OPTIONAL',
	rbac_email_implicit_role_assignments: [],
	mfa_methods: 'ALL_ALLOWED',
	allowed_mfa_methods: [],
	oauth_tenant_jit_provisioning: 'NOT_ALLOWED',
	claimed_email_domains: [],
	first_party_connected_apps_allowed_type: 'ALL_ALLOWED',
	allowed_first_party_connected_apps: [],
	third_party_connected_apps_allowed_type: 'ALL_ALLOWED',
	allowed_third_party_connected_apps: [],
	custom_roles: [],
	trusted_metadata: {},
	sso_default_connection_id: null,
	scim_active_connection: null,
	allowed_oauth_tenants: {},
} as const;

const MEMBER_STATUSES = ['active', 'pending', 'invited', 'deleted'];

/** What members can be searched by: the filters of the reference that this state can answer. */
export const MEMBER_FILTERS: Readonly<Record<string, StytchFilter<StytchMember>>> = {
	member_ids: {
		value: 'strings',
		passes: (member, wanted) => anyOf(present([member.member_id, member.external_id]), wanted),
	},
	member_emails: {
		value: 'strings',
		passes: (member, wanted) => anyAddress([member.email_address], wanted),
	},
	member_email_fuzzy: {
		value: 'string',
		passes: (member, wanted) => fuzzy([member.email_address], wanted),
	},
	member_is_breakglass: {
		value: 'boolean',
		passes: (member, wanted) => member.is_breakglass === wanted,
	},
	statuses: {
		value: 'strings',
		passes: ({ status }, wanted) => {
			if (!wanted.every((one) => MEMBER_STATUSES.includes(one))) {
				throw new StytchRefusal('search_invalid_status_filter');
			}
			return wanted.includes(status);
		},
	},
};

/** A B2B project. Methods take a member by `member_id`, or by address and organization. */
export class StytchB2BProject extends StytchProject {
	readonly vertical = 'b2b';
	private readonly organizations = new Map<string, StytchOrganization>();
	private readonly members = new Map<string, StytchMember>();

	constructor(surroundings: StytchSurroundings, init: StytchProjectInit = {}) {
		super(surroundings, init, 'b2b');
	}

	override clear(): void {
		super.clear();
		this.organizations.clear();
		this.members.clear();
	}

	addOrganization({ name, id, externalId, ...given }: StytchOrganizationInit): StytchOrganization {
		const slug = given.slug ?? name.toLowerCase().replace(/[^a-z\d]+/g, '-');
		if ([id, slug, externalId].some((one) => this.findOrganization(one ?? '') !== undefined)) {
			throw new Error(`a slug or an id is taken: ${name}`);
		}
		const at = timestamp(this.surroundings.now());
		const organization: StytchOrganization = {
			organization_id: this.chosenId('organization', id),
			...(externalId === undefined ? {} : { organization_external_id: externalId }),
			organization_name: name,
			organization_slug: slug,
			organization_logo_url: '',
			...ORGANIZATION_SETTINGS,
			created_at: at,
			updated_at: at,
		};
		this.organizations.set(organization.organization_id, organization);
		return organization;
	}

	/** Adds a member. Documented: an address belongs to one member of an organization. */
	addMember(init: StytchMemberInit): StytchMember {
		const organization = this.findOrganization(init.organization);
		if (organization === undefined) throw new Error(`no such organization: ${init.organization}`);
		const { organization_id } = organization;
		const { externalId, status = 'active' } = init;
		const taken =
			this.members.has(init.id ?? '') ||
			this.findMember(organization_id, { email: init.email }) !== undefined ||
			(externalId !== undefined && this.findMember(organization_id, { externalId }) !== undefined);
		if (taken) throw new Error(`an address or an id is taken: ${init.email}`);
		if (externalId !== undefined && !isExternalId(externalId)) {
			throw new Error(`not an external id: ${externalId}`);
		}
		const at = timestamp(this.surroundings.now());
		const member: StytchMember = {
			organization_id,
			member_id: this.chosenId('member', init.id),
			...(externalId === undefined ? {} : { external_id: externalId }),
			email_address: init.email,
			email_address_verified: status === 'active',
			status,
			name: init.name ?? '',
			is_breakglass: init.isBreakglass ?? false,
			is_admin: false,
			is_locked: init.isLocked ?? false,
			roles: [{ role_id: 'stytch_member', sources: [{ type: 'direct_assignment' }] }],
			sso_registrations: [],
			oauth_registrations: [],
			retired_email_addresses: [],
			scim_registration: null,
			member_password_id: '',
			mfa_enrolled: false,
			mfa_phone_number: '',
			mfa_phone_number_verified: false,
			default_mfa_method: '',
			totp_registration_id: '',
			trusted_metadata: {},
			untrusted_metadata: {},
			created_at: at,
			updated_at: at,
		};
		this.members.set(member.member_id, member);
		for (let n = 0; n < (init.sessions ?? 0); n += 1) this.signIn(member.member_id);
		this.connect(member.member_id, init.connectedApps ?? 0);
		return member;
	}

	/** Deletes a member: the status says so, the sessions are gone, searches leave it out. */
	deleteMember(ref: string, organization?: string): void {
		const member = this.member(ref, organization);
		this.forgetOwner(member.member_id);
		member.status = 'deleted';
	}

	allOrganizations(): StytchOrganization[] {
		return [...this.organizations.values()];
	}

	/** All members, also deleted ones. */
	allMembers(): StytchMember[] {
		return [...this.members.values()];
	}

	/** The member; throws if there is none, or several and no organization says which. */
	member(ref: string, organization?: string): StytchMember {
		const byId = this.members.get(ref);
		if (byId !== undefined) return byId;
		const within = organization && this.findOrganization(organization)?.organization_id;
		const found = this.allMembers().filter(
			(one) =>
				sameAddress(one.email_address, ref) &&
				(within === undefined || one.organization_id === within),
		);
		const [only] = found;
		if (only === undefined || found.length > 1) {
			throw new Error(`${found.length === 0 ? 'no such member' : 'several members'}: ${ref}`);
		}
		return only;
	}

	private findOrganization(ref: string): StytchOrganization | undefined {
		return (
			this.organizations.get(ref) ??
			this.allOrganizations().find(
				(one) => one.organization_slug === ref || one.organization_external_id === ref,
			)
		);
	}

	private findMember(
		organizationId: string,
		by: { email: string } | { externalId: string },
	): StytchMember | undefined {
		return this.allMembers().find(
			(one) =>
				one.organization_id === organizationId &&
				one.status !== 'deleted' &&
				('email' in by
					? sameAddress(one.email_address, by.email)
					: one.external_id === by.externalId),
		);
	}

	/** The organization that a request names, by id, slug or external id. */
	namedOrganization(ref: string): StytchOrganization {
		// A slug may have a tilde, which an external id may not.
		if (!/^[\w.~|-]{1,128}$/.test(ref)) throw new StytchRefusal('invalid_organization_id');
		const known = this.isInternalId('organization', ref)
			? this.organizations.get(ref)
			: this.findOrganization(ref);
		if (known === undefined) throw new StytchRefusal('organization_not_found');
		return known;
	}

	/** The member that a request names within an organization, by `member_id` or external id. */
	namedMember({ organization_id }: StytchOrganization, ref: string): StytchMember {
		if (!isExternalId(ref)) throw new StytchRefusal('invalid_id');
		const member = this.isInternalId('member', ref)
			? this.members.get(ref)
			: this.findMember(organization_id, { externalId: ref });
		if (member?.organization_id !== organization_id || member.status === 'deleted') {
			throw new StytchRefusal('member_not_found');
		}
		return member;
	}

	/** The member of an organization with this address. */
	memberByEmail({ organization_id }: StytchOrganization, email: string): StytchMember {
		const member = this.findMember(organization_id, { email });
		if (member === undefined) throw new StytchRefusal('member_not_found');
		return member;
	}

	/** The member with this `member_id`, in whatever organization. External ids are not unique there. */
	memberById(id: string, includeDeleted: boolean): StytchMember {
		if (!this.isInternalId('member', id)) throw new StytchRefusal('invalid_id');
		const member = this.members.get(id);
		if (member === undefined || (member.status === 'deleted' && !includeDeleted)) {
			throw new StytchRefusal('member_not_found');
		}
		return member;
	}

	/** The member signs in; who was invited or pending is active now. */
	signIn(ref: string, organization?: string, lifeMs?: number): StytchSession {
		const member = this.member(ref, organization);
		if (member.status === 'deleted') throw new Error('a deleted member cannot sign in');
		member.status = 'active';
		const email = { id: `email-${member.member_id.slice(7)}`, address: member.email_address };
		return this.startSession(member.member_id, email, lifeMs);
	}

	/** The member's live sessions. */
	sessionsOf(ref: string, organization?: string): StytchSession[] {
		return this.liveSessions(this.member(ref, organization).member_id);
	}

	/** Apps that hold tokens of the member. */
	connectedAppsOf(ref: string, organization?: string): StytchConnectedApp[] {
		return this.appsOf(this.member(ref, organization).member_id);
	}

	/** The member signs in again whenever the last session is revoked, so many times. */
	keepSigningIn(memberId: string, times = Infinity): void {
		this.keepReturning(this.member(memberId).member_id, times);
	}

	protected override signInAgain(ownerId: string): void {
		this.signIn(ownerId);
	}

	protected override subject({ ownerId }: StytchSession) {
		const member = this.member(ownerId);
		const { organization_id, organization_slug } = this.namedOrganization(member.organization_id);
		return {
			roles: member.roles.map(({ role_id }) => role_id),
			claims: {
				'https://stytch.com/organization': { organization_id, slug: organization_slug },
			},
		};
	}

	/** A session in the shape of the API. */
	shown(session: StytchSession) {
		const member = this.member(session.ownerId);
		const { organization_id, organization_slug } = this.namedOrganization(member.organization_id);
		return {
			member_session_id: session.id,
			member_id: session.ownerId,
			started_at: timestamp(session.startedAt),
			last_accessed_at: timestamp(session.lastAccessedAt),
			expires_at: timestamp(session.expiresAt),
			authentication_factors: session.factors,
			organization_id,
			organization_slug,
			roles: member.roles.map(({ role_id }) => role_id),
			custom_claims: session.customClaims,
		};
	}

	/** For the control API: no secrets, no tokens. */
	toJSON(): unknown {
		return {
			projectId: this.projectId,
			organizations: this.allOrganizations(),
			members: this.allMembers().map((member) => ({
				...member,
				sessions: this.sessionsOf(member.member_id).map((one) => this.shown(one)),
				connectedApps: this.appsOf(member.member_id),
			})),
		};
	}
}
