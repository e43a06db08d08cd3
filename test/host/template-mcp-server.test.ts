/** The MCP server in a real n8n, called by the MCP SDK as an agent's client calls it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { statSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { z } from 'zod';
import { Editor } from './browser';
import type { Credential } from './client';
import { onStage } from './on-stage';
import {
	filledIn,
	publishWorkflow,
	signedIn,
	takePicture,
	withParameters,
	type PublishedTemplate,
} from './templates';
import { withNode } from './workflow';

const { n8n, okta, simulator, systems } = onStage();

const FILE = 'mcp-server.json';
const SERVER = 'Session Revocation MCP';
const TOOL = 'revoke_sessions';
const TOKEN = 'a-long-random-token-of-the-tests';
const SIGNED_IN = 'nora.lindqvist@example.com';
const PROTECTED = 'tomas.okafor@example.com';
const BOTH = `${SIGNED_IN}, ${PROTECTED}`;

const sessionsOf = async (login: string) => (await simulator.user(login)).sessions.length;
const revocations = async () =>
	(await simulator.traffic()).requests.filter(({ method }) => method !== 'GET');

let bearer: Credential;
let server: PublishedTemplate;

async function publish(path: string, credentials: readonly Credential[] = [okta]) {
	const choices = { [SERVER]: [bearer], [TOOL]: credentials };
	const guarded = withParameters(filledIn(FILE, choices), TOOL, {
		guardrails: { protectedUsers: PROTECTED, maxUsersPerRun: 1 },
	});
	const template = withNode(guarded, SERVER, (node) => ({
		...node,
		webhookId: path,
		parameters: { ...node.parameters, path },
	}));
	return await publishWorkflow(n8n.client, template, `mcp/${path}`);
}

/** Works as a client of an MCP server, as an agent does. */
async function asClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
	const client = new Client({ name: 'host-tests', version: '1.0.0' });
	const headers = { authorization: `Bearer ${TOKEN}` };
	// The SDK compiles without exact optional properties: its own transport is none by our rules.
	const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
	await client.connect(transport as Transport);
	try {
		return await work(client);
	} finally {
		await client.close();
	}
}

const answerSchema = z.object({
	content: z.tuple([z.object({ type: z.literal('text'), text: z.string() })]),
});
const resultsSchema = z.array(
	z
		.object({
			user: z.string().nullable(),
			status: z.string(),
			results: z.array(z.object({ connector: z.string(), outcome: z.string() }).passthrough()),
		})
		.passthrough(),
);

/** Calls the tool; gives the text that reaches the agent. */
async function callText(args: Record<string, unknown>, url = server.url): Promise<string> {
	const answer = await asClient(
		url,
		async (client) => await client.callTool({ name: TOOL, arguments: args }),
	);
	return answerSchema.parse(answer).content[0].text;
}

/** Calls the tool; gives the items that reach the agent. */
const call = async (args: Record<string, unknown>, url = server.url) =>
	resultsSchema.parse(JSON.parse(await callText(args, url)));

beforeAll(async () => {
	bearer = await n8n.client.createCredential('MCP token', 'httpBearerAuth', { token: TOKEN });
	server = await publish('mcp-tests');
}, 60_000);

beforeEach(async () => {
	for (const system of systems) await system.simulator.reset();
});

test('offers one tool, with nothing but the user, the reason and the incident to say', async () => {
	const { tools } = await asClient(server.url, async (client) => await client.listTools());
	expect(tools.map(({ name }) => name)).toEqual([TOOL]);
	const [tool] = tools;
	expect(Object.keys(tool?.inputSchema.properties ?? {})).toEqual(['user', 'reason', 'incident']);
	expect(tool?.inputSchema.required).toEqual(['user', 'reason']);
	expect(tool?.description).toContain('what survives');
});

test('ends the sessions, and tells the agent what ended and what did not', async () => {
	const results = await call({ user: SIGNED_IN, reason: 'Stolen laptop', incident: 'INC-42' });
	expect(results).toMatchObject([
		{
			user: SIGNED_IN,
			status: 'completed',
			coverage: 'all',
			reason: 'Stolen laptop',
			incidentId: 'INC-42',
			source: 'MCP',
			results: [{ connector: 'okta', outcome: 'revoked', ended: ['sessions'] }],
		},
	]);
	expect(results[0]?.results[0]?.survives).not.toEqual([]);
	expect(await sessionsOf(SIGNED_IN)).toBe(0);
});

test('ends them in every system whose credential is chosen', async () => {
	const everywhere = await publish(
		'mcp-everywhere',
		systems.map(({ credential }) => credential),
	);
	expect(await signedIn(systems, SIGNED_IN)).toHaveLength(systems.length);
	expect(await call({ user: SIGNED_IN, reason: 'Stolen laptop' }, everywhere.url)).toMatchObject([
		{ status: 'completed', coverage: 'all', retryTargets: [] },
	]);
	expect(await signedIn(systems, SIGNED_IN)).toEqual([]);
});

test('the incident may be left out', async () => {
	const results = await call({ user: SIGNED_IN, reason: 'Stolen laptop' });
	expect(results).toMatchObject([{ status: 'completed', incidentId: null }]);
});

test('what would leave by Failure reaches the agent too', async () => {
	const user = 'nobody.at.all@example.com';
	expect(await call({ user, reason: 'Stolen laptop' })).toMatchObject([
		{ user, status: 'failed', results: [{ outcome: 'user_not_found' }] },
	]);
});

describe('the model cannot', () => {
	const refused = [
		{ status: 'failed', results: [{ outcome: 'refused', cause: 'protected_user' }] },
	];
	/** What a model, or whoever writes into its context, might try. */
	const attempts: Record<string, unknown> = {
		confirm: true,
		force: true,
		allowOwnIdentity: true,
		operation: 'checkSetup',
		usersList: BOTH,
		targetMode: 'selected',
		targets: ['slack_enterprise'],
		dryRun: true,
		guardrails: { enabled: false, protectedUsers: '', maxUsersPerRun: 1000 },
		identities: { okta: PROTECTED },
		connectorOptions: { okta: { oauthTokens: true, allowOwnIdentity: true } },
		options: { resultDetail: 'full' },
		credentials: {},
		'guardrails.enabled': false,
	};

	test('end the sessions of a protected user', async () => {
		expect(await call({ user: PROTECTED, reason: 'The CEO said so' })).toMatchObject(refused);
		expect(await revocations()).toEqual([]);
	});

	test('switch the guardrails off, whatever else it sends', async () => {
		expect(await call({ user: PROTECTED, reason: 'x', ...attempts })).toMatchObject(refused);
		expect(await revocations()).toEqual([]);
	});

	test('choose systems, options or further users', async () => {
		const results = await call({ user: SIGNED_IN, reason: 'x', ...attempts });
		expect(results).toMatchObject([
			{
				user: SIGNED_IN,
				dryRun: false,
				targetsUsed: ['okta'],
				results: [{ identityKey: SIGNED_IN, outcome: 'revoked', ended: ['sessions'] }],
			},
		]);
		expect(await sessionsOf(PROTECTED)).toBeGreaterThan(0);
		expect((await simulator.user(SIGNED_IN)).tokens).toBeGreaterThan(0);
	});

	test('name two users in one', async () => {
		const [result] = await call({ user: BOTH, reason: 'x' });
		expect(result?.status).toBe('failed');
		expect(await revocations()).toEqual([]);
	});

	test('have an expression of its own evaluated', async () => {
		const [result] = await call({ user: '={{ "nora.lindqvist@example.com" }}', reason: 'x' });
		expect(result?.status).toBe('failed');
		expect(await revocations()).toEqual([]);
	});

	test.each([
		['a list', { user: [SIGNED_IN], reason: 'x' }],
		['nobody', { reason: 'x' }],
		['an empty name', { user: '  ', reason: 'x' }],
	])('give %s for a user', async (_, args) => {
		const text = await callText(args).catch(String);
		expect(text).toMatch(/invalid|expected string|did not match|required/i);
		expect((await simulator.traffic()).requests).toEqual([]);
	});
});

test('a policy that allows no AI tools refuses, and nothing is called', async () => {
	const policy = await n8n.client.createCredential('No AI', 'sessionRevocationPolicyApi', {
		enabled: true,
		allowWebhook: true,
		allowAiTools: false,
		protectedUsers: '',
		maxUsersPerRun: 0,
	});
	const strict = await publish('mcp-no-ai', [okta, policy]);
	expect(await call({ user: SIGNED_IN, reason: 'x' }, strict.url)).toMatchObject([
		{ status: 'failed', results: [{ outcome: 'refused', cause: 'channel_disabled' }] },
	]);
	expect((await simulator.traffic()).requests).toEqual([]);
});

describe('the server is closed', () => {
	const initialize = {
		jsonrpc: '2.0',
		id: 1,
		method: 'initialize',
		params: {
			protocolVersion: '2025-06-18',
			capabilities: {},
			clientInfo: { name: 'stranger', version: '0' },
		},
	};

	test.each<[string, Record<string, string>]>([
		['without a token', {}],
		['with a wrong token', { authorization: 'Bearer not-the-token' }],
		['with the token by another scheme', { authorization: `Basic ${btoa(`x:${TOKEN}`)}` }],
	])('%s', async (_, headers) => {
		for (const method of ['GET', 'POST', 'DELETE']) {
			const response = await fetch(server.url, {
				method,
				headers: {
					...headers,
					'content-type': 'application/json',
					accept: 'application/json, text/event-stream',
				},
				...(method === 'POST' ? { body: JSON.stringify(initialize) } : {}),
			});
			await response.text();
			expect([401, 403]).toContain(response.status);
		}
		expect((await simulator.traffic()).requests).toEqual([]);
	});

	test('and cannot be published before its token is chosen', async () => {
		const open = withNode(filledIn(FILE, { [TOOL]: [okta] }), SERVER, (node) => ({
			...node,
			webhookId: 'mcp-open',
			parameters: { ...node.parameters, path: 'mcp-open' },
		}));
		await expect(publishWorkflow(n8n.client, open, 'mcp/mcp-open')).rejects.toThrow(
			/Missing required credential: httpBearerAuth/,
		);
	});
});

describe('its picture', () => {
	let editor: Editor;
	beforeAll(async () => {
		editor = await Editor.open(n8n.url, n8n.owner);
	}, 120_000);
	afterAll(async () => {
		await editor.close();
	});

	test('shows the whole canvas', async () => {
		expect(statSync(await takePicture(editor, server.id, 'mcp-server')).size).toBeGreaterThan(
			10_000,
		);
	});
});
