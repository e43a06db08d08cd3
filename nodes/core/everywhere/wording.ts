import { classOf } from '../outcome';
import type { TargetResult } from '../result';
import type { Settlement } from './settle';

/** What a notification can say of one user; a sentence for each target that needs attention. */
export function userMessage(
	user: string,
	results: readonly TargetResult[],
	{ status, coverage }: Pick<Settlement, 'status' | 'coverage'>,
	dryRun: boolean,
): string {
	return [
		headline(user, results, status, coverage, dryRun),
		...results.map(({ message }) => message),
	]
		.map((sentence) => `${sentence}.`)
		.join(' ');
}

function headline(
	user: string,
	results: readonly TargetResult[],
	status: Settlement['status'],
	coverage: Settlement['coverage'],
	dryRun: boolean,
): string {
	if (dryRun) {
		const verdict = status === 'completed' ? 'nothing would stop it' : 'something would stop it';
		return `Dry run for ${user}: nothing was revoked, ${verdict}`;
	}
	if (results.some(({ outcome }) => classOf(outcome) === 'WAIT')) {
		return `Revocation for ${user} is not confirmed everywhere yet`;
	}
	if (coverage === 'all') return `Sessions of ${user} were ended everywhere that was asked for`;
	if (coverage === 'partial') return `Sessions of ${user} were ended in a part of the systems only`;
	return `Nothing was revoked for ${user}`;
}
