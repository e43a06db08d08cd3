/** How the demo shows the result of a revocation in a terminal. No terminal, no n8n: text only. */
import { z } from 'zod';
import type { Execution } from '../../test/host/execution';
import { output } from '../../test/host/execution';
import { duration, paint } from '../../test/host/progress';

const LABEL_WIDTH = 14;
const LINE_WIDTH = 96;

const targetSchema = z.object({
	connector: z.string(),
	outcome: z.string(),
	cause: z.string().nullable().optional(),
	statusCode: z.number().nullable(),
	ended: z.array(z.string()),
	survives: z.array(z.object({ what: z.string(), until: z.string().nullable() })),
	verification: z.object({ status: z.string(), method: z.string().nullable() }),
	attempts: z.number(),
	durationMs: z.number(),
});
type Target = z.infer<typeof targetSchema>;

const resultSchema = z.object({
	user: z.string(),
	status: z.enum(['completed', 'failed']),
	coverage: z.string(),
	message: z.string(),
	durationMs: z.number(),
	results: z.array(targetSchema),
});
/** The item that Revoke Everywhere made of one user. */
type RevocationResult = z.infer<typeof resultSchema>;

/** The results of Revoke Everywhere in an execution, with the output that each of them left by. */
export function resultsOf(
	execution: Execution,
	node: string,
): (RevocationResult & { outputName: string })[] {
	return ['Success', 'Failure'].flatMap((outputName, index) =>
		output(execution, node, index).map(({ json }) => ({
			...resultSchema.parse(json),
			outputName,
		})),
	);
}

/** Breaks a text into lines that fit behind a label. */
function wrap(text: string, width: number): string[] {
	const lines: string[] = [];
	let line = '';
	for (const word of text.split(/\s+/)) {
		if (line !== '' && line.length + 1 + word.length > width) {
			lines.push(line);
			line = word;
		} else {
			line = line === '' ? word : `${line} ${word}`;
		}
	}
	return [...lines, line];
}

/** `label   text`, the text's further lines under its first. */
export function field(label: string, text: string, indent = 2): string[] {
	const start = ' '.repeat(indent);
	const lines = wrap(text, LINE_WIDTH - indent - LABEL_WIDTH);
	return lines.map((line, index) => {
		const head = (index === 0 ? label : '').padEnd(LABEL_WIDTH);
		return `${start}${paint('dim', head)}${line}`;
	});
}

const SUCCESSES = new Set([
	...['revoked', 'tokens_revoked', 'nothing_to_revoke', 'accepted', 'planned', 'unchanged'],
]);

const words = (identifier: string) => identifier.replaceAll('_', ' ');

/** An outcome in words, with its cause and the status of the answer that decided it. */
export function outcomeOf(target: Target): string {
	const colour = SUCCESSES.has(target.outcome) ? 'green' : 'red';
	const cause = typeof target.cause === 'string' ? `, ${words(target.cause)}` : '';
	const status = target.statusCode === null ? '' : ` (HTTP ${String(target.statusCode)})`;
	return `${paint(colour, words(target.outcome))}${cause}${status}`;
}

function survivorsOf({ survives }: Target): string {
	if (survives.length === 0) return 'nothing known';
	return survives
		.map(({ what, until }) => (until === null ? what : `${what} (until ${until})`))
		.join('; ');
}

function verificationOf({ verification }: Target): string {
	const method = verification.method === null ? '' : ` by ${verification.method}`;
	return `${words(verification.status)}${method}`;
}

/** A few lines for each target: outcome, what ended, what survives, verification, time. */
export function describeTarget(target: Target): string[] {
	const calls = target.attempts === 1 ? '1 call' : `${String(target.attempts)} calls`;
	const how = `${outcomeOf(target)}, ${duration(target.durationMs)}, ${calls}`;
	return [
		`  ${paint('bold', target.connector)}`,
		...field('outcome', how, 4),
		...field('ended', target.ended.length === 0 ? 'nothing' : target.ended.join(', '), 4),
		...field('survives', survivorsOf(target), 4),
		...field('verification', verificationOf(target), 4),
	];
}
