import { sessionsNode } from '../core/n8n/node';
import { googleWorkspace } from './connector';

export class GoogleWorkspaceSessions extends sessionsNode(googleWorkspace) {}
