/**
 * Any other system, by a description of its API in the credential: the requests are the user's, whom
 * they are about and what came of them is decided here.
 */
import { z } from 'zod';
import {
	defineConnector,
	hasDomain,
	type Inquiry,
	type Listing,
	type Lookup,
	oneOrMany,
	type RevokeStep,
	sameName,
	type StepVerdict,
	UnusableReply,
	type User,
	type VendorReply,
} from '../core/connector';
import {
	type Active,
	activeIn,
	cut,
	describedRequest,
	entriesOf,
	hasStatus,
	idIn,
	isOfApi,
} from './answers';
import { access, type CustomCredential, fields, NOBODY, probe, schema } from './credential';
import type { Description, ListSessions } from './description';
import { at, namesIn, textAt } from './pointer';
import { namesInBraces, type Template, textsOf, type Values } from './template';

/** Whom the requests are about, by placeholder. */
type Account = Values & { user: string };

type Provider = Pick<CustomCredential, 'provider'>;

const NO_LOOKUP = 'The provider description has no lookup';

function* lookUp(identity: string, { lookup }: Description): Inquiry<Lookup<Account>> {
	if (!lookup) return unknown(identity);
	const { reply, entries, isWhole } = yield* entriesOf('lookup', lookup, { user: identity });
	if (entries === null) return { found: 'none', reply };
	const users = entries.map((entry): User => ({
		id: idIn(reply, 'lookup', entry, lookup.id),
		login: textAt(entry, lookup.login),
		email: textAt(entry, lookup.email),
		displayName: textAt(entry, lookup.displayName),
		status: stateAt(entry, lookup.status),
	}));
	const named = users.filter(
		({ id, login }) => sameName(id, identity) || sameName(login, identity),
	);
	if (named.length > 0) return among(reply, identity, named);
	if (!isWhole) throw new UnusableReply(reply, cut('lookup'));
	const reached = hasDomain(identity) ? users.filter(({ email }) => sameName(email, identity)) : [];
	return among(reply, identity, reached);
}

/** Without a look-up the identity is all that there is. A star could stand for everybody. */
function unknown(identity: string): Lookup<Account> {
	if (identity.includes('*')) {
		const why = `${NO_LOOKUP}, and the system could read a star as a pattern that means several users`;
		return { found: 'refused', refusal: { cause: 'unsupported_user', why } };
	}
	return {
		found: 'unknown',
		reply: null,
		account: { user: identity, userId: identity },
		why: `${NO_LOOKUP}, so whether there is such a user is not known`,
		missingPermissions: [],
		suffices: true,
	};
}

const among = (reply: VendorReply, identity: string, users: readonly User[]): Lookup<Account> =>
	oneOrMany(
		reply,
		users,
		(decisive, user) => ({
			found: 'one',
			reply: decisive,
			user,
			account: { user: identity, userId: user.id, login: user.login, email: user.email },
		}),
		(user) => user,
	);

function stateAt(entry: unknown, pointer: string | undefined): string | null {
	const state = pointer === undefined ? undefined : at(entry, pointer);
	if (typeof state !== 'boolean') return textAt(entry, pointer);
	return `${namesIn(pointer ?? '').at(-1) ?? ''}: ${state}`;
}

interface Sessions {
	reply: VendorReply;
	active: readonly Active[];
	isWhole: boolean;
}

/** @throws UnusableReply when the answer says that there is no such user */
function* sessionsOf(
	account: Account,
	list: ListSessions,
	most: number | null = null,
): Inquiry<Sessions> {
	// Ended sessions among the entries do not count, so how many are needed is not known beforehand.
	const needed = list.active ? null : most;
	const { reply, entries, isWhole } = yield* entriesOf('listSessions', list, account, needed);
	if (entries === null) {
		throw new UnusableReply(reply, {
			cause: 'unexpected_reply',
			advice: 'it says that there is no such user any more; look the user up again',
		});
	}
	return { reply, active: activeIn(reply, entries, list), isWhole };
}

function* allSessionsOf(account: Account, list: ListSessions): Inquiry<readonly Active[]> {
	const { reply, active, isWhole } = yield* sessionsOf(account, list);
	if (!isWhole) throw new UnusableReply(reply, cut('listSessions'));
	return active;
}

/** What an answer to an end says by its status: that is all that a description knows. */
function verdictOf(
	reply: VendorReply,
	{
		success,
		notFound,
		nothingToRevoke,
	}: Pick<ListSessions, 'success' | 'notFound' | 'nothingToRevoke'>,
	done: () => StepVerdict | undefined,
): StepVerdict | undefined {
	if (hasStatus(reply, success)) return done();
	if (hasStatus(reply, nothingToRevoke)) return { verdict: 'already_gone' };
	return hasStatus(reply, notFound) ? { verdict: 'user_gone' } : undefined;
}

/**
 * The request that ends everything at once.
 *
 * @param listed the sessions that are to end; null when they are not known
 */
function endAll(
	all: Description['revokeAll'] & object,
	account: Account,
	listed: readonly Active[] | null,
): RevokeStep {
	return {
		request: describedRequest('revokeAll', all, account),
		ends: ['sessions'],
		...(listed ? { count: listed.length, sessions: listed.map(({ id }) => id) } : {}),
		judge: (reply) =>
			verdictOf(reply, all, () => {
				const count = all.count === undefined ? undefined : at(reply.body, all.count);
				if (all.count !== undefined && !Number.isInteger(count)) return undefined;
				return count === 0 || (count === undefined && listed?.length === 0)
					? { verdict: 'already_gone' }
					: { verdict: 'ended', changed: count === undefined ? null : true };
			}),
	};
}

/**
 * The request that ends one session.
 *
 * @param isListed it surely was there before; otherwise the answer alone does not tell
 */
const endOne = (
	one: Description['revokeSession'] & object,
	account: Account,
	{ id, token }: Pick<Active, 'id' | 'token'>,
	isListed: boolean,
): Pick<RevokeStep, 'request' | 'judge'> => ({
	request: describedRequest('revokeSession', one, {
		...account,
		sessionId: id,
		sessionToken: token,
	}),
	judge: (reply) => verdictOf(reply, one, () => ({ verdict: 'ended', changed: isListed || null })),
});

function planOf(
	{ listSessions: list, revokeAll: all, revokeSession: one }: Description,
	account: Account,
): readonly (RevokeStep | Listing)[] {
	if (!list) return all ? [endAll(all, account, null)] : [];
	if (all) {
		// The list is for the numbers, and to know old sessions from new ones afterwards.
		const counted: Listing = {
			lists: 'sessions',
			list: function* () {
				return [endAll(all, account, yield* allSessionsOf(account, list))];
			},
			orElse: [endAll(all, account, null)],
		};
		return [counted];
	}
	if (!one) return [];
	const composed: Listing = {
		lists: 'sessions',
		list: function* () {
			const active = yield* allSessionsOf(account, list);
			return active.map((session) => ({
				...endOne(one, account, session, true),
				ends: ['sessions'],
				count: 1,
				sessions: [session.id],
			}));
		},
	};
	return [composed];
}

const names = (template: Template | undefined): ReadonlySet<string> =>
	new Set(template ? textsOf(template).flatMap(namesInBraces) : []);

/** Whose it is decides which session is meant, or which token it has. */
function isSessionOfUser({ provider }: Provider): boolean {
	const named = names(provider.revokeSession);
	return ['user', 'userId', 'login', 'email', 'sessionToken'].some((name) => named.has(name));
}

/** The one session of somebody's that has this id; none when there is no such session. */
function* findSession(
	account: Account,
	list: ListSessions,
	id: string,
): Inquiry<readonly Active[]> {
	return (yield* allSessionsOf(account, list)).filter((session) => session.id === id);
}

export const custom = defineConnector<CustomCredential, Account, object>({
	key: 'custom',
	title: 'Custom Provider',
	titleOf: ({ provider }) => provider.name,
	node: {
		className: 'CustomSessions',
		displayName: 'Custom Provider Sessions',
		description:
			'End the sessions of users in any system, by a description of its API or by a workflow of your own',
		icon: 'custom',
		alias: ['HTTP', 'API', 'Sign Out', 'Log Out', 'Incident Response', 'Identity'],
	},
	docs: 'custom',
	userPlaceholder: 'e.g. jane@example.com',
	operations: ['retrieveUser', 'revokeAllSessions', 'listSessions', 'revokeSession', 'checkSetup'],
	options: { fields: [], schema: z.object({}).strict() },
	credential: {
		name: 'customSessionsApi',
		displayName: 'Custom Provider Sessions API',
		fields,
		schema,
		test: {
			baseUrlField: 'baseUrl',
			probe,
			needs: 'what the look-up of users needs there',
		},
	},
	access,
	requestId: { header: 'x-request-id' },
	errorCode: () => null,
	explain(reply) {
		const { status } = reply;
		const saysItself = status < 400 || status >= 500 || [401, 403, 429].includes(status);
		if (saysItself || !isOfApi(reply)) return undefined;
		return {
			cause: 'unexpected_reply',
			advice: `the provider description gives this status no meaning here; check its path, or name the status in 'notFound' or 'nothingToRevoke' if it means that`,
		};
	},
	unsupported(operation, { provider }) {
		const needed = {
			retrieveUser: 'lookup',
			listSessions: 'listSessions',
			revokeSession: 'revokeSession',
		} as const;
		const member = operation in needed ? needed[operation as keyof typeof needed] : undefined;
		return member === undefined || provider[member]
			? null
			: `The provider description has no ${member}, so ${provider.name} cannot be asked for that`;
	},

	*lookUp(identity, { credential }) {
		return yield* lookUp(identity, credential.provider);
	},

	endedOutcome: 'revoked',
	revocation: (account, { credential }) => planOf(credential.provider, account),

	*listSessions(account, { credential, limit }) {
		const { listSessions: list } = credential.provider;
		if (!list) return [];
		const { reply, active, isWhole } = yield* sessionsOf(account, list, limit);
		const isEnough = limit !== null && active.length >= limit;
		if (!isWhole && !isEnough) throw new UnusableReply(reply, cut('listSessions'));
		return active.map(({ id, raw }) => ({
			id,
			kind: 'session',
			device: null,
			address: null,
			startedAt: null,
			lastUsedAt: null,
			expiresAt: null,
			raw,
		}));
	},

	revokeOne: {
		placeholder: 'e.g. 5d1f7a2c-0b1e-4f6e-9a53-1c2d3e4f5a6b',
		ofUserWith: isSessionOfUser,
		step({ value }, account, { credential }) {
			const { listSessions: list, revokeSession: one } = credential.provider;
			if (!one) return { cause: 'unsupported_user', why: 'Single sessions cannot be ended' };
			const whose = account ?? { user: '' };
			if (!list || !names(one).has('sessionToken')) {
				const session = { id: value, token: null };
				return { ...endOne(one, whose, session, false), ends: ['session'] };
			}
			return {
				lists: 'sessions',
				*list() {
					const found = yield* findSession(whose, list, value);
					return found.map((session) => ({
						...endOne(one, whose, session, true),
						ends: ['session'],
					}));
				},
			};
		},
	},

	readBack: {
		method: 'list of sessions',
		polls: [0, 500, 1000],
		// A status that means "nothing to revoke" could come from somebody else on the way.
		alsoOfNothing: true,
		isPossible: ({ credential }) => credential.provider.listSessions !== undefined,
		*read(account, _, { credential, sent }) {
			const { listSessions: list } = credential.provider;
			if (!list) return { seen: 'not_yet' };
			const { active, isWhole } = yield* sessionsOf(account, list);
			const before = new Set(sent.flatMap(({ sessions = [] }) => sessions));
			const remaining = active.filter(({ id }) => before.has(id)).length;
			if (remaining > 0) return { seen: 'residue', remaining };
			return isWhole && active.length === 0 ? { seen: 'confirmed' } : { seen: 'not_yet' };
		},
	},

	survives: () => [
		{
			what: 'access that the description does not end',
			forMs: null,
			note: 'Tokens, remembered devices and the sessions of apps end only if the described requests end them',
		},
	],

	*checkSetup({ credential: { provider } }) {
		const { lookup } = provider;
		if (!lookup) {
			const what = `${NO_LOOKUP.toLowerCase()}, so nothing can be asked without ending sessions`;
			return { missingPermissions: [], unproved: null, problem: { cause: 'configuration', what } };
		}
		yield* entriesOf('lookup', lookup, { user: NOBODY }, 1);
		const unproved = 'Whether it may also list and end sessions shows only when it is done';
		return { missingPermissions: [], unproved };
	},
});
