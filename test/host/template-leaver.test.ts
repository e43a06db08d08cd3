/** The template Leaver in a real n8n: disabled by n8n's own node, then signed out everywhere. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createEntra, type Entra } from '../simulator/entra';
import { seedEntraDemo } from '../simulator/entra-demo';
import { DEMO_OKTA_API_TOKEN } from '../simulator/okta-demo';
import type { Simulator } from '../simulator/simulator';
import { post, WRONG_KEYS } from './calls';
import type { Credential } from './client';
import { complaint, type Execution, nodeRun, output } from './execution';
import { onStage } from './on-stage';
import { startOwn } from './own-vendor';
import { lookAt } from './picture';
import { filledIn, publishWorkflow, withParameters } from './templates';
import { type WorkflowFile, withNode } from './workflow';

const { n8n, okta, simulator: oktaSimulator, webhookKey } = onStage();

const FILE = 'leaver.json';
const NORA = 'nora.lindqvist@example.com';
const OUT = 'Notify: Leaver Is Out';
const PERSON = 'Notify: Needs a Person';
/** The app that n8n's own node acts by, and its token as n8n has it after a person has connected it. */
const DISABLER = '5b1d6a0c-9f3e-4c27-8a41-d2e07b95f613';
const DISABLER_TOKEN = 'simulated-token-that-disables-nobody-real';
const MAY_DISABLE = ['User.EnableDisableAccount.All', 'User.Read.All'];

const entra: Entra = createEntra({
	seed: (directory) => {
		seedEntraDemo(directory);
		directory.addApp({ clientId: DISABLER, roles: MAY_DISABLE });
		directory.addAccessToken({ clientId: DISABLER, token: DISABLER_TOKEN });
	},
});
let simulator: Simulator;
let credentials: Record<'entra' | 'disabler', Credential>;
let published: Awaited<ReturnType<typeof publishWorkflow>>;

/** n8n's own credential of Entra. Its form offers Microsoft's clouds alone; n8n takes any address. */
const disablerData = () => ({
	clientId: DISABLER,
	clientSecret: 'not needed while the token lives',
	graphApiBaseUrl: simulator.url,
	oauthTokenData: { token_type: 'Bearer', access_token: DISABLER_TOKEN },
});

function choices(): Record<string, readonly Credential[]> {
	const systems = [credentials.entra, okta];
	return {
		'Leaver from HR': [webhookKey],
		'Look First': systems,
		'Disable in Entra': [credentials.disabler],
		'Revoke Everywhere': systems,
	};
}

const chosen = (): WorkflowFile => filledIn(FILE, choices());

async function leave(body: unknown, { id, url } = published): Promise<Execution> {
	const execution = await n8n.client.executionAfter(id, async () => {
		expect((await post(url, body)).status).toBe(200);
	});
	if (execution.status !== 'success') throw new Error(complaint(execution));
	return execution;
}

const notification = (execution: Execution, node: string) => output(execution, node)[0]?.json;
const isEnabled = (user: string) => entra.getUser(user)?.accountEnabled;
const changes = () =>
	simulator.requests.filter(
		({ route }) => !['getUser', 'listUsers', 'token'].includes(route ?? ''),
	);

beforeAll(async () => {
	const own = await startOwn('entra', entra);
	({ simulator } = own);
	credentials = {
		entra: own.credential,
		disabler: await n8n.client.createCredential(
			'Entra (disables accounts)',
			'microsoftEntraOAuth2Api',
			disablerData(),
		),
	};
	published = await publishWorkflow(n8n.client, chosen(), 'webhook/leaver');
});

afterAll(async () => {
	await simulator.close();
});

beforeEach(async () => {
	entra.reset();
	simulator.forget();
	simulator.faults.clear();
	await oktaSimulator.reset();
});

describe('a leaver', () => {
	test('is disabled first, and then signed out everywhere', async () => {
		const execution = await leave({ user: NORA, caseId: 'HR-42' });

		expect(isEnabled(NORA)).toBe(false);
		expect(entra.sessionsOf(NORA)).toEqual([]);
		expect((await oktaSimulator.user(NORA)).sessions).toEqual([]);
		expect(changes().map(({ route }) => route)).toEqual(['updateUser', 'revokeSignInSessions']);
		expect(simulator.violations).toEqual([]);
		expect(output(execution, 'Revoke Everywhere')[0]?.json).toMatchObject({
			user: NORA,
			coverage: 'all',
			reason: 'Leaver',
			incidentId: 'HR-42',
		});
		expect(notification(execution, OUT)).toMatchObject({ needsPerson: false });
		expect(notification(execution, OUT)?.notification).toContain('Leaver is out');
		expect(nodeRun(execution, PERSON)).toBeUndefined();
	});

	test('is the only one', async () => {
		const others = () =>
			entra.allUsers().filter(({ userPrincipalName }) => userPrincipalName !== NORA);
		const before = others();
		await leave({ user: NORA });
		expect(others()).toEqual(before);
	});

	test('is signed out although the account cannot be disabled, and that is said loudly', async () => {
		simulator.faults.next({
			match: { route: 'updateUser' },
			fault: { kind: 'status', status: 403 },
			times: 99,
		});
		const execution = await leave({ user: NORA });

		expect(isEnabled(NORA)).toBe(true);
		expect(entra.sessionsOf(NORA)).toEqual([]);
		expect((await oktaSimulator.user(NORA)).sessions).toEqual([]);
		expect(notification(execution, PERSON)).toMatchObject({ needsPerson: true });
		const text = notification(execution, PERSON)?.notification;
		expect(text).toMatch(/^NOT DISABLED; the sessions were ended\n/);
		expect(text).toContain('Microsoft Entra did not disable the account: ');
		expect(nodeRun(execution, OUT)).toBeUndefined();
	});
});

test('with Okta instead of Entra, a leaver is suspended as the page says', async () => {
	const oktaApi = await n8n.client.createCredential('Okta of n8n', 'oktaApi', {
		url: oktaSimulator.url,
		accessToken: DEMO_OKTA_API_TOKEN,
	});
	const path = 'leaver-okta';
	const suspends = withNode(
		withParameters(chosen(), 'Leaver from HR', { path }),
		'Disable in Entra',
		(node) => ({
			...node,
			type: 'n8n-nodes-base.httpRequest',
			typeVersion: 4.2,
			credentials: { oktaApi: { id: oktaApi.id, name: oktaApi.name } },
			parameters: {
				method: 'POST',
				url: `=${oktaSimulator.url}/api/v1/users/{{ $json.accountId }}/lifecycle/suspend`,
				authentication: 'predefinedCredentialType',
				nodeCredentialType: 'oktaApi',
				options: {},
			},
		}),
	);
	const looksInOkta = JSON.stringify(suspends).replace(
		"connector === 'entra'",
		"connector === 'okta'",
	);
	const workflow = JSON.parse(looksInOkta) as WorkflowFile;
	const execution = await leave(
		{ user: NORA },
		await publishWorkflow(n8n.client, workflow, `webhook/${path}`),
	);

	const { status, sessions } = await oktaSimulator.user(NORA);
	expect({ status, sessions }).toEqual({ status: 'SUSPENDED', sessions: [] });
	expect(notification(execution, OUT)?.notification).toContain('Leaver is out');
	expect((await oktaSimulator.traffic()).violations).toEqual([]);
});

describe('somebody who is not clear', () => {
	const FRONT_DESK = 'frontdesk@example.com';

	test.each([
		['an address of two accounts', { user: FRONT_DESK }],
		['nobody', {}],
		['a list', { user: [NORA] }],
	])('%s disables nobody, and a person is asked', async (_, body) => {
		const before = JSON.stringify(entra);
		const execution = await leave(body);

		expect(JSON.stringify(entra)).toBe(before);
		expect(changes()).toEqual([]);
		expect(notification(execution, PERSON)?.notification).toMatch(
			/^NOT DISABLED; NO SESSION WAS ENDED\nNobody was disabled\. \w/,
		);
	});

	test('a protected user is neither disabled nor signed out', async () => {
		const guardrails = { protectedUsers: NORA };
		const guarded = ['Look First', 'Revoke Everywhere'].reduce(
			(workflow, node) => withParameters(workflow, node, { guardrails }),
			withParameters(chosen(), 'Leaver from HR', { path: 'leaver-guarded' }),
		);
		const before = JSON.stringify(entra);
		const execution = await leave(
			{ user: NORA },
			await publishWorkflow(n8n.client, guarded, 'webhook/leaver-guarded'),
		);

		expect(JSON.stringify(entra)).toBe(before);
		expect(notification(execution, PERSON)?.notification).toContain('protected');
	});

	test('whom only another system knows is signed out there', async () => {
		const login = 'factory/line-2@example.com';
		const execution = await leave({ user: login });

		expect((await oktaSimulator.user(login)).sessions).toEqual([]);
		expect(notification(execution, PERSON)?.notification).toMatch(
			/^NOT DISABLED; the sessions were ended\n/,
		);
	});
});

describe('the entry is closed', () => {
	test.each(WRONG_KEYS)('%s nothing starts', async (_, headers) => {
		const executions = await n8n.client.executionCount(published.id);
		expect((await post(published.url, { user: NORA }, headers)).status).toBe(403);
		expect(await n8n.client.executionCount(published.id)).toBe(executions);
		expect(simulator.requests).toEqual([]);
	});

	test.each(['Leaver from HR', 'Disable in Entra'])(
		'it cannot be published before the credential of %s is chosen',
		async (node) => {
			const { [node]: _left, ...chosenOthers } = choices();
			const path = 'leaver-open';
			const open = withParameters(filledIn(FILE, chosenOthers), 'Leaver from HR', { path });
			await expect(publishWorkflow(n8n.client, open, `webhook/${path}`)).rejects.toThrow(
				/Missing required credential/,
			);
		},
	);
});

test('looks as its page shows it', async () => {
	expect(await lookAt(n8n, published.id, 'leaver')).toBe(0);
}, 120_000);
