/** Workflows that a test makes, publishes and starts once. */
import { complaint, output, type Execution } from './execution';
import type { onStage } from './on-stage';
import { webhookWorkflow, type NodeAtWork } from './workflow';

let published = 0;

/**
 * Publishes a workflow of these nodes, calls its webhook, and gives what became of it.
 *
 * @throws Error when the execution did not succeed
 */
export async function runNodes(
	{ n8n, template, webhookKey }: ReturnType<typeof onStage>,
	name: string,
	nodes: readonly NodeAtWork[],
): Promise<Execution> {
	// Test files share one n8n.
	const path = `${name.replaceAll(/\W+/g, '-')}-${(published += 1)}`.toLowerCase();
	const workflow = webhookWorkflow(name, path, webhookKey, nodes);
	const saved = await n8n.client.createWorkflow(workflow);
	const url = `${n8n.url}/webhook/${path}`;
	await n8n.client.publish(saved, url);
	const execution = await n8n.client.executionAfter(saved.id, async () => {
		const headers = { [template.keyHeader]: template.key };
		const response = await fetch(url, { method: 'POST', headers });
		if (response.status !== 200) throw new Error(`The webhook answered ${response.status}.`);
	});
	if (execution.status !== 'success') throw new Error(complaint(execution));
	return execution;
}

/** What left a node, by its outputs Success and Failure. */
export const left = (execution: Execution, node: string) => {
	const by = (index: number) => output(execution, node, index).map(({ json }) => json);
	return { success: by(0), failure: by(1) };
};
