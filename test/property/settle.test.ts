/** What a user's targets amount to, against the table "Revoke Everywhere, per user" of the public contract, written down anew. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type NotFoundPolicy, settle } from '../../nodes/core/everywhere/settle';
import { type Outcome, type RevocationOutcome, type TargetState } from '../../nodes/core/outcome';

/** Classes as the contract's table of outcomes names them. */
const classes: Readonly<Record<RevocationOutcome, 'OK' | 'WAIT' | 'SKIP' | 'NF' | 'BAD'>> = {
	revoked: 'OK',
	tokens_revoked: 'OK',
	nothing_to_revoke: 'OK',
	accepted: 'WAIT',
	unchanged: 'SKIP',
	planned: 'SKIP',
	user_not_found: 'NF',
	ambiguous_user: 'BAD',
	refused: 'BAD',
	partial: 'BAD',
	failed: 'BAD',
};
const outcomes = Object.keys(classes) as RevocationOutcome[];
const policies: readonly NotFoundPolicy[] = ['failWhenNowhere', 'fail', 'ignore'];

interface Target {
	connector: string;
	outcome: RevocationOutcome;
	state: TargetState;
	userKnown: boolean | null;
	changed: boolean | null;
}

/** A target as the contract says that it can be: which state goes with which outcome. */
function target(outcome: RevocationOutcome, more: Partial<Target> = {}): Target {
	const states: Readonly<Record<RevocationOutcome, TargetState>> = {
		revoked: 'revoked',
		tokens_revoked: 'revoked',
		nothing_to_revoke: 'revoked',
		accepted: 'pending',
		unchanged: 'not_attempted',
		planned: 'not_attempted',
		user_not_found: 'user_lookup_failed',
		ambiguous_user: 'user_lookup_failed',
		refused: 'not_attempted',
		partial: 'revoke_failed',
		failed: 'revoke_failed',
	};
	return {
		connector: 'okta',
		outcome,
		state: states[outcome],
		userKnown: outcome === 'user_not_found' ? false : outcome === 'unchanged' ? null : true,
		changed: null,
		...more,
	};
}

type Line = Pick<ReturnType<typeof settle>, 'status' | 'coverage' | 'billable'>;

/** The rows of the table, from the one that takes precedence to the last. */
function byTheTable(targets: readonly Target[], policy: NotFoundPolicy, dryRun: boolean): Line {
	const kinds = targets.map(({ outcome }) => classes[outcome]);
	const some = (...wanted: string[]) => kinds.some((kind) => wanted.includes(kind));
	const only = (...wanted: string[]) => kinds.every((kind) => wanted.includes(kind));
	const nowhere = !targets.some(({ userKnown }) => userKnown === true);
	const unchanged = targets.some(({ outcome }) => outcome === 'unchanged');
	const counted = targets.filter(
		({ outcome }) => classes[outcome] !== 'NF' && outcome !== 'unchanged',
	);
	const line = (status: Line['status'], coverage: Line['coverage'], billable = false): Line => ({
		status,
		coverage,
		billable,
	});
	const contained =
		counted.length > 0 && counted.every(({ outcome }) => classes[outcome] === 'OK')
			? 'all'
			: counted.some(
						({ outcome }) => ['OK', 'WAIT'].includes(classes[outcome]) || outcome === 'partial',
				  )
				? 'partial'
				: 'none';

	const failsForNotFound =
		some('NF') && (policy === 'fail' || (policy === 'failWhenNowhere' && nowhere && !unchanged));
	if (dryRun) return line(some('BAD') || failsForNotFound ? 'failed' : 'completed', 'none');
	if (some('BAD')) {
		const ended = some('OK', 'WAIT') || targets.some(({ outcome }) => outcome === 'partial');
		return line('failed', ended ? 'partial' : 'none');
	}
	if (failsForNotFound) return line('failed', contained);
	if (only('NF')) return line('completed', 'none');
	if (only('SKIP', 'NF')) return line('completed', 'none');
	if (some('WAIT')) return line('completed', 'partial', true);
	return line('completed', 'all', true);
}

/** The state of a user, as the sentence below the table says it. */
function stateByTheContract(targets: readonly Target[]): TargetState {
	const counted = targets.filter(
		({ outcome }) => classes[outcome] !== 'NF' && outcome !== 'unchanged',
	);
	if (counted.length > 0 && counted.every(({ state }) => state === 'revoked')) return 'revoked';
	for (const state of ['revoke_failed', 'pending', 'user_lookup_failed'] as const) {
		if (targets.some((one) => one.state === state)) return state;
	}
	return 'not_attempted';
}

const [OK, OK2, OK3] = ['revoked', 'tokens_revoked', 'nothing_to_revoke'] as const;
const [WAIT, NF, SAME, PLAN] = ['accepted', 'user_not_found', 'unchanged', 'planned'] as const;

describe('every row of the table', () => {
	const rows: readonly [
		name: string,
		outcomes: readonly RevocationOutcome[],
		policies: readonly NotFoundPolicy[],
		expected: [Line['status'], Line['coverage'], boolean],
		dryRun?: boolean,
	][] = [
		['one OK', [OK], policies, ['completed', 'all', true]],
		['all kinds of OK', [OK, OK2, OK3], policies, ['completed', 'all', true]],
		['OK and not found', [OK, NF], ['failWhenNowhere', 'ignore'], ['completed', 'all', true]],
		['OK and unchanged', [OK, SAME], policies, ['completed', 'all', true]],
		['OK and all the rest', [OK, NF, SAME], ['ignore'], ['completed', 'all', true]],
		['one WAIT', [WAIT], policies, ['completed', 'partial', true]],
		['WAIT and OK', [WAIT, OK], policies, ['completed', 'partial', true]],
		['WAIT and not found', [WAIT, NF], ['ignore'], ['completed', 'partial', true]],
		['WAIT and unchanged', [WAIT, SAME], policies, ['completed', 'partial', true]],
		['policy fail, OK elsewhere', [OK, NF], ['fail'], ['failed', 'all', false]],
		['policy fail, WAIT elsewhere', [WAIT, NF], ['fail'], ['failed', 'partial', false]],
		['policy fail, OK and WAIT', [OK, WAIT, NF], ['fail'], ['failed', 'partial', false]],
		['policy fail, unchanged', [SAME, NF], ['fail'], ['failed', 'none', false]],
		['only not found', [NF], ['failWhenNowhere', 'fail'], ['failed', 'none', false]],
		['only not found, ignored', [NF, NF], ['ignore'], ['completed', 'none', false]],
		['BAD and OK', ['failed', OK], policies, ['failed', 'partial', false]],
		['BAD and WAIT', ['refused', WAIT], policies, ['failed', 'partial', false]],
		['partial by itself', ['partial'], policies, ['failed', 'partial', false]],
		['partial and BAD', ['partial', 'ambiguous_user'], policies, ['failed', 'partial', false]],
		['BAD, nothing ended', ['failed'], policies, ['failed', 'none', false]],
		['BAD and not found', ['failed', NF], policies, ['failed', 'none', false]],
		['BAD and unchanged', ['ambiguous_user', SAME], policies, ['failed', 'none', false]],
		['only unchanged', [SAME, SAME], policies, ['completed', 'none', false]],
		[
			'unchanged, not found',
			[SAME, NF],
			['failWhenNowhere', 'ignore'],
			['completed', 'none', false],
		],
		['dry run', [PLAN, PLAN], policies, ['completed', 'none', false], true],
		[
			'dry run, not found',
			[PLAN, NF],
			['failWhenNowhere', 'ignore'],
			['completed', 'none', false],
			true,
		],
		['dry run, policy fail', [PLAN, NF], ['fail'], ['failed', 'none', false], true],
		['dry run, nowhere', [NF], ['failWhenNowhere', 'fail'], ['failed', 'none', false], true],
		['dry run, stopped', [PLAN, 'refused'], policies, ['failed', 'none', false], true],
		['dry run, all stopped', ['ambiguous_user'], policies, ['failed', 'none', false], true],
	];
	for (const [name, given, under, [status, coverage, billable], dryRun = false] of rows) {
		for (const notFoundPolicy of under) {
			test(`${name}, under ${notFoundPolicy}`, () => {
				const targets = given.map((outcome) => target(outcome));
				const settled = settle(targets, { notFoundPolicy, dryRun });
				expect(settled).toMatchObject({ status, coverage, billable });
				expect(byTheTable(targets, notFoundPolicy, dryRun)).toEqual({ status, coverage, billable });
			});
		}
	}

	test('no target at all has failed and contained nothing', () => {
		for (const notFoundPolicy of policies) {
			expect(settle([], { notFoundPolicy, dryRun: false })).toEqual({
				status: 'failed',
				coverage: 'none',
				state: 'not_attempted',
				changed: false,
				billable: false,
				retryTargets: [],
				counts: {},
			});
		}
	});

	test('a vendor that cannot say whether it knows the user does not make it known', () => {
		const blind = target('revoked', { userKnown: null });
		const settled = settle([blind, target('user_not_found')], {
			notFoundPolicy: 'failWhenNowhere',
			dryRun: false,
		});
		expect(settled).toMatchObject({ status: 'failed', coverage: 'all', billable: false });
	});
});

const anyTarget: fc.Arbitrary<Target> = fc
	.record({
		outcome: fc.constantFrom(...outcomes.filter((outcome) => outcome !== 'planned')),
		changed: fc.constantFrom(true, false, null),
		blind: fc.boolean(),
		failedAs: fc.constantFrom<TargetState>('user_lookup_failed', 'revoke_failed', 'not_attempted'),
	})
	.map(({ outcome, changed, blind, failedAs }) =>
		target(outcome, {
			changed,
			...(outcome === 'failed' ? { state: failedAs } : {}),
			...(classes[outcome] === 'OK' && blind ? { userKnown: null } : {}),
		}),
	);
const anyDryTarget = fc
	.constantFrom<RevocationOutcome>(
		'planned',
		'user_not_found',
		'ambiguous_user',
		'refused',
		'failed',
	)
	.map((outcome) => target(outcome, { changed: false }));

/** Named, so that targets can be told apart. */
const named = (targets: readonly Target[]): Target[] =>
	targets.map((one, at) => ({ ...one, connector: `target${at}` }));

const cases = fc.oneof(
	fc.record({
		targets: fc.array(anyTarget, { minLength: 1, maxLength: 8 }).map(named),
		notFoundPolicy: fc.constantFrom(...policies),
		dryRun: fc.constant(false),
	}),
	fc.record({
		targets: fc.array(anyDryTarget, { minLength: 1, maxLength: 8 }).map(named),
		notFoundPolicy: fc.constantFrom(...policies),
		dryRun: fc.constant(true),
	}),
);

describe('whatever the outcomes are', () => {
	test('they settle as the table says', () => {
		fc.assert(
			fc.property(cases, ({ targets, notFoundPolicy, dryRun }) => {
				const settled = settle(targets, { notFoundPolicy, dryRun });
				expect(settled).toMatchObject(byTheTable(targets, notFoundPolicy, dryRun));
				expect(settled.state).toBe(stateByTheContract(targets));
			}),
			{ numRuns: 2_000 },
		);
	});

	test('every target is counted once, and what is bad can be tried again', () => {
		fc.assert(
			fc.property(cases, ({ targets, notFoundPolicy, dryRun }) => {
				const { counts, retryTargets } = settle(targets, { notFoundPolicy, dryRun });
				const counted = Object.entries(counts) as [Outcome, number][];
				for (const [outcome, count] of counted) {
					expect(targets.filter((one) => one.outcome === outcome)).toHaveLength(count);
				}
				expect(counted.reduce((sum, [, count]) => sum + count, 0)).toBe(targets.length);
				const bad = targets.filter(({ outcome }) => classes[outcome] === 'BAD');
				expect(retryTargets).toEqual(bad.map(({ connector }) => connector));
			}),
			{ numRuns: 500 },
		);
	});

	test('changed is true for any, false for all, else unknown', () => {
		fc.assert(
			fc.property(cases, ({ targets, notFoundPolicy, dryRun }) => {
				const told = targets.map(({ changed }) => changed);
				const expected = told.includes(true) ? true : told.includes(null) ? null : false;
				expect(settle(targets, { notFoundPolicy, dryRun }).changed).toBe(expected);
			}),
			{ numRuns: 500 },
		);
	});

	test('the order of the targets decides nothing', () => {
		fc.assert(
			fc.property(cases, ({ targets, notFoundPolicy, dryRun }) => {
				const { retryTargets, ...one } = settle(targets, { notFoundPolicy, dryRun });
				const { retryTargets: reversed, ...other } = settle(targets.toReversed(), {
					notFoundPolicy,
					dryRun,
				});
				expect(other).toEqual(one);
				expect(reversed.toReversed()).toEqual(retryTargets);
			}),
			{ numRuns: 500 },
		);
	});

	test('only a completed user is billable, and a failed target never completes', () => {
		fc.assert(
			fc.property(cases, ({ targets, notFoundPolicy, dryRun }) => {
				const { billable, status, coverage } = settle(targets, { notFoundPolicy, dryRun });
				if (billable) expect(status).toBe('completed');
				if (targets.some(({ outcome }) => classes[outcome] === 'BAD')) {
					expect({ status, all: coverage === 'all' }).toEqual({ status: 'failed', all: false });
				}
			}),
			{ numRuns: 500 },
		);
	});
});
