/**
 * A simulated Janssen (Gluu) server: the config API with its user plugin, and the authorization
 * server, on one host as an installation has them. Written from the vendor's documents and, where
 * those are silent or contradict each other, from its published source; never from the connector, so
 * that the two can disagree.
 */
import { authError, JANSSEN_AUTH, JanssenAuth } from './janssen-auth';
import {
	search,
	SearchError,
	SESSION_PATTERN,
	sessionAttributes,
	sessionDetails,
	USER_PATTERN,
	userAttributes,
} from './janssen-search';
import {
	JanssenServer,
	type JanssenServerOptions,
	type JanssenSession,
	janssenTime,
	type JanssenUser,
	type JanssenUserInit,
} from './janssen-server';
import type { Reply, SimulatedRoute, SimulatedVendor, VendorRequest } from './simulator';

/** Requests that a rule of the authorization server, or a proxy in front of all, lets pass. */
export interface JanssenRateLimit {
	limit: number;
	windowMs: number;
}

/** Options of `createJanssen`. */
export interface JanssenOptions extends JanssenServerOptions {
	/** Default: none, as an installation has none for these endpoints unless its admin adds one. */
	rateLimit?: JanssenRateLimit;
}

const CONFIG_API = '/jans-config-api';
const SESSION = `${CONFIG_API}/api/v1/jans-auth-server/session`;
const DOCUMENTS = 'https://github.com/JanssenProject/jans/blob/main/jans-config-api';
const SOURCES = {
	api: `${DOCUMENTS}/docs/jans-config-api-swagger.yaml`,
	users: `${DOCUMENTS}/plugins/docs/user-mgt-plugin-swagger.yaml`,
	older:
		'https://github.com/JanssenProject/jans/blob/f72ff0d2cab35afad3dd135a4e4fc8174fffe617/jans-config-api/server/src/main/java/io/jans/configapi/rest/resource/auth/SessionResource.java',
} as const;

const SCOPES = 'https://jans.io/oauth';
const READ_ALL = `${SCOPES}/config/read-all`;
const READ_USERS = [
	`${SCOPES}/config/user.readonly`,
	`${SCOPES}/config/user.write`,
	`${SCOPES}/config/user.admin`,
	READ_ALL,
];
const READ_SESSIONS = [
	`${SCOPES}/jans-auth-server/session.readonly`,
	`${SCOPES}/jans-auth-server/session.admin`,
	READ_ALL,
];
/** Scopes with a space between them are needed together. */
const DELETE_SESSIONS = [
	`${SCOPES}/jans-auth-server/session.delete revoke_session`,
	`${SCOPES}/jans-auth-server/session.admin`,
	`${SCOPES}/config/delete-all`,
];

const SEARCH = ['limit', 'pattern', 'startIndex', 'sortBy', 'sortOrder', 'fieldValuePair'];
const ANY_JSON = /^application\/json\s*(;.*)?$/i;
const FIRST_PAGE = 50;

const MESSAGES: Readonly<Record<number, string>> = {
	400: 'Bad Request',
	403: 'Forbidden',
	404: "The requested resource doesn't exist",
	500: 'Internal Server Error',
	503: 'Service Unavailable',
};

const THROTTLED_PAGE =
	'<html>\n<head><title>429 Too Many Requests</title></head>\n' +
	'<body><h1>Too Many Requests</h1></body>\n</html>\n';

/** The envelope `ApiError` of the config API. */
const apiError = (status: number, message: string): Reply => ({
	status,
	body: { code: String(status), message },
});

/**
 * The answer to a token that does not do. A lack of scopes is a 401 too, never a 403: the filter
 * hands its bare message over as what the method would have produced, so it is JSON by name only.
 * https://github.com/JanssenProject/jans/blob/main/jans-config-api/server/src/main/java/io/jans/configapi/filters/AuthorizationFilter.java
 */
const unauthorized = (message: string): Reply => ({
	status: 401,
	headers: { 'content-type': 'application/json', 'www-authenticate': 'Bearer' },
	body: message,
});

function presentUser(user: JanssenUser): Record<string, unknown> {
	const { inum, dn, userId, mail, displayName, givenName, sn, status, createdAt } = user;
	const surname = { name: 'sn', multiValued: false, values: [sn], value: sn, displayValue: sn };
	return {
		dn,
		userId,
		createdAt,
		...(sn === null ? {} : { customAttributes: [surname] }),
		customObjectClasses: ['top', 'jansCustomPerson'],
		inum,
		...(mail === null ? {} : { mail }),
		displayName,
		jansStatus: status,
		...(givenName === null ? {} : { givenName }),
		baseDn: dn,
	};
}

/** A simulated Janssen: the vendor for `startSimulator`, and the state that tests see. */
export class Janssen extends JanssenServer implements SimulatedVendor {
	readonly name = 'janssen';
	readonly auth: JanssenAuth;
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
		addUser: (input: unknown) => this.addUser(input as JanssenUserInit),
		withdrawTokens: () => {
			this.withdrawTokens();
		},
	};

	private rateLimit: JanssenRateLimit | undefined;
	private window = { endsAt: 0, used: 0 };

	constructor({ rateLimit, ...options }: JanssenOptions) {
		super(options);
		this.rateLimit = rateLimit;
		this.auth = new JanssenAuth(this);
		this.routes = [...this.auth.routes, ...this.configRoutes()];
	}

	/** Back to the seed. A limit that was set stays; its window starts anew. */
	override reset(): void {
		super.reset();
		this.window = { endsAt: 0, used: 0 };
	}

	state(): unknown {
		return this.toJSON();
	}

	/** Sets the limit of the proxy in front, or takes it away, and starts its window anew. */
	setRateLimit(limit: JanssenRateLimit | undefined): void {
		this.rateLimit = limit;
		this.window = { endsAt: 0, used: 0 };
	}

	async around(
		request: VendorRequest,
		_route: SimulatedRoute | undefined,
		next: () => Promise<Reply>,
	): Promise<Reply> {
		if (this.rateLimit === undefined) return await next();
		const { limit, windowMs } = this.rateLimit;
		const now = this.now();
		if (this.window.endsAt <= now) this.window = { endsAt: now + windowMs, used: 0 };
		this.window.used += 1;
		if (this.window.used <= limit) return await next();
		const form = request.path.startsWith(`${JANSSEN_AUTH}/`) ? 'noRetryAfter' : 'proxy';
		return this.rateLimited(request, form, (this.window.endsAt - now) / 1000);
	}

	notFound(_request: VendorRequest, knownPath: boolean): Reply {
		return { status: knownPath ? 405 : 404 };
	}

	error(status: number, request: VendorRequest): Reply {
		if (request.path.startsWith(`${JANSSEN_AUTH}/`)) return authError(status);
		if (status === 401) return unauthorized('Token is Invalid.');
		return apiError(status, MESSAGES[status] ?? 'The request has failed');
	}

	/**
	 * Documented for the authorization server: 429 with this body and, in its sample, no Retry-After
	 * (the form `noRetryAfter`). `proxy` is the page of a proxy in front. Source:
	 * https://docs.jans.io/stable/janssen-server/config-guide/auth-server-config/rate-limit
	 */
	rateLimited(_request: VendorRequest, form?: string, resetInSeconds = 2): Reply {
		const headers: Record<string, string> =
			form === 'noRetryAfter' ? {} : { 'retry-after': String(Math.ceil(resetInSeconds)) };
		if (form !== 'proxy') return { status: 429, headers, body: { error: 'Too many requests' } };
		return {
			status: 429,
			headers: { ...headers, 'content-type': 'text/html' },
			body: THROTTLED_PAGE,
			foreign: true,
		};
	}

	// --- Routes of the config API ------------------------------------------------------------------

	/** A route behind the authorization filter; `exists` says whether this version has it. */
	private guarded(
		route: Omit<SimulatedRoute, 'handler'>,
		exists: (request: VendorRequest) => Reply | undefined,
		work: (request: VendorRequest) => Reply,
	): SimulatedRoute {
		return {
			...route,
			bodylessContentType: ANY_JSON,
			handler: (request) => {
				const refusal = exists(request) ?? this.unauthorized(request, route.scopes ?? []);
				if (refusal !== undefined) return refusal;
				try {
					return work(request);
				} catch (error) {
					if (!(error instanceof SearchError)) throw error;
					return error.status === 404 ? { status: 404 } : apiError(error.status, error.message);
				}
			},
		};
	}

	private unauthorized(request: VendorRequest, needed: readonly string[]): Reply | undefined {
		if (!/^bearer /i.test(request.headers.authorization ?? '')) {
			return unauthorized('ONLY TOKEN BASED AUTHORIZATION IS SUPPORTED!');
		}
		const scopes = this.auth.bearer(request)?.scopes;
		if (scopes === undefined) return unauthorized('Token is Invalid.');
		if (needed.some((all) => all.split(' ').every((one) => scopes.includes(one)))) return undefined;
		const required = `Required scope: [${needed.join(', ')}]`;
		return unauthorized(
			`oAuth authorization error Insufficient scopes! , ${required}, however token scopes: [${scopes.join(', ')}]`,
		);
	}

	private configRoutes(): SimulatedRoute[] {
		const today = (): Reply | undefined =>
			this.sessionApi === 'delete' ? undefined : { status: this.absentStatus };
		const older = (): Reply | undefined =>
			this.sessionApi === 'post' ? undefined : { status: 404 };
		// There `search` is a `{userDn}`, which takes POST only.
		const searchExists = (): Reply | undefined =>
			this.sessionApi === 'delete' ? undefined : { status: 405 };
		return [
			{
				name: 'healthLive',
				method: 'GET',
				url: `${CONFIG_API}/api/v1/health/live`,
				source: SOURCES.api,
				handler: () => ({ status: 200, body: { name: 'jans-config-api liveness' } }),
			},
			...this.userRoutes('mgt', ''),
			...this.userRoutes('mgmt', 'Mgmt'),
			this.guarded(
				{
					name: 'getSessions',
					method: 'GET',
					url: SESSION,
					source: SOURCES.api,
					scopes: READ_SESSIONS,
				},
				() => undefined,
				() => this.listSessions(),
			),
			this.guarded(
				{
					name: 'searchSession',
					method: 'GET',
					url: `${SESSION}/search`,
					source: SOURCES.api,
					scopes: READ_SESSIONS,
					query: SEARCH,
				},
				searchExists,
				(request) => this.searchSessions(request),
			),
			this.guarded(
				{
					name: 'getSessionById',
					method: 'GET',
					url: `${SESSION}/sid/{sid}`,
					source: SOURCES.api,
					scopes: READ_SESSIONS,
				},
				today,
				(request) => this.readSession(request),
			),
			this.guarded(
				{
					name: 'deleteSession',
					method: 'DELETE',
					url: `${SESSION}/sid/{sid}`,
					source: SOURCES.api,
					scopes: DELETE_SESSIONS,
				},
				today,
				({ params }) => ({
					status: this.endSession(params.sid ?? '') ? this.deletedStatus : 404,
				}),
			),
			this.guarded(
				{
					name: 'revokeUserSession',
					method: 'DELETE',
					url: `${SESSION}/user/{userDn}`,
					source: SOURCES.api,
					scopes: DELETE_SESSIONS,
				},
				today,
				(request) => this.revokeUser(request, this.deletedStatus),
			),
			this.guarded(
				{
					name: 'revokeUserSessionOlder',
					method: 'POST',
					url: `${SESSION}/{userDn}`,
					source: SOURCES.older,
					scopes: DELETE_SESSIONS,
				},
				older,
				(request) => this.revokeUser(request, 200),
			),
		];
	}

	private userRoutes(path: Janssen['userPath'], suffix: string): SimulatedRoute[] {
		const exists = (): Reply | undefined => (this.userPath === path ? undefined : { status: 404 });
		const url = `${CONFIG_API}/${path}/configuser`;
		return [
			this.guarded(
				{
					name: `getUser${suffix}`,
					method: 'GET',
					url,
					source: SOURCES.users,
					scopes: READ_USERS,
					query: SEARCH,
				},
				exists,
				(request) => this.searchUsers(request),
			),
			this.guarded(
				{
					name: `getUserByInum${suffix}`,
					method: 'GET',
					url: `${url}/{inum}`,
					source: SOURCES.users,
					scopes: READ_USERS,
				},
				exists,
				({ params }) => {
					const user = this.allUsers().find(({ inum }) => inum === params.inum);
					if (user === undefined) return apiError(404, "The requested user doesn't exist");
					return { status: 200, body: presentUser(user) };
				},
			),
		];
	}

	private searchUsers(request: VendorRequest): Reply {
		const page = search(this, request, {
			items: this.allUsers(),
			attributesOf: userAttributes,
			inPattern: USER_PATTERN,
			match: this.userMatch,
			sortBy: 'inum',
		});
		return { status: 200, body: { ...page, entries: page.entries.map(presentUser) } };
	}

	private presentSession(session: JanssenSession): Record<string, unknown> {
		const { id, dn, sid, userDn, state, createdAt, expiresAt } = session;
		const authenticated = state === 'authenticated';
		return {
			dn,
			id,
			[this.sidMember]: sid,
			lastUsedAt: janssenTime(createdAt),
			userDn,
			...(authenticated ? { authenticationTime: janssenTime(createdAt) } : {}),
			state,
			permissionGrantedMap: { permissionGranted: {} },
			sessionAttributes: sessionDetails(session),
			expirationDate: janssenTime(expiresAt),
			deletable: true,
			creationDate: janssenTime(createdAt),
			persisted: false,
			ttl: 0,
		};
	}

	private searchSessions(request: VendorRequest): Reply {
		const page = search(this, request, {
			items: this.listedSessions(),
			attributesOf: sessionAttributes,
			inPattern: SESSION_PATTERN,
			match: 'equality',
			sortBy: 'jansId',
		});
		const entries = page.entries.map((one) => this.presentSession(one));
		return { status: 200, body: { ...page, entries } };
	}

	/** The older version lists everything that has not expired; today's stops at its first page. */
	private listSessions(): Reply {
		const all = this.listedSessions();
		const older = this.sessionApi === 'post';
		const shown = older
			? all.filter(({ expiresAt }) => expiresAt > this.now())
			: all.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, FIRST_PAGE);
		const entries = shown.map((one) => this.presentSession(one));
		if (older || this.sessionList === 'array') return { status: 200, body: entries };
		const entriesCount = entries.length;
		return {
			status: 200,
			body: { start: 0, totalEntriesCount: all.length, entriesCount, entries },
		};
	}

	private readSession({ params }: VendorRequest): Reply {
		const session = this.listedSessions().find(({ sid }) => sid === params.sid);
		if (session !== undefined) return { status: 200, body: this.presentSession(session) };
		return { status: this.unknownSid === 'notFound' ? 404 : 200 };
	}

	/** No authenticated session is a 404, and so is a DN that nobody has: they cannot be told apart. */
	private revokeUser(request: VendorRequest, status: number): Reply {
		const userDn = request.params.userDn ?? '';
		if (!/^inum=[^,]+,/.test(userDn)) request.violate(`${userDn} is not the DN of a user`);
		// Tokens are ended by today's version; the older one removed the sessions only.
		const tokens = this.sessionApi === 'delete';
		return { status: this.endUserSessions(userDn, { tokens }) > 0 ? status : 404 };
	}
}

/** Creates a simulated Janssen; mount it with `startSimulator`. */
export function createJanssen(options: JanssenOptions = {}): Janssen {
	return new Janssen(options);
}
