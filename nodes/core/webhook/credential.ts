/** The credential of the webhook: its secrets, and for whom it speaks. */
import { z } from 'zod';
import type { Field } from '../field';

export const WEBHOOK_CREDENTIAL = 'sessionRevocationWebhookApi';

export const webhookFields: readonly Field[] = [
	{
		name: 'secret',
		label: 'Signing Secret',
		type: 'secret',
		required: true,
		description: 'With it callers sign their requests; make a random one that begins with sr_',
	},
	{
		name: 'previousSecret',
		label: 'Previous Signing Secret',
		type: 'secret',
		description:
			'Also valid while callers change over to a new secret; empty it when all of them have',
	},
	{
		name: 'tenantId',
		label: 'Tenant ID',
		type: 'string',
		placeholder: 'e.g. 7b0c4f6e-2d5a-4c1b-9e8f-3a6d1c2b4e5f',
		description: 'When set, requests for another tenant are refused',
	},
];

export interface WebhookCredential {
	/** None: nobody can call. */
	secrets: readonly string[];
	/** Null: requests may name any tenant, or none. */
	tenantId: string | null;
}

const text = z.string().trim().default('');
const schema = z
	.object({ secret: text, previousSecret: text, tenantId: text })
	.transform(({ secret, previousSecret, tenantId }) => ({
		// Without a current secret the webhook is closed, whatever was valid before.
		secrets: secret === '' ? [] : [secret, previousSecret].filter(Boolean),
		tenantId: tenantId === '' ? null : tenantId,
	}));

/** Reads the credential's fields; what is not text opens nothing. Null when they cannot be read. */
export function readWebhookCredential(
	data: Readonly<Record<string, unknown>>,
): WebhookCredential | null {
	return schema.safeParse(data).data ?? null;
}
