import { randomUUID } from 'node:crypto';
import { type IExecuteFunctions, type INodeExecutionData, type INodeType } from 'n8n-workflow';
import pMap from 'p-map';
import { connect, ConfigurationError } from '../connection';
import type { Connector, Refusal } from '../connector';
import { EVERYWHERE_URL, explained, seeAlso } from '../documentation';
import {
	type Connections,
	InputError,
	type Parameter,
	readItem,
	readRequestId,
	readRunSettings,
	type RunSettings,
} from '../everywhere/parameters';
import {
	duplicateOf,
	revokeEverywhere,
	sameWork,
	type UserRequest,
	type UserResult,
} from '../everywhere/run';
import { attempt } from '../attempt';
import { checkSetup } from '../flow';
import { foldCase } from '../identity';
import { type Policy, refusalOf, runLimitRefusal } from '../policy';
import { notAttempted, type TargetResult } from '../result';
import type { Surroundings } from '../transport/types';
import { describeEverywhere } from './everywhere.description';
import { addHints } from './hints';
import { inputMessage, logAfterCancel, sorted } from './items';
import { channelOf, policyOf } from './policy';
import { nodeError, orNodeError, surroundingsOf } from './surroundings';

/**
 * The composite node: each item's user, every chosen target, in parallel.
 *
 * @example export class RevokeEverywhere extends revokeEverywhereNode(connectors) {}
 */
export function revokeEverywhereNode(connectors: readonly Connector[]): new () => INodeType {
	return class implements INodeType {
		description = describeEverywhere(connectors);

		async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
			const settings = orNodeError(this, EVERYWHERE_URL, () =>
				readRunSettings(parametersOf(this, 0)),
			);
			const surroundings = surroundingsOf(this, settings.usersInParallel);
			const connections = await openConnections(this, connectors, surroundings);
			const policy = await policyOf(this);
			return this.getNodeParameter('operation', 0) === 'checkSetup'
				? await checkAll(this, connections, settings)
				: await revokeAll(this, connections, { ...settings, policy, surroundings });
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
		throw nodeError(context, `${EVERYWHERE_URL}#systems`, {
			message: 'No credential is set on this node',
			nextStep: 'Choose a credential for each system in which sessions are to be revoked',
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
	settings: RunSettings & { policy: Policy; surroundings: Surroundings },
): Promise<INodeExecutionData[][]> {
	const { policy, surroundings } = settings;
	const jobs = context
		.getInputData()
		.flatMap((_, index) => prepare(context, connections, policy, index));
	const requests = refusing(jobs, settings, refusalOf(policy, channelOf(context)));
	surroundings.users = requests.length;
	const results = await workOnce(requests, settings.usersInParallel);
	for (const result of results) logAfterCancel(context, result.results, result.requestId);
	describeExecution(context, results);
	addHints(
		context,
		results.flatMap((result) => result.results),
		[...connections.values()].filter((at) => 'connector' in at),
		({ key }, name) => `Set {"${key}": {"${name}": true}} in 'Connector Options'`,
	);
	if (jobs.some(({ request }) => 'targets' in request && request.protectedUsers.length === 0)) {
		context.addExecutionHints({ message: UNPROTECTED, type: 'info', location: 'outputPane' });
	}
	return sorted(
		context,
		results.map((result, at) => ({
			item: {
				json: { ...(settings.resultDetail === 'summary' ? summary(result) : result) },
				pairedItem: { item: requests[at]?.index ?? 0 },
			},
			success: result.status === 'completed',
		})),
	);
}

const UNPROTECTED = `No user is protected: a wrong alert could sign everybody out. Name break-glass and executive accounts in 'Protected Users' under 'Guardrails', or in a Session Revocation Policy credential. ${seeAlso(`${EVERYWHERE_URL}#guardrails`)}`;

/** Works on each user once, however often the run names it. */
async function workOnce(jobs: readonly Job[], concurrency: number): Promise<readonly UserResult[]> {
	const first = new Map<string, { place: number; result: Promise<UserResult> }>();
	const begin = async (request: UserRequest, place: number): Promise<UserResult> => {
		const work = sameWork(request);
		const earlier = first.get(work);
		if (earlier) return duplicateOf(await earlier.result, earlier.place, request);
		const result = revokeEverywhere(request);
		first.set(work, { place, result });
		return await result;
	};
	return await pMap(
		jobs,
		async ({ request }, place) => ('targets' in request ? await begin(request, place) : request),
		{ concurrency },
	);
}

/** What executions can be found by in n8n's list. */
function describeExecution(context: IExecuteFunctions, results: readonly UserResult[]): void {
	const [first] = results;
	if (!first) return;
	const failed = results.filter(({ status }) => status === 'failed').length;
	context.customData.setAll({
		requestId: first.requestId.slice(0, LONGEST_CUSTOM_DATA),
		status: failed > 0 ? 'failed' : 'completed',
		users: String(results.length),
	});
}

/** n8n refuses longer values, in characters. */
const LONGEST_CUSTOM_DATA = 512;

/** What is to be done for one user of one item, or the result that its bad input gets. */
interface Job {
	index: number;
	request: UserRequest | UserResult;
}

function prepare(
	context: IExecuteFunctions,
	connections: Connections,
	policy: Policy,
	index: number,
): Job[] {
	const read = attempt(InputError, () => readItem(parametersOf(context, index), connections));
	const given = attempt(InputError, () => readRequestId(parametersOf(context, index)));
	const requestId = typeof given === 'string' ? given : randomUUID();
	return read instanceof InputError
		? [{ index, request: unusable(requestId, inputMessage(read.parameter, read.message, index)) }]
		: read.map((request) => {
				const protectedUsers = [...request.protectedUsers, ...policy.protectedUsers];
				return { index, request: { ...request, protectedUsers } };
			});
}

const parametersOf =
	(context: IExecuteFunctions, index: number): Parameter =>
	(name, fallback) =>
		context.getNodeParameter(name, index, fallback);

/** The result of an item with a bad value: nothing was sent for it. */
function unusable(requestId: string, message: string): UserResult {
	const now = new Date().toISOString();
	return {
		requestId,
		user: null,
		status: 'failed',
		coverage: 'none',
		state: 'not_attempted',
		changed: false,
		billable: false,
		retryTargets: [],
		counts: {},
		cause: 'invalid_input',
		...explained('failed', 'invalid_input'),
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

/** The jobs of a run, each with the reason why nobody of it may be touched, if there is one. */
function refusing(
	jobs: readonly Job[],
	{ maxUsersPerRun, policy }: RunSettings & { policy: Policy },
	refusal: Refusal | null,
): readonly Job[] {
	const users = new Set(
		jobs.flatMap(({ request }) =>
			'targets' in request && !request.isUnchanged ? foldCase(request.user) : [],
		),
	);
	const limit = runLimitRefusal(users.size, maxUsersPerRun, policy.maxUsersPerRun);
	return jobs.map(({ index, request }) => {
		if (!('targets' in request)) return { index, request };
		const own = refusal ?? (request.isUnchanged ? null : limit);
		return { index, request: { ...request, refusal: own } };
	});
}

/** The same result without what only a person who looks into one case reads. */
const summary = (result: UserResult): object => ({
	...result,
	results: result.results.map(({ steps, survives, ...kept }) => ({
		...kept,
		survives: survives.map(({ what, until }) => ({ what, until })),
	})),
});
