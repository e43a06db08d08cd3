import { neutral } from '../neutral';
import { classOf } from '../outcome';
import type { TargetResult } from '../result';
import type { Settlement } from './settle';

/** What a notification can say of one user; a sentence for each target that needs attention. */
export const userMessage = (headline: string, results: readonly TargetResult[]): string =>
	[headline, ...results.map(({ message }) => message)].map((sentence) => `${sentence}.`).join(' ');

/** What became of one user, in a sentence without a final full stop. */
export function headlineFor(
	name: string,
	results: readonly TargetResult[],
	{ status, coverage, changed }: Pick<Settlement, 'status' | 'coverage' | 'changed'>,
	dryRun: boolean,
): string {
	const user = neutral(name);
	if (results.length > 0 && results.every(({ outcome }) => outcome === 'unchanged')) {
		return `Nothing was revoked for ${user}: the triggers are the same as last time`;
	}
	if (dryRun) {
		const verdict = status === 'completed' ? 'nothing would stop it' : 'something would stop it';
		return `Dry run for ${user}: nothing was revoked, ${verdict}`;
	}
	if (results.some(({ outcome }) => classOf(outcome) === 'WAIT')) {
		return `Revocation for ${user} is not confirmed everywhere yet`;
	}
	if (coverage === 'all') {
		if (changed === false) return `There was nothing to revoke for ${user}`;
		return results.some(({ outcome }) => outcome === 'tokens_revoked')
			? `Access of ${user} was revoked everywhere that was asked for; some sessions end only when their tokens are to be renewed`
			: `Sessions of ${user} were ended everywhere that was asked for`;
	}
	if (coverage === 'partial') return `Access of ${user} was revoked in a part only`;
	// A revocation that got no answer may have happened.
	if (changed !== false) return `No revocation for ${user} is confirmed, but one may have happened`;
	return `Nothing was revoked for ${user}`;
}
