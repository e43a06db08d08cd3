import { type IExecuteFunctions, NodeOperationError } from 'n8n-workflow';
import { attempt } from '../attempt';
import { ConfigurationError } from '../connection';
import { DOCS_URL, seeAlso } from '../documentation';
import type { EgressFilter, Surroundings } from '../transport/types';

let warned = false;

/**
 * What n8n gives the transport: its egress filter, its cancel signal, its log.
 *
 * @throws NodeOperationError when this n8n cannot protect what it is set to protect
 */
export function surroundingsOf(context: IExecuteFunctions, usersInParallel: number): Surroundings {
	const egressFilter = egressFilterOf(context);
	const cancelSignal = context.getExecutionCancelSignal();
	return {
		...(egressFilter ? { egressFilter } : {}),
		...(cancelSignal ? { cancelSignal } : {}),
		usersInParallel,
		log: (level, message, details) => {
			context.logger[level](message, details);
		},
	};
}

/** Hosts before n8n 2.30 have none: they are warned once, and refused when their SSRF protection is on. */
function egressFilterOf(context: IExecuteFunctions): EgressFilter | undefined {
	if (typeof context.helpers.getSecureEgressFilter === 'function') {
		return context.helpers.getSecureEgressFilter();
	}
	if (process.env.N8N_SSRF_PROTECTION_ENABLED === 'true') {
		throw nodeError(context, `${DOCS_URL}/outcomes.md#blocked_by_policy`, {
			message:
				'This version of n8n does not let nodes use its protection against server-side request forgery, which is switched on',
			nextStep: 'Update n8n to 2.30 or later',
		});
	}
	if (!warned) {
		warned = true;
		context.logger.warn(
			'This version of n8n offers no egress filter to nodes: session revocation runs without it. Update n8n to 2.30 or later.',
		);
	}
	return undefined;
}

/**
 * Does what may find that nothing can work, and says so as n8n expects it.
 *
 * @param page where it is explained
 * @throws NodeOperationError in place of a ConfigurationError
 */
export function orNodeError<T>(context: IExecuteFunctions, page: string, work: () => T): T {
	const done = attempt(ConfigurationError, work);
	if (!(done instanceof ConfigurationError)) return done;
	throw nodeError(context, page, done);
}

/** What stops a node before any call, with where it is explained. */
export const nodeError = (
	context: Pick<IExecuteFunctions, 'getNode'>,
	page: string,
	{ message, nextStep }: Pick<ConfigurationError, 'message' | 'nextStep'>,
): NodeOperationError =>
	new NodeOperationError(context.getNode(), message, {
		description: `${nextStep}. ${seeAlso(page)}`,
	});
