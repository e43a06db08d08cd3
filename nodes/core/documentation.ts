/** Where things are explained: what a node says links there. */
import type { Connector } from './connector';
import { type Cause, isSuccess, type Outcome } from './outcome';

export const DOCS_URL =
	'https://github.com/session-revocation/n8n-nodes-session-revocation/blob/main/docs';

/** Where a connector's documentation page is. */
export const documentationUrl = ({ docs }: Pick<Connector, 'docs'>): string =>
	`${DOCS_URL}/connectors/${docs}.md`;

/** The page of the node Revoke Everywhere. */
export const EVERYWHERE_URL = `${DOCS_URL}/revoke-everywhere.md`;

/** The page of the webhook API. */
export const WEBHOOK_URL = `${DOCS_URL}/webhook.md`;

/** The member that leads a person from an outcome of the Failure output to what to do about it. */
export function explained(outcome: Outcome, cause: Cause | null): { documentation?: string } {
	if (isSuccess(outcome)) return {};
	const heading = outcome === 'failed' || outcome === 'refused' ? (cause ?? outcome) : outcome;
	return { documentation: `${DOCS_URL}/outcomes.md#${heading}` };
}

/** A sentence for texts that n8n shows as HTML: descriptions of its messages, and hints. */
export const seeAlso = (url: string): string =>
	`See the <a href="${url}" target="_blank">documentation</a>.`;
