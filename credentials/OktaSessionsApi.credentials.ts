import { credentialFor } from '../nodes/core/n8n/credential';
import { okta } from '../nodes/Okta/connector';

export class OktaSessionsApi extends credentialFor(okta) {}
