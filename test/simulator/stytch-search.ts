/**
 * Searching at Stytch: `limit`, `cursor` and `query` are the same for users, organizations and
 * members; what can be filtered by, and how errors are called, differs.
 */
import { z } from 'zod';
import { StytchRefusal, type StytchErrorType } from './stytch-errors';

/** What may be searched for: the beginning of the names of its errors. */
type Searched = 'user' | 'member' | 'organization';

/** One filter: the type of its value, and whether something passes. */
export type StytchFilter<T> =
	| { value: 'strings'; passes: (one: T, wanted: readonly string[]) => boolean }
	| { value: 'string'; passes: (one: T, wanted: string) => boolean }
	| { value: 'boolean'; passes: (one: T, wanted: boolean) => boolean };

/** A page of what was found. */
export interface StytchPage<T> {
	found: T[];
	/** `total` is -1 where the workspace has totals disabled. */
	metadata: { total: number; next_cursor: string | null };
}

/** What all searches take. */
export const searchSchema = z.object({
	cursor: z.string().optional(),
	limit: z.number().int().optional(),
	query: z
		.object({
			operator: z.string(),
			operands: z
				.array(z.object({ filter_name: z.unknown(), filter_value: z.unknown() }))
				.optional(),
		})
		.optional(),
});

/** A search as it is asked for. */
export type StytchSearch = z.infer<typeof searchSchema>;

const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 1000;

/** How errors are called where the names are not alike; `bad_request` where Stytch lists none. */
const TYPES: Readonly<
	Record<
		Searched,
		Readonly<Record<'strings' | 'boolean' | 'limit' | 'cursor' | 'operator', StytchErrorType>>
	>
> = {
	user: {
		strings: 'user_search_expected_array_of_string',
		boolean: 'user_search_expected_bool',
		limit: 'user_search_invalid_limit',
		cursor: 'user_search_invalid_cursor',
		operator: 'user_search_invalid_operator',
	},
	member: {
		strings: 'member_search_expected_array_of_strings',
		boolean: 'member_search_expected_boolean',
		limit: 'bad_request',
		cursor: 'bad_request',
		operator: 'bad_request',
	},
	organization: {
		strings: 'organization_search_expected_array_of_strings',
		boolean: 'bad_request',
		limit: 'bad_request',
		cursor: 'bad_request',
		operator: 'bad_request',
	},
};

/** Reads one operand; the test that it stands for. */
function operandTest<T>(
	searched: Searched,
	filters: Readonly<Record<string, StytchFilter<T>>>,
	{ filter_name: name, filter_value: value }: { filter_name?: unknown; filter_value?: unknown },
): (one: T) => boolean {
	if (typeof name !== 'string') throw new StytchRefusal(`${searched}_search_missing_filter_name`);
	const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
	if (filter === undefined) {
		throw new StytchRefusal(`${searched}_search_filter_name_not_recognized`);
	}
	if (value === undefined || value === null) {
		throw new StytchRefusal(`${searched}_search_missing_filter_value`);
	}
	switch (filter.value) {
		case 'strings': {
			const wanted = z.array(z.string()).safeParse(value);
			if (!wanted.success) throw new StytchRefusal(TYPES[searched].strings);
			return (one) => filter.passes(one, wanted.data);
		}
		case 'string': {
			if (typeof value !== 'string') throw new StytchRefusal(`${searched}_search_expected_string`);
			return (one) => filter.passes(one, value);
		}
		case 'boolean': {
			if (typeof value !== 'boolean') throw new StytchRefusal(TYPES[searched].boolean);
			return (one) => filter.passes(one, value);
		}
	}
}

/**
 * One page of `all`: a limit from 1 to 1,000 (by default 100), a cursor of the page before, and
 * operands that all have to be true (`AND`) or one of which has (`OR`, deprecated).
 */
export function search<T>(
	searched: Searched,
	all: readonly T[],
	filters: Readonly<Record<string, StytchFilter<T>>>,
	{ cursor, limit = DEFAULT_LIMIT, query }: StytchSearch,
	withTotals: boolean,
): StytchPage<T> {
	if (limit < 1 || limit > HIGHEST_LIMIT) throw new StytchRefusal(TYPES[searched].limit);
	const start = cursor === undefined || cursor === '' ? 0 : decodeCursor(cursor);
	if (start === undefined) throw new StytchRefusal(TYPES[searched].cursor);
	const operator = query?.operator ?? 'AND';
	if (operator !== 'AND' && operator !== 'OR') throw new StytchRefusal(TYPES[searched].operator);
	const tests = (query?.operands ?? []).map((one) => operandTest(searched, filters, one));
	const found = all.filter(
		(one) =>
			tests.length === 0 ||
			(operator === 'AND' ? tests.every((test) => test(one)) : tests.some((test) => test(one))),
	);
	const end = start + limit;
	return {
		found: found.slice(start, end),
		metadata: {
			total: withTotals ? found.length : -1,
			next_cursor: end < found.length ? encodeCursor(end) : null,
		},
	};
}

const encodeCursor = (start: number): string =>
	Buffer.from(`start:${String(start)}`).toString('base64');

function decodeCursor(cursor: string): number | undefined {
	const start = /^start:(\d{1,9})$/.exec(Buffer.from(cursor, 'base64').toString('utf8'))?.[1];
	return start === undefined ? undefined : Number(start);
}

/** Whether a value is one of the wanted ones. */
export const anyOf = (values: readonly string[], wanted: readonly string[]): boolean =>
	wanted.some((one) => values.includes(one));

/** Addresses are compared without case. */
export const sameAddress = (one: string, other: string): boolean =>
	one.toLowerCase() === other.toLowerCase();

/** Whether an address is one of the wanted ones. */
export const anyAddress = (values: readonly string[], wanted: readonly string[]): boolean =>
	wanted.some((one) => values.some((value) => sameAddress(value, one)));

/** Whether a value contains the wanted text, without case. */
export const fuzzy = (values: readonly string[], wanted: string): boolean =>
	values.some((value) => value.toLowerCase().includes(wanted.toLowerCase()));

/** The values that are there. */
export const present = (values: readonly (string | undefined)[]): string[] =>
	values.filter((one) => one !== undefined);

/** The texts that a query wants by one filter; none without the filter. */
export function filterValues({ query }: StytchSearch, name: string): readonly string[] {
	const values = query?.operands?.find((one) => one.filter_name === name)?.filter_value;
	return Array.isArray(values) ? values.filter((one) => typeof one === 'string') : [];
}
