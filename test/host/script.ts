/** Servers of this repository that run as processes of their own: one TypeScript file each. */
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { repositoryRoot } from './install';
import { start, stop, tail } from './processes';

const READY_TIMEOUT_MS = 60_000;

const ready = z.object({ url: z.string().url() });

/** A server that answers at `url` until it is stopped. */
export interface RunningScript {
	readonly url: string;
	stop(): Promise<void>;
}

/**
 * Starts a script and waits for the line of JSON with its `url`, which says that it is ready. The
 * script has to end when its standard input closes: that stays open as long as we live.
 *
 * @param what names the server at the beginning of an error message
 * @throws Error with the end of what the script wrote, when it ends or is not ready within 60 s
 */
export async function startScript(
	what: string,
	file: string,
	args: readonly string[],
): Promise<RunningScript> {
	const child = start(process.execPath, ['--import', 'tsx', file, ...args], {
		cwd: repositoryRoot,
		stdio: ['pipe', 'pipe', 'pipe'],
	});
	let errors = '';
	child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
	const url = await new Promise<string>((resolve, reject) => {
		const fail = (how: string) => {
			clearTimeout(timer);
			reject(new Error(`${what} ${how}.\n${tail(errors)}`));
		};
		const timer = setTimeout(() => {
			fail(`was not ready within ${READY_TIMEOUT_MS / 1000} s`);
		}, READY_TIMEOUT_MS);
		child.once('error', (error) => {
			fail(`could not be started: ${error.message}`);
		});
		child.once('exit', (code) => {
			fail(`ended with status ${code ?? 'unknown'}`);
		});
		if (child.stdout === null) return;
		createInterface({ input: child.stdout }).on('line', (line) => {
			if (!line.startsWith('{')) return;
			clearTimeout(timer);
			resolve(ready.parse(JSON.parse(line)).url);
		});
	}).catch(async (error: unknown) => {
		await stop(child);
		throw error;
	});
	return {
		url,
		stop: async () => {
			await stop(child);
		},
	};
}
