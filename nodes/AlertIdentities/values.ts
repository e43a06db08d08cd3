/** Single values of an alert: what they are, and what must never be taken for a user. */
import { z } from 'zod';
import { attempt } from '../core/attempt';
import { foldCase, readIdentity } from '../core/identity';
import {
	type Account,
	type AlertMeta,
	type Confidence,
	type Identity,
	type IdentityKind,
	type Role,
	UnreadableAlert,
} from './contract';

/** A value and where it stands. */
export interface Place {
	value: unknown;
	path: string;
}

/** A place and what the sender says it holds; `name`: any name, so that its shape decides. */
export interface Named extends Place {
	as: Exclude<IdentityKind, 'login'> | 'name';
}

/** The path of a member below another. */
export const under = (at: string, path: string): string =>
	at === '' || path.startsWith('[') ? at + path : `${at}.${path}`;

/** A value by one of several names: senders spell the same member differently from version to version. */
export function firstOf(at: string, members: Readonly<Record<string, unknown>>): Place {
	const entries = Object.entries(members);
	const [name, value] = entries.find(([, one]) => !isBlank(one)) ?? entries[0] ?? ['', undefined];
	return { value, path: under(at, name) };
}

export const isBlank = (value: unknown): boolean =>
	value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

/** Two values as one, such as a name and its domain; none when one of them is missing. */
export function joined(one: Place, separator: '@' | '\\', other: Place): Place {
	const [first, last] = [readIdentity(one.value), readIdentity(other.value)];
	const path = `${one.path} + ${other.path}`;
	if ('problem' in first || 'problem' in last) return { value: undefined, path };
	return { value: first.identity + separator + last.identity, path };
}

/** One account of which several places speak. Places that hold nothing usable are left out. */
export function accountOf(
	role: Role,
	confidence: Exclude<Confidence, 'low'>,
	places: readonly Named[],
): Account {
	const identities: Identity[] = [];
	const notes: string[] = [];
	let isNobody = false;
	for (const { value, path, as } of places.slice(0, MOST_PLACES)) {
		if (isBlank(value)) continue;
		const read = readIdentity(value);
		if ('problem' in read) {
			notes.push(`The value at ${path} was left out: it ${read.problem}`);
			continue;
		}
		const { identity } = read;
		if (isPlaceholder(identity)) continue;
		isNobody ||= isSystemOrComputer(identity);
		const kind = kindOf(identity, as);
		if (kind === null) continue;
		if (identities.some((one) => one.kind === kind && sameText(one.value, identity))) continue;
		const known = STRONG.has(kind) ? confidence : 'low';
		identities.push({ value: identity, kind, role, path, confidence: known });
		if (isGuest(identity)) notes.push(GUEST);
	}
	const account = { role, identities, isNobody, notes };
	return places.length > MOST_PLACES ? { ...account, doubt: CROWD } : account;
}

/** More places than this do not speak of one account. */
const MOST_PLACES = 20;
const CROWD = `The alert gives one user more than ${MOST_PLACES} names`;

/**
 * The accounts of members that the author of a rule fills. One account when each holds one value.
 * A list names several accounts, and nothing says which entries of two lists belong together: then
 * each value is an account of its own.
 */
export function accountsOf(
	role: Role,
	confidence: Exclude<Confidence, 'low'>,
	places: readonly Named[],
): readonly Account[] {
	const values = places.map((place) => ({ ...place, value: single(place.value) }));
	if (!values.some(({ value }) => Array.isArray(value))) {
		return [agreeing(accountOf(role, confidence, values))];
	}
	return values
		.flatMap(({ value, path, as }): readonly Named[] =>
			Array.isArray(value)
				? value.map((one: unknown, index) => ({ value: one, path: `${path}[${index}]`, as }))
				: [{ value, path, as }],
		)
		.map((place) => accountOf(role, confidence, [place]));
}

const single = (value: unknown): unknown =>
	Array.isArray(value) && value.length < 2 ? (value[0] as unknown) : value;

/** An account of which different members say different addresses may be two accounts. */
function agreeing(account: Account): Account {
	const addresses = account.identities.filter(({ kind }) => kind === 'email' || kind === 'upn');
	return new Set(addresses.map(({ value }) => foldCase(value))).size < 2
		? account
		: { ...account, doubt: 'The alert names different addresses where one user was expected' };
}

/** Every account is in doubt, for a reason that they share. */
export const doubtful = (accounts: readonly Account[], doubt: string): readonly Account[] =>
	accounts.map((account) => ({ ...account, doubt }));

/** Whether an account is one at all: named, and neither the system's nor a computer's. */
export const isSomebody = ({ identities, isNobody }: Account): boolean =>
	identities.length > 0 && !isNobody;

/** By these another system finds a user; a name means something in one place only. */
const STRONG: ReadonlySet<IdentityKind> = new Set(['email', 'upn', 'entraId', 'oktaId']);

/** Names that mean the same user wherever they stand: an address is one, be it called e-mail or UPN. */
export const strongNames = ({ identities }: Account): readonly string[] =>
	identities.filter(({ kind }) => STRONG.has(kind)).map(nameOf);

export const nameOf = ({ kind, value }: Identity): string =>
	`${kind === 'upn' ? 'email' : kind} ${foldCase(value)}`;

const GUEST =
	'The user is a guest in Microsoft Entra: the sessions of the home organization are not reached from there';

const isGuest = (identity: string): boolean => /#ext#@/i.test(identity);

const sameText = (one: string, other: string): boolean => foldCase(one) === foldCase(other);

/**
 * No blanks, brackets or separators: "Jane <jane@example.com>" and lists of addresses are no address.
 * The last part of a domain is no number: `root@192.0.2.1` is a name on a computer.
 */
const ADDRESS =
	/^[^\s@,;:<>()[\]"\\/|]+@(?:[^\s@,;:<>()[\]"\\/|.]+\.)+(?!\d+$)[^\s@,;:<>()[\]"\\/|.]+$/u;
const GUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;
const SID = /^S-1-\d+(?:-\d+)+$/i;

/** What a value is; null when it cannot be what it is said to be and is no name either. */
function kindOf(identity: string, as: Named['as']): IdentityKind | null {
	if (as === 'entraId') return GUID.test(identity) && !/^[0-]+$/.test(identity) ? as : null;
	if (as === 'oktaId') return /^[\w-]+$/.test(identity) ? as : null;
	if (SID.test(identity)) return 'sid';
	if (as === 'sid') return null;
	if (identity.includes('\\')) return 'samAccount';
	if (ADDRESS.test(identity)) return as === 'upn' || isGuest(identity) ? 'upn' : 'email';
	return as === 'samAccount' ? as : 'login';
}

/** How it looks to a person: without characters that nobody sees, and without letter case. */
const seen = (identity: string): string =>
	foldCase(identity.normalize('NFKC').replace(/\p{Cf}/gu, '')).trim();

const PLACEHOLDERS: ReadonlySet<string> = new Set([
	'-',
	'(null)',
	'<null>',
	'[object object]',
	'anonymous',
	'n/a',
	'nil',
	'none',
	'not available',
	'null',
	'undefined',
	'unknown',
]);

/** Stands where the sender knew no name, or is a variable that the sender did not fill in. */
function isPlaceholder(identity: string): boolean {
	const text = seen(identity);
	if (PLACEHOLDERS.has(text) || /\$\{|\{\{|\}\}|<no value>|^\$[a-z][\w.]*$/.test(text)) return true;
	return /^(?:anonymous|null|undefined|unknown)@/.test(text);
}

const SYSTEM_NAMES: ReadonlySet<string> = new Set([
	'anonymous logon',
	'iusr',
	'krbtgt',
	'local service',
	'local system',
	'localservice',
	'localsystem',
	'network service',
	'networkservice',
	'system',
	'trustedinstaller',
]);
const SYSTEM_DOMAINS =
	/^(?:nt authority|nt service|nt virtual machine|window manager|font driver host|iis apppool)(?:\\|$)|@nt authority$/;

/** SYSTEM and its like, and accounts of computers, which end in a dollar sign. */
function isSystemOrComputer(identity: string): boolean {
	const text = seen(identity);
	// https://learn.microsoft.com/windows-server/identity/ad-ds/manage/understand-security-identifiers:
	// only these two authorities give SIDs to accounts of directories.
	if (SID.test(text)) return !/^s-1-(?:5-21|12-1)-/.test(text);
	const name = text.replace(/^.*\\/, '').replace(/@.*$/, '');
	return (
		name.endsWith('$') ||
		SYSTEM_NAMES.has(name) ||
		SYSTEM_DOMAINS.test(text) ||
		/^(?:dwm|umfd)-\d+$/.test(name)
	);
}

const LONGEST_TEXT = 512;
const LONGEST_URL = 2048;

/** What is told of an alert, made harmless: one line, not endless. */
export function metaOf(meta: Readonly<Record<keyof AlertMeta, unknown>>): AlertMeta {
	return {
		id: textOf(meta.id),
		title: textOf(meta.title),
		severity: textOf(meta.severity),
		detectedAt: timeOf(meta.detectedAt),
		url: urlOf(meta.url),
	};
}

/** Of an alert that tells nothing of itself. */
export const UNTOLD: AlertMeta = {
	id: null,
	title: null,
	severity: null,
	detectedAt: null,
	url: null,
};

function textOf(value: unknown): string | null {
	if (typeof value === 'number' && Number.isFinite(value)) return String(value);
	if (typeof value !== 'string') return null;
	const text = value
		.slice(0, LONGEST_TEXT)
		.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
		.toWellFormed()
		.trim();
	return text === '' ? null : text;
}

/** Later than this many seconds is the year 5138: such a number counts milliseconds. */
const MOST_SECONDS = 1e11;
const ISO = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/i;

/** Seconds or milliseconds since 1970, or ISO 8601, which means UTC where it names no zone. */
function timeOf(value: unknown): string | null {
	const text = typeof value === 'string' ? value.trim() : '';
	const number = /^\d{1,16}(?:\.\d+)?$/.test(text) ? Number(text) : value;
	if (typeof number === 'number') return isoOf(number > MOST_SECONDS ? number : number * 1000);
	const match = text.length > 40 ? null : ISO.exec(text);
	if (!match) return null;
	const zoned = match[1] === undefined ? `${text}Z` : text;
	return isoOf(Date.parse(zoned.replace(/([+-]\d\d)(\d\d)$/, '$1:$2').replace(' ', 'T')));
}

function isoOf(ms: number): string | null {
	const date = new Date(ms);
	return ms > 0 && !Number.isNaN(date.getTime()) ? date.toISOString() : null;
}

function urlOf(value: unknown): string | null {
	if (typeof value !== 'string' || value.length > LONGEST_URL || !URL.canParse(value)) return null;
	const url = new URL(value);
	const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
	return isWeb && url.username === '' && url.password === '' ? url.href : null;
}

const LONGEST_JSON = 16 * 1024 * 1024;

/**
 * JSON that came as text, read once.
 *
 * @param what can follow "The "
 * @throws UnreadableAlert
 */
export function parsed(what: string, text: string): unknown {
	if (text.length > LONGEST_JSON) {
		throw new UnreadableAlert(`The ${what} is longer than ${LONGEST_JSON} characters`);
	}
	const value = attempt(SyntaxError, (): unknown => JSON.parse(text));
	if (value instanceof SyntaxError) throw new UnreadableAlert(`The ${what} is not valid JSON`);
	return bounded(what, value);
}

/** Far more members and entries than alerts have. */
const MOST_MEMBERS = 100_000;

/**
 * A value that is not too large to be looked at. However deep it is, it is walked through without
 * recursion.
 *
 * @param what can follow "The "
 * @throws UnreadableAlert
 */
export function bounded(what: string, value: unknown): unknown {
	const left: unknown[] = [value];
	let members = 0;
	while (left.length > 0) {
		const next = left.pop();
		if (typeof next !== 'object' || next === null) continue;
		const inner: readonly unknown[] = Object.values(next);
		members += inner.length;
		if (members > MOST_MEMBERS) {
			throw new UnreadableAlert(`The ${what} has more than ${MOST_MEMBERS} members`);
		}
		for (const one of inner) left.push(one);
	}
	return value;
}

/** A list, or the JSON of one as text. */
export const listOrText = z.union([z.array(z.unknown()), z.string()]);

/** Any object; its members are read by name. */
export const anyObject = z.object({}).passthrough();

/** A member of an object, by a literal name with dots in it or as nested objects. */
export function memberOf(object: unknown, name: string): unknown {
	const whole = ownOf(object, name);
	if (whole !== undefined) return whole;
	return name.split('.').reduce(ownOf, object);
}

const ownOf = (object: unknown, name: string): unknown =>
	typeof object === 'object' && object !== null && Object.hasOwn(object, name)
		? (object as Record<string, unknown>)[name]
		: undefined;
