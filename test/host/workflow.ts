/** Workflow files as people import them, and what has to be filled in before they can run. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Credential } from './client';
import { repositoryRoot } from './install';

const nodeSchema = z
	.object({
		name: z.string(),
		type: z.string(),
		parameters: z.record(z.unknown()),
		webhookId: z.string().optional(),
		credentials: z.record(z.object({ id: z.string(), name: z.string() })).optional(),
	})
	.passthrough();

const workflowSchema = z.object({
	name: z.string(),
	nodes: z.array(nodeSchema),
	connections: z.record(z.unknown()),
	settings: z.record(z.unknown()),
});

export type WorkflowFile = z.infer<typeof workflowSchema>;
export type WorkflowNode = z.infer<typeof nodeSchema>;

/** The node names of the template: the demo and the tests read results by them. */
export const TEMPLATE = {
	file: 'siem-alert-revoke-everywhere.json',
	webhook: 'SIEM Alert',
	identities: 'Alert Identities',
	unidentified: 'Notify: Who Is Meant?',
	ask: 'Ask for Approval',
	approval: 'Approval',
	notApproved: 'Notify: Not Approved',
	revoke: 'Revoke Everywhere',
	success: 'Notify: Sessions Ended',
	failure: 'Notify: Needs a Person',
} as const;

/** Reads one of the repository's templates. */
export function readTemplate(file: string): WorkflowFile {
	return workflowSchema.parse(
		JSON.parse(readFileSync(join(repositoryRoot, 'workflows', file), 'utf8')),
	);
}

/** Replaces one node of a workflow. */
export function withNode(
	workflow: WorkflowFile,
	name: string,
	change: (node: WorkflowNode) => WorkflowNode,
): WorkflowFile {
	if (!workflow.nodes.some((node) => node.name === name)) {
		throw new Error(`The workflow "${workflow.name}" has no node "${name}".`);
	}
	const nodes = workflow.nodes.map((node) => (node.name === name ? change(node) : node));
	return { ...workflow, nodes };
}

/** Chooses a credential in a node, as a person does in the node's panel. */
export function withCredential(
	workflow: WorkflowFile,
	node: string,
	{ id, name, type }: Credential,
): WorkflowFile {
	return withNode(workflow, node, (old) => ({
		...old,
		credentials: { ...old.credentials, [type]: { id, name } },
	}));
}

/** A node of a workflow that a test makes: what it does, and with which credentials. */
export interface NodeAtWork {
	readonly name: string;
	readonly type: string;
	readonly parameters: Readonly<Record<string, unknown>>;
	readonly credentials: readonly Credential[];
}

const WEBHOOK = 'Webhook';

/** A workflow in which a closed webhook starts each of the nodes, one after the other in this order. */
export function webhookWorkflow(
	name: string,
	path: string,
	key: Credential,
	nodes: readonly NodeAtWork[],
): WorkflowFile {
	const webhook: NodeAtWork = {
		name: WEBHOOK,
		type: 'n8n-nodes-base.webhook',
		parameters: { httpMethod: 'POST', path, authentication: 'headerAuth' },
		credentials: [key],
	};
	return {
		name,
		nodes: [webhook, ...nodes].map(({ credentials, ...node }, index) => ({
			...node,
			id: randomUUID(),
			typeVersion: node === webhook ? 2 : 1,
			position: [index === 0 ? 0 : 300, index * 200],
			webhookId: path,
			credentials: Object.fromEntries(
				credentials.map(({ id, name: called, type }) => [type, { id, name: called }]),
			),
		})),
		connections: {
			[WEBHOOK]: { main: [nodes.map((node) => ({ node: node.name, type: 'main', index: 0 }))] },
		},
		settings: { executionOrder: 'v1' },
	};
}

/** The path of the workflow's webhook, as its Webhook node has it. */
export function webhookPath(workflow: WorkflowFile, node: string): string {
	const webhook = workflow.nodes.find(({ name }) => name === node);
	return z.object({ path: z.string() }).parse(webhook?.parameters).path;
}

const formFields = z.object({
	values: z.array(
		z
			.object({
				fieldName: z.string(),
				fieldOptions: z.object({ values: z.array(z.object({ option: z.string() })) }).optional(),
			})
			.passthrough(),
	),
});

/** What a form offers to choose from in one of its fields. */
export function formOptions(workflow: WorkflowFile, node: string, field: string): string[] {
	const form = workflow.nodes.find(({ name }) => name === node);
	const { values } = formFields.parse(form?.parameters.formFields);
	const options = values.find(({ fieldName }) => fieldName === field)?.fieldOptions;
	return options?.values.map(({ option }) => option) ?? [];
}

/** Lets a form offer these to choose from in one of its fields. */
export function withFormOptions(
	workflow: WorkflowFile,
	node: string,
	field: string,
	options: readonly string[],
): WorkflowFile {
	const fieldOptions = { values: options.map((option) => ({ option })) };
	return withNode(workflow, node, (form) => {
		const { values } = formFields.parse(form.parameters.formFields);
		const changed = values.map((one) => (one.fieldName === field ? { ...one, fieldOptions } : one));
		return { ...form, parameters: { ...form.parameters, formFields: { values: changed } } };
	});
}
