/** Requests as a description has them, with what they are about filled in. */
import { InvalidInput, isSafePath, path as pathOf, type VendorRequest } from '../core/connector';

/** Whom and what a request is about; null: it is not known. */
export type Values = Readonly<Partial<Record<Placeholder, string | null>>>;

export const placeholders = [
	'user',
	'userId',
	'login',
	'email',
	'sessionId',
	'sessionToken',
] as const;

export type Placeholder = (typeof placeholders)[number];

/** The part of a described request that becomes a request. */
export interface Template {
	method: VendorRequest['method'];
	path: string;
	query?: Readonly<Record<string, string>> | undefined;
	headers?: Readonly<Record<string, string>> | undefined;
	body?: unknown;
}

const placeholder = /\{(\w+)\}/g;

/** The names in braces, known ones and others. */
export const namesInBraces = (text: string): readonly string[] =>
	[...text.matchAll(placeholder)].map(([, name]) => name ?? '');

/** Every text of a template into which values go. */
export const textsOf = ({ path, query = {}, body }: Template): readonly string[] => [
	path,
	...Object.values(query),
	...textsIn(body),
];

function textsIn(value: unknown): readonly string[] {
	if (typeof value === 'string') return [value];
	return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Whether a path stays where the base URL leads, whatever is filled in. */
export const isPathTemplate = (text: string): boolean =>
	isSafePath(text.replace(placeholder, 'x')) && !/%(?:2[ef]|5c|[01]|7f)/i.test(text);

/**
 * The request of a template. In the path a value is a part of one segment, in the query a part of
 * one value, in the body a part of one text.
 *
 * @param isStrict within a longer text a value must not end what surrounds it
 * @throws InvalidInput when a value is not known, or could mean more there than itself
 * @throws UnsafeSegmentError when a value cannot be part of a path
 */
export function requestOf(
	{ method, path, query, headers, body }: Template,
	values: Values,
	isStrict: boolean,
): Pick<VendorRequest, 'method' | 'path' | 'query' | 'headers' | 'body'> {
	const fill = filler(values, isStrict);
	const segments = path.split('/').map((one) => fill(one, (value) => pathOf`${value}`));
	return {
		method,
		path: segments.join('/'),
		...(query ? { query: mapValues(query, (text) => fill(text)) } : {}),
		...(headers ? { headers } : {}),
		...(body === undefined ? {} : { body: { json: fillBody(body, fill) } }),
	};
}

/** What means nothing in a filter or a query language. */
const plain = /^[\p{L}\p{M}\p{N}@._+:~|-]*$/u;

type Fill = (text: string, encode?: (value: string) => string) => string;

const filler =
	(values: Values, isStrict: boolean): Fill =>
	(text, encode = (value) => value) =>
		text.replace(placeholder, (whole, name: string) => {
			const value = values[name as Placeholder] ?? null;
			if (value === null) throw new InvalidInput(`Nothing is known for ${whole} of the request`);
			if (isStrict && whole !== text && !plain.test(value)) {
				throw new InvalidInput(
					`${whole} has characters that could mean something in the text around it, so the request was not made`,
				);
			}
			return encode(value);
		});

function fillBody(body: unknown, fill: Fill): unknown {
	if (typeof body === 'string') return fill(body);
	if (Array.isArray(body)) return body.map((one) => fillBody(one, fill));
	if (typeof body !== 'object' || body === null) return body;
	return mapValues(body as Record<string, unknown>, (value) => fillBody(value, fill));
}

const mapValues = <T, U>(
	object: Readonly<Record<string, T>>,
	change: (value: T) => U,
): Record<string, U> =>
	Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
