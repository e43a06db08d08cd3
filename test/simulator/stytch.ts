/**
 * A simulated Stytch: the backend API of one environment, with a Consumer and a B2B project. Written
 * from Stytch's documents and its Node SDK, never from the connector, so that the two can disagree.
 *
 * Keys are project-wide: Stytch has no permissions for them, so no route names scopes. What it has is
 * the permissions of members (RBAC), which a request asks for with the headers
 * `X-Stytch-Member-Session` and `X-Stytch-Member-SessionJWT`. Those are not simulated: a request that
 * sends one is a violation.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Reply, SimulatedRoute, SimulatedVendor, VendorRequest } from './simulator';
import {
	MEMBER_FILTERS,
	StytchB2BProject,
	type StytchMember,
	type StytchMemberInit,
	type StytchOrganization,
} from './stytch-b2b';
import { StytchConsumerProject, type StytchUserInit, USER_FILTERS } from './stytch-consumer';
import {
	type StytchEnvironment,
	stytchError,
	type StytchErrorType,
	StytchRefusal,
	type StytchVertical,
	typeByStatus,
} from './stytch-errors';
import type {
	StytchProject,
	StytchProjectInit,
	StytchSession,
	StytchSurroundings,
} from './stytch-project';
import {
	anyAddress,
	anyOf,
	filterValues,
	fuzzy,
	present,
	search,
	searchSchema,
	type StytchFilter,
	type StytchSearch,
} from './stytch-search';

/** So many requests with one key in so long. */
export interface StytchRateLimit {
	limit: number;
	windowMs: number;
}

/** Behaviour that tests switch; the documents allow all of it. */
interface StytchSwitches {
	/** From now on a session that is revoked is dead, and stays in the lists. */
	hideRevocations: boolean;
	/** Documented: a workspace can have totals disabled; they are -1 then. */
	searchTotals: boolean;
	/** What a list of sessions says of a user or member whom nobody knows; the documents do not. */
	sessionsOfUnknown: 'notFound' | 'empty';
	/** Every 429 says when to come back, as third parties have seen it; the documents name no header. */
	tellsRetryTime: boolean;
	/** How far Stytch's clock is from this machine's, in milliseconds. */
	clockSkewMs: number;
}

/** Options of `createStytch`. */
export interface StytchOptions extends Partial<StytchSwitches> {
	/** Fills the projects; runs again on every `reset()`. */
	seed?: (stytch: Stytch) => void;
	/** Which of the two hosts this is. Keys of the other one are refused. */
	environment?: StytchEnvironment;
	/** Keys of the Consumer project. */
	consumer?: StytchProjectInit;
	/** Keys of the B2B project. */
	b2b?: StytchProjectInit;
	/** For every route, instead of the documented limits of the searches. */
	rateLimit?: StytchRateLimit;
}

const CONSUMER = 'https://stytch.com/docs/api-reference/consumer/api';
const B2B = 'https://stytch.com/docs/api-reference/b2b/api';
/** Generated from Stytch's own description of the API. */
const SDK = 'https://github.com/stytchauth/stytch-node/blob/main/lib';

/**
 * Documented beside the searches (stytchauth/stytch-node, lib/b2c/users.ts, lib/b2b/organizations.ts
 * and organizations_members.ts). No other limit is published as a number.
 */
const DOCUMENTED_LIMITS: Readonly<Record<string, StytchRateLimit>> = {
	searchUsers: { limit: 150, windowMs: 60_000 },
	searchOrganizations: { limit: 100, windowMs: 60_000 },
	searchMembers: { limit: 100, windowMs: 60_000 },
};

/** Stytch's examples and its SDK send the content type with every request. */
const ANY_JSON = /^application\/json\s*(;.*)?$/i;
const JSON_BODY = { contentType: 'application/json' };

const RBAC_HEADERS = ['x-stytch-member-session', 'x-stytch-member-sessionjwt'];

const noMembers = z.object({});
const text = z.string().optional();
const authenticateBody = z.object({
	session_token: text,
	session_jwt: text,
	session_duration_minutes: z.number().optional(),
	session_custom_claims: z.record(z.string(), z.unknown()).optional(),
});
const revokeBody = z.object({ session_id: text, session_token: text, session_jwt: text });
const revokeMemberBody = z.object({
	member_session_id: text,
	session_token: text,
	session_jwt: text,
	member_id: text,
});
const searchMembersBody = searchSchema.extend({
	organization_ids: z.array(z.string()).optional(),
});

const RESERVED_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];
const SHORTEST_MINUTES = 5;
const LONGEST_MINUTES = 527_040;

/** A simulated Stytch: the vendor for `startSimulator`, and the state that tests look at. */
export class Stytch implements SimulatedVendor, StytchSurroundings, StytchSwitches {
	readonly name = 'stytch';
	readonly environment: StytchEnvironment;
	readonly routes: readonly SimulatedRoute[];
	readonly consumer: StytchConsumerProject;
	readonly b2b: StytchB2BProject;
	hideRevocations: boolean;
	searchTotals: boolean;
	sessionsOfUnknown: 'notFound' | 'empty';
	tellsRetryTime: boolean;
	clockSkewMs: number;
	readonly actions = {
		addUser: (input: unknown) => this.consumer.addUser(input as StytchUserInit),
		addMember: (input: unknown) => this.b2b.addMember(input as StytchMemberInit),
		/** Answers with the token: whoever signs in gets it. */
		signIn: (input: unknown) => {
			const { user, member, organization } = input as Record<string, string | undefined>;
			const session =
				user === undefined
					? this.b2b.signIn(member ?? '', organization)
					: this.consumer.signIn(user);
			return { sessionId: session.id, sessionToken: session.token };
		},
		keepSigningIn: (input: unknown) => {
			const { user, member, times } = input as { user?: string; member?: string; times?: number };
			if (user === undefined) this.b2b.keepSigningIn(member ?? '', times);
			else this.consumer.keepSigningIn(user, times);
		},
	};

	private readonly requestIds = new WeakMap<VendorRequest, string>();
	private rateLimit: StytchRateLimit | undefined;
	private readonly windows = new Map<string, { endsAt: number; used: number }>();

	constructor(private readonly options: StytchOptions) {
		const { environment = 'test' } = options;
		this.environment = environment;
		this.hideRevocations = options.hideRevocations ?? false;
		this.searchTotals = options.searchTotals ?? true;
		this.sessionsOfUnknown = options.sessionsOfUnknown ?? 'notFound';
		this.tellsRetryTime = options.tellsRetryTime ?? false;
		this.clockSkewMs = options.clockSkewMs ?? 0;
		this.rateLimit = options.rateLimit;
		this.consumer = new StytchConsumerProject(this, { environment, ...options.consumer });
		this.b2b = new StytchB2BProject(this, { environment, ...options.b2b });
		this.routes = [...this.consumerRoutes(), ...this.b2bRoutes()];
		options.seed?.(this);
	}

	/** Stytch's clock, in milliseconds since the epoch. */
	now(): number {
		return Date.now() + this.clockSkewMs;
	}

	/** Back to the seed: same ids, new tokens. A limit that was set stays; its windows start anew. */
	reset(): void {
		this.hideRevocations = this.options.hideRevocations ?? false;
		this.clockSkewMs = this.options.clockSkewMs ?? 0;
		this.windows.clear();
		this.consumer.clear();
		this.b2b.clear();
		this.options.seed?.(this);
	}

	state(): unknown {
		return { consumer: this.consumer.toJSON(), b2b: this.b2b.toJSON() };
	}

	/** Changes the limit and starts its windows anew; without one the documented limits hold. */
	setRateLimit(limit: StytchRateLimit | undefined): void {
		this.rateLimit = limit;
		this.windows.clear();
	}

	/** Whether a session of either project lives. */
	isLive(sessionId: string): boolean {
		return this.consumer.isLive(sessionId) || this.b2b.isLive(sessionId);
	}

	// --- Manners -----------------------------------------------------------------------------------

	/** Rate limits. */
	async around(
		request: VendorRequest,
		route: SimulatedRoute | undefined,
		next: () => Promise<Reply>,
	): Promise<Reply> {
		return this.exceeds(request, route) ? this.rateLimited(request) : await next();
	}

	/** Observed on the live API: a route that is not there is found before keys are looked at. */
	notFound(request: VendorRequest, knownPath: boolean): Reply {
		return this.fail(request, knownPath ? 'method_not_allowed' : 'route_not_found');
	}

	error(status: number, request: VendorRequest): Reply {
		return this.fail(request, typeByStatus(status, request.path), status);
	}

	/** Documented: 429 `too_many_requests`, and no header. `form` `retryAfter` adds the usual one. */
	rateLimited(request: VendorRequest, form?: string, resetInSeconds = 2): Reply {
		const reply = this.fail(request, 'too_many_requests');
		if (form !== 'retryAfter' && !this.tellsRetryTime) return reply;
		return { ...reply, headers: { 'retry-after': String(Math.ceil(resetInSeconds)) } };
	}

	private fail(request: VendorRequest, type: StytchErrorType, status?: number): Reply {
		const vertical = request.path.startsWith('/v1/b2b/') ? 'b2b' : 'consumer';
		return stytchError(type, this.requestId(request), vertical, status);
	}

	private requestId(request: VendorRequest): string {
		const id = this.requestIds.get(request) ?? `request-id-${this.environment}-${randomUUID()}`;
		this.requestIds.set(request, id);
		return id;
	}

	private exceeds(request: VendorRequest, route: SimulatedRoute | undefined): boolean {
		const limit = this.rateLimit ?? DOCUMENTED_LIMITS[route?.name ?? ''];
		if (limit === undefined) return false;
		// The one limit counts all routes together, a documented one only its own.
		const bucket = this.rateLimit === undefined ? (route?.name ?? '') : 'all';
		const key = `${request.headers.authorization ?? ''} ${bucket}`;
		const now = this.now();
		let window = this.windows.get(key);
		if (window === undefined || window.endsAt <= now) {
			window = { endsAt: now + limit.windowMs, used: 0 };
			this.windows.set(key, window);
		}
		window.used += 1;
		return window.used > limit.limit;
	}

	/** HTTP Basic with the project id and a secret of it, for the right product and environment. */
	private authenticate(request: VendorRequest, vertical: StytchVertical): void {
		const header = request.headers.authorization ?? '';
		const encoded = /^Basic +([A-Za-z\d+/]+={0,2})$/i.exec(header)?.[1];
		const [, projectId, secret] =
			/^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? [];
		if (projectId === undefined || secret === undefined) {
			throw new StytchRefusal('invalid_authorization_header');
		}
		const environment = /^project-(test|live)-./.exec(projectId)?.[1];
		// That a key of the other environment is refused is documented, how is not: the two types are in
		// Stytch's list, and this reads their names as "a live (test) id where it is not authorized".
		if (environment === 'live' && this.environment === 'test') {
			throw new StytchRefusal('unauthorized_project_id_live');
		}
		if (environment === 'test' && this.environment === 'live') {
			throw new StytchRefusal('unauthorized_project_id_test');
		}
		const project = [this.consumer, this.b2b].find((one) => one.projectId === projectId);
		if (project === undefined) throw new StytchRefusal('invalid_project_id_authentication');
		if (!project.hasSecret(secret)) {
			throw new StytchRefusal(
				/^secret-(test|live)-\S+$/.test(secret)
					? 'unauthorized_credentials'
					: 'invalid_secret_authentication',
			);
		}
		if (project.vertical !== vertical) {
			throw new StytchRefusal(
				vertical === 'b2b' ? 'invalid_b2b_endpoint' : 'invalid_consumer_endpoint',
			);
		}
	}

	/** A route of one product: authenticates, then works; refusals are answers. */
	private route<S extends z.ZodRawShape>(
		vertical: StytchVertical,
		documented: Omit<SimulatedRoute, 'handler'>,
		body: z.ZodObject<S> | undefined,
		work: (
			request: VendorRequest,
			body: z.infer<z.ZodObject<S>>,
		) => Record<string, unknown> | Promise<Record<string, unknown>>,
	): SimulatedRoute {
		return {
			...documented,
			bodylessContentType: ANY_JSON,
			handler: async (request) => {
				try {
					this.authenticate(request, vertical);
					for (const header of RBAC_HEADERS) {
						if (request.headers[header] !== undefined) {
							request.violate(`${header} asks for a member's permissions`);
						}
					}
					const given = readBody(request, body ?? noMembers) as z.infer<z.ZodObject<S>>;
					return this.succeed(request, await work(request, given));
				} catch (error) {
					if (error instanceof StytchRefusal) return this.fail(request, error.type);
					throw error;
				}
			},
		};
	}

	private succeed(request: VendorRequest, members: Record<string, unknown>): Reply {
		return {
			status: 200,
			body: { request_id: this.requestId(request), status_code: 200, ...members },
		};
	}

	/** The public keys of a project. The one route without keys: apps fetch it. */
	private jwksRoute(project: StytchProject, url: string, source: string): SimulatedRoute {
		return {
			name: project.vertical === 'b2b' ? 'getMemberJWKS' : 'getJWKS',
			method: 'GET',
			url,
			source,
			bodylessContentType: ANY_JSON,
			handler: async (request) =>
				request.params.project_id === project.projectId
					? this.succeed(request, { keys: await project.jwks() })
					: this.fail(request, 'invalid_project_id_authentication'),
		};
	}

	// --- Consumer ----------------------------------------------------------------------------------

	private consumerRoutes(): SimulatedRoute[] {
		const { consumer } = this;
		return [
			this.route(
				'consumer',
				{
					name: 'searchUsers',
					method: 'POST',
					url: '/v1/users/search',
					source: `${CONSUMER}/users/search-users`,
					body: JSON_BODY,
					safe: true,
				},
				searchSchema,
				(request, body) => this.searchUsers(request, body),
			),
			this.route(
				'consumer',
				{
					name: 'getUser',
					method: 'GET',
					url: '/v1/users/{user_id}',
					source: `${CONSUMER}/users/get-user`,
				},
				undefined,
				({ params }) => ({ ...consumer.named(params.user_id ?? '') }),
			),
			this.route(
				'consumer',
				{
					name: 'getSessions',
					method: 'GET',
					url: '/v1/sessions',
					source: `${CONSUMER}/sessions/get-sessions`,
					query: ['user_id'],
				},
				undefined,
				({ search: query }) => {
					const user = this.orNobody(() => consumer.named(query.get('user_id') ?? ''));
					const sessions = user === undefined ? [] : consumer.listedSessions(user.user_id);
					return { sessions: sessions.map((one) => consumer.shown(one)) };
				},
			),
			this.route(
				'consumer',
				{
					name: 'authenticateSession',
					method: 'POST',
					url: '/v1/sessions/authenticate',
					source: `${SDK}/b2c/sessions.ts`,
					body: JSON_BODY,
				},
				authenticateBody,
				async (_request, body) => {
					const session = await this.authenticated(consumer, body);
					return {
						session: consumer.shown(session),
						session_token: session.token,
						session_jwt: await consumer.jwt(session),
						user: consumer.named(session.ownerId),
					};
				},
			),
			this.route(
				'consumer',
				{
					name: 'revokeSession',
					method: 'POST',
					url: '/v1/sessions/revoke',
					source: `${CONSUMER}/sessions/revoke-session`,
					body: JSON_BODY,
				},
				revokeBody,
				async (_request, { session_id, ...body }) => {
					const session = await this.oneOf(
						consumer,
						{ id: session_id, ...body },
						'no_session_revoke_arguments',
						'too_many_session_revoke_arguments',
					);
					consumer.revokeSessions(session.ownerId, [session]);
					return {};
				},
			),
			this.route(
				'consumer',
				{
					name: 'getUserConnectedApps',
					method: 'GET',
					url: '/v1/users/{user_id}/connected_apps',
					source: `${SDK}/b2c/users.ts`,
				},
				undefined,
				({ params }) => ({
					connected_apps: consumer.appsOf(consumer.named(params.user_id ?? '').user_id),
				}),
			),
			this.route(
				'consumer',
				{
					name: 'revokeUserConnectedApp',
					method: 'POST',
					url: '/v1/users/{user_id}/connected_apps/{connected_app_id}/revoke',
					source: `${SDK}/b2c/users.ts`,
					body: { ...JSON_BODY, optional: true },
				},
				noMembers,
				({ params }) => {
					const { user_id } = consumer.named(params.user_id ?? '');
					consumer.revokeApp(user_id, params.connected_app_id ?? '');
					return {};
				},
			),
			this.jwksRoute(consumer, '/v1/sessions/jwks/{project_id}', `${SDK}/b2c/sessions.ts`),
		];
	}

	private searchUsers(request: VendorRequest, body: StytchSearch): Record<string, unknown> {
		warnOfOr(request, body);
		const ids = filterValues(body, 'user_id');
		if (isMixed(ids, 'user')) {
			throw new StytchRefusal('user_search_cannot_mix_internal_and_external_user_ids');
		}
		const { found, metadata } = search(
			'user',
			this.consumer.allUsers(),
			USER_FILTERS,
			body,
			this.searchTotals,
		);
		return { results: found, results_metadata: metadata };
	}

	// --- B2B ---------------------------------------------------------------------------------------

	private b2bRoutes(): SimulatedRoute[] {
		const { b2b } = this;
		const memberUrl = '/v1/b2b/organizations/{organization_id}/members/{member_id}';
		return [
			this.route(
				'b2b',
				{
					name: 'searchOrganizations',
					method: 'POST',
					url: '/v1/b2b/organizations/search',
					source: `${SDK}/b2b/organizations.ts`,
					body: JSON_BODY,
					safe: true,
				},
				searchSchema,
				(request, body) => this.searchOrganizations(request, body),
			),
			this.route(
				'b2b',
				{
					name: 'searchMembers',
					method: 'POST',
					url: '/v1/b2b/organizations/members/search',
					source: `${B2B}/members/search-members`,
					body: JSON_BODY,
					safe: true,
				},
				searchMembersBody,
				(request, body) => this.searchMembers(request, body),
			),
			this.route(
				'b2b',
				{
					name: 'getMember',
					method: 'GET',
					url: '/v1/b2b/organizations/{organization_id}/member',
					source: 'https://stytch.com/docs/b2b/api/get-member',
					query: ['member_id', 'email_address'],
				},
				undefined,
				({ params, search: query }) => {
					const organization = b2b.namedOrganization(params.organization_id ?? '');
					const id = query.get('member_id');
					const email = query.get('email_address');
					if ((id === null) === (email === null)) {
						throw new StytchRefusal('invalid_member_get_fields');
					}
					const member =
						id === null
							? b2b.memberByEmail(organization, email ?? '')
							: b2b.namedMember(organization, id);
					return { member_id: member.member_id, member, organization };
				},
			),
			this.route(
				'b2b',
				{
					name: 'dangerouslyGetMember',
					method: 'GET',
					url: '/v1/b2b/organizations/members/dangerously_get/{member_id}',
					source: `${SDK}/b2b/organizations_members.ts`,
					query: ['include_deleted'],
				},
				undefined,
				({ params, search: query }) => {
					const deletedToo = query.get('include_deleted') === 'true';
					const member = b2b.memberById(params.member_id ?? '', deletedToo);
					const organization = b2b.namedOrganization(member.organization_id);
					return { member_id: member.member_id, member, organization };
				},
			),
			this.route(
				'b2b',
				{
					name: 'getMemberSessions',
					method: 'GET',
					url: '/v1/b2b/sessions',
					source: `${SDK}/b2b/sessions.ts`,
					query: ['organization_id', 'member_id'],
				},
				undefined,
				({ search: query }) => {
					const member = this.orNobody(() =>
						b2b.namedMember(
							b2b.namedOrganization(query.get('organization_id') ?? ''),
							query.get('member_id') ?? '',
						),
					);
					const sessions = member === undefined ? [] : b2b.listedSessions(member.member_id);
					return { member_sessions: sessions.map((one) => b2b.shown(one)) };
				},
			),
			this.route(
				'b2b',
				{
					name: 'authenticateMemberSession',
					method: 'POST',
					url: '/v1/b2b/sessions/authenticate',
					source: 'https://stytch.com/docs/b2b/api/authenticate-session',
					body: JSON_BODY,
				},
				authenticateBody,
				async (_request, body) => {
					const session = await this.authenticated(b2b, body);
					const member = b2b.memberById(session.ownerId, false);
					return {
						member_session: b2b.shown(session),
						session_token: session.token,
						session_jwt: await b2b.jwt(session),
						member,
						organization: b2b.namedOrganization(member.organization_id),
					};
				},
			),
			this.route(
				'b2b',
				{
					name: 'revokeMemberSession',
					method: 'POST',
					url: '/v1/b2b/sessions/revoke',
					source: `${B2B}/sessions/revoke-session`,
					body: JSON_BODY,
				},
				revokeMemberBody,
				(_request, body) => this.revokeMember(body),
			),
			this.route(
				'b2b',
				{
					name: 'getMemberConnectedApps',
					method: 'GET',
					url: `${memberUrl}/connected_apps`,
					source: `${SDK}/b2b/organizations_members.ts`,
				},
				undefined,
				({ params }) => ({ connected_apps: b2b.appsOf(this.memberOfPath(params).member_id) }),
			),
			this.route(
				'b2b',
				{
					name: 'revokeMemberConnectedApp',
					method: 'POST',
					url: `${memberUrl}/connected_apps/{connected_app_id}/revoke`,
					source: `${SDK}/b2b/organizations_members_connected_apps.ts`,
					body: { ...JSON_BODY, optional: true },
				},
				noMembers,
				({ params }) => {
					b2b.revokeApp(this.memberOfPath(params).member_id, params.connected_app_id ?? '');
					return {};
				},
			),
			this.jwksRoute(b2b, '/v1/b2b/sessions/jwks/{project_id}', `${SDK}/b2b/sessions.ts`),
		];
	}

	private memberOfPath({ organization_id, member_id }: VendorRequest['params']): StytchMember {
		return this.b2b.namedMember(this.b2b.namedOrganization(organization_id ?? ''), member_id ?? '');
	}

	private searchOrganizations(request: VendorRequest, body: StytchSearch): Record<string, unknown> {
		warnOfOr(request, body);
		const members = this.b2b.allMembers().filter(({ status }) => status !== 'deleted');
		const filters: Readonly<Record<string, StytchFilter<StytchOrganization>>> = {
			organization_ids: {
				value: 'strings',
				passes: ({ organization_id, organization_external_id }, wanted) =>
					anyOf(present([organization_id, organization_external_id]), wanted),
			},
			organization_slugs: {
				value: 'strings',
				passes: ({ organization_slug }, wanted) => wanted.includes(organization_slug),
			},
			organization_name_fuzzy: {
				value: 'string',
				passes: ({ organization_name }, wanted) => fuzzy([organization_name], wanted),
			},
			member_emails: {
				value: 'strings',
				passes: ({ organization_id }, wanted) =>
					members.some(
						(one) =>
							one.organization_id === organization_id && anyAddress([one.email_address], wanted),
					),
			},
		};
		const { found, metadata } = search(
			'organization',
			this.b2b.allOrganizations(),
			filters,
			body,
			this.searchTotals,
		);
		return { organizations: found, results_metadata: metadata };
	}

	private searchMembers(
		request: VendorRequest,
		body: z.infer<typeof searchMembersBody>,
	): Record<string, unknown> {
		warnOfOr(request, body);
		const wanted = body.organization_ids ?? [];
		if (wanted.length === 0) throw new StytchRefusal('member_search_organization_ids_empty');
		if (isMixed(filterValues(body, 'member_ids'), 'member')) {
			throw new StytchRefusal('member_search_cannot_mix_internal_and_external_member_ids');
		}
		const within = new Map(
			wanted.map((one) => {
				const organization = this.b2b.namedOrganization(one);
				return [organization.organization_id, organization];
			}),
		);
		// Documented: deleted members only for those who ask for the status.
		const deletedToo = filterValues(body, 'statuses').includes('deleted');
		const { found, metadata } = search(
			'member',
			this.b2b
				.allMembers()
				.filter(
					(one) => within.has(one.organization_id) && (deletedToo || one.status !== 'deleted'),
				),
			MEMBER_FILTERS,
			body,
			this.searchTotals,
		);
		// Documented: "only contains the Organizations that the Members belongs to".
		const shown = new Set(found.map(({ organization_id }) => organization_id));
		return {
			members: found,
			organizations: Object.fromEntries([...within].filter(([id]) => shown.has(id))),
			results_metadata: metadata,
		};
	}

	private async revokeMember(
		body: z.infer<typeof revokeMemberBody>,
	): Promise<Record<string, unknown>> {
		const { member_id, member_session_id, ...rest } = body;
		const others = { id: member_session_id, ...rest };
		if (member_id === undefined) {
			const session = await this.oneOf(
				this.b2b,
				others,
				'no_session_revoke_arguments',
				'too_many_session_revoke_arguments',
			);
			this.b2b.revokeSessions(session.ownerId, [session]);
			return {};
		}
		if (present(Object.values(others)).length > 0) {
			throw new StytchRefusal('too_many_session_revoke_arguments');
		}
		const { member_id: id } = this.b2b.memberById(member_id, false);
		this.b2b.revokeSessions(id, this.b2b.sessionsOf(id));
		return {};
	}

	// --- Sessions of either product ----------------------------------------------------------------

	/** Whom a list asks for, or nobody where the list of an unknown one is empty. */
	private orNobody<T>(find: () => T): T | undefined {
		try {
			return find();
		} catch (error) {
			const unknown =
				error instanceof StytchRefusal && /^(user|member)_not_found$/.test(error.type);
			if (unknown && this.sessionsOfUnknown === 'empty') return undefined;
			throw error;
		}
	}

	/** The session that exactly one of id, token and JWT names. */
	private async oneOf(
		project: StytchProject,
		given: Partial<Record<'id' | 'session_token' | 'session_jwt', string | undefined>>,
		none: StytchErrorType,
		several: StytchErrorType,
	): Promise<StytchSession> {
		const { id, session_token: token, session_jwt: jwt } = given;
		if (present([id, token, jwt]).length > 1) throw new StytchRefusal(several);
		if (id !== undefined) return project.sessionById(id);
		if (token !== undefined) return project.sessionByToken(token);
		if (jwt !== undefined) return await project.sessionByJwt(jwt);
		throw new StytchRefusal(none);
	}

	/** Authenticates a session. Only `session_duration_minutes` moves its end: to so long from now. */
	private async authenticated(
		project: StytchProject,
		{
			session_duration_minutes: minutes,
			session_custom_claims: claims = {},
			...given
		}: z.infer<typeof authenticateBody>,
	): Promise<StytchSession> {
		const fits =
			minutes === undefined ||
			(Number.isInteger(minutes) && minutes >= SHORTEST_MINUTES && minutes <= LONGEST_MINUTES);
		if (!fits) throw new StytchRefusal('invalid_session_duration_minutes');
		const session = await this.oneOf(
			project,
			given,
			'no_session_arguments',
			'too_many_session_arguments',
		);
		session.lastAccessedAt = this.now();
		if (minutes !== undefined) session.expiresAt = this.now() + minutes * 60_000;
		// Documented: a null value deletes a claim, and reserved ones are ignored.
		session.customClaims = Object.fromEntries(
			Object.entries({ ...session.customClaims, ...claims }).filter(
				([name, value]) => value !== null && !RESERVED_CLAIMS.includes(name),
			),
		);
		return session;
	}
}

/** The JSON body, as far as it is documented; anything else in it is a violation. */
function readBody(request: VendorRequest, schema: z.ZodObject<z.ZodRawShape>): unknown {
	if (request.body === '') return {};
	let given: unknown;
	try {
		given = JSON.parse(request.body);
	} catch {
		throw new StytchRefusal('bad_request');
	}
	const parsed = schema.safeParse(given);
	if (!parsed.success) throw new StytchRefusal('bad_request');
	for (const name of Object.keys(given as object)) {
		if (!Object.hasOwn(schema.shape, name)) request.violate(`undocumented body member ${name}`);
	}
	return parsed.data;
}

/** Documented: `OR` is deprecated and no longer supported, and works. */
function warnOfOr(request: VendorRequest, { query }: StytchSearch): void {
	if (query?.operator === 'OR') request.violate('the operator OR is deprecated');
}

function isMixed(ids: readonly string[], kind: string): boolean {
	const internal = ids.filter((one) => new RegExp(`^${kind}-(test|live)-`).test(one)).length;
	return internal > 0 && internal < ids.length;
}

/** Creates a simulated Stytch; mount it with `startSimulator`. */
export function createStytch(options: StytchOptions = {}): Stytch {
	return new Stytch(options);
}
