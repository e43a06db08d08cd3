/**
 * Consumer projects: users. No request ends all sessions of a user, so they are listed and each is
 * ended.
 *
 * @see https://stytch.com/docs/api-reference/consumer/api/sessions/revoke-session
 */
import {
	expectJson,
	type Inquiry,
	oneOrMany,
	path,
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
	post,
	type Product,
	revokeNamed,
	searchFor,
	sessionsOfHolder,
	type StytchLookup,
} from './product';
import { type StytchUser, user, users, userSessions } from './replies';

const SESSIONS = '/v1/sessions';

/** Limited to 150 a minute. https://stytch.com/docs/api-reference/consumer/api/users/search-users */
const search = (body: object) => post('/v1/users/search', 'users/search', body);

function* lookUp(identity: string): Inquiry<StytchLookup> {
	if (canBeId(identity)) return yield* lookUpById(identity);
	const reply = yield search(searchFor('email_address', identity));
	const { results, results_metadata } = expectJson(reply, users);
	expectLastPage(reply, results_metadata);
	const owners = results.filter(({ emails }) =>
		emails.some(({ email }) => sameName(email, identity)),
	);
	const matches = owners.map((owner) => ({ ...owner, id: owner.user_id }));
	return oneOrMany(reply, matches, one, asUser);
}

/** Takes an id of Stytch's and an external id. */
function* lookUpById(id: string): Inquiry<StytchLookup> {
	const reply = yield get(path`/v1/users/${id}`, 'users/{id}');
	const isNobody =
		isError(reply, 404, 'user_not_found') || isError(reply, 400, 'invalid_user_id', 'invalid_id');
	if (isNobody) return { found: 'none', reply };
	const found = expectJson(reply, user);
	const isMeant = found.user_id === id || found.external_id === id;
	return isMeant ? one(reply, found) : { found: 'none', reply };
}

const one = (reply: VendorReply, found: StytchUser): StytchLookup => ({
	found: 'one',
	reply,
	user: asUser(found),
	account: [{ id: found.user_id, organizationId: null }],
});

/** Stytch's users have no sign-in name beside their addresses: the first stands for it. */
function asUser({ user_id, external_id, emails, name, status, is_locked }: StytchUser): User {
	const [email = null, ...others] = emails.map((one) => one.email);
	const names = [name?.first_name, name?.middle_name, name?.last_name].filter(Boolean).join(' ');
	const otherNames = [...others, ...(external_id ? [external_id] : [])];
	return {
		id: user_id,
		login: email,
		email,
		displayName: names === '' ? null : names,
		status: is_locked ? 'locked' : status,
		...(otherNames.length > 0 ? { otherNames } : {}),
	};
}

export const consumer: Product = {
	sessions: SESSIONS,
	sessionId: 'session_id',
	lookUp,
	probe: () => search({ limit: 1 }),
	readProbe: (reply) => void expectJson(reply, users),

	/** @see https://stytch.com/docs/api-reference/consumer/api/sessions/get-sessions */
	sessionsOf: ({ id }) => get(SESSIONS, 'sessions', { user_id: id }),

	readSessions(reply, holder) {
		const { sessions } = expectJson(reply, userSessions);
		const owned = sessions.map((raw) => asSession(raw.session_id, raw.user_id, raw));
		return sessionsOfHolder(reply, holder, owned);
	},

	revokeSessions: (holder) => ({
		lists: 'sessions',
		*list() {
			const sessions = consumer.readSessions(yield consumer.sessionsOf(holder), holder);
			return sessions.map(({ id }) => ({
				...revokeNamed(consumer, { session_id: id }),
				ends: ['sessions'],
				count: 1,
			}));
		},
	}),

	connectedApps: ({ id }) => path`/v1/users/${id}/connected_apps`,
};
