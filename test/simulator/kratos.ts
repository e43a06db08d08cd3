/**
 * A simulated Ory Kratos: the part of its administration API that looks identities up and ends their
 * sessions. Written from Ory's specification, https://github.com/ory/kratos/blob/master/spec/api.json,
 * and where it is silent from the server's source in the same repository.
 */
import { randomUUID } from 'node:crypto';
import {
	KratosIdentities,
	type KratosIdentity,
	type KratosIdentityInit,
	type KratosOptions,
	type KratosSession,
} from './kratos-identities';
import type { Reply, SimulatedRoute, SimulatedVendor, VendorRequest } from './simulator';

const REFERENCE = 'https://www.ory.com/docs/kratos/reference/api#tag/identity/operation';

/** `page_size`: 250 unless given, 500 at most. */
const PAGE_SIZE = { usual: 250, most: 500 } as const;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Status text and message: github.com/ory/herodot, errors.go. */
const ERRORS: Readonly<Record<number, readonly [string, string]>> = {
	400: ['Bad Request', 'The request was malformed or contained invalid parameters'],
	// The words of Ory's own proxy: github.com/ory/oathkeeper, helper/errors.go.
	401: ['Unauthorized', 'Access credentials are invalid'],
	403: ['Forbidden', 'The requested action was forbidden'],
	404: ['Not Found', 'The requested resource could not be found'],
	405: ['Method Not Allowed', 'The requested method is not allowed for this resource'],
	409: ['Conflict', 'The resource could not be created due to a conflict'],
	429: ['Too Many Requests', 'The request was rate limited'],
	503: ['Service Unavailable', 'The service is unavailable'],
};

/** An error in the schema `errorGeneric`. */
function kratosError(status: number, details: { message?: string; reason?: string } = {}): Reply {
	const [text, message] = ERRORS[status] ?? [
		'Internal Server Error',
		'An internal server error occurred, please contact the system administrator',
	];
	const error = { code: status, status: text, request: randomUUID(), message, ...details };
	return { status, body: { error } };
}

/** What a database without such a row is told as: `ErrNoRows` in oryx/sqlcon/error.go. */
const noRows = (): Reply => kratosError(404, { message: 'Unable to locate the resource' });

const noUuid = (value: string): Reply =>
	kratosError(400, { message: `uuid: incorrect UUID format in string "${value}"` });

/** A simulated Kratos: the vendor for `startSimulator`, and the state that tests see. */
export class Kratos extends KratosIdentities implements SimulatedVendor {
	readonly name = 'kratos';
	readonly routes: readonly SimulatedRoute[];
	readonly actions = {
		signIn: (input: unknown) => {
			const { user, device } = input as { user: string; device?: string };
			return this.signIn(user, device);
		},
		addIdentity: (input: unknown) => this.addIdentity(input as KratosIdentityInit),
		withdrawTokens: () => {
			this.withdrawTokens();
		},
	};

	constructor(options: KratosOptions) {
		super(options);
		this.routes = this.buildRoutes();
	}

	state(): unknown {
		return this.toJSON();
	}

	notFound(_request: VendorRequest, knownPath: boolean): Reply {
		return kratosError(knownPath ? 405 : 404);
	}

	error(status: number): Reply {
		return kratosError(status);
	}

	/** Kratos has no limit of its own; the reference documents no header of Ory Network's. */
	rateLimited(): Reply {
		return kratosError(429);
	}

	/** The administration API has no authentication of its own; what stands before it may have one. */
	around(
		request: VendorRequest,
		_route: SimulatedRoute | undefined,
		next: () => Promise<Reply>,
	): Promise<Reply> {
		const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
		return this.admits(token) ? next() : Promise.resolve(kratosError(401));
	}

	// --- Routes ------------------------------------------------------------------------------------

	/** The deprecated `page` and `per_page` are left out on purpose: nobody should begin to send them. */
	private buildRoutes(): SimulatedRoute[] {
		const paged = ['page_size', 'page_token'];
		return [
			{
				name: 'listIdentities',
				method: 'GET',
				url: '/admin/identities',
				source: `${REFERENCE}/listIdentities`,
				query: [...paged, 'credentials_identifier', 'ids', 'organization_id'],
				handler: (request) => this.listIdentities(request),
			},
			{
				name: 'getIdentity',
				method: 'GET',
				url: '/admin/identities/{id}',
				source: `${REFERENCE}/getIdentity`,
				handler: ({ params }) => {
					const identity = this.byId(params.id);
					if (identity === undefined) return noRows();
					return { status: 200, body: this.present(identity, true) };
				},
			},
			{
				name: 'listIdentitySessions',
				method: 'GET',
				url: '/admin/identities/{id}/sessions',
				source: `${REFERENCE}/listIdentitySessions`,
				query: [...paged, 'active'],
				handler: (request) => this.listSessions(request),
			},
			{
				name: 'deleteIdentitySessions',
				method: 'DELETE',
				url: '/admin/identities/{id}/sessions',
				source: `${REFERENCE}/deleteIdentitySessions`,
				handler: ({ params: { id = '' } }) => {
					if (!UUID.test(id)) return noUuid(id);
					// Nothing was there to delete, or there is no such identity: the answer is the same.
					return this.deleteSessions(id.toLowerCase()) === 0 ? noRows() : { status: 204 };
				},
			},
			{
				name: 'getSession',
				method: 'GET',
				url: '/admin/sessions/{id}',
				source: `${REFERENCE}/getSession`,
				query: ['expand'],
				handler: ({ params: { id = '' } }) => {
					if (!UUID.test(id)) return noUuid(id);
					const session = this.session(id.toLowerCase());
					return session === undefined
						? noRows()
						: { status: 200, body: this.presentSession(session) };
				},
			},
			{
				name: 'disableSession',
				method: 'DELETE',
				url: '/admin/sessions/{id}',
				source: `${REFERENCE}/disableSession`,
				handler: ({ params: { id = '' } }) => {
					if (!UUID.test(id)) return noUuid(id);
					const outcome = this.endSession(id.toLowerCase());
					const again = outcome === 'was_ended' && this.endedSessionAgain === 404;
					return outcome === 'unknown' || again ? noRows() : { status: 204 };
				},
			},
		];
	}

	private byId(id = ''): KratosIdentity | undefined {
		return this.all().find((identity) => identity.id === id.toLowerCase());
	}

	/** `parseListIdentitiesParameters` in identity/handler.go: one filter, exact, never an error when nobody fits. */
	private listIdentities(request: VendorRequest): Reply {
		const { search } = request;
		const filters = ['credentials_identifier', 'ids', 'organization_id'].filter((name) =>
			search.get(name),
		);
		if (filters.length > 1) {
			const reason = 'You cannot combine multiple filters in this API';
			return kratosError(400, { reason });
		}
		const size = pageSize(request);
		if (size === undefined) return kratosError(400, { reason: 'page_size is not a number' });
		const after = search.get('page_token') ?? FIRST_ID;
		if (!UUID.test(after)) return kratosError(400, { reason: 'The page token is invalid' });

		const identifier = search.get('credentials_identifier') ?? '';
		const ids = search.getAll('ids');
		const malformed = ids.find((id) => !UUID.test(id));
		if (malformed !== undefined) {
			const reason = `Invalid UUID value \`${malformed}\` for parameter \`ids\`.`;
			return kratosError(400, { reason });
		}
		const found = (identifier === '' ? this.all() : this.byIdentifier(identifier))
			.filter(({ id }) => ids.length === 0 || ids.includes(id))
			.filter(() => !filters.includes('organization_id'))
			.filter(({ id }) => id > after);
		const page = found.slice(0, size);
		const last = found.length > page.length ? page.at(-1)?.id : undefined;
		const tokens = { first: FIRST_ID, ...(last === undefined ? {} : { next: last }) };
		return {
			status: 200,
			headers: { link: links(request, tokens, size) },
			body: page.map((identity) => this.present(identity, identifier !== '')),
		};
	}

	/** `listIdentitySessions` in session/handler.go, and `migrationpagination` in oryx/pagination. */
	private listSessions(request: VendorRequest): Reply {
		const { search, params } = request;
		const { id = '' } = params;
		if (!UUID.test(id)) return noUuid(id);
		const active = search.get('active') ?? '';
		if (!['', 'true', 'false'].includes(active)) {
			return kratosError(400, { message: 'could not parse parameter active' });
		}
		if (this.byId(id) === undefined && this.unknownIdentityList === 404) return noRows();
		const size = pageSize(request) ?? PAGE_SIZE.usual;
		const offset = readOffset(search.get('page_token'));
		const found = this.stored(id.toLowerCase()).filter(
			(session) => active === '' || String(this.isLive(session.id)) === active,
		);
		const from = Math.floor(offset / size) * size;
		const more = found.length > from + size;
		const tokens = {
			first: offsetToken(0),
			...(more ? { next: offsetToken(from + size) } : {}),
		};
		return {
			status: 200,
			headers: {
				link: links(request, tokens, size),
				'x-total-count': String(found.length),
			},
			body: found.slice(from, from + size).map((session) => this.presentSession(session)),
		};
	}

	// --- What is shown -----------------------------------------------------------------------------

	/** The schema `identity`; the set-up of the server decides what is in `traits`. */
	private present(identity: KratosIdentity, withCredentials: boolean): Record<string, unknown> {
		const { id, email, name, username, state, createdAt, credentials } = identity;
		const times = { created_at: createdAt, updated_at: createdAt };
		return {
			id,
			...(withCredentials
				? {
						credentials: Object.fromEntries(
							credentials.map(({ type, identifiers }) => [
								type,
								{ type, identifiers, version: 0, ...times },
							]),
						),
					}
				: {}),
			schema_id: 'default',
			schema_url: 'http://127.0.0.1:4433/schemas/ZGVmYXVsdA',
			state,
			state_changed_at: createdAt,
			traits: { email, name, ...(username === undefined ? {} : { username }) },
			verifiable_addresses: [],
			recovery_addresses: [],
			metadata_public: null,
			metadata_admin: null,
			...times,
			organization_id: null,
		};
	}

	/**
	 * The schema `session`. `active` asks for more than the filter of that name: sessions of an inactive
	 * identity are not, although nothing ended them (`IsActive` in session/session.go).
	 */
	private presentSession(session: KratosSession): Record<string, unknown> {
		const { id, issuedAt, expiresAt, device, deviceId, identityId } = session;
		const identity = this.byId(identityId);
		return {
			id,
			active: this.isLive(id) && identity?.state === 'active',
			expires_at: expiresAt,
			authenticated_at: issuedAt,
			authenticator_assurance_level: 'aal1',
			authentication_methods: [{ method: 'password', aal: 'aal1', completed_at: issuedAt }],
			issued_at: issuedAt,
			identity: identity === undefined ? null : this.present(identity, false),
			devices: [{ id: deviceId, ip_address: '192.0.2.7', user_agent: device, location: '' }],
		};
	}
}

/** The page size that counts; undefined for what is no number. More than is documented is cut. */
function pageSize(request: VendorRequest): number | undefined {
	const text = request.search.get('page_size') ?? '';
	if (text === '') return PAGE_SIZE.usual;
	const size = Number(text);
	if (!Number.isInteger(size)) return undefined;
	if (size < 1 || size > PAGE_SIZE.most) {
		request.violate(`page_size must be between 1 and ${String(PAGE_SIZE.most)}, not ${text}`);
	}
	return Math.min(Math.max(size, 1), PAGE_SIZE.most);
}

/** `Encode` in oryx/pagination/tokenpagination: an offset, written as a token. */
const offsetToken = (offset: number): string =>
	Buffer.from(`{"offset":"${String(offset)}","v":2}`).toString('base64url');

/** A token that cannot be read counts as none, as in `ParsePagination` there. */
function readOffset(token: string | null): number {
	const text = Buffer.from(token ?? '', 'base64url').toString('utf8');
	return Number(/"offset":"(\d+)"/.exec(text)?.[1] ?? 0);
}

/** One `Link` header with every relation; the addresses are relative, as Kratos writes them. */
function links(
	request: VendorRequest,
	tokens: Readonly<Record<string, string>>,
	size: number,
): string {
	return Object.entries(tokens)
		.map(([relation, token]) => {
			const search = new URLSearchParams(request.search);
			search.set('page_size', String(size));
			search.set('page_token', token);
			return `<${request.path}?${search.toString()}>; rel="${relation}"`;
		})
		.join(',');
}

/** Creates a simulated Kratos; mount it with `startSimulator`. */
export function createKratos(options: KratosOptions = {}): Kratos {
	return new Kratos(options);
}
