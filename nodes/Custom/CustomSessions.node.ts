import { sessionsNode } from '../core/n8n/node';
import { custom } from './connector';
import { customWorkflow } from './workflow';

export class CustomSessions extends sessionsNode(custom, customWorkflow) {}
