import { classOf } from '../outcome';
import type { TargetResult } from '../result';
import type { Settlement } from './settle';

/** What a notification can say of one user; a sentence for each target that needs attention. */
export function userMessage(
	user: string,
	results: readonly TargetResult[],
	settlement: Pick<Settlement, 'status' | 'coverage' | 'changed'>,
	dryRun: boolean,
): string {
	return [headline(user, results, settlement, dryRun), ...results.map(({ message }) => message)]
		.map((sentence) => `${sentence}.`)
		.join(' ');
}

function headline(
	user: string,
	results: readonly TargetResult[],
	{ status, coverage, changed }: Pick<Settlement, 'status' | 'coverage' | 'changed'>,
	dryRun: boolean,
): string {
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
