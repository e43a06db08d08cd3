/**
 * A workflow of the user's own in the place of an API: it receives `{ identityKey, action }` and ends
 * with `{ identityKey, changed }`. Internal to the node: it is no target of its own.
 */
import { z } from 'zod';
import { defineConnector, type StepVerdict, unasked, type VendorReply } from '../core/connector';
import { custom } from './connector';

const ACTION = 'revoke_sessions';

/** One item, about the same identity. */
function judge({ body }: VendorReply, identity: string): StepVerdict | undefined {
	const ended = z
		.tuple([z.object({ identityKey: z.literal(identity), changed: z.boolean() })])
		.safeParse(body);
	if (!ended.success) return undefined;
	return ended.data[0].changed ? { verdict: 'ended', changed: true } : { verdict: 'already_gone' };
}

const { key, node, docs, userPlaceholder, options, credential } = custom;

export const customWorkflow = defineConnector<unknown, string, unknown>({
	...{ key, node, docs, userPlaceholder, options, credential },
	access: (unused) => custom.access(unused),
	title: 'The sub-workflow',
	operations: ['revokeAllSessions'],
	requestId: null,
	errorCode: () => null,
	explain: () => ({
		cause: 'unexpected_reply',
		advice:
			'it has to end with exactly one item { identityKey, changed }, with the identityKey that it received and with true or false',
	}),

	lookUp: (identity) =>
		unasked({
			found: 'unknown',
			reply: null,
			account: identity,
			why: 'Whether there is such a user only the sub-workflow knows',
			missingPermissions: [],
		}),

	endedOutcome: 'revoked',
	revocation: (identity) => [
		{
			request: {
				method: 'POST',
				path: '/',
				body: { json: { identityKey: identity, action: ACTION } },
				idempotent: false,
				bucket: 'workflow',
				needs: [],
			},
			ends: ['sessions'],
			judge: (reply) => judge(reply, identity),
		},
	],

	survives: () => [
		{
			what: 'access that the sub-workflow does not end',
			forMs: null,
			note: 'Only the sub-workflow knows what else the user holds',
		},
	],

	checkSetup() {
		const what = 'nothing can be asked without ending sessions';
		const problem = { cause: 'configuration', what } as const;
		return unasked({ missingPermissions: [], unproved: null, problem });
	},
});
