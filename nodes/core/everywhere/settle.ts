/** What the results of a user's targets amount to: one pure function, the table of `docs/revoke-everywhere.md`. */
import { classOf, type Outcome, type TargetState } from '../outcome';
import type { TargetResult } from '../result';

export type NotFoundPolicy = 'failWhenNowhere' | 'fail' | 'ignore';

export interface Settlement {
	/** Decides the output: `completed` leaves by Success. */
	status: 'completed' | 'failed';
	/** How much of what was asked for was contained, targets without the user not counted. */
	coverage: 'all' | 'partial' | 'none';
	state: TargetState;
	changed: boolean | null;
	billable: boolean;
	/** Targets that were not contained, ready to be fed back into `targets`. */
	retryTargets: readonly string[];
	counts: Readonly<Partial<Record<Outcome, number>>>;
}

type Part = Pick<TargetResult, 'connector' | 'outcome' | 'state' | 'userKnown' | 'changed'>;

/** @param results one per target of the user; empty when the user could not be worked on at all */
export function settle(
	results: readonly Part[],
	{ notFoundPolicy, dryRun }: { notFoundPolicy: NotFoundPolicy; dryRun: boolean },
): Settlement {
	const failed = hasFailed(results, notFoundPolicy);
	const coverage = dryRun ? 'none' : coverageOf(results);
	const contained = results.some(({ outcome }) => ['OK', 'WAIT'].includes(classOf(outcome)));
	return {
		status: failed ? 'failed' : 'completed',
		coverage,
		state: stateOfUser(results),
		changed: results.some(({ changed }) => changed === true)
			? true
			: results.every(({ changed }) => changed === false)
				? false
				: null,
		billable: !failed && !dryRun && contained,
		retryTargets: results
			.filter(({ outcome }) => classOf(outcome) === 'BAD')
			.map(({ connector }) => connector),
		counts: countsOf(results),
	};
}

function hasFailed(results: readonly Part[], policy: NotFoundPolicy): boolean {
	const classes = results.map(({ outcome }) => classOf(outcome));
	if (classes.length === 0 || classes.includes('BAD')) return true;
	if (!classes.includes('NF') || policy === 'ignore') return false;
	if (policy === 'fail') return true;
	// Nobody said that it knows the user, and nothing was left out on purpose.
	const known = results.some(({ userKnown }) => userKnown === true);
	return !known && !results.some(({ outcome }) => outcome === 'unchanged');
}

/** Targets that count: those that know the user and had something to do. */
const counted = ({ outcome }: Part): boolean =>
	classOf(outcome) !== 'NF' && outcome !== 'unchanged' && outcome !== 'planned';

function coverageOf(results: readonly Part[]): Settlement['coverage'] {
	const parts = results.filter(counted);
	const classes = parts.map(({ outcome }) => classOf(outcome));
	if (parts.length > 0 && classes.every((kind) => kind === 'OK')) return 'all';
	const some = parts.some(
		({ outcome }) => outcome === 'partial' || ['OK', 'WAIT'].includes(classOf(outcome)),
	);
	return some ? 'partial' : 'none';
}

function stateOfUser(results: readonly Part[]): TargetState {
	const parts = results.filter(counted);
	if (parts.length > 0 && parts.every(({ state }) => state === 'revoked')) return 'revoked';
	const order: readonly TargetState[] = ['revoke_failed', 'pending', 'user_lookup_failed'];
	return order.find((state) => results.some((part) => part.state === state)) ?? 'not_attempted';
}

function countsOf(results: readonly Part[]): Settlement['counts'] {
	const counts: Partial<Record<Outcome, number>> = {};
	for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
	return counts;
}
