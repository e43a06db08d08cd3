import { sessionsNode } from '../core/n8n/node';
import { okta } from './connector';

export class OktaSessions extends sessionsNode(okta) {}
