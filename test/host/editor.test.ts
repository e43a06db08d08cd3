/** What a person sees: the template on the canvas, the panels of the nodes, their results. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { statSync } from 'node:fs';
import { Editor } from './browser';
import { onStage } from './on-stage';
import { TEMPLATE, type WorkflowFile, type WorkflowNode } from './workflow';

const { n8n, okta, simulator, template } = onStage();
const PACKAGE = 'n8n-nodes-session-revocation';
const START = 'Start';
const PEOPLE = ['tomas.okafor@example.com', 'nobody.at.all@example.com'];

/** A node with the Okta credential, at the place in the row that `index` says. */
function node(index: number, name: string, type: string, parameters: object): WorkflowNode {
	return {
		id: `00000000-0000-4000-8000-00000000000${index}`,
		name,
		type,
		typeVersion: 1,
		position: [index * 260, 0],
		parameters: { ...parameters },
		...(type.startsWith(PACKAGE)
			? { credentials: { oktaSessionsApi: { id: okta.id, name: okta.name } } }
			: {}),
	};
}

/** A workflow to start by hand: two users, by both of the package's nodes. */
function workbench(): WorkflowFile {
	const to = (name: string) => ({ main: [[{ node: name, type: 'main', index: 0 }]] });
	return {
		name: 'Workbench',
		nodes: [
			node(0, START, 'n8n-nodes-base.manualTrigger', {}),
			node(1, 'People', 'n8n-nodes-base.set', {
				mode: 'raw',
				jsonOutput: JSON.stringify({ users: PEOPLE }),
				options: {},
			}),
			node(2, 'One by One', 'n8n-nodes-base.splitOut', {
				fieldToSplitOut: 'users',
				options: { destinationFieldName: 'user' },
			}),
			node(3, 'Okta Sessions', `${PACKAGE}.oktaSessions`, {
				operation: 'revokeAllSessions',
				user: '={{ $json.user }}',
			}),
			node(4, 'Revoke Everywhere', `${PACKAGE}.revokeEverywhere`, {
				operation: 'revoke',
				user: '={{ $json.identityKey }}',
			}),
		].map((one) => (one.name === 'People' ? { ...one, typeVersion: 3.4 } : one)),
		connections: {
			[START]: to('People'),
			People: to('One by One'),
			'One by One': to('Okta Sessions'),
			'Okta Sessions': to('Revoke Everywhere'),
		},
		settings: { executionOrder: 'v1' },
	};
}

let editor: Editor;

beforeAll(async () => {
	await simulator.reset();
	editor = await Editor.open(n8n.url, n8n.owner);
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

describe('the template', () => {
	beforeAll(async () => {
		await editor.openWorkflow(template.id);
	}, 120_000);

	test('stands on the canvas with its notes and both outputs', async () => {
		await keep('1-template');
		for (const name of Object.values(TEMPLATE).slice(1)) {
			expect(await editor.node(name).count()).toBe(1);
		}
		expect(await editor.outputLabels(TEMPLATE.revoke)).toEqual(['Success', 'Failure']);
		expect(await editor.visibleText()).toContain('Closed by default');
	});

	test('has no node that complains', async () => {
		const complaints = editor.page.getByTestId('node-issues');
		expect(await complaints.count()).toBe(0);
	});

	test('shows the panel of Revoke Everywhere', async () => {
		await editor.openPanel(TEMPLATE.revoke);
		const text = await editor.visibleText();
		await keep('2-revoke-everywhere');
		expect(text).toContain('Okta Sessions API');
		expect(text).toContain(okta.name);
		expect(text).toContain('If User Is Not Found');
		expect(text).toContain('Dry Run');
	});
});

describe('the nodes at work', () => {
	beforeAll(async () => {
		const { id } = await n8n.client.createWorkflow(workbench());
		await editor.openWorkflow(id);
	}, 120_000);

	test('show both branches after a run', async () => {
		await editor.execute();
		await keep('3-after-a-run');
		for (const name of ['Okta Sessions', 'Revoke Everywhere']) {
			expect(await editor.outputLabels(name)).toEqual(['Success', 'Failure']);
		}
		expect((await simulator.user(PEOPLE[0] ?? '')).sessions).toEqual([]);
	});

	test('Okta Sessions shows its operations, its credential, and its result with a hint', async () => {
		await editor.openPanel('Okta Sessions');
		const text = await editor.visibleText();
		await keep('4-okta-sessions');
		expect(text).toContain(okta.name);
		expect(text).toContain('Success Branch (1 item)');
		expect(text).toContain('Failure Branch (1 item)');
		expect(text).toContain('were not revoked');
		await editor.page.getByTestId('parameter-input-operation').first().click();
		const options = await editor.visibleText();
		await keep('5-okta-operations');
		for (const operation of ['Check Setup', 'Retrieve User', 'Revoke All Sessions']) {
			expect(options).toContain(operation);
		}
		await editor.page.getByTestId('parameter-input-operation').first().click();
	});

	test('Revoke Everywhere shows its result', async () => {
		await editor.openPanel('Revoke Everywhere');
		const text = await editor.visibleText();
		await keep('6-revoke-everywhere-result');
		expect(text).toContain('Success Branch (1 item)');
		expect(text).toContain('were not revoked');
	});
});
