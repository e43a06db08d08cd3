/** The responder form in a real n8n and a real browser: look first, confirm, end. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { statSync } from 'node:fs';
import { Editor } from './browser';
import { complaint, output, type Execution } from './execution';
import { FormPages } from './form';
import { onStage } from './on-stage';
import {
	filledIn,
	publishWorkflow,
	takePicture,
	signedIn,
	withFormPath,
	withParameters,
	type PublishedTemplate,
} from './templates';
import { formOptions, readTemplate, withFormOptions, type WorkflowFile } from './workflow';

const { n8n, okta, simulator, systems } = onStage();

const FILE = 'responder-form.json';
const FORM = 'Responder Form';
const REVOKE = 'Revoke Everywhere';
const CONFIRM = 'Confirm';
const SIGNED_IN = 'nora.lindqvist@example.com';
const PROTECTED = 'tomas.okafor@example.com';
/** n8n looks once a minute whose time to wait is over. */
const TIMEOUT_MS = 240_000;

const member = {
	email: `analyst-${String(process.pid)}@demo.example`,
	password: 'Demo1-analyst-without-rights',
};
interface Result {
	connector: string;
	message: string;
}

const sessionsOf = async (login: string) => (await simulator.user(login)).sessions.length;

/** What was sent to the vendor that is no look-up. */
const revocations = async () =>
	(await simulator.traffic()).requests.filter(({ method }) => method !== 'GET');

/** The results of the passes through Revoke Everywhere: the dry run first. */
const passes = (execution: Execution) =>
	(execution.data.resultData.runData[REVOKE] ?? []).map(
		({ data }) => data?.main?.flat().map((item) => item?.json) ?? [],
	);

async function publish(path: string, credentials = [okta], change = (one: WorkflowFile) => one) {
	const guarded = withParameters(filledIn(FILE, { [REVOKE]: credentials }), REVOKE, {
		guardrails: { protectedUsers: PROTECTED, maxUsersPerRun: 1 },
	});
	const template = withFormPath(guarded, FORM, path);
	return await publishWorkflow(n8n.client, change(template), `form/${path}`);
}

let editor: Editor;
let form: FormPages;
let template: PublishedTemplate;

beforeAll(async () => {
	template = await publish('responder');
	editor = await Editor.open(n8n.url, n8n.owner);
	form = new FormPages(editor.page);
}, 120_000);

afterAll(async () => {
	await editor.close();
});

beforeEach(async () => {
	for (const system of systems) await system.simulator.reset();
});

/** Fills in the first page and waits for the next, which has this title. */
async function ask(account: string, nextTitle: string, where = ['Okta'], url = template.url) {
	await form.open(url);
	await form.fill('User', account);
	for (const one of where) await form.tick(one);
	await form.fill('Reason', 'Impossible travel');
	await form.submit(nextTitle);
}

/** The execution that a visit to the form makes. */
async function visit(steps: () => Promise<void>): Promise<Execution> {
	const execution = await n8n.client.executionAfter(template.id, steps);
	if (execution.status !== 'success') throw new Error(complaint(execution));
	return execution;
}

test('shows who was found and what would end, and ends it only when that is confirmed', async () => {
	let page = '';
	const execution = await visit(async () => {
		await ask(SIGNED_IN, 'This would end');
		page = await form.text();
		expect(await sessionsOf(SIGNED_IN)).toBeGreaterThan(0);
		expect(await revocations()).toEqual([]);
		await form.tick('Revoke now');
		await form.submit('Sessions ended');
	});

	expect(page).toContain('okta: planned');
	expect(page).toContain(`found: Nora Lindqvist, ${SIGNED_IN}, ACTIVE`);
	expect(page).toContain('would end: sessions');
	expect(await sessionsOf(SIGNED_IN)).toBe(0);
	const shown = await form.text();
	expect(shown).toContain('ended: sessions');
	expect(shown).toContain('not ended: app sessions');
	const [dryRun, real] = passes(execution);
	expect(dryRun).toMatchObject([{ dryRun: true, results: [{ outcome: 'planned' }] }]);
	expect(real).toMatchObject([
		{
			user: SIGNED_IN,
			dryRun: false,
			coverage: 'all',
			reason: 'Impossible travel',
			source: `Responder form, ${n8n.owner.email}`,
		},
	]);
});

test('what failed is told beside what ended', async () => {
	await visit(async () => {
		await ask(SIGNED_IN, 'This would end', ['Okta', 'Slack']);
		expect(await form.text()).toContain('slack_enterprise: failed, configuration');
		await form.tick('Revoke now');
		await form.submit('Contained in part only');
	});
	expect(await form.text()).toContain('Needs another attempt: slack_enterprise');
	expect(await sessionsOf(SIGNED_IN)).toBe(0);
});

test('"All of these" ends the sessions in every system that is left in the form', async () => {
	const titles = systems.map(({ title }) => title);
	const everywhere = await publish(
		'responder-everywhere',
		systems.map(({ credential }) => credential),
		(one) => withFormOptions(one, FORM, 'systems', ['All of these', ...titles]),
	);
	const keys = systems.map(({ key }) => key);
	expect(await signedIn(systems, SIGNED_IN)).toEqual(keys);
	const execution = await n8n.client.executionAfter(everywhere.id, async () => {
		await ask(SIGNED_IN, 'This would end', ['All of these'], everywhere.url);
		const page = await form.text();
		for (const key of keys) expect(page).toContain(`${key}: planned`);
		await form.tick('Revoke now');
		await form.submit('Sessions ended');
	});
	expect(await signedIn(systems, SIGNED_IN)).toEqual([]);
	const [, real] = passes(execution);
	expect(real).toMatchObject([{ coverage: 'all', retryTargets: [] }]);
	expect((real?.[0]?.targetsUsed as string[]).toSorted()).toEqual(keys.toSorted());
});

test('every system of the form has the key that the node knows it by', async () => {
	const offered = formOptions(readTemplate(FILE), FORM, 'systems').slice(1);
	const execution = await visit(async () => {
		await ask(SIGNED_IN, 'This would end', offered);
		await form.tick('Do nothing');
		await form.submit('Nothing was ended');
	});
	const results = passes(execution)[0]?.flatMap((item) => item?.results as Result[]) ?? [];
	expect(new Set(results.map(({ connector }) => connector)).size).toBe(offered.length);
	for (const { connector, message } of results) {
		if (connector !== 'okta') expect(message).toMatch(/^No credential of the type '/);
	}
});

describe('nothing is ended', () => {
	test.each([
		['a user whom nobody knows', 'nobody.at.all@example.com', 'user_not_found'],
		['a protected user', PROTECTED, 'refused, protected_user'],
		['an address that two people have', 'frontdesk@example.com', 'ambiguous_user'],
	])('and nobody is asked about %s', async (_, account, outcome) => {
		const execution = await visit(async () => {
			await ask(account, 'Nothing was ended');
		});
		expect(await form.text()).toContain(`okta: ${outcome}`);
		expect(passes(execution)).toHaveLength(1);
		expect(await revocations()).toEqual([]);
	});

	test('when the analyst says so', async () => {
		const execution = await visit(async () => {
			await ask(SIGNED_IN, 'This would end');
			await form.tick('Do nothing');
			await form.submit('Nothing was ended');
		});
		expect(passes(execution)).toHaveLength(1);
		expect(await revocations()).toEqual([]);
	});

	test(
		'when nobody confirms in time',
		async () => {
			const impatient = await publish('responder-impatient', [okta], (one) => {
				const soon = { resumeAmount: 1, resumeUnit: 'seconds' };
				const ending = withParameters(one, 'Nothing Was Done', soon);
				return withParameters(ending, CONFIRM, soon);
			});
			const steps = async () => {
				await ask(SIGNED_IN, 'This would end', ['Okta'], impatient.url);
				// An open page would show the ending, and so end the execution.
				await form.page.goto('about:blank');
			};
			const execution = await n8n.client.executionAfter(impatient.id, steps, TIMEOUT_MS);
			expect(execution.status).toBe('success');
			expect(output(execution, 'Confirmed?', 0)).toEqual([]);
			expect(output(execution, 'Confirmed?', 1)).toHaveLength(1);
			expect(passes(execution)).toHaveLength(1);
			expect(await revocations()).toEqual([]);
		},
		2 * TIMEOUT_MS,
	);
});

test('what the analyst typed is text on the pages, never markup', async () => {
	const account = `<img src="https://example.com/x">$&{{ 1 + 1 }}@example.com`;
	await visit(async () => {
		await ask(account, 'Nothing was ended');
	});
	expect(await form.text()).toContain(account);
	expect(await form.page.locator('img').count()).toBe(0);
});

describe('the form is closed', () => {
	const body = () => {
		const data = new FormData();
		data.set('field-0', SIGNED_IN);
		data.set('field-1', '["Okta"]');
		data.set('field-2', 'None of your business');
		return data;
	};

	test('without a login it leads to the sign-in, and what is posted starts nothing', async () => {
		const executions = await n8n.client.executionCount(template.id);
		const got = await fetch(template.url, { redirect: 'manual' });
		expect(got.status).toBe(302);
		const posted = await fetch(template.url, { method: 'POST', body: body() });
		expect(posted.status).toBe(401);
		expect(await n8n.client.executionCount(template.id)).toBe(executions);
		expect((await simulator.traffic()).requests).toEqual([]);
	});

	test('whoever may not execute the workflow is refused', async () => {
		await n8n.client.addMember(member);
		const theirs = await Editor.open(n8n.url, member);
		try {
			await theirs.page.goto(template.url);
			await theirs.page.waitForLoadState('networkidle');
			expect(await theirs.page.locator('#n8n-form').count()).toBe(0);
		} finally {
			await theirs.close();
		}
		expect((await simulator.traffic()).requests).toEqual([]);
	});

	test('the address of a waiting page is no way around the login', async () => {
		await visit(async () => {
			await ask(SIGNED_IN, 'This would end');
			const url = form.page.url();
			expect((await fetch(url, { redirect: 'manual' })).status).toBe(302);
			const data = new FormData();
			data.set('field-0', '["Revoke now"]');
			expect((await fetch(url, { method: 'POST', body: data })).status).toBe(401);
			expect(await sessionsOf(SIGNED_IN)).toBeGreaterThan(0);
			await form.tick('Do nothing');
			await form.submit('Nothing was ended');
		});
		expect(await revocations()).toEqual([]);
	});
});

test('its picture shows the whole canvas', async () => {
	expect(statSync(await takePicture(editor, template.id, 'responder-form')).size).toBeGreaterThan(
		10_000,
	);
});
