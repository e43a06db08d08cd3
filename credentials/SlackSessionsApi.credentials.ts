import { credentialFor } from '../nodes/core/n8n/credential';
import { slack } from '../nodes/Slack/connector';

export class SlackSessionsApi extends credentialFor(slack) {}
