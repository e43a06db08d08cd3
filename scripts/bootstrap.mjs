/**
 * `npm run demo`, `npm test` and the other tasks below on a machine that has only Node 20 or later and
 * npm: installs what package-lock.json names, brings Node 24 (as the devDependency `node`), then runs
 * the npm scripts of the list below on that Node. Plain ESM without dependencies: it runs first.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { clearInterval, setInterval, setTimeout } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * What each task runs, in order, as scripts of package.json. Arguments of the command line go to the
 * last one: `npm test -- -t pacing`.
 */
const TASKS = {
	demo: ['build', 'demo:run'],
	test: [
		'build',
		'check:generated',
		'lint',
		'lint:package',
		'types',
		'architecture',
		'dead-code',
		'jest',
	],
	'test:host': ['build', 'jest:host'],
	'test:queue': ['build', 'jest:queue'],
};

const OLDEST_NODE = 20;
const NODE_MAJOR = '24';
const HEARTBEAT_MS = 10_000;
const KILL_AFTER_MS = 45_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');

/** A reason to stop that a person can act on: shown without a stack. */
class Refusal extends Error {
	constructor(message, status = 1) {
		super(message);
		this.status = status;
	}
}

const say = (line) => process.stdout.write(`${line}\n`);

const elapsed = (since) => {
	const seconds = Math.round((Date.now() - since) / 1000);
	return seconds < 60
		? `${seconds} s`
		: `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
};

/** node_modules/.bin first: npm scripts and everything they start then find Node 24 there. */
const environment = () => ({
	...process.env,
	PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
	SESSION_REVOCATION_STARTER_PID: String(process.pid),
});

/** The child that runs at this moment; there is never a second one. */
let running;

/** Sends a signal to the running child and to everything it started in its process group. */
function signalChild(signal) {
	if (running?.pid === undefined) return;
	try {
		process.kill(-running.pid, signal);
	} catch {
		// It has just ended by itself.
	}
}

/**
 * Waits for what a child that has ended leaves in its process group. npm ends at once on a signal,
 * while the script that it ran is still cleaning up; without a signal nothing is waited for.
 */
async function groupEnded(group) {
	const deadline = Date.now() + (endingWith === undefined ? 0 : KILL_AFTER_MS);
	while (Date.now() < deadline) {
		try {
			process.kill(-group, 0);
		} catch {
			return;
		}
		await sleep(50);
	}
	signalChild('SIGKILL');
}

/** The status of the signal that asked us to end; undefined as long as none did. */
let endingWith;

/** Passes the signal on, waits until the child has come to its end, and does not wait for ever. */
function endOn(signal, status) {
	process.on(signal, () => {
		// npm and the terminal may both deliver one Ctrl-C; the child decides what a second one means.
		endingWith ??= status;
		signalChild(signal);
		setTimeout(() => signalChild('SIGKILL'), KILL_AFTER_MS).unref();
		if (running === undefined) process.exit(status);
	});
}

/** Under npm, the end of npm is our end too, even when it was killed and could not say so. */
function endWithNpm() {
	if (process.env.npm_lifecycle_event === undefined) return;
	const parent = process.ppid;
	setInterval(() => {
		if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
	}, 1000).unref();
}

/** Runs a command in a process group of its own; gives its exit status and, if wanted, its output. */
function run(command, args, { quiet = false } = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(command, args, {
			cwd: root,
			env: environment(),
			stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
			detached: true,
		});
		running = child;
		let output = '';
		for (const stream of [child.stdout, child.stderr]) {
			stream?.on('data', (chunk) => (output += chunk));
		}
		child.once('error', (error) => {
			running = undefined;
			reject(
				error.code === 'ENOENT'
					? new Refusal(`"${command}" was not found. Install Node ${NODE_MAJOR} with npm.`)
					: error,
			);
		});
		child.once('close', (code, signal) => {
			void groupEnded(child.pid).then(() => {
				running = undefined;
				resolve({ status: code ?? (signal === 'SIGINT' ? 130 : 143), output });
			});
		});
	});
}

/** Why npm failed, in words that say what to do. */
function explain(output) {
	if (/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|ECONNRESET/.test(output)) {
		return 'The npm registry cannot be reached: check the network, the proxy and "npm ping".';
	}
	if (/ENOSPC/.test(output)) return 'The disk is full.';
	if (/EACCES|EPERM/.test(output)) return 'A file may not be written: whose is node_modules?';
	return 'npm said:';
}

/** A long npm call with progress lines; its output is shown only when it fails. */
async function npm(what, args) {
	const since = Date.now();
	say(`  … ${what}`);
	const heartbeat = setInterval(() => say(`  … ${what} (${elapsed(since)})`), HEARTBEAT_MS);
	try {
		const { status, output } = await run('npm', args, { quiet: true });
		if (endingWith !== undefined) throw new Refusal('Interrupted.', endingWith);
		if (status !== 0) {
			const end = output.trimEnd().split('\n').slice(-25).join('\n');
			throw new Refusal(`${what}: failed. ${explain(output)}\n${end}`, status);
		}
		say(`  ✔ ${what} (${elapsed(since)})`);
	} finally {
		clearInterval(heartbeat);
	}
}

const readJson = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));

/**
 * What keeps node_modules from being what package-lock.json says; undefined when nothing does. npm
 * notes what it installed in node_modules/.package-lock.json as the last thing that it does.
 */
function staleness() {
	const wanted = readJson('package-lock.json').packages;
	if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) return 'not installed yet';
	const installed = readJson('node_modules', '.package-lock.json').packages;
	for (const [path, entry] of Object.entries(wanted)) {
		const isOurs = path === '';
		const isNeeded = entry.optional !== true && entry.devOptional !== true;
		const there = installed[path];
		if (isOurs || (there === undefined && !isNeeded)) continue;
		if (there?.version !== entry.version || there?.integrity !== entry.integrity) return path;
		if (isNeeded && !existsSync(join(root, path, 'package.json'))) return path;
	}
	return undefined;
}

async function installPackages() {
	const stale = staleness();
	if (stale === undefined) return;
	say(`Installing what package-lock.json names (${stale})`);
	await npm('npm ci', ['ci', '--no-audit', '--no-fund']);
}

/** The version of the Node that npm scripts get; undefined when there is none. */
function installedNode() {
	const answer = spawnSync(join(bin, 'node'), ['-p', 'process.versions.node'], {
		encoding: 'utf8',
		timeout: 20_000,
	});
	return answer.status === 0 ? answer.stdout.trim() : undefined;
}

/** The devDependency `node` gets its binary from an install script, and .npmrc turns those off. */
async function installNode() {
	const isRight = () => installedNode()?.split('.')[0] === NODE_MAJOR;
	if (isRight()) return;
	await npm(`Node ${NODE_MAJOR} for n8n`, ['rebuild', 'node', '--ignore-scripts=false']);
	if (!isRight()) {
		throw new Refusal(
			`Node ${NODE_MAJOR} should be at node_modules/.bin/node, but there is ` +
				`${installedNode() ?? 'none that runs'}. Remove node_modules and try again.`,
		);
	}
}

/** Runs the scripts of a task in order; the first failure is the end. */
async function runScripts(task, args) {
	const names = TASKS[task];
	const known = readJson('package.json').scripts ?? {};
	const missing = names.filter((name) => known[name] === undefined);
	if (missing.length > 0) throw new Refusal(`package.json has no script ${missing.join(', ')}.`);
	for (const [index, name] of names.entries()) {
		const isLast = index === names.length - 1;
		const since = Date.now();
		if (!isLast) say(`▸ ${name}`);
		const rest = isLast && args.length > 0 ? ['--', ...args] : [];
		const { status } = await run('npm', ['run', '--silent', name, ...rest]);
		if (endingWith !== undefined) return status === 0 ? 0 : endingWith;
		if (status !== 0) {
			say(`✘ ${name} failed with status ${status} after ${elapsed(since)}`);
			return status;
		}
		if (!isLast) say(`  ${name} (${elapsed(since)})`);
	}
	return 0;
}

async function main() {
	const [task, ...args] = process.argv.slice(2);
	if (!Object.hasOwn(TASKS, task ?? '')) {
		const tasks = Object.keys(TASKS).join(' | ');
		throw new Refusal(`Usage: node scripts/bootstrap.mjs ${tasks} [arguments]`, 2);
	}
	if (process.platform === 'win32') {
		throw new Refusal('These tasks run on Linux and macOS; on Windows run them in WSL.');
	}
	if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
		const version = process.versions.node;
		throw new Refusal(`This is Node ${version}; Node ${OLDEST_NODE} or later is needed.`);
	}
	endOn('SIGINT', 130);
	endOn('SIGTERM', 143);
	endOn('SIGHUP', 129);
	// A terminal that was closed takes no more lines: that is no reason not to clean up.
	process.stdout.on('error', () => undefined);
	endWithNpm();
	await installPackages();
	await installNode();
	return await runScripts(task, args);
}

process.exitCode = await main().catch((error) => {
	process.stderr.write(`${error instanceof Refusal ? error.message : error.stack}\n`);
	return error.status ?? 1;
});
