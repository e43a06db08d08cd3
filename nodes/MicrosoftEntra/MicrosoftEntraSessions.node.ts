import { sessionsNode } from '../core/n8n/node';
import { microsoftEntra } from './connector';

export class MicrosoftEntraSessions extends sessionsNode(microsoftEntra) {}
