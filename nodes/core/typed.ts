/** What users type into the fields of a credential, as its schema reads it. */
import { type RefinementCtx, z } from 'zod';

/**
 * How a schema's transform refuses a field: the message follows on "The field 'X'".
 *
 * @example const wrong = refusing<keyof typeof typed>(context); … return wrong('url', 'is empty');
 */
export const refusing =
	// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- The caller names its fields.
	<Field extends string>(context: RefinementCtx) =>
		(field: Field, message: string): typeof z.NEVER => {
			context.addIssue({ code: z.ZodIssueCode.custom, path: [field], message });
			return z.NEVER;
		};

/** What fits into an HTTP header as it is: visible ASCII. */
const headerSafe = /^[\x21-\x7e]+$/;

/**
 * Reads a token, a secret or an id that is to stand in a header.
 *
 * @param what for the message, for example `access token`
 * @param scheme the word that may stand before it where it was copied from, for example `Bearer`
 */
export function readWord(
	typed: string,
	what: string,
	scheme?: 'Bearer' | 'SSWS',
): { word: string } | { problem: string } {
	const trimmed = typed.trim();
	const word = scheme ? trimmed.replace(new RegExp(`^${scheme}\\s+`, 'i'), '') : trimmed;
	if (word === '') return { problem: 'is empty' };
	return headerSafe.test(word) ? { word } : { problem: `contains characters that no ${what} has` };
}
