/** The webhook API in a real n8n: who gets in, what the workflow gets, what callers are answered. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { signed, unixSeconds } from '../support/signed';
import type { Credential } from './client';
import { output } from './execution';
import { onStage } from './on-stage';
import { run } from './processes';
import type { WorkflowFile, WorkflowNode } from './workflow';

const stage = onStage();
const { n8n, simulator } = stage;
const { client } = n8n;

const PACKAGE = 'n8n-nodes-session-revocation';
const SIGNED_IN = 'nora.lindqvist@example.com';
const TENANT = randomUUID();
const SECRET = `sr_${randomBytes(32).toString('base64url')}`;
const PREVIOUS = `sr_${randomBytes(32).toString('base64url')}`;
const TRIGGER = 'Trigger';

let credential: Credential;

const node = (
	name: string,
	type: string,
	parameters: WorkflowNode['parameters'] = {},
	credentials: readonly Credential[] = [],
): WorkflowNode => ({
	id: randomUUID(),
	name,
	type,
	typeVersion: 1,
	position: [0, 0],
	parameters,
	credentials: Object.fromEntries(credentials.map((one) => [one.type, one])),
});

const response = (name: string, parameters: WorkflowNode['parameters'] = {}): WorkflowNode =>
	node(name, `${PACKAGE}.sessionRevocationResponse`, parameters);

/** Trigger, then what revokes, then the answer; questions are answered at once. */
function workflow(
	webhookId: string,
	parameters: WorkflowNode['parameters'],
	credentials: readonly Credential[] = [credential],
): WorkflowFile {
	const to = (...names: string[]) => names.map((name) => ({ node: name, type: 'main', index: 0 }));
	return {
		name: `Webhook API ${webhookId}`,
		settings: { executionOrder: 'v1', saveDataSuccessExecution: 'all' },
		nodes: [
			{
				...node(TRIGGER, `${PACKAGE}.sessionRevocationTrigger`, parameters, credentials),
				webhookId,
			},
			node(
				'Revoke',
				`${PACKAGE}.revokeEverywhere`,
				{
					user: '={{ $json.user }}',
					targetMode: '={{ $json.targetMode }}',
					targets: '={{ $json.targets }}',
					identities: '={{ $json.identities }}',
					reason: '={{ $json.reason }}',
					source: '={{ $json.source }}',
					requestId: '={{ $json.requestId }}',
				},
				[stage.okta],
			),
			response('Answer'),
			response('Status', { jobStatus: 'completed' }),
		],
		connections: {
			[TRIGGER]: { main: [to('Revoke'), to('Status')] },
			Revoke: { main: [to('Answer'), to('Answer')] },
		},
	};
}

interface Published {
	id: string;
	/** As a caller sees it in place of Challenge's own address. */
	baseUrl: string;
	webhook: string;
}

async function publish(
	parameters: WorkflowNode['parameters'] = {},
	credentials?: readonly Credential[],
): Promise<Published> {
	const webhookId = randomUUID();
	const saved = await client.createWorkflow(workflow(webhookId, parameters, credentials));
	const baseUrl = `${n8n.url}/webhook/${webhookId}`;
	const webhook = `${baseUrl}/api/v1/session-revocation/webhook`;
	await client.publish(saved, webhook);
	return { id: saved.id, baseUrl, webhook };
}

interface Reply {
	status: number;
	body: unknown;
}

async function call(url: string, init: RequestInit): Promise<Reply> {
	const reply = await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) });
	const text = await reply.text();
	return { status: reply.status, body: text === '' ? undefined : JSON.parse(text) };
}

const post = async (url: string, body: string, headers: Record<string, string>): Promise<Reply> =>
	await call(url, { method: 'POST', headers, body });

const asks = (more: object = {}): string =>
	JSON.stringify({
		tenant_id: TENANT,
		action: 'revoke_sessions',
		user: SIGNED_IN,
		reason: `case ${randomUUID()}`,
		integration_targets: ['okta'],
		source: 'playbook',
		...more,
	});

const ask = (base: Published, id: string, tenant = TENANT): string =>
	`${base.baseUrl}/api/v1/session-revocation/requests/${id}?tenant_id=${tenant}`;

let immediate: Published;
let awaited: Published;

beforeAll(async () => {
	credential = await client.createCredential('Webhook', 'sessionRevocationWebhookApi', {
		secret: SECRET,
		previousSecret: PREVIOUS,
		tenantId: TENANT,
	});
	immediate = await publish();
	awaited = await publish({ respond: 'whenFinished' });
});

beforeEach(async () => {
	await simulator.reset();
});

const requestIdOf = ({ body }: Reply): string => (body as { request_id: string }).request_id;

describe('a signed request', () => {
	test('is answered with 202, and its item is what Revoke Everywhere works on', async () => {
		const body = asks({ ticket: 'INC-7' });
		let reply: Reply | undefined;
		const execution = await client.executionAfter(immediate.id, async () => {
			reply = await post(immediate.webhook, body, signed(SECRET, body));
		});
		expect(reply).toEqual({
			status: 202,
			body: { request_id: expect.any(String), job_status: 'pending' },
		});
		expect(output(execution, TRIGGER)[0]?.json).toMatchObject({
			tenantId: TENANT,
			user: SIGNED_IN,
			targets: ['okta'],
			targetMode: 'selected',
			source: 'playbook',
			extra: { ticket: 'INC-7' },
		});
		expect(output(execution, TRIGGER, 1)).toEqual([]);
		expect(output(execution, 'Revoke')[0]?.json).toMatchObject({
			requestId: reply && requestIdOf(reply),
			user: SIGNED_IN,
			status: 'completed',
			targetsUsed: ['okta'],
		});
		expect((await simulator.user(SIGNED_IN)).sessions).toEqual([]);
	});

	test.each([
		['all that are configured', {}],
		['who has an identity in each system', { identities: { okta: SIGNED_IN } }],
	])('without targets it means %s', async (_, more) => {
		const body = asks({ integration_targets: undefined, ...more });
		expect(await post(awaited.webhook, body, signed(SECRET, body))).toMatchObject({
			status: 200,
			body: { job_status: 'completed' },
		});
		expect((await simulator.user(SIGNED_IN)).sessions).toEqual([]);
	});

	test('is answered by the workflow when it is finished', async () => {
		const id = `soar-${randomUUID()}`;
		const body = asks({ request_id: id });
		expect(await post(awaited.webhook, body, signed(PREVIOUS, body, unixSeconds()))).toEqual({
			status: 200,
			body: { request_id: id, job_status: 'completed' },
		});
		const nobody = asks({ user: 'nobody@example.com', username: 'nobody@example.com' });
		expect(await post(awaited.webhook, nobody, signed(SECRET, nobody))).toMatchObject({
			status: 200,
			body: { job_status: 'failed' },
		});
	});

	test('is refused the second time, with the id of the first', async () => {
		const body = asks();
		const first = await post(immediate.webhook, body, signed(SECRET, body));
		const count = await client.executionCount(immediate.id);
		expect(await post(immediate.webhook, body, signed(SECRET, body))).toEqual({
			status: 409,
			body: {
				request_id: requestIdOf(first),
				error: { code: 'replayed', message: expect.any(String) },
			},
		});
		expect(await client.executionCount(immediate.id)).toBeLessThanOrEqual(count + 1);
		const again = await post(immediate.webhook, body, signed(SECRET, body, unixSeconds()));
		expect(again.status).toBe(202);
	});

	test('of one workflow does not reach another', async () => {
		const body = asks();
		const both = [immediate, awaited].map(({ webhook }) =>
			post(webhook, body, signed(SECRET, body)),
		);
		expect((await Promise.all(both)).map(({ status }) => status)).toEqual([202, 200]);
	});
});

describe('how a request stands', () => {
	test('is told by the workflow', async () => {
		for (const each of [immediate, awaited]) {
			expect(await call(ask(each, 'abc-1'), {})).toEqual({
				status: 200,
				body: { request_id: 'abc-1', job_status: 'completed' },
			});
		}
	});

	test('is not told to another tenant', async () => {
		const count = await client.executionCount(immediate.id);
		expect(await call(ask(immediate, 'abc-1', randomUUID()), {})).toMatchObject({
			status: 403,
			body: { error: { code: 'wrong_tenant' } },
		});
		expect(await client.executionCount(immediate.id)).toBe(count);
	});
});

test('the Python script of the Challenge API works with its constants and a user filled in', async () => {
	const script = [
		'import hashlib, hmac, json, urllib.request',
		`WEBHOOK_SECRET = "${SECRET}"`,
		`BASE_URL = "${awaited.baseUrl}"`,
		`TENANT_ID = "${TENANT}"`,
		`payload = {"tenant_id": TENANT_ID, "action": "revoke_sessions", "reason": "SOAR containment", "integration_targets": ["okta"], "source": "tines-playbook", "user": "${SIGNED_IN}"}`,
		'body = json.dumps(payload, separators=(",", ":")).encode()',
		'sig = "sha256=" + hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()',
		'req = urllib.request.Request(f"{BASE_URL}/api/v1/session-revocation/webhook", data=body, headers={"Content-Type": "application/json", "X-Session-Revocation-Signature": sig}, method="POST")',
		'with urllib.request.urlopen(req) as resp:',
		'    print(json.dumps(json.loads(resp.read())))',
	].join('\n');
	const printed = await run('python3', ['-c', script], { timeoutMs: 30_000 });
	expect(JSON.parse(printed)).toMatchObject({ job_status: 'completed' });
});

describe('nothing starts', () => {
	const planted = `planted-${randomUUID()}`;

	test('and nothing of it is logged, unless all holds', async () => {
		const count = await client.executionCount(immediate.id);
		const body = asks({ reason: planted });
		const headers = signed(SECRET, body);
		const send = async (
			code: string,
			sent: string,
			changed: Record<string, string>,
		): Promise<void> => {
			expect({
				code,
				...(await post(immediate.webhook, sent, { ...headers, ...changed })),
			}).toMatchObject({ body: { error: { code } } });
		};
		const of = (more: object) => {
			const other = asks({ reason: planted, ...more });
			return [other, signed(SECRET, other)] as const;
		};
		await send('missing_signature', body, { 'x-session-revocation-signature': '' });
		await send('invalid_signature', `${body} `, {});
		await send('invalid_signature', body, {
			'x-session-revocation-timestamp': String(unixSeconds()),
		});
		await send('timestamp_out_of_range', body, signed(SECRET, body, unixSeconds() - 301));
		await send('unsupported_media_type', body, { 'content-type': 'text/plain' });
		await send('wrong_tenant', ...of({ tenant_id: randomUUID() }));
		await send('unknown_action', ...of({ action: 'delete_users' }));
		await send('unknown_target', ...of({ integration_targets: ['okta', planted] }));
		await send('invalid_body', ...of({ integration_targets: [] }));
		await send('user_missing', ...of({ user: undefined }));
		const broken = `{"${planted}"`;
		expect((await post(immediate.webhook, broken, signed(SECRET, broken))).status).toBe(422);
		const huge = JSON.stringify({ planted, filling: 'x'.repeat(17 * 1024 * 1024) });
		expect((await post(immediate.webhook, huge, signed('other', huge))).status).toBe(500);
		expect(await client.executionCount(immediate.id)).toBe(count);
		const log = readFileSync(n8n.logFile, 'utf8');
		for (const secret of [planted, SECRET, PREVIOUS, headers['x-session-revocation-signature']]) {
			expect(log).not.toContain(secret);
		}
	});
});
