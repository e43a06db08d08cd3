/** What leaves a node: the fields of every result, as `docs/outcomes.md` explains them. */
import type { User } from './connector';
import { explained } from './documentation';
import { withoutMarkup } from './neutral';
import type { Cause, Outcome, TargetState } from './outcome';

export type StepName =
	| 'initialResponse'
	| 'retrieveUser'
	| 'checkLookup'
	| 'transformUser'
	| 'revokeSessions'
	| 'checkRevocation'
	| 'verify';

export interface Step {
	step: StepName;
	ok: boolean;
	/** Null where no call was made. */
	statusCode: number | null;
	durationMs: number;
	/** Only in `initialResponse`. */
	state?: 'pending';
}

export interface Verification {
	/**
	 * `verified`: seen in the vendor. `unconfirmed`: asked, not seen in time. `unverifiable`: the
	 * vendor or the credential's rights offer no way. `skipped`: not asked.
	 */
	status: 'verified' | 'unconfirmed' | 'unverifiable' | 'skipped';
	method: string | null;
	/** ISO 8601. */
	checkedAt: string | null;
}

export interface Survives {
	what: string;
	/** ISO 8601; null when no deadline is known. */
	until: string | null;
	note: string;
	/** Name of the connector's option that ends it too; absent when none does. */
	option?: string;
}

/** True of every account that a vendor has, whatever the outcome: no node disables one or changes a password. */
export const SIGN_IN: Survives = {
	what: 'sign-in',
	until: null,
	note: 'The account is not disabled: the user can sign in again',
};

/** A request that a dry run would have sent. */
interface PlannedRequest {
	method: string;
	url: string;
	ends: readonly string[];
}

/** The result of one target: one connector's work for one user. */
export interface TargetResult {
	connector: string;
	/** What was sent to this target. */
	identityKey: string | null;
	/** Null when the vendor cannot say or was not asked. */
	userKnown: boolean | null;
	outcome: Outcome;
	state: TargetState;
	/** True when something ended or a marker moved; false when surely nothing did; null when the vendor does not tell. */
	changed: boolean | null;
	cause: Cause | null;
	/** Where the outcome, or its cause, is explained; absent when the outcome is one of the Success output. */
	documentation?: string;
	statusCode: number | null;
	message: string;
	user: User | null;
	candidates?: readonly User[];
	sessions: { found: number | null; revoked: number | null };
	/** What else was counted, for example OAuth grants; absent when nothing was. */
	counted?: Readonly<Record<string, { found: number; revoked: number }>>;
	ended: readonly string[];
	survives: readonly Survives[];
	verification: Verification;
	plan?: readonly PlannedRequest[];
	steps: readonly Step[];
	missingPermissions: readonly string[];
	vendorRequestId: string | null;
	/** Requests sent for this target, retries and read-backs included. */
	attempts: number;
	startedAt: string;
	finishedAt: string;
	durationMs: number;
}

/** The result of a target that was not worked on; nothing was sent for it. */
export function notAttempted(
	connector: string,
	identityKey: string | null,
	outcome: Outcome,
	cause: Cause | null,
	message: string,
): TargetResult {
	const now = new Date().toISOString();
	return {
		connector,
		identityKey,
		userKnown: null,
		outcome,
		state: 'not_attempted',
		changed: false,
		cause,
		...explained(outcome, cause),
		statusCode: null,
		message: withoutMarkup(message),
		user: null,
		sessions: { found: null, revoked: null },
		ended: [],
		survives: identityKey === null ? [] : [SIGN_IN],
		verification: { status: 'skipped', method: null, checkedAt: null },
		steps: [],
		missingPermissions: [],
		vendorRequestId: null,
		attempts: 0,
		startedAt: now,
		finishedAt: now,
		durationMs: 0,
	};
}
