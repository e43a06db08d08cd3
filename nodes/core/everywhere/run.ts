/** One user, every chosen target, at the same time. */
import type { Connection } from '../connection';
import { revokeAllSessions } from '../flow';
import type { Refusal } from '../connector';
import type { TargetResult } from '../result';
import { notAttempted } from '../result';
import { protection } from './protect';
import { type NotFoundPolicy, type Settlement, settle } from './settle';
import { userMessage } from './wording';

/** What one target needs; a target that cannot work says why. */
export type Target =
	| {
			key: string;
			connection: Connection;
			identity: string;
			options: unknown;
			verify: boolean;
			allowShortNames: boolean;
			allowOwnIdentity: boolean;
	  }
	| { key: string; identity: string; problem: string };

export interface UserRequest {
	requestId: string;
	user: string;
	targets: readonly Target[];
	targetsSkipped: readonly string[];
	notFoundPolicy: NotFoundPolicy;
	dryRun: boolean;
	protectedUsers: readonly string[];
	timeoutMs: number;
	/** Refuses the user before anything is asked, for example because the run is too large. */
	refusal: Refusal | null;
	reason: string | null;
	source: string | null;
	incidentId: string | null;
}

/** The result of one user over all targets. */
export interface UserResult extends Settlement {
	requestId: string;
	user: string | null;
	cause: string | null;
	message: string;
	dryRun: boolean;
	triggers: null;
	reason: string | null;
	source: string | null;
	incidentId: string | null;
	targetsUsed: readonly string[];
	targetsSkipped: readonly string[];
	results: readonly TargetResult[];
	/** ISO 8601: the latest known deadline of what survives. */
	residualUntil: string | null;
	startedAt: string;
	finishedAt: string;
	durationMs: number;
}

/** Never throws: one target's failure never hides another's result. */
export async function revokeEverywhere(request: UserRequest): Promise<UserResult> {
	const startedAt = new Date();
	const began = performance.now();
	const working = request.targets.filter((target) => 'connection' in target);
	const inputs = request.targets.map(({ identity }) => identity);
	const guard = protection(request.protectedUsers, [request.user, ...inputs], working.length);
	const deadline = began + request.timeoutMs;
	// Where all look-ups are waited for, one that hangs must leave the others time to revoke.
	const lookUpDeadline =
		request.protectedUsers.length > 0 ? began + request.timeoutMs / 2 : deadline;
	const results = await Promise.all(
		request.targets.map(async (target) => {
			if ('problem' in target) {
				return notAttempted(target.key, target.identity, 'failed', 'configuration', target.problem);
			}
			if (request.refusal) {
				const { cause, why } = request.refusal;
				return notAttempted(target.key, target.identity, 'refused', cause, why);
			}
			return await revokeAllSessions({
				...target,
				dryRun: request.dryRun,
				budget: { deadline },
				lookUpDeadline,
				mayTouch: guard(),
			});
		}),
	);
	const settlement = settle(results, request);
	const { requestId, user, dryRun, reason, source, incidentId, targetsSkipped } = request;
	return {
		requestId,
		user,
		...settlement,
		cause: null,
		message: userMessage(user, results, settlement, dryRun),
		dryRun,
		triggers: null,
		reason,
		source,
		incidentId,
		targetsUsed: results.map(({ connector }) => connector),
		targetsSkipped,
		results,
		residualUntil: latest(results),
		startedAt: startedAt.toISOString(),
		finishedAt: new Date().toISOString(),
		durationMs: Math.round(performance.now() - began),
	};
}

function latest(results: readonly TargetResult[]): string | null {
	const deadlines = results.flatMap(({ survives }) => survives.flatMap(({ until }) => until ?? []));
	return deadlines.sort().at(-1) ?? null;
}
