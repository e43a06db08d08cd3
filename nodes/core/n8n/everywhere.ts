import { randomUUID } from 'node:crypto';
import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	NodeOperationError,
} from 'n8n-workflow';
import pMap from 'p-map';
import { connect, ConfigurationError } from '../connection';
import type { Connector } from '../connector';
import {
	type Connections,
	InputError,
	type Parameter,
	readItem,
	readRunSettings,
	type RunSettings,
} from '../everywhere/parameters';
import { revokeEverywhere, type UserRequest, type UserResult } from '../everywhere/run';
import { attempt } from '../attempt';
import { checkSetup } from '../flow';
import { notAttempted, type TargetResult } from '../result';
import type { Surroundings } from '../transport/types';
import { describeEverywhere } from './everywhere.description';
import { addHints } from './hints';
import { inputMessage, logAfterCancel, sorted } from './items';
import { orNodeError, surroundingsOf } from './surroundings';

/**
 * The composite node: each item's user, every chosen target, in parallel.
 *
 * @example export class RevokeEverywhere extends revokeEverywhereNode(connectors) {}
 */
export function revokeEverywhereNode(connectors: readonly Connector[]): new () => INodeType {
	return class implements INodeType {
		description = describeEverywhere(connectors);

		async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
			const settings = orNodeError(this, () => readRunSettings(parametersOf(this, 0)));
			const surroundings = surroundingsOf(this, settings.usersInParallel);
			const connections = await openConnections(this, connectors, surroundings);
			return this.getNodeParameter('operation', 0) === 'checkSetup'
				? await checkAll(this, connections, settings)
				: await revokeAll(this, connections, settings, surroundings);
		}
	};
}

async function openConnections(
	context: IExecuteFunctions,
	connectors: readonly Connector[],
	surroundings: Surroundings,
): Promise<Connections> {
	const slots = context.getNode().credentials ?? {};
	if (!connectors.some(({ credential }) => slots[credential.name])) {
		throw new NodeOperationError(context.getNode(), 'No credential is set on this node', {
			description: 'Choose a credential for each system in which sessions are to be revoked',
		});
	}
	const open = async (connector: Connector): Promise<ReturnType<Connections['get']> & object> => {
		const { name, displayName } = connector.credential;
		if (!slots[name]) {
			return {
				problem: `No credential of the type '${displayName}' is set on this node`,
				unset: true,
			};
		}
		try {
			return connect(connector, await context.getCredentials(name), surroundings);
		} catch (error) {
			const next = error instanceof ConfigurationError ? `: ${error.nextStep}` : '';
			const problem = `${error instanceof Error ? error.message : 'The credential cannot be used'}${next}`;
			return { problem, unset: false };
		}
	};
	return new Map(
		await Promise.all(
			connectors.map(async (connector) => [connector.key, await open(connector)] as const),
		),
	);
}

async function checkAll(
	context: IExecuteFunctions,
	connections: Connections,
	{ timeoutMs }: RunSettings,
): Promise<INodeExecutionData[][]> {
	const deadline = performance.now() + timeoutMs;
	const chosen = [...connections].filter(([, at]) => !('problem' in at && at.unset));
	const results = await Promise.all(
		chosen.map(async ([key, connection]): Promise<TargetResult> => {
			return 'problem' in connection
				? notAttempted(key, null, 'failed', 'configuration', connection.problem)
				: await checkSetup({ connection, budget: { deadline } });
		}),
	);
	const ready = results.every(({ outcome }) => outcome === 'ready');
	const json = { outcome: ready ? 'ready' : 'failed', results };
	return sorted(context, [{ item: { json, pairedItem: { item: 0 } }, success: ready }]);
}

async function revokeAll(
	context: IExecuteFunctions,
	connections: Connections,
	settings: RunSettings,
	surroundings: Surroundings,
): Promise<INodeExecutionData[][]> {
	const jobs = context.getInputData().flatMap((_, index) => prepare(context, connections, index));
	const requests = withinRunLimit(jobs, settings);
	surroundings.users = requests.length;
	const done = await pMap(
		requests,
		async ({ index, request }) => ({
			index,
			result: 'targets' in request ? await revokeEverywhere(request) : request,
		}),
		{ concurrency: settings.usersInParallel },
	);
	for (const { result } of done) logAfterCancel(context, result.results, result.requestId);
	addHints(
		context,
		done.flatMap(({ result }) => result.results),
		[...connections.values()].filter((at) => 'connector' in at),
		({ key }, name) => `Set {"${key}": {"${name}": true}} in 'Connector Options'`,
	);
	return sorted(
		context,
		done.map(({ index, result }) => ({
			item: {
				json: { ...(settings.resultDetail === 'summary' ? summary(result) : result) },
				pairedItem: { item: index },
			},
			success: result.status === 'completed',
		})),
	);
}

/** What is to be done for one user of one item, or the result that its bad input gets. */
interface Job {
	index: number;
	request: UserRequest | UserResult;
}

function prepare(context: IExecuteFunctions, connections: Connections, index: number): Job[] {
	const read = attempt(InputError, () => readItem(parametersOf(context, index), connections));
	return read instanceof InputError
		? [{ index, request: unusable(inputMessage(read.parameter, read.message, index)) }]
		: read.map((request) => ({ index, request }));
}

const parametersOf =
	(context: IExecuteFunctions, index: number): Parameter =>
	(name, fallback) =>
		context.getNodeParameter(name, index, fallback);

/** The result of an item with a bad value: nothing was sent for it. */
function unusable(message: string): UserResult {
	const now = new Date().toISOString();
	return {
		requestId: randomUUID(),
		user: null,
		status: 'failed',
		coverage: 'none',
		state: 'not_attempted',
		changed: false,
		billable: false,
		retryTargets: [],
		counts: {},
		cause: 'invalid_input',
		message,
		dryRun: false,
		triggers: null,
		reason: null,
		source: null,
		incidentId: null,
		targetsUsed: [],
		targetsSkipped: [],
		results: [],
		residualUntil: null,
		startedAt: now,
		finishedAt: now,
		durationMs: 0,
	};
}

/** More distinct users than a run may have: nobody is touched, because a loop or a bad query is likelier than an attack on all. */
function withinRunLimit(jobs: readonly Job[], { maxUsersPerRun }: RunSettings): readonly Job[] {
	const users = new Set(
		jobs.flatMap(({ request }) => ('targets' in request ? request.user.toLowerCase() : [])),
	);
	if (maxUsersPerRun === null || users.size <= maxUsersPerRun) return jobs;
	const why = `The run has ${users.size} users and may have ${maxUsersPerRun}: nobody was touched; raise 'Max Users per Run' if they are meant`;
	return jobs.map(({ index, request }) => ({
		index,
		request:
			'targets' in request
				? { ...request, refusal: { cause: 'run_limit', why } as const }
				: request,
	}));
}

/** The same result without what only a person who looks into one case reads. */
const summary = (result: UserResult): object => ({
	...result,
	results: result.results.map(({ steps, survives, ...kept }) => ({
		...kept,
		survives: survives.map(({ what, until }) => ({ what, until })),
	})),
});
