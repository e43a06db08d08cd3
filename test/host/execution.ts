/** What an execution of a workflow tells: which nodes ran, what left by which output. */
import { z } from 'zod';

const itemSchema = z.object({
	json: z.record(z.unknown()),
	pairedItem: z.unknown(),
});

const nodeRunSchema = z
	.object({
		executionStatus: z.string(),
		hints: z.array(z.object({ message: z.string() }).passthrough()).optional(),
		error: z.object({ message: z.string() }).passthrough().optional(),
		data: z
			.object({ main: z.array(z.array(itemSchema).nullable()) })
			.partial()
			.optional(),
	})
	.passthrough();

export const executionSchema = z
	.object({
		id: z.coerce.string(),
		status: z.string(),
		mode: z.string(),
		startedAt: z.string().nullable(),
		stoppedAt: z.string().nullable(),
		data: z.object({
			resultData: z
				.object({
					runData: z.record(z.array(nodeRunSchema)),
					error: z.object({ message: z.string() }).passthrough().optional(),
				})
				.passthrough(),
		}),
	})
	.passthrough();

export type Execution = z.infer<typeof executionSchema>;
type NodeRun = z.infer<typeof nodeRunSchema>;
type Item = z.infer<typeof itemSchema>;

/** The only run of a node in an execution; undefined when the node did not run. */
export function nodeRun(execution: Execution, node: string): NodeRun | undefined {
	return execution.data.resultData.runData[node]?.[0];
}

/** What left a node by one of its outputs. */
export function output(execution: Execution, node: string, index = 0): Item[] {
	return nodeRun(execution, node)?.data?.main?.[index] ?? [];
}

/** One sentence on why an execution did not succeed. */
export function complaint(execution: Execution): string {
	const message = execution.data.resultData.error?.message ?? 'without a message';
	return `Execution ${execution.id} ended as "${execution.status}": ${message}`;
}
