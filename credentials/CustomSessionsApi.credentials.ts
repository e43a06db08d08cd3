import { credentialFor } from '../nodes/core/n8n/credential';
import { custom } from '../nodes/Custom/connector';

export class CustomSessionsApi extends credentialFor(custom) {}
