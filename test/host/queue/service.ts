/**
 * The servers that queue mode needs, in this order: the one that an environment variable names, one
 * that runs at the usual address, one of our own for as long as the tests run. The value `own` asks
 * for the last at once.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstalledN8n } from '../install';
import { freePorts, temporaryFolder } from '../n8n';
import { run, start, stop, tail } from '../processes';

const READY_TIMEOUT_MS = 30_000;
const COMMAND_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/** What n8n gets of a server: a place of its own in it. */
export interface Service {
	/** For people: which server it is. */
	readonly where: string;
	/** The variables by which n8n finds it. */
	readonly variables: Readonly<Record<string, string>>;
	/** Removes what was put there, and ends the server if it is our own. */
	close(): Promise<void>;
}

/** A running server. */
interface Server {
	readonly url: URL;
	/** Ends our own server; leaves one that was there before alone. */
	stop(): Promise<void>;
}

/** Everything there is to know about one kind of server. */
export interface Kind {
	readonly name: string;
	/** The environment variable that names a server. */
	readonly variable: string;
	/** The address at which one is looked for when the variable is not set. */
	readonly usualUrl: string;
	readonly debianPackage: string;
	/** Resolves when the server answers and lets us do what we have to. */
	check(url: URL): Promise<void>;
	/** How to start one of our own; undefined where its programs are not installed. */
	own(): OwnServer | undefined;
}

interface OwnServer {
	/** The system's account that runs it, where we are root and it must not be. */
	readonly user?: string | undefined;
	/** A command to be run once before the start. */
	prepare?(folder: string): readonly string[];
	command(folder: string, port: number): readonly string[];
}

/** A module of n8n's own: its drivers speak to its servers. */
export function requireFromN8n({ entry }: InstalledN8n, name: string): unknown {
	return createRequire(entry)(name);
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

async function startOwn(kind: Kind, own: OwnServer): Promise<Server> {
	const folder = temporaryFolder(kind.debianPackage);
	const logFile = join(folder, 'server.log');
	const user = process.getuid?.() === 0 ? own.user : undefined;
	const asUser = user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, '--init-groups'];
	const runAs = (command: readonly string[], guard: readonly string[] = []) => {
		const options = [...guard, ...asUser];
		const [program = '', ...args] =
			options.length > 0 ? ['setpriv', ...options, ...command] : command;
		return [program, args] as const;
	};
	const clean = async () => {
		await rm(folder, { recursive: true, force: true });
	};
	try {
		if (user !== undefined) await run('chown', [user, folder], { timeoutMs: COMMAND_TIMEOUT_MS });
		if (own.prepare !== undefined) {
			const command = runAs(own.prepare(folder));
			await run(...command, { cwd: folder, timeoutMs: COMMAND_TIMEOUT_MS });
		}
		const [port] = await freePorts();
		const url = new URL(kind.usualUrl);
		url.port = String(port);
		const log = openSync(logFile, 'a');
		// On Linux the kernel ends it together with us, whatever way we end.
		const guard = process.platform === 'linux' ? ['--pdeathsig=KILL'] : [];
		const child = start(...runAs(own.command(folder, port), guard), {
			cwd: folder,
			stdio: ['ignore', log, log],
		});
		closeSync(log);
		await untilAnswering(kind, url, child, logFile);
		return {
			url,
			stop: async () => {
				await stop(child);
				await clean();
			},
		};
	} catch (error) {
		await clean();
		throw error;
	}
}

async function untilAnswering(kind: Kind, url: URL, child: ChildProcess, logFile: string) {
	const deadline = Date.now() + READY_TIMEOUT_MS;
	for (;;) {
		const problem: unknown = await kind.check(url).catch((error: unknown) => error);
		if (problem === undefined) return;
		if (hasEnded(child) || Date.now() > deadline) {
			await stop(child);
			const log = tail(readFileSync(logFile, 'utf8'));
			throw new Error(`A ${kind.name} of our own did not become ready.\n${log}`, {
				cause: problem,
			});
		}
		await sleep(POLL_MS);
	}
}

/** The server at this address, or in words why it cannot be used. */
async function tryAt(kind: Kind, address: string): Promise<Server | string> {
	const url = new URL(address);
	const problem: unknown = await kind.check(url).catch((error: unknown) => error);
	if (problem === undefined) return { url, stop: async () => await Promise.resolve() };
	const reason = problem instanceof Error ? problem.message : 'no answer';
	return `the server at ${url.host} cannot be used (${reason})`;
}

/**
 * Finds or starts a server.
 *
 * @throws Error that says what to install or to set, when there is none that can be used
 */
export async function findServer(kind: Kind): Promise<Server> {
	const { name, variable, usualUrl, debianPackage } = kind;
	const named = process.env[variable];
	const found = named === 'own' ? `${variable} is "own"` : await tryAt(kind, named ?? usualUrl);
	if (typeof found !== 'string') return found;
	const own = named === undefined || named === 'own' ? kind.own() : undefined;
	if (own !== undefined) return await startOwn(kind, own);
	throw new Error(
		`Queue mode needs ${name}: ${found}. Install it (on Debian and Ubuntu: apt-get install ` +
			`${debianPackage}), or name a server that runs: ${variable}=${usualUrl}`,
	);
}
