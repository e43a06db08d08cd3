import { ResponseNode } from '../core/n8n/response';

export class SessionRevocationResponse extends ResponseNode {}
