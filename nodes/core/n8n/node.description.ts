import {
	type ICredentialsDisplayOptions,
	type INodeCredentialDescription,
	type INodeProperties,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';
import type { Connector, ConnectorOperation } from '../connector';
import { commonOptions } from '../options';
import { policySlot } from './policy';
import { asCollection, asProperty, shownWhen } from './properties';

const listing = (what: string): string => `List the ${what} of a user without touching any`;

const operations = {
	authenticateSession: {
		name: 'Authenticate Session',
		action: 'Authenticate session',
		description: 'Find out whether a session is valid and whose it is',
	},
	checkSetup: {
		name: 'Check Setup',
		action: 'Check setup',
		description: 'Find out whether the credential can look up and revoke now, changing nothing',
	},
	listSessions: {
		name: 'List Sessions',
		action: 'List sessions of user',
		description: listing('sessions'),
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

/** Operations that begin with a user, whatever the connector. */
export const OF_USER: ReadonlySet<ConnectorOperation> = new Set([
	'retrieveUser',
	'revokeAllSessions',
	'listSessions',
]);

/** The parameter of a node that has a workflow stand in for the vendor, and its values. */
export const PROVIDER_TYPE = 'providerType';
export const WORKFLOW_ID = 'workflowId';
const throughHttp = (): ICredentialsDisplayOptions => ({ show: { [PROVIDER_TYPE]: ['http'] } });
export const THROUGH_WORKFLOW = 'workflow';
const throughWorkflow = (): ICredentialsDisplayOptions => ({
	show: { [PROVIDER_TYPE]: [THROUGH_WORKFLOW] },
});

const credentialSlots = (
	{ credential }: Connector,
	standIn: Connector | undefined,
): INodeCredentialDescription[] => [
	{
		name: credential.name,
		displayName: credential.displayName,
		required: true,
		...(standIn ? { displayOptions: throughHttp() } : {}),
	},
	policySlot(),
];

const offeredBy = (connector: Connector): ConnectorOperation[] =>
	(Object.keys(operations) as ConnectorOperation[]).filter((operation) =>
		connector.operations.includes(operation),
	);

/**
 * The node of one connector, made anew each time, because n8n's loader changes what it is given.
 *
 * @param standIn the connector to a workflow of the user's own, where one can be chosen in its place
 */
export function describeSessionsNode(
	connector: Connector,
	standIn?: Connector,
): INodeTypeDescription {
	const { node } = connector;
	const offered = offeredBy(connector);
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
		credentials: credentialSlots(connector, standIn),
		properties: [
			...(standIn
				? [
						...standInParameters(),
						operationParameter(connector, throughHttp()),
						operationParameter(standIn, throughWorkflow()),
					]
				: [operationParameter(connector)]),
			...userParameters(connector, offered),
			...sessionParameters(connector),
			...(connector.listSessions ? listParameters() : []),
			...(connector.authenticateSession ? authenticateParameters(connector) : []),
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

const operationParameter = (
	connector: Connector,
	displayOptions?: ICredentialsDisplayOptions,
): INodeProperties => ({
	displayName: 'Operation',
	name: 'operation',
	type: 'options',
	noDataExpression: true,
	default: 'revokeAllSessions',
	options: offeredBy(connector).map((value) => ({
		value,
		...operations[value],
		...(value === 'listSessions' && connector.lists
			? { description: listing(connector.lists) }
			: {}),
	})),
	...(displayOptions ? { displayOptions } : {}),
});

const standInParameters = (): INodeProperties[] => [
	{
		displayName: 'Provider Type',
		name: PROVIDER_TYPE,
		type: 'options',
		noDataExpression: true,
		default: 'http',
		options: [
			{
				name: 'HTTP API',
				value: 'http',
				description: 'The credential describes the requests',
			},
			{
				name: 'Workflow',
				value: THROUGH_WORKFLOW,
				description: 'A workflow of your own ends the sessions',
			},
		],
	},
	{
		displayName: 'Workflow',
		name: WORKFLOW_ID,
		type: 'workflowSelector',
		required: true,
		default: '',
		description:
			'Receives one item { identityKey, action } for each user, with the action revoke_sessions, and has to end with one item { identityKey, changed }',
		displayOptions: throughWorkflow(),
	},
];

/** The user, who can be left out where only the credential tells whether it is needed. */
function userParameters(connector: Connector, offered: ConnectorOperation[]): INodeProperties[] {
	const { revokeOne } = connector;
	const parameter = (operation: ConnectorOperation[]): INodeProperties => ({
		displayName: 'User',
		name: 'user',
		type: 'string',
		default: '',
		placeholder: connector.userPlaceholder,
		description: `Sign-in name, email address or ID of the user in ${connector.title}`,
		displayOptions: shownWhen({ operation }),
	});
	const always = offered.filter(
		(one) => OF_USER.has(one) || (one === 'revokeSession' && revokeOne?.ofUser),
	);
	return [
		{ ...parameter(always), required: true },
		...(revokeOne && 'ofUserWith' in revokeOne
			? [
					{
						...parameter(['revokeSession']),
						description:
							'Whose session it is. Needed only where the request that ends it names the user.',
					},
				]
			: []),
	];
}

/** n8n wants the class's name with a small first letter. */
export const nodeName = ({ node }: Connector): string =>
	node.className.charAt(0).toLowerCase() + node.className.slice(1);

function sessionParameters({ revokeOne }: Connector): INodeProperties[] {
	if (!revokeOne) return [];
	const { placeholder, alternatives = [] } = revokeOne;
	const displayOptions = shownWhen({ operation: ['revokeSession'] });
	const others = alternatives.map(({ label }) => `'${label}'`).join(' or ');
	return [
		{
			displayName: 'Session ID',
			name: 'sessionId',
			type: 'string',
			...(alternatives.length === 0 ? { required: true } : {}),
			default: '',
			placeholder,
			description: `ID of the session to end${others === '' ? '' : `; leave it empty to name the session by ${others}`}`,
			displayOptions,
		},
		...alternatives.map((field) => ({ ...asProperty(field), displayOptions })),
	];
}

const listParameters = (): INodeProperties[] => [
	{
		displayName: 'Return All',
		name: 'returnAll',
		type: 'boolean',
		default: false,
		description: 'Whether to return all results or only up to a given limit',
		displayOptions: shownWhen({ operation: ['listSessions'] }),
	},
	{
		displayName: 'Limit',
		name: 'limit',
		type: 'number',
		typeOptions: { minValue: 1 },
		default: 50,
		description: 'Max number of results to return',
		displayOptions: shownWhen({ operation: ['listSessions'], returnAll: [false] }),
	},
];

function authenticateParameters({ authenticateSession }: Connector): INodeProperties[] {
	const [shortest, longest] = authenticateSession?.durations ?? [];
	const displayOptions = shownWhen({ operation: ['authenticateSession'] });
	return [
		{
			displayName: 'Session Token',
			name: 'sessionToken',
			type: 'string',
			typeOptions: { password: true },
			required: true,
			default: '',
			description: 'Token of the session to authenticate. It leaves with the result.',
			displayOptions,
		},
		{
			displayName: 'Session Duration (Minutes)',
			name: 'sessionDurationMinutes',
			type: 'string',
			default: '',
			placeholder: 'e.g. 60',
			description: `How many minutes the session shall last from now on, from ${String(shortest)} to ${String(longest)}. Leave it empty before a revocation: a value extends the session.`,
			displayOptions,
		},
	];
}
