/**
 * SCIM filter expressions (RFC 7644, section 3.4.2.2): parser and evaluation. Which attributes and
 * operators a vendor supports is the vendor's business: it walks `comparisons(expression)`.
 */

/** What a comparison may be made against. */
type FilterValue = string | number | boolean | null;

/** A parsed filter. */
export type FilterExpression =
	| { kind: 'and' | 'or'; left: FilterExpression; right: FilterExpression }
	| { kind: 'not'; inner: FilterExpression }
	| Comparison;

/** One `attribute operator value`. */
export interface Comparison {
	kind: 'compare';
	attribute: string;
	operator: 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le' | 'pr';
	value: FilterValue;
}

/** The expression cannot be parsed; `position` counts characters from 0. */
export class FilterSyntaxError extends Error {
	constructor(
		message: string,
		readonly position: number,
	) {
		super(`${message} at position ${String(position)}`);
	}
}

type Token =
	| { kind: 'word'; text: string; at: number }
	| { kind: 'string'; text: string; at: number }
	| { kind: '(' | ')' | 'end'; text: string; at: number };

const OPERATORS = new Set(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr']);

function tokenize(text: string): Token[] {
	const tokens: Token[] = [];
	const pattern = /\s*(?:(?<paren>[()])|(?<string>"(?:[^"\\]|\\.)*")|(?<word>[^\s()"]+))/gsy;
	let at = 0;
	while (text.slice(at).trim() !== '') {
		pattern.lastIndex = at;
		const found = pattern.exec(text);
		if (found === null) throw new FilterSyntaxError('Unterminated string', at);
		const start = pattern.lastIndex - found[0].trimStart().length;
		const { paren, string, word } = found.groups ?? {};
		if (paren !== undefined) tokens.push({ kind: paren as '(' | ')', text: paren, at: start });
		else if (word !== undefined) tokens.push({ kind: 'word', text: word, at: start });
		else if (string !== undefined) {
			try {
				// String literals are JSON strings: \" and \\ are the escapes that names need.
				tokens.push({ kind: 'string', text: JSON.parse(string) as string, at: start });
			} catch {
				throw new FilterSyntaxError('Not a valid JSON string', start);
			}
		}
		at = pattern.lastIndex;
	}
	return [...tokens, { kind: 'end', text: '', at: text.length }];
}

/** Parses a filter; throws `FilterSyntaxError`. */
export function parseFilter(text: string): FilterExpression {
	const tokens = tokenize(text);
	let index = 0;
	const end: Token = { kind: 'end', text: '', at: text.length };
	const peek = (): Token => tokens[index] ?? end;
	const take = (): Token => {
		const token = peek();
		index += 1;
		return token;
	};
	const isWord = (word: string): boolean =>
		peek().kind === 'word' && peek().text.toLowerCase() === word;

	const either = (): FilterExpression => {
		let left = both();
		while (isWord('or')) {
			take();
			left = { kind: 'or', left, right: both() };
		}
		return left;
	};
	const both = (): FilterExpression => {
		let left = one();
		while (isWord('and')) {
			take();
			left = { kind: 'and', left, right: one() };
		}
		return left;
	};
	const group = (): FilterExpression => {
		const open = take();
		if (open.kind !== '(') throw new FilterSyntaxError('Expected (', open.at);
		const inner = either();
		const close = take();
		if (close.kind !== ')') throw new FilterSyntaxError('Expected )', close.at);
		return inner;
	};
	const one = (): FilterExpression => {
		if (peek().kind === '(') return group();
		if (isWord('not') && tokens[index + 1]?.kind === '(') {
			take();
			return { kind: 'not', inner: group() };
		}
		return comparison();
	};
	const comparison = (): Comparison => {
		const attribute = take();
		if (attribute.kind !== 'word')
			throw new FilterSyntaxError('Expected an attribute', attribute.at);
		const operator = take();
		const name = operator.text.toLowerCase();
		if (operator.kind !== 'word' || !OPERATORS.has(name)) {
			throw new FilterSyntaxError(
				`Unrecognized attribute operator '${operator.text}'`,
				operator.at,
			);
		}
		const named = { kind: 'compare', attribute: attribute.text } as const;
		if (name === 'pr') return { ...named, operator: 'pr', value: null };
		return { ...named, operator: name as Comparison['operator'], value: literal() };
	};
	const literal = (): FilterValue => {
		const token = take();
		if (token.kind === 'string') return token.text;
		if (token.kind === 'word') {
			if (token.text === 'true' || token.text === 'false') return token.text === 'true';
			if (token.text === 'null') return null;
			if (/^-?\d+(\.\d+)?$/.test(token.text)) return Number(token.text);
		}
		throw new FilterSyntaxError('Expected a value', token.at);
	};

	const expression = either();
	if (peek().kind !== 'end') throw new FilterSyntaxError(`Unexpected '${peek().text}'`, peek().at);
	return expression;
}

/** All comparisons of an expression, for checks of what is supported. */
export function comparisons(expression: FilterExpression): Comparison[] {
	switch (expression.kind) {
		case 'compare':
			return [expression];
		case 'not':
			return comparisons(expression.inner);
		default:
			return [...comparisons(expression.left), ...comparisons(expression.right)];
	}
}

/** True if the expression uses `not`. */
export function usesNot(expression: FilterExpression): boolean {
	if (expression.kind === 'compare') return false;
	return expression.kind === 'not' || usesNot(expression.left) || usesNot(expression.right);
}

/** The values of an attribute path; arrays on the way fan out. */
function valuesAt(subject: unknown, names: readonly string[]): FilterValue[] {
	if (Array.isArray(subject)) return subject.flatMap((one) => valuesAt(one, names));
	const [name, ...rest] = names;
	if (name === undefined) {
		const plain = subject === null || ['string', 'number', 'boolean'].includes(typeof subject);
		return plain ? [subject as FilterValue] : [];
	}
	if (typeof subject !== 'object' || subject === null || !Object.hasOwn(subject, name)) return [];
	return valuesAt((subject as Record<string, unknown>)[name], rest);
}

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/i;

function order(left: FilterValue, right: FilterValue): number {
	if (typeof left === 'number' && typeof right === 'number') return left - right;
	const [a, b] = [String(left), String(right)];
	// Timestamps may differ in precision and zone, so they compare as times, not as text.
	if (TIMESTAMP.test(a) && TIMESTAMP.test(b)) {
		return Date.parse(a.toUpperCase()) - Date.parse(b.toUpperCase());
	}
	return a < b ? -1 : Number(a > b);
}

/** Does the subject match? `ignoreCase` is about values; attribute names always are exact. */
export function matchesFilter(
	expression: FilterExpression,
	subject: unknown,
	options: { ignoreCase: boolean },
): boolean {
	switch (expression.kind) {
		case 'and':
			return (
				matchesFilter(expression.left, subject, options) &&
				matchesFilter(expression.right, subject, options)
			);
		case 'or':
			return (
				matchesFilter(expression.left, subject, options) ||
				matchesFilter(expression.right, subject, options)
			);
		case 'not':
			return !matchesFilter(expression.inner, subject, options);
		case 'compare':
			return compare(
				expression,
				valuesAt(subject, expression.attribute.split('.')),
				options.ignoreCase,
			);
	}
}

function compare(
	{ operator, value }: Comparison,
	found: FilterValue[],
	ignoreCase: boolean,
): boolean {
	const fold = (one: FilterValue): FilterValue =>
		ignoreCase && typeof one === 'string' ? one.toLowerCase() : one;
	const wanted = fold(value);
	const present = found.map(fold);
	const text = (test: (one: string, other: string) => boolean): boolean =>
		typeof wanted === 'string' &&
		present.some((one) => typeof one === 'string' && test(one, wanted));
	const ordered = (test: (difference: number) => boolean): boolean =>
		present.some((one) => typeof one === typeof wanted && test(order(one, wanted)));
	switch (operator) {
		case 'pr':
			return present.some((one) => one !== null && one !== '');
		case 'eq':
			return ordered((difference) => difference === 0);
		case 'ne':
			return !ordered((difference) => difference === 0);
		case 'co':
			return text((one, other) => one.includes(other));
		case 'sw':
			return text((one, other) => one.startsWith(other));
		case 'ew':
			return text((one, other) => one.endsWith(other));
		case 'gt':
			return ordered((difference) => difference > 0);
		case 'ge':
			return ordered((difference) => difference >= 0);
		case 'lt':
			return ordered((difference) => difference < 0);
		case 'le':
			return ordered((difference) => difference <= 0);
	}
}
