import { BlockList, isIPv4 } from 'node:net';

/** Thrown when a value cannot be put into a URL without changing what the URL means. */
export class UnsafeSegmentError extends Error {
	override readonly name = 'UnsafeSegmentError';
}

/**
 * Builds an absolute path: each interpolated value becomes exactly one percent-encoded segment.
 * `.` and `..` are refused because URL parsers and proxies resolve them even when they are encoded,
 * control characters because some servers cut a value off at them.
 *
 * @example path`/api/v1/users/${login}/sessions`
 * @throws UnsafeSegmentError for an empty value, `.`, `..`, a control character or a lone surrogate
 */
export function path(strings: TemplateStringsArray, ...values: readonly string[]): string {
	return strings.reduce((built, text, index) => built + segment(values[index - 1] ?? '') + text);
}

const unsafeSegment = /^\.{0,2}$|\p{Cc}/u;

function segment(value: string): string {
	if (unsafeSegment.test(value) || !value.isWellFormed()) {
		throw new UnsafeSegmentError('The value cannot be sent as part of a URL path');
	}
	return encodeStrictly(value);
}

/**
 * Percent-encodes everything but the unreserved characters of RFC 3986 section 2.3, so that `+` is
 * `%2B` and a space `%20` wherever the text is put. https://www.rfc-editor.org/rfc/rfc3986#section-2.3
 *
 * @throws URIError for a lone surrogate
 */
export function encodeStrictly(value: string): string {
	// encodeURIComponent leaves these as they are (RFC 3986 allows them), yet some servers treat them as delimiters.
	return encodeURIComponent(value).replace(
		/[!'()*]/g,
		(character) => '%' + character.charCodeAt(0).toString(16).toUpperCase(),
	);
}

/**
 * Writes name and value pairs as a query or as an `application/x-www-form-urlencoded` body. A space
 * becomes `%20`, never `+`: every form parser reads it, and so does every query parser.
 *
 * @throws URIError for a lone surrogate
 */
export function encodePairs(pairs: Readonly<Record<string, string | number | boolean>>): string {
	return Object.entries(pairs)
		.map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(String(value))}`)
		.join('&');
}

/** A query with its question mark; empty when there is none. */
export function queryOf(pairs: Readonly<Record<string, string | number | boolean>> = {}): string {
	const query = encodePairs(pairs);
	return query === '' ? '' : `?${query}`;
}

/** The characters that RFC 3986 section 3.3 allows in a path, `%` only before two hexadecimal digits. */
const absolutePath = /^(?:\/(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*\/?$/;
const dotSegment = /^(?:\.|%2e){1,2}$/i;

/**
 * Whether a path can go out byte for byte as it is: absolute, no query, no fragment, no empty
 * segment but the last, and nothing that a parser on the way would resolve (`.`, `..`, `\`).
 */
export function isSafePath(text: string): boolean {
	return (
		text.startsWith('/') &&
		absolutePath.test(text) &&
		!text.split('/').some((part) => dotSegment.test(part))
	);
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');

/** Whether a URL's host is this machine itself: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopback(hostname: string): boolean {
	return (
		hostname === 'localhost' ||
		hostname === '[::1]' ||
		(isIPv4(hostname) && loopback.check(hostname, 'ipv4'))
	);
}

/**
 * Reads a base URL that a user typed.
 *
 * @returns the URL without a trailing slash, or what is wrong with it, as a sentence that can follow "The field 'X' "
 */
export function readBaseUrl(
	text: string,
	{ allowPath }: { allowPath: boolean },
): { url: string } | { problem: string } {
	const trimmed = text.trim();
	if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)) return { problem: 'must start with https://' };
	if (!URL.canParse(trimmed)) return { problem: 'is not a valid URL' };
	const url = new URL(trimmed);
	if (url.username !== '' || url.password !== '')
		return { problem: 'must not contain a user name or password' };
	if (url.search !== '' || url.hash !== '')
		return { problem: 'must not contain a query or a fragment' };
	if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
		return { problem: 'must use https:// (http:// is allowed for this machine only)' };
	}
	if (!allowPath && url.pathname !== '/') return { problem: 'must not contain a path' };
	return { url: (url.origin + url.pathname).replace(/\/+$/, '') };
}
