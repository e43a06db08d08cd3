/** What the workflow answers to the webhook's caller. */
import { z } from 'zod';
import { InputError } from '../everywhere/parameters';
import { type Answer, JOB_STATUSES, type JobStatus, jobAnswer } from './answers';
import { attempt } from '../attempt';

/** The parameters as the user gave them, and the json of the items that came in. */
export interface Given {
	statusCode: unknown;
	requestId: unknown;
	jobStatus: unknown;
	body: unknown;
	items: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Makes the answer.
 *
 * @throws InputError that names the parameter; nothing is answered then
 */
export function readAnswer({ statusCode, requestId, jobStatus, body, items }: Given): Answer {
	const status = z.number().int().min(200).max(599).safeParse(statusCode);
	if (!status.success) throw new InputError('Status Code', 'is not a number from 200 to 599');
	return {
		statusCode: status.data,
		body: readBody(body) ?? jobAnswer(readId(requestId, items), readStatus(jobStatus, items)),
	};
}

/** Null when the default is meant. */
function readBody(value: unknown): Answer['body'] | null {
	const given = typeof value === 'string' ? parse(value) : (value ?? {});
	const read = z.record(z.string(), z.unknown()).safeParse(given);
	if (!read.success) throw new InputError('Body', 'is not a JSON object');
	return Object.keys(read.data).length === 0 ? null : read.data;
}

function parse(text: string): unknown {
	const parsed = attempt(SyntaxError, (): unknown => (text.trim() === '' ? {} : JSON.parse(text)));
	if (parsed instanceof SyntaxError) throw new InputError('Body', 'is not valid JSON');
	return parsed;
}

function readId(value: unknown, items: Given['items']): string {
	const id = z
		.string()
		.min(1)
		.safeParse(isEmpty(value) ? items[0]?.requestId : value);
	if (id.success) return id.data;
	throw new InputError('Request ID', "is empty, and the item has no 'requestId'");
}

/** Of several users, one who failed makes the job failed. */
function readStatus(value: unknown, items: Given['items']): JobStatus {
	const given = isEmpty(value) ? items.map(({ status }) => status) : [value];
	const read = z.array(z.enum(JOB_STATUSES)).min(1).safeParse(given);
	if (read.success) {
		const worst = (['failed', 'pending'] as const).find((status) => read.data.includes(status));
		return worst ?? 'completed';
	}
	throw new InputError('Job Status', `is not one of ${JOB_STATUSES.join(', ')}`);
}

const isEmpty = (value: unknown): boolean => value === '' || value === undefined || value === null;
