/** The longest identity that is accepted, in UTF-16 code units. */
export const MAX_IDENTITY_LENGTH = 512;

/** So many blanks around it are dropped. */
const MOST_BLANKS = 1024;

/**
 * Reads whom an item means. Spaces around the value are dropped; anything else that is not plain
 * text is refused, because guessing whom it means could end the wrong person's sessions.
 *
 * @param most the longest that it may be, in UTF-16 code units
 * @returns the identity, or what is wrong with it, as a sentence that can follow "The parameter 'User' "
 */
export function readIdentity(
	value: unknown,
	most = MAX_IDENTITY_LENGTH,
): { identity: string } | { problem: string } {
	if (value === undefined || value === null || value === '') return { problem: 'is empty' };
	if (typeof value !== 'string') return { problem: `is not text but ${kindOf(value)}` };
	const tooLong = { problem: `is longer than ${most} characters` };
	// Trimming takes time that grows with the square of the blanks, and a hostile text can be all blanks.
	if (value.length > MOST_BLANKS + most) return tooLong;
	const identity = value.replace(/^[\p{Zs}\ufeff]+|[\p{Zs}\ufeff]+$/gu, '');
	if (identity === '') return { problem: 'is blank' };
	if (identity.length > most) return tooLong;
	if (/[\p{Cc}\u2028\u2029]/u.test(identity)) return { problem: 'contains a control character' };
	if (!identity.isWellFormed()) return { problem: 'contains half of a character' };
	return { identity };
}

function kindOf(value: unknown): string {
	if (Array.isArray(value)) return 'a list';
	return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A text without its letter case. Character by character, because a Greek sigma's small form depends on its neighbours. */
export const foldCase = (text: string): string =>
	Array.from(text, (character) => character.toLowerCase())
		.join('')
		.replaceAll('ς', 'σ');

/** Whether two sign-in names or addresses are the same: exact but for letter case. */
export const sameName = (one: string | null | undefined, other: string): boolean =>
	typeof one === 'string' && foldCase(one) === foldCase(other);

/** Whether a value can be an e-mail address or another name with a domain, and so is not a bare name. */
export const hasDomain = (identity: string): boolean => /.@./u.test(identity);
