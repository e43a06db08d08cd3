/**
 * B2B projects: members of organizations. Whoever belongs to several organizations is a member of each,
 * with sessions in each.
 *
 * @see https://stytch.com/docs/api-reference/b2b/api/sessions/revoke-session
 */
import {
	expectJson,
	type Inquiry,
	oneOrMany,
	path,
	type RevokeStep,
	sameName,
	type User,
	type VendorReply,
} from '../core/connector';
import {
	asSession,
	canBeId,
	expectLastPage,
	get,
	isError,
	judge,
	post,
	type Product,
	searchFor,
	sessionsOfHolder,
	type StytchLookup,
} from './product';
import { members, memberSessions, type StytchMember } from './replies';

const SESSIONS = '/v1/b2b/sessions';

/** Limited to 100 a minute. https://stytch.com/docs/api-reference/b2b/api/members/search-members */
const search = (body: object) =>
	post('/v1/b2b/organizations/members/search', 'members/search', body);

/** The memberships of one person. */
type Person = readonly [StytchMember, ...StytchMember[]];

/** An id is that of one membership; an address, and an external id, is the person's in each organization. */
function* lookUp(identity: string, organizationIds: readonly string[]): Inquiry<StytchLookup> {
	const isId = canBeId(identity);
	const body = searchFor(isId ? 'member_ids' : 'member_emails', identity);
	const reply = yield search({ organization_ids: organizationIds, ...body });
	const { members: found, results_metadata } = expectJson(reply, members);
	expectLastPage(reply, results_metadata);
	const meant = found.filter(({ member_id, external_id, email_address }) =>
		isId ? member_id === identity || external_id === identity : sameName(email_address, identity),
	);
	const people = personsIn(meant).map((person) => ({ id: person[0].member_id, person }));
	return oneOrMany(reply, people, one, asUser);
}

/** Memberships of one address are one person's. */
function personsIn(found: readonly StytchMember[]): readonly Person[] {
	const distinct = [...new Map(found.map((member) => [member.member_id, member])).values()];
	const persons: [StytchMember, ...StytchMember[]][] = [];
	for (const member of distinct) {
		const same = persons.find(([{ email_address }]) =>
			sameName(email_address, member.email_address),
		);
		if (same) same.push(member);
		else persons.push([member]);
	}
	return persons;
}

const holderOf = ({ member_id, organization_id }: StytchMember) => ({
	id: member_id,
	organizationId: organization_id,
});

function one(reply: VendorReply, { person }: { person: Person }): StytchLookup {
	const [first, ...others] = person;
	const account = [holderOf(first), ...others.map(holderOf)] as const;
	return { found: 'one', reply, user: asUser({ person }), account };
}

function asUser({ person }: { person: Person }): User {
	const [first, ...others] = person;
	const externalIds = person.flatMap(({ external_id }) => external_id ?? []);
	const otherNames = [...others.map(({ member_id }) => member_id), ...new Set(externalIds)];
	const states = person.map(({ status, is_locked }) => (is_locked ? 'locked' : status));
	return {
		id: first.member_id,
		login: first.email_address,
		email: first.email_address,
		displayName: person.map(({ name }) => name).find(Boolean) ?? null,
		status: [...new Set(states)].join(', '),
		...(otherNames.length > 0 ? { otherNames } : {}),
	};
}

/**
 * Ends all sessions of a member.
 *
 * @param count how many there are; undefined when that is not known
 */
const revokeMember = (id: string, count?: number): RevokeStep => ({
	request: post(`${SESSIONS}/revoke`, 'sessions/revoke', { member_id: id }),
	ends: ['sessions'],
	...(count === undefined ? {} : { count }),
	judge(reply) {
		if (isError(reply, 404, 'member_not_found')) return { verdict: 'user_gone' };
		const verdict = judge(reply, 'session_not_found');
		if (verdict?.verdict !== 'ended') return verdict;
		// Stytch answers the same whether there were sessions or not.
		return count === 0 ? { verdict: 'already_gone' } : { verdict: 'ended', changed: null };
	},
});

export const b2b: Product = {
	sessions: SESSIONS,
	sessionId: 'member_session_id',
	lookUp,
	probe: (organizationIds) => search({ organization_ids: organizationIds, limit: 1 }),
	readProbe: (reply) => void expectJson(reply, members),

	/** @see https://stytch.com/docs/api-reference/b2b/api/sessions/get-sessions */
	sessionsOf: ({ id, organizationId }) =>
		get(SESSIONS, 'sessions', { organization_id: organizationId ?? '', member_id: id }),

	readSessions(reply, holder) {
		const { member_sessions } = expectJson(reply, memberSessions);
		const owned = member_sessions.map((raw) =>
			asSession(raw.member_session_id, raw.member_id, raw),
		);
		return sessionsOfHolder(reply, holder, owned);
	},

	/** Listed for the numbers alone: a member is ended as a whole, and a session that began meanwhile too. */
	revokeSessions: (holder) => ({
		lists: 'sessions',
		*list() {
			const sessions = b2b.readSessions(yield b2b.sessionsOf(holder), holder);
			return [revokeMember(holder.id, sessions.length)];
		},
		orElse: [revokeMember(holder.id)],
	}),

	connectedApps: ({ id, organizationId }) =>
		path`/v1/b2b/organizations/${organizationId ?? ''}/members/${id}/connected_apps`,
};
