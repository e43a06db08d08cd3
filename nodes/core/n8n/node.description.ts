import {
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

/** Operations that begin with a user. */
export const ofUser = (connector: Connector): ConnectorOperation[] => [
	'retrieveUser',
	'revokeAllSessions',
	'listSessions',
	...(connector.revokeOne?.ofUser ? ['revokeSession' as const] : []),
];

const credentialSlots = ({ credential }: Connector): INodeCredentialDescription[] => [
	{ name: credential.name, displayName: credential.displayName, required: true },
	policySlot(),
];

/** The node of one connector, made anew each time, because n8n's loader changes what it is given. */
export function describeSessionsNode(connector: Connector): INodeTypeDescription {
	const { node, lists } = connector;
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
		credentials: credentialSlots(connector),
		properties: [
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				default: 'revokeAllSessions',
				options: offered.map((value) => ({
					value,
					...operations[value],
					...(value === 'listSessions' && lists ? { description: listing(lists) } : {}),
				})),
			},
			{
				displayName: 'User',
				name: 'user',
				type: 'string',
				required: true,
				default: '',
				placeholder: connector.userPlaceholder,
				description: `Sign-in name, email address or ID of the user in ${connector.title}`,
				displayOptions: shownWhen({
					operation: ofUser(connector).filter((one) => offered.includes(one)),
				}),
			},
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
