/** Runs of the flow, as the cases and the benches make them. */
import { type Connection, readOptions } from '../../nodes/core/connection';
import { isOfUser } from '../../nodes/core/connector';
import {
	listSessions,
	retrieveUserOnly,
	revokeAllSessions,
	revokeOneSession,
	type Task,
} from '../../nodes/core/flow';
import type { TargetResult } from '../../nodes/core/result';
import type { Budget, Surroundings } from '../../nodes/core/transport/types';
import type { Bench } from './bench';

export const within = (ms: number): Budget => ({ deadline: performance.now() + ms });

type How = Partial<Omit<Task, 'connection' | 'identity'>> & {
	surroundings?: Partial<Surroundings>;
};

function taskFor(
	connection: Connection,
	identity: string,
	{ options = {}, budget = within(10_000), ...how }: How,
): Task {
	return {
		connection,
		identity,
		options: readOptions(connection.connector, options),
		verify: true,
		allowShortNames: false,
		allowOwnIdentity: false,
		dryRun: false,
		mayTouch: () => Promise.resolve(null),
		budget,
		...how,
	};
}

/** Runs Revoke All Sessions with the default options, over a connection or a new one of the bench. */
export async function revoke(
	at: Bench | Connection,
	identity: string,
	how: How = {},
): Promise<TargetResult> {
	return await revokeAllSessions(taskFor(connectionOf(at, how), identity, how));
}

/** Runs Retrieve User likewise. */
export async function retrieve(
	at: Bench | Connection,
	identity: string,
	how: How = {},
): Promise<TargetResult> {
	return await retrieveUserOnly(taskFor(connectionOf(at, how), identity, how));
}

/** Runs Revoke Session; where the vendor wants to know whose session it is, `owner`'s. */
export async function endSession(
	connection: Connection,
	sessionId: string,
	owner: string,
): Promise<TargetResult> {
	const { identity, options, allowShortNames } = taskFor(connection, owner, {});
	const ofUser = isOfUser(connection.connector, connection.credential);
	return await revokeOneSession(
		{
			connection,
			budget: within(10_000),
			...(ofUser ? { owner: { identity, options, allowShortNames } } : {}),
		},
		{ parameter: 'sessionId', value: sessionId },
	);
}

/** Runs List Sessions; all of them unless a limit is given. */
export async function list(
	connection: Connection,
	identity: string,
	limit: number | null = null,
): Promise<Awaited<ReturnType<typeof listSessions>>> {
	return await listSessions(taskFor(connection, identity, {}), limit);
}

const connectionOf = (at: Bench | Connection, { surroundings }: How): Connection =>
	'line' in at ? at : at.connection(surroundings ? { surroundings } : {});
