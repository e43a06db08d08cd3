import { sessionsNode } from '../core/n8n/node';
import { janssen } from './connector';

export class JanssenSessions extends sessionsNode(janssen) {}
