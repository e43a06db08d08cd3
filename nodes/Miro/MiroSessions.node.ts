import { sessionsNode } from '../core/n8n/node';
import { miro } from './connector';

export class MiroSessions extends sessionsNode(miro) {}
