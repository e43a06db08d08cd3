/** The template in a real n8n: from the webhook to the two branches. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { complaint, nodeRun, output, type Execution } from './execution';
import { onStage } from './on-stage';
import { accountOf, alertAbout, type AccountEntity, type EntitiesForm } from './sentinel';
import { post, runPosted } from './stage';
import { readTemplate, TEMPLATE, withCredential, withNode, type WorkflowFile } from './workflow';

const stage = onStage();
const { n8n, simulator, template } = stage;

const SIGNED_IN = 'nora.lindqvist@example.com';
const ALSO_SIGNED_IN = 'tomas.okafor@example.com';
const UNKNOWN = 'nobody.at.all@example.com';

/** What product.md fixes for the item of one user. */
const RESULT_FIELDS = [
	...[
		'requestId',
		'user',
		'status',
		'coverage',
		'state',
		'changed',
		'message',
		'dryRun',
		'triggers',
	],
	...['reason', 'source', 'incidentId', 'targetsUsed', 'targetsSkipped', 'retryTargets', 'results'],
	...['counts', 'residualUntil', 'billable', 'startedAt', 'finishedAt', 'durationMs'],
];

/** What product.md fixes for the result of one target. */
const TARGET_FIELDS = [
	...[
		'connector',
		'identityKey',
		'userKnown',
		'outcome',
		'state',
		'changed',
		'cause',
		'statusCode',
	],
	...['message', 'user', 'sessions', 'ended', 'survives', 'verification', 'steps'],
	...['missingPermissions', 'vendorRequestId', 'attempts', 'startedAt', 'finishedAt', 'durationMs'],
];

/** Posts an alert about these accounts and gives the execution, which must have come through. */
async function alert(accounts: readonly AccountEntity[], form?: EntitiesForm): Promise<Execution> {
	const execution = await runPosted(n8n, template, alertAbout(accounts, form));
	if (execution.status !== 'success') throw new Error(complaint(execution));
	return execution;
}

const success = (execution: Execution) => output(execution, TEMPLATE.revoke, 0);
const failure = (execution: Execution) => output(execution, TEMPLATE.revoke, 1);
const sessionsOf = async (login: string) => (await simulator.user(login)).sessions.length;

/** The template with another webhook path, so that it can stand beside the published one. */
function templateAt(path: string): WorkflowFile {
	return withNode(readTemplate(TEMPLATE.file), TEMPLATE.webhook, (node) => ({
		...node,
		webhookId: path,
		parameters: { ...node.parameters, path },
	}));
}

beforeEach(async () => {
	await simulator.reset();
});

describe('a user who is signed in', () => {
	test('is signed out, by the Success output', async () => {
		expect(await sessionsOf(SIGNED_IN)).toBeGreaterThan(0);
		const execution = await alert([accountOf(SIGNED_IN)]);

		expect(await sessionsOf(SIGNED_IN)).toBe(0);
		expect(failure(execution)).toEqual([]);
		expect(success(execution)).toHaveLength(1);
		expect(success(execution)[0]?.json).toMatchObject({
			user: SIGNED_IN,
			status: 'completed',
			coverage: 'all',
			state: 'revoked',
			source: 'Microsoft Sentinel',
			incidentId: alertAbout([]).SystemAlertId,
			reason: alertAbout([]).AlertDisplayName,
			targetsUsed: ['okta'],
			results: [{ connector: 'okta', outcome: 'revoked', statusCode: 204, ended: ['sessions'] }],
		});
		expect((await simulator.traffic()).violations).toEqual([]);
	});

	test('is the only one who is signed out', async () => {
		const before = await sessionsOf(ALSO_SIGNED_IN);
		await alert([accountOf(SIGNED_IN)]);
		expect(await sessionsOf(ALSO_SIGNED_IN)).toBe(before);
	});

	test('gives a result with every fixed field', async () => {
		const [item] = success(await alert([accountOf(SIGNED_IN)]));
		expect(Object.keys(item?.json ?? {})).toEqual(expect.arrayContaining(RESULT_FIELDS));
		const [target] = (item?.json as { results: object[] }).results;
		expect(Object.keys(target ?? {})).toEqual(expect.arrayContaining(TARGET_FIELDS));
	});

	test('makes a notification that says what did not end', async () => {
		const execution = await alert([accountOf(SIGNED_IN)]);
		const [notification] = output(execution, TEMPLATE.success);
		expect(notification?.json).toMatchObject({ needsPerson: false });
		expect(notification?.json.notification).toContain(`Sessions ended: ${SIGNED_IN}`);
		expect(notification?.json.notification).toContain('not ended: app sessions');
		expect(nodeRun(execution, TEMPLATE.failure)).toBeUndefined();
	});
});

describe('somebody who needs a person', () => {
	test('a user whom Okta does not know leaves by Failure', async () => {
		const execution = await alert([accountOf(UNKNOWN)]);
		expect(success(execution)).toEqual([]);
		expect(failure(execution)[0]?.json).toMatchObject({
			user: UNKNOWN,
			status: 'failed',
			coverage: 'none',
			results: [{ connector: 'okta', outcome: 'user_not_found' }],
		});
		const [notification] = output(execution, TEMPLATE.failure);
		expect(notification?.json).toMatchObject({ needsPerson: true });
		expect(notification?.json.notification).toContain(`NOT CONTAINED: ${UNKNOWN}`);
	});

	test.each<[string, readonly AccountEntity[]]>([
		['an account without a UPN suffix', [{ Name: 'jane', NTDomain: 'CORP' }]],
		['no account at all', []],
	])('an alert with %s leaves by Failure, and Okta is not asked', async (_, accounts) => {
		const execution = await alert(accounts);
		expect(success(execution)).toEqual([]);
		expect(failure(execution)[0]?.json).toMatchObject({
			status: 'failed',
			cause: 'invalid_input',
			results: [],
		});
		expect((await simulator.traffic()).requests).toEqual([]);
		expect(output(execution, TEMPLATE.failure)[0]?.json.notification).toContain('NOT CONTAINED');
	});

	test('entities that are no JSON leave by Failure', async () => {
		const execution = await runPosted(n8n, template, {
			...alertAbout([]),
			Entities: '[{"Type":"acc',
		});
		expect(execution.status).toBe('success');
		expect(failure(execution)[0]?.json).toMatchObject({ cause: 'invalid_input' });
	});
});

test('each account of an alert is worked on its own, and keeps its item', async () => {
	const execution = await alert([accountOf(SIGNED_IN), accountOf(UNKNOWN)], 'list');
	expect(success(execution).map(({ json }) => json.user)).toEqual([SIGNED_IN]);
	expect(failure(execution).map(({ json }) => json.user)).toEqual([UNKNOWN]);
	expect(success(execution)[0]?.pairedItem).toMatchObject({ item: 0 });
	expect(failure(execution)[0]?.pairedItem).toMatchObject({ item: 1 });
});

describe('the webhook is closed', () => {
	test.each([
		['without the key', {}],
		['with a wrong key', { [template.keyHeader]: 'not-the-key' }],
	])('%s nothing starts', async (_, headers: Record<string, string>) => {
		const executions = await n8n.client.executionCount(template.id);
		const response = await post(template, alertAbout([accountOf(SIGNED_IN)]), headers);
		expect(response.status).toBe(403);
		expect(await n8n.client.executionCount(template.id)).toBe(executions);
		expect((await simulator.traffic()).requests).toEqual([]);
	});

	test('the template cannot be published before its credential is chosen', async () => {
		// Under a path of its own: two workflows cannot have the same one.
		const saved = await n8n.client.createWorkflow(templateAt('never'));
		await expect(n8n.client.publish(saved, `${n8n.url}/webhook/never`)).rejects.toThrow(
			/Missing required credential: httpHeaderAuth/,
		);
	});
});

describe('secrets', () => {
	test('the API token is nowhere in what n8n stores or logs', async () => {
		const apiToken = String(stage.oktaData.apiToken);
		const { id } = await alert([accountOf(SIGNED_IN), accountOf(UNKNOWN)]);
		expect(await n8n.client.storedExecution(id)).not.toContain(apiToken);
		expect(readFileSync(n8n.logFile, 'utf8')).not.toContain(apiToken);
	});

	test('nor is a token that Okta refuses', async () => {
		const planted = '00planted-token-that-okta-refuses';
		const wrong = await n8n.client.createCredential('Okta (wrong token)', 'oktaSessionsApi', {
			...stage.oktaData,
			apiToken: planted,
		});
		const path = 'wrong-token';
		const closed = withCredential(templateAt(path), TEMPLATE.webhook, stage.webhookKey);
		const saved = await n8n.client.createWorkflow(withCredential(closed, TEMPLATE.revoke, wrong));
		const webhookUrl = `${n8n.url}/webhook/${path}`;
		await n8n.client.publish(saved, webhookUrl);

		const broken = { ...template, ...saved, webhookUrl };
		const execution = await runPosted(n8n, broken, alertAbout([accountOf(SIGNED_IN)]));
		expect(failure(execution)[0]?.json).toMatchObject({
			coverage: 'none',
			results: [{ outcome: 'failed', cause: 'credential_invalid' }],
		});
		expect(await n8n.client.storedExecution(execution.id)).not.toContain(planted);
		expect(readFileSync(n8n.logFile, 'utf8')).not.toContain(planted);
		expect(await sessionsOf(SIGNED_IN)).toBeGreaterThan(0);
	});
});
