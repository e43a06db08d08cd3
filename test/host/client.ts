/**
 * A client for the REST API that n8n's own editor uses, and for the public API where that is easier
 * to read. Every answer is parsed: an n8n that answers otherwise is noticed here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { executionSchema, type Execution } from './execution';
import type { WorkflowFile } from './workflow';

const CALL_TIMEOUT_MS = 30_000;
const PUBLISH_TIMEOUT_MS = 30_000;
const EXECUTION_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
/** What n8n calls an execution that has not come to its end. */
const ALIVE = ['new', 'running', 'waiting'];
/** The most that the public API gives at once. */
const PAGE = 250;

/** Who may sign in. */
export interface Owner {
	readonly email: string;
	readonly password: string;
}

/** A sign-in: the editor's cookie and a key for the public API. */
export interface Session {
	readonly cookie: string;
	readonly key: string;
}

export interface Credential {
	readonly id: string;
	readonly name: string;
	readonly type: string;
}

export interface SavedWorkflow {
	readonly id: string;
	readonly versionId: string;
}

/** An answer of n8n that nobody expected. */
class N8nAnswerError extends Error {
	override readonly name = 'N8nAnswerError';
	constructor(
		what: string,
		readonly status: number,
		body: string,
	) {
		super(`n8n answered ${what} with ${String(status)}: ${body.slice(0, 600)}`);
	}
}

const saved = z.object({ data: z.object({ id: z.string(), versionId: z.string() }) });
const created = z.object({ data: z.object({ id: z.string() }) });
const stoppable = z.object({ stoppedAt: z.string().nullable() });
const started = z.object({ data: z.object({ executionId: z.string() }) });
const apiKey = z.object({ data: z.object({ rawApiKey: z.string() }) });
const invited = z.object({
	data: z.array(z.object({ user: z.object({ inviteAcceptUrl: z.string() }) })).length(1),
});
const testResult = z.object({
	data: z.object({ status: z.enum(['OK', 'Error']), message: z.string().optional() }),
});
const runningList = z.object({ data: z.array(z.object({ id: z.coerce.string() })) });
const executionList = z.object({ data: z.array(executionSchema) });
const icon = z.union([z.string(), z.object({ light: z.string(), dark: z.string() })]);
const listedType = z.object({
	name: z.string(),
	displayName: z.string(),
	iconUrl: icon.optional(),
	outputs: z.unknown(),
	outputNames: z.array(z.string()).optional(),
	properties: z.array(
		z.object({
			name: z.string(),
			displayName: z.string(),
			options: z.array(z.object({ name: z.string() }).passthrough()).optional(),
		}),
	),
});
/** What n8n tells the editor about a node type or a credential type. */
export type ListedType = z.infer<typeof listedType>;

interface Call {
	readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
	readonly path: string;
	readonly body?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
}

/** One signed-in person at one n8n. */
export class N8nClient {
	private cookie: string;
	private key: string;

	constructor(
		readonly url: string,
		session?: Session,
	) {
		this.cookie = session?.cookie ?? '';
		this.key = session?.key ?? '';
	}

	/** What another client needs to act as the same person, also in another process. */
	get session(): Session {
		return { cookie: this.cookie, key: this.key };
	}

	private async call<T>(schema: z.ZodType<T, z.ZodTypeDef, unknown>, call: Call): Promise<T> {
		const what = `${call.method} ${call.path}`;
		const response = await fetch(this.url + call.path, {
			method: call.method,
			headers: {
				'content-type': 'application/json',
				...(this.cookie === '' ? {} : { cookie: this.cookie }),
				...call.headers,
			},
			...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
			signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
		});
		const text = await response.text();
		if (!response.ok) throw new N8nAnswerError(what, response.status, text);
		this.keepCookie(response);
		return schema.parse(JSON.parse(text));
	}

	private keepCookie(response: Response): void {
		const cookie = response.headers.getSetCookie().find((value) => value.startsWith('n8n-auth='));
		if (cookie !== undefined) this.cookie = cookie.split(';')[0] ?? '';
	}

	/** Makes the owner of a fresh n8n, who is signed in from then on, and a key for the public API. */
	async createOwner(owner: Owner): Promise<void> {
		const body = { ...owner, firstName: 'Demo', lastName: 'Owner' };
		await this.call(z.unknown(), { method: 'POST', path: '/rest/owner/setup', body });
		await this.signIn(owner);
		const key = await this.call(apiKey, {
			method: 'POST',
			path: '/rest/api-keys',
			body: {
				label: 'harness',
				expiresAt: Math.floor(Date.now() / 1000) + 24 * 3600,
				scopes: ['execution:list', 'execution:read'],
			},
		});
		this.key = key.data.rawApiKey;
	}

	/** Invites somebody who may sign in but owns nothing, and accepts in their name. */
	async addMember({ email, password }: Owner): Promise<void> {
		const { data } = await this.call(invited, {
			method: 'POST',
			path: '/rest/invitations',
			body: [{ email, role: 'global:member' }],
		});
		const token = new URL(data[0]?.user.inviteAcceptUrl ?? '').searchParams.get('token');
		const body = { token, firstName: 'Demo', lastName: 'Member', password };
		// By a client of its own: the answer carries the new member's cookie.
		await new N8nClient(this.url).call(z.unknown(), {
			method: 'POST',
			path: '/rest/invitations/accept',
			body,
		});
	}

	async signIn({ email, password }: Owner): Promise<void> {
		const body = { emailOrLdapLoginId: email, password };
		await this.call(z.unknown(), { method: 'POST', path: '/rest/login', body });
	}

	async createCredential(
		name: string,
		type: string,
		data: Readonly<Record<string, unknown>>,
	): Promise<Credential> {
		const answer = await this.call(created, {
			method: 'POST',
			path: '/rest/credentials',
			body: { name, type, data },
		});
		return { id: answer.data.id, name, type };
	}

	/** Presses "Test" in a credential, with the values that stand in its form. */
	async testCredential(credential: Credential, data: Readonly<Record<string, unknown>>) {
		const answer = await this.call(testResult, {
			method: 'POST',
			path: '/rest/credentials/test',
			body: { credentials: { ...credential, data } },
		});
		return answer.data;
	}

	async createWorkflow(workflow: WorkflowFile): Promise<SavedWorkflow> {
		const { name, nodes, connections, settings } = workflow;
		const answer = await this.call(saved, {
			method: 'POST',
			path: '/rest/workflows',
			body: { name, nodes, connections, settings },
		});
		return answer.data;
	}

	/**
	 * Publishes a workflow and waits until its webhook is live: n8n answers before that. The webhook is
	 * asked without its key, so that the question itself starts nothing.
	 */
	async publish(
		workflow: SavedWorkflow,
		webhookUrl: string,
		method: 'GET' | 'POST' = 'POST',
	): Promise<void> {
		await this.publishForOthers(workflow);
		const deadline = Date.now() + PUBLISH_TIMEOUT_MS;
		for (;;) {
			const response = await fetch(webhookUrl, {
				method,
				signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
			});
			await response.arrayBuffer();
			if (response.status !== 404) return;
			if (Date.now() > deadline) {
				throw new Error(`The published webhook ${webhookUrl} still answers 404.`);
			}
			await sleep(POLL_MS);
		}
	}

	/** Publishes a workflow that other workflows call, or one whose webhook cannot become live. */
	async publishForOthers({ id, versionId }: SavedWorkflow): Promise<void> {
		await this.call(z.unknown(), {
			method: 'POST',
			path: `/rest/workflows/${id}/activate`,
			body: { versionId },
		});
	}

	/** Presses "Listen for test event" in a trigger: the next call of its test webhook is taken. */
	async listenForTest(workflow: SavedWorkflow, trigger: string): Promise<void> {
		const waiting = z.object({ data: z.object({ waitingForWebhook: z.literal(true) }) });
		await this.call(waiting, {
			method: 'POST',
			path: `/rest/workflows/${workflow.id}/run`,
			body: { triggerToStartFrom: { name: trigger } },
			headers: { 'push-ref': 'nobody-looks' },
		});
	}

	/**
	 * Starts a saved workflow by hand, at one of its triggers, as the button below the canvas does; gives
	 * the id of the execution.
	 */
	async run(workflowId: string, trigger: string): Promise<string> {
		const { data } = await this.call(started, {
			method: 'POST',
			path: `/rest/workflows/${workflowId}/run`,
			body: { triggerToStartFrom: { name: trigger } },
		});
		return data.executionId;
	}

	/** An execution, when it is finished. */
	async finished(executionId: string): Promise<Execution> {
		const path = `/api/v1/executions/${executionId}`;
		const headers = { 'x-n8n-api-key': this.key };
		const deadline = Date.now() + EXECUTION_TIMEOUT_MS;
		for (;;) {
			const { stoppedAt } = await this.call(stoppable, { method: 'GET', path, headers });
			if (stoppedAt !== null) break;
			if (Date.now() > deadline) throw new Error(`Execution ${executionId} does not end.`);
			await sleep(POLL_MS);
		}
		const whole = `${path}?includeData=true`;
		return await this.call(executionSchema, { method: 'GET', path: whole, headers });
	}

	/** All that n8n stored of an execution, as text: for searching it. */
	async storedExecution(executionId: string): Promise<string> {
		const stored = await this.call(z.unknown(), {
			method: 'GET',
			path: `/api/v1/executions/${executionId}?includeData=true`,
			headers: { 'x-n8n-api-key': this.key },
		});
		return JSON.stringify(stored);
	}

	/**
	 * How many executions of a workflow have come to an end, once none of it runs any more: an answer
	 * may come before the execution that gave it has ended.
	 */
	async executionCount(workflowId: string): Promise<number> {
		const deadline = Date.now() + EXECUTION_TIMEOUT_MS;
		while ((await this.runningExecutions(workflowId)).length > 0) {
			if (Date.now() > deadline) throw new Error(`Workflow ${workflowId} does not come to rest.`);
			await sleep(POLL_MS);
		}
		return (await this.finishedExecutions(workflowId)).length;
	}

	/** The executions of a workflow, the newest first. */
	private async executions(workflowId: string): Promise<Execution[]> {
		const { data } = await this.call(executionList, {
			method: 'GET',
			path: `/api/v1/executions?workflowId=${workflowId}&includeData=true&limit=${PAGE}`,
			headers: { 'x-n8n-api-key': this.key },
		});
		return data;
	}

	/** The executions of a workflow that have come to an end, the newest first. */
	private async finishedExecutions(workflowId: string): Promise<Execution[]> {
		const all = await this.executions(workflowId);
		// One that has waited keeps the time at which it began to wait as that of its end.
		return all.filter(({ stoppedAt, status }) => stoppedAt !== null && !ALIVE.includes(status));
	}

	/** The execution of a workflow that waits for somebody, as soon as one does. */
	async waitingExecution(workflowId: string): Promise<Execution> {
		const deadline = Date.now() + EXECUTION_TIMEOUT_MS;
		for (;;) {
			const all = await this.executions(workflowId);
			const waiting = all.find(({ status }) => status === 'waiting');
			if (waiting !== undefined) return waiting;
			if (Date.now() > deadline) throw new Error(`No execution of ${workflowId} waits.`);
			await sleep(POLL_MS);
		}
	}

	/** The ids of the executions of a workflow that n8n works on at this moment. */
	async runningExecutions(workflowId: string): Promise<string[]> {
		const { data } = await this.call(runningList, {
			method: 'GET',
			path: `/api/v1/executions?workflowId=${workflowId}&status=running`,
			headers: { 'x-n8n-api-key': this.key },
		});
		return data.map(({ id }) => id);
	}

	/** Presses "Stop" in an execution. */
	async stopExecution(executionId: string): Promise<void> {
		await this.call(z.unknown(), {
			method: 'POST',
			path: `/rest/executions/${executionId}/stop`,
		});
	}

	/**
	 * Does what starts `count` executions of a workflow, and gives them when all are finished, which one
	 * that waits for somebody is not. For workflows that nobody else starts at the same time, and at
	 * most 250 executions.
	 */
	async executionsAfter(
		workflowId: string,
		count: number,
		trigger: () => Promise<void>,
		timeoutMs = EXECUTION_TIMEOUT_MS,
	): Promise<Execution[]> {
		const known = Math.max(
			0,
			...(await this.finishedExecutions(workflowId)).map(({ id }) => Number(id)),
		);
		await trigger();
		const deadline = Date.now() + timeoutMs;
		for (;;) {
			const finished = await this.finishedExecutions(workflowId);
			const fresh = finished.filter(({ id }) => Number(id) > known);
			if (fresh.length >= count) return fresh;
			if (Date.now() > deadline) {
				const seconds = String(timeoutMs / 1000);
				throw new Error(
					`Workflow ${workflowId} finished ${fresh.length} of ${count} executions within ${seconds} s.`,
				);
			}
			await sleep(POLL_MS);
		}
	}

	/** Does what starts one execution of a workflow, and gives it when it is finished. */
	async executionAfter(
		workflowId: string,
		trigger: () => Promise<void>,
		timeoutMs?: number,
	): Promise<Execution> {
		const [execution] = await this.executionsAfter(workflowId, 1, trigger, timeoutMs);
		if (execution === undefined) throw new Error('One execution was waited for.');
		return execution;
	}

	private async listedTypes(path: string, prefix: string): Promise<ListedType[]> {
		const types = await this.call(z.array(z.object({ name: z.string() }).passthrough()), {
			method: 'GET',
			path,
		});
		const ours = types.filter(({ name }) => name.startsWith(prefix));
		return z.array(listedType).parse(ours);
	}

	/** The node types whose name starts with `prefix` (a package's name). */
	async nodeTypes(prefix: string): Promise<ListedType[]> {
		return await this.listedTypes('/types/nodes.json', prefix);
	}

	/** The credential types whose name starts with `prefix`. */
	async credentialTypes(prefix: string): Promise<ListedType[]> {
		return await this.listedTypes('/types/credentials.json', prefix);
	}

	/** Fetches something that n8n serves to the editor, an icon for example. */
	async asset(path: string): Promise<{ status: number; contentType: string; text: string }> {
		const response = await fetch(new URL(path, this.url), {
			headers: { cookie: this.cookie },
			signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
		});
		const contentType = response.headers.get('content-type') ?? '';
		return { status: response.status, contentType, text: await response.text() };
	}
}
