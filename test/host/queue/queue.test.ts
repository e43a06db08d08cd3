/** Queue mode: the main process and the webhook process take alerts in, the workers revoke. */
import { beforeEach, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { complaint, output, type Execution } from '../execution';
import { onStage } from '../on-stage';
import { accountOf, alertAbout } from '../sentinel';
import { post } from '../stage';
import { TEMPLATE } from '../workflow';

const { n8n, oktaData, simulator, template } = onStage();
const UNTIL_MS = 60_000;
const POLL_MS = 100;

const log = ({ logFile }: { logFile: string }) => readFileSync(logFile, 'utf8');
const workers = n8n.processes.filter(({ role }) => role === 'worker');
const main = entryPoint('start');
const webhook = entryPoint('webhook');

/** A process that takes alerts in, and the template as it stands there. */
function entryPoint(role: 'start' | 'webhook') {
	const found = n8n.processes.find((one) => one.role === role);
	if (found === undefined) throw new Error(`This stage has no ${role} process.`);
	const webhookUrl = template.webhookUrl.replace(n8n.url, found.url);
	return { logFile: found.logFile, template: { ...template, webhookUrl } };
}
type EntryPoint = ReturnType<typeof entryPoint>;

/** The executions that a process has worked on, in order, by what n8n writes into its log. */
const finishedBy = (process: { logFile: string }) =>
	[...log(process).matchAll(/Worker finished execution (\d+)/g)].map(([, id]) => id ?? '');

const doneSchema = z.object({
	requestId: z.string(),
	connector: z.string(),
	user: z.string(),
	outcome: z.string(),
	cause: z.string().nullable(),
});

/** What the node wrote into a log about cancelled work. */
const cancelledIn = (text: string) =>
	[...text.matchAll(/Session revocation was cancelled; what had been done: (.*)/g)].map(
		([, json]) => doneSchema.parse(JSON.parse(json ?? '')),
	);

const crowd = (count: number) =>
	Array.from({ length: count }, (_, index) => `crowd.${String(index + 1)}@example.com`);

async function addUsers(logins: readonly string[]): Promise<void> {
	for (const login of logins) await simulator.addUser(login, 2);
}

/** Those of the people who are signed in, by the simulator's own state. */
async function signedIn(logins: readonly string[]): Promise<string[]> {
	const users = await simulator.users();
	return logins.filter((login) =>
		users.some((user) => user.login === login && user.sessions.length > 0),
	);
}

async function until<T>(
	what: string,
	ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
	const deadline = Date.now() + UNTIL_MS;
	for (;;) {
		const answer = await ask();
		if (answer !== undefined) return answer;
		if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}.`);
		await sleep(POLL_MS);
	}
}

/** Posts one alert about each of these people, all at once, and gives the finished executions. */
async function alertEach(
	logins: readonly string[],
	entryOf: (index: number) => EntryPoint,
): Promise<Execution[]> {
	return await n8n.client.executionsAfter(template.id, logins.length, async () => {
		const answers = await Promise.all(
			logins.map(async (login, index) => {
				const alert = alertAbout([accountOf(login)]);
				return (await post(entryOf(index).template, alert)).status;
			}),
		);
		expect(answers).toEqual(logins.map(() => 200));
	});
}

beforeEach(async () => {
	await simulator.reset();
});

test.each([
	['the main process', main],
	['the webhook process', webhook],
])('an alert that comes in by %s is worked on by a worker', async (_, entry) => {
	const [login = ''] = crowd(1);
	await addUsers([login]);
	const [execution] = await alertEach([login], () => entry);
	if (execution?.status !== 'success') throw new Error(execution && complaint(execution));

	expect(await signedIn([login])).toEqual([]);
	expect(output(execution, TEMPLATE.revoke)[0]?.json).toMatchObject({
		user: login,
		status: 'completed',
		coverage: 'all',
		results: [{ connector: 'okta', outcome: 'revoked' }],
	});
	const places = await until('a worker says that it finished', () => {
		const found = workers.filter((worker) => finishedBy(worker).includes(execution.id));
		return found.length > 0 ? found.length : undefined;
	});
	expect(places).toBe(1);
	expect(finishedBy(main)).toEqual([]);
	expect(finishedBy(webhook)).toEqual([]);
});

test('50 alerts at once: all worked on, by both workers, each with a true result', async () => {
	const logins = crowd(50);
	const bystanders = ['nora.lindqvist@example.com', 'tomas.okafor@example.com'];
	await addUsers(logins);
	const executions = await alertEach(logins, (index) => (index % 2 === 0 ? main : webhook));

	expect(executions.filter(({ status }) => status !== 'success').map(complaint)).toEqual([]);
	const results = executions.flatMap((execution) => output(execution, TEMPLATE.revoke));
	expect(results.map(({ json }) => json.user).sort()).toEqual(logins.toSorted());
	for (const { json } of results) {
		expect(json).toMatchObject({
			status: 'completed',
			coverage: 'all',
			results: [{ outcome: 'revoked', statusCode: 204 }],
		});
	}
	expect(await signedIn([...logins, ...bystanders])).toEqual(bystanders);
	expect((await simulator.traffic()).violations).toEqual([]);

	const ids = executions.map(({ id }) => id);
	const shares = await until('the workers say that they finished all', () => {
		const found = workers.map((worker) => finishedBy(worker).filter((id) => ids.includes(id)));
		return found.flat().length >= ids.length ? found : undefined;
	});
	// None was worked on twice, and no worker stood by.
	expect(shares.flat().sort()).toEqual(ids.toSorted());
	for (const share of shares) expect(share.length).toBeGreaterThan(0);
});

test('a cancelled execution sends nothing more, and its worker logs what had been done', async () => {
	const logins = crowd(30);
	const atOnce = 10;
	const quick = 3;
	await addUsers(logins);
	const fault = { kind: 'slow', delayMs: UNTIL_MS } as const;
	await simulator.meet({ match: 'revokeUserSessions', skip: quick, times: logins.length, fault });
	expect((await post(main.template, alertAbout(logins.map(accountOf)))).status).toBe(200);
	const revocations = async () =>
		(await simulator.traffic()).requests.filter(({ route }) => route === 'revokeUserSessions')
			.length;

	const sent = quick + atOnce;
	await until('the first are revoked and the next are held up', async () => {
		return (await revocations()) === sent ? true : undefined;
	});
	const [running = ''] = await n8n.client.runningExecutions(template.id);
	await n8n.client.stopExecution(running);
	const lines = await until('the log says what had been done', () => {
		const found = workers.flatMap((worker) => cancelledIn(log(worker)));
		return found.length >= sent ? found : undefined;
	});

	expect(lines).toHaveLength(sent);
	expect(await revocations()).toBe(sent);
	const revoked = lines.filter(({ outcome }) => outcome === 'revoked').map(({ user }) => user);
	expect(revoked).toHaveLength(quick);
	expect(await signedIn(revoked)).toEqual([]);
	const cut = lines.filter(({ outcome, cause }) => outcome === 'failed' && cause === 'cancelled');
	expect(cut).toHaveLength(atOnce);
	for (const { requestId, connector } of lines) {
		expect(requestId).not.toBe('');
		expect(connector).toBe('okta');
	}
});

test('no process writes the API token into its log', () => {
	const { apiToken } = z.object({ apiToken: z.string() }).parse(oktaData);
	const holders = n8n.processes.filter((one) => log(one).includes(apiToken));
	expect(holders.map(({ role }) => role)).toEqual([]);
	for (const worker of workers) expect(finishedBy(worker).length).toBeGreaterThan(0);
});
