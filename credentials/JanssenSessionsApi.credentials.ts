import { credentialFor } from '../nodes/core/n8n/credential';
import { janssen } from '../nodes/Janssen/connector';

export class JanssenSessionsApi extends credentialFor(janssen) {}
