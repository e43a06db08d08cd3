/** The ledger of the webhook API, filled with requests of the past. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { N8nClient } from './client';
import { complaint } from './execution';
import type { WorkflowNode } from './workflow';

const NAME = 'session_revocation_requests';
const TABLE = { __rl: true, mode: 'name', value: NAME };

/** What one system did for a request. */
export interface LedgerResult {
	readonly integration: string;
	readonly outcome: string;
	readonly message?: string;
}

/** A row of the ledger. */
export interface LedgerRow {
	readonly request_id: string;
	readonly account: string;
	readonly job_status: 'pending' | 'completed' | 'failed';
	readonly results?: readonly LedgerResult[];
	readonly reason?: string;
	readonly source?: string;
	readonly error?: string;
	readonly coverage?: string;
	/** How long ago it was received. */
	readonly minutesAgo: number;
	/** How long it took; left out while it is pending. */
	readonly seconds?: number;
}

const node = (
	name: string,
	type: string,
	typeVersion: number,
	parameters: Record<string, unknown>,
): WorkflowNode => ({
	id: name,
	name,
	type: `n8n-nodes-base.${type}`,
	typeVersion,
	position: [0, 0],
	parameters,
});

/** Runs these nodes one after the other, by hand. */
async function runInARow(client: N8nClient, nodes: readonly WorkflowNode[]): Promise<void> {
	const all = [node('Start', 'manualTrigger', 1, {}), ...nodes];
	const steps = all
		.slice(1)
		.map(({ name }, at): [string, object] => [
			all[at]?.name ?? '',
			{ main: [[{ node: name, type: 'main', index: 0 }]] },
		]);
	const { id } = await client.createWorkflow({
		name: 'Ledger',
		nodes: all,
		connections: Object.fromEntries(steps),
		settings: { executionOrder: 'v1' },
	});
	const execution = await client.executionAfter(id, async () => {
		await client.run(id, 'Start');
	});
	if (execution.status !== 'success') throw new Error(complaint(execution));
}

/**
 * Writes rows, in the order in which they came.
 *
 * @param userFolder of n8n: n8n itself notes when a row was made, so its database is told otherwise
 */
export async function fillLedger(
	client: N8nClient,
	userFolder: string,
	rows: readonly LedgerRow[],
): Promise<void> {
	const now = Date.now();
	const made = rows.map(({ minutesAgo, seconds, results = [], ...row }) => ({
		...{ tenant_id: 'acme', reason: '', source: '', error: '', coverage: 'all' },
		...row,
		integration_targets: 'null',
		results: JSON.stringify(results),
		billable: row.job_status === 'completed',
		...(seconds === undefined
			? {}
			: { finished_at: new Date(now - minutesAgo * 60_000 + seconds * 1000).toISOString() }),
	}));
	await runInARow(client, [
		node('Rows', 'set', 3.4, {
			mode: 'raw',
			jsonOutput: JSON.stringify({ rows: made }),
			options: {},
		}),
		node('One by One', 'splitOut', 1, { fieldToSplitOut: 'rows', options: {} }),
		node('Insert', 'dataTable', 1.1, {
			resource: 'row',
			operation: 'insert',
			dataTableId: TABLE,
			columns: { mappingMode: 'autoMapInputData', value: {} },
			options: {},
		}),
	]);
	const database = new DatabaseSync(join(userFolder, '.n8n', 'database.sqlite'));
	try {
		database.exec('PRAGMA busy_timeout = 10000');
		const found = database.prepare('SELECT id FROM data_table WHERE name = ?').get(NAME);
		const table = `data_table_user_${String(found?.id)}`;
		const newest = database.prepare(`SELECT max(id) AS id FROM "${table}"`).get();
		const update = database.prepare(`UPDATE "${table}" SET createdAt = ? WHERE id = ?`);
		rows.forEach(({ minutesAgo }, at) => {
			const received = new Date(now - minutesAgo * 60_000).toISOString();
			const id = Number(newest?.id) - rows.length + 1 + at;
			update.run(received.replace('T', ' ').replace('Z', ''), id);
		});
	} finally {
		database.close();
	}
}
