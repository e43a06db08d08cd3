/**
 * `npm run demo`: a Microsoft Sentinel alert ends the sessions of a user, in a real n8n with the packed
 * package, against simulated vendors. Runs until Ctrl-C; with `--once` it ends after the result, with
 * status 0 only if the sessions are really gone.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { complaint } from '../test/host/execution';
import { endWithStarter, onShutdown, stopAll } from '../test/host/processes';
import { duration, paint, say, step } from '../test/host/progress';
import { accountOf, alertAbout } from '../test/host/sentinel';
import { runPosted, sessionsIn, setStage, type Stage } from '../test/host/stage';
import { TEMPLATE } from '../test/host/workflow';
import { describeTarget, field, resultsOf } from './demo/report';
import { showOutcomes } from './demo/tour';

/** Somebody whom every simulated vendor knows, signed in on several devices. */
const USER = 'nora.lindqvist@example.com';

const HELP = `npm run demo [-- --once]

Shows the main job of the package: an alert comes in, the user's sessions end.
  --once   end after the results; status 0 only if the sessions are really gone
  --help   this text`;

function readArguments(): { once: boolean; help: boolean } {
	const { values } = parseArgs({
		options: {
			once: { type: 'boolean', default: false },
			help: { type: 'boolean', default: false },
		},
	});
	return values;
}

const count = (sessions: number) => `${String(sessions)} session${sessions === 1 ? '' : 's'}`;

/** Somebody's sessions, in each system by its own state. */
async function census({ systems }: Stage, user: string) {
	return await Promise.all(
		systems.map(async (system) => ({
			title: system.title,
			sessions: (await sessionsIn(system, user)) ?? 0,
		})),
	);
}

const total = (counts: Awaited<ReturnType<typeof census>>) =>
	counts.reduce((sum, { sessions }) => sum + sessions, 0);

/** Posts the alert, prints what became of it, and asks the simulators themselves. True when all is gone. */
async function showRevocation(stage: Stage): Promise<boolean> {
	const alert = alertAbout([accountOf(USER)]);
	const before = await census(stage, USER);
	say();
	say(paint('bold', `A Microsoft Sentinel alert about ${USER}`));
	for (const line of [
		...field('alert', alert.AlertDisplayName),
		...field('incident', alert.SystemAlertId),
		...field('before', before.map(({ title, sessions }) => `${title} ${sessions}`).join(', ')),
	]) {
		say(line);
	}

	const startedAt = performance.now();
	const execution = await step('Alert worked on', async (current) => {
		current.now('waiting for the execution');
		const finished = await runPosted(stage.n8n, stage.template, alert);
		current.result(`execution ${finished.id}, ${finished.status}`);
		return finished;
	});
	const elapsed = duration(performance.now() - startedAt);
	if (execution.status !== 'success') throw new Error(complaint(execution));

	const results = resultsOf(execution, TEMPLATE.revoke);
	for (const result of results) {
		say();
		for (const line of field(result.outputName, `${result.message} (${elapsed} in all)`)) say(line);
		for (const target of result.results) for (const line of describeTarget(target)) say(line);
	}

	const after = await census(stage, USER);
	const gone = before.every(({ sessions }) => sessions > 0) && total(after) === 0;
	const verdict = gone
		? paint('green', `all ${count(total(before))} are gone`)
		: paint('red', `${count(total(after))} are NOT gone`);
	say();
	for (const line of field('after', `by the systems' own state: ${verdict}`)) say(line);
	return gone && results.length === 1;
}

function showEditor({ n8n, template }: Stage): void {
	say();
	say(paint('bold', 'Look at it in the editor'));
	for (const line of [
		...field('address', `${n8n.url}/workflow/${template.id}`),
		...field('e-mail', n8n.owner.email),
		...field('password', n8n.owner.password),
	]) {
		say(line);
	}
	say();
	say('Ctrl-C ends n8n and the simulators, and removes what they stored.');
}

/** Runs the demo; gives the status to end with. */
async function demo(isOnce: boolean, interruption: AbortSignal): Promise<number> {
	say(paint('bold', 'Session revocation: the demo'));
	const stage = await setStage('all');
	try {
		const gone = await showRevocation(stage);
		const toured = await showOutcomes(stage);
		if (!isOnce && !interruption.aborted) {
			showEditor(stage);
			await once(interruption, 'abort');
		}
		return gone && toured ? 0 : 1;
	} finally {
		say();
		await step('Everything stopped', async () => {
			await stage.strike();
		});
	}
}

async function main(): Promise<void> {
	const asked = readArguments();
	if (asked.help) {
		say(HELP);
		return;
	}
	const interruption = new AbortController();
	const running = demo(asked.once, interruption.signal).catch((error: unknown) => {
		if (!interruption.signal.aborted) {
			say();
			process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
		}
		return 1;
	});
	onShutdown(async (status) => {
		interruption.abort();
		// Before the result something may still be on its way: its end lets the demo come to its own.
		await stopAll();
		const final = await running;
		return final === 0 ? 0 : status;
	});
	endWithStarter();
	const status = await running;
	if (!interruption.signal.aborted) process.exit(status);
}

void main().catch((error: unknown) => {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}\n`);
	process.exitCode = 2;
});
