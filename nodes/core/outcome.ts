/**
 * The closed list of outcomes. A connector cannot invent another one, and which output an item
 * leaves by is decided here alone.
 */

/**
 * What an outcome means for the user's containment: ended (OK), queued by the vendor (WAIT),
 * deliberately nothing done (SKIP), no such user (NF), anything that needs a person's attention (BAD).
 */
export type OutcomeClass = 'OK' | 'WAIT' | 'SKIP' | 'NF' | 'BAD';

/** Outcomes of a revocation. */
export const revocationOutcomes = {
	/** The sessions ended. */
	revoked: 'OK',
	/** Refresh tokens were invalidated; sessions end as their tokens are to be renewed. */
	tokens_revoked: 'OK',
	/** The user exists and had no session. */
	nothing_to_revoke: 'OK',
	/** The vendor queued the work and has not confirmed it. */
	accepted: 'WAIT',
	/** `triggers` equal `lastTriggers`: nothing was called. */
	unchanged: 'SKIP',
	/** Dry run: what would have been sent is in `plan`. */
	planned: 'SKIP',
	/** The vendor knows no such user, or lost it between look-up and revocation. */
	user_not_found: 'NF',
	/** Two or more distinct accounts match; nobody was touched. */
	ambiguous_user: 'BAD',
	/** A rule forbids touching this user. */
	refused: 'BAD',
	/** Some sessions or grants ended, some did not. */
	partial: 'BAD',
	failed: 'BAD',
} as const satisfies Record<string, OutcomeClass>;

export type RevocationOutcome = keyof typeof revocationOutcomes;

/** Outcomes of the operations that revoke nothing, when they succeed. */
const readOutcomes = {
	user_found: 'OK',
	sessions_listed: 'OK',
	session_valid: 'OK',
	ready: 'OK',
} as const satisfies Record<string, OutcomeClass>;

export type Outcome = RevocationOutcome | keyof typeof readOutcomes;

const classes: Readonly<Record<Outcome, OutcomeClass>> = { ...revocationOutcomes, ...readOutcomes };

export const classOf = (outcome: Outcome): OutcomeClass => classes[outcome];

/** Whether an item with this outcome leaves by the Success output. */
export const isSuccess = (outcome: Outcome): boolean => {
	const kind = classOf(outcome);
	return kind === 'OK' || kind === 'WAIT' || kind === 'SKIP';
};

export type RefusalCause =
	| 'disabled'
	| 'channel_disabled'
	| 'protected_user'
	| 'run_limit'
	| 'own_identity'
	| 'external_user'
	| 'unsupported_user';

export type FailureCause =
	| 'credential_invalid'
	| 'permission_denied'
	| 'rate_limited'
	| 'unavailable'
	| 'timeout'
	| 'cancelled'
	| 'configuration'
	| 'invalid_input'
	| 'unexpected_reply'
	| 'blocked_by_policy'
	| 'session_invalid';

export type Cause = RefusalCause | FailureCause;

/** How far a target came. */
export type TargetState =
	'revoked' | 'pending' | 'user_lookup_failed' | 'revoke_failed' | 'not_attempted';

/** What a run did before it ended: decides between the states that one outcome can have. */
export type Progress = 'nothing_asked' | 'user_asked' | 'user_known' | 'revoke_sent';

/** The state of one target; see `docs/outcomes.md`. */
export function stateOf(outcome: Outcome, progress: Progress): TargetState {
	switch (classOf(outcome)) {
		case 'OK':
			return outcome in revocationOutcomes ? 'revoked' : 'not_attempted';
		case 'WAIT':
			return 'pending';
		case 'SKIP':
			return 'not_attempted';
		default:
			if (progress === 'revoke_sent') return 'revoke_failed';
			return progress === 'user_asked' && outcome !== 'refused'
				? 'user_lookup_failed'
				: 'not_attempted';
	}
}
