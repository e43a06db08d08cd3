import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type {
	INodeProperties,
	INodePropertyCollection,
	INodePropertyOptions,
	INodeTypeDescription,
} from 'n8n-workflow';
import { connectors } from '../../nodes/registry';
import { loadPackage, PACKAGE } from './engine';
import { UNPACKED } from './pack';

interface Manifest {
	name: string;
	license: string;
	files: string[];
	keywords: string[];
	dependencies?: object;
	n8n: { nodes: string[]; credentials: string[] };
}

const manifest = JSON.parse(readFileSync(join(UNPACKED, 'package.json'), 'utf8')) as Manifest;
const classOf = (file: string): string => file.replace(/^.*\/|\..*$/g, '');
const nodeNames = manifest.n8n.nodes.map(classOf);

test('only what ships is in the tarball', () => {
	const [{ files }] = JSON.parse(
		execFileSync('npm', ['pack', '--dry-run', '--json', '--silent'], {
			cwd: join(__dirname, '../..'),
			encoding: 'utf8',
		}),
	) as [{ files: { path: string }[] }];
	expect(files.map(({ path }) => path).sort()).toMatchSnapshot();
});

test('it needs nothing at run time', () => {
	expect(manifest.dependencies).toBeUndefined();
	expect(manifest.name).toBe(PACKAGE);
	expect(manifest.license).toBe('MIT');
	expect(manifest.keywords).toContain('n8n-community-node-package');
});

test('index.js exports every class by its name', () => {
	// eslint-disable-next-line @typescript-eslint/no-require-imports -- this is how the package is used
	const exported = require(UNPACKED) as Record<string, { name: string }>;
	const classes = [...nodeNames, ...manifest.n8n.credentials.map(classOf)];
	expect(Object.keys(exported).sort()).toEqual([...classes].sort());
	for (const [name, value] of Object.entries(exported)) expect(value.name).toBe(name);
});

test('all nodes share one chunk, and so one pool of connections', () => {
	for (const file of [...manifest.n8n.nodes, ...manifest.n8n.credentials]) {
		const text = readFileSync(join(UNPACKED, file), 'utf8');
		expect(text).toContain('lib/core.js');
		expect(text.length).toBeLessThan(2000);
	}
});

test('every connector has its node, its credential and its documentation', async () => {
	const loader = await loadPackage();
	const names = Object.keys(loader.nodeTypes);
	for (const { node, credential, docs } of connectors) {
		expect(names).toContain(node.className.charAt(0).toLowerCase() + node.className.slice(1));
		expect(Object.keys(loader.credentialTypes)).toContain(credential.name);
		expect(existsSync(join(__dirname, '../../docs/connectors', `${docs}.md`))).toBe(true);
	}
	expect(new Set(connectors.map(({ key }) => key)).size).toBe(connectors.length);
});

/** Every property, those within collections too. */
function* properties(list: readonly INodeProperties[]): Generator<INodeProperties> {
	for (const property of list) {
		yield property;
		const inner = (property.options ?? []) as (INodeProperties | INodePropertyCollection)[];
		if (property.type === 'collection') yield* properties(inner as INodeProperties[]);
	}
}

/** Nodes that revoke nothing name their outputs otherwise. */
const OUTPUTS: Readonly<Record<string, readonly string[]>> = {
	AlertIdentities: ['Identified', 'Not Identified'],
	SessionRevocationResponse: [],
	SessionRevocationTrigger: ['Revocation Request', 'Status Request'],
};

describe.each(nodeNames)('%s as n8n loaded it', (className) => {
	const name = className.charAt(0).toLowerCase() + className.slice(1);
	const file = manifest.n8n.nodes.find((one) => classOf(one) === className) ?? '';
	const load = async () => {
		const loader = await loadPackage();
		return {
			loader,
			description: loader.getNode(name).type.description as never as INodeTypeDescription,
		};
	};

	test('has outputs that say what they are for', async () => {
		const { description } = await load();
		const outputNames = OUTPUTS[className] ?? ['Success', 'Failure'];
		expect(description.name).toBe(name);
		expect(description.outputs).toEqual(Array(outputNames.length || 1).fill('main'));
		expect(description.outputNames ?? []).toEqual(outputNames);
		const isTrigger = className.endsWith('Trigger');
		expect(description.inputs).toEqual(isTrigger ? [] : ['main']);
		expect(description.usableAsTool).toBe(isTrigger ? undefined : true);
		expect(description.subtitle).toBeTruthy();
	});

	test('uses only credentials of this package', async () => {
		const { loader, description } = await load();
		for (const { name: credential } of description.credentials ?? []) {
			expect(Object.keys(loader.credentialTypes)).toContain(credential);
		}
	});

	test('has two different icons and a codex', async () => {
		const { description } = await load();
		const folder = dirname(join(UNPACKED, file));
		const { light, dark } = description.iconUrl as { light: string; dark: string };
		const icons = [light, dark].map((url) =>
			readFileSync(join(UNPACKED, url.replace(`icons/${PACKAGE}/`, '')), 'utf8'),
		);
		expect(icons[0]).toMatch(/^<svg /);
		expect(icons[0]).not.toBe(icons[1]);
		const codex = JSON.parse(
			readFileSync(join(folder, `${className}.node.json`), 'utf8'),
		) as object;
		expect(codex).toMatchObject({ node: `${PACKAGE}.${name}`, categories: ['Utility'] });
		expect(description.codex?.resources).toBeDefined();
	});

	test('every parameter has a default, and every boolean says "Whether"', async () => {
		const { description } = await load();
		for (const property of properties(description.properties)) {
			expect(property).toHaveProperty('default');
			if (property.type === 'boolean') expect(property.description).toMatch(/^Whether /);
			if (property.placeholder?.startsWith('Add ') === false) {
				expect(property.placeholder).toMatch(/^e\.g\. /);
			}
		}
	});

	test('what widens or destroys is off by default', async () => {
		const { description } = await load();
		const risky =
			/oauthTokens|forgetDevices|revokeOAuthGrants|deleteAppPasswords|revokeConnectedApps|allow[A-Z]/;
		for (const property of properties(description.properties)) {
			if (risky.test(property.name)) expect(property.default).toBe(false);
		}
	});

	test('every operation has an action, and the default is one of them', async () => {
		const { description } = await load();
		const operation = description.properties.find((one) => one.name === 'operation');
		// A node that does one thing only has none.
		if (!operation) {
			expect(Object.keys(OUTPUTS)).toContain(className);
			return;
		}
		const options = operation.options as INodePropertyOptions[];
		expect(options.map(({ value }) => value)).toContain(operation.default);
		for (const option of options) expect(option.action).toBeTruthy();
	});

	test('each instance has a description of its own', async () => {
		const { loader } = await load();
		const known = loader.getNode(name).type.constructor as new () => { description: object };
		expect(new known().description).not.toBe(new known().description);
	});
});

/** They lead nowhere: there is nothing to connect to. */
const UNTESTED = ['SessionRevocationPolicyApi', 'SessionRevocationWebhookApi'];

describe.each(manifest.n8n.credentials.map(classOf))('%s as n8n loaded it', (className) => {
	const load = async () => {
		const name = className.charAt(0).toLowerCase() + className.slice(1);
		return (await loadPackage()).getCredential(name).type;
	};

	test('hides every secret, and can be tested', async () => {
		const credential = await load();
		expect(credential.test === undefined).toBe(UNTESTED.includes(className));
		expect(credential.documentationUrl).toMatch(/^https:\/\//);
		const secret = /token|secret|password|privateKey/i;
		for (const property of credential.properties) {
			if (property.type !== 'string' || !secret.test(property.name)) continue;
			if (property.name.endsWith('Url')) continue;
			expect(property.typeOptions).toMatchObject({ password: true });
		}
	});
});
