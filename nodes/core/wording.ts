/** Texts about results. Whole sentences without a final full stop, no markup. */
import type { Survivor } from './connector';

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
	if (words.length < 2) return words.join('');
	return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

/** What was achieved for whom, and what goes on. */
export function endedMessage(
	title: string,
	who: string,
	ended: readonly string[],
	survivors: readonly Survivor[],
): string {
	const remains = survivors.map(({ what }) => what);
	const tail = remains.length === 0 ? '' : `; not ended: ${list(remains)}`;
	return `${title} ended the ${list(ended)} of ${who}${tail}`;
}
