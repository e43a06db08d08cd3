import {
	type ICredentialDataDecryptedObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeProperties,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';
import pMap from 'p-map';
import { ConfigurationError, type Connection, connect, readOptions } from '../connection';
import type { Connector, ConnectorOperation } from '../connector';
import { checkSetup, retrieveUserOnly, revokeAllSessions, revokeOneSession } from '../flow';
import { readIdentity } from '../identity';
import { commonOptions, readCommonOptions } from '../options';
import { attempt } from '../attempt';
import { isSuccess } from '../outcome';
import { notAttempted, type TargetResult } from '../result';
import { addHints } from './hints';
import { asCollection, shownWhen } from './properties';
import { inputMessage, logAfterCancel, sorted } from './items';
import { orNodeError, surroundingsOf } from './surroundings';

const USERS_IN_PARALLEL = 10;

/**
 * The node class of one connector. The description is made anew for each instance, because n8n's
 * loader changes it.
 *
 * @example export class OktaSessions extends sessionsNode(okta) {}
 */
export function sessionsNode(connector: Connector): new () => INodeType {
	return class implements INodeType {
		description = describe(connector);

		async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
			return await execute(this, connector);
		}
	};
}

const operations = {
	checkSetup: {
		name: 'Check Setup',
		action: 'Check setup',
		description: 'Find out whether the credential can look up and revoke now, changing nothing',
	},
	retrieveUser: {
		name: 'Retrieve User',
		action: 'Retrieve user',
		description: 'Look a user up without touching any session',
	},
	revokeAllSessions: {
		name: 'Revoke All Sessions',
		action: 'Revoke all sessions of user',
		description: 'End every session of a user and check that it happened',
	},
	revokeSession: {
		name: 'Revoke Session',
		action: 'Revoke session',
		description: 'End one session by its ID',
	},
} as const satisfies Record<ConnectorOperation, object>;

function describe(connector: Connector): INodeTypeDescription {
	const { node, title } = connector;
	const offered = (Object.keys(operations) as ConnectorOperation[]).filter((operation) =>
		connector.operations.includes(operation),
	);
	const names = Object.fromEntries(offered.map((key) => [key, operations[key].name]));
	return {
		displayName: node.displayName,
		name: nodeName(connector),
		icon: { light: `file:${node.icon}.svg`, dark: `file:${node.icon}.dark.svg` },
		group: ['transform'],
		version: 1,
		subtitle: `={{ ${JSON.stringify(names)}[$parameter["operation"]] }}`,
		description: node.description,
		defaults: { name: node.displayName },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main, NodeConnectionTypes.Main],
		outputNames: ['Success', 'Failure'],
		credentials: [{ name: connector.credential.name, required: true }],
		properties: [
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				default: 'revokeAllSessions',
				options: offered.map((value) => ({ value, ...operations[value] })),
			},
			{
				displayName: 'User',
				name: 'user',
				type: 'string',
				required: true,
				default: '',
				placeholder: connector.userPlaceholder,
				description: `Sign-in name, email address or ID of the user in ${title}`,
				displayOptions: shownWhen({ operation: ['retrieveUser', 'revokeAllSessions'] }),
			},
			...(connector.revokeOne ? [sessionId()] : []),
			{
				...asCollection(
					[
						...commonOptions,
						...connector.options.fields.map((field) => ({
							...field,
							showWhen: { '/operation': ['revokeAllSessions'] },
						})),
					],
					{ displayName: 'Options', name: 'options', addText: 'Add Option' },
				),
			},
		],
	};
}

const sessionId = (): INodeProperties => ({
	displayName: 'Session ID',
	name: 'sessionId',
	type: 'string',
	required: true,
	default: '',
	placeholder: 'e.g. 102fWxQ1wKgS7aUnD9fYzbQyg',
	description: 'ID of the session to end',
	displayOptions: shownWhen({ operation: ['revokeSession'] }),
});

/** n8n wants the class's name with a small first letter. */
export const nodeName = ({ node }: Connector): string =>
	node.className.charAt(0).toLowerCase() + node.className.slice(1);

async function execute(
	context: IExecuteFunctions,
	connector: Connector,
): Promise<INodeExecutionData[][]> {
	const items = context.getInputData();
	const operation = context.getNodeParameter('operation', 0) as ConnectorOperation;
	const data: ICredentialDataDecryptedObject = await context.getCredentials(
		connector.credential.name,
	);
	const surroundings = surroundingsOf(context, Math.min(USERS_IN_PARALLEL, items.length));
	const connection = orNodeError(context, () => connect(connector, data, surroundings));
	const jobs = items.map((_, index) => prepare(context, connection, operation, index));
	const results = await pMap(jobs, async (job) => await job(), { concurrency: USERS_IN_PARALLEL });
	logAfterCancel(context, results);
	addHints(context, results, [connector], ({ options }, name) => {
		const field = options.fields.find((one) => one.name === name);
		return `Add the option '${field?.label ?? name}' and turn it on`;
	});
	return sorted(
		context,
		results.map((result, index) => ({
			item: { json: { ...result }, pairedItem: { item: index } },
			success: isSuccess(result.outcome),
		})),
	);
}

type Job = () => Promise<TargetResult>;

/** Reads an item's parameters and says what is to be done; what is wrong with them becomes the item's result. */
function prepare(
	context: IExecuteFunctions,
	connection: Connection,
	operation: ConnectorOperation,
	index: number,
): Job {
	const { connector } = connection;
	const refuse = (parameter: string, problem: string): Job => {
		const message = inputMessage(parameter, problem, index);
		const result = notAttempted(connector.key, null, 'failed', 'invalid_input', message);
		return () => Promise.resolve(result);
	};
	const read = attempt(ConfigurationError, () => {
		const { common, vendor } = readCommonOptions(context.getNodeParameter('options', index, {}));
		return { common, options: readOptions(connector, vendor) };
	});
	if (read instanceof ConfigurationError) return refuse('Options', `is not valid. ${read.message}`);
	const { common, options } = read;
	const budget = () => ({ deadline: performance.now() + common.timeoutMs });
	if (operation === 'checkSetup') return () => checkSetup({ connection, budget: budget() });
	const parameter = operation === 'revokeSession' ? 'sessionId' : 'user';
	const named = readIdentity(context.getNodeParameter(parameter, index, ''));
	if ('problem' in named) {
		return refuse(parameter === 'user' ? 'User' : 'Session ID', named.problem);
	}
	const { identity } = named;
	if (operation === 'revokeSession') {
		return () => revokeOneSession({ connection, budget: budget() }, identity);
	}
	const task = { ...common, connection, identity, options, dryRun: false };
	return operation === 'retrieveUser'
		? () => retrieveUserOnly({ ...task, budget: budget() })
		: () =>
				revokeAllSessions({
					...task,
					budget: budget(),
					mayTouch: () => Promise.resolve(null),
				});
}
