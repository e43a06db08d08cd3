/** The packed trigger, as n8n calls it: whatever is sent, nothing starts that should not. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type {
	ICredentialDataDecryptedObject,
	INodeType,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import { signed, unixSeconds } from '../support/signed';
import { loadPackage, runNode } from './engine';

const SECRET = 'sr_secret-of-the-package-tests';
const WEBHOOK = 'sessionRevocationWebhookApi';
const POLICY = 'sessionRevocationPolicyApi';

interface Sent {
	headers?: Record<string, unknown>;
	body?: Uint8Array | string;
	params?: unknown;
	query?: unknown;
	ip?: string;
}

/** What each credential holds, or what n8n throws instead. */
type Credentials = Readonly<Record<string, ICredentialDataDecryptedObject | Error>>;

const CREDENTIALS: Credentials = { [WEBHOOK]: { secret: SECRET } };

interface Setting {
	name?: 'default' | 'setup';
	options?: unknown;
	credentials?: Credentials;
}

interface Outcome {
	/** What the node itself answered. */
	answered: { status?: number; body?: { error?: { code: string } } };
	returned: IWebhookResponseData;
	logged: string[];
	/** Tells the node that n8n answered so. */
	finish: (status: number) => void;
}

/** n8n's side of a webhook, with nothing but what the node may rely on. */
async function call(sent: Sent, setting: Setting = {}): Promise<Outcome> {
	const { name = 'default', options = {}, credentials = CREDENTIALS } = setting;
	const answered: Outcome['answered'] = {};
	const logged: string[] = [];
	const listeners: (() => void)[] = [];
	const response = {
		statusCode: 200,
		status(code: number) {
			answered.status = code;
			return response;
		},
		json: (body: object) => (answered.body = body),
		once: (_: string, listener: () => void) => listeners.push(listener),
	};
	const context = {
		getWebhookName: () => name,
		getNodeParameter: () => options,
		getNode: () => ({ id: 'node', name: 'Trigger', credentials }),
		getWorkflow: () => ({ id: 'workflow' }),
		getMode: () => 'webhook',
		getCredentials: (type: string) => {
			const data = credentials[type];
			return data instanceof Error ? Promise.reject(data) : Promise.resolve(data);
		},
		getHeaderData: () => sent.headers ?? {},
		getParamsData: () => sent.params ?? {},
		getQueryData: () => sent.query ?? {},
		getRequestObject: () => ({
			ip: sent.ip ?? '192.0.2.1',
			...(sent.body === undefined ? {} : { rawBody: Buffer.from(sent.body as string) }),
		}),
		getResponseObject: () => response,
		logger: { warn: (message: string) => logged.push(message) },
	};
	const { type } = (await loadPackage()).getNode('sessionRevocationTrigger');
	const { webhook } = type as Required<INodeType>;
	const returned = await webhook.call(context as unknown as IWebhookFunctions);
	const finish = (status: number): void => {
		response.statusCode = status;
		for (const listener of listeners) listener();
	};
	return { answered, returned, logged, finish };
}

const asks = (more: object = {}): string =>
	JSON.stringify({
		action: 'revoke_sessions',
		user: 'jane@example.com',
		id: randomUUID(),
		...more,
	});
const send = async (body: string, setting?: Setting, secret = SECRET): Promise<Outcome> =>
	await call({ headers: signed(secret, body), body }, setting);

const codeOf = ({ answered }: Outcome): string | undefined => answered.body?.error?.code;
const hasStarted = ({ returned }: Outcome): boolean => returned.workflowData !== undefined;

test('a signed request starts one execution, and n8n answers that it is pending', async () => {
	const { answered, returned } = await send(asks({ integration_targets: ['okta'] }));
	const item = returned.workflowData?.[0]?.[0]?.json ?? {};
	expect(answered).toEqual({});
	expect(returned.webhookResponse).toEqual({ request_id: item.requestId, job_status: 'pending' });
	expect(returned.workflowData).toEqual([[{ json: item }], []]);
	expect(item).toMatchObject({ user: 'jane@example.com', targets: ['okta'] });
});

test('what n8n could not start may be sent again as it was', async () => {
	const body = asks();
	const first = await send(body);
	expect(codeOf(await send(body))).toBe('replayed');
	first.finish(202);
	expect(codeOf(await send(body))).toBe('replayed');
	first.finish(500);
	expect(hasStarted(await send(body))).toBe(true);
});

test('a question goes to the second output', async () => {
	const params = { id_b2c9: 'request-1' };
	const { returned } = await call({ params, query: { tenant_id: 't' } }, { name: 'setup' });
	const json = { requestId: 'request-1', tenantId: 't', authenticated: false };
	expect(returned).toEqual({ workflowData: [[], [{ json }]] });
});

describe('it fails closed', () => {
	const cannot = new Error('planted-in-an-error');
	test.each<[string, string, number, Setting]>([
		['without a secret', 'invalid_signature', 401, { credentials: { [WEBHOOK]: { secret: '' } } }],
		['with an empty credential', 'invalid_signature', 401, { credentials: { [WEBHOOK]: {} } }],
		[
			'with the previous secret alone',
			'invalid_signature',
			401,
			{ credentials: { [WEBHOOK]: { previousSecret: SECRET } } },
		],
		['without a credential', 'unavailable', 503, { credentials: {} }],
		[
			'when the credential cannot be loaded',
			'unavailable',
			503,
			{ credentials: { [WEBHOOK]: cannot } },
		],
		[
			'when the credential is no text',
			'unavailable',
			503,
			{ credentials: { [WEBHOOK]: { secret: 7 } } },
		],
		[
			'when the policy cannot be loaded',
			'unavailable',
			503,
			{ credentials: { [WEBHOOK]: { secret: SECRET }, [POLICY]: cannot } },
		],
		[
			'when the policy cannot be read',
			'disabled',
			403,
			{ credentials: { [WEBHOOK]: { secret: SECRET }, [POLICY]: { enabled: 'maybe' } } },
		],
		[
			'when the policy is off',
			'disabled',
			403,
			{ credentials: { [WEBHOOK]: { secret: SECRET }, [POLICY]: { enabled: false } } },
		],
		[
			'when webhooks are not allowed',
			'disabled',
			403,
			{ credentials: { [WEBHOOK]: { secret: SECRET }, [POLICY]: { allowWebhook: false } } },
		],
		[
			'when the allowed addresses cannot be read',
			'address_not_allowed',
			403,
			{ options: { allowedIps: 'here' } },
		],
		[
			'when an option cannot be read',
			'unavailable',
			503,
			{ options: { timestampTolerance: 'long' } },
		],
	])('%s: %s', async (_, code, status, setting) => {
		const signers = await Promise.all([SECRET, ''].map((secret) => send(asks(), setting, secret)));
		expect(signers[0]?.answered).toMatchObject({ status, body: { error: { code } } });
		for (const { returned, logged } of signers) {
			expect(returned).toEqual({ noWebhookResponse: true });
			expect(logged.join()).not.toContain('planted');
		}
	});

	test('and says in the log what is to be done', async () => {
		const { logged } = await send(asks(), { credentials: { [WEBHOOK]: { secret: '' } } });
		expect(logged).toEqual([expect.stringMatching(/'Signing Secret' of the credential is empty/)]);
	});
});

/** Requests of every kind: noise, forged ones, and ones that were true but for one thing. */
const forged = fc.record({
	headers: fc.dictionary(
		fc.constantFrom(
			'content-type',
			'x-session-revocation-signature',
			'x-session-revocation-timestamp',
			'content-encoding',
		),
		fc.oneof(
			fc.string(),
			fc.constantFrom('application/json', 'sha256=', `sha256=${'a'.repeat(64)}`),
			fc.nat().map(() => String(unixSeconds())),
			fc.array(fc.string()),
		),
	),
	body: fc.oneof(fc.uint8Array(), fc.json(), fc.constant(asks())),
	params: fc.anything(),
	query: fc.anything(),
	ip: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
});
const stale = fc.tuple(fc.integer({ min: 301, max: 1e9 }), fc.boolean()).map(([ago, ahead]) => {
	const body = asks();
	return { headers: signed(SECRET, body, unixSeconds() + (ahead ? ago : -ago)), body };
});
const noRequest = fc.json().map((body) => ({ headers: signed(SECRET, body), body }));
const others = fc.string().map((secret) => {
	const body = asks();
	return { headers: signed(`sr_${secret}`, body), body };
});

test('10,000 random requests start nothing and break nothing', async () => {
	const codes = new Set<string | undefined>();
	await fc.assert(
		fc.asyncProperty(fc.oneof(forged, stale, noRequest, others), async (sent) => {
			const outcome = await call(sent);
			codes.add(codeOf(outcome));
			expect(hasStarted(outcome)).toBe(false);
			expect(outcome.returned).toEqual({ noWebhookResponse: true });
			expect(outcome.answered.status).toBeGreaterThanOrEqual(400);
			expect(outcome.answered.status).not.toBe(503);
			expect(outcome.logged).toEqual([]);
		}),
		{ numRuns: 10_000 },
	);
	for (const code of ['missing_signature', 'invalid_signature', 'timestamp_out_of_range']) {
		expect(codes).toContain(code);
	}
	expect(codes).toContain('unsupported_media_type');
});

test('10,000 random questions start nothing where they must be signed', async () => {
	const setting = { name: 'setup', options: { statusAuthentication: 'signature' } } as const;
	await fc.assert(
		fc.asyncProperty(forged, async (sent) => {
			const outcome = await call(sent, setting);
			expect(hasStarted(outcome)).toBe(false);
			expect(outcome.answered.status).toBe(401);
		}),
		{ numRuns: 10_000 },
	);
});

describe('Session Revocation Response', () => {
	const items = [{ requestId: 'id-1', status: 'completed' }, { other: 1 }];

	test('passes its items on', async () => {
		const run = await runNode({
			type: 'sessionRevocationResponse',
			parameters: { jobStatus: 'completed' },
			items,
		});
		expect(run.error).toBeUndefined();
		expect(run.outputs[0]?.map(({ json }) => json)).toEqual(items);
		expect(run.outputs[0]?.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 1 }]);
	});

	test('names the parameter when it does not know what to answer', async () => {
		const run = await runNode({ type: 'sessionRevocationResponse', parameters: {}, items });
		expect(run.error?.message).toMatch(/^The parameter 'Job Status' of item 0 is not one of/);
	});
});
