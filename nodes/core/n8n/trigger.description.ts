import {
	type INodeCredentialDescription,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';
import { WEBHOOK_CREDENTIAL } from '../webhook/credential';
import { optionFields } from '../webhook/settings';
import { policySlot } from './policy';
import { asCollection } from './properties';
import { WEBHOOK_TITLE } from './webhook';

const PATH = '$parameter["path"].replace(/^\\/+|\\/+$/g, "")';
const isAwaited = '$parameter["respond"] === "whenFinished"';

const credentialSlots = (): INodeCredentialDescription[] => [
	{ name: WEBHOOK_CREDENTIAL, displayName: WEBHOOK_TITLE, required: true },
	policySlot(),
];

/** Made anew for each instance, because n8n's loader changes it. */
export const describeTrigger = (): INodeTypeDescription => ({
	displayName: 'Session Revocation Trigger',
	name: 'sessionRevocationTrigger',
	icon: {
		light: 'file:sessionRevocationTrigger.svg',
		dark: 'file:sessionRevocationTrigger.dark.svg',
	},
	group: ['trigger'],
	version: 1,
	subtitle: `={{ ${isAwaited} ? "Responds when finished" : "Responds immediately" }}`,
	description: 'Starts when a signed request asks to revoke the sessions of a user',
	defaults: { name: 'Session Revocation Trigger' },
	inputs: [],
	outputs: [NodeConnectionTypes.Main, NodeConnectionTypes.Main],
	outputNames: ['Revocation Request', 'Status Request'],
	credentials: credentialSlots(),
	webhooks: [
		{
			name: 'default',
			httpMethod: 'POST',
			path: `={{ ${PATH} + "/webhook" }}`,
			responseMode: `={{ ${isAwaited} ? "responseNode" : "onReceived" }}`,
			// Awaited, it is what n8n answers when the workflow ended and answered nothing.
			responseCode: `={{ ${isAwaited} ? 500 : 202 }}`,
			responseData: '',
		},
		{
			name: 'setup',
			httpMethod: 'GET',
			// n8n keeps a path with a variable apart from those of other workflows by nothing but its text.
			path: `={{ ${PATH} + "/requests/:id_" + $webhookId }}`,
			isFullPath: true,
			responseMode: 'responseNode',
			// What n8n answers when the workflow found nothing to answer.
			responseCode: '={{ 404 }}',
			ndvHideUrl: true,
		},
	],
	properties: [
		{
			displayName: 'Path',
			name: 'path',
			type: 'string',
			default: 'api/v1/session-revocation',
			required: true,
			description:
				'Address of the API below the webhook address of this node: requests are posted to /webhook, questions go to /requests/{request_id}',
		},
		{
			displayName: 'Respond',
			name: 'respond',
			type: 'options',
			default: 'immediately',
			options: [
				{
					name: 'Immediately',
					value: 'immediately',
					description: 'As soon as the request is accepted, with the job status pending',
				},
				{
					name: 'When Finished',
					value: 'whenFinished',
					description: 'By a Session Revocation Response node in the workflow',
				},
			],
			description: 'When the caller gets an answer',
		},
		{
			displayName:
				'Connect the output Status Request to what answers from your ledger, with a Session Revocation Response node at its end',
			name: 'statusNotice',
			type: 'notice',
			default: '',
		},
		asCollection(optionFields, {
			displayName: 'Options',
			name: 'options',
			addText: 'Add Option',
		}),
	],
});
