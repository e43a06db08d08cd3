import { describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLine, TransportError } from '../../nodes/core/transport';
import {
	counting,
	failure,
	get,
	json,
	lineTo,
	post,
	serve,
	surroundings,
	within,
} from './support/server';

describe('openLine', () => {
	const open = (baseUrl: string) =>
		openLine({ baseUrl, authentication: { type: 'none' }, secrets: [] }, surroundings);

	test.each([
		'http://vendor.example',
		'ftp://vendor.example',
		'vendor.example',
		'https://user:pass@vendor.example',
		'https://vendor.example/?a=b',
		'',
	])('refuses %j', (baseUrl) => {
		expect(() => open(baseUrl)).toThrow(
			expect.objectContaining({ reason: 'configuration', mayHaveArrived: false }),
		);
	});

	test('refuses a token endpoint without https', () => {
		const grant = { form: {}, client: { method: 'none' }, dpop: false } as const;
		const withToken = (tokenUrl: string) =>
			lineTo('https://vendor.example', {
				authentication: { type: 'oauth2', grant: { ...grant, tokenUrl } },
			});
		expect(() => withToken('http://vendor.example/token')).toThrow(TransportError);
		expect(() => withToken('https://vendor.example/token?tenant=1')).not.toThrow();
	});

	test('opens https, and http on this machine', () => {
		expect(open('https://vendor.example/a/').urlOf(get)).toBe('https://vendor.example/a/x');
		expect(open('http://localhost:1').urlOf(get)).toBe('http://localhost:1/x');
	});
});

describe('what goes out', () => {
	test('path and query byte for byte, headers, form', async () => {
		const server = await serve((_, response) => json(response, {}));
		const line = lineTo(`${server.origin}/base`, {
			authentication: { type: 'header', name: 'Authorization', value: 'SSWS secret-1' },
		});
		const request = {
			...post,
			path: "/u/a%2Fb%2e/x'(",
			query: { q: 'a+b c', n: 1, flag: false },
			headers: { 'X-Own': '1', Accept: 'text/x' },
			body: { form: { 'e m': 'a+b@x' } },
		};
		const budget = counting(5000);
		await line.send(request, budget);
		const [seen] = server.requests;
		expect(seen?.method).toBe('POST');
		expect(seen?.url).toBe("/base/u/a%2Fb%2e/x'(?q=a%2Bb%20c&n=1&flag=false");
		expect(seen?.headers).toMatchObject({
			authorization: 'SSWS secret-1',
			accept: 'text/x',
			'accept-encoding': 'identity',
			'content-type': 'application/x-www-form-urlencoded',
			'x-own': '1',
		});
		expect(server.bodies).toEqual(['e%20m=a%2Bb%40x']);
		expect(budget.sent).toBe(1);
	});

	test("JSON as JSON, with the connector's own content type if it has one", async () => {
		const server = await serve((_, response) => json(response, {}));
		const line = lineTo(server.origin);
		await line.send({ ...post, body: { json: { a: 'ä' } } }, within(5000));
		const headers = { 'Content-Type': 'application/json; okta-response=omitCredentials' };
		await line.send({ ...get, headers }, within(5000));
		expect(server.bodies).toEqual(['{"a":"ä"}', '']);
		expect(server.requests.map((seen) => seen.headers['content-type'])).toEqual([
			'application/json',
			'application/json; okta-response=omitCredentials',
		]);
	});

	test('a token that holds a line break is refused before anything is sent', async () => {
		const server = await serve((_, response) => json(response, {}));
		const line = lineTo(server.origin, {
			authentication: { type: 'header', name: 'Authorization', value: 'SSWS secret-1\nX: y' },
		});
		const error = await failure(line.send(get, within(5000)));
		expect(error).toMatchObject({ reason: 'configuration', mayHaveArrived: false });
		expect(String(error)).toContain('line breaks');
		expect(String(error)).not.toContain('secret-1');
		expect(server.requests).toHaveLength(0);
	});

	test.each([
		'x',
		'//evil.example/x',
		'/a/../b',
		'/a?b',
		'/a#b',
		'/a\\b',
		'/a b',
		'/a\n',
		'/%2e%2e/b',
	])('the path %j is refused before anything is sent', async (path) => {
		const server = await serve((_, response) => json(response, {}));
		const line = lineTo(server.origin);
		expect(await failure(line.send({ ...get, path }, within(5000)))).toMatchObject({
			reason: 'configuration',
			mayHaveArrived: false,
		});
		expect(server.sockets).toBe(0);
	});

	test.each([
		['query', { query: { q: '\ud800' } }],
		['form', { body: { form: { q: '\ud800' } } }],
	])('half a character in the %s is refused before anything is sent', async (_, part) => {
		const server = await serve((_request, response) => json(response, {}));
		const error = await failure(lineTo(server.origin).send({ ...post, ...part }, within(5000)));
		expect(error).toMatchObject({ reason: 'configuration', mayHaveArrived: false });
		expect(server.sockets).toBe(0);
	});
});

describe('redirects', () => {
	test.each([301, 302, 303, 307, 308])(
		'%i comes back as it is; nothing follows it',
		async (status) => {
			const other = await serve((_, response) => json(response, { stolen: true }));
			const server = await serve((_, response) =>
				json(response, {}, status, { location: `${other.origin}/x` }),
			);
			const line = lineTo(server.origin, {
				authentication: { type: 'header', name: 'Authorization', value: 'SSWS secret-1' },
			});
			const reply = await line.send(get, within(5000));
			expect(reply.status).toBe(status);
			expect([server.requests.length, other.sockets]).toEqual([1, 0]);
		},
	);
});

describe('5xx', () => {
	test.each([500, 502, 503, 504])('%i, then 200', async (status) => {
		const server = await serve((_, response, count) =>
			json(response, { count }, count < 3 ? status : 200),
		);
		const budget = counting(10_000);
		expect((await lineTo(server.origin).send(get, budget)).body).toEqual({ count: 3 });
		expect(budget.sent).toBe(3);
	});

	test('for ever: the last one is returned after four attempts', async () => {
		const server = await serve((_, response) => json(response, { e: 1 }, 503));
		const line = lineTo(server.origin);
		const reply = await line.send(get, within(10_000));
		expect(reply).toMatchObject({ status: 503, body: { e: 1 } });
		expect(server.requests).toHaveLength(4);
	});

	test('is not repeated when the request is not idempotent', async () => {
		const server = await serve((_, response) => json(response, {}, 500));
		const reply = await lineTo(server.origin).send(post, within(10_000));
		expect(reply.status).toBe(500);
		expect(server.requests).toHaveLength(1);
	});

	test('followed by no connection: the request may have arrived', async () => {
		const server = await serve((_, response) => {
			json(response, {}, 500, { connection: 'close' });
			void server.close();
		});
		const error = await failure(lineTo(server.origin).send(get, within(10_000)));
		expect(error).toMatchObject({ reason: 'unavailable', mayHaveArrived: true });
	});

	test('under another status, when the connector says so', async () => {
		const server = await serve((_, response, count) =>
			json(response, count === 2 ? { ok: 1 } : { error: 'internal_error' }),
		);
		const line = lineTo(server.origin, {
			isPassing: ({ body }) => JSON.stringify(body).includes('internal_error'),
		});
		expect((await line.send(get, within(8000))).body).toEqual({ ok: 1 });
		expect(server.requests).toHaveLength(2);
		expect((await line.send(post, within(8000))).body).toEqual({ error: 'internal_error' });
		expect(server.requests).toHaveLength(3);
	});
});

describe('429', () => {
	const inSeconds = (seconds: number) => String(Math.floor(Date.now() / 1000) + seconds);

	test('with Retry-After, then 200, also for a request that is not idempotent', async () => {
		const server = await serve((_, response, count) =>
			count === 1 ? json(response, {}, 429, { 'retry-after': '1' }) : json(response, { ok: 1 }),
		);
		const startedAt = performance.now();
		const reply = await lineTo(server.origin).send(post, within(10_000));
		expect(reply.body).toEqual({ ok: 1 });
		expect(performance.now() - startedAt).toBeGreaterThan(900);
		expect(server.requests).toHaveLength(2);
	});

	test('with a reset by the clock of the server, which is an hour ahead', async () => {
		const ahead = Date.now() + 3_600_000;
		const reset = String(Math.floor(ahead / 1000) + 1);
		const headers = { date: new Date(ahead).toUTCString(), 'x-rate-limit-reset': reset };
		const server = await serve((_, response, count) =>
			count === 1 ? json(response, {}, 429, headers) : json(response, { ok: 1 }),
		);
		expect((await lineTo(server.origin).send(get, within(10_000))).status).toBe(200);
	});

	test.each([
		['Retry-After', () => ({ 'retry-after': '60' })],
		['a date', () => ({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() })],
		["Okta's reset", () => ({ 'x-rate-limit-reset': inSeconds(60) })],
		["Miro's reset", () => ({ 'x-ratelimit-reset': inSeconds(60) })],
	])('is returned at once when the wait does not fit: %s', async (_, headers) => {
		const server = await serve((_request, response) => json(response, { e: 1 }, 429, headers()));
		const line = lineTo(server.origin);
		const startedAt = performance.now();
		const reply = await line.send(get, within(8000));
		expect(reply).toMatchObject({ status: 429, body: { e: 1 } });
		expect(performance.now() - startedAt).toBeLessThan(4000);

		const next = await failure(line.send(get, within(8000)));
		expect(next).toMatchObject({ reason: 'rate_limited', mayHaveArrived: false });
		expect(String(next)).toMatch(/for \d\d s/);
		expect(server.requests).toHaveLength(1);
	});

	test('for too many at a time: repeated soon, not at the reset', async () => {
		const headers = {
			'x-rate-limit-limit': '0',
			'x-rate-limit-remaining': '0',
			'x-rate-limit-reset': inSeconds(60),
		};
		const server = await serve((_, response, count) =>
			count === 1 ? json(response, {}, 429, headers) : json(response, { ok: 1 }),
		);
		expect((await lineTo(server.origin).send(get, within(8000))).status).toBe(200);
	});

	test('under another status, when the connector says so', async () => {
		const server = await serve((_, response, count) =>
			count === 1
				? json(response, { reason: 'userRateLimitExceeded' }, 403)
				: json(response, { ok: 1 }),
		);
		const line = lineTo(server.origin, {
			isThrottled: ({ body }) => JSON.stringify(body).includes('userRateLimitExceeded'),
		});
		expect((await line.send(post, within(8000))).status).toBe(200);
		expect(server.requests).toHaveLength(2);
	});

	test('a used-up window stops the next request before it is sent', async () => {
		const headers = () => ({
			'x-rate-limit-limit': '600',
			'x-rate-limit-remaining': '0',
			'x-rate-limit-reset': inSeconds(60),
		});
		const server = await serve((_, response) => json(response, {}, 200, headers()));
		const line = lineTo(server.origin);
		expect((await line.send(get, within(5000))).status).toBe(200);
		expect(await failure(line.send(get, within(5000)))).toMatchObject({ reason: 'rate_limited' });
		expect((await line.send({ ...get, bucket: 'other' }, within(5000))).status).toBe(200);
		expect(server.requests).toHaveLength(2);
	});

	test('what one line learned, another line of the same credential knows; another credential does not', async () => {
		const server = await serve((_, response) => json(response, {}, 429, { 'retry-after': '60' }));
		const access = { secrets: ['secret-1'] };
		await lineTo(server.origin, access).send(get, within(2000));
		const same = await failure(lineTo(server.origin, access).send(get, within(2000)));
		expect(same).toMatchObject({ reason: 'rate_limited' });
		expect((await lineTo(server.origin).send(get, within(2000))).status).toBe(429);
		expect(server.requests).toHaveLength(2);
	});

	test('a quota of 20 a second, 60 requests, 10 at a time: no request is wasted', async () => {
		let window = { end: 0, left: 20 };
		let refused = 0;
		const server = await serve((_, response) => {
			const seconds = Math.floor(Date.now() / 1000);
			if (seconds >= window.end) window = { end: seconds + 1, left: 20 };
			const allowed = window.left > 0;
			if (allowed) window.left--;
			else refused++;
			const headers = {
				'x-rate-limit-limit': '20',
				'x-rate-limit-remaining': String(window.left),
				'x-rate-limit-reset': String(window.end),
			};
			setTimeout(() => json(response, {}, allowed ? 200 : 429, headers), 5);
		});
		const line = lineTo(server.origin);
		const replies = await Promise.all(
			Array.from({ length: 60 }, async () => await line.send(get, within(25_000))),
		);
		expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 60 }, () => 200));
		expect(refused).toBe(0);
	});
});

describe('cancellation', () => {
	const hanging = () => serve(() => undefined);

	test.each(['cancelSignal', 'budget'])('before it is sent (%s): nothing is', async (where) => {
		const server = await hanging();
		const aborted = AbortSignal.abort();
		const line = lineTo(server.origin, {}, where === 'budget' ? {} : { cancelSignal: aborted });
		const budget = within(5000, where === 'budget' ? aborted : undefined);
		expect(await failure(line.send(get, budget))).toMatchObject({
			reason: 'cancelled',
			mayHaveArrived: false,
		});
		expect(server.sockets).toBe(0);
	});

	test('in flight: it ends at once, the connection is closed, and it may have arrived', async () => {
		const server = await hanging();
		const controller = new AbortController();
		const line = lineTo(server.origin, {}, { cancelSignal: controller.signal });
		const sending = failure(line.send(get, within(20_000)));
		while (server.requests.length === 0) await sleep(5);
		const socket = server.requests[0]?.socket;
		const startedAt = performance.now();
		controller.abort();
		expect(await sending).toMatchObject({ reason: 'cancelled', mayHaveArrived: true });
		while (socket?.destroyed === false) await sleep(5);
		expect(performance.now() - startedAt).toBeLessThan(1000);
		expect(server.requests).toHaveLength(1);
	});

	test('while it waits for a retry: it ends at once; a 429 did nothing', async () => {
		const server = await serve((_, response) => json(response, {}, 429, { 'retry-after': '15' }));
		const controller = new AbortController();
		const sending = failure(lineTo(server.origin).send(get, within(20_000, controller.signal)));
		while (server.requests.length === 0) await sleep(5);
		await sleep(50);
		const startedAt = performance.now();
		controller.abort();
		expect(await sending).toMatchObject({ reason: 'cancelled', mayHaveArrived: false });
		expect(performance.now() - startedAt).toBeLessThan(1000);
	});

	test('as the answer arrives: what the vendor did is told', async () => {
		const server = await serve((_, response) => json(response, { ended: true }));
		const controller = new AbortController();
		const line = lineTo(
			server.origin,
			{},
			{ cancelSignal: controller.signal, log: () => controller.abort() },
		);
		expect((await line.send(post, within(5000))).body).toEqual({ ended: true });
		expect(controller.signal.aborted).toBe(true);
	});

	test('while it waits for its turn: nothing is sent', async () => {
		const server = await hanging();
		const controller = new AbortController();
		const line = lineTo(server.origin, {}, { usersInParallel: 1 });
		const first = failure(line.send(get, within(300)));
		const second = failure(line.send(get, within(20_000, controller.signal)));
		controller.abort();
		expect(await second).toMatchObject({ reason: 'cancelled', mayHaveArrived: false });
		expect(await first).toMatchObject({ reason: 'timeout', mayHaveArrived: true });
		expect(server.requests).toHaveLength(1);
	});
});

describe('deadline', () => {
	test('passed already: nothing is sent', async () => {
		const server = await serve((_, response) => json(response, {}));
		expect(await failure(lineTo(server.origin).send(get, within(-1)))).toMatchObject({
			reason: 'timeout',
			mayHaveArrived: false,
		});
		expect(server.sockets).toBe(0);
	});

	test('bounds the whole send, retries included', async () => {
		const server = await serve((_, response, count) => {
			if (count === 1) json(response, {}, 503);
		});
		const startedAt = performance.now();
		const error = await failure(lineTo(server.origin).send(get, within(600)));
		expect(error).toMatchObject({ reason: 'timeout', mayHaveArrived: true });
		expect(performance.now() - startedAt).toBeLessThan(3000);
	});

	test('ends a body that never ends', async () => {
		const server = await serve((_, response) => {
			response.writeHead(200);
			const drip = setInterval(() => response.write(' '), 20);
			response.on('close', () => clearInterval(drip));
		});
		expect(await failure(lineTo(server.origin).send(get, within(300)))).toMatchObject({
			reason: 'timeout',
			mayHaveArrived: true,
		});
	});
});

describe('what the log shows', () => {
	test('method, host, path, status, time and attempt; no query and no secret', async () => {
		const server = await serve((_, response, count) => json(response, {}, count === 1 ? 500 : 200));
		const lines: unknown[] = [];
		const line = lineTo(
			server.origin,
			{ secrets: ['secret-1'] },
			{ log: (...entry) => lines.push(entry) },
		);
		await line.send({ ...get, path: '/u/secret-1', query: { q: 'private' } }, within(5000));
		const details = {
			method: 'GET',
			host: `127.0.0.1:${server.port}`,
			path: '/u/[redacted]',
			ms: expect.any(Number),
		};
		expect(lines).toEqual([
			['debug', 'Request', { ...details, status: 500, attempt: 1 }],
			['debug', 'Request', { ...details, status: 200, attempt: 2 }],
		]);
	});

	test('urlOf and redact hide secrets', () => {
		const line = lineTo('https://vendor.example', {
			authentication: { type: 'header', name: 'X', value: 'SSWS secret-2' },
			secrets: ['secret-1'],
		});
		expect(line.urlOf({ ...get, query: { a: 'secret-1' } })).toBe(
			'https://vendor.example/x?a=[redacted]',
		);
		expect(line.redact({ 'secret-1': ['secret-2'] })).toEqual({ '[redacted]': ['[redacted]'] });
	});
});
