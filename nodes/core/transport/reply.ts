import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { codeOf } from './failure';
import { TransportError, type VendorReply } from './types';

/** Larger answers are refused: no answer that a connector reads comes near it. */
export const longestBody = 1024 * 1024;

/** Nobody compresses more than twice, unless to keep the reader busy. */
const mostCodings = 2;

/** An answer as it came from the wire, its body no longer than `longestBody`. */
export interface RawReply {
	status: number;
	headers: Readonly<Record<string, string | string[] | undefined>>;
	body: Buffer;
}

/**
 * Turns an answer from the wire into what connectors read.
 *
 * @param now the local clock (ms since 1970), used when the answer has no valid `Date`
 * @throws TransportError `unexpected_reply` when the decoded body is longer than `longestBody`
 */
export async function readReply(raw: RawReply, now: number): Promise<VendorReply> {
	const headers = plainHeaders(raw.headers);
	const text = await decode(raw.body, headers['content-encoding'] ?? '', raw.status);
	const sentAt = httpDate(headers.date ?? '');
	return { status: raw.status, headers, ...parse(text), serverTime: sentAt ?? now };
}

/**
 * Reads an HTTP date: ms since 1970, or undefined. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
 * Stricter than `Date.parse` alone, which takes "1" for the year 2001.
 */
export function httpDate(text: string): number | undefined {
	const time = /^[A-Z][a-z]{2,8}, .{8,40} GMT$/.test(text) ? Date.parse(text) : NaN;
	return Number.isNaN(time) ? undefined : time;
}

/** The refusal of an answer that is too long. */
export function tooLong(status: number): TransportError {
	return new TransportError(
		`The answer is longer than ${longestBody / 1024} KiB, so it was not read`,
		'unexpected_reply',
		true,
		status,
	);
}

function plainHeaders(headers: RawReply['headers']): Record<string, string> {
	const plain = Object.entries(headers).flatMap(([name, value]): [string, string][] => {
		// A cookie is a secret that no connector needs and the redactor does not know.
		if (value === undefined || name.toLowerCase() === 'set-cookie') return [];
		return [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]];
	});
	return Object.fromEntries(plain);
}

function parse(bytes: Buffer | undefined): Pick<VendorReply, 'body' | 'bodyKind'> {
	if (bytes === undefined) return { body: undefined, bodyKind: 'other' };
	const text = new TextDecoder().decode(bytes).trim();
	if (text === '') return { body: undefined, bodyKind: 'empty' };
	try {
		return { body: JSON.parse(text), bodyKind: 'json' };
	} catch {
		return { body: undefined, bodyKind: 'other' };
	}
}

const decoders: Readonly<Record<string, (body: Buffer) => Promise<Buffer>>> = {
	gzip: bounded(promisify(gunzip)),
	'x-gzip': bounded(promisify(gunzip)),
	br: bounded(promisify(brotliDecompress)),
	// "deflate" means zlib (RFC 9110 section 8.4.1.2), but some servers send the bare stream.
	deflate: (body) =>
		((body[0] ?? 0) & 0x0f) === 8
			? bounded(promisify(inflate))(body)
			: bounded(promisify(inflateRaw))(body),
	identity: (body) => Promise.resolve(body),
};

function bounded(
	decompress: (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>,
): (body: Buffer) => Promise<Buffer> {
	return async (body) => await decompress(body, { maxOutputLength: longestBody });
}

/** @returns undefined when the body cannot be decoded */
async function decode(
	body: Buffer,
	contentEncoding: string,
	status: number,
): Promise<Buffer | undefined> {
	const codings = contentEncoding
		.toLowerCase()
		.split(/[\s,]+/)
		.filter(Boolean);
	if (codings.length > mostCodings) return undefined;
	let decoded = body;
	// They are listed in the order in which they were applied (RFC 9110 section 8.4).
	for (const coding of codings.reverse()) {
		if (decoded.length === 0) return decoded;
		try {
			const decoder = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
			if (decoder === undefined) return undefined;
			decoded = await decoder(decoded);
		} catch (error) {
			if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLong(status);
			return undefined;
		}
	}
	return decoded;
}
