/**
 * The part of OData's `$filter` that Microsoft Graph documents for users without advanced queries:
 * `eq`, `in`, `startsWith`, `and`, `or`, and `any` with `eq` or `startsWith` on a list of strings.
 */

/** One comparison of a property (or, with `any`, of one item of a list) with a text or truth value. */
export interface ODataComparison {
	readonly kind: 'comparison';
	readonly property: string;
	readonly operator: 'eq' | 'startswith';
	readonly value: string | boolean | null;
	/** The property is a list, of which one item has to match. */
	readonly any: boolean;
}

/** A parsed filter. */
export type ODataFilter =
	ODataComparison | { readonly kind: 'and' | 'or'; readonly operands: readonly ODataFilter[] };

/** What is wrong with a filter: its syntax, or that it needs more than a default query. */
export class ODataFilterError extends Error {
	constructor(
		readonly reason: 'syntax' | 'unsupported',
		message: string,
	) {
		super(message);
	}
}

interface Token {
	kind: 'word' | 'text' | 'sign' | 'end';
	text: string;
	at: number;
}

const ADVANCED = ['ne', 'not', 'ge', 'le', 'gt', 'lt', 'endswith', 'contains', 'has'];

function tokens(filter: string): Token[] {
	const found: Token[] = [];
	const pattern = /\s*(?:'((?:[^']|'')*)'|([A-Za-z_][\w.]*)|([(),:/]))/y;
	let at = 0;
	while (filter.slice(at).trim() !== '') {
		pattern.lastIndex = at;
		const match = pattern.exec(filter);
		if (match === null) {
			throw new ODataFilterError('syntax', `Syntax error at position ${at} in '${filter}'.`);
		}
		const [, text, word, sign] = match;
		if (text !== undefined) found.push({ kind: 'text', text: text.replaceAll("''", "'"), at });
		else if (word !== undefined) found.push({ kind: 'word', text: word, at });
		else found.push({ kind: 'sign', text: sign ?? '', at });
		at = pattern.lastIndex;
	}
	found.push({ kind: 'end', text: '', at: filter.length });
	return found;
}

/** Parses a filter; throws an `ODataFilterError`. Names are returned as written. */
export function parseODataFilter(filter: string): ODataFilter {
	const all = tokens(filter);
	let next = 0;
	const peek = (): Token => all[next] ?? { kind: 'end', text: '', at: filter.length };
	const bad = ({ at }: Token): ODataFilterError =>
		new ODataFilterError('syntax', `Syntax error at position ${at} in '${filter}'.`);
	const take = (kind: Token['kind'], text?: string): Token => {
		const token = peek();
		if (token.kind !== kind || (text !== undefined && token.text.toLowerCase() !== text)) {
			throw bad(token);
		}
		next += 1;
		return token;
	};
	const isAt = (kind: Token['kind'], text: string): boolean =>
		peek().kind === kind && peek().text.toLowerCase() === text;

	const literal = (): string | boolean | null => {
		if (peek().kind === 'text') return take('text').text;
		const word = take('word');
		if (word.text === 'true' || word.text === 'false') return word.text === 'true';
		if (word.text === 'null') return null;
		throw bad(word);
	};

	/** `name eq 'x'`, `name in ('x','y')` */
	const comparison = (property: string, any: boolean): ODataFilter => {
		const operator = take('word');
		switch (operator.text.toLowerCase()) {
			case 'eq':
				return { kind: 'comparison', property, operator: 'eq', value: literal(), any };
			case 'in': {
				take('sign', '(');
				const operands: ODataFilter[] = [];
				do {
					if (operands.length > 0) take('sign', ',');
					operands.push({ kind: 'comparison', property, operator: 'eq', value: literal(), any });
				} while (isAt('sign', ','));
				take('sign', ')');
				return { kind: 'or', operands };
			}
			default:
				if (ADVANCED.includes(operator.text.toLowerCase())) {
					throw new ODataFilterError('unsupported', `Unsupported operator ${operator.text}.`);
				}
				throw bad(operator);
		}
	};

	/** `startsWith(name,'x')`; `item` is the name of the variable inside `any`, if there is one. */
	const startsWith = (list?: { property: string; item: string }): ODataFilter => {
		take('sign', '(');
		const name = take('word');
		if (list !== undefined && name.text !== list.item) throw bad(name);
		take('sign', ',');
		const value = literal();
		take('sign', ')');
		const property = list?.property ?? name.text;
		const any = list !== undefined;
		return { kind: 'comparison', property, operator: 'startswith', value, any };
	};

	/** `any(p:p eq 'x')`, after the property and the slash. */
	const lambda = (property: string): ODataFilter => {
		const quantifier = take('word');
		if (quantifier.text.toLowerCase() !== 'any') {
			throw new ODataFilterError('unsupported', `Unsupported operator ${quantifier.text}.`);
		}
		take('sign', '(');
		const item = take('word').text;
		take('sign', ':');
		const parsed = orExpression({ property, item });
		take('sign', ')');
		return parsed;
	};

	const primary = (list?: { property: string; item: string }): ODataFilter => {
		if (isAt('sign', '(')) {
			take('sign', '(');
			const inner = orExpression(list);
			take('sign', ')');
			return inner;
		}
		const name = take('word');
		const folded = name.text.toLowerCase();
		if (folded === 'startswith' && isAt('sign', '(')) return startsWith(list);
		if (ADVANCED.includes(folded)) {
			throw new ODataFilterError('unsupported', `Unsupported operator ${name.text}.`);
		}
		if (list !== undefined) {
			if (name.text !== list.item) throw bad(name);
			return comparison(list.property, true);
		}
		if (isAt('sign', '/')) {
			take('sign', '/');
			return lambda(name.text);
		}
		return comparison(name.text, false);
	};

	function series(
		kind: 'and' | 'or',
		operand: (list?: { property: string; item: string }) => ODataFilter,
	): (list?: { property: string; item: string }) => ODataFilter {
		return (list) => {
			const first = operand(list);
			const operands = [first];
			while (isAt('word', kind)) {
				take('word', kind);
				// Inside `any`, `and` would be about one and the same item; the index below works per item.
				if (list !== undefined && kind === 'and') {
					throw new ODataFilterError('unsupported', 'Unsupported expression inside any.');
				}
				operands.push(operand(list));
			}
			return operands.length === 1 ? first : { kind, operands };
		};
	}
	const andExpression = series('and', primary);
	const orExpression = series('or', andExpression);

	const parsed = orExpression();
	take('end');
	return parsed;
}

/** Every comparison in a filter. */
export function odataComparisons(filter: ODataFilter): ODataComparison[] {
	return filter.kind === 'comparison' ? [filter] : filter.operands.flatMap(odataComparisons);
}
