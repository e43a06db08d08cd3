import { decideRetry, type Outcome } from './retry';
import type { Scope } from './scope';

/** One attempt: what became of it, and how it ends if it stays the last one (it may throw). */
export interface Attempt<Result> {
	outcome: Outcome;
	finish: () => Result;
}

/**
 * Repeats an attempt as long as `decideRetry` says so.
 *
 * @returns or throws what the last attempt ended with
 * @throws TransportError `cancelled` or `timeout`, when the scope ends during a wait
 */
export async function persist<Result>(
	scope: Scope,
	idempotent: boolean,
	attempt: () => Promise<Attempt<Result>>,
): Promise<Result> {
	const counts = { failure: 0, postponement: 0 };
	for (;;) {
		const { outcome, finish } = await attempt();
		const decision = decideRetry({
			outcome,
			idempotent,
			failures: counts.failure,
			postponements: counts.postponement,
			remainingMs: scope.remaining(),
			random: Math.random(),
		});
		if (!decision.retry) return finish();
		counts[decision.countsAs]++;
		await scope.wait(decision.waitMs);
	}
}
