/** Outcomes and states, against the public contract written down anew. */
import { describe, expect, test } from '@jest/globals';
import {
	classOf,
	isSuccess,
	type Outcome,
	type Progress,
	revocationOutcomes,
	stateOf,
	type TargetState,
} from '../../nodes/core/outcome';

/** Outcome, class and output as the contract's table lists them. */
const table: readonly [Outcome, string, 'Success' | 'Failure'][] = [
	['revoked', 'OK', 'Success'],
	['tokens_revoked', 'OK', 'Success'],
	['nothing_to_revoke', 'OK', 'Success'],
	['accepted', 'WAIT', 'Success'],
	['unchanged', 'SKIP', 'Success'],
	['planned', 'SKIP', 'Success'],
	['user_not_found', 'NF', 'Failure'],
	['ambiguous_user', 'BAD', 'Failure'],
	['refused', 'BAD', 'Failure'],
	['partial', 'BAD', 'Failure'],
	['failed', 'BAD', 'Failure'],
];

describe('outcomes', () => {
	test('the list is closed', () => {
		expect(Object.keys(revocationOutcomes).toSorted()).toEqual(
			table.map(([outcome]) => outcome).toSorted(),
		);
	});

	test.each(table)('%s is %s and leaves by %s', (outcome, kind, output) => {
		expect(classOf(outcome)).toBe(kind);
		expect(isSuccess(outcome)).toBe(output === 'Success');
	});
});

describe('states', () => {
	const progresses: readonly Progress[] = [
		'nothing_asked',
		'user_asked',
		'user_known',
		'revoke_sent',
	];

	/** The contract's sentence about `state`, clause by clause. */
	function byTheContract(outcome: Outcome, progress: Progress): TargetState {
		if (['revoked', 'tokens_revoked', 'nothing_to_revoke'].includes(outcome)) return 'revoked';
		if (outcome === 'accepted') return 'pending';
		if (['unchanged', 'planned', 'refused'].includes(outcome)) return 'not_attempted';
		if (progress === 'revoke_sent') return 'revoke_failed';
		return progress === 'user_asked' ? 'user_lookup_failed' : 'not_attempted';
	}

	/** A refusal comes before any revocation, and a target is partial after one only. */
	const possible = (outcome: Outcome, progress: Progress): boolean =>
		outcome === 'refused'
			? progress !== 'revoke_sent'
			: outcome !== 'partial' || progress === 'revoke_sent';

	const pairs = table.flatMap(([outcome]) =>
		progresses
			.filter((progress) => possible(outcome, progress))
			.map((progress) => [outcome, progress] as const),
	);
	test.each(pairs)('%s after %s', (outcome, progress) => {
		expect(stateOf(outcome, progress)).toBe(byTheContract(outcome, progress));
	});

	test.each(['user_found', 'sessions_listed', 'session_valid', 'ready'] as const)(
		'%s revokes nothing',
		(outcome) => {
			expect(progresses.map((progress) => stateOf(outcome, progress))).toEqual(
				progresses.map(() => 'not_attempted'),
			);
			expect(isSuccess(outcome)).toBe(true);
		},
	);
});
