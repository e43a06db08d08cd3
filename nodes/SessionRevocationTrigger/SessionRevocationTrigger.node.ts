import { triggerNode } from '../core/n8n/trigger';
import { connectors } from '../registry';

export class SessionRevocationTrigger extends triggerNode(connectors) {}
