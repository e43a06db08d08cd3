import {
	type ICredentialDataDecryptedObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
} from 'n8n-workflow';
import pMap from 'p-map';
import { attempt } from '../attempt';
import {
	ConfigurationError,
	type Connection,
	connect,
	connectThrough,
	readOptions,
} from '../connection';
import {
	type Connector,
	type ConnectorOperation,
	isOfUser,
	type NamedSession,
	type Refusal,
} from '../connector';
import { documentationUrl } from '../documentation';
import { protection } from '../everywhere/protect';
import {
	type Asking,
	authenticateSession,
	checkSetup,
	listSessions,
	retrieveUserOnly,
	revokeAllSessions,
	revokeOneSession,
} from '../flow';
import { foldCase, MAX_IDENTITY_LENGTH, readIdentity } from '../identity';
import { readCommonOptions } from '../options';
import { isSuccess } from '../outcome';
import { type Policy, refusalOf, runLimitRefusal } from '../policy';
import { notAttempted, type TargetResult } from '../result';
import { addHints } from './hints';
import { inputMessage, logAfterCancel, sorted } from './items';
import { describeSessionsNode, OF_USER, PROVIDER_TYPE, THROUGH_WORKFLOW } from './node.description';
import { channelOf, policyOf } from './policy';
import { workflowLine } from './sub-workflow';
import { nodeError, orNodeError, surroundingsOf } from './surroundings';

const USERS_IN_PARALLEL = 10;

/**
 * The node class of one connector. The description is made anew for each instance, because n8n's
 * loader changes it.
 *
 * @param standIn the connector to a workflow of the user's own, where one can be chosen in its place
 * @example export class OktaSessions extends sessionsNode(okta) {}
 */
export function sessionsNode(connector: Connector, standIn?: Connector): new () => INodeType {
	return class implements INodeType {
		description = describeSessionsNode(connector, standIn);

		async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
			const through = standIn && this.getNodeParameter(PROVIDER_TYPE, 0, 'http');
			const connection =
				standIn && through === THROUGH_WORKFLOW
					? connectThrough(standIn, workflowLine(this, documentationUrl(standIn)))
					: await openConnection(this, connector);
			return await execute(this, connection);
		}
	};
}

/** @throws NodeOperationError when the credential cannot work */
async function openConnection(
	context: IExecuteFunctions,
	connector: Connector,
): Promise<Connection> {
	const data: ICredentialDataDecryptedObject = await context.getCredentials(
		connector.credential.name,
	);
	const users = context.getInputData().length;
	const surroundings = { ...surroundingsOf(context, inParallel(connector, users)), users };
	return orNodeError(context, documentationUrl(connector), () =>
		connect(connector, data, surroundings),
	);
}

const inParallel = ({ usersInParallel = USERS_IN_PARALLEL }: Connector, users: number): number =>
	Math.max(1, Math.min(usersInParallel, users));

async function execute(
	context: IExecuteFunctions,
	connection: Connection,
): Promise<INodeExecutionData[][]> {
	const items = context.getInputData();
	const { connector } = connection;
	const operation = context.getNodeParameter('operation', 0) as ConnectorOperation;
	const page = documentationUrl(connector);
	const problem = connector.unsupported?.(operation, connection.credential) ?? null;
	if (problem !== null) {
		throw nodeError(context, page, {
			message: problem,
			nextStep: 'Choose another operation, or change the credential',
		});
	}
	const policy = await policyOf(context);
	const jobs = items.map((_, index) => prepare(context, connection, { operation, policy }, index));
	const refusal = REVOKING.has(operation) ? refusalFor(context, jobs, policy) : null;
	const done = await pMap(
		jobs,
		async ({ refused, run }) => (refusal === null || !refused ? await run() : refused(refusal)),
		{ concurrency: inParallel(connector, items.length) },
	);
	const results = done.map(({ result }) => result);
	logAfterCancel(context, results);
	addHints(context, results, [connection], ({ options }, name) => {
		const field = options.fields.find((one) => one.name === name);
		return `Add the option '${field?.label ?? name}' and turn it on`;
	});
	return sorted(
		context,
		done.flatMap(({ result, items: made }, index) =>
			(made ?? [result]).map((json) => ({
				item: { json: { ...json }, pairedItem: { item: index } },
				success: isSuccess(result.outcome),
			})),
		),
	);
}

/** What became of one item; `items`: what leaves in place of the result. */
interface Done {
	result: TargetResult;
	items?: readonly object[];
}

interface Job {
	run: () => Promise<Done>;
	/** Whom the item means; null when it names no user. */
	user: string | null;
	/** The result when the policy forbids it; absent when there is nothing to forbid. */
	refused?: (refusal: Refusal) => Done;
}

const REVOKING: ReadonlySet<ConnectorOperation> = new Set(['revokeAllSessions', 'revokeSession']);

/** Why nobody in this run may be touched. */
function refusalFor(
	context: IExecuteFunctions,
	jobs: readonly Job[],
	policy: Policy,
): Refusal | null {
	const users = new Set(jobs.flatMap(({ user }) => (user === null ? [] : foldCase(user))));
	return (
		refusalOf(policy, channelOf(context)) ?? runLimitRefusal(users.size, policy.maxUsersPerRun)
	);
}

/** A bad value in an item's data. */
class InputError extends Error {
	override readonly name = 'InputError';

	constructor(
		readonly parameter: string,
		/** Can follow "The parameter 'X' of item N ". */
		problem: string,
	) {
		super(problem);
	}
}

/** Reads an item's parameters and says what is to be done; what is wrong with them becomes the item's result. */
function prepare(
	context: IExecuteFunctions,
	connection: Connection,
	chosen: { operation: ConnectorOperation; policy: Policy },
	index: number,
): Job {
	const parameter = (name: string, fallback: unknown): unknown =>
		context.getNodeParameter(name, index, fallback);
	const read = attempt(InputError, () => readItem(parameter, connection, chosen));
	if (!(read instanceof InputError)) return read;
	const message = inputMessage(read.parameter, read.message, index);
	const { key } = connection.connector;
	const result = notAttempted(key, null, 'failed', 'invalid_input', message);
	return { user: null, run: () => Promise.resolve({ result }) };
}

type Parameter = (name: string, fallback: unknown) => unknown;

/** @throws InputError */
function readItem(
	parameter: Parameter,
	connection: Connection,
	{ operation, policy }: { operation: ConnectorOperation; policy: Policy },
): Job {
	const { connector } = connection;
	const read = attempt(ConfigurationError, () => {
		const { common, vendor } = readCommonOptions(parameter('options', {}));
		return { common, options: readOptions(connector, vendor) };
	});
	if (read instanceof ConfigurationError) {
		throw new InputError('Options', `is not valid. ${read.message}`);
	}
	const { common, options } = read;
	const working = () => ({
		connection,
		budget: { deadline: performance.now() + common.timeoutMs },
	});
	const { credential } = connection;
	const isUserNeeded =
		operation === 'revokeSession' ? isOfUser(connector, credential) : OF_USER.has(operation);
	const identity = isUserNeeded ? readText('User', parameter('user', '')) : '';
	const user = identity === '' ? null : identity;
	const { key } = connector;
	const job = (run: Job['run']): Job => ({
		user,
		run,
		refused: ({ cause, why }) => ({ result: notAttempted(key, user, 'refused', cause, why) }),
	});
	const asking = (): Asking => ({ ...working(), ...common, identity, options });
	switch (operation) {
		case 'checkSetup':
			return job(async () => ({ result: await checkSetup(working()) }));
		case 'retrieveUser':
			return job(async () => ({ result: await retrieveUserOnly(asking()) }));
		case 'revokeAllSessions':
			return job(async () => ({
				result: await revokeAllSessions({
					...asking(),
					...common,
					dryRun: false,
					mayTouch: protection(policy.protectedUsers, [identity], 1)(),
				}),
			}));
		case 'listSessions': {
			const limit = parameter('returnAll', false) === true ? null : readLimit(parameter);
			return job(async () => await listed(asking(), limit));
		}
		case 'revokeSession': {
			const session = readSession(connector, parameter);
			const owner = isUserNeeded ? { owner: asking() } : {};
			return job(async () => ({
				result: await revokeOneSession({ ...working(), ...owner }, session),
			}));
		}
		case 'authenticateSession': {
			const token = readText('Session Token', parameter('sessionToken', ''), MAX_TOKEN_LENGTH);
			const duration = readDuration(connector, parameter('sessionDurationMinutes', ''));
			return job(async () => {
				const { result, session } = await authenticateSession(working(), token, duration);
				return session === null ? { result } : { result, items: [{ ...result, ...session }] };
			});
		}
	}
}

/** A session's token can be a JWT, which is longer than a name. */
const MAX_TOKEN_LENGTH = 8192;

function readText(label: string, value: unknown, most = MAX_IDENTITY_LENGTH): string {
	const read = readIdentity(value, most);
	if ('problem' in read) throw new InputError(label, read.problem);
	return read.identity;
}

function readLimit(parameter: Parameter): number {
	const limit = parameter('limit', undefined);
	if (typeof limit === 'number' && Number.isInteger(limit) && limit >= 1) return limit;
	throw new InputError('Limit', 'is not a whole number above zero');
}

/** Exactly one of the parameters that can name a session does. */
function readSession({ revokeOne }: Connector, parameter: Parameter): NamedSession {
	const alternatives = revokeOne?.alternatives ?? [];
	const given = alternatives.filter(({ name }) => !isBlank(parameter(name, '')));
	const sessionId = parameter('sessionId', '');
	if (given.length + (isBlank(sessionId) ? 0 : 1) > 1) {
		throw new InputError('Session ID', 'and its alternatives name the session more than once');
	}
	const [other] = given;
	if (!other) return { parameter: 'sessionId', value: readText('Session ID', sessionId) };
	const value = readText(other.label, parameter(other.name, ''), MAX_TOKEN_LENGTH);
	return { parameter: other.name, value };
}

const isBlank = (value: unknown): boolean =>
	value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

function readDuration({ authenticateSession: offered }: Connector, value: unknown): number | null {
	if (isBlank(value)) return null;
	const [shortest, longest] = offered?.durations ?? [1, Infinity];
	const minutes = typeof value === 'string' ? Number(value) : value;
	const holds = typeof minutes === 'number' && Number.isInteger(minutes);
	if (holds && minutes >= shortest && minutes <= longest) return minutes;
	throw new InputError(
		'Session Duration (Minutes)',
		`is not a whole number from ${shortest} to ${longest}`,
	);
}

/** One item for each session; one with an empty list when there is none. */
async function listed(task: Asking, limit: number | null): Promise<Done> {
	const { result, sessions } = await listSessions(task, limit);
	if (sessions === null) return { result };
	if (sessions.length === 0) return { result, items: [{ ...result, sessions: [] }] };
	const { connector, identityKey, outcome, user } = result;
	const items = sessions.map(({ id: sessionId, ...session }) => ({
		connector,
		identityKey,
		outcome,
		user,
		sessionId,
		...session,
	}));
	return { result, items };
}
