/**
 * Partial responses: the `fields` parameter, as
 * https://developers.google.com/workspace/admin/directory/v1/guides/performance#partial describes it.
 */

/** What may be selected: the members of an object, or `any` for a value without documented members. */
export interface Shape {
	readonly [name: string]: Shape | 'any' | 'value';
}

/** What is selected; without entries, all of it. */
type Mask = Map<string, Mask>;

/** A selection that does not fit the resource. The message is the vendor's. */
export class FieldsError extends Error {
	constructor(field: string) {
		super(`Invalid field selection ${field}`);
	}
}

/** Splits at the commas that are in no parentheses. */
function listed(text: string): string[] {
	const parts: string[] = [];
	let part = '';
	let depth = 0;
	for (const letter of text) {
		if (letter === '(') depth += 1;
		if (letter === ')') depth -= 1;
		if (depth < 0) throw new FieldsError(text);
		if (letter === ',' && depth === 0) {
			parts.push(part.trim());
			part = '';
		} else part += letter;
	}
	if (depth !== 0) throw new FieldsError(text);
	return [...parts, part.trim()];
}

/** Reads `a,b/c,d(e,f)` into a mask, each name checked against the shape. */
function parse(text: string, shape: Shape | 'any' | 'value', mask: Mask): void {
	for (const part of listed(text)) {
		const [, name = '', rest = ''] = /^(\w+|\*)((?:\/.+|\(.+\))?)$/s.exec(part) ?? [];
		const inner = shape === 'any' ? 'any' : shape === 'value' ? undefined : shape[name];
		if (name === '' || (inner === undefined && name !== '*')) throw new FieldsError(part);
		const below: Mask = mask.get(name) ?? new Map<string, Mask>();
		mask.set(name, below);
		if (rest !== '') {
			parse(rest.startsWith('/') ? rest.slice(1) : rest.slice(1, -1), inner ?? 'any', below);
		}
	}
}

function pick(value: unknown, mask: Mask): unknown {
	if (mask.size === 0 || mask.has('*')) return value;
	if (Array.isArray(value)) return value.map((one) => pick(one, mask));
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).flatMap(([name, member]) => {
			const below = mask.get(name);
			return below === undefined ? [] : [[name, pick(member, below)]];
		}),
	);
}

/** The part of a resource that `fields` selects. Throws `FieldsError` for what the resource has not. */
export function partial(resource: unknown, fields: string, shape: Shape): unknown {
	const mask: Mask = new Map();
	parse(fields, shape, mask);
	return pick(resource, mask);
}
