/** The template of the webhook API with a ledger, as a caller meets it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { hmac, signed, unixSeconds } from '../support/signed';
import type { Credential, N8nClient, SavedWorkflow } from './client';
import type { Execution } from './execution';
import { filledIn, withParameters } from './templates';
import { withNode, type WorkflowFile } from './workflow';

const FILE = 'webhook-api-with-ledger.json';
const TIMEOUT_MS = 290_000;
const BUSY_MS = 1_000;
const POLL_MS = 100;

/** The node names of the template. */
export const LEDGER = {
	trigger: 'Session Revocation Trigger',
	settings: 'Settings',
	revoke: 'Revoke Everywhere',
	setUp: 'Set Up',
	usage: 'Every Day',
	usageReport: 'Usage',
} as const;

interface Reply {
	readonly status: number;
	readonly body: unknown;
}

/** What a test wants to be different from the template as it comes. */
interface Changes {
	/** The Data Table: each test works in one of its own. */
	readonly table: string;
	readonly hourlyLimit?: number;
	readonly respond?: 'immediately' | 'whenFinished';
	/** Null: the credential is for no tenant in particular. */
	readonly tenantId?: string | null;
	/** Credentials of Revoke Everywhere. */
	readonly systems: readonly Credential[];
	/** Anything else. */
	readonly edit?: (workflow: WorkflowFile) => WorkflowFile;
}

/** The template, published, and somebody who holds its secret. */
export class Ledger {
	private constructor(
		private readonly client: N8nClient,
		readonly workflow: SavedWorkflow,
		readonly baseUrl: string,
		readonly tenantId: string,
		readonly secret: string,
	) {}

	/** Imports the template, fills it in and publishes it; the branch Set Up has not run yet. */
	static async publish(client: N8nClient, changes: Changes): Promise<Ledger> {
		const { table, hourlyLimit = 1000, respond = 'whenFinished', systems } = changes;
		const tenantId = changes.tenantId ?? randomUUID();
		const secret = `sr_${randomBytes(32).toString('base64url')}`;
		const credential = await client.createCredential(
			`Webhook of ${table}`,
			'sessionRevocationWebhookApi',
			{ secret, tenantId: changes.tenantId === null ? '' : tenantId },
		);
		const choices = { [LEDGER.trigger]: [credential], [LEDGER.revoke]: systems };
		const text = JSON.stringify(filledIn(FILE, choices))
			.replaceAll('session_revocation_requests', table)
			.replace('"value":100}', `"value":${hourlyLimit}}`);
		const edited = (changes.edit ?? ((same) => same))(JSON.parse(text) as WorkflowFile);
		const webhookId = randomUUID();
		const identified = withNode(edited, LEDGER.trigger, (node) => ({ ...node, webhookId }));
		const workflow = withParameters(identified, LEDGER.trigger, { respond });
		const saved = await client.createWorkflow(workflow);
		const baseUrl = `${client.url}/webhook/${webhookId}/api/v1/session-revocation`;
		await client.publish(saved, `${baseUrl}/webhook`);
		return new Ledger(client, saved, baseUrl, tenantId, secret);
	}

	/** The same API at another process of n8n. */
	at(url: string): Ledger {
		const { client, workflow, baseUrl, tenantId, secret } = this;
		return new Ledger(client, workflow, baseUrl.replace(client.url, url), tenantId, secret);
	}

	/** Runs one of the branches that people and clocks start. */
	async run(trigger: string): Promise<Execution> {
		return await this.client.finished(await this.client.run(this.workflow.id, trigger));
	}

	/**
	 * Posts a signed request to revoke.
	 *
	 * @param time that is signed with it, in Unix seconds: the same request at the same time is a replay
	 */
	async post(request: object, time = unixSeconds()): Promise<Reply> {
		const body = JSON.stringify({
			tenant_id: this.tenantId,
			action: 'revoke_sessions',
			reason: 'SOAR containment',
			source: 'playbook',
			...request,
		});
		const headers = signed(this.secret, body, time);
		return await this.call('/webhook', { method: 'POST', headers, body });
	}

	/** The same by a caller who comes again, with the same request id, as long as n8n is too busy. */
	async postPatiently(request: object): Promise<Reply> {
		for (;;) {
			const reply = await this.post(request);
			if (reply.status < 500) return reply;
			await sleep(BUSY_MS);
		}
	}

	/** Asks how a request stands, as somebody who has nothing but its id. */
	async ask(requestId: string, tenantId = this.tenantId): Promise<Reply> {
		return await this.call(`/requests/${requestId}?tenant_id=${tenantId}`, {});
	}

	/** Asks how a request stands, as the holder of the secret. */
	async askSigned(requestId: string, tenantId = this.tenantId): Promise<Reply> {
		const time = String(unixSeconds());
		const headers = {
			'x-session-revocation-timestamp': time,
			'x-session-revocation-signature': `sha256=${hmac(this.secret, `${time}.GET.${requestId}.${tenantId}`)}`,
		};
		return await this.call(`/requests/${requestId}?tenant_id=${tenantId}`, { headers });
	}

	/** What the holder of the secret is told of a request when it is done. */
	async settled(requestId: string): Promise<unknown> {
		for (;;) {
			const { status, body } = await this.askSigned(requestId);
			// In the first moment it is not recorded yet.
			const isDone = status === 200 && (body as { job_status: string }).job_status !== 'pending';
			if (isDone) return body;
			await sleep(POLL_MS);
		}
	}

	private async call(path: string, init: RequestInit): Promise<Reply> {
		const reply = await fetch(this.baseUrl + path, {
			...init,
			signal: AbortSignal.timeout(TIMEOUT_MS),
		});
		const text = await reply.text();
		return { status: reply.status, body: text === '' ? undefined : JSON.parse(text) };
	}
}
