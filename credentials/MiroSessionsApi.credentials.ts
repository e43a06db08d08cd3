import { credentialFor } from '../nodes/core/n8n/credential';
import { miro } from '../nodes/Miro/connector';

export class MiroSessionsApi extends credentialFor(miro) {}
