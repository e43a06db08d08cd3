import type { Connector } from '../connector';

export const DOCS_URL =
	'https://github.com/session-revocation/n8n-nodes-session-revocation/blob/main/docs';

/** Where a connector's documentation page is. */
export const documentationUrl = ({ docs }: Pick<Connector, 'docs'>): string =>
	`${DOCS_URL}/connectors/${docs}.md`;
