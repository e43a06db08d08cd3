/** What holds for every template in workflows/: it can be imported, is explained, and is closed. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { INodeProperties } from 'n8n-workflow';
import { z } from 'zod';
import { connectors } from '../../nodes/registry';
import { describeEverywhere } from '../../nodes/core/n8n/everywhere.description';
import { formOptions, readTemplate } from '../host/workflow';

const ROOT = join(__dirname, '../..');
const OURS = 'n8n-nodes-session-revocation.';
const LARGEST_PICTURE = 300_000;

const targets = z.record(
	z.array(z.array(z.object({ node: z.string(), type: z.string(), index: z.number() }))),
);
const templateSchema = z
	.object({
		name: z.string().min(1),
		nodes: z.array(
			z
				.object({
					id: z.string().uuid(),
					name: z.string().min(1),
					type: z.string(),
					typeVersion: z.number(),
					position: z.tuple([z.number(), z.number()]),
					parameters: z.record(z.unknown()),
					webhookId: z.string().uuid().optional(),
				})
				.passthrough(),
		),
		connections: z.record(targets),
		settings: z.object({ executionOrder: z.literal('v1') }).passthrough(),
		active: z.literal(false),
	})
	.passthrough();
type Template = z.infer<typeof templateSchema>;
type Node = Template['nodes'][number];

const files = globSync('*.json', { cwd: join(ROOT, 'workflows') }).sort();
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const parse = (file: string): Template =>
	templateSchema.parse(JSON.parse(read(`workflows/${file}`)));
const templates = files.map((file) => ({ file, template: parse(file) }));

const isNote = ({ type }: Node): boolean => type === 'n8n-nodes-base.stickyNote';

const ends = ({ connections }: Template) =>
	Object.values(connections).flatMap((byKind) => Object.values(byKind).flat(2));

/** Nodes at which an execution begins: nothing runs before them, and they are no tool of another node. */
const entries = (template: Template): Node[] => {
	const inner = new Set(ends(template).flatMap(({ node, type }) => (type === 'main' ? node : [])));
	const isTool = ({ name }: Node): boolean => 'ai_tool' in (template.connections[name] ?? {});
	return template.nodes.filter((node) => !isNote(node) && !inner.has(node.name) && !isTool(node));
};

/** The kinds of authentication that close what can be reached from outside, by node type. */
const CLOSED: Readonly<Record<string, readonly string[]>> = {
	'n8n-nodes-base.webhook': ['basicAuth', 'headerAuth', 'jwtAuth'],
	'n8n-nodes-base.formTrigger': ['n8nUserAuth'],
	'@n8n/n8n-nodes-langchain.mcpTrigger': ['bearerAuth', 'headerAuth', 'n8nOAuth2'],
};
/** Entries that nobody outside n8n can reach, or that are closed by a credential they cannot do without. */
const INSIDE = [
	'n8n-nodes-base.manualTrigger',
	'n8n-nodes-base.scheduleTrigger',
	'n8n-nodes-base.executeWorkflowTrigger',
	'n8n-nodes-base.errorTrigger',
	`${OURS}sessionRevocationTrigger`,
];

/** What is open at a node; undefined when it is closed. */
function openness(node: Node): string | undefined {
	const { type, parameters } = node;
	if (type === 'n8n-nodes-base.wait' && ['form', 'webhook'].includes(String(parameters.resume))) {
		const how = parameters.incomingAuthentication ?? 'none';
		return how === 'none' ? `${node.name} waits for anybody` : undefined;
	}
	const kinds = CLOSED[type];
	if (kinds === undefined || kinds.includes(String(parameters.authentication))) return undefined;
	return `${node.name} is open: ${String(parameters.authentication)}`;
}

describe.each(templates)('$file', ({ file, template }) => {
	const name = basename(file, '.json');
	const notes = template.nodes.filter(isNote);

	test('has nodes with names and ids of their own, and connections that lead to them', () => {
		const names = template.nodes.map((node) => node.name);
		expect(new Set(names).size).toBe(names.length);
		expect(new Set(template.nodes.map(({ id }) => id)).size).toBe(names.length);
		const mentioned = [
			...Object.keys(template.connections),
			...ends(template).map(({ node }) => node),
		];
		expect(mentioned.filter((one) => !names.includes(one))).toEqual([]);
	});

	test('names every node that its expressions read', () => {
		const names = template.nodes.map((node) => node.name);
		const text = JSON.stringify(template.nodes.map(({ parameters }) => parameters));
		const read = [...text.matchAll(/\$\('([^']+)'\)/g)].map(([, one = '']) => one);
		expect(read.filter((one) => !names.includes(one))).toEqual([]);
	});

	test('carries nothing that belongs to somebody', () => {
		expect(template.nodes.filter((node) => 'credentials' in node)).toEqual([]);
		expect(Object.keys((template.pinData as object | undefined) ?? {})).toEqual([]);
		expect(Object.keys(template)).not.toEqual(expect.arrayContaining(['id']));
		expect(Object.keys(template)).not.toEqual(expect.arrayContaining(['meta']));
	});

	test('is explained by notes, with a set-up in steps', () => {
		expect(notes.length).toBeGreaterThan(1);
		const [overview] = notes;
		expect(overview?.parameters.content).toMatch(/^## .+\n[^]*\*\*Set-up[^]*\n1\. [^]*\n2\. /);
	});

	test('is closed wherever it can be entered', () => {
		expect(entries(template).length).toBeGreaterThan(0);
		const known = [...Object.keys(CLOSED), ...INSIDE];
		expect(entries(template).filter(({ type }) => !known.includes(type))).toEqual([]);
		expect(template.nodes.flatMap((node) => openness(node) ?? [])).toEqual([]);
	});

	test('sets only parameters that Revoke Everywhere has', () => {
		const unknown = template.nodes
			.filter(({ type }) => type.startsWith(`${OURS}revokeEverywhere`))
			.flatMap(({ type, parameters }) => {
				const ofTool = type.endsWith('Tool') ? ['descriptionType', 'toolDescription'] : [];
				return unknownParameters(parameters, ofTool);
			});
		expect(unknown).toEqual([]);
	});

	test('has its page, its picture, its line in the list, and its test in a real n8n', () => {
		const page = read(`docs/templates/${name}.md`);
		expect(page).toContain(`](../../workflows/${file})`);
		expect(page).toContain(`](../images/template-${name}.png)`);
		expect(page).toMatch(/^## Set-up\n[^]*\n1\. [^]*\n2\. /m);
		const picture = statSync(join(ROOT, `docs/images/template-${name}.png`));
		expect(picture.size).toBeGreaterThan(10_000);
		expect(picture.size).toBeLessThan(LARGEST_PICTURE);
		expect(read('docs/templates/README.md')).toContain(`](${name}.md)`);
		expect(existsSync(join(ROOT, `test/host/template-${name}.test.ts`))).toBe(true);
	});
});

const everywhere = describeEverywhere(connectors).properties;

function unknownParameters(parameters: object, further: readonly string[]): string[] {
	const known = new Map(everywhere.map((property) => [property.name, property]));
	return Object.entries(parameters).flatMap(([name, value]) => {
		const property = known.get(name);
		if (property === undefined) return further.includes(name) ? [] : [name];
		if (property.type !== 'collection' || typeof value !== 'object') return [];
		const inside = (property.options as INodeProperties[]).map((option) => option.name);
		return Object.keys(value as object)
			.filter((option) => !inside.includes(option))
			.map((option) => `${name}.${option}`);
	});
}

test('no two templates have a node id, a webhook or a name in common', () => {
	const all = templates.flatMap(({ template }) => template.nodes);
	const webhooks = all.flatMap(({ webhookId }) => webhookId ?? []);
	const names = templates.map(({ template }) => template.name);
	for (const values of [all.map(({ id }) => id), webhooks, names]) {
		expect(values.filter((value, index) => values.indexOf(value) !== index)).toEqual([]);
	}
});

test('no two templates are entered at the same path', () => {
	const paths = templates.flatMap(({ template }) =>
		entries(template).flatMap(({ type, parameters }) => {
			const options = parameters.options as { path?: string } | undefined;
			const path = parameters.path ?? options?.path;
			return typeof path === 'string' ? `${type} ${path}` : [];
		}),
	);
	expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([]);
});

test('the list of templates is sorted by title and names no other', () => {
	const rows = [...read('docs/templates/README.md').matchAll(/^\| \[([^\]]+)\]\(([\w-]+)\.md\)/gm)];
	const titles = rows.map(([, title = '']) => title);
	expect(titles).toEqual(titles.toSorted((one, other) => one.localeCompare(other, 'en')));
	expect(rows.map(([, , name]) => name).toSorted()).toEqual(
		files.map((file) => basename(file, '.json')),
	);
});

test('the responder form offers every system, by its title', () => {
	expect(formOptions(readTemplate('responder-form.json'), 'Responder Form', 'systems')).toEqual([
		'All of these',
		...connectors.map(({ title }) => title).toSorted(),
	]);
});

test('an entry that is open is found', () => {
	const node = (type: string, parameters: Record<string, unknown>): Node => ({
		id: '',
		name: 'Entry',
		type: `n8n-nodes-base.${type}`,
		typeVersion: 1,
		position: [0, 0],
		parameters,
	});
	expect(openness(node('webhook', {}))).toBe('Entry is open: undefined');
	expect(openness(node('formTrigger', { authentication: 'none' }))).toBe('Entry is open: none');
	expect(openness(node('wait', { resume: 'form' }))).toBe('Entry waits for anybody');
	expect(openness(node('webhook', { authentication: 'headerAuth' }))).toBeUndefined();
	expect(openness(node('wait', { resume: 'timeInterval' }))).toBeUndefined();
});

test('a parameter that Revoke Everywhere does not have is found', () => {
	expect(unknownParameters({ users: '', guardrails: { protected: '' } }, [])).toEqual([
		'users',
		'guardrails.protected',
	]);
});
