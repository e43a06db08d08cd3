/** What Stytch's two products, Consumer and B2B, have in common, and what each has to say for itself. */
import {
	type Inquiry,
	type Listing,
	type Lookup,
	type RevokeStep,
	type Session,
	type StepVerdict,
	UnusableReply,
	type VendorReply,
	type VendorRequest,
} from '../core/connector';
import { done, type StytchSession, stytchError } from './replies';

/** Whom sessions belong to: a user of a Consumer project, a member of an organization of a B2B project. */
export interface Holder {
	id: string;
	organizationId: string | null;
}

/** One person: in a B2B project a member of each of several organizations. */
export type Account = readonly [Holder, ...Holder[]];

export type StytchLookup = Lookup<Account>;

/** One of the two products. A project belongs to one of them for ever. */
export interface Product {
	/** Where its sessions are: `/v1/sessions` or the like. */
	sessions: string;
	/** The name of a session's id in requests. */
	sessionId: 'session_id' | 'member_session_id';
	lookUp(identity: string, organizationIds: readonly string[]): Inquiry<StytchLookup>;
	/** The smallest search, which any look-up could be. */
	probe(organizationIds: readonly string[]): VendorRequest;
	/** Its answer, or another than that of a search: unusable. */
	readProbe(reply: VendorReply): void;
	/** Asks for the active sessions; there are no pages. */
	sessionsOf(holder: Holder): VendorRequest;
	/** All sessions in the answer, none of somebody else. */
	readSessions(reply: VendorReply, holder: Holder): readonly Session[];
	revokeSessions(holder: Holder): Listing;
	/** Where the connected apps of somebody are. */
	connectedApps(holder: Holder): string;
}

/** A secret of a project may do everything in it: there are no permissions to be named. */
const anything = { needs: [] } as const;

export const get = (
	path: string,
	bucket: string,
	query?: Readonly<Record<string, string>>,
): VendorRequest => ({
	method: 'GET',
	path,
	...(query ? { query } : {}),
	idempotent: true,
	bucket,
	...anything,
});

/** Every POST that the connector sends can be repeated: it reads, or it ends what then has ended. */
export const post = (path: string, bucket: string, json: unknown): VendorRequest => ({
	method: 'POST',
	path,
	body: { json },
	idempotent: true,
	bucket,
	...anything,
});

/** The body of a search for an exact value, with the highest limit. */
export const searchFor = (filter: string, value: string): object => ({
	limit: 1000,
	query: { operator: 'AND', operands: [{ filter_name: filter, filter_value: [value] }] },
});

/**
 * Who matches only in a later page would be overlooked.
 *
 * @throws UnusableReply when there is one
 */
export function expectLastPage(
	reply: VendorReply,
	{ next_cursor }: { next_cursor?: string | null | undefined },
): void {
	if (next_cursor) throw new UnusableReply(reply);
}

/**
 * Whether a value can be an id of Stytch's or an external id: a segment of a path without an `@`,
 * which every e-mail address has.
 *
 * @see https://github.com/stytchauth/stytch-node/blob/main/types/lib/b2c/users.d.ts
 */
export const canBeId = (identity: string): boolean => /^(?!\.{1,2}$)[\w.|-]{1,128}$/.test(identity);

export function errorType(reply: VendorReply): string | null {
	const parsed = stytchError.safeParse(reply.body);
	return parsed.success ? parsed.data.error_type : null;
}

export const isError = (reply: VendorReply, status: number, ...types: readonly string[]): boolean =>
	reply.status === status && types.includes(errorType(reply) ?? '');

const isDone = (reply: VendorReply): boolean =>
	reply.status === 200 && done.safeParse(reply.body).success;

/** Reads the answer to the end of something: done, or gone before (a 404 of this type). */
export function judge(reply: VendorReply, goneBefore: string): StepVerdict | undefined {
	if (isDone(reply)) return { verdict: 'ended', changed: true };
	return isError(reply, 404, goneBefore) ? { verdict: 'already_gone' } : undefined;
}

/** The end of the one session that is named. */
export const revokeNamed = (
	{ sessions }: Pick<Product, 'sessions'>,
	name: Readonly<Record<string, string>>,
): Pick<RevokeStep, 'request' | 'judge'> => ({
	request: post(`${sessions}/revoke`, 'sessions/revoke', name),
	judge: (reply) => judge(reply, 'session_not_found'),
});

/** A session as the contract has it; `owner`: whose it is. */
interface OwnedSession extends Session {
	owner: string;
}

export const asSession = (id: string, owner: string, raw: StytchSession): OwnedSession => ({
	id,
	owner,
	kind: 'session',
	device: raw.attributes?.user_agent ?? null,
	address: raw.attributes?.ip_address ?? null,
	startedAt: raw.started_at ?? null,
	lastUsedAt: raw.last_accessed_at ?? null,
	expiresAt: raw.expires_at ?? null,
	raw,
});

/**
 * The sessions of a list, all of which have to be those of the one who was asked about.
 *
 * @throws UnusableReply when one is not
 */
export function sessionsOfHolder(
	reply: VendorReply,
	{ id }: Holder,
	sessions: readonly OwnedSession[],
): readonly Session[] {
	if (sessions.some(({ owner }) => owner !== id)) throw new UnusableReply(reply);
	return sessions.map(({ owner: _, ...session }) => session);
}
