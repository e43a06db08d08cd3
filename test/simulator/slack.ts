/**
 * A simulated Slack organisation (Enterprise plan): the methods of the Web API that look a member up
 * and end sessions, below `/api`. Written from Slack's documents, never from the connector, so that
 * the two can disagree.
 */
import { randomBytes } from 'node:crypto';
import type { Reply, SimulatedRoute, SimulatedVendor, VendorRequest } from './simulator';
import { SlackArguments } from './slack-arguments';
import {
	type SlackClient,
	SlackOrg,
	type SlackOrgOptions,
	type SlackToken,
	type SlackUser,
	type SlackUserInit,
} from './slack-org';
import { SlackRefusal } from './slack-refusal';

/** Requests that one app may send to one method in a window. */
interface SlackRateLimit {
	limit: number;
	windowMs: number;
}

/** Options of `createSlack`. */
interface SlackOptions extends SlackOrgOptions {
	/** For every method; default: the documented tier of each. */
	rateLimit?: SlackRateLimit;
}

const DOCS = 'https://docs.slack.dev';
const MOST_IN_BULK = 1000;
const MOST_IN_PAGE = 1000;
const METHOD_PATH = /^\/api\/([^/]+)$/;

/**
 * Requests a minute that each tier surely allows (https://docs.slack.dev/apis/web-api/rate-limits).
 * `special`: for `auth.test`, "hundreds of requests per minute".
 */
const TIERS = { 2: 20, 3: 50, 4: 100, special: 200 } as const;

/** One method of the Web API, as its page describes it. */
interface SlackMethod {
	readonly name: string;
	/** GET is documented for methods that only read; arguments may be sent as a form all the same. */
	readonly http: readonly ('GET' | 'POST')[];
	readonly tier: keyof typeof TIERS;
	readonly arguments: readonly string[];
	readonly scope?: string;
	/** For user tokens of owners and admins of an organisation only. */
	readonly admin?: boolean;
	/** Changes nothing. */
	readonly safe: boolean;
	work(sent: SlackArguments, token: SlackToken, request: VendorRequest): Record<string, unknown>;
}

/** Errors by status, for faults: with Slack itself, only throttling has a status of its own. */
const CODE_BY_STATUS: Readonly<Record<number, string>> = {
	400: 'invalid_arguments',
	401: 'invalid_auth',
	404: 'user_not_found',
	408: 'request_timeout',
	429: 'ratelimited',
	500: 'fatal_error',
	503: 'service_unavailable',
};

/** A simulated Slack organisation: the vendor for `startSimulator`, and the state that tests see. */
export class Slack extends SlackOrg implements SimulatedVendor {
	readonly name = 'slack_enterprise';
	readonly routes: readonly SimulatedRoute[];
	readonly actions = {
		signIn: (input: unknown) => {
			const { user, clients } = input as { user: string; clients?: SlackClient[] };
			return this.signIn(user, clients);
		},
		addUser: (input: unknown) => this.addUser(input as SlackUserInit),
		withdrawTokens: () => {
			this.withdrawTokens();
		},
	};

	private readonly methods: readonly SlackMethod[];
	private readonly limits = new Map<string, SlackRateLimit>();
	private readonly windows = new Map<string, { endsAt: number; used: number }>();

	constructor(options: SlackOptions) {
		super(options);
		this.methods = this.describeMethods();
		for (const { name, tier } of this.methods) {
			this.limits.set(name, options.rateLimit ?? { limit: TIERS[tier], windowMs: 60_000 });
		}
		this.routes = this.methods.flatMap((method) => this.routesOf(method));
	}

	/** Back to the seed. Limits that were set stay; their windows start anew. */
	override reset(): void {
		super.reset();
		this.windows.clear();
	}

	state(): unknown {
		return this.toJSON();
	}

	/** Changes a method's limit and starts its windows anew. */
	setRateLimit(method: string, limit: SlackRateLimit): void {
		this.limits.set(method, limit);
		this.windows.clear();
	}

	/** The headers that Slack puts on every answer. */
	async around(
		_request: VendorRequest,
		_route: SimulatedRoute | undefined,
		next: () => Promise<Reply>,
	): Promise<Reply> {
		const reply = await next();
		if (reply.foreign === true) return reply;
		const own = {
			'content-type': 'application/json; charset=utf-8',
			'x-slack-req-id': randomBytes(16).toString('hex'),
		};
		return { ...reply, headers: { ...own, ...reply.headers } };
	}

	/** A method that does not exist is a logical error too; beside `/api` there is a website. */
	notFound(request: VendorRequest): Reply {
		const name = METHOD_PATH.exec(request.path)?.[1];
		if (name !== undefined) return failure('unknown_method', { req_method: name });
		const headers = { 'content-type': 'text/html; charset=utf-8' };
		return { status: 404, headers, body: '<!DOCTYPE html><title>Not found | Slack</title>' };
	}

	error(status: number, request: VendorRequest): Reply {
		const name = METHOD_PATH.exec(request.path)?.[1] ?? '';
		const scope = this.methods.find((method) => method.name === name)?.scope ?? '';
		if (status === 403) {
			return { ...failure('missing_scope', { needed: scope, provided: '' }), status };
		}
		if (status === 404 && name === 'users.lookupByEmail') {
			return { ...failure('users_not_found'), status };
		}
		return { ...failure(CODE_BY_STATUS[status] ?? 'internal_error'), status };
	}

	/** Documented: 429 with Retry-After in seconds. `form` `noRetryAfter` leaves the header out. */
	rateLimited(_request: VendorRequest, form?: string, resetInSeconds = 2): Reply {
		const headers = { 'retry-after': String(Math.ceil(resetInSeconds)) };
		const reply: Reply = { ...failure('ratelimited'), status: 429 };
		return form === 'noRetryAfter' ? reply : { ...reply, headers };
	}

	// --- Calls -------------------------------------------------------------------------------------

	private routesOf(method: SlackMethod): SimulatedRoute[] {
		const { name, scope, safe } = method;
		const route: Omit<SimulatedRoute, 'method'> = {
			name,
			url: `/api/${name}`,
			source: `${DOCS}/reference/methods/${name}`,
			...(scope === undefined ? {} : { scopes: [scope] }),
			query: method.arguments,
			safe,
			handler: (request) => this.call(method, request),
		};
		return method.http.map((verb) =>
			verb === 'GET'
				? { ...route, method: verb }
				: {
						...route,
						method: verb,
						body: {
							contentType: ['application/x-www-form-urlencoded', 'application/json'],
							optional: true,
						},
						bodylessContentType: /^application\/(x-www-form-urlencoded|json)\s*(;|$)/i,
					},
		);
	}

	private call(method: SlackMethod, request: VendorRequest): Reply {
		let token: SlackToken | undefined;
		let sent: SlackArguments | undefined;
		try {
			const takesJson = this.readsTakeJson || !method.http.includes('GET');
			sent = new SlackArguments(request, method.arguments, takesJson);
			token = this.authenticated(request, sent);
			const waitMs = this.count(`${method.name} ${token.appId}`, method.name);
			if (waitMs !== undefined) return this.rateLimited(request, undefined, waitMs / 1000);
			this.authorise(method, token);
			const body = { ok: true, ...method.work(sent, token, request) };
			return { status: 200, headers: scopeHeaders(method, token), body: noted(body, sent) };
		} catch (error) {
			if (!(error instanceof SlackRefusal)) throw error;
			const { body, ...reply } = failure(error.code, error.details);
			return {
				...reply,
				...(token === undefined ? {} : { headers: scopeHeaders(method, token) }),
				body: noted(body, sent),
			};
		}
	}

	/** Documented: in a header or, in a POST, as the argument `token`. */
	private authenticated(request: VendorRequest, sent: SlackArguments): SlackToken {
		const header = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
		const text = header ?? sent.text('token');
		if (text === undefined) throw new SlackRefusal('not_authed');
		const token = this.token(text);
		if (typeof token === 'string') throw new SlackRefusal(token);
		return token;
	}

	private authorise({ admin = false, scope }: SlackMethod, token: SlackToken): void {
		if (admin && token.kind !== 'user') throw new SlackRefusal('not_allowed_token_type');
		if (scope !== undefined && !token.scopes.includes(scope)) {
			const provided = token.scopes.join(',');
			throw new SlackRefusal('missing_scope', { needed: scope, provided });
		}
		if (!admin) return;
		// Documented with `session.invalidate` as "the token provided can't call this method".
		if (!this.enterprise || token.install !== 'org') throw new SlackRefusal('feature_not_enabled');
		if (this.getUser(token.userId)?.role === 'member') throw new SlackRefusal('not_an_admin');
	}

	/** Counts a call of an app; how long to wait if it is one too many. */
	private count(key: string, method: string): number | undefined {
		const { limit, windowMs } = this.limits.get(method) ?? { limit: TIERS[2], windowMs: 60_000 };
		const now = this.now();
		let window = this.windows.get(key);
		if (window === undefined || window.endsAt <= now) {
			window = { endsAt: now + windowMs, used: 0 };
			this.windows.set(key, window);
		}
		if (window.used >= limit) return window.endsAt - now;
		window.used += 1;
		return undefined;
	}

	private describeMethods(): SlackMethod[] {
		const reads = { http: ['GET', 'POST'], safe: true } as const;
		const readsSessions = {
			http: ['POST'],
			safe: true,
			admin: true,
			scope: 'admin.users:read',
		} as const;
		const endsSessions = {
			http: ['POST'],
			safe: false,
			tier: 2,
			admin: true,
			scope: 'admin.users:write',
		} as const;
		return [
			{
				...reads,
				name: 'auth.test',
				tier: 'special',
				arguments: [],
				work: (_sent, token) => this.testAuthentication(token),
			},
			{
				...reads,
				name: 'users.lookupByEmail',
				tier: 3,
				scope: 'users:read.email',
				arguments: ['email'],
				work: (sent, token) => this.lookupByEmail(sent, token),
			},
			{
				...reads,
				name: 'users.info',
				tier: 4,
				scope: 'users:read',
				arguments: ['user', 'include_locale'],
				work: (sent, token) => this.readUser(sent, token),
			},
			{
				...readsSessions,
				name: 'admin.users.session.list',
				tier: 2,
				arguments: ['user_id', 'team_id', 'cursor', 'limit'],
				work: (sent) => this.listSessions(sent),
			},
			{
				...readsSessions,
				name: 'admin.users.session.getSettings',
				tier: 4,
				arguments: ['user_ids'],
				work: (sent) => this.readSettings(sent),
			},
			{
				...endsSessions,
				name: 'admin.users.session.reset',
				arguments: ['user_id', 'mobile_only', 'web_only'],
				work: (sent, token, request) => this.resetSessions(sent, token, request),
			},
			{
				...endsSessions,
				name: 'admin.users.session.resetBulk',
				arguments: ['user_ids', 'mobile_only', 'web_only'],
				work: (sent, token, request) => this.resetInBulk(sent, token, request),
			},
			{
				...endsSessions,
				name: 'admin.users.session.invalidate',
				arguments: ['session_id', 'user_id', 'team_id'],
				work: (sent, token, request) => this.invalidate(sent, token, request),
			},
		];
	}

	// --- Users -------------------------------------------------------------------------------------

	private testAuthentication({ userId, install }: SlackToken): Record<string, unknown> {
		const user = this.getUser(userId);
		const workspace = this.workspaces.find(({ id }) => id === user?.teams[0]);
		const ofOrg = install === 'org';
		const domain = ofOrg ? 'example.enterprise' : (workspace?.domain ?? '');
		return {
			url: `https://${domain}.slack.com/`,
			team: ofOrg ? this.enterpriseName : workspace?.name,
			user: user?.name,
			team_id: ofOrg && this.orgTeam === 'enterprise' ? this.enterpriseId : workspace?.id,
			user_id: userId,
			...(user?.botId === undefined ? {} : { bot_id: user.botId }),
			...(this.enterprise ? { enterprise_id: this.enterpriseId } : {}),
			is_enterprise_install: ofOrg,
		};
	}

	/** Whether an app sees a user at all: one of a workspace sees that workspace. */
	private sees({ install, userId }: SlackToken, { teams }: SlackUser): boolean {
		if (install === 'org') return true;
		const own = this.getUser(userId)?.teams[0];
		return own !== undefined && teams.includes(own);
	}

	private lookupByEmail(sent: SlackArguments, token: SlackToken): Record<string, unknown> {
		const email = sent.required('email', sent.text('email'));
		const user = this.getUser(email);
		const found =
			user !== undefined &&
			user.id !== email &&
			this.sees(token, user) &&
			(this.lookupIgnoresCase || user.email === email) &&
			(this.lookupFindsDeleted || !user.deleted);
		if (!found) throw new SlackRefusal('users_not_found');
		return { user: this.present(user, token) };
	}

	private readUser(sent: SlackArguments, token: SlackToken): Record<string, unknown> {
		const user = this.withId(sent.required('user', sent.text('user')));
		if (user === undefined || !this.sees(token, user)) throw new SlackRefusal('user_not_found');
		const locale = sent.flag('include_locale') ? { locale: 'en-US' } : {};
		return { user: { ...this.present(user, token), ...locale } };
	}

	/** https://docs.slack.dev/reference/objects/user-object */
	private present(user: SlackUser, token: SlackToken): Record<string, unknown> {
		const isPrimaryOwner = user.role === 'primary_owner';
		const isOwner = isPrimaryOwner || user.role === 'owner';
		const rank = {
			is_admin: isOwner || user.role === 'admin',
			is_owner: isOwner,
			is_primary_owner: isPrimaryOwner,
		};
		const base = { id: user.id, team_id: user.teams[0], name: user.name, deleted: user.deleted };
		const showsEmail = user.email !== undefined && token.scopes.includes('users:read.email');
		const profile = {
			title: user.title,
			real_name: user.realName,
			real_name_normalized: user.realName,
			display_name: user.name,
			display_name_normalized: user.name,
			status_text: '',
			...(user.botId === undefined ? {} : { bot_id: user.botId }),
			...(showsEmail ? { email: user.email } : {}),
			team: user.teams[0],
		};
		const updated = Math.floor(user.updatedAt / 1000);
		const isBot = user.botId !== undefined;
		// Not documented; answers about deactivated accounts are seen without time zone and rank.
		if (user.deleted) return { ...base, profile, is_bot: isBot, is_app_user: false, updated };
		return {
			...base,
			color: '9f69e7',
			real_name: user.realName,
			tz: 'Europe/Stockholm',
			tz_label: 'Central European Time',
			tz_offset: 3600,
			profile,
			...rank,
			is_restricted: user.guest !== undefined,
			is_ultra_restricted: user.guest === 'ultra_restricted',
			is_bot: isBot,
			is_app_user: token.kind === 'user' && token.userId === user.id,
			updated,
			is_email_confirmed: !isBot,
			...(this.enterprise
				? {
						enterprise_user: {
							id: user.id,
							enterprise_id: this.enterpriseId,
							enterprise_name: this.enterpriseName,
							...rank,
							teams: user.teams,
						},
					}
				: {}),
		};
	}

	/** By id alone: an address is none. */
	private withId(id: string): SlackUser | undefined {
		const user = this.getUser(id);
		return user?.id === id ? user : undefined;
	}

	// --- Sessions ----------------------------------------------------------------------------------

	private listSessions(sent: SlackArguments): Record<string, unknown> {
		const limit = sent.integer('limit') ?? MOST_IN_PAGE;
		sent.within('limit', limit, [1, MOST_IN_PAGE]);
		const cursor = sent.text('cursor') ?? '';
		const after = cursor === '' ? 0 : readCursor(cursor);
		const sessions = this.wantedSessions(sent);
		const rest = sessions.filter((one) => one.session_id > after);
		const page = rest.slice(0, limit);
		const last = page.at(-1);
		const next = last === undefined || page.length === rest.length ? '' : cursorAfter(last);
		if (sessions.length === 0 && this.cleanList === 'no_active_sessions') {
			throw new SlackRefusal('no_active_sessions');
		}
		return { active_sessions: page, response_metadata: { next_cursor: next } };
	}

	/** Of one user on one team, or of everybody: documented as both arguments or none. */
	private wantedSessions(sent: SlackArguments) {
		const userId = sent.text('user_id');
		const teamId = sent.text('team_id');
		if (userId === undefined && teamId === undefined) return this.listedSessions();
		if (teamId === undefined) throw new SlackRefusal('missing_team');
		if (userId === undefined) throw new SlackRefusal('missing_user');
		const ofOrg = teamId === this.enterpriseId;
		const known = ofOrg || this.workspaces.some(({ id }) => id === teamId);
		const refused = this.listTeam === (ofOrg ? 'workspace' : 'enterprise');
		if (!known || refused) throw new SlackRefusal('team_not_found');
		const user = this.withId(userId);
		if (user === undefined) throw new SlackRefusal('user_not_found');
		if (user.botId !== undefined) throw new SlackRefusal('bots_not_allowed');
		if (!ofOrg && !user.teams.includes(teamId)) throw new SlackRefusal('user_not_found');
		// A session of the organisation is one on each of the user's workspaces.
		return this.listedSessions(userId).filter(
			(one) => ofOrg || [teamId, this.enterpriseId].includes(one.team_id),
		);
	}

	private readSettings(sent: SlackArguments): Record<string, unknown> {
		const ids = sent.required('user_ids', sent.list('user_ids'));
		const users = ids.map((id) => {
			const user = this.withId(id);
			if (user === undefined) throw new SlackRefusal('user_not_found');
			if (user.botId !== undefined) throw new SlackRefusal('bots_not_allowed');
			return user;
		});
		// Documented: whoever has no active session is not in the answer.
		const active = users.filter(({ id }) => this.sessionsOf(id).length > 0);
		return {
			session_settings: active.flatMap(({ id, sessionSettings }) =>
				sessionSettings === undefined ? [] : [{ user_id: id, ...sessionSettings }],
			),
			no_settings_applied: active
				.filter(({ sessionSettings }) => sessionSettings === undefined)
				.map(({ id }) => id),
		};
	}

	private resetSessions(
		sent: SlackArguments,
		token: SlackToken,
		request: VendorRequest,
	): Record<string, unknown> {
		const userId = sent.required('user_id', sent.text('user_id'));
		const which = kindsOf(sent, request);
		const problem = this.resetProblem(userId, token);
		if (problem !== undefined) throw new SlackRefusal(problem);
		this.scheduleReset([userId], which, this.resetDelayMs);
		return {};
	}

	private resetInBulk(
		sent: SlackArguments,
		token: SlackToken,
		request: VendorRequest,
	): Record<string, unknown> {
		const userIds = sent.required('user_ids', sent.list('user_ids'));
		sent.within('user_ids', userIds.length, [1, MOST_IN_BULK]);
		const which = kindsOf(sent, request);
		const problems = new Map<string, string>();
		for (const userId of userIds) {
			const problem = this.resetProblem(userId, token);
			if (problem !== undefined) problems.set(userId, problem);
		}
		const [first] = problems.values();
		const good = userIds.filter((userId) => !problems.has(userId));
		if (first !== undefined && (good.length === 0 || this.bulkWithFailures === 'refused')) {
			throw new SlackRefusal(first);
		}
		this.scheduleReset(good, which, this.bulkDelayMs);
		if (first === undefined) return {};
		// Documented are "details in extended comments", not their form.
		const messages = [...problems].map(([userId, problem]) => `[ERROR] ${problem}: ${userId}`);
		throw new SlackRefusal('failed_for_some_users', { response_metadata: { messages } });
	}

	/** Why an account's sessions cannot be reset. Of deactivated accounts the documents say nothing. */
	private resetProblem(userId: string, token: SlackToken): string | undefined {
		const user = this.withId(userId);
		if (user === undefined) return 'user_not_found';
		if (user.botId !== undefined) return 'cannot_reset_bot';
		if (user.role === 'primary_owner' && token.userId !== userId) {
			return 'cannot_reset_primary_owner';
		}
		return undefined;
	}

	private invalidate(
		sent: SlackArguments,
		token: SlackToken,
		request: VendorRequest,
	): Record<string, unknown> {
		const sessionId = sent.required('session_id', sent.integer('session_id'));
		const byTeam = this.invalidateBy === 'team';
		const teamId = byTeam ? sent.text('team_id') : undefined;
		// https://api.slack.com/methods/admin.users.session.invalidate said: exactly one of the two, and
		// team_id until 15 January 2025 only. Slack's SDKs have gone on sending team_id alone.
		if (sent.has('team_id') && (!byTeam || sent.has('user_id'))) {
			request.violate('team_id is no argument any more, and never was one beside user_id');
		}
		const userId =
			teamId === undefined ? sent.required('user_id', sent.text('user_id')) : sent.text('user_id');
		if (userId !== undefined && this.withId(userId) === undefined) {
			throw new SlackRefusal('user_not_found');
		}
		const session = this.listedSessions(userId).find((one) => one.session_id === sessionId);
		const fits = session !== undefined && (teamId === undefined || session.team_id === teamId);
		if (!fits) throw new SlackRefusal('session_not_found');
		const owner = this.getUser(session.user_id);
		if (owner?.role === 'primary_owner' && owner.id !== token.userId) {
			throw new SlackRefusal('cannot_invalidate_primary_owner');
		}
		if (!this.endSession(sessionId)) throw new SlackRefusal('session_not_found');
		return {};
	}
}

/** A logical error: HTTP says 200, and `ok` decides. */
function failure(
	code: string,
	details: Readonly<Record<string, unknown>> = {},
): { status: number; body: Record<string, unknown> } {
	return { status: 200, body: { ok: false, error: code, ...details } };
}

/** Scopes that the token has, and those that the method asks for. */
function scopeHeaders(method: SlackMethod, token: SlackToken): Record<string, string> {
	return {
		'x-oauth-scopes': token.scopes.join(','),
		...(method.scope === undefined ? {} : { 'x-accepted-oauth-scopes': method.scope }),
	};
}

/** Adds the warning of the arguments to an answer. */
function noted(body: Record<string, unknown>, sent: SlackArguments | undefined) {
	const notes = sent?.notes() ?? {};
	if (notes.response_metadata === undefined) return body;
	const own = body.response_metadata as Record<string, unknown> | undefined;
	return { ...body, ...notes, response_metadata: { ...notes.response_metadata, ...own } };
}

/** Both switches at once have no documented meaning. */
function kindsOf(sent: SlackArguments, request: VendorRequest) {
	const which = { mobileOnly: sent.flag('mobile_only'), webOnly: sent.flag('web_only') };
	if (which.mobileOnly && which.webOnly) {
		request.violate('mobile_only and web_only exclude each other');
	}
	return which;
}

const cursorAfter = ({ session_id: id }: { session_id: number }): string =>
	Buffer.from(`session:${id}`).toString('base64');

function readCursor(cursor: string): number {
	const id = /^session:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString())?.[1];
	if (id === undefined) throw new SlackRefusal('invalid_cursor');
	return Number(id);
}

/** Creates a simulated Slack organisation; mount it with `startSimulator`. Its API is below `/api`. */
export function createSlack(options: SlackOptions = {}): Slack {
	return new Slack(options);
}
