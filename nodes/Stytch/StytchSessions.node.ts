import { sessionsNode } from '../core/n8n/node';
import { stytch } from './connector';

export class StytchSessions extends sessionsNode(stytch) {}
