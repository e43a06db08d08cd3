/**
 * Child processes that never outlive their parent: each runs in a process group of its own, so that
 * a stop reaches also what it started, and every group that is still alive is killed when this
 * process ends, however it ends. (A parent killed by SIGKILL cannot do that: `end-with-parent.cjs`.)
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';

/** Lines kept of a child's output for error messages. */
const TAIL_LINES = 25;
const STOP_GRACE_MS = 15_000;
const KILL_GRACE_MS = 5_000;
const SHUTDOWN_TIMEOUT_MS = 40_000;

const alive = new Set<ChildProcess>();

/** Sends a signal to a child's whole group; a group that is already gone is fine. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
	if (child.pid === undefined) return;
	try {
		process.kill(-child.pid, signal);
	} catch {
		// ESRCH: nothing of the group is left.
	}
}

process.on('exit', () => {
	for (const child of alive) signalGroup(child, 'SIGKILL');
});

interface SpawnOptions {
	readonly cwd?: string;
	readonly env?: NodeJS.ProcessEnv;
	readonly stdio?: StdioOptions;
}

/** Starts a child in its own process group and remembers it until it is gone. */
export function start(
	command: string,
	args: readonly string[],
	options: SpawnOptions = {},
): ChildProcess {
	const child = spawn(command, args, { ...options, detached: true });
	alive.add(child);
	child.once('exit', () => {
		// What the child left behind in its group goes with it.
		signalGroup(child, 'SIGKILL');
		alive.delete(child);
	});
	child.once('error', () => alive.delete(child));
	return child;
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

/** Waits until a child has ended; false when it still runs after `timeoutMs`. */
async function ended(child: ChildProcess, timeoutMs: number): Promise<boolean> {
	if (hasEnded(child) || child.pid === undefined) return true;
	return await new Promise((resolve) => {
		const timer = setTimeout(() => {
			resolve(false);
		}, timeoutMs);
		child.once('exit', () => {
			clearTimeout(timer);
			resolve(true);
		});
	});
}

/** Ends a child and its group: SIGTERM to the child, a bounded wait, then SIGKILL to the group. */
export async function stop(child: ChildProcess, graceMs = STOP_GRACE_MS): Promise<void> {
	if (hasEnded(child)) return;
	child.kill('SIGTERM');
	if (await ended(child, graceMs)) return;
	signalGroup(child, 'SIGKILL');
	await ended(child, KILL_GRACE_MS);
}

/** Ends every child that is still alive. */
export async function stopAll(): Promise<void> {
	await Promise.all([...alive].map(async (child) => await stop(child)));
}

/** The last lines of a text, for error messages. */
export function tail(text: string, lines = TAIL_LINES): string {
	return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/** A command that did not end with status 0 in time. */
export class CommandError extends Error {
	override readonly name = 'CommandError';
	constructor(
		summary: string,
		readonly output: string,
	) {
		super(output === '' ? summary : `${summary}\n${tail(output)}`);
	}
}

interface RunOptions extends SpawnOptions {
	readonly timeoutMs: number;
	/** Called with each line of both outputs as it comes. */
	readonly onLine?: (line: string) => void;
}

/** Runs a command to its end and gives its standard output. */
export async function run(
	command: string,
	args: readonly string[],
	{ timeoutMs, onLine, ...options }: RunOptions,
): Promise<string> {
	const child = start(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
	const what = `${command} ${args.slice(0, 2).join(' ')}`;
	let stdout = '';
	let output = '';
	const collect = (isStdout: boolean) => {
		let rest = '';
		return (chunk: Buffer) => {
			const text = chunk.toString('utf8');
			if (isStdout) stdout += text;
			output += text;
			const lines = (rest + text).split('\n');
			rest = lines.pop() ?? '';
			for (const line of lines) onLine?.(line);
		};
	};
	child.stdout?.on('data', collect(true));
	child.stderr?.on('data', collect(false));
	return await new Promise((resolve, reject) => {
		const timer = setTimeout(() => {
			signalGroup(child, 'SIGKILL');
			reject(new CommandError(`${what} did not end within ${timeoutMs / 1000} s.`, output));
		}, timeoutMs);
		child.once('error', (error) => {
			clearTimeout(timer);
			reject(new CommandError(`${what} could not be started: ${error.message}`, output));
		});
		child.once('close', (code, signal) => {
			clearTimeout(timer);
			if (code === 0) resolve(stdout);
			else reject(new CommandError(`${what} ended with ${signal ?? `status ${code}`}.`, output));
		});
	});
}

/** True while a process with this id exists (also one of another user). */
export function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error instanceof Error && 'code' in error && error.code === 'EPERM';
	}
}

/** The variable by which `scripts/bootstrap.mjs` tells its children who started them. */
const STARTER = 'SESSION_REVOCATION_STARTER_PID';

/**
 * Ends this process when the bootstrap script that started it is gone: between the two stand npm, a
 * shell and tsx, which do not pass on that it was killed.
 */
export function endWithStarter(): void {
	const pid = Number(process.env[STARTER]);
	if (!(pid > 0)) return;
	setInterval(() => {
		if (!isRunning(pid)) process.kill(process.pid, 'SIGTERM');
	}, 1000).unref();
}

/**
 * Runs `cleanUp` once when the process is asked to end (Ctrl-C, SIGTERM, a closed terminal) or fails
 * in a way nobody caught, then ends with the status that it gives. A second Ctrl-C does not wait.
 */
export function onShutdown(cleanUp: (status: number) => Promise<number>): void {
	let startedAt: number | undefined;
	const shutDown = (status: number) => {
		if (startedAt !== undefined) {
			// npm and the terminal may both deliver the same Ctrl-C: only a later one is a second.
			if (performance.now() - startedAt > 1500) process.exit(status);
			return;
		}
		startedAt = performance.now();
		setTimeout(() => process.exit(status), SHUTDOWN_TIMEOUT_MS).unref();
		cleanUp(status).then(
			(final) => process.exit(final),
			() => process.exit(status),
		);
	};
	// A terminal that was closed takes no more lines: that is no reason not to clean up.
	for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
	for (const [signal, status] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) {
		process.on(signal, () => {
			shutDown(status);
		});
	}
	for (const event of ['uncaughtException', 'unhandledRejection']) {
		process.on(event, (error: unknown) => {
			process.stderr.write(`${error instanceof Error ? String(error.stack) : String(error)}\n`);
			shutDown(1);
		});
	}
}
