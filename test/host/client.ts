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

/** Who may sign in to the editor. */
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
const apiKey = z.object({ data: z.object({ rawApiKey: z.string() }) });
const testResult = z.object({
	data: z.object({ status: z.enum(['OK', 'Error']), message: z.string().optional() }),
});
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
	async publish(workflow: SavedWorkflow, webhookUrl: string): Promise<void> {
		await this.publishForOthers(workflow);
		const deadline = Date.now() + PUBLISH_TIMEOUT_MS;
		for (;;) {
			const response = await fetch(webhookUrl, {
				method: 'POST',
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

	/** All that n8n stored of an execution, as text: for searching it. */
	async storedExecution(executionId: string): Promise<string> {
		const stored = await this.call(z.unknown(), {
			method: 'GET',
			path: `/api/v1/executions/${executionId}?includeData=true`,
			headers: { 'x-n8n-api-key': this.key },
		});
		return JSON.stringify(stored);
	}

	/** How many executions of a workflow have come to an end. */
	async executionCount(workflowId: string): Promise<number> {
		return (await this.finishedExecutions(workflowId)).length;
	}

	/** The executions of a workflow that have come to an end, the newest first. */
	private async finishedExecutions(workflowId: string): Promise<Execution[]> {
		const { data } = await this.call(executionList, {
			method: 'GET',
			path: `/api/v1/executions?workflowId=${workflowId}&includeData=true&limit=20`,
			headers: { 'x-n8n-api-key': this.key },
		});
		return data.filter((execution) => execution.stoppedAt !== null);
	}

	/**
	 * Does what starts an execution of a workflow, and gives the execution when it is finished. For
	 * workflows that nobody else starts at the same time.
	 */
	async executionAfter(workflowId: string, trigger: () => Promise<void>): Promise<Execution> {
		const known = new Set((await this.finishedExecutions(workflowId)).map(({ id }) => id));
		await trigger();
		const deadline = Date.now() + EXECUTION_TIMEOUT_MS;
		for (;;) {
			const fresh = (await this.finishedExecutions(workflowId)).find(({ id }) => !known.has(id));
			if (fresh !== undefined) return fresh;
			if (Date.now() > deadline) {
				const seconds = String(EXECUTION_TIMEOUT_MS / 1000);
				throw new Error(`Workflow ${workflowId} finished no execution within ${seconds} s.`);
			}
			await sleep(POLL_MS);
		}
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
