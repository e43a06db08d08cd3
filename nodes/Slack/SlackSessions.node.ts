import { sessionsNode } from '../core/n8n/node';
import { slack } from './connector';

export class SlackSessions extends sessionsNode(slack) {}
