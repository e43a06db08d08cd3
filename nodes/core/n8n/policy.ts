import type {
	ICredentialType,
	IExecuteFunctions,
	Icon,
	INodeCredentialDescription,
	INodeProperties,
} from 'n8n-workflow';
import { DOCS_URL } from '../documentation';
import {
	type Channel,
	NO_POLICY,
	type Policy,
	POLICY_CREDENTIAL,
	policyFields,
	readPolicy,
} from '../policy';
import { isTool } from './items';
import { asProperty } from './properties';
import { orNodeError } from './surroundings';

const PAGE = `${DOCS_URL}/policy.md`;

/** The credential that holds the policy. There is nothing to connect to, so it has no test. */
export class PolicyCredential implements ICredentialType {
	name = POLICY_CREDENTIAL;
	displayName = 'Session Revocation Policy API';
	icon: Icon = {
		light: 'file:../nodes/RevokeEverywhere/revokeEverywhere.svg',
		dark: 'file:../nodes/RevokeEverywhere/revokeEverywhere.dark.svg',
	};
	documentationUrl = PAGE;
	properties: INodeProperties[] = policyFields.map(asProperty);
}

/** The slot of the policy on every node that can revoke. */
export const policySlot = (): INodeCredentialDescription => ({
	name: POLICY_CREDENTIAL,
	displayName: 'Shared Policy (Optional)',
	required: false,
});

/**
 * The policy of a node; one that allows everything when none is set.
 *
 * @throws NodeOperationError when the policy cannot be read
 */
export async function policyOf(context: IExecuteFunctions): Promise<Policy> {
	if (!context.getNode().credentials?.[POLICY_CREDENTIAL]) return NO_POLICY;
	const data = await context.getCredentials(POLICY_CREDENTIAL);
	return orNodeError(context, PAGE, () => readPolicy(data));
}

export function channelOf(context: IExecuteFunctions): Channel {
	if (isTool(context)) return 'tool';
	return context.getMode() === 'webhook' ? 'webhook' : 'workflow';
}
