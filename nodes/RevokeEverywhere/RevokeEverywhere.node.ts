import { revokeEverywhereNode } from '../core/n8n/everywhere';
import { connectors } from '../registry';

export class RevokeEverywhere extends revokeEverywhereNode(connectors) {}
