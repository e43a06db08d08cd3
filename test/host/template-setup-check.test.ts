/** The template of the scheduled set-up check in a real n8n: it tells what is new, and only that. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Simulator } from '../simulator/simulator';
import { createSlack } from '../simulator/slack';
import { DEMO_SLACK_USER_TOKEN, seedSlackDemo } from '../simulator/slack-demo';
import type { SavedWorkflow } from './client';
import { complaint, type Execution, nodeRun, output } from './execution';
import { onStage } from './on-stage';
import { startOwn } from './own-vendor';
import { lookAt } from './picture';
import { filledIn } from './templates';

const { n8n, okta, simulator: oktaSimulator } = onStage();

const READY = 'Notify: Ready';
const NOT_READY = 'Notify: Not Ready';

const slack = createSlack({ seed: seedSlackDemo });
const SCOPES = ['users:read', 'users:read.email', 'admin.users:read', 'admin.users:write'];
let simulator: Simulator;
let saved: SavedWorkflow;

async function start(trigger: string): Promise<Execution> {
	return await n8n.client.executionAfter(saved.id, async () => {
		await n8n.client.run(saved.id, trigger);
	});
}

async function morning(): Promise<Execution> {
	const execution = await start('Every Morning');
	if (execution.status !== 'success') throw new Error(complaint(execution));
	return execution;
}

/** What was told, by which node; null when nobody was. */
function told(execution: Execution): { by: string; text: unknown } | null {
	const by = [READY, NOT_READY].find((node) => nodeRun(execution, node) !== undefined);
	return by === undefined ? null : { by, text: output(execution, by)[0]?.json.notification };
}

/** Installs the app anew with these scopes: the token stays, as at Slack. */
function install(scopes: readonly string[]): void {
	slack.addToken({
		user: 'admin.automation@example.com',
		token: DEMO_SLACK_USER_TOKEN,
		scopes,
	});
}

beforeAll(async () => {
	await oktaSimulator.reset();
	const own = await startOwn('slack_enterprise', slack);
	({ simulator } = own);
	const workflow = filledIn('setup-check.json', { 'Check Setup': [own.credential, okta] });
	saved = await n8n.client.createWorkflow(workflow);
});

afterAll(async () => {
	await simulator.close();
});

test('without the table it stops, and says so', async () => {
	const execution = await start('Every Morning');
	expect(complaint(execution)).toContain('session_revocation_setup');
	expect(nodeRun(execution, READY)).toBeUndefined();
});

test('it tells what changed since the last run, and names what is missing', async () => {
	const sessions = () => slack.allUsers().map(({ id }) => slack.sessionsOf(id));
	const before = sessions();
	expect((await start('Set Up')).status).toBe('success');

	expect(told(await morning())).toEqual({
		by: READY,
		text: expect.stringMatching(/^Session revocation is ready in all 2 systems\n- /),
	});
	expect(told(await morning())).toBeNull();

	install(SCOPES.filter((scope) => scope !== 'admin.users:write'));
	const broken = told(await morning());
	expect(broken?.by).toBe(NOT_READY);
	expect(broken?.text).toContain(
		'NOT READY in 1 of 2 systems\n- slack_enterprise: permission_denied. ',
	);
	expect(broken?.text).toContain('\n  missing: admin.users:write\n- okta: ready');
	expect(told(await morning())).toBeNull();

	slack.revokeToken(DEMO_SLACK_USER_TOKEN);
	const worse = told(await morning());
	expect(worse?.by).toBe(NOT_READY);
	expect(worse?.text).toContain('- slack_enterprise: credential_invalid. ');
	expect(worse?.text).not.toContain(DEMO_SLACK_USER_TOKEN);

	install(SCOPES);
	expect(told(await morning())?.by).toBe(READY);
	expect(told(await morning())).toBeNull();

	expect(sessions()).toEqual(before);
	expect(simulator.violations).toEqual([]);
});

test('looks as its page shows it', async () => {
	expect(await lookAt(n8n, saved.id, 'setup-check')).toBe(0);
}, 120_000);
