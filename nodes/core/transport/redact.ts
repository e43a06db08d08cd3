import { types } from 'node:util';

export const redacted = '[redacted]';

const neverMatches = '(?!)';

/** Shorter texts are no secrets: replacing them would garble everything. */
const shortestSecret = 4;

export interface Redactor {
	/** Redacts this secret too from now on. */
	add: (secret: string) => void;
	/** Returns a copy without any secret; numbers, booleans, null and dates come back as they are. Never throws. */
	redact: <T>(value: T) => T;
}

/** Credentials that can be told by their looks, whether they are known or not. */
const generic: readonly (readonly [RegExp, string])[] = [
	[
		/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
		redacted,
	],
	[/\b(SSWS|DPoP)(\s+)[\w.~+/=-]{4,}/gi, `$1$2${redacted}`],
	// Not "Bearer token", "Basic plan" or `Bearer realm="x"`: a token has a digit, a sign or a capital inside.
	[
		/\b([Bb]earer|BEARER|[Bb]asic|BASIC)(\s+)(?![\w-]+=["\s])(?=\S*(?:\d|[a-z][A-Z]|[._~+/=]\S|=)|[\w-]{24})[\w.~+/=-]{6,}/g,
		`$1$2${redacted}`,
	],
	[/\beyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*/g, redacted],
	[/\bxox[a-z]?(?:[.-][\w-]+)+/gi, redacted],
];

/**
 * Makes a redactor for a credential's secrets. Each is found as it is, percent-encoded, in base64
 * and base64url (also inside a longer encoded text, as in an `Authorization: Basic` header),
 * escaped as in JSON, and, for a PEM key, whatever became of its line breaks.
 */
export function redactor(secrets: readonly string[]): Redactor {
	const added = new Set<string>();
	/** Patterns, each with the length of the secret that it stands for. */
	const forms = new Map<string, number>();
	const keyMaterial = new Set<string>();
	let known: RegExp | undefined;

	const add = (secret: string) => {
		if (added.has(secret)) return;
		added.add(secret);
		for (const part of partsOf(secret)) {
			for (const form of formsOf(part)) forms.set(form, part.length);
		}
		const body = pemBody(secret);
		if (body !== undefined) keyMaterial.add(body);
		known = undefined;
	};
	for (const secret of secrets) add(secret);

	const compiled = () => {
		const longestFirst = [...forms].sort(([, a], [, b]) => b - a).map(([form]) => form);
		return new RegExp(longestFirst.join('|') || neverMatches, 'g');
	};
	const inText = (text: string): string => {
		// The known ones first: a general pattern could cut one in two and leave a half.
		const clean = generic.reduce(
			(rest, [pattern, by]) => rest.replace(pattern, by),
			text.replace((known ??= compiled()), redacted),
		);
		if (keyMaterial.size === 0) return clean;
		// A run of base64 that occurs in the key is a line of it; an escaped line break is not part of the run.
		return clean.replace(/\\[nr]|[A-Za-z0-9+/=]{16,}/g, (run) =>
			[...keyMaterial].some((body) => body.includes(run)) ? redacted : run,
		);
	};

	return {
		add,
		redact: <T>(value: T): T => {
			try {
				return copyWith(inText, value, new Map()) as T;
			} catch {
				// Nesting too deep for the stack, a getter that throws: better nothing than a secret.
				return redacted as T;
			}
		},
	};
}

function copyWith(
	inText: (text: string) => string,
	value: unknown,
	seen: Map<object, unknown>,
): unknown {
	if (typeof value === 'string') return inText(value);
	if (typeof value !== 'object' || value === null || types.isDate(value)) return value;
	if (ArrayBuffer.isView(value)) return value;
	if (value instanceof URL) return inText(value.href);
	const known = seen.get(value);
	if (known !== undefined) return known;

	const copy: object = Array.isArray(value) ? [] : {};
	const prototype = Reflect.getPrototypeOf(value);
	if (Reflect.getPrototypeOf(copy) !== prototype) Reflect.setPrototypeOf(copy, prototype);
	seen.set(value, copy);
	// What makes an error is not enumerable, and may be inherited.
	const ofErrors = 'stack' in value ? ['name', 'message', 'stack', 'cause'] : [];
	const names = new Set([...ofErrors.filter((name) => name in value), ...Object.keys(value)]);
	for (const name of names) {
		Object.defineProperty(copy, inText(name), {
			value: copyWith(inText, Reflect.get(value, name), seen),
			writable: true,
			configurable: true,
			enumerable: Object.prototype.propertyIsEnumerable.call(value, name),
		});
	}
	return copy;
}

/** A secret and the secrets inside it: a JWK's members, a service account file's key. */
function partsOf(secret: string): string[] {
	const whole = [secret, secret.trim()];
	if (!secret.trim().startsWith('{')) return whole;
	try {
		const members: unknown = JSON.parse(secret);
		const names = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'private_key'];
		return typeof members === 'object' && members !== null
			? [...whole, ...names.map((name) => String(Reflect.get(members, name) ?? ''))]
			: whole;
	} catch {
		return whole;
	}
}

/** Patterns for what a secret may look like. */
function formsOf(secret: string): string[] {
	if (secret.length < shortestSecret) return [];
	const bytes = Buffer.from(secret);
	const json = JSON.stringify(secret).slice(1, -1);
	const ascii = json.replace(/[^\x20-\x7e]/g, unicodeEscape);
	const base64 = [
		bytes.toString('base64'),
		bytes.toString('base64url'),
		...[0, 1, 2].flatMap((offset) => base64Inside(bytes, offset)),
	];
	return [
		Array.from(secret, percentPattern).join(''),
		...[json, json.replaceAll('/', '\\/'), ascii, ...base64].map(escape),
	];
}

/** A character as it is or percent-encoded: encoders differ in which ones they leave alone. */
function percentPattern(character: string): string {
	if (/[A-Za-z0-9]/.test(character)) return character;
	const bytes = [...Buffer.from(character)].map((byte) => {
		const hex = byte.toString(16).padStart(2, '0');
		return '%' + hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
	});
	return `(?:${escape(character)}|${bytes.join('')}${character === ' ' ? '|\\+' : ''})`;
}

function unicodeEscape(character: string): string {
	return '\\u' + character.charCodeAt(0).toString(16).padStart(4, '0');
}

/** The characters that the secret makes in the base64 of any text in which it follows `offset` (mod 3) bytes. */
function base64Inside(secret: Buffer, offset: number): string[] {
	const text = Buffer.concat([Buffer.alloc(offset), secret])
		.toString('base64')
		.replace(/=+$/, '');
	const mixedAtStart = [0, 2, 3][offset] ?? 0;
	const mixedAtEnd = (offset + secret.length) % 3 === 0 ? 0 : 1;
	const own = text.slice(mixedAtStart, text.length - mixedAtEnd);
	// A few characters of base64 occur in any text by chance.
	return own.length < 8 ? [] : [own, own.replaceAll('+', '-').replaceAll('/', '_')];
}

/** The base64 of a PEM private key in one piece. */
function pemBody(secret: string): string | undefined {
	const body = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----([\s\S]*?)-----END/.exec(secret)?.[1];
	return body?.replace(/\\[nr]|\s/g, '');
}

function escape(text: string): string {
	return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
