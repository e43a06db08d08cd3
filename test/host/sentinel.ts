/** Microsoft Sentinel alerts as a playbook posts them, about whom a test or the demo wants. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const alertSchema = z
	.object({ SystemAlertId: z.string(), AlertDisplayName: z.string() })
	.passthrough();
export type SentinelAlert = z.infer<typeof alertSchema>;

/** An account entity of an alert; without `UPNSuffix` it has no sign-in name. */
export interface AccountEntity {
	readonly Name: string;
	readonly UPNSuffix?: string;
	readonly NTDomain?: string;
}

const sample = alertSchema.parse(
	JSON.parse(readFileSync(join(__dirname, 'fixtures', 'sentinel-alert.json'), 'utf8')),
);

/** Sentinel sends an alert's entities as JSON text or as a list, by the way it is relayed. */
export type EntitiesForm = 'text' | 'list';

/** The sample alert, about these accounts. */
export function alertAbout(
	accounts: readonly AccountEntity[],
	form: EntitiesForm = 'text',
): SentinelAlert {
	const entities = [
		...accounts.map((account, index) => ({ $id: String(index + 3), ...account, Type: 'account' })),
		{ $id: '90', Address: '203.0.113.9', Type: 'ip' },
		{ $id: '91', HostName: 'WIN-4711', NTDomain: 'CORP', Type: 'host' },
	];
	return { ...sample, Entities: form === 'text' ? JSON.stringify(entities) : entities };
}

/** The account entity of a sign-in name. */
export function accountOf(login: string): AccountEntity {
	const at = login.lastIndexOf('@');
	return { Name: login.slice(0, at), UPNSuffix: login.slice(at + 1) };
}
