/**
 * Installs the n8n of `test/host/n8n/package-lock.json` into a per-user cache folder: once per lock
 * file, shared by all checkouts, outside every repository (n8n takes about 3 GB).
 *
 * n8n is installed without install scripts (one of its 2,200 packages wants headers that few
 * machines have); only SQLite's binding is built, because n8n needs it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CommandError, isRunning, run } from './processes';
import { step, type Step } from './progress';

export const repositoryRoot = resolve(__dirname, '..', '..');
const PINS = join(__dirname, 'n8n');
const CI_TIMEOUT_MS = 20 * 60_000;
const SQLITE_TIMEOUT_MS = 10 * 60_000;
const LOCK_TIMEOUT_MS = 35 * 60_000;
const NODE_MAJOR = '24';

/** An n8n that can be started. */
export interface InstalledN8n {
	readonly version: string;
	/** Node's binary, of the major version that n8n needs. */
	readonly node: string;
	/** n8n's start script, to be run with `node`. */
	readonly entry: string;
}

/**
 * The Node binary that n8n runs on: the repository's own devDependency `node`, whatever Node this
 * process runs on.
 */
async function nodeBinary(): Promise<string> {
	const binary = join(repositoryRoot, 'node_modules', 'node', 'bin', 'node');
	const cure =
		'Run "npm ci" and then "npm rebuild node --ignore-scripts=false" in the repository, ' +
		'or start with "npm run demo" or "npm run test:host", which do it.';
	if (!existsSync(binary)) {
		throw new Error(`Node ${NODE_MAJOR}, which n8n needs, is not installed. ${cure}`);
	}
	const version = await run(binary, ['-p', 'process.versions.node'], { timeoutMs: 20_000 });
	if (version.split('.')[0] !== NODE_MAJOR) {
		throw new Error(
			`n8n needs Node ${NODE_MAJOR}, but node_modules has ${version.trim()}. ${cure}`,
		);
	}
	return binary;
}

/** The folder for what is too big for the repository and the same for all checkouts. */
export function cacheFolder(): string {
	const xdg = process.env.XDG_CACHE_HOME;
	// The XDG rules: a relative path is invalid and ignored.
	const base = xdg?.startsWith('/') === true ? xdg : join(homedir(), '.cache');
	return join(base, 'n8n-nodes-session-revocation');
}

const pinsSchema = z.object({ dependencies: z.object({ n8n: z.string() }) });
const lockSchema = z.object({ packages: z.record(z.object({ optional: z.boolean().optional() })) });

/** What names one installation: the pins, and the kind of machine that its binaries fit. */
function fingerprint(): string {
	const hash = createHash('sha256').update(`${process.platform}-${process.arch}\n`);
	for (const file of ['package.json', 'package-lock.json']) {
		hash.update(readFileSync(join(PINS, file)));
	}
	return hash.digest('hex').slice(0, 12);
}

const entryOf = (folder: string) => join(folder, 'node_modules', 'n8n', 'bin', 'n8n');
const stampOf = (folder: string) => join(folder, '.complete');
const isComplete = (folder: string) => existsSync(stampOf(folder)) && existsSync(entryOf(folder));

/**
 * Takes the lock of one installation, so that two demos that start together install n8n once. The
 * lock names its owner: one whose owner is gone is taken over.
 */
async function withLock<T>(lock: string, current: Step, work: () => Promise<T>): Promise<T> {
	const deadline = Date.now() + LOCK_TIMEOUT_MS;
	const owner = join(lock, 'pid');
	for (;;) {
		try {
			mkdirSync(lock);
			break;
		} catch (error) {
			if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
		}
		const pid = Number(await readFile(owner, 'utf8').catch(() => ''));
		// A lock without a name may be a second old: its owner is about to write it.
		const age = Date.now() - (await stat(lock).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
		if (pid > 0 ? !isRunning(pid) : age > 10_000) {
			await rm(lock, { recursive: true, force: true });
			continue;
		}
		if (Date.now() > deadline) {
			throw new Error(`Process ${pid} has been installing n8n for too long. Remove ${lock}.`);
		}
		current.now(`process ${pid} is installing it already, waiting for that`);
		await sleep(1000);
	}
	try {
		await writeFile(owner, String(process.pid));
		return await work();
	} finally {
		await rm(lock, { recursive: true, force: true });
	}
}

/** Removes what interrupted installations left, except those that are still running. */
async function removeLeftovers(target: string): Promise<void> {
	const prefix = `${target.slice(dirname(target).length + 1)}.part-`;
	for (const name of readdirSync(dirname(target))) {
		if (!name.startsWith(prefix)) continue;
		const pid = Number(name.slice(prefix.length).split('-')[0]);
		if (isRunning(pid)) continue;
		// An npm that outlived its parent may still be writing there: then the next one removes it.
		await rm(join(dirname(target), name), { recursive: true, force: true }).catch(() => undefined);
	}
}

/** npm's environment: this repository's .npmrc does not apply to the installation of n8n. */
function npmEnvironment(node: string): NodeJS.ProcessEnv {
	const ours = /^npm_config_(ignore_scripts|legacy_peer_deps|omit|include|nodedir)$/i;
	const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
	const headers = ['node/node_modules/', '']
		.map((base) => `${base}node-${process.platform}-${process.arch}`)
		.map((folder) => join(repositoryRoot, 'node_modules', folder))
		.find((folder) => existsSync(join(folder, 'include', 'node', 'node_api.h')));
	return {
		...env,
		PATH: `${dirname(node)}:${process.env.PATH ?? ''}`,
		// The npm package of Node brings the headers: a compiler run needs no further download.
		...(headers === undefined ? {} : { npm_config_nodedir: headers }),
	};
}

/** Says what a failed npm run most likely means, before npm's own words. */
function explain(error: unknown, doing: string): unknown {
	if (!(error instanceof CommandError)) return error;
	const offline = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH/.test(error.output);
	const compiler = /gyp ERR!|not found: make|g\+\+/.test(error.output);
	const noSpace = error.output.includes('ENOSPC');
	const cause = noSpace
		? 'The disk is full (n8n takes about 3 GB).'
		: offline
			? 'The npm registry cannot be reached: check the network, the proxy and "npm ping".'
			: compiler
				? 'SQLite could not be compiled: install python3, make and g++.'
				: 'npm said:';
	return new Error(`${doing} failed. ${cause}\n${error.message}`);
}

/** Fetches n8n's packages, without their install scripts. */
async function fetchPackages(folder: string, env: NodeJS.ProcessEnv, current: Step) {
	const lock = lockSchema.parse(JSON.parse(readFileSync(join(PINS, 'package-lock.json'), 'utf8')));
	const total = Object.values(lock.packages).filter((entry) => entry.optional !== true).length;
	let answers = 0;
	let fetched = 0;
	await run(
		'npm',
		[
			'ci',
			'--ignore-scripts',
			'--no-audit',
			'--no-fund',
			'--no-legacy-peer-deps',
			'--loglevel=http',
		],
		{
			cwd: folder,
			env,
			timeoutMs: CI_TIMEOUT_MS,
			onLine: (line) => {
				if (line.includes('/-/') && line.includes('.tgz')) fetched += 1;
				else if (line.includes('http fetch')) answers += 1;
				const stages = [
					[fetched >= total, 'unpacking'],
					[fetched > 0, `${fetched} of about ${total} packages fetched`],
					[true, `asking npm about ${total} packages, ${answers} answers`],
				] as const;
				current.now(stages.find(([isReached]) => isReached)?.[1] ?? '');
			},
		},
	).catch((error: unknown) => {
		throw explain(error, 'Installing n8n');
	});
}

/** Builds the one native module that n8n cannot do without, and proves that it loads. */
async function buildSqlite(folder: string, node: string, env: NodeJS.ProcessEnv) {
	await run('npm', ['rebuild', 'sqlite3', '--ignore-scripts=false', '--foreground-scripts'], {
		cwd: folder,
		env,
		timeoutMs: SQLITE_TIMEOUT_MS,
	}).catch((error: unknown) => {
		throw explain(error, "Building n8n's SQLite");
	});
	await run(node, ['-e', "require('sqlite3')"], { cwd: folder, timeoutMs: 60_000 });
}

/** Installs into a folder of its own and moves it into place when it is whole. */
async function install(target: string, node: string, current: Step): Promise<void> {
	const part = `${target}.part-${process.pid}-${randomUUID().slice(0, 8)}`;
	const env = npmEnvironment(node);
	await mkdir(part, { recursive: true });
	try {
		for (const file of ['package.json', 'package-lock.json']) {
			await copyFile(join(PINS, file), join(part, file));
		}
		current.now('asking npm for the packages');
		await fetchPackages(part, env, current);
		current.now('building SQLite, about a minute');
		await buildSqlite(part, node, env);
		await writeFile(stampOf(part), `${new Date().toISOString()}\n`);
		if (isComplete(target)) return;
		// What stands at the target now is no whole installation: no stamp, or no start script.
		await rm(target, { recursive: true, force: true });
		await rename(part, target).catch((error: unknown) => {
			// Somebody else was faster: theirs is as good as ours.
			if (!isComplete(target)) throw error;
		});
	} finally {
		await rm(part, { recursive: true, force: true });
	}
}

/** Gives the pinned n8n, installing it first when this machine has not seen it. */
export async function installN8n(): Promise<InstalledN8n> {
	const pins = pinsSchema.parse(JSON.parse(readFileSync(join(PINS, 'package.json'), 'utf8')));
	const version = pins.dependencies.n8n;
	const target = join(cacheFolder(), `n8n-${fingerprint()}`);
	const node = await nodeBinary();
	await step(`n8n ${version}`, async (current) => {
		if (isComplete(target)) {
			current.result(`found in ${dirname(target)}`);
			return;
		}
		await mkdir(dirname(target), { recursive: true });
		await withLock(`${target}.lock`, current, async () => {
			if (isComplete(target)) return;
			await removeLeftovers(target);
			await install(target, node, current);
		});
		current.result(`installed into ${dirname(target)}`);
	});
	return { version, node, entry: entryOf(target) };
}
