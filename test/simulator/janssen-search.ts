/**
 * How the simulated config API searches: `fieldValuePair`, `pattern`, order and pages, the same for
 * users and sessions. Facts: of https://github.com/JanssenProject/jans, jans-config-api, the files
 * BaseResource.java, Util.java, UserMgmtService.java and SessionService.java.
 */
import {
	type JanssenServer,
	type JanssenSession,
	janssenTime,
	type JanssenUser,
} from './janssen-server';
import type { VendorRequest } from './simulator';

/** Values by the names of the database. */
export type Attributes = Readonly<Record<string, string | undefined>>;

/** What can be searched. */
interface Searchable<T> {
	items: readonly T[];
	attributesOf(item: T): Attributes;
	/** The attributes that `pattern` looks into. */
	inPattern: readonly string[];
	match: 'substring' | 'equality';
	sortBy: string;
}

/** A page as both searches answer it. */
export interface Page<T> {
	start: number;
	totalEntriesCount: number;
	entriesCount: number;
	entries: T[];
}

/** A search that the vendor cannot run. */
export class SearchError extends Error {
	constructor(
		readonly status: 400 | 404 | 500,
		message: string,
	) {
		super(message);
	}
}

/** Names of the API's objects for attributes of the database. */
const ALIASES: Readonly<Record<string, string>> = {
	id: 'jansId',
	outsideSid: 'sid',
	state: 'jansState',
	status: 'jansStatus',
	userDn: 'jansUsrDN',
	userId: 'uid',
};

/** The default of `maxCount` in the configuration. */
const MOST_IN_PAGE = 200;
const DEFAULT_LIMIT = '50';

export const userAttributes = (user: JanssenUser): Attributes => ({
	inum: user.inum,
	uid: user.userId,
	mail: user.mail ?? undefined,
	displayName: user.displayName,
	givenName: user.givenName ?? undefined,
	sn: user.sn ?? undefined,
	jansStatus: user.status,
});

export const USER_PATTERN = ['displayName', 'mail', 'givenName', 'sn', 'uid', 'inum'];

/** The members of `sessionAttributes`, a text of JSON in the database. */
export const sessionDetails = (session: JanssenSession) => ({
	acr: 'simple_password_auth',
	remote_ip: session.remoteIp,
	client_id: '2000.5b1a1b5e-8a3f-4a0c-9d53-6f2f0c9a7e11',
	auth_user: session.userId,
	session_id: session.id,
	sid: session.sid,
});

export const sessionAttributes = (session: JanssenSession): Attributes => ({
	jansId: session.id,
	jansUsrDN: session.userDn,
	sid: session.sid,
	jansState: session.state,
	jansSessAttr: JSON.stringify(sessionDetails(session)),
	creationDate: janssenTime(session.createdAt),
});

export const SESSION_PATTERN = ['jansUsrDN', 'sid', 'jansSessAttr', 'jansId'];

type LetterCase = Pick<JanssenServer, 'letterCase'>;

const folded = ({ letterCase }: LetterCase, text: string): string =>
	letterCase === 'ignored' ? text.toLowerCase() : text;

/** Whether an attribute has this value, as the database compares. */
export const equals = (server: LetterCase, actual: string | undefined, value: string): boolean =>
	actual !== undefined && folded(server, actual) === folded(server, value);

const contains = (server: LetterCase, actual: string | undefined, value: string): boolean =>
	actual !== undefined && folded(server, actual).includes(folded(server, value));

/** Splits as Java's StringTokenizer: nothing is quoted, empty parts vanish. */
const tokens = (text: string): string[] => text.split(',').filter((part) => part !== '');

/** The conditions of a `fieldValuePair`. What has no equals sign at all is no condition. */
function conditions(request: VendorRequest): [name: string, value: string][] {
	const text = request.search.get('fieldValuePair') ?? '';
	if (!text.includes('=')) {
		if (text !== '') request.violate('fieldValuePair has no equals sign: it restricts nothing');
		return [];
	}
	return tokens(text).map((token) => {
		const [name = '', value = '', ...rest] = token.split('=');
		if (value === '') {
			request.violate(`fieldValuePair is split at commas, and ${token} has no value`);
			throw new SearchError(500, `No value for ${name}`);
		}
		if (rest.length > 0) {
			request.violate(`fieldValuePair is split at every equals sign: of ${token} the rest is lost`);
		}
		return [ALIASES[name] ?? name, value];
	});
}

function integer(request: VendorRequest, name: string, otherwise: string): number {
	const text = request.search.get(name) ?? otherwise;
	if (/^-?\d{1,9}$/.test(text)) return Number(text);
	request.violate(`${name} is not a number`);
	// JAX-RS: a query parameter that cannot be converted is as a path that is not there.
	throw new SearchError(404, `Unable to convert ${name}`);
}

/** Runs the search that a request asks for; throws `SearchError`. */
export function search<T>(
	server: JanssenServer,
	request: VendorRequest,
	{ items, attributesOf, inPattern, match, sortBy }: Searchable<T>,
): Page<T> {
	const limit = integer(request, 'limit', DEFAULT_LIMIT);
	if (limit > MOST_IN_PAGE) {
		throw new SearchError(400, `Maximum number of results per page is ${MOST_IN_PAGE}`);
	}
	const start = integer(request, 'startIndex', '0');
	const wanted = conditions(request);
	const patterns = tokens(request.search.get('pattern') ?? '');
	const name = request.search.get('sortBy') ?? sortBy;
	const order = ALIASES[name] ?? name;
	const known = Object.keys(items[0] === undefined ? {} : attributesOf(items[0]));
	for (const column of [order, ...wanted.map(([column]) => column)]) {
		if (items.length > 0 && !known.includes(column)) {
			request.violate(`there is no attribute ${column}`);
			throw new SearchError(500, `Failed to find entries: no column ${column}`);
		}
	}
	const fits = match === 'equality' ? equals : contains;
	const sign = request.search.get('sortOrder') === 'descending' ? -1 : 1;
	const found = items
		.map((item) => ({ item, attributes: attributesOf(item) }))
		.filter(
			({ attributes }) =>
				wanted.every(([column, value]) => fits(server, attributes[column], value)) &&
				(patterns.length === 0 ||
					patterns.some((part) =>
						inPattern.some((column) => contains(server, attributes[column], part)),
					)),
		)
		.sort((a, b) => {
			const [one = '', other = ''] = [a.attributes[order], b.attributes[order]];
			return sign * (one < other ? -1 : one > other ? 1 : 0);
		});
	const offset = Math.max(0, server.startIndex === 'oneBased' ? start - 1 : start);
	const entries = found.slice(offset, offset + Math.max(0, limit)).map(({ item }) => item);
	return {
		start,
		totalEntriesCount: found.length,
		entriesCount: entries.length,
		entries,
	};
}
