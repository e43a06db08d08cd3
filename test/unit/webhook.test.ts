/** Who may call the webhook API, and what a request means: each refusal with its code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { NO_POLICY, readPolicy } from '../../nodes/core/policy';
import { readAllowList } from '../../nodes/core/webhook/addresses';
import { refusalAnswer } from '../../nodes/core/webhook/answers';
import { readWebhookCredential } from '../../nodes/core/webhook/credential';
import {
	type Gate,
	type IncomingRevocation,
	receiveRevocation,
	receiveStatus,
} from '../../nodes/core/webhook/receive';
import { RefusedRequest, REFUSALS } from '../../nodes/core/webhook/refusal';
import { SeenRequests } from '../../nodes/core/webhook/replay';
import { readAnswer } from '../../nodes/core/webhook/response';
import { readSettings } from '../../nodes/core/webhook/settings';
import { hmac, signed } from '../support/signed';

const SECRET = 'sr_current-secret';
const PREVIOUS = 'sr_previous-secret';
const NOW = 1_790_000_000;

const gate = (more: Partial<Gate> = {}): Gate => ({
	allowed: () => true,
	credential: { secrets: [SECRET, PREVIOUS], tenantId: 'tenant-1' },
	policy: NO_POLICY,
	tolerance: 300,
	requireTimestamp: false,
	now: NOW * 1000,
	targets: ['okta', 'entra', 'slack_enterprise'],
	newRequestId: () => 'new-id',
	...more,
});

const asks = (more: object = {}): string =>
	JSON.stringify({
		tenant_id: 'tenant-1',
		action: 'revoke_sessions',
		user: 'jane@example.com',
		...more,
	});

const incoming = (
	body: string,
	headers: IncomingRevocation['headers'] = signed(SECRET, body),
): IncomingRevocation => ({ address: '192.0.2.1', headers, body: Buffer.from(body) });

function receive(
	request: IncomingRevocation | string,
	at: Gate = gate(),
	seen = new SeenRequests(),
) {
	const one = typeof request === 'string' ? incoming(request) : request;
	return receiveRevocation(one, at, seen, 'workflow node').request;
}

/** What the caller is told; null when the request was let in. */
function refusalOf(work: () => unknown): { status: number; code: string; message: string } | null {
	try {
		work();
		return null;
	} catch (error) {
		if (!(error instanceof RefusedRequest)) throw error;
		const { statusCode } = refusalAnswer(error);
		return { status: statusCode, code: error.code, message: error.message };
	}
}

const codeOf = (work: () => unknown): string | undefined => refusalOf(work)?.code;

describe('the signature', () => {
	const body = asks();

	test.each([
		['the current secret', signed(SECRET, body)],
		['the previous secret', signed(PREVIOUS, body)],
		['the time too', signed(SECRET, body, NOW)],
		['a time at the edge', signed(SECRET, body, NOW - 300)],
		['a time ahead', signed(SECRET, body, NOW + 300)],
		['capital hex digits', upperHex(signed(SECRET, body))],
	])('lets in what was signed with %s', (_, headers) => {
		expect(receive(incoming(body, headers)).user).toBe('jane@example.com');
	});

	const sign = 'x-session-revocation-signature';
	const time = 'x-session-revocation-timestamp';
	test.each<[string, string, IncomingRevocation['headers']]>([
		['no header', 'missing_signature', { [sign]: undefined }],
		['an empty header', 'missing_signature', { [sign]: '' }],
		['hex alone', 'invalid_signature', { [sign]: hmac(SECRET, body) }],
		['another algorithm', 'invalid_signature', { [sign]: `sha1=${hmac(SECRET, body)}` }],
		['base64', 'invalid_signature', { [sign]: `sha256=${btoa(hmac(SECRET, body))}` }],
		['too few digits', 'invalid_signature', { [sign]: `sha256=${hmac(SECRET, body).slice(1)}` }],
		['text that is no hex', 'invalid_signature', { [sign]: `sha256=${'z'.repeat(64)}` }],
		[
			'two, joined',
			'invalid_signature',
			{ [sign]: Array(2).fill(signed(SECRET, body)[sign]).join(', ') },
		],
		['two, as a list', 'invalid_signature', { [sign]: Array(2).fill(signed(SECRET, body)[sign]) }],
		['an unknown secret', 'invalid_signature', signed('sr_other', body)],
		['a body that was changed', 'invalid_signature', signed(SECRET, `${body} `)],
		['a time that was not signed', 'invalid_signature', { [time]: String(NOW) }],
		['an empty time', 'invalid_signature', { [time]: '' }],
		['a time too long ago', 'timestamp_out_of_range', signed(SECRET, body, NOW - 301)],
		['a time too far ahead', 'timestamp_out_of_range', signed(SECRET, body, NOW + 301)],
		['milliseconds', 'timestamp_out_of_range', signed(SECRET, body, NOW * 1000)],
		['a negative time', 'timestamp_out_of_range', signed(SECRET, body, -NOW)],
		['a time with a fraction', 'timestamp_out_of_range', signed(SECRET, body, NOW + 0.5)],
		['two times, as a list', 'timestamp_out_of_range', { [time]: [String(NOW), String(NOW)] }],
	])('refuses %s: %s', (_, code, headers) => {
		const request = incoming(body, { ...signed(SECRET, body), ...headers });
		expect(refusalOf(() => receive(request))).toMatchObject({ status: 401, code });
	});

	test('opens nothing without a secret, not even to whoever signs with none', () => {
		const credential = { secrets: [], tenantId: null };
		for (const secret of ['', SECRET]) {
			const request = incoming(body, signed(secret, body));
			expect(codeOf(() => receive(request, gate({ credential })))).toBe('invalid_signature');
		}
	});

	test('must carry the time where that is required', () => {
		const at = gate({ requireTimestamp: true });
		expect(codeOf(() => receive(body, at))).toBe('timestamp_out_of_range');
		expect(receive(incoming(body, signed(SECRET, body, NOW)), at).requestId).toBe('new-id');
	});

	test('is over the bytes, whatever they are', () => {
		const bytes = Buffer.from([0xff, 0xfe, 0x00]);
		const headers = {
			'content-type': 'application/json',
			'x-session-revocation-signature': `sha256=${hmac(SECRET, bytes)}`,
		};
		const request = { address: undefined, headers, body: bytes };
		expect(codeOf(() => receive(request))).toBe('invalid_json');
		expect(codeOf(() => receive({ ...request, body: undefined }))).toBe('invalid_signature');
	});
});

function upperHex(headers: Record<string, string>): Record<string, string> {
	const name = 'x-session-revocation-signature';
	return { ...headers, [name]: headers[name]?.replace(/[a-f]/g, (c) => c.toUpperCase()) ?? '' };
}

describe('the same request again', () => {
	const body = asks();

	test('is refused with the id of the first, until its signature is no longer good', () => {
		const seen = new SeenRequests();
		expect(receive(body, gate({ newRequestId: () => 'first' }), seen).requestId).toBe('first');
		const again = (later: number, headers?: Record<string, string>) => () =>
			receive(incoming(body, headers), gate({ now: (NOW + later) * 1000 }), seen);
		expect(() => again(300)()).toThrow(expect.objectContaining({ firstRequestId: 'first' }));
		expect(codeOf(again(0, signed(SECRET, body, NOW)))).toBeUndefined();
		expect(codeOf(again(0, upperHex(signed(SECRET, body, NOW))))).toBe('replayed');
		expect(codeOf(again(301))).toBeUndefined();
	});

	test('is refused as long as a time ahead is good', () => {
		const seen = new SeenRequests();
		const at = (later: number) => () =>
			receive(
				incoming(body, signed(SECRET, body, NOW + 300)),
				gate({ now: (NOW + later) * 1000 }),
				seen,
			);
		expect(codeOf(at(0))).toBeUndefined();
		expect(codeOf(at(600))).toBe('replayed');
		expect(codeOf(at(601))).toBe('timestamp_out_of_range');
	});

	test('is let in when the first was refused, or came to nothing', () => {
		const seen = new SeenRequests();
		const disabled = gate({ policy: { ...NO_POLICY, enabled: false } });
		expect(codeOf(() => receive(body, disabled, seen))).toBe('disabled');
		const { forget } = receiveRevocation(incoming(body), gate(), seen, 'workflow node');
		expect(codeOf(() => receive(body, gate(), seen))).toBe('replayed');
		forget();
		expect(receive(body, gate(), seen).requestId).toBe('new-id');
	});

	test('is another one for another trigger', () => {
		const seen = new SeenRequests();
		receiveRevocation(incoming(body), gate(), seen, 'one');
		expect(receiveRevocation(incoming(body), gate(), seen, 'two').request.requestId).toBe('new-id');
	});

	test('is forgotten first where there are too many', () => {
		const seen = new SeenRequests(2);
		for (const key of ['a', 'b', 'c']) expect(seen.claim(key, key, NOW, NOW)).toBeNull();
		expect(seen.claim('b', 'again', NOW, NOW)).toBe('b');
		expect(seen.claim('c', 'again', NOW, NOW)).toBe('c');
		expect(seen.claim('a', 'again', NOW, NOW)).toBeNull();
	});
});

describe('the kind of body', () => {
	const body = asks();
	const of = (type: unknown) =>
		codeOf(() => receive(incoming(body, { ...signed(SECRET, body), 'content-type': type })));

	test.each([
		'application/json',
		'application/json; charset=utf-8',
		'Application/JSON;charset="UTF-8"',
		'application/json;',
	])('%s is JSON', (type) => {
		expect(of(type)).toBeUndefined();
	});

	test.each([
		undefined,
		'',
		'text/plain',
		'text/json',
		'application/jsonp',
		'application/json; charset=utf-16',
		'application/json, text/plain',
		'multipart/form-data; boundary=x',
		['application/json'],
	])('%s is not', (type) => {
		expect(of(type)).toBe('unsupported_media_type');
	});
});

describe('the policy', () => {
	const body = asks();
	test.each([
		['switched off', readPolicy({ enabled: false })],
		['closed to webhooks', readPolicy({ allowWebhook: false })],
		['not readable', null],
	])('refuses when it is %s', (_, policy) => {
		const refusal = refusalOf(() => receive(body, gate({ policy })));
		expect(refusal).toMatchObject({ status: 403, code: 'disabled' });
	});

	test('says nothing to those who did not sign', () => {
		const request = incoming(body, signed('sr_other', body));
		expect(codeOf(() => receive(request, gate({ policy: null })))).toBe('invalid_signature');
	});
});

describe('the addresses', () => {
	const may = (list: unknown, address: string | undefined): boolean | string => {
		const read = readAllowList(list);
		return 'problem' in read ? read.problem : read(address);
	};

	test.each<[string, string, boolean]>([
		['', '203.0.113.9', true],
		[' \n', '203.0.113.9', true],
		['192.0.2.1', '192.0.2.1', true],
		['192.0.2.1', '192.0.2.2', false],
		['192.0.2.1', '::ffff:192.0.2.1', true],
		['192.0.2.1', '::ffff:c000:201', true],
		['198.51.100.7,\n192.0.2.0/24', '192.0.2.77', true],
		['192.0.2.0/24', '192.0.3.1', false],
		['0.0.0.0/0', '192.0.3.1', true],
		['0.0.0.0/0', '2001:db8::1', false],
		['2001:db8::/48', '2001:db8:0:ffff::1', true],
		['2001:DB8::1', '2001:db8:0:0::1', true],
		['2001:db8::/48', '2001:db8:1::1', false],
		['::1', '127.0.0.1', false],
		['fe80::/10', 'fe80::1%eth0', true],
		['192.0.2.1', '192.0.2.1:5678', false],
		['192.0.2.1', 'localhost', false],
		['192.0.2.1', '', false],
	])('%j and %s: %s', (list, address, allowed) => {
		expect(may(list, address)).toBe(allowed);
	});

	test('nobody without an address', () => {
		expect(may('0.0.0.0/0, ::/0', undefined)).toBe(false);
	});

	test.each([
		',',
		'192.0.2.300',
		'192.0.2.0/33',
		'192.0.2.0/24/8',
		'192.0.2.0/',
		'192.0.2.0/-1',
		'192.0.2.0/2e1',
		'2001:db8::/129',
		'example.com',
		'010.0.0.1',
		null,
		42,
		['192.0.2.1'],
	])('%j cannot be read', (list) => {
		expect(may(list, '192.0.2.1')).toEqual(expect.stringMatching(/^(is|holds) /));
	});

	test('a caller from elsewhere is refused before anything else', () => {
		const at = gate({ allowed: () => false });
		expect(refusalOf(() => receive(asks(), at))).toMatchObject({
			status: 403,
			code: 'address_not_allowed',
		});
		expect(codeOf(() => receive(asks(), gate({ allowed: null })))).toBe('address_not_allowed');
	});
});

describe('the body', () => {
	test('becomes what Revoke Everywhere reads', () => {
		const identities = { okta: '00u1' };
		const body = asks({
			identities,
			integration_targets: ['okta', 'entra', 'okta'],
			reason: 'Impossible travel',
			source: 'sentinel',
			request_id: 'soar:run-42',
			incident: { id: 7 },
		});
		expect(receive(body)).toEqual({
			requestId: 'soar:run-42',
			tenantId: 'tenant-1',
			user: 'jane@example.com',
			identities,
			targets: ['okta', 'entra'],
			targetMode: 'selected',
			reason: 'Impossible travel',
			source: 'sentinel',
			extra: { incident: { id: 7 } },
			receivedAt: new Date(NOW * 1000).toISOString(),
		});
	});

	test('may say the least', () => {
		expect(receive(asks({ reason: null, request_id: null }))).toMatchObject({
			requestId: 'new-id',
			identities: {},
			targets: null,
			targetMode: 'configured',
			reason: null,
			source: null,
			extra: {},
		});
	});

	test.each([
		['user', { user: ' jane@example.com ' }],
		['username', { user: undefined, username: 'jane@example.com' }],
		['email', { user: '', email: 'jane@example.com' }],
		['all three', { username: 'jane@example.com', email: 'jane@example.com' }],
		['an identity', { user: null, identities: { okta: '00u1', entra: 'jane@example.com' } }],
		['a found identity', { user: null, identities: [{ value: 'jane@example.com', kind: 'upn' }] }],
	])('names the user by %s', (_, more) => {
		expect(receive(asks(more)).user).toBe('jane@example.com');
	});

	test.each<[string, number, object]>([
		['wrong_tenant', 403, { tenant_id: 'tenant-2' }],
		['wrong_tenant', 403, { tenant_id: undefined }],
		['wrong_tenant', 403, { tenant_id: ['tenant-1'] }],
		['unknown_action', 400, { action: undefined }],
		['unknown_action', 400, { action: 'REVOKE_SESSIONS' }],
		['unknown_action', 400, { action: ['revoke_sessions'] }],
		['unknown_target', 400, { integration_targets: ['okta', 'nowhere'] }],
		['unknown_target', 400, { integration_targets: ['Okta'] }],
		['unknown_target', 400, { identities: { nowhere: 'jane@example.com' } }],
		['invalid_body', 400, { integration_targets: [] }],
		['invalid_body', 400, { integration_targets: null }],
		['invalid_body', 400, { integration_targets: 'okta' }],
		['invalid_body', 400, { integration_targets: [7] }],
		['user_missing', 400, { user: undefined }],
		['user_missing', 400, { user: null, username: '', identities: {} }],
		['user_missing', 400, { user: null, identities: { okta: '00u1' } }],
		[
			'user_missing',
			400,
			{ user: null, identities: { okta: 'jane@a.example', entra: 'jane@b.example' } },
		],
		['user_missing', 400, { user: null, identities: [{ value: 'S-1-5-21', kind: 'sid' }] }],
		['invalid_body', 400, { user: '  ' }],
		['invalid_body', 400, { user: 42 }],
		['invalid_body', 400, { user: ['jane@example.com'] }],
		['invalid_body', 400, { user: 'jane\n@example.com' }],
		['invalid_body', 400, { user: 'j'.repeat(513) }],
		['invalid_body', 400, { username: 'john@example.com' }],
		['invalid_body', 400, { identities: 'jane@example.com' }],
		['invalid_body', 400, { identities: { okta: 7 } }],
		['invalid_body', 400, { identities: { okta: ' ' } }],
		['invalid_body', 400, { identities: [{ value: 'jane', kind: 'nickname' }] }],
		['invalid_body', 400, { request_id: '' }],
		['invalid_body', 400, { request_id: 'a.b' }],
		['invalid_body', 400, { request_id: 'a'.repeat(129) }],
		['invalid_body', 400, { request_id: 7 }],
		['invalid_body', 400, { reason: ['x'] }],
		['invalid_body', 400, { source: 'x'.repeat(2001) }],
	])('is %s (%d) with %j', (code, status, more) => {
		expect(refusalOf(() => receive(asks(more)))).toMatchObject({ code, status });
	});

	test.each([
		['invalid_json', '{"action":'],
		['invalid_json', ''],
		['invalid_json', '['.repeat(100_000) + ']'.repeat(100_000)],
		['wrong_tenant', '{}'],
		['invalid_body', '[]'],
		['invalid_body', 'null'],
		['invalid_body', '"revoke_sessions"'],
		['invalid_body', '{"tenant_id":"tenant-1","__proto__":{"user":"jane"}}'],
		['invalid_body', '{"extra":{"__proto__":1}}'],
	])('is %s: %.40s', (code, body) => {
		expect(codeOf(() => receive(body))).toBe(code);
	});

	test('of any tenant is let in where the credential names none', () => {
		const credential = { secrets: [SECRET], tenantId: null };
		expect(receive(asks({ tenant_id: undefined }), gate({ credential })).tenantId).toBeNull();
		expect(receive(asks({ tenant_id: 'any' }), gate({ credential })).tenantId).toBe('any');
	});

	test('is not repeated to the caller', () => {
		const planted = 'planted-7f3a';
		const bodies = [
			{ tenant_id: planted },
			{ action: planted },
			{ integration_targets: [planted] },
			{ identities: { [planted]: 'x' } },
			{ identities: [{ value: planted, kind: planted }] },
			{ request_id: `${planted}.` },
			{ user: `${planted}\u0000` },
			{ username: planted },
		];
		for (const more of bodies) {
			const refusal = refusalOf(() => receive(asks(more)));
			expect(refusal?.message).toEqual(expect.any(String));
			expect(JSON.stringify(refusal)).not.toContain(planted);
		}
	});
});

describe('a question', () => {
	const ask = (
		requestId: unknown,
		tenantId: unknown,
		headers: Record<string, unknown> = {},
		mustSign = false,
		at = gate(),
	) => receiveStatus({ address: '192.0.2.1', headers, requestId, tenantId }, at, mustSign);
	const sign = (id: string, tenant: string, time: number, secret = SECRET) => ({
		'x-session-revocation-timestamp': String(time),
		'x-session-revocation-signature': `sha256=${hmac(secret, `${time}.GET.${id}.${tenant}`)}`,
	});

	test('is let in without a signature, and counts as nobody’s', () => {
		expect(ask('id-1', 'tenant-1')).toEqual({
			requestId: 'id-1',
			tenantId: 'tenant-1',
			authenticated: false,
		});
	});

	test('is let in again and again when it is signed', () => {
		const wanted = { requestId: 'id-1', tenantId: 'tenant-1', authenticated: true };
		const headers = sign('id-1', 'tenant-1', NOW);
		for (const mustSign of [true, true, false]) {
			expect(ask('id-1', 'tenant-1', headers, mustSign)).toEqual(wanted);
		}
	});

	test.each<[string, () => unknown]>([
		['missing_signature', () => ask('id-1', 'tenant-1', {}, true)],
		['invalid_signature', () => ask('id-1', 'tenant-1', sign('id-2', 'tenant-1', NOW), true)],
		['invalid_signature', () => ask('id-1', 'tenant-1', sign('id-1', 'tenant-1', NOW, 'other'))],
		[
			'timestamp_out_of_range',
			() => ask('id-1', 'tenant-1', sign('id-1', 'tenant-1', NOW - 301), true),
		],
		[
			'timestamp_out_of_range',
			() =>
				ask('id-1', 'tenant-1', {
					'x-session-revocation-signature': `sha256=${hmac(SECRET, 'GET.id-1.tenant-1')}`,
				}),
		],
		['wrong_tenant', () => ask('id-1', 'tenant-2')],
		['wrong_tenant', () => ask('id-1', undefined)],
		['wrong_tenant', () => ask('id-1', 'tenant-2', sign('id-1', 'tenant-2', NOW), true)],
		['wrong_tenant', () => ask('id-1', ['tenant-1', 'tenant-1'])],
		['invalid_body', () => ask('a.b', 'tenant-1')],
		['invalid_body', () => ask(undefined, 'tenant-1')],
		['address_not_allowed', () => ask('id-1', 'tenant-1', {}, false, gate({ allowed: null }))],
	])('%s', (code, work) => {
		expect(codeOf(work)).toBe(code);
	});

	test('is not refused by the policy: it changes nothing', () => {
		const at = gate({ policy: { ...NO_POLICY, enabled: false } });
		expect(ask('id-1', 'tenant-1', {}, false, at).requestId).toBe('id-1');
	});
});

describe('the settings', () => {
	test('have defaults', () => {
		expect(readSettings({})).toMatchObject({
			tolerance: 300,
			requireTimestamp: false,
			mustSignStatus: false,
			listProblem: null,
		});
	});

	test.each([
		{ requireTimestamp: undefined },
		{ requireTimestamp: 'yes' },
		{ statusAuthentication: null },
		{ statusAuthentication: 'no' },
		{ timestampTolerance: 0 },
		{ timestampTolerance: NaN },
		{ timestampTolerance: 86_401 },
		'options',
	])('%j opens nothing', (options) => {
		expect(() => readSettings(options)).toThrow(/^The parameter '.+' is not valid$/);
	});

	test.each([undefined, null, 7, 'nowhere'])(
		'allowed addresses of %j let nobody in',
		(allowedIps) => {
			expect(readSettings({ allowedIps }).allowed).toBeNull();
		},
	);
});

describe('the credential', () => {
	test.each([
		[{ secret: ' sr_a\n', previousSecret: '', tenantId: ' t ' }, ['sr_a'], 't'],
		[{ secret: 'sr_a', previousSecret: 'sr_b' }, ['sr_a', 'sr_b'], null],
		[{ secret: '', previousSecret: 'sr_b', tenantId: '' }, [], null],
		[{}, [], null],
	])('%j', (data, secrets, tenantId) => {
		expect(readWebhookCredential(data)).toEqual({ secrets, tenantId });
	});

	test('that is not text cannot be read', () => {
		expect(readWebhookCredential({ secret: 7 })).toBeNull();
	});
});

describe('the answer', () => {
	const given = {
		statusCode: 200,
		requestId: '',
		jobStatus: '',
		body: '{}',
		items: [{ requestId: 'id-1', status: 'completed' }],
	};

	test.each([
		[{}, 200, { request_id: 'id-1', job_status: 'completed' }],
		[{ statusCode: 404, requestId: 'id-2' }, 404, { request_id: 'id-2', job_status: 'completed' }],
		[{ jobStatus: 'pending' }, 200, { request_id: 'id-1', job_status: 'pending' }],
		[{ body: '{"a":1}' }, 200, { a: 1 }],
		[{ body: { a: 1 }, items: [] }, 200, { a: 1 }],
		[
			{ items: [...given.items, { status: 'failed' }, { status: 'pending' }] },
			200,
			{ request_id: 'id-1', job_status: 'failed' },
		],
		[
			{ items: [...given.items, { status: 'pending' }] },
			200,
			{ request_id: 'id-1', job_status: 'pending' },
		],
	])('of %j', (more, statusCode, body) => {
		expect(readAnswer({ ...given, ...more })).toEqual({ statusCode, body });
	});

	test.each([
		['Status Code', { statusCode: 99 }],
		['Status Code', { statusCode: '200' }],
		['Request ID', { items: [{ status: 'completed' }] }],
		['Request ID', { requestId: 7 }],
		['Job Status', { items: [{ requestId: 'id-1' }] }],
		['Job Status', { jobStatus: 'done' }],
		['Body', { body: '[1]' }],
		['Body', { body: '{' }],
	])('cannot be made without %s: %j', (parameter, more) => {
		expect(() => readAnswer({ ...given, ...more })).toThrow(expect.objectContaining({ parameter }));
	});
});

test('every code stands in the documentation with its status, and no other', () => {
	const page = readFileSync(join(__dirname, '../../docs/webhook.md'), 'utf8');
	const rows = [...page.matchAll(/^\| (\d{3}) +\| `(\w+)`/gm)];
	const documented = new Map(rows.map(([, status, code = '']) => [code, Number(status)]));
	expect(documented).toEqual(new Map(Object.entries(REFUSALS)));
});
