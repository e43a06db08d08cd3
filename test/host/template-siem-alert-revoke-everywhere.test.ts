/** The SIEM alert template in a real n8n: from the webhook, past an approval, to each notification. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync, statSync } from 'node:fs';
import { Editor } from './browser';
import type { Credential } from './client';
import { complaint, nodeRun, output, type Execution } from './execution';
import { FormPages } from './form';
import { onStage } from './on-stage';
import { accountOf, alertAbout, type AccountEntity, type EntitiesForm } from './sentinel';
import { post, runPosted } from './stage';
import { takePicture, withParameters } from './templates';
import { readTemplate, TEMPLATE, withCredential, withNode, type WorkflowFile } from './workflow';

const stage = onStage();
const { n8n, simulator, template, approver } = stage;

const SIGNED_IN = 'nora.lindqvist@example.com';
const ALSO_SIGNED_IN = 'tomas.okafor@example.com';
/** n8n looks once a minute whose time to wait is over. */
const TIMEOUT_MS = 240_000;
const UNKNOWN = 'nobody.at.all@example.com';

/** What the item of one user always has. */
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

/** What the result of one target always has. */
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

/** A copy of the template at a path of its own, published with these credentials. */
async function publishAt(path: string, okta: Credential, change = (one: WorkflowFile) => one) {
	const chosen = [
		[TEMPLATE.webhook, stage.webhookKey],
		[TEMPLATE.approval, approver.credential],
		[TEMPLATE.revoke, okta],
	] as const;
	const workflow = chosen.reduce(
		(one, [node, credential]) => withCredential(one, node, credential),
		change(templateAt(path)),
	);
	const saved = await n8n.client.createWorkflow(workflow);
	const webhookUrl = `${n8n.url}/webhook/${path}`;
	await n8n.client.publish(saved, webhookUrl);
	return { ...template, ...saved, webhookUrl };
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
			source: 'sentinel',
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
		expect(notification?.json).toMatchObject({ needsPerson: false, retryTargets: [] });
		expect(notification?.json.notification).toMatch(/^Sessions ended\n/);
		expect(notification?.json.notification).toContain(SIGNED_IN);
		expect(notification?.json.notification).toContain('not ended: app sessions');
		for (const other of [TEMPLATE.failure, TEMPLATE.ask, TEMPLATE.unidentified]) {
			expect(nodeRun(execution, other)).toBeUndefined();
		}
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
		expect(notification?.json.notification).toMatch(/^NOT CONTAINED\n/);
		expect(notification?.json.notification).toContain(UNKNOWN);
	});

	test('a system that fails is named for another attempt', async () => {
		await simulator.meet({ match: { method: 'DELETE' }, fault: { kind: 'status', status: 403 } });
		const execution = await alert([accountOf(SIGNED_IN)]);
		const [notification] = output(execution, TEMPLATE.failure);
		expect(notification?.json).toMatchObject({ needsPerson: true, retryTargets: ['okta'] });
		expect(notification?.json.notification).toContain('Still to revoke: okta');
	});

	test.each<[string, object]>([
		['an account without a UPN suffix', alertAbout([{ Name: 'jane', NTDomain: 'CORP' }])],
		['no account at all', alertAbout([])],
		['entities that are no JSON', { ...alertAbout([]), Entities: '[{"Type":"acc' }],
		['a shape that nobody knows', { user: SIGNED_IN }],
	])('an alert with %s is shown to a person, and Okta is not asked', async (_, body) => {
		const execution = await runPosted(n8n, template, body);
		expect(execution.status).toBe('success');
		expect(output(execution, TEMPLATE.identities, 0)).toEqual([]);
		const [notification] = output(execution, TEMPLATE.unidentified);
		expect(notification?.json).toMatchObject({ needsPerson: true });
		expect(notification?.json.notification).toMatch(/^WHO IS MEANT\? Nobody was signed out\n/);
		expect(nodeRun(execution, TEMPLATE.revoke)).toBeUndefined();
		expect((await simulator.traffic()).requests).toEqual([]);
	});

	test('what an alert says makes no link and no mention in a notification', async () => {
		const body = {
			...alertAbout([{ Name: 'jane', NTDomain: '<!channel>' }]),
			AlertDisplayName: '@everyone <https://example.com|click> `x`',
		};
		const execution = await runPosted(n8n, template, body);
		const text = String(output(execution, TEMPLATE.unidentified)[0]?.json.notification);
		expect(text).toContain('jane');
		expect(text).not.toMatch(/[<>`|]|@everyone|:\/\//);
	});
});

describe('an alert that is not severe', () => {
	const low = (login: string) => ({ ...alertAbout([accountOf(login)]), Severity: 'Low' });
	let editor: Editor;
	let form: FormPages;

	beforeAll(async () => {
		editor = await Editor.open(n8n.url, n8n.owner);
		form = new FormPages(editor.page);
		await form.signInAs(approver.user, approver.password);
	}, 120_000);

	afterAll(async () => {
		await editor.close();
	});

	/** Posts an alert and waits until it asks; gives the address that the notification names. */
	async function ask(body: unknown, workflow = template): Promise<string> {
		expect((await post(workflow, body)).status).toBe(200);
		const waiting = await n8n.client.waitingExecution(workflow.id);
		const text = String(output(waiting, TEMPLATE.ask)[0]?.json.notification);
		expect(text).toMatch(/^APPROVAL WANTED: end the sessions of\n/);
		return /\S+form-waiting\S+/.exec(text)?.[0] ?? '';
	}

	/** Opens the form, by now with the login of those who may approve, and decides. */
	async function decide(address: string, decision: string): Promise<void> {
		await form.open(address);
		await form.choose('Decision', decision);
		await form.fill('Your Name', 'Kim');
		await form.submit('Form Submitted');
	}

	test('waits for an approval, then ends the sessions', async () => {
		const execution = await n8n.client.executionAfter(template.id, async () => {
			const address = await ask(low(SIGNED_IN));
			expect((await simulator.traffic()).requests).toEqual([]);
			await decide(address, 'Revoke');
		});
		expect(await sessionsOf(SIGNED_IN)).toBe(0);
		expect(success(execution)[0]?.json).toMatchObject({
			user: SIGNED_IN,
			source: 'sentinel, approved by Kim',
			incidentId: alertAbout([]).SystemAlertId,
		});
	});

	test('ends nothing when it is rejected', async () => {
		const execution = await n8n.client.executionAfter(template.id, async () => {
			await decide(await ask(low(SIGNED_IN)), 'Do nothing');
		});
		expect(nodeRun(execution, TEMPLATE.revoke)).toBeUndefined();
		const [notification] = output(execution, TEMPLATE.notApproved);
		expect(notification?.json).toMatchObject({ needsPerson: false });
		expect(notification?.json.notification).toContain(`Rejected by Kim`);
		expect((await simulator.traffic()).requests).toEqual([]);
	});

	test('holds nobody else up: what is severe in the same delivery is done at once', async () => {
		const execution = await n8n.client.executionAfter(template.id, async () => {
			const both = [low(SIGNED_IN), alertAbout([accountOf(ALSO_SIGNED_IN)]), alertAbout([])];
			const address = await ask(both);
			expect(await sessionsOf(ALSO_SIGNED_IN)).toBe(0);
			expect(await sessionsOf(SIGNED_IN)).toBeGreaterThan(0);
			const waiting = await n8n.client.waitingExecution(template.id);
			expect(output(waiting, TEMPLATE.success)).toHaveLength(1);
			expect(output(waiting, TEMPLATE.unidentified)).toHaveLength(1);
			await decide(address, 'Revoke');
		});
		expect(await sessionsOf(SIGNED_IN)).toBe(0);
		expect(execution.status).toBe('success');
	});

	test('cannot be approved without the login of those who may', async () => {
		const execution = await n8n.client.executionAfter(template.id, async () => {
			const address = await ask(low(SIGNED_IN));
			const wrong = `Basic ${btoa(`${approver.user}:not-the-password`)}`;
			for (const headers of [{}, { authorization: wrong }]) {
				const body = new FormData();
				body.set('field-0', 'Revoke');
				body.set('field-1', 'Nobody');
				expect((await fetch(address, { headers })).status).toBe(401);
				expect((await fetch(address, { method: 'POST', headers, body })).status).toBe(401);
			}
			await decide(address, 'Do nothing');
		});
		expect(nodeRun(execution, TEMPLATE.revoke)).toBeUndefined();
		expect((await simulator.traffic()).requests).toEqual([]);
	});

	test(
		'ends nothing when nobody answers in time, and says so',
		async () => {
			const soon = { resumeAmount: 1, resumeUnit: 'seconds' };
			const impatient = await publishAt('impatient', stage.okta, (one) =>
				withParameters(one, TEMPLATE.approval, soon),
			);
			const execution = await n8n.client.executionAfter(
				impatient.id,
				async () => {
					expect((await post(impatient, low(SIGNED_IN))).status).toBe(200);
				},
				TIMEOUT_MS,
			);
			expect(nodeRun(execution, TEMPLATE.revoke)).toBeUndefined();
			const [notification] = output(execution, TEMPLATE.notApproved);
			expect(notification?.json).toMatchObject({ needsPerson: true });
			expect(notification?.json.notification).toMatch(/^NOT APPROVED in time/);
			expect((await simulator.traffic()).requests).toEqual([]);
		},
		2 * TIMEOUT_MS,
	);

	test('its picture shows the whole canvas', async () => {
		const picture = await takePicture(editor, template.id, 'siem-alert-revoke-everywhere');
		expect(statSync(picture).size).toBeGreaterThan(10_000);
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
		const broken = await publishAt('wrong-token', wrong);
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
