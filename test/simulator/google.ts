/**
 * A simulated Google Workspace: the token endpoint for service accounts, the part of the Admin SDK
 * Directory API that ends access, and the admins' activities of the Reports API, on one server.
 * Written from Google's documents, never from the connector, so that the two can disagree.
 */
import {
	type GoogleActivity,
	GoogleDirectory,
	type GoogleDirectoryOptions,
	type GooglePrincipal,
	type GooglePrivilege,
	type GoogleServiceAccountInit,
	type GoogleUser,
	type GoogleUserInit,
} from './google-directory';
import { FieldsError, partial, type Shape } from './google-fields';
import { mintToken, tokenError } from './google-token';
import type { Reply, SimulatedRoute, SimulatedVendor, VendorRequest } from './simulator';

/** Queries that one admin may send in a window. */
export interface GoogleRateLimit {
	limit: number;
	windowMs: number;
}

/** Options of `createGoogle`. */
export interface GoogleOptions extends GoogleDirectoryOptions {
	/**
	 * Default: 2,400 queries per minute and user, as documented.
	 * https://developers.google.com/workspace/admin/directory/v1/limits
	 */
	rateLimit?: GoogleRateLimit;
	/** Most requests in flight. The page names such a limit without its number; default: none. */
	concurrency?: number;
}

const DIRECTORY = 'https://developers.google.com/workspace/admin/directory/reference/rest/v1';
const SOURCES = {
	getUser: `${DIRECTORY}/users/get`,
	listUsers: `${DIRECTORY}/users/list`,
	signOut: `${DIRECTORY}/users/signOut`,
	listTokens: `${DIRECTORY}/tokens/list`,
	deleteToken: `${DIRECTORY}/tokens/delete`,
	listAsps: `${DIRECTORY}/asps/list`,
	deleteAsp: `${DIRECTORY}/asps/delete`,
	activities:
		'https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list',
	token: 'https://developers.google.com/identity/protocols/oauth2/service-account',
} as const;

const USER_SCOPE = 'https://www.googleapis.com/auth/admin.directory.user';
const READ_SCOPES = [USER_SCOPE, `${USER_SCOPE}.readonly`];
const SECURITY_SCOPES = [`${USER_SCOPE}.security`];
const AUDIT_SCOPES = ['https://www.googleapis.com/auth/admin.reports.audit.readonly'];

/**
 * Parameters of every method. `access_token` and `oauth_token` are left out on purpose: a token in a
 * URL ends in logs, and the documents recommend the header.
 * https://cloud.google.com/apis/docs/system-parameters
 */
const COMMON_QUERY = ['$.xgafv', 'alt', 'fields', 'key', 'prettyPrint', 'quotaUser'];
const ACTIVITY_QUERY = [
	'actorIpAddress',
	'customerId',
	'endTime',
	'eventName',
	'filters',
	'maxResults',
	'orgUnitID',
	'pageToken',
	'startTime',
];

const values = (names: string): Shape =>
	Object.fromEntries(names.split(' ').map((name) => [name, 'value' as const]));
const anything = (names: string): Shape =>
	Object.fromEntries(names.split(' ').map((name) => [name, 'any' as const]));

/** The members of the resources in the discovery documents, for `fields`. */
const USER_SHAPE: Shape = {
	...values(
		'agreedToTerms aliases archivalTime archived changePasswordAtNextLogin creationTime customerId deletionTime etag hashFunction id includeInGlobalAddressList ipWhitelisted isAdmin isDelegatedAdmin isEnforcedIn2Sv isEnrolledIn2Sv isGuestUser isMailboxSetup kind lastLoginTime nonEditableAliases orgUnitPath password primaryEmail recoveryEmail recoveryPhone suspended suspensionReason suspensionTime thumbnailPhotoEtag thumbnailPhotoUrl',
	),
	...anything(
		'addresses customSchemas emails externalIds gender guestAccountInfo ims keywords languages locations notes organizations phones posixAccounts relations sshPublicKeys websites',
	),
	name: values('displayName familyName fullName givenName'),
};
const listShape = (items: Shape | 'any'): Shape => ({ ...values('etag kind'), items });
const TOKENS_SHAPE = listShape(
	values('anonymous clientId displayText etag kind nativeApp scopes userKey'),
);
const ASPS_SHAPE = listShape(values('codeId creationTime etag kind lastTimeUsed name userKey'));
const USERS_SHAPE: Shape = { ...values('etag kind nextPageToken'), users: USER_SHAPE };
const ACTIVITIES_SHAPE: Shape = { ...listShape('any'), ...values('nextPageToken') };

/** What `viewType=domain_public` leaves of a user. */
const PUBLIC_MEMBERS = ['kind', 'id', 'etag', 'primaryEmail', 'name', 'emails', 'customerId'];

const APPLICATIONS = ['admin', 'calendar', 'drive', 'groups', 'login', 'token', 'user_accounts'];
const MOST_ACTIVITIES = 1000;

interface ApiError {
	status: number;
	message: string;
	domain?: 'global' | 'usageLimits';
	reason: string;
	/** The gRPC status, where the newer front end answers. */
	rpc?: string;
	more?: Record<string, unknown>;
	/** `google.rpc.ErrorInfo` reason. */
	info?: string;
	headers?: Record<string, string>;
}

/** An answer instead of a result. */
class Refusal extends Error {
	constructor(readonly problem: ApiError) {
		super(problem.message);
	}
}

/** An error in the shape of Google's JSON APIs; clients are to look at `errors[0].reason`. */
function apiError({
	status,
	message,
	domain = 'global',
	reason,
	rpc,
	more,
	info,
	headers,
}: ApiError) {
	const details = [
		{
			'@type': 'type.googleapis.com/google.rpc.ErrorInfo',
			reason: info,
			domain: 'googleapis.com',
			metadata: { service: 'admin.googleapis.com' },
		},
	];
	return {
		status,
		...(headers === undefined ? {} : { headers }),
		body: {
			error: {
				code: status,
				message,
				errors: [{ message, domain, reason, ...more }],
				...(rpc === undefined ? {} : { status: rpc }),
				...(info === undefined ? {} : { details }),
			},
		},
	} satisfies Reply;
}

const invalid = (reason: string, message: string): Refusal =>
	new Refusal({ status: 400, reason, message });
const invalidParameter = (name: string, message: string): Refusal =>
	new Refusal({
		status: 400,
		reason: 'invalidParameter',
		message,
		more: { location: name, locationType: 'parameter' },
	});
const notFound = (what: string): Refusal =>
	new Refusal({ status: 404, reason: 'notFound', message: `Resource Not Found: ${what}` });
/** https://github.com/googleapis/google-api-nodejs-client/issues/1884 */
const forbidden = (): Refusal =>
	new Refusal({
		status: 403,
		reason: 'forbidden',
		message: 'Not Authorized to access this resource/api',
	});

const REALM = 'Bearer realm="https://accounts.google.com/"';
const HELP =
	'Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.';
const AT_HEADER = { location: 'Authorization', locationType: 'header' };

/** The documented answers to too much, and when: a rate per user, what runs side by side, the account. */
const QUOTA: Readonly<Record<string, readonly [number, string]>> = {
	userRateLimitExceeded: [403, 'User Rate Limit Exceeded'],
	quotaExceeded: [403, 'Quota exceeded for concurrent requests'],
	rateLimitExceeded: [429, 'Rate Limit Exceeded'],
};

const ERRORS: Readonly<Record<number, readonly [string, string, string?]>> = {
	400: ['invalid', 'Invalid Input', 'INVALID_ARGUMENT'],
	401: ['authError', `Request had invalid authentication credentials. ${HELP}`, 'UNAUTHENTICATED'],
	403: ['forbidden', 'Not Authorized to access this resource/api'],
	404: ['notFound', 'Resource Not Found: userKey'],
	409: ['duplicate', 'Entity already exists.'],
	412: ['conditionNotMet', 'Precondition Failed', 'FAILED_PRECONDITION'],
	429: ['rateLimitExceeded', 'Rate Limit Exceeded', 'RESOURCE_EXHAUSTED'],
	503: ['backendError', 'The service is currently unavailable.', 'UNAVAILABLE'],
};

const TOKEN_ERRORS: Readonly<Record<number, readonly [string, string]>> = {
	400: ['invalid_grant', 'Bad Request'],
	401: ['invalid_client', 'The OAuth client was not found.'],
	403: ['access_denied', 'Requested client not authorized.'],
};

const isToken = (request: VendorRequest): boolean => request.path === '/token';

const page404 = (path: string): string =>
	`<!DOCTYPE html>\n<html lang=en><title>Error 404 (Not Found)!!1</title><p><b>404.</b> That’s an error.<p>The requested URL <code>${path.replaceAll(/[<&]/g, '')}</code> was not found on this server.`;

/** What a route needs beside a token. */
interface ApiRoute extends Omit<SimulatedRoute, 'handler' | 'query'> {
	query?: readonly string[];
	privilege: GooglePrivilege;
	shape?: Shape;
	/** Acts on the account, so that delegated administrators may not do it to other administrators. */
	security?: boolean;
}

/** A simulated Google Workspace: the vendor for `startSimulator`, and the state that tests see. */
export class GoogleWorkspace extends GoogleDirectory implements SimulatedVendor {
	readonly name = 'google_workspace';
	readonly routes: readonly SimulatedRoute[];
	readonly actions = {
		signIn: (input: unknown) => {
			const { user, device } = input as { user: string; device?: string };
			return this.signIn(user, device);
		},
		addUser: (input: unknown) => this.addUser(input as GoogleUserInit),
		addServiceAccount: (input: unknown) => {
			this.addServiceAccount(input as GoogleServiceAccountInit);
		},
		withdrawTokens: () => {
			this.withdrawTokens();
		},
	};

	private rateLimit: GoogleRateLimit;
	private readonly concurrency: number;
	private readonly windows = new Map<string, { endsAt: number; used: number }>();
	private inFlight = 0;

	constructor(options: GoogleOptions) {
		super(options);
		this.rateLimit = options.rateLimit ?? { limit: 2400, windowMs: 60_000 };
		this.concurrency = options.concurrency ?? Infinity;
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
	setRateLimit(limit: GoogleRateLimit): void {
		this.rateLimit = limit;
		this.windows.clear();
	}

	/** Quotas, and the headers that are on every answer. */
	async around(
		request: VendorRequest,
		route: SimulatedRoute | undefined,
		next: () => Promise<Reply>,
	): Promise<Reply> {
		const counts = route !== undefined && !isToken(request);
		const reply = await (counts ? this.withinQuota(request, next) : next());
		if (reply.foreign === true) return reply;
		const json: Record<string, string> =
			typeof reply.body === 'object' ? { 'content-type': 'application/json; charset=UTF-8' } : {};
		const own = {
			'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
			server: 'ESF',
		};
		return { ...reply, headers: { ...own, ...json, ...reply.headers } };
	}

	/** Google's front end answers unknown paths and methods with a page. */
	notFound(request: VendorRequest): Reply {
		return {
			status: 404,
			headers: { 'content-type': 'text/html; charset=UTF-8' },
			body: page404(request.path),
		};
	}

	error(status: number, request: VendorRequest): Reply {
		if (isToken(request)) {
			const [code, message] = TOKEN_ERRORS[status] ?? ['internal_failure', 'Backend Error'];
			return tokenError(status, code, message);
		}
		const [reason, message, rpc] = ERRORS[status] ?? [
			'backendError',
			'Internal error encountered.',
			'INTERNAL',
		];
		return apiError({ status, reason, message, ...(rpc === undefined ? {} : { rpc }) });
	}

	/**
	 * Documented: 403 `userRateLimitExceeded` and `quotaExceeded`, 429 `rateLimitExceeded` (the default
	 * `form`), without a word about when to come back. `Retry-After` is sent only if a time is given:
	 * HTTP allows it, Google does not promise it.
	 */
	rateLimited(request: VendorRequest, form = 'rateLimitExceeded', resetInSeconds?: number): Reply {
		const [status, message] = QUOTA[form] ?? [429, 'Rate Limit Exceeded'];
		const reply = isToken(request)
			? tokenError(429, 'rate_limit_exceeded', message)
			: apiError({
					status,
					message,
					domain: 'usageLimits',
					reason: form,
					...(status === 429 ? { rpc: 'RESOURCE_EXHAUSTED' } : {}),
				});
		if (resetInSeconds === undefined) return reply;
		return { ...reply, headers: { 'retry-after': String(Math.ceil(resetInSeconds)) } };
	}

	private async withinQuota(request: VendorRequest, next: () => Promise<Reply>): Promise<Reply> {
		const user = this.principal(bearerOf(request) ?? '')?.user;
		if (user !== undefined) {
			const now = this.now();
			const current = this.windows.get(user.id);
			const window =
				current !== undefined && current.endsAt > now
					? current
					: { endsAt: now + this.rateLimit.windowMs, used: 0 };
			this.windows.set(user.id, window);
			if (window.used >= this.rateLimit.limit) {
				return this.rateLimited(request, 'userRateLimitExceeded');
			}
			window.used += 1;
		}
		if (this.inFlight >= this.concurrency) return this.rateLimited(request, 'quotaExceeded');
		this.inFlight += 1;
		try {
			return await next();
		} finally {
			this.inFlight -= 1;
		}
	}

	// --- Who calls, and about whom -----------------------------------------------------------------

	/** The caller, with a token that covers one of the scopes. */
	private authenticated(request: VendorRequest, scopes: readonly string[]): GooglePrincipal {
		const unauthenticated = (problem: Partial<ApiError>): Refusal =>
			new Refusal({
				status: 401,
				message: `Request had invalid authentication credentials. ${HELP}`,
				reason: 'authError',
				rpc: 'UNAUTHENTICATED',
				more: AT_HEADER,
				headers: { 'www-authenticate': `${REALM}, error="invalid_token"` },
				...problem,
			});
		const token = bearerOf(request);
		if (token === undefined) {
			throw unauthenticated({
				message: `Request is missing required authentication credential. ${HELP}`,
				reason: 'required',
				info: 'CREDENTIALS_MISSING',
				headers: { 'www-authenticate': REALM },
			});
		}
		const caller = this.principal(token);
		if (caller === undefined) throw unauthenticated({});
		choice(request, 'alt', ['json']);
		if (scopes.some((one) => caller.scopes.includes(one))) return caller;
		throw new Refusal({
			status: 403,
			message: 'Request had insufficient authentication scopes.',
			reason: 'insufficientPermissions',
			rpc: 'PERMISSION_DENIED',
			info: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
			headers: {
				'www-authenticate': `${REALM}, error="insufficient_scope", scope="${scopes.join(' ')}"`,
			},
		});
	}

	/** The user that a user key stands for: an id, a primary address or an alias. */
	private target(userKey: string): GoogleUser {
		const user = this.getUser(userKey);
		if (user !== undefined) return user;
		// An address elsewhere looks like a missing right, not like an unknown user.
		if (userKey.includes('@') && !this.owns(userKey)) throw forbidden();
		throw notFound('userKey');
	}

	/** A route of the APIs: authenticates, authorises, then works; refusals are answers. */
	private api(
		{ privilege, shape, security = false, ...route }: ApiRoute,
		work: (request: VendorRequest, caller: GoogleUser, target: GoogleUser) => Reply,
	): SimulatedRoute {
		return {
			...route,
			query: [...COMMON_QUERY, ...(route.query ?? [])],
			handler: (request) => {
				try {
					const { user, admin } = this.authenticated(request, route.scopes ?? []);
					// "Retrieve a user as a non-administrator", for whom there is the public view only:
					// https://developers.google.com/workspace/admin/directory/v1/guides/manage-users
					const open = !security && request.search.get('viewType') === 'domain_public';
					const allowed = admin === 'super' || (admin?.includes(privilege) ?? false);
					// Without `sub` a token stands for the service account, which is in no domain.
					if (user === undefined || !(allowed || open)) throw forbidden();
					const target = this.target(request.params.userKey ?? '');
					// "Can perform all actions on users who aren't administrators":
					// https://support.google.com/a/answer/2405986. About themselves it says nothing.
					const over = security && this.isAdmin(target.id) && target.id !== user.id;
					if (over && admin !== 'super') throw forbidden();
					return selected(request, work(request, user, target), shape);
				} catch (error) {
					return refused(error);
				}
			},
		};
	}

	// --- Routes ------------------------------------------------------------------------------------

	private buildRoutes(): SimulatedRoute[] {
		const user = '/admin/directory/v1/users/{userKey}';
		const secured = {
			scopes: SECURITY_SCOPES,
			privilege: 'USER_SECURITY_ALL' as const,
			security: true,
		};
		return [
			this.api(
				{
					name: 'directory.users.get',
					method: 'GET',
					url: user,
					source: SOURCES.getUser,
					scopes: READ_SCOPES,
					privilege: 'USERS_RETRIEVE',
					query: ['customFieldMask', 'projection', 'viewType'],
					shape: USER_SHAPE,
				},
				(request, _caller, target) => readUser(request, target),
			),
			this.usersRoute(),
			this.api(
				{
					...secured,
					name: 'directory.users.signOut',
					method: 'POST',
					url: `${user}/signOut`,
					source: SOURCES.signOut,
				},
				(_request, caller, target) => {
					if (target.suspended && this.suspendedSignOut === 'refused') {
						throw invalid('invalid', 'Invalid Input');
					}
					this.signOut(target.id, caller);
					return this.done();
				},
			),
			this.api(
				{
					...secured,
					name: 'directory.tokens.list',
					method: 'GET',
					url: `${user}/tokens`,
					source: SOURCES.listTokens,
					shape: TOKENS_SHAPE,
				},
				(_request, _caller, target) => list('tokenList', this.listedTokens(target.id)),
			),
			this.api(
				{
					...secured,
					name: 'directory.tokens.delete',
					method: 'DELETE',
					url: `${user}/tokens/{clientId}`,
					source: SOURCES.deleteToken,
				},
				({ params }, caller, target) => {
					const { clientId = '' } = params;
					if (this.deleteToken(target.id, clientId, caller)) return this.done();
					throw notFound('clientId');
				},
			),
			this.api(
				{
					...secured,
					name: 'directory.asps.list',
					method: 'GET',
					url: `${user}/asps`,
					source: SOURCES.listAsps,
					shape: ASPS_SHAPE,
				},
				(_request, _caller, target) => list('aspList', this.listedAsps(target.id)),
			),
			this.api(
				{
					...secured,
					name: 'directory.asps.delete',
					method: 'DELETE',
					url: `${user}/asps/{codeId}`,
					source: SOURCES.deleteAsp,
				},
				({ params }, caller, target) => {
					const { codeId = '' } = params;
					if (!/^\d+$/.test(codeId)) {
						throw invalidParameter('codeId', `Invalid value '${codeId}'. Values must be integers.`);
					}
					if (this.deleteAsp(target.id, codeId, caller)) return this.done();
					// Open in the documents; https://github.com/GAM-team/GAM is prepared for `invalid`, not for a 404.
					throw invalid('invalid', 'Invalid Input: codeId');
				},
			),
			this.activitiesRoute(),
			{
				name: 'token',
				method: 'POST',
				url: '/token',
				source: SOURCES.token,
				body: { contentType: 'application/x-www-form-urlencoded' },
				handler: (request) => mintToken(this, request),
			},
		];
	}

	/** The answer of an operation without a result. */
	private done(): Reply {
		if (this.voidAnswer === 'noContent') return { status: 204 };
		return { status: 200, body: this.voidAnswer === 'empty' ? '' : {} };
	}

	// --- Users -------------------------------------------------------------------------------------

	/** `GET /users`, of one account and by whether they are administrators. */
	private usersRoute(): SimulatedRoute {
		return {
			name: 'directory.users.list',
			method: 'GET',
			url: '/admin/directory/v1/users',
			source: SOURCES.listUsers,
			scopes: READ_SCOPES,
			query: [...COMMON_QUERY, 'customer', 'maxResults', 'query'],
			handler: (request) => {
				try {
					const { user, admin } = this.authenticated(request, READ_SCOPES);
					const allowed = admin === 'super' || (admin?.includes('USERS_RETRIEVE') ?? false);
					if (user === undefined || !allowed) throw forbidden();
					return selected(request, this.listUsers(request), USERS_SHAPE);
				} catch (error) {
					return refused(error);
				}
			},
		};
	}

	private listUsers({ search }: VendorRequest): Reply {
		// "Either the customer or the domain parameter must be provided."
		const customer = search.get('customer') ?? '';
		if (customer === '')
			throw new Refusal({ status: 400, reason: 'badRequest', message: 'Bad Request' });
		if (![this.customerId, 'my_customer'].includes(customer)) throw forbidden();
		const most = Number(search.get('maxResults') ?? 100);
		if (!Number.isInteger(most) || most < 1 || most > 500) {
			throw invalidParameter('maxResults', 'Invalid value for maxResults.');
		}
		// https://developers.google.com/workspace/admin/directory/v1/guides/search-users
		const clauses = (search.get('query') ?? '').split(' ').filter(Boolean);
		const wanted = clauses.map((clause) => {
			const [, name, value] =
				/^(isAdmin|isDelegatedAdmin|isSuspended)=(true|false)$/.exec(clause) ?? [];
			if (name === undefined) throw invalid('invalid', 'Invalid Input: query');
			const member =
				name === 'isSuspended' ? 'suspended' : (name as 'isAdmin' | 'isDelegatedAdmin');
			return (user: GoogleUser) => user[member] === (value === 'true');
		});
		const found = this.allUsers().filter((user) => wanted.every((holds) => holds(user)));
		const users = found.slice(0, most);
		const body = { kind: 'admin#directory#users', etag: '"simulated"' };
		const more = users.length < found.length ? { nextPageToken: 'simulated' } : {};
		return { status: 200, body: { ...body, ...(users.length === 0 ? {} : { users }), ...more } };
	}

	// --- Activities --------------------------------------------------------------------------------

	private activitiesRoute(): SimulatedRoute {
		return {
			name: 'reports.activities.list',
			method: 'GET',
			url: '/admin/reports/v1/activity/users/{userKey}/applications/{applicationName}',
			source: SOURCES.activities,
			scopes: AUDIT_SCOPES,
			query: [...COMMON_QUERY, ...ACTIVITY_QUERY],
			handler: (request) => {
				try {
					const { user, admin } = this.authenticated(request, AUDIT_SCOPES);
					const allowed = admin === 'super' || (admin?.includes('REPORTS_ACCESS') ?? false);
					if (user === undefined || !allowed) {
						// A 401, unlike in the Directory API: https://github.com/googleworkspace/python-samples/issues/21
						throw new Refusal({
							status: 401,
							message: 'Access denied. You are not authorized to read activity records.',
							reason: 'authError',
							more: AT_HEADER,
						});
					}
					return selected(request, this.listActivities(request), ACTIVITIES_SHAPE);
				} catch (error) {
					return refused(error);
				}
			},
		};
	}

	private listActivities(request: VendorRequest): Reply {
		const { search, params } = request;
		const { userKey = '', applicationName = '' } = params;
		if (!APPLICATIONS.includes(applicationName)) {
			throw invalidParameter('applicationName', `Invalid value '${applicationName}'.`);
		}
		const actor = userKey === 'all' ? undefined : this.getUser(userKey);
		if (userKey !== 'all' && actor === undefined) {
			throw invalidParameter('userKey', `Invalid value '${userKey}'.`);
		}
		const now = this.now();
		const from = instant(request, 'startTime') ?? 0;
		const to = instant(request, 'endTime') ?? now;
		if (from > now || from > to) {
			throw invalidParameter(
				'startTime',
				'The start time must be before the end and the current time.',
			);
		}
		const eventName = search.get('eventName');
		const filters = parseFilters(search.get('filters'));
		if (filters.length > 0 && eventName === null) request.violate('filters need an eventName');
		const found = (applicationName === 'admin' ? this.activities() : []).filter(
			(one) =>
				one.time >= from &&
				one.time <= to &&
				(actor === undefined || one.actor.profileId === actor.id) &&
				(eventName === null || one.name === eventName) &&
				filters.every((filter) => filter(one.parameters)),
		);
		const most = Number(search.get('maxResults') ?? MOST_ACTIVITIES);
		if (!Number.isInteger(most) || most < 1 || most > MOST_ACTIVITIES) {
			throw invalidParameter('maxResults', 'Invalid value for maxResults.');
		}
		const skip = Number(search.get('pageToken') ?? 0);
		if (!Number.isSafeInteger(skip) || skip < 0) {
			throw invalidParameter('pageToken', 'Invalid value for pageToken.');
		}
		const end = skip + most;
		const items = found.slice(skip, end).map((one, nth) => this.presentActivity(one, nth));
		const body = { kind: 'reports#activities', etag: '"simulated"' };
		const more = end < found.length ? { nextPageToken: String(end) } : {};
		return { status: 200, body: { ...body, ...(items.length === 0 ? {} : { items }), ...more } };
	}

	private presentActivity({ time, actor, name, parameters }: GoogleActivity, nth: number) {
		return {
			kind: 'audit#activity',
			id: {
				time: new Date(time).toISOString(),
				uniqueQualifier: String(-time * 10 - nth),
				applicationName: 'admin',
				customerId: this.customerId,
			},
			etag: '"simulated"',
			actor: { callerType: 'USER', ...actor },
			ipAddress: '203.0.113.10',
			events: [
				{
					type: 'USER_SETTINGS',
					name,
					parameters: Object.entries(parameters).map(([key, value]) => ({ name: key, value })),
				},
			],
		};
	}
}

/** The access token of the `Authorization` header. */
function bearerOf({ headers }: VendorRequest): string | undefined {
	return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** The answer that a refusal stands for. */
function refused(error: unknown): Reply {
	if (error instanceof Refusal) return apiError(error.problem);
	if (error instanceof FieldsError) {
		return apiError(invalidParameter('fields', error.message).problem);
	}
	throw error;
}

/** The part of an answer that `fields` selects. */
function selected(request: VendorRequest, reply: Reply, shape: Shape | undefined): Reply {
	const fields = request.search.get('fields') ?? '';
	if (fields === '' || shape === undefined) return reply;
	return { ...reply, body: partial(reply.body, fields, shape) };
}

function choice(request: VendorRequest, name: string, choices: readonly string[]): string {
	const [fallback = ''] = choices;
	const value = request.search.get(name) ?? fallback;
	if (choices.includes(value)) return value;
	throw invalidParameter(
		name,
		`Invalid value '${value}'. Values must match one of: ${choices.join(', ')}`,
	);
}

function readUser(request: VendorRequest, user: GoogleUser): Reply {
	const projection = choice(request, 'projection', ['basic', 'custom', 'full']);
	if (projection === 'custom' && !request.search.has('customFieldMask')) {
		throw invalidParameter('customFieldMask', 'projection=custom needs a customFieldMask.');
	}
	if (choice(request, 'viewType', ['admin_view', 'domain_public']) === 'admin_view') {
		return { status: 200, body: user };
	}
	const members = Object.entries(user).filter(([name]) => PUBLIC_MEMBERS.includes(name));
	return { status: 200, body: Object.fromEntries(members) };
}

/** A list of the Directory API: an empty one has no `items`. */
function list(kind: string, items: readonly { etag: string }[]): Reply {
	const body = { kind: `admin#directory#${kind}`, etag: '"simulated"' };
	return { status: 200, body: items.length === 0 ? body : { ...body, items } };
}

/** A time in RFC 3339, in milliseconds since the epoch. */
function instant(request: VendorRequest, name: string): number | undefined {
	const text = request.search.get(name);
	if (text === null) return undefined;
	if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) {
		return Date.parse(text);
	}
	throw invalidParameter(name, `Invalid value '${text}'. Times are RFC 3339.`);
}

const COMPARE: Readonly<Record<string, (a: string, b: string) => boolean>> = {
	'==': (a, b) => a === b,
	'<>': (a, b) => a !== b,
	'<': (a, b) => Number(a) < Number(b),
	'<=': (a, b) => Number(a) <= Number(b),
	'>': (a, b) => Number(a) > Number(b),
	'>=': (a, b) => Number(a) >= Number(b),
};

/** `NAME==value,NAME<>value`: parameters of the event, all of which must fit. */
function parseFilters(
	text: string | null,
): ((parameters: Readonly<Record<string, string>>) => boolean)[] {
	return (text === null ? [] : text.split(',')).map((part) => {
		const [, name = '', operator = '', value = ''] =
			/^(\w+)(==|<>|<=|>=|<|>)(.+)$/.exec(part) ?? [];
		const compare = COMPARE[operator];
		if (compare === undefined) throw invalidParameter('filters', `Invalid filter '${part}'.`);
		return (parameters) => {
			const actual = parameters[name];
			return actual !== undefined && compare(actual, value);
		};
	});
}

/** Creates a simulated Google Workspace; mount it with `startSimulator`. */
export function createGoogle(options: GoogleOptions = {}): GoogleWorkspace {
	return new GoogleWorkspace(options);
}
