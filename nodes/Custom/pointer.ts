/**
 * JSON pointers, which name a place in an answer.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6901
 */

/** `""` is the whole answer, `/a/0` the first entry of its member `a`; `~1` is a slash and `~0` a tilde. */
export const pointerForm = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** The names on the way, from the outside in. */
export const namesIn = (pointer: string): readonly string[] =>
	pointer
		.split('/')
		.slice(1)
		.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));

/** What stands at the place; undefined when there is no such place. */
export const at = (document: unknown, pointer: string): unknown =>
	namesIn(pointer).reduce<unknown>(member, document);

/** Own members only: nothing that every object inherits is part of an answer. */
function member(value: unknown, name: string): unknown {
	if (typeof value !== 'object' || value === null) return undefined;
	if (Array.isArray(value) && !/^(?:0|[1-9]\d*)$/.test(name)) return undefined;
	return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** A text, or a number as text, which is how ids and names come; null for anything else. */
export function textAt(document: unknown, pointer: string | undefined): string | null {
	const value = pointer === undefined ? undefined : at(document, pointer);
	if (typeof value === 'string') return value === '' ? null : value;
	return typeof value === 'number' && Number.isFinite(value) ? String(value) : null;
}
