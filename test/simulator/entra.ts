/**
 * A simulated Microsoft Entra ID: the login host's token endpoint and the part of Microsoft Graph
 * that ends sessions, on one server. Written from Microsoft's documents, never from the connector,
 * so that the two can disagree.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
	EntraDirectory,
	type EntraDirectoryOptions,
	type EntraPrincipal,
	type EntraUser,
	type EntraUserInit,
} from './entra-directory';
import { odataComparisons, ODataFilterError, parseODataFilter } from './entra-filter';
import { EntraLogin, loginError } from './entra-login';
import type { Reply, SimulatedRoute, SimulatedVendor, VendorRequest } from './simulator';

/** Throttling of the identity service, in resource units. */
export interface EntraRateLimit {
	limit: number;
	windowMs: number;
}

/** Options of `createEntra`. */
export interface EntraOptions extends EntraDirectoryOptions {
	/** Default: 3,500 resource units in 10 seconds, the documented limit of a small tenant. */
	rateLimit?: EntraRateLimit;
}

const API = 'https://learn.microsoft.com/en-us/graph/api';
const SOURCES = {
	users: `${API}/user-list?view=graph-rest-1.0`,
	user: `${API}/user-get?view=graph-rest-1.0`,
	update: `${API}/user-update?view=graph-rest-1.0`,
	revoke: `${API}/user-revokesigninsessions?view=graph-rest-1.0`,
	batch: 'https://learn.microsoft.com/en-us/graph/json-batching',
	token:
		'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow',
} as const;

const FULL_READ = [
	'User.Read.All',
	'User.ReadWrite.All',
	'Directory.Read.All',
	'Directory.ReadWrite.All',
];
const READ = ['User.ReadBasic.All', ...FULL_READ];
/** For `accountEnabled`; the first is documented together with `User.Read.All`. */
const DISABLE = ['User.EnableDisableAccount.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'];
const REVOKE = ['User.RevokeSessions.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'];

/** Returned unless something is selected. */
const DEFAULT_PROPERTIES = [
	'businessPhones',
	'displayName',
	'givenName',
	'id',
	'jobTitle',
	'mail',
	'mobilePhone',
	'officeLocation',
	'preferredLanguage',
	'surname',
	'userPrincipalName',
] as const;

const SELECTABLE: readonly string[] = [
	...DEFAULT_PROPERTIES,
	'accountEnabled',
	'createdDateTime',
	'mailNickname',
	'otherMails',
	'proxyAddresses',
	'signInSessionsValidFromDateTime',
	'userType',
] satisfies (keyof EntraUser)[];

/** Lists, which only `any` can look into. */
const LISTS = ['businessPhones', 'otherMails', 'proxyAddresses'];

/** Documented as filterable with `eq` and `in`. */
const FILTERABLE = [
	'accountEnabled',
	'displayName',
	'givenName',
	'id',
	'jobTitle',
	'mail',
	'mailNickname',
	'otherMails',
	'proxyAddresses',
	'surname',
	'userPrincipalName',
	'userType',
];
const NO_STARTS_WITH = ['accountEnabled', 'id', 'userType'];

/** The documented basic profile, and the id. */
const BASIC_PROFILE = ['displayName', 'givenName', 'id', 'mail', 'surname', 'userPrincipalName'];

const ANY_JSON = /^application\/json\s*(;.*)?$/i;
const MOST_IN_BATCH = 20;
const PAGE = 100;
const MOST_IN_PAGE = 999;

const CODE_BY_STATUS: Readonly<Record<number, readonly [string, string]>> = {
	400: ['Request_BadRequest', 'Invalid request.'],
	401: ['InvalidAuthenticationToken', 'Access token validation failure.'],
	403: ['Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'],
	404: ['Request_ResourceNotFound', 'The resource does not exist.'],
	405: ['Request_BadRequest', 'Specified HTTP method is not allowed for the request target.'],
	409: ['Request_MultipleObjectsWithSameKeyValue', 'A conflict occurred.'],
	424: ['FailedDependency', 'A request that this one depends on failed.'],
	429: ['TooManyRequests', 'Please retry again later.'],
	500: ['InternalServerError', 'An error occurred while processing the request.'],
	503: ['ServiceUnavailable', 'The service is temporarily unavailable.'],
	504: ['GatewayTimeout', 'The server did not respond in time.'],
};

const LOGIN_BY_STATUS: Readonly<Record<number, readonly [string, number, string]>> = {
	400: ['invalid_request', 90014, 'The request is not valid.'],
	401: ['invalid_client', 7000215, 'Invalid client secret provided.'],
	403: ['unauthorized_client', 53003, 'Access has been blocked by Conditional Access policies.'],
	429: ['temporarily_unavailable', 90055, 'The tenant is exceeding its request limit.'],
};

/** An answer instead of a result. */
class Refusal extends Error {
	constructor(
		readonly status: number,
		readonly code: string,
		message: string,
	) {
		super(message);
	}
}

const denied = (): Refusal =>
	new Refusal(
		403,
		'Authorization_RequestDenied',
		'Insufficient privileges to complete the operation.',
	);
const noUser = (key: string): Refusal =>
	new Refusal(
		404,
		'Request_ResourceNotFound',
		`Resource '${key}' does not exist or one of its queried reference-property objects are not present.`,
	);
const badRequest = (message: string): Refusal => new Refusal(400, 'BadRequest', message);
const unsupported = (message: string): Refusal =>
	new Refusal(400, 'Request_UnsupportedQuery', message);

const isLogin = (request: VendorRequest): boolean => request.path.endsWith('/oauth2/v2.0/token');

const batchSchema = z.object({
	requests: z.array(
		z.object({
			id: z.string().min(1),
			method: z.string().min(1),
			url: z.string().min(1),
			headers: z.record(z.string(), z.string()).optional(),
			body: z.unknown(),
			dependsOn: z.array(z.string()).optional(),
		}),
	),
});

const enabledSchema = z.object({ accountEnabled: z.boolean() }).strict();

type BatchStep = z.infer<typeof batchSchema>['requests'][number];

interface BatchAnswer {
	id: string;
	status: number;
	headers: Record<string, string>;
	body?: unknown;
}

/** What a batch may not be as a whole. */
function checkBatch(steps: readonly BatchStep[]): void {
	if (steps.length > MOST_IN_BATCH) {
		throw new Refusal(
			400,
			'MaximumValueExceeded',
			`Number of batch request steps exceeds the maximum value of ${MOST_IN_BATCH}.`,
		);
	}
	if (steps.length === 0) throw badRequest('The batch has no requests.');
	const seen = new Set<string>();
	for (const { id, method, url, headers = {}, body, dependsOn = [] } of steps) {
		if (seen.has(id.toLowerCase())) {
			throw badRequest(`Request Id : ${id} has to be unique in a batch.`);
		}
		if (/^[a-z][a-z\d+.-]*:|^\/\//i.test(url)) {
			throw badRequest(`Request id : ${id} has an invalid url: it must be relative.`);
		}
		const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
		const writes = ['POST', 'PATCH', 'PUT'].includes(method.toUpperCase());
		if (writes ? !hasType || body === undefined : body !== undefined && !hasType) {
			throw badRequest(`Write request id : ${id} does not contain Content-Type header or body.`);
		}
		for (const other of dependsOn) {
			if (!seen.has(other.toLowerCase())) {
				throw badRequest(`Request id : ${id} depends on an unknown or later request: ${other}.`);
			}
		}
		seen.add(id.toLowerCase());
	}
}

/** A simulated Microsoft Entra ID: the vendor for `startSimulator`, and the state that tests see. */
export class Entra extends EntraDirectory implements SimulatedVendor {
	readonly name = 'entra';
	readonly login: EntraLogin;
	readonly routes: readonly SimulatedRoute[];
	readonly actions = {
		signIn: (input: unknown) => {
			const { user, ...made } = input as {
				user: string;
				sessions?: number;
				refreshTokens?: number;
			};
			return this.signIn(user, made);
		},
		addUser: (input: unknown) => this.addUser(input as EntraUserInit),
		withdrawTokens: () => {
			this.withdrawTokens();
		},
	};

	private readonly requestIds = new WeakMap<VendorRequest, string>();
	private rateLimit: EntraRateLimit;
	private window = { endsAt: 0, used: 0 };

	constructor(options: EntraOptions) {
		super(options);
		this.rateLimit = options.rateLimit ?? { limit: 3500, windowMs: 10_000 };
		this.login = new EntraLogin(this);
		this.routes = this.buildRoutes();
	}

	/** Back to the seed. A limit that was set stays; its window starts anew. */
	override reset(): void {
		super.reset();
		this.login.reset();
		this.window = { endsAt: 0, used: 0 };
	}

	state(): unknown {
		return this.toJSON();
	}

	/** Changes the limit and starts its window anew. */
	setRateLimit(limit: EntraRateLimit): void {
		this.rateLimit = limit;
		this.window = { endsAt: 0, used: 0 };
	}

	/** Throttling, and the headers that are documented for every answer. */
	async around(
		request: VendorRequest,
		route: SimulatedRoute | undefined,
		next: () => Promise<Reply>,
	): Promise<Reply> {
		const cost = this.cost(request, route);
		const waitMs = this.spend(cost);
		const reply =
			waitMs === undefined ? await next() : this.rateLimited(request, undefined, waitMs / 1000);
		if (reply.foreign === true) return reply;
		const id = this.requestId(request);
		const own: Record<string, string> = {
			'request-id': id,
			'client-request-id': this.clientRequestId(request),
		};
		if (isLogin(request)) own['x-ms-request-id'] = id;
		if (cost > 0) {
			own['x-ms-resource-unit'] = String(cost);
			const share = this.window.used / this.rateLimit.limit;
			if (share > 0.8) own['x-ms-throttle-limit-percentage'] = share.toFixed(1);
		}
		return { ...reply, headers: { ...own, ...reply.headers } };
	}

	notFound(request: VendorRequest, knownPath: boolean): Reply {
		if (knownPath) return this.error(405, request);
		const segment = request.path.split('/')[2] ?? '';
		return this.graphError(
			request,
			400,
			'BadRequest',
			`Resource not found for the segment '${segment}'.`,
		);
	}

	error(status: number, request: VendorRequest): Reply {
		if (isLogin(request)) {
			const [error, code, message] = LOGIN_BY_STATUS[status] ?? [
				'temporarily_unavailable',
				90033,
				'A transient error has occurred. Please try again.',
			];
			return loginError(this, status, error, code, message);
		}
		const [code, message] = CODE_BY_STATUS[status] ?? ['UnknownError', 'An error occurred.'];
		return this.graphError(request, status, code, message);
	}

	/** Documented: 429 with Retry-After in seconds. `form` `noRetryAfter` leaves the header out. */
	rateLimited(request: VendorRequest, form?: string, resetInSeconds = 2): Reply {
		const retryAfter = { 'retry-after': String(Math.ceil(resetInSeconds)) };
		const headers = {
			...(form === 'noRetryAfter' ? {} : retryAfter),
			...(isLogin(request)
				? {}
				: {
						'x-ms-throttle-scope': `Tenant_Application/ReadWrite/${this.tenantId}`,
						'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
					}),
		};
		const reply = this.error(429, request);
		return { ...reply, headers: { ...reply.headers, ...headers } };
	}

	private graphError(request: VendorRequest, status: number, code: string, message: string): Reply {
		const date = new Date(this.now()).toISOString().slice(0, 19);
		const id = this.requestId(request);
		const innerError = {
			date,
			'request-id': id,
			'client-request-id': this.clientRequestId(request),
		};
		return { status, body: { error: { code, message, innerError } } };
	}

	private requestId(request: VendorRequest): string {
		const id = this.requestIds.get(request) ?? randomUUID();
		this.requestIds.set(request, id);
		return id;
	}

	private clientRequestId(request: VendorRequest): string {
		const given = request.headers['client-request-id'];
		return typeof given === 'string' ? given : this.requestId(request);
	}

	// --- Throttling --------------------------------------------------------------------------------

	/** Resource units as documented: `GET users` 2, less with `$select` and with a small `$top`. */
	private cost(request: VendorRequest, route: SimulatedRoute | undefined): number {
		// The requests of a batch count, the batch does not.
		if (route === undefined || route.name === 'batch' || route.name === 'token') return 0;
		if (route.name === 'revokeSignInSessions') return 1;
		const base = route.name === 'listUsers' ? 2 : 1;
		const top = Number(request.search.get('$top') ?? PAGE);
		const saved = (request.search.has('$select') ? 1 : 0) + (top < 20 ? 1 : 0);
		return Math.max(1, base - saved);
	}

	/** Takes resource units; how long to wait if there are not enough. */
	private spend(cost: number): number | undefined {
		if (cost === 0) return undefined;
		const now = this.now();
		if (this.window.endsAt <= now) {
			this.window = { endsAt: now + this.rateLimit.windowMs, used: 0 };
		}
		// Documented: requests that are turned away count as well.
		this.window.used += cost;
		return this.window.used > this.rateLimit.limit ? this.window.endsAt - now : undefined;
	}

	// --- Routes ------------------------------------------------------------------------------------

	private authenticated(request: VendorRequest): EntraPrincipal {
		const failed = (message: string): Refusal =>
			new Refusal(401, 'InvalidAuthenticationToken', message);
		const header = request.headers.authorization ?? '';
		const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
		if (token === undefined) throw failed('Access token is empty.');
		const principal = this.principal(token);
		if (principal === 'expired') {
			throw failed('Lifetime validation failed, the token is expired.');
		}
		if (principal === 'unknown') throw failed('Access token validation failure. Invalid token.');
		return principal;
	}

	/** A Graph route: authenticates, authorises, then works; refusals are answers. */
	private graph(
		route: Omit<SimulatedRoute, 'handler'>,
		work: (request: VendorRequest, principal: EntraPrincipal) => Reply | Promise<Reply>,
	): SimulatedRoute {
		return {
			...route,
			handler: async (request) => {
				try {
					const principal = this.authenticated(request);
					const { scopes = [] } = route;
					if (scopes.length > 0 && !scopes.some((one) => principal.roles.includes(one))) {
						throw denied();
					}
					const reply = await work(request, principal);
					const type =
						'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8';
					const headers = reply.status === 204 ? {} : { 'content-type': type };
					return { ...reply, headers: { 'odata-version': '4.0', ...headers, ...reply.headers } };
				} catch (error) {
					if (!(error instanceof Refusal)) throw error;
					const reply = this.graphError(request, error.status, error.code, error.message);
					if (error.status !== 401) return reply;
					const challenge =
						'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"';
					return { ...reply, headers: { 'www-authenticate': challenge } };
				}
			},
		};
	}

	private buildRoutes(): SimulatedRoute[] {
		const oneUser = {
			name: 'getUser',
			method: 'GET',
			source: SOURCES.user,
			scopes: READ,
			query: ['$select'],
		};
		const revoke = {
			name: 'revokeSignInSessions',
			method: 'POST',
			source: SOURCES.revoke,
			scopes: REVOKE,
			body: { contentType: 'application/json', optional: true },
			bodylessContentType: ANY_JSON,
		};
		return [
			this.graph(
				{
					name: 'listUsers',
					method: 'GET',
					url: '/v1.0/users',
					source: SOURCES.users,
					scopes: READ,
					query: ['$filter', '$select', '$top', '$count', '$skiptoken'],
				},
				(request, principal) => this.listUsers(request, principal),
			),
			this.graph({ ...oneUser, url: '/v1.0/users/{user}' }, (request, principal) =>
				this.readUser(request, principal),
			),
			this.graph(
				{
					name: 'updateUser',
					method: 'PATCH',
					url: '/v1.0/users/{user}',
					source: SOURCES.update,
					scopes: DISABLE,
					body: { contentType: 'application/json' },
				},
				(request, principal) => this.enable(request, principal),
			),
			this.graph(
				{ ...revoke, url: '/v1.0/users/{user}/revokeSignInSessions' },
				(request, principal) => this.revoke(request, principal),
			),
			this.graph(
				{
					name: 'batch',
					method: 'POST',
					url: '/v1.0/$batch',
					source: SOURCES.batch,
					body: { contentType: 'application/json' },
				},
				(request) => this.batch(request),
			),
			// `/users('…')`, the only form for a user principal name that begins with a dollar sign.
			this.graph({ ...oneUser, url: '/v1.0/{users}' }, (request, principal) =>
				this.readUser(request, principal),
			),
			this.graph({ ...revoke, url: '/v1.0/{users}/revokeSignInSessions' }, (request, principal) =>
				this.revoke(request, principal),
			),
			{
				name: 'token',
				method: 'POST',
				url: '/{tenantId}/oauth2/v2.0/token',
				source: SOURCES.token,
				body: { contentType: 'application/x-www-form-urlencoded' },
				handler: (request) => this.login.token(request),
			},
		];
	}

	// --- Users -------------------------------------------------------------------------------------

	/** The user that a path names, in either form. */
	private named(request: VendorRequest, { tenantId }: EntraPrincipal): EntraUser {
		const { user, users } = request.params;
		let key = user ?? '';
		if (users !== undefined) {
			const quoted = /^users\('((?:[^']|'')+)'\)$/.exec(users)?.[1];
			if (quoted === undefined) {
				request.violate('no documented path');
				throw badRequest(`Resource not found for the segment '${users}'.`);
			}
			key = quoted.replaceAll("''", "'");
		} else if (key.startsWith('$')) {
			request.violate(`a user principal name that begins with $ needs the form users('…')`);
			throw badRequest('The request URI is not valid.');
		}
		const found = tenantId === this.tenantId ? this.getUser(key) : undefined;
		if (found === undefined) throw noUser(key);
		return found;
	}

	/** The selected properties, or the default ones. */
	private selected(request: VendorRequest, principal: EntraPrincipal): string[] {
		const text = request.search.get('$select');
		if (text === null) return [...DEFAULT_PROPERTIES];
		const names = text.split(',').map((name) => name.trim());
		const properties = names.map((name) => {
			const known = SELECTABLE.find((one) => one.toLowerCase() === name.toLowerCase());
			if (known !== undefined) return known;
			throw badRequest(
				`Parsing OData Select and Expand failed: Could not find a property named '${name}' on type 'microsoft.graph.user'.`,
			);
		});
		if (!this.basicOnly(principal)) return properties;
		const beyond = properties.filter((one) => !BASIC_PROFILE.includes(one));
		const refused = this.beyondBasicProfile === 'refused' && beyond.length > 0;
		if (refused || beyond.includes('signInSessionsValidFromDateTime')) throw denied();
		return properties;
	}

	private basicOnly({ roles }: EntraPrincipal): boolean {
		return !FULL_READ.some((one) => roles.includes(one));
	}

	private present(user: EntraUser, properties: string[], principal: EntraPrincipal) {
		const basic = this.basicOnly(principal);
		return Object.fromEntries(
			properties.map((name) => {
				if (!basic || BASIC_PROFILE.includes(name)) return [name, user[name as keyof EntraUser]];
				return [name, LISTS.includes(name) ? [] : null];
			}),
		);
	}

	private context(request: VendorRequest, what: string): string {
		const select = request.search.get('$select');
		const shown = select === null ? '' : `(${select.replaceAll(' ', '')})`;
		return `${request.origin}/v1.0/$metadata#users${shown}${what}`;
	}

	private filtered(text: string, principal: EntraPrincipal): EntraUser[] {
		try {
			const filter = parseODataFilter(text);
			for (const { property, operator, any, value } of odataComparisons(filter)) {
				if (!SELECTABLE.includes(property)) {
					throw badRequest(
						`Invalid filter clause: Could not find a property named '${property}' on type 'microsoft.graph.user'.`,
					);
				}
				if (LISTS.includes(property) !== any) {
					throw badRequest(`Invalid filter clause: ${property} is of another type.`);
				}
				const works =
					FILTERABLE.includes(property) &&
					!(operator === 'startswith' && NO_STARTS_WITH.includes(property));
				if (!works) {
					throw unsupported(
						`Unsupported or invalid query filter clause specified for property '${property}' of resource 'User'.`,
					);
				}
				const fits =
					value === null || (typeof value === 'boolean') === (property === 'accountEnabled');
				if (!fits) throw badRequest('Invalid filter clause: incompatible types.');
				if (this.basicOnly(principal) && !BASIC_PROFILE.includes(property)) throw denied();
			}
			return this.filterUsers(filter);
		} catch (error) {
			if (!(error instanceof ODataFilterError)) throw error;
			throw error.reason === 'unsupported'
				? unsupported('Unsupported Query.')
				: badRequest(`Invalid filter clause: ${error.message}`);
		}
	}

	private listUsers(request: VendorRequest, principal: EntraPrincipal): Reply {
		const { search } = request;
		const properties = this.selected(request, principal);
		const topText = search.get('$top');
		const top = topText === null ? PAGE : /^\d+$/.test(topText) ? Number(topText) : Number.NaN;
		if (Number.isNaN(top))
			throw badRequest(`Invalid value '${topText ?? ''}' for $top query option.`);
		if (top < 1 || top > MOST_IN_PAGE) {
			const bounds = `Must be between 1 and ${MOST_IN_PAGE} inclusive.`;
			throw unsupported(`Invalid page size specified: '${top}'. ${bounds}`);
		}
		const skip = Number(search.get('$skiptoken') ?? 0);
		if (!Number.isSafeInteger(skip)) throw badRequest('The skip token is not valid.');
		const count = search.get('$count');
		const eventual = request.headers.consistencylevel === 'eventual';
		if (count !== null && !eventual) {
			request.violate('$count of users needs the header ConsistencyLevel: eventual');
		}
		const filter = search.get('$filter');
		const all = filter === null ? this.allUsers() : this.filtered(filter, principal);
		const users = principal.tenantId === this.tenantId ? all : [];
		const page = users.slice(skip, skip + top);
		const next = new URLSearchParams(search);
		next.set('$skiptoken', String(skip + page.length));
		return {
			status: 200,
			body: {
				'@odata.context': this.context(request, ''),
				...(count === 'true' && eventual ? { '@odata.count': users.length } : {}),
				...(skip + page.length < users.length
					? { '@odata.nextLink': `${request.origin}${request.path}?${next.toString()}` }
					: {}),
				value: page.map((user) => this.present(user, properties, principal)),
			},
		};
	}

	private readUser(request: VendorRequest, principal: EntraPrincipal): Reply {
		const properties = this.selected(request, principal);
		const user = this.named(request, principal);
		const shown = this.present(user, properties, principal);
		return {
			status: 200,
			body: { '@odata.context': this.context(request, '/$entity'), ...shown },
		};
	}

	/** Of an update, only what enables and disables an account. */
	private enable(request: VendorRequest, principal: EntraPrincipal): Reply {
		const user = this.named(request, principal);
		let change: z.infer<typeof enabledSchema>;
		try {
			change = enabledSchema.parse(JSON.parse(request.body));
		} catch {
			throw badRequest('The simulated update takes accountEnabled alone.');
		}
		this.updateUser(user.id, change);
		return { status: 204 };
	}

	private revoke(request: VendorRequest, principal: EntraPrincipal): Reply {
		const user = this.named(request, principal);
		if (!['', '{}'].includes(request.body.trim())) {
			request.violate('revokeSignInSessions takes no parameters');
		}
		if (this.revokeAnswer !== 'false') this.revokeSignInSessions(user.id);
		if (this.revokeAnswer === 'empty') return { status: 204 };
		return {
			status: 200,
			body: {
				'@odata.context': `${request.origin}/v1.0/$metadata#Edm.Boolean`,
				value: this.revokeAnswer === 'true',
			},
		};
	}

	// --- Batch -------------------------------------------------------------------------------------

	private async batch(request: VendorRequest): Promise<Reply> {
		if (request.headers['content-type'] === undefined) throw badRequest('Content-Type is missing.');
		let parsed: z.infer<typeof batchSchema>;
		try {
			parsed = batchSchema.parse(JSON.parse(request.body));
		} catch {
			throw badRequest('Invalid batch payload format.');
		}
		const steps = parsed.requests;
		checkBatch(steps);
		const answers: BatchAnswer[] = [];
		if (steps.every(({ dependsOn = [] }) => dependsOn.length === 0)) {
			answers.push(...(await Promise.all(steps.map((step) => this.step(request, step)))));
		} else {
			for (const step of steps) {
				const broken = (step.dependsOn ?? []).some((id) =>
					answers.some((one) => one.id.toLowerCase() === id.toLowerCase() && one.status >= 400),
				);
				answers.push(broken ? this.failed(step, 424, request) : await this.step(request, step));
			}
		}
		return { status: 200, body: { responses: this.ordered(answers) } };
	}

	private async step(request: VendorRequest, step: BatchStep): Promise<BatchAnswer> {
		const headers: Record<string, string> = {
			authorization: request.headers.authorization ?? '',
		};
		for (const [name, value] of Object.entries(step.headers ?? {})) {
			headers[name.toLowerCase()] = value;
		}
		const path = step.url.startsWith('/') ? step.url : `/${step.url}`;
		if (path.toLowerCase().startsWith('/$batch')) {
			return this.failed(step, 400, request);
		}
		const reply = await request.dispatch({
			method: step.method.toUpperCase(),
			url: `/v1.0${path}`,
			headers,
			...(step.body === undefined ? {} : { body: JSON.stringify(step.body) }),
		});
		// Inside a batch, an answer that breaks off is the gateway's problem.
		const lost = reply.delivery?.kind === 'reset' || reply.delivery?.kind === 'cut';
		const { status, body, headers: given = {} } = lost ? this.error(504, request) : reply;
		const sent: Record<string, string> = Object.fromEntries(
			Object.entries(given).map(([name, value]) => [
				HEADER_NAMES[name.toLowerCase()] ?? name,
				String(value),
			]),
		);
		if (body === undefined) return { id: step.id, status, headers: sent };
		const shown = typeof body === 'string' ? Buffer.from(body).toString('base64') : body;
		return {
			id: step.id,
			status,
			headers: { 'Content-Type': 'application/json', ...sent },
			body: shown,
		};
	}

	private failed({ id }: BatchStep, status: number, request: VendorRequest): BatchAnswer {
		const { body } = this.error(status, request);
		return { id, status, headers: { 'Content-Type': 'application/json' }, body };
	}

	private ordered(answers: readonly BatchAnswer[]): BatchAnswer[] {
		if (this.batchOrder === 'asSent') return [...answers];
		if (this.batchOrder === 'reversed') return answers.toReversed();
		return answers
			.map((answer) => ({ answer, place: randomInt(2 ** 32) }))
			.sort((a, b) => a.place - b.place)
			.map(({ answer }) => answer);
	}
}

/** Header names as Graph writes them inside a batch. */
const HEADER_NAMES: Readonly<Record<string, string>> = {
	'content-type': 'Content-Type',
	'odata-version': 'OData-Version',
	'retry-after': 'Retry-After',
};

/** Creates a simulated Microsoft Entra ID; mount it with `startSimulator`. */
export function createEntra(options: EntraOptions = {}): Entra {
	return new Entra(options);
}
