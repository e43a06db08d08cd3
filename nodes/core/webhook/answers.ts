/** What callers of the webhook are answered. */
import { REFUSALS, type RefusedRequest } from './refusal';

export const JOB_STATUSES = ['pending', 'completed', 'failed'] as const;

export type JobStatus = (typeof JOB_STATUSES)[number];

export interface Answer {
	statusCode: number;
	body: Record<string, unknown>;
}

export const jobAnswer = (requestId: string, jobStatus: JobStatus): Answer['body'] => ({
	request_id: requestId,
	job_status: jobStatus,
});

export const refusalAnswer = ({ code, message, firstRequestId }: RefusedRequest): Answer => ({
	statusCode: REFUSALS[code],
	body: {
		error: { code, message },
		...(firstRequestId === null ? {} : { request_id: firstRequestId }),
	},
});
