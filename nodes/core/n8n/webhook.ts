import type { ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { WEBHOOK_URL } from '../documentation';
import { WEBHOOK_CREDENTIAL, webhookFields } from '../webhook/credential';
import { asProperty } from './properties';

export const WEBHOOK_TITLE = 'Session Revocation Webhook API';

/** The credential with which callers of the webhook sign. There is nothing to connect to, so it has no test. */
export class WebhookCredentialType implements ICredentialType {
	name = WEBHOOK_CREDENTIAL;
	displayName = WEBHOOK_TITLE;
	icon: Icon = {
		light: 'file:../nodes/SessionRevocationTrigger/sessionRevocationTrigger.svg',
		dark: 'file:../nodes/SessionRevocationTrigger/sessionRevocationTrigger.dark.svg',
	};
	documentationUrl = WEBHOOK_URL;
	properties: INodeProperties[] = webhookFields.map(asProperty);
}
