/** The webhook API in a real n8n: who gets in, what the workflow gets, what callers are answered. */
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { signed, unixSeconds } from '../support/signed';
import { Editor } from './browser';
import type { Credential, SavedWorkflow } from './client';
import { output } from './execution';
import { repositoryRoot } from './install';
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
const SLOT = 'Session Revocation Webhook API';

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
		].map((one, place) => ({ ...one, position: [place * 260, place === 3 ? 220 : 0] })),
		connections: {
			[TRIGGER]: { main: [to('Revoke'), to('Status')] },
			Revoke: { main: [to('Answer'), to('Answer')] },
		},
	};
}

interface Published extends SavedWorkflow {
	/** As a caller sees it in place of Challenge's own address. */
	baseUrl: string;
	webhook: string;
}

async function publish(
	parameters: WorkflowNode['parameters'] = {},
	credentials?: readonly Credential[],
	change: (file: WorkflowFile) => WorkflowFile = (file) => file,
): Promise<Published> {
	const webhookId = randomUUID();
	const saved = await client.createWorkflow(change(workflow(webhookId, parameters, credentials)));
	const baseUrl = `${n8n.url}/webhook/${webhookId}`;
	const webhook = `${baseUrl}/api/v1/session-revocation/webhook`;
	await client.publish(saved, webhook);
	const published = { ...saved, baseUrl, webhook };
	// n8n sets one address up after the other.
	await until(async () => (await call(ask(published, 'x', 'other-tenant'), {})).status !== 404);
	return published;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
	const deadline = Date.now() + 30_000;
	while (!(await holds())) {
		if (Date.now() > deadline) throw new Error('It did not come true within 30 s.');
		await sleep(100);
	}
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

const ask = (base: Published, id: string, tenant: string = TENANT): string =>
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

test('a workflow that does not answer gives no success', async () => {
	const mute = await publish({ respond: 'whenFinished' }, [credential], (file) => ({
		...file,
		connections: {},
	}));
	const body = asks();
	const send = async () => await post(mute.webhook, body, signed(SECRET, body));
	expect((await send()).status).toBe(500);
	// It came to nothing for its sender, who may therefore send it again.
	expect((await send()).status).toBe(500);
	expect((await call(ask(mute, 'abc-1'), {})).status).toBe(404);
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

	test('is told to those only who sign, where that is wanted', async () => {
		const closed = await publish({ options: { statusAuthentication: 'signature' } });
		expect(await call(ask(closed, 'abc-1'), {})).toMatchObject({
			status: 401,
			body: { error: { code: 'missing_signature' } },
		});
		const execution = await client.executionAfter(closed.id, async () => {
			const { 'content-type': _, ...headers } = signed(
				SECRET,
				`GET.abc-1.${TENANT}`,
				unixSeconds(),
			);
			expect((await call(ask(closed, 'abc-1'), { headers })).status).toBe(200);
		});
		const json = { requestId: 'abc-1', tenantId: TENANT, authenticated: true };
		expect(output(execution, TRIGGER, 1).map((item) => item.json)).toEqual([json]);
	});
});

test('callers are told apart by the address that the proxy saw', async () => {
	const guarded = await publish({ options: { allowedIps: '203.0.113.0/24' } });
	const from = async (addresses: string) => {
		const body = asks();
		const headers = { ...signed(SECRET, body), 'x-forwarded-for': addresses };
		return (await post(guarded.webhook, body, headers)).status;
	};
	expect(await from('203.0.113.9')).toBe(202);
	expect(await from('198.51.100.1, 203.0.113.9')).toBe(202);
	// What comes before the proxy's own entry anybody can write.
	expect(await from('203.0.113.9, 198.51.100.1')).toBe(403);
	expect(await from('203.0.113.9:5678')).toBe(403);
});

test('a trigger that could let nobody in is not set up, and n8n is told why', async () => {
	const parameters = { options: { allowedIps: '203.0.113.0/33' } };
	const saved = await client.createWorkflow(workflow(randomUUID(), parameters));
	await client.publishForOthers(saved);
	const why = "'Allowed IPs' holds '203.0.113.0/33', which is neither an address nor a range";
	await until(() => Promise.resolve(readFileSync(n8n.logFile, 'utf8').includes(why)));
});

test('a test webhook takes a request by the same rules', async () => {
	await client.listenForTest(immediate, TRIGGER);
	const test = immediate.webhook.replace('/webhook/', '/webhook-test/');
	const body = asks();
	expect((await post(test, body, signed('sr_other', body))).status).toBe(401);
	expect(await post(test, body, signed(SECRET, body))).toMatchObject({
		status: 202,
		body: { job_status: 'pending' },
	});
	expect((await post(test, body, signed(SECRET, body))).status).toBe(404);
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

describe('the samples of the documentation', () => {
	const page = readFileSync(join(repositoryRoot, 'docs/webhook.md'), 'utf8');
	const samples = [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
		.map(([, language = '', text = '']) => ({ language, text }))
		.filter(({ text }) => text.includes('WEBHOOK-ID'));
	const interpreters: Readonly<Record<string, readonly [string, string]>> = {
		js: [process.execPath, '-e'],
		powershell: ['pwsh', '-Command'],
		python: ['python3', '-c'],
		sh: ['sh', '-c'],
	};

	test('are there for every language that is named', () => {
		const languages = new Set(samples.map(({ language }) => language));
		expect([...languages].sort()).toEqual(Object.keys(interpreters).sort());
	});

	const canRun = ({ language }: (typeof samples)[number]): boolean =>
		spawnSync(interpreters[language]?.[0] ?? '', ['--version']).error === undefined;
	// What has no interpreter here is counted as skipped, not as passed.
	const others = samples.filter((sample) => !canRun(sample));
	if (others.length > 0)
		test.skip.each(others)('$language has no interpreter here', () => undefined);

	test.each(samples.filter(canRun))(
		'$language works with its first lines filled in',
		async (sample) => {
			const [command = '', flag = ''] = interpreters[sample.language] ?? [];
			const script = sample.text
				.replaceAll('https://n8n.example.com/webhook/WEBHOOK-ID', awaited.baseUrl)
				.replaceAll('sr_your_signing_secret', SECRET)
				.replaceAll('your-tenant-id', TENANT)
				.replaceAll('jane@example.com', SIGNED_IN);
			// What two samples sign in the same second is the same request.
			await sleep(1_100);
			const printed = await run(command, [flag, script], { timeoutMs: 60_000 });
			expect(JSON.parse(printed)).toMatchObject({ job_status: 'completed' });
		},
	);

	test('make secrets', async () => {
		const lines = [...page.matchAll(/^ +((?:node|echo|python3) .*sr_.*)$/gm)];
		expect(lines).toHaveLength(3);
		const secrets = await Promise.all(
			lines.map(async ([, line = '']) => await run('sh', ['-c', line], { timeoutMs: 30_000 })),
		);
		for (const secret of secrets) expect(secret.trim()).toMatch(/^sr_[\w-]{43,}$/);
	});
});

test('the editor shows the address, both outputs and the slots of the trigger', async () => {
	const editor = await Editor.open(n8n.url, n8n.owner, 1600);
	try {
		await editor.openWorkflow(awaited.id);
		await editor.screenshot('canvas-trigger');
		expect(await editor.visibleText()).toContain('Status Request');
		await editor.openPanel(TRIGGER);
		await editor.screenshot('panel-trigger');
		const panel = await editor.visibleText();
		for (const text of [SLOT, 'Shared Policy (Optional)', 'Path', 'Respond']) {
			expect(panel).toContain(text);
		}
		await editor.closePanel();
		await editor.openPanel('Answer');
		await editor.screenshot('panel-response');
		expect(await editor.visibleText()).toContain('Job Status');
	} finally {
		await editor.close();
	}
}, 180_000);

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
