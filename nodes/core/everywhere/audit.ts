import type { UserResult } from './run';

/**
 * One flat object per target, with the same members whatever happened: a row for a Data Table, a
 * database or a SIEM.
 */
export function auditRecords(
	result: Omit<UserResult, 'auditRecords' | 'summary'>,
): readonly object[] {
	const { requestId, user, status, dryRun, reason, source, incidentId } = result;
	return result.results.map((target) => ({
		requestId,
		user,
		status,
		target: target.connector,
		identityKey: target.identityKey,
		userId: target.user?.id ?? null,
		userLogin: target.user?.login ?? null,
		userKnown: target.userKnown,
		outcome: target.outcome,
		state: target.state,
		cause: target.cause,
		changed: target.changed,
		sessionsFound: target.sessions.found,
		sessionsRevoked: target.sessions.revoked,
		ended: target.ended.join(', '),
		survives: target.survives.map(({ what }) => what).join(', '),
		residualUntil: lastOf(target.survives.flatMap(({ until }) => until ?? [])),
		verification: target.verification.status,
		missingPermissions: target.missingPermissions.join(', '),
		statusCode: target.statusCode,
		vendorRequestId: target.vendorRequestId,
		attempts: target.attempts,
		message: target.message,
		dryRun,
		reason,
		source,
		incidentId,
		startedAt: target.startedAt,
		finishedAt: target.finishedAt,
		durationMs: target.durationMs,
	}));
}

/** The latest of some ISO times; null when there is none. */
export const lastOf = (times: readonly string[]): string | null => times.toSorted().at(-1) ?? null;
