import { WebhookCredentialType } from '../nodes/core/n8n/webhook';

export class SessionRevocationWebhookApi extends WebhookCredentialType {}
