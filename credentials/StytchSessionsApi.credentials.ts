import { credentialFor } from '../nodes/core/n8n/credential';
import { stytch } from '../nodes/Stytch/connector';

export class StytchSessionsApi extends credentialFor(stytch) {}
