/** One user, every chosen target, at the same time. */
import { type Connection, readOptions } from '../connection';
import { retrieveUserOnly, revokeAllSessions } from '../flow';
import type { Refusal, User } from '../connector';
import type { FailureCause } from '../outcome';
import type { TargetResult } from '../result';
import { notAttempted } from '../result';
import { foldCase, hasDomain } from '../identity';
import { auditRecords, lastOf } from './audit';
import { protection } from './protect';
import { type NotFoundPolicy, type Settlement, settle } from './settle';
import { summarize, type SummaryFormat } from './summary';
import type { Triggers } from './triggers';
import { headlineFor, userMessage } from './wording';

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
	| { key: string; identity: string | null; problem: string; cause: FailureCause };

/** Where the user is looked up first, and the targets that are to get the address found there. */
export interface IdentitySource {
	key: string;
	connection: Connection;
	identity: string;
	/** Keys of the targets to which nobody gave an identity. */
	fills: ReadonlySet<string>;
}

export interface UserRequest {
	requestId: string;
	user: string;
	targets: readonly Target[];
	targetsSkipped: readonly string[];
	/** Null: everybody has an identity. */
	identitySource: IdentitySource | null;
	notFoundPolicy: NotFoundPolicy;
	dryRun: boolean;
	/** As the workflow gave them; null when it gave none. */
	triggers: Triggers | null;
	/** The triggers are the same as last time: nothing is to be done. */
	isUnchanged: boolean;
	protectedUsers: readonly string[];
	timeoutMs: number;
	summaryFormat: SummaryFormat;
	auditRecord: boolean;
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
	/** Where the cause is explained; absent without one. */
	documentation?: string;
	message: string;
	dryRun: boolean;
	triggers: Triggers | null;
	reason: string | null;
	source: string | null;
	incidentId: string | null;
	targetsUsed: readonly string[];
	targetsSkipped: readonly string[];
	results: readonly TargetResult[];
	/** ISO 8601: the latest known deadline of what survives. */
	residualUntil: string | null;
	/** Where the identity came from, when it was looked up first. */
	identityFrom?: Pick<TargetResult, 'connector' | 'outcome' | 'user' | 'message'>;
	/** Place of the same user in the run whose result this is: the user was worked on once. */
	duplicateOf?: number;
	summary?: string;
	auditRecords?: readonly object[];
	startedAt: string;
	finishedAt: string;
	durationMs: number;
}

/** Never throws: one target's failure never hides another's result. */
export async function revokeEverywhere(request: UserRequest): Promise<UserResult> {
	const startedAt = new Date();
	const began = performance.now();
	const { results, source } = await workOn(request, began);
	return resultOf(request, results, {
		...(source ? { identityFrom: source } : {}),
		startedAt: startedAt.toISOString(),
		finishedAt: new Date().toISOString(),
		durationMs: Math.round(performance.now() - began),
	});
}

/** The same user was worked on before in this run: its results under this request's own names. */
export function duplicateOf(first: UserResult, place: number, request: UserRequest): UserResult {
	const { identityFrom, startedAt, finishedAt, durationMs } = first;
	return {
		...resultOf(request, first.results, {
			...(identityFrom ? { identityFrom } : {}),
			startedAt,
			finishedAt,
			durationMs,
		}),
		duplicateOf: place,
		// Nothing was done for it.
		billable: false,
	};
}

/** Letter case makes no difference in a name with a domain; in an id it may. */
const whom = (name: string | null): string | null =>
	name !== null && hasDomain(name) ? foldCase(name) : name;

/** What has to be the same for two requests to be one: whom, where and how. */
export const sameWork = (request: UserRequest): string => {
	const { user, targets, dryRun, notFoundPolicy, triggers, isUnchanged, protectedUsers } = request;
	const { identitySource, refusal, timeoutMs } = request;
	const parts = targets.map(({ key, identity, ...target }) =>
		'connection' in target
			? [
					key,
					whom(identity),
					target.options,
					target.verify,
					target.allowShortNames,
					target.allowOwnIdentity,
				]
			: [key, whom(identity), target.problem],
	);
	return JSON.stringify([
		whom(user),
		parts,
		identitySource && [identitySource.key, identitySource.identity, [...identitySource.fills]],
		[dryRun, notFoundPolicy, triggers, isUnchanged, protectedUsers, refusal, timeoutMs],
	]);
};

function resultOf(
	request: UserRequest,
	results: readonly TargetResult[],
	times: Pick<UserResult, 'startedAt' | 'finishedAt' | 'durationMs' | 'identityFrom'>,
): UserResult {
	const settlement = settle(results, request);
	const { requestId, user, dryRun, triggers, reason, source, incidentId, targetsSkipped } = request;
	const headline = headlineFor(user, results, settlement, dryRun);
	const result: UserResult = {
		requestId,
		user,
		...settlement,
		cause: null,
		message: userMessage(headline, results),
		dryRun,
		triggers,
		reason,
		source,
		incidentId,
		targetsUsed: results.map(({ connector }) => connector),
		targetsSkipped,
		results,
		residualUntil: lastOf(
			results.flatMap(({ survives }) => survives.flatMap(({ until }) => until ?? [])),
		),
		...times,
	};
	const { summaryFormat } = request;
	return {
		...result,
		...(summaryFormat === 'none' ? {} : { summary: summarize(summaryFormat, headline, result) }),
		...(request.auditRecord ? { auditRecords: auditRecords(result) } : {}),
	};
}

async function workOn(
	request: UserRequest,
	began: number,
): Promise<{ results: readonly TargetResult[]; source?: TargetResult }> {
	const { targets, refusal } = request;
	if (refusal) {
		const { cause, why } = refusal;
		return {
			results: targets.map(({ key, identity }) =>
				notAttempted(key, identity, 'refused', cause, why),
			),
		};
	}
	if (request.isUnchanged) {
		const why = 'The triggers are the same as last time: nothing was revoked';
		return {
			results: targets.map(({ key, identity }) =>
				notAttempted(key, identity, 'unchanged', null, why),
			),
		};
	}
	const deadline = began + request.timeoutMs;
	const source = await lookUpFirst(request, deadline);
	const named = targets.map((target) => nameBy(target, request.identitySource, source));
	const names = [request.user, ...namesOf(source?.user), ...named.map(({ identity }) => identity)];
	const working = named.filter((target) => 'connection' in target);
	const guard = protection(request.protectedUsers, names, working.length);
	// Where all look-ups are waited for, one that hangs must leave the others time to revoke.
	const lookUpDeadline =
		request.protectedUsers.length > 0 ? began + request.timeoutMs / 2 : deadline;
	const results = await Promise.all(
		named.map(async (target) => {
			if ('problem' in target) {
				return notAttempted(target.key, target.identity, 'failed', target.cause, target.problem);
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
	return source ? { results, source } : { results };
}

/** Asks the source of identities who the user is; null when there is none to ask. */
async function lookUpFirst(
	{ identitySource, timeoutMs }: UserRequest,
	deadline: number,
): Promise<TargetResult | null> {
	if (!identitySource) return null;
	const { connection, identity } = identitySource;
	const { connector } = connection;
	return await retrieveUserOnly({
		connection,
		identity,
		options: readOptions(connector, {}),
		allowShortNames: false,
		budget: { deadline },
		// The targets need their time, too.
		lookUpDeadline: deadline - timeoutMs / 2,
	});
}

/** Gives a target the address that the source found, when nobody gave it an identity. */
function nameBy(
	target: Target,
	identitySource: IdentitySource | null,
	source: TargetResult | null,
): Target {
	if (!identitySource || !source || !identitySource.fills.has(target.key)) return target;
	const { user } = source;
	const address = user?.email ?? (hasDomain(user?.login ?? '') ? user?.login : null);
	if (address) return { ...target, identity: address };
	// An address means the same user everywhere; an id of one system does not.
	if (target.identity !== null && hasDomain(target.identity)) return target;
	const why = `There is no address for the user: ${source.message}`;
	return { key: target.key, identity: target.identity, problem: why, cause: 'invalid_input' };
}

const namesOf = (user: User | null | undefined): (string | null)[] =>
	user ? [user.id, user.login, user.email] : [];
