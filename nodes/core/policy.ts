/** The shared policy: what a security team allows all its workflows. It makes a node stricter, never looser. */
import { z } from 'zod';
import { ConfigurationError } from './connection';
import type { Refusal } from './connector';
import { readEntries } from './everywhere/protect';
import type { Field } from './field';

/** Where a request to revoke comes from. */
export type Channel = 'tool' | 'webhook' | 'workflow';

export interface Policy {
	enabled: boolean;
	allowWebhook: boolean;
	allowAiTools: boolean;
	protectedUsers: readonly string[];
	/** Null: no limit of its own. */
	maxUsersPerRun: number | null;
}

export const POLICY_CREDENTIAL = 'sessionRevocationPolicyApi';

export const policyFields: readonly Field[] = [
	{
		name: 'enabled',
		label: 'Enabled',
		type: 'boolean',
		default: true,
		description:
			'Whether sessions may be revoked at all; off stops every node that uses this policy',
	},
	{
		name: 'allowWebhook',
		label: 'Allow Webhook',
		type: 'boolean',
		default: true,
		description: 'Whether executions that a webhook started may revoke sessions',
	},
	{
		name: 'allowAiTools',
		label: 'Allow AI Tools',
		type: 'boolean',
		default: true,
		description: 'Whether an AI agent or MCP client may revoke sessions',
	},
	{
		name: 'protectedUsers',
		label: 'Protected Users',
		type: 'string',
		placeholder: 'e.g. ceo@example.com, breakglass-*',
		description: 'Names that are never touched, separated by commas or lines, with * for any text',
	},
	{
		name: 'maxUsersPerRun',
		label: 'Max Users per Run',
		type: 'number',
		default: 0,
		min: 0,
		description: 'With more distinct users than this nobody is touched; 0 sets no limit',
	},
];

/** Without a credential nothing is forbidden. */
export const NO_POLICY: Policy = {
	enabled: true,
	allowWebhook: true,
	allowAiTools: true,
	protectedUsers: [],
	maxUsersPerRun: null,
};

const schema = z.object({
	enabled: z.boolean().default(true),
	allowWebhook: z.boolean().default(true),
	allowAiTools: z.boolean().default(true),
	protectedUsers: z.unknown(),
	maxUsersPerRun: z.number().int().min(0).default(0),
});

/** @throws ConfigurationError for the first field that does not hold: a policy that cannot be read allows nothing */
export function readPolicy(data: Readonly<Record<string, unknown>>): Policy {
	const read = schema.safeParse(data);
	const protectedUsers = readEntries(data.protectedUsers);
	if (!read.success || 'problem' in protectedUsers) {
		const name = read.success ? 'protectedUsers' : read.error.issues[0]?.path[0];
		const label = policyFields.find((field) => field.name === name)?.label ?? 'value';
		throw new ConfigurationError(
			`The field '${label}' of the session revocation policy is not valid`,
			`Open the credential and correct '${label}'`,
		);
	}
	const { maxUsersPerRun, ...switches } = read.data;
	return {
		...switches,
		protectedUsers,
		maxUsersPerRun: maxUsersPerRun === 0 ? null : maxUsersPerRun,
	};
}

/** Why nobody may be revoked this way; null when that is allowed. */
export function refusalOf(policy: Policy, channel: Channel): Refusal | null {
	if (!policy.enabled) {
		return { cause: 'disabled', why: 'Session revocation is switched off by the policy' };
	}
	if (channel === 'tool' && !policy.allowAiTools) {
		return { cause: 'channel_disabled', why: 'The policy does not let AI tools revoke sessions' };
	}
	if (channel === 'webhook' && !policy.allowWebhook) {
		return { cause: 'channel_disabled', why: 'The policy does not let webhooks revoke sessions' };
	}
	return null;
}

/** A loop or a bad query is likelier than an attack on everybody; null when the run is not too large. */
export function runLimitRefusal(
	users: number,
	...limits: readonly (number | null)[]
): Refusal | null {
	const most = Math.min(...limits.map((limit) => limit ?? Infinity));
	if (users <= most) return null;
	const why = `The run has ${users} users and may have ${most}: nobody was touched; raise 'Max Users per Run' if they are meant`;
	return { cause: 'run_limit', why };
}
