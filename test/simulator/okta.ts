/**
 * A simulated Okta org: documented routes over `OktaOrg`. Written from Okta's published
 * specification and guides, never from the connector, so that the two can disagree.
 */
import { randomBytes } from 'node:crypto';
import { OktaAuth, type Principal, Refusal } from './okta-auth';
import {
	type OktaActor,
	OktaOrg,
	type OktaOrgOptions,
	type OktaPermission,
	type OktaUser,
	type OktaUserInit,
	type StoredLogEvent,
} from './okta-org';
import {
	comparisons,
	type FilterExpression,
	FilterSyntaxError,
	matchesFilter,
	parseFilter,
	usesNot,
} from './filter';
import type { Reply, SimulatedRoute, SimulatedVendor, VendorRequest } from './simulator';

/** Limit of one rate-limit bucket. */
export interface OktaRateLimit {
	limit: number;
	windowMs: number;
}

/** Options of `createOkta`. */
export interface OktaOptions extends OktaOrgOptions {
	/** Limit of every bucket that has none of its own. */
	rateLimit?: OktaRateLimit;
	/** Limits by bucket; the bucket of a route is in `OKTA_BUCKETS`. */
	rateLimits?: Readonly<Record<string, OktaRateLimit>>;
	/** Requests in flight; documented: 75, or 35 on the Integrator Free plan. */
	concurrency?: number;
}

const DOCS = 'https://developer.okta.com/docs/api/openapi/okta-management/management/tag';
const SOURCES = {
	users: `${DOCS}/User/#tag/User/operation/listUsers`,
	user: `${DOCS}/User/#tag/User/operation/getUser`,
	suspend: `${DOCS}/UserLifecycle/#tag/UserLifecycle/operation/suspendUser`,
	clear: `${DOCS}/UserSessions/#tag/UserSessions/operation/revokeUserSessions`,
	session: `${DOCS}/Session/#tag/Session/operation/getSession`,
	endSession: `${DOCS}/Session/#tag/Session/operation/revokeSession`,
	logs: `${DOCS}/SystemLog/#tag/SystemLog/operation/listLogEvents`,
	token:
		'https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/token',
} as const;

/** The rate-limit bucket that each route counts in. */
export const OKTA_BUCKETS: Readonly<Record<string, string>> = {
	listUsers: '/api/v1/users',
	getUser: '/api/v1/users/{id}',
	suspendUser: '/api/v1/users/{id}/lifecycle/*',
	revokeUserSessions: '/api/v1/users/*',
	getSession: '/api/v1/sessions',
	revokeSession: '/api/v1/sessions',
	listLogEvents: '/api/v1/logs',
	token: '/oauth2/v1',
};

const OTHER_BUCKET = '/api/v1';

/** Status and summary by error code; https://developer.okta.com/docs/reference/error-codes/ */
const ERRORS: Readonly<Record<string, readonly [number, string]>> = {
	E0000001: [400, 'Api validation failed: {0}'],
	E0000005: [403, 'Invalid session'],
	E0000006: [403, 'You do not have permission to perform the requested action'],
	E0000007: [404, 'Not found: {0}'],
	E0000008: [404, 'The requested path was not found'],
	E0000009: [500, 'Internal Server Error'],
	E0000010: [503, 'Service is in read only mode'],
	E0000011: [401, 'Invalid token provided'],
	E0000022: [405, 'The endpoint does not support the provided HTTP method'],
	E0000031: [400, 'Invalid search criteria.'],
	E0000038: [403, "This operation is not allowed in the user's current status."],
	E0000047: [429, 'API call exceeded rate limit due to too many requests.'],
	E0000112: [
		409,
		'Cannot update this user because they are still being activated. Please try again in a few minutes.',
	],
};

const CODE_BY_STATUS: Readonly<Record<number, string>> = {
	400: 'E0000001',
	401: 'E0000011',
	403: 'E0000006',
	404: 'E0000007',
	405: 'E0000022',
	409: 'E0000112',
	429: 'E0000047',
	503: 'E0000010',
};

const OAUTH_BY_STATUS: Readonly<Record<number, readonly [string, string]>> = {
	400: ['invalid_request', 'Invalid request'],
	401: ['invalid_client', 'Client authentication failed.'],
	403: ['access_denied', "The request is made from outside the client's permitted network zones."],
};

const randomId = (prefix: string): string =>
	prefix + randomBytes(17).toString('base64url').slice(0, 22);

/** An error answer in Okta's shape. `detail` fills the summary's placeholder. */
function oktaError(
	code: string,
	detail = '',
	extra: { status?: number; causes?: readonly string[] } = {},
): Reply {
	const [status, summary] = ERRORS[code] ?? [500, 'Internal Server Error'];
	return {
		status: extra.status ?? status,
		body: {
			errorCode: code,
			errorSummary: summary.replace('{0}', detail),
			errorLink: code,
			errorId: randomId('oae'),
			errorCauses: (extra.causes ?? []).map((errorSummary) => ({ errorSummary })),
		},
	};
}

/** The System Log's errors have no link and, in most of its documented examples, no causes. */
function logError(code: string, errorSummary: string, causes?: readonly string[]): Reply {
	const errorCauses = causes?.map((cause) => ({ errorSummary: cause }));
	return {
		status: 400,
		body: {
			errorCode: code,
			errorSummary,
			errorId: randomId('oae'),
			...(errorCauses === undefined ? {} : { errorCauses }),
		},
	};
}

const notFound = (what: string): Reply => oktaError('E0000007', `Resource not found: ${what}`);

/** A whole number within bounds, `fallback` if absent, or the vendor's refusal. */
function integer(request: VendorRequest, name: string, fallback: number, bounds: [number, number]) {
	const text = request.search.get(name);
	if (text === null) return fallback;
	const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
	if (value >= bounds[0] && value <= bounds[1]) return value;
	throw new Refusal(
		oktaError('E0000001', name, { causes: [`${name}: must be a number in range`] }),
	);
}

function flag(request: VendorRequest, name: string, fallback: boolean): boolean {
	const text = request.search.get(name);
	if (text === null) return fallback;
	if (text === 'true' || text === 'false') return text === 'true';
	request.violate(`${name} must be true or false, not ${text}`);
	throw new Refusal(oktaError('E0000001', name, { causes: [`${name}: must be a boolean`] }));
}

/** `link` headers, one per relation as documented. */
function links(request: VendorRequest, next: Record<string, string | null> | undefined): string[] {
	const self = `<${request.origin}${request.path}${request.query && `?${request.query}`}>; rel="self"`;
	if (next === undefined) return [self];
	const search = new URLSearchParams(request.search);
	for (const [name, value] of Object.entries(next)) {
		if (value === null) search.delete(name);
		else search.set(name, value);
	}
	return [self, `<${request.origin}${request.path}?${search.toString()}>; rel="next"`];
}

const encodeCursor = (value: unknown): string =>
	Buffer.from(JSON.stringify(value)).toString('base64url');

function decodeCursor(text: string): unknown {
	try {
		return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
	} catch {
		throw new Refusal(oktaError('E0000001', 'after', { causes: ['after: not a valid cursor'] }));
	}
}

// --- Users -----------------------------------------------------------------------------------------

const LIST_USERS_QUERY = [
	'search',
	'filter',
	'q',
	'after',
	'limit',
	'sortBy',
	'sortOrder',
	'fields',
	'expand',
];
const TOP_LEVEL_SEARCH = ['id', 'status', 'created', 'activated', 'statusChanged', 'lastUpdated'];
const CONTAINS_SEARCH = ['firstName', 'lastName', 'email', 'login'].map(
	(name) => `profile.${name}`,
);
const FILTERABLE = ['status', 'lastUpdated', 'id', ...CONTAINS_SEARCH];

function invalidSearch(cause: string): Refusal {
	return new Refusal(oktaError('E0000031', '', { causes: [cause] }));
}

function parsedCriteria(text: string): FilterExpression {
	try {
		return parseFilter(text);
	} catch (error) {
		if (error instanceof FilterSyntaxError) throw invalidSearch('Invalid search syntax.');
		throw error;
	}
}

/** `search`: most properties; no `ne`, no `ew`; `co` on four attributes; values ignore case. */
function searchUsers(org: OktaOrg, text: string): OktaUser[] {
	const expression = parsedCriteria(text);
	for (const { attribute, operator } of comparisons(expression)) {
		const known =
			TOP_LEVEL_SEARCH.includes(attribute) ||
			attribute === 'type.id' ||
			/^profile\.\w+$/.test(attribute);
		if (!known) throw invalidSearch(`Invalid property: ${attribute}`);
		const supported =
			!['ne', 'ew'].includes(operator) &&
			(operator !== 'co' || CONTAINS_SEARCH.includes(attribute));
		if (!supported) throw invalidSearch(`Operator ${operator} is not supported on ${attribute}`);
	}
	return org
		.searchableUsers()
		.filter((user) => matchesFilter(expression, user, { ignoreCase: true }));
}

/** `filter`: seven properties, `eq` only (and order on `lastUpdated`), no `not`; values are exact. */
function filterUsers(org: OktaOrg, text: string): OktaUser[] {
	const expression = parsedCriteria(text);
	if (usesNot(expression)) throw invalidSearch('The not operator is not supported.');
	for (const { attribute, operator } of comparisons(expression)) {
		if (!FILTERABLE.includes(attribute)) throw invalidSearch(`Invalid property: ${attribute}`);
		const ordered = attribute === 'lastUpdated' && ['gt', 'ge', 'lt', 'le'].includes(operator);
		if (operator !== 'eq' && !ordered) {
			throw invalidSearch(`Operator ${operator} is not supported on ${attribute}`);
		}
	}
	return org.allUsers().filter((user) => matchesFilter(expression, user, { ignoreCase: false }));
}

function queryUsers(org: OktaOrg, text: string): OktaUser[] {
	const wanted = text.toLowerCase();
	return org
		.allUsers()
		.filter(
			({ status, profile }) =>
				status !== 'DEPROVISIONED' &&
				[profile.firstName, profile.lastName, profile.email].some((value) =>
					value.toLowerCase().startsWith(wanted),
				),
		);
}

/** What the `okta-response` parameter of the content-type header leaves out. */
function omissions(request: VendorRequest): string[] {
	const found = /okta-response="?([\w,\s]+)"?/i.exec(request.headers['content-type'] ?? '')?.[1];
	return (found ?? '').split(',').map((one) => one.trim());
}

function presentUser(
	user: OktaUser,
	request: VendorRequest,
	single: boolean,
): Record<string, unknown> {
	const omitted = omissions(request);
	const self = `${request.origin}/api/v1/users/${user.id}`;
	const post = (path: string) => ({ href: `${self}/${path}`, method: 'POST' });
	const credentialLinks = omitted.includes('omitCredentialsLinks')
		? {}
		: {
				resetPassword: post('lifecycle/reset_password'),
				resetFactors: post('lifecycle/reset_factors'),
				forgotPassword: post('credentials/forgot_password'),
				changePassword: post('credentials/change_password'),
				changeRecoveryQuestion: post('credentials/change_recovery_question'),
			};
	const lifecycleLinks =
		user.status === 'ACTIVE'
			? { suspend: post('lifecycle/suspend'), deactivate: post('lifecycle/deactivate') }
			: user.status === 'SUSPENDED'
				? { unsuspend: post('lifecycle/unsuspend'), deactivate: post('lifecycle/deactivate') }
				: { activate: post('lifecycle/activate') };
	return {
		...structuredClone(user),
		...(omitted.includes('omitCredentials')
			? {}
			: { credentials: { password: {}, provider: { type: 'OKTA', name: 'OKTA' } } }),
		_links: { ...(single ? { ...lifecycleLinks, ...credentialLinks } : {}), self: { href: self } },
	};
}

/** `fields=id,status,profile:(login,email)`; the id is always there. */
function project(user: Record<string, unknown>, fields: string | null): Record<string, unknown> {
	if (fields === null) return user;
	const inner = /profile:\(([^)]*)\)/.exec(fields)?.[1];
	const names = (text: string) => text.split(',').map((one) => one.trim());
	const wanted = ['id', ...names(fields.replace(/profile:\([^)]*\)/, ''))];
	const pick = (from: Record<string, unknown>, keep: string[]) =>
		Object.fromEntries(Object.entries(from).filter(([name]) => keep.includes(name)));
	const picked = pick(user, wanted);
	if (inner === undefined) return picked;
	return { ...picked, profile: pick(user.profile as Record<string, unknown>, names(inner)) };
}

function sortUsers(users: OktaUser[], request: VendorRequest): OktaUser[] {
	const property = request.search.get('sortBy');
	const value = (user: OktaUser): string => {
		if (property === null) return '';
		const [head = '', tail] = property.split('.');
		const found = user[head as keyof OktaUser] as unknown;
		return String(tail === undefined ? found : (found as Record<string, unknown>)[tail]);
	};
	const sign = property !== null && request.search.get('sortOrder') === 'desc' ? -1 : 1;
	return users.toSorted((a, b) => {
		const [x, y] = [value(a), value(b)];
		if (x === y) return a.id < b.id ? -1 : 1;
		return x < y ? -sign : sign;
	});
}

function listUsers(org: OktaOrg, request: VendorRequest): Reply {
	const search = request.search.get('search');
	const filter = request.search.get('filter');
	const q = request.search.get('q');
	const limit = integer(request, 'limit', q === null ? 200 : 10, [1, Number.MAX_SAFE_INTEGER]);
	const users =
		search !== null
			? sortUsers(searchUsers(org, search), request)
			: filter !== null
				? filterUsers(org, filter)
				: q !== null
					? queryUsers(org, q)
					: org.allUsers().filter(({ status }) => status !== 'DEPROVISIONED');
	const after = request.search.get('after');
	const skip = after === null ? 0 : users.findIndex(({ id }) => id === decodeCursor(after)) + 1;
	const page = users.slice(skip, skip + Math.min(limit, 200));
	const last = page.at(-1);
	// Documented: `q` has no pages.
	const more = q === null && last !== undefined && skip + page.length < users.length;
	const fields = request.search.get('fields');
	return {
		status: 200,
		headers: { link: links(request, more ? { after: encodeCursor(last.id) } : undefined) },
		body: page.map((user) => project(presentUser(user, request, false), fields)),
	};
}

function getUser(org: OktaOrg, request: VendorRequest, principal: Principal): Reply {
	const id = request.params.id ?? '';
	// Documented: a login with a slash can only be fetched by id.
	if (id.includes('/')) {
		request.violate('a login that contains a slash cannot be fetched by login');
		return notFound(`${id} (User)`);
	}
	const user = id === 'me' ? principal.self : (org.findById(id) ?? org.findByLogin(id));
	if (user === undefined) return notFound(`${id} (User)`);
	const etag = `W/"${Buffer.from(user.lastUpdated).toString('hex').slice(-16)}"`;
	const embedded = request.search.get('expand') === 'blocks' ? { _embedded: { blocks: [] } } : {};
	const body = { ...presentUser(user, request, true), ...embedded };
	return { status: 200, headers: { etag }, body };
}

/** Documented for users who are active, and for no others. */
function suspendUser(org: OktaOrg, request: VendorRequest): Reply {
	const id = request.params.userId ?? '';
	const user = org.findById(id) ?? org.findByLogin(id);
	if (user === undefined) return notFound(`${id} (User)`);
	if (user.status !== 'ACTIVE') {
		return oktaError('E0000001', 'suspendUser', {
			causes: ['Cannot suspend a user that is not active'],
		});
	}
	org.updateUser(user.id, { status: 'SUSPENDED' });
	return { status: 200, body: {} };
}

// --- Sessions --------------------------------------------------------------------------------------

function revokeUserSessions(org: OktaOrg, request: VendorRequest, actor: OktaActor): Reply {
	const userId = request.params.userId ?? '';
	const oauthTokens = flag(request, 'oauthTokens', false);
	// The documented default, and its documented exception.
	const forgetDevices = flag(request, 'forgetDevices', org.engine === 'identity');
	if (org.findById(userId) === undefined) {
		if (userId === 'me' || org.findByLogin(userId) !== undefined) {
			request.violate('userId is documented as the id of a user, not as a login');
		}
		return notFound(`${userId} (User)`);
	}
	org.clearSessions(userId, { oauthTokens, forgetDevices }, actor);
	return { status: 204 };
}

function getSession(org: OktaOrg, request: VendorRequest): Reply {
	const id = request.params.sessionId ?? '';
	const session = org.session(id);
	if (session === undefined) return notFound(`${id} (Session)`);
	const { userId, createdAt, expiresAt } = session;
	return {
		status: 200,
		body: {
			id,
			login: org.user(userId).profile.login,
			userId,
			createdAt,
			expiresAt,
			status: 'ACTIVE',
			lastPasswordVerification: createdAt,
			lastFactorVerification: null,
			amr: ['pwd'],
			idp: { id: '01a2bcdef3GHIJKLMNOP', type: 'OKTA' },
			_links: {
				self: {
					href: `${request.origin}/api/v1/sessions/${id}`,
					hints: { allow: ['GET', 'DELETE'] },
				},
			},
		},
	};
}

function revokeSession(org: OktaOrg, request: VendorRequest, actor: OktaActor): Reply {
	const id = request.params.sessionId ?? '';
	return org.endSession(id, actor) ? { status: 204 } : notFound(`${id} (Session)`);
}

// --- System Log ------------------------------------------------------------------------------------

const DAY_MS = 24 * 60 * 60 * 1000;
const LOG_FIELDS = [
	'actor',
	'authenticationContext',
	'client',
	'debugContext',
	'device',
	'displayMessage',
	'eventType',
	'legacyEventType',
	'outcome',
	'request',
	'securityContext',
	'severity',
	'target',
	'transaction',
	'uuid',
	'version',
];
const NO_CONTAINS = ['debugContext.debugData.url', 'debugContext.debugData.requestUri'];

function logFilter(text: string): FilterExpression {
	let expression: FilterExpression;
	try {
		expression = parseFilter(text);
	} catch (error) {
		if (!(error instanceof FilterSyntaxError)) throw error;
		throw new Refusal(logError('E0000053', `Invalid filter '${text}': ${error.message}.`));
	}
	for (const { attribute, operator } of comparisons(expression)) {
		// `published` is documented as unusable here: it would conflict with since, until and after.
		if (!LOG_FIELDS.includes(attribute.split('.')[0] ?? '')) {
			throw new Refusal(logError('E0000053', `field is not valid: ${attribute}`));
		}
		if (operator === 'co' && NO_CONTAINS.includes(attribute)) {
			const combination = `Operator: co, Field: ${attribute}`;
			throw new Refusal(
				logError(
					'E0000031',
					`The supplied combination of operator and field is not currently supported. ${combination}`,
				),
			);
		}
	}
	return expression;
}

/** The target that a filter demands, whatever else it says. */
function requiredTarget(filter: FilterExpression): string | undefined {
	if (filter.kind === 'and') return requiredTarget(filter.left) ?? requiredTarget(filter.right);
	const demands =
		filter.kind === 'compare' && filter.attribute === 'target.id' && filter.operator === 'eq';
	return demands && typeof filter.value === 'string' ? filter.value : undefined;
}

function timestamp(request: VendorRequest, name: string): number | undefined {
	const text = request.search.get(name);
	if (text === null || text === '') return undefined;
	const value = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/.test(text)
		? Date.parse(text)
		: Number.NaN;
	if (!Number.isNaN(value)) return value;
	const causes = [
		`${name}: The date format in your query is not recognized. Please enter dates using ISO8601 string format.`,
		`${name}: must be a valid date-time or empty.`,
	];
	throw new Refusal(logError('E0000001', `Api validation failed: '${name}'`, causes));
}

interface LogCursor {
	since: number;
	until: number | null;
	last: [time: number, sequence: number] | null;
}

function listLogEvents(org: OktaOrg, request: VendorRequest): Reply {
	const limit = integer(request, 'limit', 100, [0, 1000]);
	const sortOrder = request.search.get('sortOrder') ?? 'ASCENDING';
	if (!['ASCENDING', 'DESCENDING'].includes(sortOrder)) {
		throw new Refusal(logError('E0000001', "Api validation failed: 'sortOrder'"));
	}
	const since = timestamp(request, 'since');
	const until = timestamp(request, 'until');
	const after = request.search.get('after');
	if (after !== null && since !== undefined) {
		request.violate('since and after are mutually exclusive');
	}
	if (since !== undefined && since < org.now() - 180 * DAY_MS) {
		const problem = 'The since parameter is over 180 days prior to the current day.';
		throw new Refusal(logError('E0000053', `Invalid parameter: ${problem}`));
	}
	const expression = request.search.get('filter');
	const filter = expression === null ? undefined : logFilter(expression);
	const target = filter && requiredTarget(filter);
	const keywords = (request.search.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);

	const start: LogCursor =
		after === null
			? { since: since ?? (until ?? org.now()) - 7 * DAY_MS, until: until ?? null, last: null }
			: (decodeCursor(after) as LogCursor);
	// A polling query follows the order in which events became visible, a bounded one their own times.
	const polling = start.until === null && sortOrder === 'ASCENDING';
	const time = (one: StoredLogEvent) => (polling ? one.persistedAt : one.publishedAt);
	const sign = sortOrder === 'ASCENDING' ? 1 : -1;
	const found = org
		.visibleLog(target)
		.filter(
			(one) =>
				time(one) >= start.since &&
				(start.until === null || time(one) < start.until) &&
				(filter === undefined || matchesFilter(filter, one.event, { ignoreCase: false })) &&
				keywords.every((word) => JSON.stringify(one.event).toLowerCase().includes(word)),
		)
		.sort((a, b) => sign * (time(a) - time(b) || a.sequence - b.sequence))
		.filter((one) => {
			if (start.last === null) return true;
			const [lastTime, lastSequence] = start.last;
			return sign * (time(one) - lastTime || one.sequence - lastSequence) > 0;
		});
	const page = found.slice(0, limit);
	const final = page.at(-1);
	const last: LogCursor['last'] = final === undefined ? start.last : [time(final), final.sequence];
	const hasNext = polling || (limit > 0 && page.length < found.length);
	const next = { after: encodeCursor({ ...start, last }), since: null };
	return {
		status: 200,
		headers: { link: links(request, hasNext ? next : undefined) },
		body: page.map(({ event }) => event),
	};
}

// --- The vendor ------------------------------------------------------------------------------------

/** Documented: content-type application/json on every request; `okta-response` is a parameter of it. */
const ANY_JSON = /^application\/json\s*(;.*)?$/i;

type Work = (request: VendorRequest, principal: Principal, actor: OktaActor) => Reply;

function limitHeaders(limit: number, remaining: number, resetAt: number): Record<string, string> {
	return {
		'X-Rate-Limit-Limit': String(limit),
		'X-Rate-Limit-Remaining': String(remaining),
		'X-Rate-Limit-Reset': String(Math.ceil(resetAt / 1000)),
	};
}

/** A simulated Okta org: the vendor for `startSimulator`, and the state that tests look at. */
export class Okta extends OktaOrg implements SimulatedVendor {
	readonly name = 'okta';
	readonly auth: OktaAuth;
	readonly routes: readonly SimulatedRoute[];
	readonly actions = {
		signIn: (input: unknown) => {
			const { user, times } = input as { user: string; times?: number };
			return this.signIn(user, times);
		},
		addUser: (input: unknown) => this.addUser(input as OktaUserInit),
	};

	private readonly requestIds = new WeakMap<VendorRequest, string>();
	private readonly defaultLimit: OktaRateLimit;
	private readonly limits: Map<string, OktaRateLimit>;
	private readonly windows = new Map<string, { endsAt: number; used: number }>();
	private concurrency: number;
	private inFlight = 0;

	constructor(options: OktaOptions) {
		super(options);
		this.auth = new OktaAuth(this);
		this.defaultLimit = options.rateLimit ?? { limit: 600, windowMs: 60_000 };
		this.limits = new Map(Object.entries(options.rateLimits ?? {}));
		this.concurrency = options.concurrency ?? 75;
		this.routes = this.buildRoutes();
	}

	/** Back to the seed. Limits that were set stay; their windows start anew. */
	override reset(): void {
		super.reset();
		this.auth.reset();
		this.windows.clear();
	}

	state(): unknown {
		return this.toJSON();
	}

	/** Changes a bucket's limit and starts its window anew. */
	setRateLimit(bucket: string, limit: OktaRateLimit): void {
		this.limits.set(bucket, limit);
		this.windows.delete(bucket);
	}

	/** Changes how many requests may be in flight. */
	setConcurrency(limit: number): void {
		this.concurrency = limit;
	}

	/** Ends an API token or an access token; true if it was live. */
	revokeToken(token: string): boolean {
		return this.revokeApiToken(token) || this.auth.revokeAccessToken(token);
	}

	/** Rate limits, and the headers that are documented for every answer. */
	async around(
		request: VendorRequest,
		route: SimulatedRoute | undefined,
		next: () => Promise<Reply>,
	): Promise<Reply> {
		const window = this.count(OKTA_BUCKETS[route?.name ?? ''] ?? OTHER_BUCKET);
		let reply: Reply;
		if (this.inFlight >= this.concurrency) {
			reply = this.rateLimited(request, 'concurrency');
		} else if (window.exceeded) {
			reply = oktaError('E0000047');
		} else {
			this.inFlight += 1;
			try {
				reply = await next();
			} finally {
				this.inFlight -= 1;
			}
		}
		if (reply.foreign === true) return reply;
		const own = { 'X-Okta-Request-Id': this.requestId(request), ...window.headers };
		return { ...reply, headers: { ...own, ...reply.headers } };
	}

	notFound(_request: VendorRequest, knownPath: boolean): Reply {
		return oktaError(knownPath ? 'E0000022' : 'E0000008');
	}

	error(status: number, request: VendorRequest): Reply {
		const oauth = OAUTH_BY_STATUS[status];
		if (request.path.startsWith('/oauth2/') && oauth !== undefined) {
			return { status, body: { error: oauth[0], error_description: oauth[1] } };
		}
		return oktaError(CODE_BY_STATUS[status] ?? 'E0000009', 'simulated', { status });
	}

	/** Documented: 429 E0000047, no Retry-After; limit and remaining are 0 for `concurrency`. */
	rateLimited(_request: VendorRequest, form?: string, resetInSeconds = 2): Reply {
		const limit = form === 'concurrency' ? 0 : this.defaultLimit.limit;
		const headers = limitHeaders(limit, 0, this.now() + resetInSeconds * 1000);
		return { ...oktaError('E0000047'), headers };
	}

	private requestId(request: VendorRequest): string {
		const id = this.requestIds.get(request) ?? randomId('req');
		this.requestIds.set(request, id);
		return id;
	}

	private count(bucket: string): { exceeded: boolean; headers: Record<string, string> } {
		const { limit, windowMs } = this.limits.get(bucket) ?? this.defaultLimit;
		const now = this.now();
		let window = this.windows.get(bucket);
		if (window === undefined || window.endsAt <= now) {
			window = { endsAt: now + windowMs, used: 0 };
			this.windows.set(bucket, window);
		}
		const exceeded = window.used >= limit;
		if (!exceeded) window.used += 1;
		return { exceeded, headers: limitHeaders(limit, limit - window.used, window.endsAt) };
	}

	/** A management route: authenticates, then works; refusals are answers. */
	private managed(
		permission: OktaPermission,
		route: Omit<SimulatedRoute, 'handler'>,
		work: Work,
	): SimulatedRoute {
		return {
			...route,
			bodylessContentType: ANY_JSON,
			handler: async (request) => {
				try {
					const principal = await this.auth.principal(request, route, permission, oktaError);
					return work(request, principal, this.actor(principal, request));
				} catch (error) {
					if (error instanceof Refusal) return error.reply;
					throw error;
				}
			},
		};
	}

	private actor(principal: Principal, request: VendorRequest): OktaActor {
		const { id, type, alternateId, displayName, apiTokenId, clientId } = principal;
		return {
			id,
			type,
			alternateId,
			displayName,
			...(apiTokenId === undefined ? {} : { apiTokenId }),
			...(clientId === undefined ? {} : { clientId }),
			requestId: this.requestId(request),
			requestUri: request.path,
			userAgent: request.headers['user-agent'] ?? '',
		};
	}

	private buildRoutes(): SimulatedRoute[] {
		const readUsers = ['okta.users.read', 'okta.users.manage'];
		return [
			this.managed(
				'users.read',
				{
					name: 'listUsers',
					method: 'GET',
					url: '/api/v1/users',
					source: SOURCES.users,
					scopes: readUsers,
					query: LIST_USERS_QUERY,
				},
				(request) => listUsers(this, request),
			),
			this.managed(
				'users.read',
				{
					name: 'getUser',
					method: 'GET',
					url: '/api/v1/users/{id}',
					source: SOURCES.user,
					scopes: readUsers,
					query: ['expand'],
				},
				(request, principal) => getUser(this, request, principal),
			),
			this.managed(
				'users.lifecycle.suspend',
				{
					name: 'suspendUser',
					method: 'POST',
					url: '/api/v1/users/{userId}/lifecycle/suspend',
					source: SOURCES.suspend,
					scopes: ['okta.users.manage'],
				},
				(request) => suspendUser(this, request),
			),
			this.managed(
				'users.lifecycle.clearSessions',
				{
					name: 'revokeUserSessions',
					method: 'DELETE',
					url: '/api/v1/users/{userId}/sessions',
					source: SOURCES.clear,
					scopes: ['okta.users.manage'],
					query: ['oauthTokens', 'forgetDevices'],
				},
				(request, _principal, actor) => revokeUserSessions(this, request, actor),
			),
			this.managed(
				'sessions.read',
				{
					name: 'getSession',
					method: 'GET',
					url: '/api/v1/sessions/{sessionId}',
					source: SOURCES.session,
					scopes: ['okta.sessions.read', 'okta.sessions.manage'],
				},
				(request) => getSession(this, request),
			),
			this.managed(
				'sessions.manage',
				{
					name: 'revokeSession',
					method: 'DELETE',
					url: '/api/v1/sessions/{sessionId}',
					source: SOURCES.endSession,
					scopes: ['okta.sessions.manage'],
				},
				(request, _principal, actor) => revokeSession(this, request, actor),
			),
			this.managed(
				'logs.read',
				{
					name: 'listLogEvents',
					method: 'GET',
					url: '/api/v1/logs',
					source: SOURCES.logs,
					scopes: ['okta.logs.read'],
					query: ['since', 'until', 'after', 'filter', 'q', 'limit', 'sortOrder'],
				},
				(request) => listLogEvents(this, request),
			),
			{
				name: 'token',
				method: 'POST',
				url: '/oauth2/v1/token',
				source: SOURCES.token,
				body: { contentType: 'application/x-www-form-urlencoded' },
				handler: (request) => this.auth.token(request),
			},
		];
	}
}

/** Creates a simulated Okta org; mount it with `startSimulator`. */
export function createOkta(options: OktaOptions = {}): Okta {
	return new Okta(options);
}
