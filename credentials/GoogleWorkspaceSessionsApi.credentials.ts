import { credentialFor } from '../nodes/core/n8n/credential';
import { googleWorkspace } from '../nodes/GoogleWorkspace/connector';

export class GoogleWorkspaceSessionsApi extends credentialFor(googleWorkspace) {}
