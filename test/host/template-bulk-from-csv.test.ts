/** Bulk from CSV in a real n8n and a real browser: upload, a second person, the table. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync, statSync } from 'node:fs';
import { Editor } from './browser';
import { complaint, nodeRun, output, type Execution } from './execution';
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
import type { WorkflowFile } from './workflow';

const { n8n, okta, simulator, systems } = onStage();

const FILE = 'bulk-from-csv.json';
const FORM = 'Upload Form';
const USERS = 'Users in the File';
const APPROVAL = 'Approval';
const REVOKE = 'Revoke Everywhere';
const ROWS = 'Result Rows';
const WANTED = 'Approval wanted';
const NORA = 'nora.lindqvist@example.com';
const TOMAS = 'tomas.okafor@example.com';
const UNKNOWN = 'nobody.at.all@example.com';
const CAP = 4;
/** n8n looks once a minute whose time to wait is over. */
const TIMEOUT_MS = 240_000;

const colleague = {
	email: `second-${String(process.pid)}@demo.example`,
	password: 'Demo1-the-second-person',
};
const sessionsOf = async (login: string) => (await simulator.user(login)).sessions.length;
const requests = async () => (await simulator.traffic()).requests;
const fileOf = (execution: Execution) => output(execution, USERS)[0]?.json;

async function publish(path: string, credentials = [okta], change = (one: WorkflowFile) => one) {
	const capped = withParameters(filledIn(FILE, { [REVOKE]: credentials }), REVOKE, {
		guardrails: { protectedUsers: 'break-glass*', maxUsersPerRun: CAP },
	});
	const template = withFormPath(capped, FORM, path);
	return await publishWorkflow(n8n.client, change(template), `form/${path}`);
}

let editor: Editor;
let second: Editor;
let form: FormPages;
let theirs: FormPages;
let template: PublishedTemplate;

beforeAll(async () => {
	await n8n.client.addMember(colleague);
	template = await publish('bulk');
	editor = await Editor.open(n8n.url, n8n.owner);
	second = await Editor.open(n8n.url, colleague);
	form = new FormPages(editor.page);
	theirs = new FormPages(second.page);
}, 180_000);

afterAll(async () => {
	await editor.close();
	await second.close();
});

beforeEach(async () => {
	for (const system of systems) await system.simulator.reset();
});

/** Uploads a file and waits for the next page, which has this title; gives that page's address. */
async function upload(text: string, nextTitle: string, url = template.url): Promise<string> {
	await form.open(url);
	await form.attach('CSV File', 'users.csv', text);
	await form.fill('Reason', 'Stolen laptops');
	await form.submit(nextTitle);
	return form.page.url();
}

/** The second person opens the page that they were given, and decides. */
async function decide(url: string, decision: string, nextTitle: string): Promise<void> {
	await theirs.open(url);
	await theirs.tick(decision);
	await theirs.submit(nextTitle);
}

/** The execution that a visit to the form makes. */
async function visit(steps: () => Promise<void>): Promise<Execution> {
	const execution = await n8n.client.executionAfter(template.id, steps);
	if (execution.status !== 'success') throw new Error(complaint(execution));
	return execution;
}

test('ends the sessions of all when a second person approves, and hands the table back', async () => {
	let page = '';
	let table = '';
	const execution = await visit(async () => {
		const csv = `Name,User\n"Lindqvist, Nora",${NORA}\nTomas,${TOMAS}\nNobody,${UNKNOWN}\n`;
		const url = await upload(csv, WANTED);
		page = await form.text();
		expect(await requests()).toEqual([]);
		const download = theirs.page.waitForEvent('download');
		await decide(url, 'Approve', '2 contained, 0 in part, 1 not');
		table = readFileSync(await (await download).path(), 'utf8');
	});

	expect(page).toContain(`${n8n.owner.email} asks to end the sessions`);
	for (const user of [NORA, TOMAS, UNKNOWN]) expect(page).toContain(user);
	expect(page).toContain('Reason: Stolen laptops');
	expect(await sessionsOf(NORA)).toBe(0);
	expect(await sessionsOf(TOMAS)).toBe(0);
	const source = `Bulk from CSV, asked by ${n8n.owner.email}, approved by ${colleague.email}`;
	expect(output(execution, ROWS)[0]?.json.rows).toMatchObject([
		{ user: NORA, target: 'okta', outcome: 'revoked', reason: 'Stolen laptops', source },
		{ user: TOMAS, target: 'okta', outcome: 'revoked', source },
		{ user: UNKNOWN, target: 'okta', outcome: 'user_not_found', source },
	]);
	const [header, ...lines] = table.trim().split('\n');
	expect(header).toMatch(/requestId,user,status,target/);
	expect(lines).toHaveLength(3);
});

test('ends them in every system, a row for each', async () => {
	const everywhere = await publish(
		'bulk-everywhere',
		systems.map(({ credential }) => credential),
	);
	const keys = systems.map(({ key }) => key);
	expect(await signedIn(systems, NORA)).toEqual(keys);
	const execution = await n8n.client.executionAfter(everywhere.id, async () => {
		const url = await upload(`email\n${NORA}\n`, WANTED, everywhere.url);
		await decide(url, 'Approve', '1 contained, 0 in part, 0 not');
	});
	expect(await signedIn(systems, NORA)).toEqual([]);
	const rows = output(execution, ROWS)[0]?.json.rows as { target: string }[];
	expect(rows.map(({ target }) => target).toSorted()).toEqual(keys.toSorted());
});

describe('whoever asks', () => {
	test('cannot approve, but somebody else still can', async () => {
		await visit(async () => {
			const url = await upload(`user\n${NORA}\n`, WANTED);
			await form.tick('Approve');
			await form.page.locator('#submit-btn').click();
			await form.page.getByText('Whoever asks cannot approve').waitFor();
			expect(await requests()).toEqual([]);
			await decide(url, 'Approve', '1 contained, 0 in part, 0 not');
		});
		expect(await sessionsOf(NORA)).toBe(0);
	});

	test(
		'and nobody else: it ends by itself, and nothing was done',
		async () => {
			const impatient = await publish('bulk-impatient', [okta], (one) => {
				const soon = { resumeAmount: 1, resumeUnit: 'seconds' };
				return withParameters(withParameters(one, 'Not Approved', soon), APPROVAL, soon);
			});
			const steps = async () => {
				await upload(`user\n${NORA}\n`, WANTED, impatient.url);
				await form.tick('Approve');
				await form.page.locator('#submit-btn').click();
				await form.page.getByText('Whoever asks cannot approve').waitFor();
				// An open page would show the ending, and so end the execution.
				await form.page.goto('about:blank');
			};
			const execution = await n8n.client.executionAfter(impatient.id, steps, TIMEOUT_MS);
			expect(execution.status).toBe('success');
			expect(nodeRun(execution, 'Not Approved')).toBeDefined();
			expect(nodeRun(execution, REVOKE)).toBeUndefined();
			expect(await requests()).toEqual([]);
		},
		2 * TIMEOUT_MS,
	);
});

test('a second person who rejects ends it, and nothing was done', async () => {
	const execution = await visit(async () => {
		const url = await upload(`user\n${NORA}\n`, WANTED);
		await decide(url, 'Reject', 'Nothing was done');
	});
	expect(await theirs.text()).toContain('It was rejected.');
	expect(nodeRun(execution, REVOKE)).toBeUndefined();
	expect(await requests()).toEqual([]);
});

describe('a file is refused before anybody is asked', () => {
	const many = Array.from({ length: CAP + 1 }, (_, index) => `user-${String(index)}@example.com`);

	test.each([
		['more users than the cap', `user\n${many.join('\n')}\n`, `names ${String(CAP + 1)} users`],
		['no column that says who', `name\n${NORA}\n`, 'exactly one column named user'],
		['two columns that say who', `user,email\nnora,${NORA}\n`, 'exactly one column named user'],
		['nobody in it', 'user,team\n,Finance\n', 'names no user'],
		['a header alone', 'user\n', 'exactly one column named user'],
		['nothing', '\n', 'exactly one column named user'],
		['a quote that never ends', `user\n"${NORA}\n`, 'cannot be read as CSV'],
	])('with %s', async (_, text, problem) => {
		const execution = await visit(async () => {
			await upload(text, 'Nothing was done');
		});
		expect(await form.text()).toContain(problem);
		expect(nodeRun(execution, APPROVAL)).toBeUndefined();
		expect(nodeRun(execution, REVOKE)).toBeUndefined();
		expect(await requests()).toEqual([]);
	});
});

test('blank lines, rows without a user and users named twice are reported', async () => {
	const execution = await visit(async () => {
		const rows = ['user;team', `${NORA};Finance`, '', `${NORA.toUpperCase()};Finance`, ';IT', ' ;'];
		const url = await upload(`\uFEFF${rows.join('\r\n')}\r\n`, WANTED);
		const page = await form.text();
		expect(page).toContain('Users: 1, cap 4');
		expect(page).toContain('Blank lines: 3, 6');
		expect(page).toContain('Rows without a user: 2');
		expect(page).toContain(`Named more than once, worked on once: ${NORA}`);
		await decide(url, 'Reject', 'Nothing was done');
	});
	expect(fileOf(execution)).toMatchObject({
		users: [NORA],
		blankLines: [3, 6],
		rowsWithoutUser: 2,
		duplicates: [NORA],
	});
});

test('what the file says is text: on the pages, and in a spreadsheet', async () => {
	const markup = '<img src="https://example.com/x">$&@example.com';
	const formula = '=HYPERLINK("https://example.com")';
	const csv = `user\n"${markup.replaceAll('"', '""')}"\n"${formula.replaceAll('"', '""')}"\n`;
	const execution = await visit(async () => {
		const url = await upload(csv, WANTED);
		expect(await form.text()).toContain(markup);
		expect(await form.page.locator('img').count()).toBe(0);
		await decide(url, 'Approve', '0 contained, 0 in part, 2 not');
	});
	const rows = output(execution, ROWS)[0]?.json.rows as Record<string, string>[];
	expect(rows.map(({ user }) => user)).toEqual([markup, `'${formula}`]);
});

describe('it is closed', () => {
	test('without a login nothing starts, nor is a waiting page a way around it', async () => {
		const executions = await n8n.client.executionCount(template.id);
		const body = new FormData();
		body.set('field-0', new Blob([`user\n${NORA}\n`], { type: 'text/csv' }), 'users.csv');
		body.set('field-1', 'None of your business');
		expect((await fetch(template.url, { method: 'POST', body })).status).toBe(401);
		expect((await fetch(template.url, { redirect: 'manual' })).status).toBe(302);
		expect(await n8n.client.executionCount(template.id)).toBe(executions);

		await visit(async () => {
			const url = await upload(`user\n${NORA}\n`, WANTED);
			const decision = new FormData();
			decision.set('field-0', '["Approve"]');
			expect((await fetch(url, { redirect: 'manual' })).status).toBe(302);
			expect((await fetch(url, { method: 'POST', body: decision })).status).toBe(401);
			await decide(url, 'Reject', 'Nothing was done');
		});
		expect(await requests()).toEqual([]);
	});

	test('whoever may not execute the workflow cannot ask', async () => {
		await second.page.goto(template.url);
		await second.page.waitForLoadState('networkidle');
		expect(await second.page.locator('#n8n-form').count()).toBe(0);
	});
});

test('its picture shows the whole canvas', async () => {
	expect(statSync(await takePicture(editor, template.id, 'bulk-from-csv')).size).toBeGreaterThan(
		10_000,
	);
});
