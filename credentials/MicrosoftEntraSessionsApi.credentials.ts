import { credentialFor } from '../nodes/core/n8n/credential';
import { microsoftEntra } from '../nodes/MicrosoftEntra/connector';

export class MicrosoftEntraSessionsApi extends credentialFor(microsoftEntra) {}
