/**
 * A simulated Miro Enterprise organization: documented routes over `MiroOrg`. Written from Miro's
 * published specification and guides, never from the connector, so that the two can disagree.
 */
import {
	MIRO_LICENSES,
	MIRO_ROLES,
	type MiroMember,
	MiroOrg,
	type MiroOrgOptions,
	type MiroPrincipal,
	type MiroUserInit,
} from './miro-org';
import type { Reply, SimulatedRoute, SimulatedVendor, VendorRequest } from './simulator';

/** What one user may spend through one app, in credits. */
export interface MiroRateLimit {
	limit: number;
	windowMs: number;
}

/** Options of `createMiro`. */
export interface MiroOptions extends MiroOrgOptions {
	/**
	 * Default: 100,000 credits a minute, as documented:
	 * https://developers.miro.com/reference/rate-limiting
	 */
	rateLimit?: MiroRateLimit;
}

const REFERENCE = 'https://developers.miro.com/reference';
const SOURCES = {
	tokenInfo: `${REFERENCE}/get-access-token-context`,
	members: `${REFERENCE}/enterprise-get-organization-members`,
	member: `${REFERENCE}/enterprise-get-organization-member`,
	reset: `${REFERENCE}/enterprise-post-user-sessions-reset`,
} as const;

/** Credits of one call by level; https://developers.miro.com/reference/rate-limiting#rate-limit-tiers */
const LEVEL = { one: 50, three: 500 } as const;

/** Credits by route. No level is documented for the token's own information: the cheapest. */
const COST: Readonly<Record<string, number>> = {
	'token-info': LEVEL.one,
	'enterprise-get-organization-members': LEVEL.three,
	'enterprise-get-organization-member': LEVEL.three,
	'enterprise-post-user-sessions-reset': LEVEL.three,
};

const TOKEN_INFO = '/v1/oauth-token';
const MOST_EMAILS = 10;
const MOST_IN_PAGE = 100;
const GUESTS: readonly string[] = ['organization_external_user', 'organization_team_guest_user'];

/**
 * Code and message by status. The codes are those of https://developers.miro.com/reference/errors and
 * of the schemas `Error400` to `Error429` in the specification; most messages are not documented.
 */
const ERRORS: Readonly<Record<number, readonly [string, string]>> = {
	400: ['invalidParameters', 'Method parameters are not valid'],
	401: ['tokenNotProvided', 'No authorization data was found on the request'],
	403: ['forbiddenAccess', 'Invalid access'],
	404: ['notFound', 'The requested resource is not found'],
	409: ['conflict', 'Conflict'],
	429: ['tooManyRequests', 'Request rate limit exceed'],
};

interface RefusalDetails {
	code?: string;
	message?: string;
	/** Only some errors have one. */
	context?: unknown;
}

/** An answer instead of a result. */
class Refusal extends Error {
	readonly reply: Reply;

	constructor(status: number, details: RefusalDetails = {}) {
		const [code, message] = ERRORS[status] ?? ['internalError', 'Internal error'];
		super(message);
		this.reply = { status, body: { status, code, message, ...details, type: 'error' } };
	}
}

const invalidToken = (): Refusal => new Refusal(400, { message: 'Invalid token provided' });
const unknownToken = (): Refusal =>
	new Refusal(401, { code: 'tokenNotFound', message: 'The API key does not exist' });

/** The `context` of bad parameters: https://developers.miro.com/reference/errors */
const badParameter = (field: string, message: string): Refusal =>
	new Refusal(400, { context: { fields: [{ field, reason: 'invalid', message }] } });

/** The value of a query parameter, if it is one of those that are documented. */
function oneOf(request: VendorRequest, name: string, allowed: readonly string[]) {
	const value = request.search.get(name);
	if (value !== null && !allowed.includes(value)) {
		throw badParameter(name, `${name} must be one of ${allowed.join(', ')}`);
	}
	return value;
}

/** Notes what a mail address in a query was not meant to be. */
function checkAddress(request: VendorRequest, parameter: string, address: string): void {
	if (address.includes(' ') && request.query.includes('+')) {
		request.violate(`a bare plus sign in ${parameter} is a space: it has to be sent as %2B`);
	} else if (!address.includes('@')) {
		request.violate(`${parameter} takes e-mail addresses, not ${address}`);
	}
}

/** A simulated Miro organization: the vendor for `startSimulator`, and the state that tests see. */
export class Miro extends MiroOrg implements SimulatedVendor {
	readonly name = 'miro';
	readonly routes: readonly SimulatedRoute[];
	readonly actions = {
		signIn: (input: unknown) => {
			const { user, device } = input as { user: string; device?: string };
			return this.signIn(user, device);
		},
		addUser: (input: unknown) => this.addUser(input as MiroUserInit),
		withdrawTokens: () => {
			this.withdrawTokens();
		},
	};

	private rateLimit: MiroRateLimit;
	/** By user and app. */
	private readonly windows = new Map<string, { endsAt: number; used: number }>();

	constructor(options: MiroOptions) {
		super(options);
		this.rateLimit = options.rateLimit ?? { limit: 100_000, windowMs: 60_000 };
		this.routes = this.buildRoutes();
	}

	/** Back to the seed. A limit that was set stays; its windows start anew. */
	override reset(): void {
		super.reset();
		this.windows.clear();
	}

	state(): unknown {
		return this.toJSON();
	}

	/** Changes the limit and starts its windows anew. */
	setRateLimit(limit: MiroRateLimit): void {
		this.rateLimit = limit;
		this.windows.clear();
	}

	/** Rate limits, and the headers that are documented for every answer. */
	async around(
		request: VendorRequest,
		route: SimulatedRoute | undefined,
		next: () => Promise<Reply>,
	): Promise<Reply> {
		const { exceeded, headers } = this.spend(request, route);
		const reply = exceeded ? this.error(429, request) : await next();
		if (reply.foreign === true) return reply;
		return { ...reply, headers: { ...headers, ...reply.headers } };
	}

	/** No code is documented for a method that a path does not have: it is not found either. */
	notFound(): Reply {
		return new Refusal(404).reply;
	}

	error(status: number, request: VendorRequest): Reply {
		if (status === 429) return new Refusal(429, { context: null }).reply;
		if (status === 400 && request.path === TOKEN_INFO) return invalidToken().reply;
		return new Refusal(status).reply;
	}

	/** Documented: 429, and the time of the reset in the headers of every answer; no Retry-After. */
	rateLimited(request: VendorRequest, _form?: string, resetInSeconds = 2): Reply {
		const headers = this.limitHeaders(0, this.now() + resetInSeconds * 1000);
		return { ...this.error(429, request), headers };
	}

	// --- Rate limits -------------------------------------------------------------------------------

	private limitHeaders(remaining: number, resetAt: number): Record<string, string> {
		return {
			'X-RateLimit-Limit': String(this.rateLimit.limit),
			'X-RateLimit-Remaining': String(remaining),
			'X-RateLimit-Reset': String(Math.ceil(resetAt / 1000)),
		};
	}

	/** Takes the credits of a request, if there are enough. */
	private spend(
		request: VendorRequest,
		route: SimulatedRoute | undefined,
	): { exceeded: boolean; headers: Record<string, string> } {
		const { limit, windowMs } = this.rateLimit;
		const principal = this.principal(this.bearer(request) ?? '');
		const key = principal === undefined ? '' : `${principal.userId}\n${principal.app}`;
		const now = this.now();
		let window = this.windows.get(key);
		if (window === undefined || window.endsAt <= now) {
			window = { endsAt: now + windowMs, used: 0 };
			this.windows.set(key, window);
		}
		const cost = COST[route?.name ?? ''] ?? LEVEL.one;
		const exceeded = window.used + cost > limit;
		if (!exceeded) window.used += cost;
		return { exceeded, headers: this.limitHeaders(limit - window.used, window.endsAt) };
	}

	// --- Routes ------------------------------------------------------------------------------------

	/**
	 * The token of a request. Miro's older guides also allow it in the query; the specification does
	 * not, and a secret has no place in a URL.
	 */
	private bearer(request: VendorRequest): string | undefined {
		return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
	}

	private authenticated(request: VendorRequest): MiroPrincipal {
		const token = this.bearer(request);
		if (token === undefined) throw new Refusal(401);
		const principal = this.principal(token);
		if (principal === undefined) throw unknownToken();
		return principal;
	}

	/** Documented for the Enterprise API: the scope, the role of a Company Admin, the Enterprise plan. */
	private authorize(principal: MiroPrincipal, scopes: readonly string[]): void {
		if (!scopes.some((one) => principal.scopes.includes(one))) {
			const message = 'Insufficient permissions to do this action';
			throw new Refusal(403, { code: this.missingScopeCode, message });
		}
		const admin = this.getUser(principal.userId)?.role === 'organization_internal_admin';
		if (!admin || !principal.inOrganization) throw new Refusal(403);
	}

	/** An operation of the Enterprise API; refusals are answers. */
	private enterprise(
		route: Omit<SimulatedRoute, 'handler'>,
		work: (request: VendorRequest) => Reply,
	): SimulatedRoute {
		return {
			...route,
			handler: (request) => {
				try {
					this.authorize(this.authenticated(request), route.scopes ?? []);
					return work(request);
				} catch (error) {
					if (!(error instanceof Refusal)) throw error;
					return error.reply;
				}
			},
		};
	}

	private buildRoutes(): SimulatedRoute[] {
		const read = { method: 'GET', scopes: ['organizations:read'] };
		return [
			{
				name: 'token-info',
				method: 'GET',
				url: TOKEN_INFO,
				source: SOURCES.tokenInfo,
				handler: (request) => {
					const principal = this.principal(this.bearer(request) ?? '');
					if (principal !== undefined) {
						return { status: 200, body: this.tokenInformation(principal) };
					}
					return (this.badTokenStatus === 400 ? invalidToken() : unknownToken()).reply;
				},
			},
			this.enterprise(
				{
					...read,
					name: 'enterprise-get-organization-members',
					url: '/v2/orgs/{org_id}/members',
					source: SOURCES.members,
					query: ['emails', 'role', 'license', 'active', 'cursor', 'limit'],
				},
				(request) => this.listMembers(request),
			),
			this.enterprise(
				{
					...read,
					name: 'enterprise-get-organization-member',
					url: '/v2/orgs/{org_id}/members/{member_id}',
					source: SOURCES.member,
				},
				(request) => this.readMember(request),
			),
			this.enterprise(
				{
					name: 'enterprise-post-user-sessions-reset',
					method: 'POST',
					url: '/v2/sessions/reset_all',
					source: SOURCES.reset,
					scopes: ['sessions:delete'],
					query: ['email'],
				},
				(request) => this.resetAll(request),
			),
		];
	}

	private checkOrganization({ params }: VendorRequest): void {
		if (params.org_id !== this.organizationId) throw new Refusal(this.foreignOrganizationStatus);
	}

	/** With addresses a bare list, without them a page: the two answers of one operation. */
	private listMembers(request: VendorRequest): Reply {
		this.checkOrganization(request);
		const emails = request.search.get('emails');
		return emails === null ? this.page(request) : this.byEmails(request, emails);
	}

	/** An address that no member has is not an error; it is not in the list. */
	private byEmails(request: VendorRequest, emails: string): Reply {
		for (const other of request.search.keys()) {
			if (other !== 'emails') request.violate(`${other} is ignored beside emails`);
		}
		const addresses = emails.split(',');
		if (addresses.includes('')) throw badParameter('emails', 'emails must not be empty');
		if (addresses.length > MOST_EMAILS) {
			throw badParameter('emails', `Maximum emails size is ${String(MOST_EMAILS)}`);
		}
		for (const address of addresses) checkAddress(request, 'emails', address);
		const found = new Map<string, MiroMember>();
		for (const address of addresses) {
			const member = this.memberAt(address);
			if (member !== undefined) found.set(member.id, member);
		}
		return { status: 200, body: [...found.values()] };
	}

	private page(request: VendorRequest): Reply {
		const { search } = request;
		const role = oneOf(request, 'role', MIRO_ROLES);
		const license = oneOf(request, 'license', MIRO_LICENSES);
		const active = oneOf(request, 'active', ['true', 'false']);
		const limit = Number(search.get('limit') ?? MOST_IN_PAGE);
		if (!Number.isInteger(limit) || limit < 1 || limit > MOST_IN_PAGE) {
			throw badParameter('limit', `limit must be between 1 and ${String(MOST_IN_PAGE)}`);
		}
		const all = this.allUsers();
		const cursor = search.get('cursor');
		const last = all.findIndex(({ id }) => id === cursor);
		if (cursor !== null && last < 0) throw badParameter('cursor', 'cursor is no member');
		const left = all
			.slice(last + 1)
			.filter(
				(member) =>
					(role === null || member.role === role) &&
					(license === null || member.license === license) &&
					(active === null || String(member.active) === active),
			);
		const data = left.slice(0, limit);
		// Documented: the id of the last member of the page; empty when there are no more pages.
		const next = left.length > data.length ? { cursor: data.at(-1)?.id } : {};
		return {
			status: 200,
			body: { limit, size: data.length, data, ...next, type: 'cursor-list' },
		};
	}

	private readMember(request: VendorRequest): Reply {
		this.checkOrganization(request);
		const { member_id: id = '' } = request.params;
		const member = this.getUser(id);
		if (member?.id !== id) throw new Refusal(404);
		return { status: 200, body: member };
	}

	private resetAll(request: VendorRequest): Reply {
		const email = request.search.get('email') ?? '';
		if (email === '') throw badParameter('email', 'email is required');
		checkAddress(request, 'email', email);
		const member = this.memberAt(email);
		if (member === undefined) throw new Refusal(404);
		if (GUESTS.includes(member.role) && this.guestReset !== 'reset') {
			throw new Refusal(this.guestReset === 'notFound' ? 404 : 403);
		}
		this.resetSessions(member.id);
		return { status: 200, body: this.resetBody === 'empty' ? '' : {} };
	}

	/** The member with this address; an id is none. */
	private memberAt(address: string): MiroMember | undefined {
		const member = this.getUser(address);
		return member?.email.toLowerCase() === address.toLowerCase() ? member : undefined;
	}
}

/** Creates a simulated Miro organization; mount it with `startSimulator`. */
export function createMiro(options: MiroOptions = {}): Miro {
	return new Miro(options);
}
