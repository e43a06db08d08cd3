/** Reads answers as a description says. What does not fit it is unusable, and the message names the member. */
import {
	type Explanation,
	type Inquiry,
	UnusableReply,
	type VendorReply,
	type VendorRequest,
} from '../core/connector';
import type { ListSessions, Lookup, Pages } from './description';
import { at, textAt } from './pointer';
import { requestOf, type Template, type Values } from './template';

/** A session that has not ended. */
export interface Active {
	id: string;
	/** A secret; null where sessions are named by their id. */
	token: string | null;
	/** The entry without secrets. */
	raw: unknown;
}

/** Entries of one or several answers. */
interface Entries {
	/** The last answer. */
	reply: VendorReply;
	/** Null when the answer says that there is no such user. */
	entries: readonly unknown[] | null;
	/** There are no others, as far as the description tells how many fit into one answer. */
	isWhole: boolean;
}

const misfit = (reply: VendorReply, member: string, what: string): UnusableReply =>
	new UnusableReply(reply, {
		cause: 'unexpected_reply',
		advice: `it does not fit '${member}' of the provider description: ${what}`,
	});

/** Any request that a description has; every one may be repeated, for it reads or ends what then has ended. */
export const describedRequest = (
	kind: string,
	template: Template,
	values: Values,
): VendorRequest => ({
	// What a look-up answers is compared with the user: it cannot mean anybody else.
	...requestOf(template, values, kind !== 'lookup'),
	idempotent: true,
	bucket: kind,
	needs: [],
});

/** A page of somebody else on the way is no answer of an API, whatever its status. */
export const isOfApi = ({ bodyKind, headers }: VendorReply): boolean =>
	bodyKind !== 'other' || /^text\/plain\b/i.test(headers['content-type'] ?? '');

export const hasStatus = (reply: VendorReply, statuses: readonly number[]): boolean =>
	isOfApi(reply) && statuses.includes(reply.status);

/** More pages than these are not asked for. */
const MOST_PAGES = 100;

/**
 * Asks for all entries, page by page where the description has a way.
 *
 * @param most no more than so many are needed; null: all
 */
export function* entriesOf(
	kind: 'lookup' | 'listSessions',
	described: Lookup | ListSessions,
	values: Values,
	most: number | null = null,
): Inquiry<Entries> {
	const { pages, success, notFound, nothingToRevoke } = described;
	const found = new Map<string, unknown>();
	let further = firstPage(pages);
	for (let page = 1; ; page += 1) {
		const request = describedRequest(kind, described, values);
		const reply = yield { ...request, query: { ...request.query, ...further } };
		if (hasStatus(reply, notFound)) return { reply, entries: null, isWhole: true };
		const isNone = hasStatus(reply, nothingToRevoke);
		if (!isNone && !hasStatus(reply, success)) throw new UnusableReply(reply);
		const entries = isNone ? [] : entriesIn(reply, kind, described.items);
		const before = found.size;
		for (const entry of entries) found.set(idIn(reply, kind, entry, described.id), entry);
		const next = nextPage(pages, reply, entries.length, before + entries.length);
		const all = { reply, entries: [...found.values()] };
		if (next === 'none') return { ...all, isWhole: true };
		// A server that repeats itself would do so for ever.
		const isStuck = found.size === before || page === MOST_PAGES;
		if (next === 'unknown' || isStuck || (most !== null && found.size >= most)) {
			return { ...all, isWhole: false };
		}
		further = next;
	}
}

type Query = Readonly<Record<string, string>>;

const firstPage = (pages: Pages | undefined): Query =>
	pages && 'size' in pages && pages.offset !== undefined ? { [pages.offset]: '0' } : {};

/** What asks for the next page; `unknown` when there can be one, and the description has no way to ask. */
function nextPage(
	pages: Pages | undefined,
	{ body }: VendorReply,
	length: number,
	total: number,
): Query | 'none' | 'unknown' {
	if (!pages) return 'none';
	if ('size' in pages) {
		if (length < pages.size) return 'none';
		return pages.offset === undefined ? 'unknown' : { [pages.offset]: String(total) };
	}
	const next = textAt(body, pages.next);
	// authentik's number of the next page is 0 when there is none.
	if (next === null || next === '0') return 'none';
	return pages.query === undefined ? 'unknown' : { [pages.query]: next };
}

function entriesIn(
	reply: VendorReply,
	kind: string,
	items: string | undefined,
): readonly unknown[] {
	if (reply.bodyKind !== 'json') throw new UnusableReply(reply);
	const found = items === undefined ? [reply.body] : at(reply.body, items);
	if (Array.isArray(found)) return found as readonly unknown[];
	throw misfit(reply, `${kind}.items`, 'there is no list');
}

/** @throws UnusableReply when there is no id: nobody can be told from anybody else */
export function idIn(reply: VendorReply, kind: string, entry: unknown, pointer: string): string {
	const id = textAt(entry, pointer);
	if (id === null) throw misfit(reply, `${kind}.id`, 'there is neither text nor number');
	return id;
}

/** The sessions among the entries of a list that have not ended. */
export function activeIn(
	reply: VendorReply,
	entries: readonly unknown[],
	{ id, active, token: tokenPointer }: ListSessions,
): readonly Active[] {
	return entries.flatMap((entry) => {
		if (active && at(entry, active.pointer) !== active.equals) return [];
		const token = tokenPointer === undefined ? null : textAt(entry, tokenPointer);
		if (tokenPointer !== undefined && token === null) {
			throw misfit(reply, 'listSessions.token', 'there is neither text nor number');
		}
		return [{ id: idIn(reply, 'listSessions', entry, id), token, raw: shown(entry, token) }];
	});
}

/** Members that are called like this hold what somebody could sign in with. */
const SECRET = /token|secret|password|cookie|api_?key/i;

/** An entry without its token, and without members that are named like secrets. */
function shown(value: unknown, token: string | null): unknown {
	if (typeof value === 'string') {
		return token !== null && value.includes(token) ? REDACTED : value;
	}
	if (Array.isArray(value)) return value.map((one) => shown(one, token));
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, inner]) => [
			name,
			SECRET.test(name) && isFilled(inner) ? REDACTED : shown(inner, token),
		]),
	);
}

const isFilled = (value: unknown): boolean => typeof value === 'string' && value !== '';

const REDACTED = '[redacted]';

/** Why a list that is not whole is of no use: what it does not show could be what matters. */
export const cut = (kind: string): Explanation => ({
	cause: 'unexpected_reply',
	advice: `it holds as many entries as fit into one answer, so there can be more; say in '${kind}.pages' of the provider description how to ask for them`,
});
