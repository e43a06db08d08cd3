import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { TargetResult } from '../result';

/**
 * Items by their output: Success first, then Failure. As an AI tool all leave by the first one,
 * because only that one reaches the agent.
 */
export function sorted(
	context: IExecuteFunctions,
	results: readonly { item: INodeExecutionData; success: boolean }[],
): INodeExecutionData[][] {
	const items = (wanted: boolean): INodeExecutionData[] =>
		results.filter(({ success }) => success === wanted).map(({ item }) => item);
	if (isTool(context)) return [results.map(({ item }) => item), []];
	return [items(true), items(false)];
}

/** An AI agent or MCP client runs the node. */
export const isTool = (context: IExecuteFunctions): boolean =>
	typeof context.isToolExecution === 'function' && context.isToolExecution();

/** What to tell about a parameter that cannot be worked with. */
export const inputMessage = (parameter: string, problem: string, itemIndex: number): string =>
	`The parameter '${parameter}' of item ${itemIndex} ${problem}: correct it and run the item again; nothing was sent for it`;

/**
 * When an execution is cancelled n8n throws its items away: what was done stays in n8n's log. It
 * stands in the message, because n8n's usual log has nothing but messages.
 */
export function logAfterCancel(
	context: IExecuteFunctions,
	results: readonly TargetResult[],
	requestId: string | null = null,
): void {
	if (!context.getExecutionCancelSignal()?.aborted) return;
	const sent = results.filter(({ steps }) => steps.some(({ step }) => step === 'revokeSessions'));
	for (const { connector, identityKey, outcome, cause, vendorRequestId } of sent) {
		const done = { requestId, connector, user: identityKey, outcome, cause, vendorRequestId };
		context.logger.info(
			`Session revocation was cancelled; what had been done: ${JSON.stringify(done)}`,
			done,
		);
	}
}
