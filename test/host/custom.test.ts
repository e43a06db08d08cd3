/**
 * The Custom Provider in a real n8n: real identity servers, people with real cookies, and workflows of
 * one's own. What a cookie still opens is the proof.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { onStage } from './on-stage';
import { left, runNodes } from './runs';
import { startBetterAuth } from './servers/better-auth';
import { startGlewlwyd } from './servers/glewlwyd';
import type { IdentityServer, Person } from './servers/identity-server';
import type { NodeAtWork, WorkflowFile } from './workflow';

const stage = onStage();
const { n8n } = stage;
const PACKAGE = 'n8n-nodes-session-revocation';
const TYPE = 'customSessionsApi';

/** Downloading Glewlwyd is part of its first start. */
const START_TIMEOUT_MS = 6 * 60_000;

const JANE = { email: 'jane@example.com', password: 'Jane-signs-in-1' };
/** Contains Jane's address, and is not hers. */
const MARY_JANE = { email: 'mary-jane@example.com', password: 'Mary-signs-in-3' };
const NOBODY = 'nobody@example.com';

const custom = (
	name: string,
	parameters: NodeAtWork['parameters'],
	credentials: NodeAtWork['credentials'] = [],
): NodeAtWork => ({ name, type: `${PACKAGE}.customSessions`, parameters, credentials });

describe.each([
	['Glewlwyd', startGlewlwyd],
	['Better Auth', startBetterAuth],
])('%s', (name, start) => {
	let server: IdentityServer;

	beforeAll(async () => {
		server = await start();
		for (const person of [JANE, MARY_JANE]) await server.addPerson(person);
	}, START_TIMEOUT_MS);

	afterAll(async () => {
		await server.stop();
	});

	/** The credential as a person fills it in, its secret, and the credential in n8n. */
	async function credential() {
		const access = await server.administrator();
		const secret = access.authentication === 'bearer' ? access.token : access.headerValue;
		const provider = JSON.stringify(server.provider);
		const data = { baseUrl: server.baseUrl, provider, ...access };
		return { data, secret, made: await n8n.client.createCredential(name, TYPE, data) };
	}

	const signIn = async (person: Person) => await server.signIn(person);
	const areSignedIn = async (cookies: readonly string[]) =>
		await Promise.all(cookies.map(async (cookie) => await server.isSignedIn(cookie)));

	test('the test of its credential passes, and fails with a wrong secret', async () => {
		const { data, made } = await credential();
		expect(await n8n.client.testCredential(made, data)).toMatchObject({ status: 'OK' });
		const wrong = { ...data, authentication: 'bearer', token: 'planted-wrong-token' };
		const refused = await n8n.client.testCredential(made, wrong);
		expect(refused.status).toBe('Error');
		expect(JSON.stringify(refused)).not.toContain('planted-wrong-token');
	});

	test('looks, and signs nobody out', async () => {
		const cookies = [await signIn(JANE), await signIn(MARY_JANE)];
		const { made, secret } = await credential();
		const execution = await runNodes(stage, `${name} looks`, [
			custom('Check', { operation: 'checkSetup' }, [made]),
			custom('Retrieve', { operation: 'retrieveUser', user: 'JANE@example.com' }, [made]),
			custom('Retrieve Nobody', { operation: 'retrieveUser', user: NOBODY }, [made]),
			custom('List', { operation: 'listSessions', user: JANE.email, returnAll: true }, [made]),
		]);
		expect(left(execution, 'Check')).toMatchObject({ success: [{ outcome: 'ready' }] });
		expect(left(execution, 'Retrieve')).toMatchObject({
			success: [{ outcome: 'user_found', user: { email: JANE.email } }],
		});
		expect(left(execution, 'Retrieve Nobody')).toMatchObject({
			success: [],
			failure: [{ outcome: 'user_not_found' }],
		});
		const { success } = left(execution, 'List');
		expect(success.length).toBeGreaterThan(0);
		expect(success[0]).toMatchObject({ connector: 'custom', sessionId: expect.any(String) });
		expect(await areSignedIn(cookies)).toEqual([true, true]);
		const stored = await n8n.client.storedExecution(execution.id);
		// Better Auth shows each session's token in its list: the first part of the cookie's value.
		const token = decodeURIComponent(cookies[0]?.split('=')[1] ?? '').split('.')[0] ?? '';
		expect(token.length).toBeGreaterThan(20);
		for (const planted of [secret, token]) expect(stored).not.toContain(planted);
	});

	test('ends one session by its ID, and no other', async () => {
		const { made } = await credential();
		const list = async (label: string) => {
			const run = await runNodes(stage, `${name} ${label}`, [
				custom('List', { operation: 'listSessions', user: JANE.email, returnAll: true }, [made]),
			]);
			return left(run, 'List').success.map(({ sessionId }) => sessionId);
		};
		const before = new Set(await list('before'));
		const cookie = await signIn(JANE);
		const [sessionId] = (await list('after')).filter((id) => !before.has(id));
		const kept = await signIn(JANE);
		const parameters = { operation: 'revokeSession', user: JANE.email, sessionId };
		const execution = await runNodes(stage, `${name} ends one`, [
			custom('End', parameters, [made]),
		]);
		expect(left(execution, 'End')).toMatchObject({
			success: [{ outcome: 'revoked', ended: ['session'] }],
			failure: [],
		});
		expect(await areSignedIn([cookie, kept])).toEqual([false, true]);
	});

	test('signs a person out everywhere and nobody else, by its own node', async () => {
		const janes = [await signIn(JANE), await signIn(JANE)];
		const others = [await signIn(MARY_JANE)];
		const { made, secret } = await credential();
		const execution = await runNodes(stage, `${name} revokes`, [
			custom('Revoke', { operation: 'revokeAllSessions', user: 'Jane@Example.com' }, [made]),
			custom('Revoke Nobody', { operation: 'revokeAllSessions', user: 'jane' }, [made]),
		]);
		expect(left(execution, 'Revoke')).toMatchObject({
			success: [
				{
					connector: 'custom',
					outcome: 'revoked',
					changed: true,
					ended: ['sessions'],
					verification: { status: 'verified', method: 'list of sessions' },
				},
			],
			failure: [],
		});
		expect(left(execution, 'Revoke Nobody').failure).toMatchObject([{ outcome: 'user_not_found' }]);
		expect(await areSignedIn(janes)).toEqual([false, false]);
		expect(await areSignedIn(others)).toEqual([true]);
		expect(await n8n.client.storedExecution(execution.id)).not.toContain(secret);
		expect(readFileSync(n8n.logFile, 'utf8')).not.toContain(secret);
	});

	test('is a target of Revoke Everywhere', async () => {
		const cookie = await signIn(JANE);
		const { made } = await credential();
		const execution = await runNodes(stage, `${name} everywhere`, [
			{
				name: 'Revoke',
				type: `${PACKAGE}.revokeEverywhere`,
				parameters: { operation: 'revoke', user: JANE.email },
				credentials: [made],
			},
		]);
		expect(left(execution, 'Revoke')).toMatchObject({
			success: [{ status: 'completed', coverage: 'all', targetsUsed: ['custom'] }],
			failure: [],
		});
		expect(await server.isSignedIn(cookie)).toBe(false);
	});
});

describe("a workflow of one's own", () => {
	/** A workflow that other workflows call, which puts its item through these nodes. */
	function child(name: string, nodes: readonly Omit<NodeAtWork, 'credentials'>[]): WorkflowFile {
		const start = {
			name: 'Start',
			type: 'n8n-nodes-base.executeWorkflowTrigger',
			parameters: { inputSource: 'passthrough' },
		};
		const all = [start, ...nodes];
		const next = all
			.slice(1)
			.map((node, index) => [
				all[index]?.name ?? '',
				{ main: [[{ node: node.name, type: 'main', index: 0 }]] },
			]);
		return {
			name,
			nodes: all.map((node, index) => ({
				...node,
				id: randomUUID(),
				typeVersion: node.type.endsWith('Trigger') ? 1.1 : node.type.endsWith('code') ? 2 : 1.1,
				position: [index * 200, 0],
			})),
			connections: Object.fromEntries(next) as WorkflowFile['connections'],
			settings: { executionOrder: 'v1' },
		};
	}

	const code = (jsCode: string) => ({
		name: 'Code',
		type: 'n8n-nodes-base.code',
		parameters: { jsCode },
	});

	/** The selector's value for a published workflow. */
	async function publishedChild(name: string, nodes: Parameters<typeof child>[1]) {
		const saved = await n8n.client.createWorkflow(child(name, nodes));
		await n8n.client.publishForOthers(saved);
		return { __rl: true, mode: 'list', value: saved.id, cachedResultName: name };
	}

	const through = (workflowId: unknown, more: object = {}) => ({
		providerType: 'workflow',
		workflowId,
		operation: 'revokeAllSessions',
		user: JANE.email,
		...more,
	});

	test('receives who is meant, and its answer is the outcome', async () => {
		const answers = await publishedChild('Answers', [
			code(
				`const [{ json }] = $input.all();
				if (json.action !== 'revoke_sessions' || Object.keys(json).length !== 2) throw new Error('no');
				return [{ json: { identityKey: json.identityKey, changed: json.identityKey.startsWith('jane') } }];`,
			),
		]);
		const execution = await runNodes(stage, 'Through a workflow', [
			custom('Changed', through(answers)),
			custom('Nothing', through(answers, { user: 'sam@example.com' })),
		]);
		expect(left(execution, 'Changed')).toMatchObject({
			success: [
				{
					connector: 'custom',
					identityKey: JANE.email,
					outcome: 'revoked',
					state: 'revoked',
					changed: true,
					userKnown: null,
					statusCode: null,
					verification: { status: 'unverifiable' },
				},
			],
			failure: [],
		});
		expect(left(execution, 'Nothing')).toMatchObject({
			success: [{ outcome: 'nothing_to_revoke', changed: false }],
			failure: [],
		});
	});

	test.each([
		[
			'about somebody else',
			`return [{ json: { identityKey: 'sam@example.com', changed: true } }];`,
		],
		[
			'that does not say',
			`return [{ json: { identityKey: 'jane@example.com', changed: 'yes' } }];`,
		],
		['with two items', `return [$input.first(), $input.first()];`],
		['with none', `return [];`],
		['that is an error', `throw new Error('The directory is down');`],
	])('an answer %s is no success', async (label, jsCode) => {
		const answers = await publishedChild(`Answers ${label}`, [code(jsCode)]);
		const execution = await runNodes(stage, `Through ${label}`, [
			custom('Revoke', through(answers)),
		]);
		expect(left(execution, 'Revoke')).toMatchObject({
			success: [],
			failure: [{ outcome: 'failed', cause: 'unexpected_reply', state: 'revoke_failed' }],
		});
	});

	test('a workflow that waits is no success, and this one goes on', async () => {
		const waiting = await publishedChild('Waits', [
			{
				name: 'Wait',
				type: 'n8n-nodes-base.wait',
				parameters: { resume: 'webhook' },
			},
		]);
		const execution = await runNodes(stage, 'Through one that waits', [
			custom('Revoke', through(waiting)),
		]);
		expect(left(execution, 'Revoke')).toMatchObject({
			success: [],
			failure: [{ outcome: 'failed', cause: 'unexpected_reply', changed: null }],
		});
	});

	test('a workflow that takes too long is not waited for', async () => {
		const slow = await publishedChild('Slow', [
			code(
				`await new Promise((go) => setTimeout(go, 4000)); return [{ json: { identityKey: 'jane@example.com', changed: true } }];`,
			),
		]);
		const execution = await runNodes(stage, 'Through a slow one', [
			custom('Revoke', through(slow, { options: { timeoutMs: 500 } })),
		]);
		expect(left(execution, 'Revoke').failure).toMatchObject([
			{ outcome: 'failed', cause: 'timeout', changed: null },
		]);
	});

	test('a workflow that is not there is no success', async () => {
		const nowhere = { __rl: true, mode: 'id', value: 'doesNotExist0000' };
		const execution = await runNodes(stage, 'Through none', [custom('Revoke', through(nowhere))]);
		expect(left(execution, 'Revoke').failure).toMatchObject([
			{ outcome: 'failed', cause: 'unexpected_reply' },
		]);
	});
});
