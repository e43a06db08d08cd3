import { describe, expect, test } from '@jest/globals';
import { settle } from '../../nodes/core/everywhere/settle';
import { headlineFor } from '../../nodes/core/everywhere/wording';
import type { Cause, Outcome, TargetState } from '../../nodes/core/outcome';
import { notAttempted } from '../../nodes/core/result';

const CAUSE: Cause = 'timeout';

/** The first sentence about a user whose targets came to this. */
function headline(
	...targets: { outcome: Outcome; state: TargetState; changed: boolean | null }[]
): string {
	const results = targets.map((target) => ({
		...notAttempted('okta', 'jane', target.outcome, CAUSE, 'What happened there'),
		...target,
		userKnown: true,
	}));
	const settlement = settle(results, { notFoundPolicy: 'failWhenNowhere', dryRun: false });
	return headlineFor('jane', results, settlement, false);
}

const revoked = { outcome: 'revoked', state: 'revoked', changed: null } as const;
const tokens = { outcome: 'tokens_revoked', state: 'revoked', changed: true } as const;
const clean = { outcome: 'nothing_to_revoke', state: 'revoked', changed: false } as const;
const lost = { outcome: 'failed', state: 'revoke_failed', changed: null } as const;
const unsent = { outcome: 'failed', state: 'not_attempted', changed: false } as const;

describe('the first sentence claims no more than what is known', () => {
	test.each([
		[[revoked], 'Sessions of jane were ended everywhere that was asked for'],
		[[revoked, clean], 'Sessions of jane were ended everywhere that was asked for'],
		[
			[revoked, tokens],
			'Access of jane was revoked everywhere that was asked for; some sessions end only when their tokens are to be renewed',
		],
		[[clean], 'There was nothing to revoke for jane'],
		[[revoked, lost], 'Access of jane was revoked in a part only'],
		[[lost], 'No revocation for jane is confirmed, but one may have happened'],
		[[unsent], 'Nothing was revoked for jane'],
	])('%j: %s', (targets, sentence) => {
		expect(headline(...targets)).toBe(sentence);
	});
});
