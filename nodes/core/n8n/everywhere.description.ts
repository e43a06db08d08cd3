import {
	type ICredentialsDisplayOptions,
	type INodeCredentialDescription,
	type INodeProperties,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';
import type { Connector } from '../connector';
import { DEFAULT_MAX_USERS, DEFAULT_USERS_IN_PARALLEL } from '../everywhere/parameters';
import { DEFAULT_TIMEOUT_MS } from '../options';
import { policySlot } from './policy';
import { asCollection, shownWhen } from './properties';

/**
 * Hides a credential slot only while targets are chosen and this one is not among them: n8n cannot
 * read a hidden slot, and `targets` may be hidden, absent, a list or an expression. n8n's type for
 * credentials leaves out the conditions that its code evaluates for them as for properties.
 */
const hiddenUnlessTarget = (key: string): ICredentialsDisplayOptions => ({
	hide: { targets: [{ _cnd: { regex: `^(?!=|${key}$)` } }] as unknown as string[] },
});

const whenRevoking = shownWhen({ operation: ['revoke'] });

const credentialSlots = (connectors: readonly Connector[]): INodeCredentialDescription[] => [
	...connectors.map(({ key, credential }) => ({
		name: credential.name,
		displayName: credential.displayName,
		required: false,
		displayOptions: hiddenUnlessTarget(key),
	})),
	policySlot(),
];

/** Made anew for each instance, because n8n's loader changes it. */
export function describeEverywhere(connectors: readonly Connector[]): INodeTypeDescription {
	return {
		displayName: 'Revoke Everywhere',
		name: 'revokeEverywhere',
		icon: { light: 'file:revokeEverywhere.svg', dark: 'file:revokeEverywhere.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle:
			'={{ $parameter["operation"] === "checkSetup" ? "Check Setup" : $parameter["dryRun"] === true ? "Dry Run" : "Revoke All Sessions" }}',
		description:
			'End the sessions of a user in every system at once, and tell what ended, what survives and what failed',
		defaults: { name: 'Revoke Everywhere' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main, NodeConnectionTypes.Main],
		outputNames: ['Success', 'Failure'],
		credentials: credentialSlots(connectors),
		properties: [
			{
				displayName: 'Operation',
				name: 'operation',
				type: 'options',
				noDataExpression: true,
				default: 'revoke',
				options: [
					{
						name: 'Check Setup',
						value: 'checkSetup',
						action: 'Check setup of all systems',
						description:
							'Find out per system whether its credential can look up and revoke now, changing nothing',
					},
					{
						name: 'Revoke All Sessions',
						value: 'revoke',
						action: 'Revoke all sessions of user everywhere',
						description:
							'End every session of a user in all chosen systems and check that it happened',
					},
				],
			},
			{
				displayName: 'User',
				name: 'user',
				type: 'string',
				default: '',
				placeholder: 'e.g. jane@example.com',
				description:
					'Sign-in name or email address of the user, for every system without an entry in Identities',
				displayOptions: whenRevoking,
			},
			{
				displayName: 'Target Mode',
				name: 'targetMode',
				type: 'options',
				default: 'configured',
				options: [
					{
						name: 'All Configured',
						value: 'configured',
						description: 'Every system whose credential is set on this node',
					},
					{ name: 'Selected', value: 'selected', description: 'The systems in Targets' },
				],
				displayOptions: whenRevoking,
			},
			{
				displayName: 'Targets',
				name: 'targets',
				type: 'multiOptions',
				default: [],
				options: [...connectors]
					.sort((one, other) => one.title.localeCompare(other.title, 'en'))
					.map(({ key, title }) => ({ name: title, value: key })),
				description: 'Systems in which the sessions are to be ended',
				displayOptions: shownWhen({ operation: ['revoke'], targetMode: ['selected'] }),
			},
			{
				displayName: 'Reason',
				name: 'reason',
				type: 'string',
				default: '',
				placeholder: 'e.g. Impossible travel',
				description: 'Why the sessions are revoked, carried into every result',
				displayOptions: whenRevoking,
			},
			{
				displayName: 'Dry Run',
				name: 'dryRun',
				type: 'boolean',
				default: false,
				description:
					'Whether to look the user up and list what would be sent, without revoking anything',
				displayOptions: whenRevoking,
			},
			notFoundPolicy(),
			guardrails(),
			...more(connectors).map((property) => ({ ...property, displayOptions: whenRevoking })),
			asCollection(
				[
					{
						name: 'auditRecord',
						label: 'Audit Records',
						type: 'boolean',
						default: false,
						description:
							'Whether to add one flat object per system, ready for a table, a database or a SIEM',
					},
					{
						name: 'summaryFormat',
						label: 'Summary Format',
						type: 'choice',
						default: 'none',
						choices: [
							{ value: 'markdown', label: 'Markdown' },
							{ value: 'none', label: 'None' },
							{ value: 'slack', label: 'Slack' },
							{ value: 'text', label: 'Text' },
						],
						description: 'Adds a summary that can go into a notification as it is',
					},
					{
						name: 'resultDetail',
						label: 'Result Detail',
						type: 'choice',
						default: 'full',
						choices: [
							{ value: 'full', label: 'Full' },
							{
								value: 'summary',
								label: 'Summary',
								description: 'Without steps and notes, for large runs',
							},
						],
					},
					{
						name: 'timeoutMs',
						label: 'Timeout (Ms)',
						type: 'number',
						default: DEFAULT_TIMEOUT_MS,
						min: 1,
						description: 'How many milliseconds one user may take over all systems',
					},
					{
						name: 'usersInParallel',
						label: 'Users in Parallel',
						type: 'number',
						default: DEFAULT_USERS_IN_PARALLEL,
						min: 1,
						max: 50,
						description: 'How many users are worked on side by side',
					},
				],
				{ displayName: 'Options', name: 'options', addText: 'Add Option' },
			),
		],
	};
}

/** What the first look needs nothing of. */
const more = (connectors: readonly Connector[]): INodeProperties[] => [
	{
		displayName: 'Source',
		name: 'source',
		type: 'string',
		default: '',
		placeholder: 'e.g. sentinel',
		description: 'Where the request comes from, carried into every result',
	},
	{
		displayName: 'Incident ID',
		name: 'incidentId',
		type: 'string',
		default: '',
		placeholder: 'e.g. INC-42',
		description: 'Carried into every result',
	},
	{
		displayName: 'Request ID',
		name: 'requestId',
		type: 'string',
		default: '',
		placeholder: 'e.g. 6f2d9c1e-0a4b-4c8e-9d3f-5b7a1e2c4d60',
		description: 'Carried into every result; a new UUID when empty',
	},
	{
		displayName: 'Users List',
		name: 'usersList',
		type: 'string',
		typeOptions: { rows: 3 },
		default: '',
		placeholder: 'e.g. jane@example.com, john@example.com',
		description:
			'Many users in one item, one per line or separated by commas, used instead of User',
	},
	{
		displayName: 'Identities',
		name: 'identities',
		type: 'json',
		typeOptions: { rows: 1 },
		default: '{}',
		description:
			'Who the user is where the name is another one, by the keys of the systems, such as {"okta": "jane.doe@example.com"}. The identities that Alert Identities found can be given as they are.',
	},
	{
		displayName: 'Identity Source',
		name: 'identitySource',
		type: 'options',
		default: '',
		options: [
			{ name: 'None', value: '' },
			...connectors.map(({ key, title }) => ({ name: title, value: key })),
		].sort((one, other) => one.name.localeCompare(other.name, 'en')),
		description:
			'The system in which the user is looked up first: the email address found there is used in every system without an entry in Identities',
	},
	{
		displayName: 'Triggers',
		name: 'triggers',
		type: 'json',
		typeOptions: { rows: 1 },
		default: '{}',
		description:
			'Values of which a change means that the user is to be revoked again, such as {"password_changed": "2026-01-01"}. Empty: revoked in every run.',
	},
	{
		displayName: 'Last Triggers',
		name: 'lastTriggers',
		type: 'json',
		typeOptions: { rows: 1 },
		default: '{}',
		description:
			'The triggers of the last completed run, as the workflow stored them. When they are the same nothing is revoked.',
	},
	{
		displayName: 'Connector Options',
		name: 'connectorOptions',
		type: 'json',
		typeOptions: { rows: 1 },
		default: '{}',
		description:
			'Options of single systems by their keys, as in their own nodes. For example {"okta": {"oauthTokens": true}}.',
	},
];

const notFoundPolicy = (): INodeProperties => ({
	displayName: 'If User Is Not Found',
	name: 'notFoundPolicy',
	type: 'options',
	noDataExpression: true,
	default: 'failWhenNowhere',
	options: [
		{
			name: 'Fail in Any System',
			value: 'fail',
			description: 'Failure as soon as one system does not know the user',
		},
		{
			name: 'Fail When Found Nowhere',
			value: 'failWhenNowhere',
			description: 'Failure when no system knows the user',
		},
		{
			name: 'Ignore',
			value: 'ignore',
			description: 'Success even when no system knows the user',
		},
	],
	displayOptions: whenRevoking,
});

const guardrails = (): INodeProperties => ({
	...asCollection(
		[
			{
				name: 'enabled',
				label: 'Enabled',
				type: 'boolean',
				default: true,
				description: 'Whether the guardrails hold; without them anybody can be revoked',
			},
			{
				name: 'maxUsersPerRun',
				label: 'Max Users per Run',
				type: 'number',
				default: DEFAULT_MAX_USERS,
				min: 1,
				description: 'With more distinct users than this nobody is touched',
			},
			{
				name: 'protectedUsers',
				label: 'Protected Users',
				type: 'string',
				description:
					'Names that are never touched, separated by commas or lines, with * for any text',
			},
		],
		{ displayName: 'Guardrails', name: 'guardrails', addText: 'Add Guardrail' },
	),
	displayOptions: whenRevoking,
});
