import type { Connector } from '../connector';
import { DOCS_URL, documentationUrl } from '../documentation';
import { nodeName } from './node.description';

const PACKAGE = 'n8n-nodes-session-revocation';

/** What n8n's node panel knows of a node; written beside the built node as `<Class>.node.json`. */
export interface Codex {
	node: string;
	nodeVersion: '1.0';
	codexVersion: '1.0';
	categories: readonly string[];
	alias: readonly string[];
	resources: {
		primaryDocumentation: readonly { url: string }[];
		credentialDocumentation: readonly { url: string }[];
	};
}

const codex = (node: string, alias: readonly string[], page: string): Codex => ({
	node: `${PACKAGE}.${node}`,
	nodeVersion: '1.0',
	codexVersion: '1.0',
	categories: ['Utility'],
	alias,
	resources: { primaryDocumentation: [{ url: page }], credentialDocumentation: [{ url: page }] },
});

/** Nodes that are of no single system: class, words to find it by, page. */
const OTHERS: readonly (readonly [string, readonly string[], string])[] = [
	[
		'AlertIdentities',
		['SIEM', 'Alert', 'Incident', 'Sentinel', 'Splunk', 'Defender', 'Elastic', 'CAEP', 'SOAR'],
		'alert-identities',
	],
	[
		'RevokeEverywhere',
		['Revoke Sessions', 'Sign Out', 'Log Out', 'Incident Response', 'Containment', 'SOAR'],
		'revoke-everywhere',
	],
	[
		'SessionRevocationTrigger',
		['Webhook', 'Signed Webhook', 'HMAC', 'SOAR', 'Challenge'],
		'webhook',
	],
	[
		'SessionRevocationResponse',
		['Respond to Webhook', 'Webhook Response', 'Job Status'],
		'webhook',
	],
];

/** The codex of each node by its path in dist, without extension. */
export function codexFiles(connectors: readonly Connector[]): ReadonlyMap<string, Codex> {
	const files = new Map<string, Codex>();
	for (const connector of connectors) {
		const { className, alias } = connector.node;
		files.set(
			`nodes/${className.replace(/Sessions$/, '')}/${className}`,
			codex(nodeName(connector), alias, documentationUrl(connector)),
		);
	}
	for (const [name, alias, page] of OTHERS) {
		const node = name.charAt(0).toLowerCase() + name.slice(1);
		files.set(`nodes/${name}/${name}`, codex(node, alias, `${DOCS_URL}/${page}.md`));
	}
	return files;
}
