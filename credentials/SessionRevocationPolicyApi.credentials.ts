import { PolicyCredential } from '../nodes/core/n8n/policy';

export class SessionRevocationPolicyApi extends PolicyCredential {}
