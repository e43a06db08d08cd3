/**
 * Many requests in one, as JSON batching has it.
 *
 * @see https://learn.microsoft.com/graph/json-batching
 */
import { type Batch, queryOf, type VendorReply, type VendorRequest } from '../core/connector';
import { batchReplies } from './replies';

const VERSION = '/v1.0';

export const batch: Batch = {
	name: '$batch',
	/** @see https://learn.microsoft.com/graph/json-batching#batch-size-limitations */
	most: 20,
	fromUsers: 2,
	gatherMs: 5,
	combine: (requests) => ({
		method: 'POST',
		path: `${VERSION}/$batch`,
		body: { json: { requests: requests.map(asPart) } },
		idempotent: requests.every(({ idempotent }) => idempotent),
		bucket: '$batch',
		needs: [],
	}),
	split(reply, requests) {
		if (reply.status !== 200) return undefined;
		const parsed = batchReplies.safeParse(reply.body);
		if (!parsed.success) return undefined;
		const answers = new Map(parsed.data.responses.map((answer) => [answer.id, answer]));
		return requests.map((_, index) => {
			const answer = answers.get(String(index));
			// One that was forgotten has the whole for its answer, which says nothing of it.
			return answer === undefined ? reply : asReply(answer, reply);
		});
	},
};

function asPart({ method, path, query, body }: VendorRequest, index: number): object {
	const url = path.slice(VERSION.length) + queryOf(query);
	const part = { id: String(index), method, url };
	return body !== undefined && 'json' in body
		? { ...part, headers: { 'Content-Type': 'application/json' }, body: body.json }
		: part;
}

function asReply(
	{ status, headers, body }: { status: number; headers: Record<string, string>; body?: unknown },
	{ serverTime }: VendorReply,
): VendorReply {
	const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
	// What is not JSON comes as a text in base64.
	const bodyKind =
		body === undefined || body === null ? 'empty' : typeof body === 'string' ? 'other' : 'json';
	return {
		status,
		headers: Object.fromEntries(named) as Record<string, string>,
		body: bodyKind === 'json' ? body : undefined,
		bodyKind,
		serverTime,
	};
}
