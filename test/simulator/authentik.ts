/**
 * A simulated authentik: the part of its API that looks users up and ends their sessions. Written
 * from authentik's published schema, https://github.com/goauthentik/authentik/blob/main/schema.yml
 * (2026.8), and where it is silent from the server's source in the same repository and Django REST
 * framework's, on which it stands.
 */
import type { Reply, SimulatedRoute, SimulatedVendor, VendorRequest } from './simulator';
import {
	type AuthentikOptions,
	type AuthentikPermission,
	type AuthentikSession,
	type AuthentikUser,
	type AuthentikUserInit,
	AuthentikUsers,
} from './authentik-users';

const REFERENCE = 'https://api.goauthentik.io/reference';
const DAY_MS = 86_400_000;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** An answer in the schema `GenericError`. */
const refusal = (status: number, detail: string): Reply => ({ status, body: { detail } });

/**
 * A token that is refused is answered with 403, never with 401: no class of the API's authentication
 * has an `authenticate_header` (https://www.django-rest-framework.org/api-guide/authentication/
 * #unauthorized-and-forbidden-responses), and the schema documents no 401.
 */
const DETAILS: Readonly<Record<number, string>> = {
	403: 'You do not have permission to perform this action.',
	404: 'Not found.',
	405: 'Method not allowed.',
	429: 'Request was throttled. Expected available in 2 seconds.',
};

const NO_TOKEN = 'Authentication credentials were not provided.';
const BAD_TOKEN = 'Token invalid/expired';

/** An answer in the schema `ValidationError`. */
const invalid = (field: string, problem: unknown): Reply => ({
	status: 400,
	body: { [field]: problem },
});

/** Terms of a search, which all have to be found: at commas and whitespace, as in `SearchFilter`. */
const termsOf = (search: string): string[] =>
	search
		.split(/[\s,]+/)
		.filter((term) => term !== '')
		.map((term) => term.toLowerCase());

const hasTerms = (texts: readonly string[], search: string): boolean =>
	termsOf(search).every((term) => texts.some((text) => text.toLowerCase().includes(term)));

/** A simulated authentik: the vendor for `startSimulator`, and the state that tests see. */
export class Authentik extends AuthentikUsers implements SimulatedVendor {
	readonly name = 'authentik';
	readonly routes: readonly SimulatedRoute[];
	readonly actions = {
		signIn: (input: unknown) => {
			const { user, userAgent } = input as { user: string; userAgent?: string };
			return this.signIn(user, userAgent);
		},
		addUser: (input: unknown) => this.addUser(input as AuthentikUserInit),
		withdrawTokens: () => {
			this.withdrawTokens();
		},
	};

	constructor(options: AuthentikOptions) {
		super(options);
		this.routes = this.buildRoutes();
	}

	state(): unknown {
		return this.toJSON();
	}

	notFound(_request: VendorRequest, knownPath: boolean): Reply {
		return this.error(knownPath ? 405 : 404);
	}

	error(status: number): Reply {
		if (status === 400) return invalid('non_field_errors', ['Invalid data.']);
		// What Django itself answers when the application breaks.
		if (status >= 500) {
			const headers = { 'content-type': 'text/html; charset=utf-8' };
			return { status, headers, body: '<h1>Server Error (500)</h1>' };
		}
		return refusal(status, DETAILS[status] ?? 'The request was refused.');
	}

	/** Throttling of Django REST framework: the seconds are in Retry-After too. */
	rateLimited(_request: VendorRequest, _form?: string, resetInSeconds = 2): Reply {
		const seconds = String(resetInSeconds);
		return {
			...refusal(429, `Request was throttled. Expected available in ${seconds} seconds.`),
			headers: { 'retry-after': seconds },
		};
	}

	// --- Routes ------------------------------------------------------------------------------------

	private buildRoutes(): SimulatedRoute[] {
		const users = '/api/v3/core/users/';
		const sessions = '/api/v3/core/authenticated_sessions/';
		const paged = ['ordering', 'page', 'page_size', 'search'];
		const viewsUsers: AuthentikPermission = 'authentik_core.view_user';
		const endsSessions: AuthentikPermission = 'authentik_core.delete_authenticatedsession';
		return [
			this.route(
				{
					name: 'core_users_me_retrieve',
					method: 'GET',
					url: `${users}me/`,
					source: `${REFERENCE}/core-users-me-retrieve`,
				},
				(_request, { user }) => {
					const { pk, username, name, email, active, type, superuser, uuid } = user;
					const shown = { pk, username, name, email, type, is_active: active, uid: uuid };
					const own = { ...shown, is_superuser: superuser, is_current: true, avatar: '' };
					const rest = { groups: [], roles: [], settings: {}, system_permissions: [] };
					return { status: 200, body: { user: { ...own, ...rest }, users: [] } };
				},
			),
			this.route(
				{
					name: 'core_users_list',
					method: 'GET',
					url: users,
					source: `${REFERENCE}/core-users-list`,
					scopes: [viewsUsers],
					query: [
						...paged,
						'email',
						'username',
						'uuid',
						'is_active',
						'include_groups',
						'include_roles',
					],
				},
				(request) => this.listUsers(request),
			),
			this.route(
				{
					name: 'core_users_retrieve',
					method: 'GET',
					url: `${users}{id}/`,
					source: `${REFERENCE}/core-users-retrieve`,
					scopes: [viewsUsers],
				},
				({ params: { id = '' } }) => {
					const user = /^\d+$/.test(id) ? this.getUser(Number(id)) : undefined;
					if (user === undefined) return missing('User');
					return { status: 200, body: this.present(user) };
				},
			),
			this.route(
				{
					name: 'core_authenticated_sessions_list',
					method: 'GET',
					url: sessions,
					source: `${REFERENCE}/core-authenticated-sessions-list`,
					query: [...paged, 'session__last_ip', 'session__last_user_agent', 'user__username'],
				},
				(request, { may, user }) => {
					// Without the permission everybody sees what is theirs: `owner_field` of the view.
					const all = may('authentik_core.view_authenticatedsession');
					const own = ({ userPk }: AuthentikSession) => all || userPk === user.pk;
					return this.listSessions(request, this.allSessions().filter(own));
				},
			),
			this.route(
				{
					name: 'core_authenticated_sessions_bulk_delete_destroy',
					method: 'DELETE',
					url: `${sessions}bulk_delete/`,
					source: `${REFERENCE}/core-authenticated-sessions-bulk-delete-destroy`,
					scopes: [endsSessions],
					query: ['user_pks'],
				},
				(request) => this.bulkDelete(request),
			),
			this.route(
				{
					name: 'core_authenticated_sessions_destroy',
					method: 'DELETE',
					url: `${sessions}{uuid}/`,
					source: `${REFERENCE}/core-authenticated-sessions-destroy`,
				},
				({ params: { uuid = '' } }, { may, user }) => {
					const session = this.allSessions().find((one) => one.uuid === uuid.toLowerCase());
					const own = session?.userPk === user.pk;
					const visible = own || may('authentik_core.view_authenticatedsession');
					if (!UUID.test(uuid) || session === undefined || !visible) {
						return missing('AuthenticatedSession');
					}
					if (!own && !may(endsSessions)) return this.error(403);
					this.deleteSession(session.uuid);
					return { status: 204 };
				},
			),
		];
	}

	/** An operation that a token opens, with the first of its permissions where it has one. */
	private route(
		route: Omit<SimulatedRoute, 'handler'> & { scopes?: readonly AuthentikPermission[] },
		work: (
			request: VendorRequest,
			principal: NonNullable<ReturnType<AuthentikUsers['principal']>>,
		) => Reply,
	): SimulatedRoute {
		return {
			...route,
			handler: (request) => {
				const header = (request.headers.authorization ?? '').trim();
				if (!header.includes(' ')) return refusal(403, NO_TOKEN);
				const key = /^bearer +(\S+)$/i.exec(header)?.[1];
				if (key === undefined) return refusal(403, 'Unsupported authentication type');
				const principal = this.principal(key);
				if (principal === undefined) return refusal(403, BAD_TOKEN);
				const [needed] = route.scopes ?? [];
				return needed === undefined || principal.may(needed)
					? work(request, principal)
					: this.error(403);
			},
		};
	}

	/**
	 * Filters are exact and mind the letter case; only `search` does not: `UsersFilter` and
	 * `search_fields` in authentik/core/api/users.py. A search that is an expression of authentik's query
	 * language is evaluated as one there (authentik/api/search/ql.py); names and addresses are none.
	 */
	private listUsers(request: VendorRequest): Reply {
		const { search } = request;
		const exact = (name: string, value: string) =>
			(search.get(name) ?? '') === '' || search.get(name) === value;
		const found = this.all().filter(
			({ username, email, name, uuid, active }) =>
				exact('username', username) &&
				exact('email', email) &&
				exact('uuid', uuid) &&
				exact('is_active', String(active)) &&
				hasTerms([username, name, email, uuid], search.get('search') ?? ''),
		);
		return this.page(request, found, (user) => this.present(user));
	}

	private listSessions(request: VendorRequest, visible: readonly AuthentikSession[]): Reply {
		const { search } = request;
		const nameOf = ({ userPk }: AuthentikSession) => this.getUser(userPk)?.username ?? '';
		const username = search.get('user__username') ?? '';
		const found = visible.filter(
			(session) =>
				(username === '' || nameOf(session) === username) &&
				hasTerms([nameOf(session), session.userAgent], search.get('search') ?? ''),
		);
		return this.page(request, found, presentSession);
	}

	/**
	 * `bulk_delete` in authentik/core/api/authenticated_sessions.py. Users that do not exist have no
	 * sessions, so they are no error. The parameter is repeated for several users.
	 */
	private bulkDelete(request: VendorRequest): Reply {
		const given = request.search.getAll('user_pks');
		if (given.length === 0) return invalid('user_pks', ['This field is required.']);
		const wrong = given.flatMap((pk, index) => (/^-?\d+$/.test(pk) ? [] : [index]));
		if (wrong.length > 0) {
			const problems = wrong.map((index) => [index, ['A valid integer is required.']] as const);
			return invalid('user_pks', Object.fromEntries(problems));
		}
		return { status: 200, body: { deleted: this.deleteSessionsOf(given.map(Number)) } };
	}

	/** The schema `Pagination`: numbers of pages, 0 where there is none. authentik/api/pagination.py. */
	private page<Entry>(
		{ search }: VendorRequest,
		found: readonly Entry[],
		present: (entry: Entry) => unknown,
	): Reply {
		const asked = Number(search.get('page_size') ?? '');
		const size = Number.isInteger(asked) && asked > 0 ? asked : this.pageSize;
		const each = Math.min(size, this.largestPage);
		const pages = Math.max(1, Math.ceil(found.length / each));
		const current = Number(search.get('page') ?? 1);
		if (!Number.isInteger(current) || current < 1 || current > pages) {
			return refusal(404, 'Invalid page.');
		}
		const from = (current - 1) * each;
		const results = found.slice(from, from + each);
		const pagination = {
			next: current < pages ? current + 1 : 0,
			previous: current - 1,
			count: found.length,
			current,
			total_pages: pages,
			start_index: results.length === 0 ? 0 : from + 1,
			end_index: from + results.length,
		};
		return { status: 200, body: { pagination, results: results.map(present), autocomplete: {} } };
	}

	/** The schema `User`. */
	private present(user: AuthentikUser): Record<string, unknown> {
		const { pk, uuid, username, email, name, active, type, superuser, joinedAt } = user;
		return {
			pk,
			username,
			name,
			is_active: active,
			last_login: this.sessionsOf(pk).at(-1)?.usedAt ?? null,
			date_joined: joinedAt,
			is_superuser: superuser,
			groups: [],
			groups_obj: null,
			roles: [],
			roles_obj: null,
			email,
			avatar: '/static/dist/assets/images/user_default.png',
			attributes: {},
			uid: uuid.replaceAll('-', ''),
			path: 'users',
			type,
			uuid,
			password_change_date: new Date(Date.parse(joinedAt) - DAY_MS).toISOString(),
			last_updated: joinedAt,
		};
	}
}

/** What Django REST framework says of an object that a request cannot see. */
const missing = (model: string): Reply => refusal(404, `No ${model} matches the given query.`);

/** The schema `AuthenticatedSession`. A request with a token is in no session, so none is current. */
function presentSession({ uuid, userPk, userAgent, usedAt, expiresAt }: AuthentikSession): unknown {
	const version = { major: null, minor: null, patch: null };
	return {
		uuid,
		current: false,
		user_agent: {
			device: { brand: null, family: 'Other', model: null },
			os: { family: 'Other', ...version, patch_minor: null },
			user_agent: { family: 'Other', major: '0', minor: '0', patch: '0' },
			string: userAgent,
		},
		geo_ip: null,
		asn: null,
		user: userPk,
		last_ip: '192.0.2.7',
		last_user_agent: userAgent,
		last_used: usedAt,
		expires: expiresAt,
	};
}

/** Creates a simulated authentik; mount it with `startSimulator`. */
export function createAuthentik(options: AuthentikOptions = {}): Authentik {
	return new Authentik(options);
}
