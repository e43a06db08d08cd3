import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { z } from 'zod';
import {
	type Budget,
	type Line,
	redactor,
	Scope,
	TransportError,
	type VendorReply,
	type VendorRequest,
} from '../transport';
import { WORKFLOW_ID } from './node.description';
import { nodeError } from './surroundings';

/**
 * A line on which a workflow of the user's own answers: the JSON body of a request becomes the one
 * item that it receives, and the items that it ends with are the answer.
 *
 * @param page where it is explained
 * @throws NodeOperationError when no workflow is chosen
 */
export function workflowLine(context: IExecuteFunctions, page: string): Line {
	const chosen = selected.safeParse(context.getNodeParameter(WORKFLOW_ID, 0, ''));
	const id = chosen.success ? chosen.data.trim() : '';
	if (id === '') {
		throw nodeError(context, page, {
			message: "The parameter 'Workflow' is empty",
			nextStep: 'Choose the workflow that ends the sessions',
		});
	}
	return new WorkflowLine(context, id);
}

/** n8n's selector gives an object, an expression a text. */
const selected = z.union([z.string(), z.object({ value: z.string() }).transform((it) => it.value)]);

/** Nothing is known of the workflow's secrets: only what looks like one can be told. */
const { redact } = redactor([]);

class WorkflowLine implements Line {
	constructor(
		private readonly context: IExecuteFunctions,
		private readonly id: string,
	) {}

	async send(request: VendorRequest, budget: Budget): Promise<VendorReply> {
		const signals = [budget.signal, this.context.getExecutionCancelSignal()];
		const scope = new Scope(budget.deadline, signals);
		try {
			scope.ensureOpen();
			budget.onSend?.();
			const body = await scope.race(this.run(request));
			return { status: 0, headers: {}, body, bodyKind: 'json', serverTime: Date.now() };
		} finally {
			scope.close();
		}
	}

	/** @returns the json of each item that the workflow ends with */
	private async run({ body }: VendorRequest): Promise<readonly IDataObject[]> {
		const json = (body && 'json' in body ? body.json : {}) as IDataObject;
		const { context, id } = this;
		const parentExecution = {
			executionId: context.getExecutionId(),
			workflowId: context.getWorkflow().id ?? '',
			shouldResume: false,
		};
		const executionMode = context.getMode();
		const { data, waitTill } = await neverWaiting(context)
			.executeWorkflow({ id }, [{ json }], undefined, { parentExecution, executionMode })
			.catch((error: unknown) => {
				const why = error instanceof Error ? error.message : 'it did not say why';
				throw new TransportError(`It stopped. ${why}`, 'unexpected_reply', true);
			});
		if (waitTill) {
			const what =
				'It waits, so what becomes of the sessions is not known; let it end without waiting';
			throw new TransportError(what, 'unexpected_reply', true);
		}
		return data.flatMap((output) => (output ?? []).map((item) => item.json));
	}

	grantedScopes(): Promise<null> {
		return Promise.resolve(null);
	}

	wait(): Promise<void> {
		return Promise.resolve();
	}

	urlOf(): string {
		return `workflow:${encodeURIComponent(this.id)}`;
	}

	redact<T>(value: T): T {
		return redact(value);
	}
}

/**
 * The same context, which a workflow that waits does not put to wait too: n8n would resume the node
 * with the items that it got, and those would leave by Success.
 */
const neverWaiting = (context: IExecuteFunctions): IExecuteFunctions =>
	Object.create(context, {
		putExecutionToWait: { value: () => Promise.resolve() },
		setMetadata: { value: () => undefined },
	}) as IExecuteFunctions;
