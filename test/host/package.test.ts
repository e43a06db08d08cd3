/** The packed package in a real n8n: what a person finds in the node list and on disk. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ListedType } from './client';
import { onStage } from './on-stage';

const PACKAGE = 'n8n-nodes-session-revocation';
const { n8n } = onStage();

/** Fetches an icon in both of its variants and gives what n8n answered. */
async function icons(type: ListedType) {
	const { iconUrl } = type;
	if (iconUrl === undefined || typeof iconUrl === 'string') {
		throw new Error(`${type.name} has no light and dark icon: ${String(iconUrl)}`);
	}
	return await Promise.all(
		[iconUrl.light, iconUrl.dark].map(async (path) => await n8n.client.asset(path)),
	);
}

describe('the package in n8n', () => {
	let nodes: ListedType[];

	beforeAll(async () => {
		nodes = await n8n.client.nodeTypes(`${PACKAGE}.`);
	});

	const nodeNamed = (name: string) => {
		const found = nodes.find((node) => node.name === `${PACKAGE}.${name}`);
		if (found === undefined) throw new Error(`n8n lists no node ${name}.`);
		return found;
	};

	test.each([
		['alertIdentities', 'Alert Identities', ['Identified', 'Not Identified']],
		['oktaSessions', 'Okta Sessions', ['Success', 'Failure']],
		['revokeEverywhere', 'Revoke Everywhere', ['Success', 'Failure']],
	])('%s is listed with its name and its two outputs', (name, displayName, outputNames) => {
		expect(nodeNamed(name)).toMatchObject({
			displayName,
			outputs: ['main', 'main'],
			outputNames,
		});
	});

	test.each(['alertIdentities', 'oktaSessions', 'revokeEverywhere'])(
		'%s has a light and a dark icon',
		async (name) => {
			for (const icon of await icons(nodeNamed(name))) {
				expect(icon.status).toBe(200);
				expect(icon.contentType).toContain('image/svg+xml');
				expect(icon.text).toContain('<svg');
			}
		},
	);

	test.each(['oktaSessionsTool', 'revokeEverywhereTool'])('%s is offered to AI agents', (name) => {
		expect(nodeNamed(name).outputs).toEqual(['ai_tool']);
	});

	test('the credential type is listed with a light and a dark icon', async () => {
		const [okta] = await n8n.client.credentialTypes('oktaSessionsApi');
		if (okta === undefined) throw new Error('n8n lists no credential type oktaSessionsApi.');
		for (const icon of await icons(okta)) expect(icon.status).toBe(200);
	});

	test('nothing else was installed with it', () => {
		const modules = join(n8n.userFolder, '.n8n', 'nodes', 'node_modules');
		expect(readdirSync(modules).filter((name) => !name.startsWith('.'))).toEqual([PACKAGE]);
		expect(existsSync(join(modules, PACKAGE, 'node_modules'))).toBe(false);
	});
});
