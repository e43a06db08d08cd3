/** Who of the accounts in an alert may be acted upon. Decided here once, for every source. */
import type { Account, Alert, AlertMeta, Identity } from './contract';
import { isSomebody, nameOf, strongNames, UNTOLD } from './values';

/** `source`: null when nobody knows whose alert it is. */
type KnownAlert = AlertMeta & { source: string | null };

/** One person whom an alert is about. */
export interface Identified {
	/** The best of the identities: what to look the user up by. */
	user: string;
	/** What one place of the alert says of the account; never put together from two. */
	identities: readonly Identity[];
	notes: readonly string[];
	alert: KnownAlert;
}

/** An alert, or a part of it, on which nobody should act without a person having looked. */
export interface NotIdentified {
	user: null;
	identities: readonly [];
	/** One sentence without a final full stop. */
	reason: string;
	/** Who could be meant. */
	candidates: readonly Identity[];
	notes: readonly string[];
	alert: KnownAlert;
}

export type Finding = Identified | NotIdentified;

/** More accounts than this in one alert are never acted upon. */
export const MAX_ACCOUNTS = 200;

const knownAs = ({ id, ...others }: AlertMeta, source: string | null): KnownAlert => ({
	id,
	source,
	...others,
});

/** What cannot be read at all, with the reason. */
export const unreadable = (reason: string, source: string | null = null): NotIdentified =>
	notIdentified(knownAs(UNTOLD, source), reason, []);

/** One finding for each distinct person, and for what nobody should act upon; never none. */
export function findPeople({ meta, accounts }: Alert, source: string): readonly Finding[] {
	const alert = knownAs(meta, source);
	const named = accounts.filter(isSomebody);
	if (named.length > MAX_ACCOUNTS) {
		const reason = `The alert names ${named.length} accounts: more than ${MAX_ACCOUNTS} are no longer one incident`;
		return [notIdentified(alert, reason, [])];
	}
	if (named.length === 0) return [notIdentified(alert, whyNobody(accounts), accounts)];
	const people = distinct(named);
	const concerned = people.filter(({ role }) => role !== 'actor');
	if (concerned.length === 0) return [notIdentified(alert, ONLY_ACTORS, people)];
	return [...Map.groupBy(concerned, groupOf)].map(([group, members]) => {
		const [first] = members;
		return first && isCertain(first)
			? identified(alert, first)
			: notIdentified(alert, typeof group === 'string' ? group : ONLY_NAMES, members);
	});
}

const ONLY_ACTORS =
	'The alert names only who acted upon something, which can be an administrator doing their work';
const ONLY_NAMES =
	'The alert names the account only by what means nothing in another system: find its email address first';

const isCertain = (account: Account): boolean =>
	strongNames(account).length > 0 && account.doubt === undefined;

/** Accounts that share a doubt stand together: it is about which of them is meant. */
const groupOf = (account: Account): Account | string => account.doubt ?? account;

function whyNobody(accounts: readonly Account[]): string {
	return accounts.some(({ isNobody }) => isNobody)
		? 'The alert names no user: what it names is the system itself or a computer'
		: 'The alert names no user where its sender names one';
}

/**
 * Each person once. Nothing is put together: of several places that name the same account, the one
 * that is most certain and says most speaks for all.
 */
function distinct(accounts: readonly Account[]): readonly Account[] {
	const best = [...accounts].sort(
		(one, other) => rank(one) - rank(other) || strongNames(other).length - strongNames(one).length,
	);
	const kept: Account[] = [];
	for (const account of best) if (!kept.some((one) => isSame(account, one))) kept.push(account);
	return accounts.filter((account) => kept.includes(account));
}

function rank(account: Account): number {
	if (account.role === 'actor') return 2;
	return account.doubt === undefined ? 0 : 1;
}

function isSame(account: Account, kept: Account): boolean {
	const names = new Set(kept.identities.map(nameOf));
	if (account.identities.every((identity) => names.has(nameOf(identity)))) return true;
	return strongNames(account).some((name) => names.has(name)) && !contradicts(account, kept);
}

/** Two ids of one directory are two accounts, even where an address is the same. */
const contradicts = (account: Account, other: Account): boolean =>
	(['entraId', 'oktaId'] as const).some((kind) => {
		const [ids, others] = [account, other].map(({ identities }) =>
			identities.filter((one) => one.kind === kind).map(nameOf),
		);
		return ids?.[0] !== undefined && others?.[0] !== undefined && ids[0] !== others[0];
	});

/** Whoever reads them has understood by then. */
const MOST_NOTES = 20;

/** What another system is most likely to know a user by, best first. */
const BEST_FIRST = ['email', 'upn', 'entraId', 'oktaId'] as const;

function identified(alert: KnownAlert, { identities, notes }: Account): Identified {
	const best = BEST_FIRST.flatMap((kind) => identities.filter((one) => one.kind === kind));
	return { user: best[0]?.value ?? '', identities, notes, alert };
}

function notIdentified(
	alert: KnownAlert,
	reason: string,
	accounts: readonly Account[],
): NotIdentified {
	const people = accounts.filter(({ isNobody }) => !isNobody);
	return {
		user: null,
		identities: [],
		reason,
		candidates: people.flatMap(({ identities }) => identities),
		notes: [...new Set(accounts.flatMap(({ notes }) => notes))].slice(0, MOST_NOTES),
		alert,
	};
}
