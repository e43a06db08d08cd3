import type { UserRequest } from '../../nodes/core/everywhere/run';

/** A request about one user that asks for nothing special. */
export const requestFor = (
	targets: UserRequest['targets'],
	more: Partial<UserRequest> = {},
): UserRequest => ({
	requestId: 'request-1',
	user: 'jane@example.com',
	targets,
	targetsSkipped: [],
	identitySource: null,
	triggers: null,
	isUnchanged: false,
	summaryFormat: 'none',
	auditRecord: false,
	notFoundPolicy: 'failWhenNowhere',
	dryRun: false,
	protectedUsers: [],
	timeoutMs: 10_000,
	refusal: null,
	reason: null,
	source: null,
	incidentId: null,
	...more,
});
