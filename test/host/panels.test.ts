/** What a person sees of every node and credential: icons, panels, lists of operations, forms. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { Editor } from './browser';
import type { Credential, ListedType } from './client';
import { onStage } from './on-stage';
import type { WorkflowFile } from './workflow';

const { n8n, systems } = onStage();
const PACKAGE = 'n8n-nodes-session-revocation';
const EVERYWHERE = 'Revoke Everywhere';
/** High enough for the longest panel. */
const HEIGHT = 2000;

const all = systems.map(({ credential }) => credential);

/** What stands in the gallery: a node's name on the canvas, its type, and the credentials chosen in it. */
interface Exhibit {
	readonly name: string;
	readonly type: string;
	readonly credentials: readonly Credential[];
}

/** A workflow of nodes that are not connected, in rows. */
const gallery = (exhibits: readonly Exhibit[]): WorkflowFile => ({
	name: 'Gallery',
	nodes: exhibits.map(({ name, type, credentials }, place) => ({
		id: randomUUID(),
		name,
		type: `${PACKAGE}.${type}`,
		typeVersion: 1,
		position: [(place % 4) * 280, Math.floor(place / 4) * 220],
		parameters: {},
		credentials: Object.fromEntries(credentials.map((one) => [one.type, one])),
	})),
	connections: {},
	settings: { executionOrder: 'v1' },
});

/** The node types that belong to no single system. Each node that is a tool too has a second type. */
const further = (types: readonly ListedType[]): Exhibit[] =>
	types
		.map(({ name, displayName }) => ({ name: displayName, type: name.split('.')[1] ?? '' }))
		.filter(({ type }) => !type.endsWith('Tool') && !systems.some(({ node }) => node === type))
		.map((one) => ({ ...one, credentials: one.name === EVERYWHERE ? all : [] }));

let editor: Editor;
let workflowId: string;
let types: ListedType[];
let exhibits: Exhibit[];

beforeAll(async () => {
	types = await n8n.client.nodeTypes(PACKAGE);
	exhibits = [
		...systems.map(({ title, node, credential }) => ({
			name: title,
			type: node,
			credentials: [credential],
		})),
		...further(types),
	];
	({ id: workflowId } = await n8n.client.createWorkflow(gallery(exhibits)));
	editor = await Editor.open(n8n.url, n8n.owner, HEIGHT);
	await editor.openWorkflow(workflowId);
}, 120_000);

afterAll(async () => {
	await editor.close();
});

afterEach(async () => {
	await editor.closePanel();
});

/** Saves a screenshot, which must show something. */
async function keep(name: string): Promise<void> {
	expect(statSync(await editor.screenshot(name)).size).toBeGreaterThan(10_000);
}

/** A parameter of one of our node types, as n8n has it. */
const parameter = (node: string, wanted: string) =>
	types
		.find(({ name }) => name === `${PACKAGE}.${node}`)
		?.properties.find(({ name }) => name === wanted);

describe.each(systems.map((system) => [system.title, system] as const))('%s', (title, system) => {
	const { key, node, credential, credentialData, secret, simulator } = system;

	beforeAll(async () => {
		await simulator.reset();
	});

	test('has a panel that says which credential is which, and what it can do', async () => {
		await editor.openPanel(title);
		await keep(`panel-${key}`);
		const panel = await editor.visibleText();
		expect(panel).toContain(`${title} Sessions API`);
		expect(panel).toContain(credential.name);
		expect(panel).toContain('Shared Policy (Optional)');
		expect(panel).toContain('Revoke All Sessions');

		await editor.openOperations();
		await keep(`operations-${key}`);
		const listed = await editor.visibleText();
		const operations = parameter(node, 'operation')?.options ?? [];
		expect(operations.length).toBeGreaterThan(2);
		for (const { name } of operations) expect(listed).toContain(name);
		await editor.dismiss();
	});

	test('has a form for its credential, which hides the secret', async () => {
		await editor.openPanel(title);
		await editor.openCredential();
		await keep(`credential-${key}`);
		const form = await editor.visibleText();
		expect(form).toContain(`${title} Sessions API`);
		expect(form).toContain('Connection tested successfully');
		const data = credentialData(simulator.url);
		expect(form).not.toContain(String(data[secret]));
		expect(form).toContain(simulator.url);
		await editor.dismiss();
	});
});

test('Revoke Everywhere has a slot for every system and a place for every parameter', async () => {
	await editor.openPanel(EVERYWHERE);
	await keep('panel-everywhere');
	const panel = await editor.visibleText();
	for (const { title, credential } of systems) {
		expect(panel).toContain(`${title} Sessions API`);
		expect(panel).toContain(credential.name);
	}
	expect(panel).toContain('Shared Policy (Optional)');
	for (const name of ['user', 'dryRun', 'guardrails', 'reason', 'connectorOptions', 'options']) {
		expect(panel).toContain(parameter('revokeEverywhere', name)?.displayName);
	}
});

test('every other node has a panel', async () => {
	const others = further(types).filter(({ name }) => name !== EVERYWHERE);
	for (const { name, type } of others) {
		await editor.openPanel(name);
		await keep(`panel-${type}`);
		expect(await editor.visibleText()).toContain('Parameters');
		await editor.closePanel();
	}
});

describe('the icons on the canvas', () => {
	test.each(['light', 'dark'])('are there, %s', async (appearance) => {
		if (appearance === 'dark') {
			await editor.goDark();
			await editor.openWorkflow(workflowId);
		}
		await keep(`canvas-${appearance}`);
		const widths = await editor.iconWidths();
		expect(widths).toHaveLength(exhibits.length);
		expect(Math.min(...widths)).toBeGreaterThan(0);
	});
});
