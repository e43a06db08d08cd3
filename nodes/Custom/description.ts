/**
 * The description of an API as data: which requests look a user up, list sessions and end them, and
 * how their answers are read. It is a boundary of security: whatever is no plain data, could send a
 * request elsewhere or could end the sessions of somebody else is refused before anything is sent.
 */
import { z } from 'zod';
import { namesIn, pointerForm } from './pointer';
import { isPathTemplate, namesInBraces, type Placeholder, placeholders, textsOf } from './template';

/** The longest description, in characters. */
const LONGEST = 65_536;
const DEEPEST = 24;

const NEVER_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * What is wrong with data that a description could not be: only objects, lists, texts, numbers,
 * booleans and null are data, and no text is an expression.
 */
function problemOfData(value: unknown, where: string, depth = 0): string | null {
	if (depth > DEEPEST) return `${where} is nested too deep`;
	if (typeof value === 'string') return /\{\{|\$\{/.test(value) ? `${where} ${EXPRESSION}` : null;
	if (value === null || typeof value === 'boolean' || Number.isFinite(value)) return null;
	if (typeof value !== 'object' || !isPlain(value)) return `${where} is not data`;
	for (const [name, inner] of Object.entries(value)) {
		const place = where === 'it' ? name : `${where}.${name}`;
		if (NEVER_NAMES.has(name)) return `${where} has a member '${name}', which is refused`;
		if (namesInBraces(name).length > 0) return `${place} has a placeholder in its name`;
		const problem = problemOfData(inner, place, depth + 1);
		if (problem !== null) return problem;
	}
	return null;
}

const EXPRESSION = 'holds an expression; placeholders such as {userId} are all that is filled in';

/** Object.prototype is another one in each realm: the one that ends the chain. */
function isPlain(value: object): boolean {
	const prototype: unknown = Object.getPrototypeOf(value);
	if (Array.isArray(value) || prototype === null) return true;
	return typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null;
}

const text = z.string().min(1, 'is empty');
const pointer = z
	.string()
	.regex(pointerForm, 'is not a JSON pointer, such as /data/id')
	.refine((to) => !namesIn(to).some((name) => NEVER_NAMES.has(name)), 'names what is no data');
const status = z
	.number()
	.int('is not a whole number')
	.min(200, 'is below 200')
	.max(499, 'is above 499');
const statuses = z.array(status);

/** Headers by which a request could become another one, and those that carry secrets or belong to the transport. */
const REFUSED_HEADERS =
	/^(?:host|authorization|cookie|proxy-.*|content-length|content-encoding|transfer-encoding|accept-encoding|connection|keep-alive|te|trailer|upgrade|expect|forwarded|x-forwarded-.*|x-original-.*|x-rewrite-.*|x-http-method.*|x-method-override)$/i;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:;.*)?$/i;

/** The name of a header. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
export const headerForm = /^[\w!#$%&'*+.^`|~-]+$/;

const headers = z.record(z.string()).superRefine((given, context) => {
	for (const [name, value] of Object.entries(given)) {
		const wrong = (message: string): void =>
			context.addIssue({ code: 'custom', path: [name], message });
		if (!headerForm.test(name)) wrong('is not the name of a header');
		if (REFUSED_HEADERS.test(name)) wrong('is a header that cannot be described');
		if (!/^[\x20-\x7e]*$/.test(value)) wrong('has characters that no header has');
		if (namesInBraces(value).length > 0) wrong('is a header, which takes no placeholders');
		if (/^content-type$/i.test(name) && !JSON_TYPE.test(value)) wrong('must be JSON');
	}
});

const query = z.record(
	z.union([z.string(), z.number(), z.boolean()]).transform((value) => String(value)),
);

/** What every request has. */
const call = z.object({
	method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
	path: z
		.string()
		.startsWith('/', 'must begin with /')
		.refine(
			isPathTemplate,
			'must stay below the base URL: no query, no dot segments, nothing that is not percent-encoded',
		),
	query: query.optional(),
	headers: headers.optional(),
	body: z.unknown(),
	success: statuses.min(1, 'is empty'),
	notFound: statuses.default([]),
	nothingToRevoke: statuses.default([]),
});

type Call = z.infer<typeof call>;

/**
 * What tells that there are more entries than an answer holds, and the query parameter that asks for
 * them: an answer with `size` entries and how many came before, or the value that stands at `next`.
 */
const pages = z.union([
	z
		.object({
			size: z.number().int().min(1, 'is below 1').max(10_000, 'is above 10000'),
			offset: text.optional(),
		})
		.strict(),
	z.object({ next: pointer, query: text.optional() }).strict(),
]);

export type Pages = z.infer<typeof pages>;

const lookup = call
	.extend({
		method: z.enum(['GET', 'POST']),
		items: pointer.optional(),
		id: pointer,
		login: pointer.optional(),
		email: pointer.optional(),
		displayName: pointer.optional(),
		status: pointer.optional(),
		pages: pages.optional(),
	})
	.strict();

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const listSessions = call
	.extend({
		method: z.enum(['GET', 'POST']),
		items: pointer.default(''),
		id: pointer,
		active: z.object({ pointer, equals: scalar }).strict().optional(),
		token: pointer.optional(),
		pages: pages.optional(),
	})
	.strict();

const revokeAll = call.extend({ count: pointer.optional() }).strict();
const revokeSession = call.strict();

const USER: readonly Placeholder[] = ['user', 'userId', 'login', 'email'];
const SESSION: readonly Placeholder[] = ['sessionId', 'sessionToken'];

/** Which placeholders a request may have, and of which it needs one so that it is about somebody. */
const MEANT = {
	lookup: { may: ['user'], needs: [] },
	listSessions: { may: USER, needs: USER },
	revokeAll: { may: USER, needs: USER },
	revokeSession: { may: placeholders, needs: SESSION },
} as const satisfies Record<string, { may: readonly string[]; needs: readonly string[] }>;

const kinds = Object.keys(MEANT) as (keyof typeof MEANT)[];

const inBraces = (names: readonly string[]): string =>
	names.map((name) => `{${name}}`).join(' or ');

const description = z
	.object({
		name: text
			.max(80, 'is longer than 80 characters')
			.regex(/^[^\p{Cc}<>]*$/u, 'is not plain text'),
		lookup: lookup.optional(),
		listSessions: listSessions.optional(),
		revokeAll: revokeAll.optional(),
		revokeSession: revokeSession.optional(),
	})
	.strict()
	.superRefine((described, context) => {
		const wrong = (path: readonly string[], message: string): void =>
			context.addIssue({ code: 'custom', path: [...path], message });
		for (const kind of kinds) {
			const one = described[kind];
			if (one) checkCall(one, MEANT[kind], (member, what) => wrong([kind, ...member], what));
		}
		checkWhole(described, wrong);
	});

export type Description = z.infer<typeof description>;
export type Lookup = Description['lookup'] & object;
export type ListSessions = Description['listSessions'] & object;

type Wrong = (path: readonly string[], message: string) => void;

function checkCall(
	one: Call,
	{ may, needs }: { may: readonly string[]; needs: readonly string[] },
	wrong: Wrong,
): void {
	const named = new Set(textsOf(one).flatMap(namesInBraces));
	for (const name of named) {
		if (!may.includes(name))
			wrong([], `has the placeholder {${name}}, which is not filled in here`);
	}
	if (needs.length > 0 && !needs.some((name) => named.has(name))) {
		wrong([], `says nothing of whom it is about: it needs ${inBraces(needs)}`);
	}
	// Addresses are written into logs on the way.
	const inAddress = [one.path, ...Object.values(one.query ?? {})].flatMap(namesInBraces);
	if (inAddress.includes('sessionToken')) wrong([], 'has {sessionToken} outside of its body');
	if (one.method === 'GET' && one.body !== undefined) wrong(['body'], 'cannot be sent with GET');
	for (const name of Object.keys(one.query ?? {})) {
		if (!/^[^{}\p{Cc}]+$/u.test(name)) wrong(['query', name], 'is not the name of a parameter');
	}
	const all = [...one.success, ...one.notFound, ...one.nothingToRevoke];
	const twice = all.find((code, place) => all.indexOf(code) !== place);
	if (twice !== undefined) wrong([], `has the status ${twice} twice`);
}

/** What each request needs of the others. */
function checkWhole(described: Omit<Description, 'name'>, wrong: Wrong): void {
	const { lookup: found, listSessions: list, revokeAll: all, revokeSession: one } = described;
	if (!all && !(list && one)) {
		wrong([], 'describes no way to end all sessions: revokeAll, or listSessions and revokeSession');
	}
	if (list && list.token === list.id) {
		wrong(
			['listSessions', 'token'],
			'is the ID too, which is shown and stored: it is no secret then',
		);
	}
	for (const kind of ['listSessions', 'revokeAll', 'revokeSession'] as const) {
		const named = textsOf(described[kind] ?? { method: 'GET', path: '' }).flatMap(namesInBraces);
		for (const name of ['login', 'email'] as const) {
			if (named.includes(name) && !found?.[name]) {
				wrong([kind], `has the placeholder {${name}}, for which lookup.${name} is missing`);
			}
		}
		if (named.includes('sessionToken') && !list?.token) {
			wrong([kind], 'has the placeholder {sessionToken}, for which listSessions.token is missing');
		}
	}
}

/** Messages that can follow the member that they are about. */
const errorMap: z.ZodErrorMap = (issue, { defaultError }) => {
	switch (issue.code) {
		case 'invalid_type':
			return issue.received === 'undefined'
				? { message: 'is missing' }
				: { message: `must be ${issue.expected}, not ${issue.received}` };
		case 'unrecognized_keys':
			return { message: `has the unknown member '${issue.keys[0] ?? ''}'` };
		case 'invalid_enum_value':
			return { message: `must be one of ${issue.options.join(', ')}` };
		default:
			return { message: defaultError };
	}
};

/**
 * Reads a description, as text or as the object that an expression gave.
 *
 * @returns the description, or what is wrong with it, as a sentence that can follow "The field 'X' "
 */
export function readDescription(
	given: unknown,
): { description: Description } | { problem: string } {
	if (given === undefined || given === null || (typeof given === 'string' && given.trim() === '')) {
		return { problem: 'is empty: put the description of the API there' };
	}
	let data: unknown = given;
	if (typeof given === 'string') {
		if (given.length > LONGEST) return { problem: `is longer than ${LONGEST} characters` };
		try {
			data = JSON.parse(given) as unknown;
		} catch {
			return { problem: 'is not valid JSON' };
		}
	}
	const noData = problemOfData(data, 'it');
	if (noData !== null) return { problem: `cannot be used: ${noData}` };
	const parsed = description.safeParse(data, { errorMap });
	if (parsed.success) return { description: parsed.data };
	const [issue] = parsed.error.issues;
	const where = issue?.path.join('.') ?? '';
	return { problem: `cannot be used: ${where === '' ? 'it' : where} ${issue?.message ?? ''}` };
}
