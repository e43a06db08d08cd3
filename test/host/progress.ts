/**
 * Progress of long steps, line by line: readable in a terminal, in a CI log and in jest's output.
 * No spinner, so that nothing is lost when the output is a file.
 */

/** How often a step that is still running says so. */
const HEARTBEAT_MS = 10_000;
const LABEL_WIDTH = 24;

const colourful = process.stdout.isTTY && process.env.NO_COLOR === undefined;

/** Wraps text in a terminal colour; plain text when the output is no terminal. */
export function paint(code: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string): string {
	if (!colourful) return text;
	const open = { bold: 1, dim: 2, green: 32, red: 31, yellow: 33 }[code];
	return `\u001b[${open}m${text}\u001b[0m`;
}

/** `850 ms`, `4.2 s`, `3 min 05 s`. */
export function duration(ms: number): string {
	if (ms < 1000) return `${Math.round(ms)} ms`;
	if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
	const seconds = Math.round(ms / 1000);
	return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** Prints one line. The one place where these scripts write to the terminal. */
export function say(line = ''): void {
	process.stdout.write(`${line}\n`);
}

/** What a running step can tell the person who waits for it. */
export interface Step {
	/** What is going on now: shown with the next heartbeat. */
	now(text: string): void;
	/** What to show behind the label when the step is done. */
	result(text: string): void;
}

/**
 * Runs `work` as a step that a person sees: a line every ten seconds while it runs, one line with
 * the elapsed time at its end. An error passes through after its line.
 */
export async function step<T>(label: string, work: (step: Step) => Promise<T>): Promise<T> {
	const startedAt = performance.now();
	const elapsed = () => duration(performance.now() - startedAt);
	let now = '';
	let result = '';
	const heartbeat = setInterval(() => {
		const what = now === '' ? label : `${label}: ${now}`;
		say(paint('dim', `  … ${what} (${elapsed()})`));
	}, HEARTBEAT_MS);
	try {
		const value = await work({ now: (text) => (now = text), result: (text) => (result = text) });
		const padded = label.padEnd(LABEL_WIDTH);
		const tail = result === '' ? '' : `${result}  `;
		say(`  ${paint('green', '✔')} ${padded} ${tail}${paint('dim', elapsed())}`);
		return value;
	} catch (error) {
		say(`  ${paint('red', '✘')} ${label} ${paint('dim', `(after ${elapsed()})`)}`);
		throw error;
	} finally {
		clearInterval(heartbeat);
	}
}
