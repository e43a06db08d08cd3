import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Dispatcher, request as http } from 'undici';
import type { Fault } from './faults';
import { type SimulatedVendor, type Simulator, startSimulator } from './simulator';

/** The smallest vendor: a counter that can be read, and raised with an effect that can be seen. */
function counterVendor(): SimulatedVendor & { count: number } {
	const vendor: SimulatedVendor & { count: number } = {
		name: 'counter',
		count: 0,
		routes: [
			{
				name: 'read',
				method: 'GET',
				url: '/counters/{name}',
				source: 'https://vendor.example/docs/read',
				query: ['verbose'],
				handler: ({ params }: { params: Readonly<Record<string, string>> }) => ({
					status: 200,
					body: { name: params.name, count: vendor.count },
				}),
			},
			{
				name: 'raise',
				method: 'POST',
				url: '/counters/{name}/raise',
				source: 'https://vendor.example/docs/raise',
				body: { contentType: 'application/json' },
				handler: () => {
					vendor.count += 1;
					return { status: 204 };
				},
			},
			{
				name: 'clear',
				method: 'DELETE',
				url: '/counters/{name}',
				source: 'https://vendor.example/docs/clear',
				handler: () => {
					vendor.count = 0;
					return { status: 204 };
				},
			},
		],
		notFound: () => ({ status: 404, body: { problem: 'nothing here' } }),
		error: (status: number) => ({ status, body: { problem: `own words for ${String(status)}` } }),
		rateLimited: (_request: unknown, form = 'plain', seconds = 1) => ({
			status: 429,
			headers: { 'retry-after': String(seconds) },
			body: { problem: form },
		}),
		state: () => ({ count: vendor.count }),
		reset: () => {
			vendor.count = 0;
		},
		actions: {
			add: (input: unknown) => (vendor.count += (input as { by: number }).by),
		},
	};
	return vendor;
}

let vendor: ReturnType<typeof counterVendor>;
let simulator: Simulator;

beforeEach(async () => {
	vendor = counterVendor();
	simulator = await startSimulator(vendor);
});

afterEach(async () => {
	await simulator.close();
});

async function call(
	method: Dispatcher.HttpMethod,
	path: string,
	options: { body?: string; headers?: Record<string, string>; signal?: AbortSignal } = {},
) {
	const answer = await http(simulator.url + path, { method, ...options });
	return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

const raise = (headers: Record<string, string> = { 'content-type': 'application/json' }) =>
	call('POST', '/counters/a/raise', { body: '{}', headers });
const read = () => call('GET', '/counters/a');

/** Writes bytes to the server and returns what it answers. */
async function onTheWire(text: string): Promise<string> {
	const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1');
	socket.end(text);
	let answer = '';
	for await (const chunk of socket) answer += String(chunk);
	return answer;
}

it('answers requests inside a request, for vendors with batches', async () => {
	const batching: SimulatedVendor = {
		...counterVendor(),
		routes: [
			...counterVendor().routes,
			{
				name: 'batch',
				method: 'POST',
				url: '/batch',
				source: 'https://vendor.example/docs/batch',
				body: { contentType: 'application/json' },
				handler: async (request) => {
					const inner = await Promise.all(
						(JSON.parse(request.body) as string[]).map((url) =>
							request.dispatch({ method: 'GET', url }),
						),
					);
					return { status: 200, body: inner };
				},
			},
		],
	};
	await simulator.close();
	simulator = await startSimulator(batching);
	simulator.faults.next({ match: 'read', skip: 1, fault: { kind: 'status', status: 429 } });
	const answer = await call('POST', '/batch', {
		body: JSON.stringify(['/counters/a', '/counters/b?x=1', '/nowhere']),
		headers: { 'content-type': 'application/json' },
	});
	expect(JSON.parse(answer.text)).toMatchObject([
		{ status: 200 },
		{ status: 429 },
		{ status: 404 },
	]);
	expect(simulator.hits).toMatchObject({ batch: 1, read: 2 });
	expect(simulator.requests.map(({ id, within, status }) => [id, within, status])).toEqual([
		[1, undefined, 200],
		[2, 1, 200],
		[3, 1, 429],
		[4, 1, 404],
	]);
	expect(simulator.unmatched).toMatchObject([{ path: '/nowhere' }]);
	expect(simulator.violations).toEqual(['GET /counters/b: undocumented query parameter x']);
});

describe('recording', () => {
	it('keeps a request as it was on the wire', async () => {
		const answer = await onTheWire(
			'GET /counters/a%2Fb+c%20d?verbose=1+2&verbose=%2B HTTP/1.1\r\nHost: localhost\r\nX-Case: Yes\r\nConnection: close\r\n\r\n',
		);
		expect(answer).toContain('"name":"a/b+c d"');
		expect(simulator.requests).toMatchObject([
			{
				method: 'GET',
				path: '/counters/a%2Fb+c%20d',
				query: 'verbose=1+2&verbose=%2B',
				route: 'read',
				status: 200,
			},
		]);
		expect(simulator.requests[0]?.rawHeaders).toEqual(expect.arrayContaining(['X-Case', 'Yes']));
		expect(simulator.violations).toEqual([
			'GET /counters/a%2Fb+c%20d: query parameter verbose is sent more than once',
		]);
	});

	it.each([
		'/nowhere',
		'/counters/',
		'/counters/a/',
		'//counters/a',
		'/counters/a/../b',
		'/%zz',
		'/x?y=%zz',
	])("answers %s in the vendor's manner and notes it as unmatched", async (path) => {
		const answer = await onTheWire(
			`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
		);
		expect(answer).toMatch(/^HTTP\/1.1 404 /);
		expect(answer).toContain('{"problem":"nothing here"}');
		expect(simulator.unmatched.map((one) => one.path)).toEqual([path.replace(/\?.*/, '')]);
	});

	it('notes broken percent-encoding in a documented path', async () => {
		await onTheWire('GET /counters/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
		expect(simulator.unmatched).toEqual([]);
		expect(simulator.violations).toHaveLength(1);
	});

	it('counts hits per route, also zero, and forgets', async () => {
		await raise();
		await read();
		await read();
		await call('PUT', '/counters/a');
		expect(simulator.hits).toEqual({ read: 2, raise: 1, clear: 0 });
		expect(simulator.unmatched).toMatchObject([{ method: 'PUT' }]);
		simulator.forget();
		expect(simulator.hits).toEqual({ read: 0, raise: 0, clear: 0 });
		expect([...simulator.requests, ...simulator.unmatched]).toEqual([]);
		expect(vendor.count).toBe(1);
	});

	it('counts sockets and requests in flight', async () => {
		simulator.latencyMs = 30;
		await Promise.all([read(), read(), read()]);
		expect(simulator.traffic).toMatchObject({ connections: 3, maxInFlight: 3, inFlight: 0 });
	});

	it('notes clients that leave early', async () => {
		simulator.faults.next({ fault: { kind: 'slow', delayMs: 60_000 } });
		await expect(
			call('GET', '/counters/a', { signal: AbortSignal.timeout(50) }),
		).rejects.toMatchObject({ name: 'TimeoutError' });
		await sleep(50);
		expect(simulator.requests).toMatchObject([{ aborted: true }]);
	});
});

describe('violations', () => {
	const cases: [string, () => Promise<unknown>, string | undefined][] = [
		[
			'documented calls',
			async () => [await raise(), await read(), await call('DELETE', '/counters/a')],
			undefined,
		],
		[
			'an undocumented query parameter',
			() => call('GET', '/counters/a?x=1'),
			'undocumented query parameter x',
		],
		[
			'an empty body with a content-type',
			() => call('DELETE', '/counters/a', { headers: { 'content-type': 'application/json' } }),
			'content-type application/json with an empty body',
		],
		[
			'a body where none is documented',
			() =>
				call('DELETE', '/counters/a', {
					body: '{}',
					headers: { 'content-type': 'application/json' },
				}),
			'a body where none is documented',
		],
		[
			'another content-type',
			() => raise({ 'content-type': 'text/plain' }),
			'content-type text/plain instead of application/json',
		],
		['no content-type', () => raise({}), 'content-type (none) instead of application/json'],
		['no body', () => call('POST', '/counters/a/raise'), 'the documented body is missing'],
	];

	it.each(cases)('%s', async (_name, act, expected) => {
		await act();
		expect(simulator.violations.map((one) => one.replace(/^\S+ \S+: /, ''))).toEqual(
			expected === undefined ? [] : [expected],
		);
	});
});

describe('faults', () => {
	const arm = (fault: Fault | Fault[], times = 1) => {
		simulator.faults.next({ match: 'raise', times, fault });
	};

	it("answers a status in the vendor's words, without an effect, and only as often as told", async () => {
		arm({ kind: 'status', status: 409, headers: { 'x-extra': '1' } }, 2);
		expect(await raise()).toMatchObject({
			status: 409,
			text: '{"problem":"own words for 409"}',
			headers: { 'x-extra': '1' },
		});
		expect(await read()).toMatchObject({ status: 200 });
		expect(await raise()).toMatchObject({ status: 409 });
		expect(vendor.count).toBe(0);
		expect(await raise()).toMatchObject({ status: 204 });
		expect(simulator.requests.map(({ faults }) => faults)).toEqual([
			['status'],
			undefined,
			['status'],
			undefined,
		]);
	});

	it('lines switches up, skips, matches by description or predicate, and clears', async () => {
		simulator.faults.next({ match: { method: 'GET' }, skip: 1, fault: { kind: 'serverError' } });
		simulator.faults.next({
			match: ({ path }) => path.endsWith('/a'),
			times: Infinity,
			fault: { kind: 'status', status: 403 },
		});
		expect([await read(), await read(), await read()].map(({ status }) => status)).toEqual([
			403, 500, 403,
		]);
		simulator.faults.clear();
		expect(await read()).toMatchObject({ status: 200 });
	});

	it("rate-limits in the vendor's words", async () => {
		arm({ kind: 'rateLimit', form: 'burst', resetInSeconds: 7 });
		expect(await raise()).toMatchObject({
			status: 429,
			text: '{"problem":"burst"}',
			headers: { 'retry-after': '7' },
		});
	});

	it('fails as the vendor or as a proxy in front of it', async () => {
		arm({ kind: 'serverError', status: 503 });
		arm({ kind: 'serverError', status: 502, html: true });
		expect(await raise()).toMatchObject({ status: 503, text: '{"problem":"own words for 503"}' });
		const proxy = await raise();
		expect(proxy.status).toBe(502);
		expect(proxy.headers['content-type']).toContain('text/html');
		expect(vendor.count).toBe(0);
	});

	it('cuts an answer in half, and resets without any', async () => {
		simulator.faults.next({ match: 'read', fault: { kind: 'cut' } });
		await expect(read()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
		expect(simulator.requests[0]).toMatchObject({ status: 200 });
		arm({ kind: 'cut' });
		await expect(raise()).rejects.toThrow();
		arm({ kind: 'reset' });
		await expect(raise()).rejects.toMatchObject({ code: 'ECONNRESET' });
		expect(simulator.requests.at(-1)?.status).toBeUndefined();
		expect(vendor.count).toBe(0);
	});

	it('lets the effect happen and the answer be lost', async () => {
		arm({ kind: 'afterEffect' });
		await expect(raise()).rejects.toThrow();
		expect(vendor.count).toBe(1);
		arm({ kind: 'afterEffect', then: { kind: 'serverError', status: 503 } });
		expect(await raise()).toMatchObject({ status: 503 });
		expect(vendor.count).toBe(2);
		arm({ kind: 'afterEffect', then: { kind: 'slow', delayMs: 5, part: 'body' } });
		expect(await raise()).toMatchObject({ status: 204 });
		expect(vendor.count).toBe(3);
	});

	it('is slow before the headers, or in the middle of the body', async () => {
		const timed = async () => {
			const start = performance.now();
			const answer = await http(`${simulator.url}/counters/a`);
			const headers = performance.now() - start;
			expect(await answer.body.json()).toEqual({ name: 'a', count: 0 });
			return [headers, performance.now() - start];
		};
		simulator.faults.next({ fault: { kind: 'slow', delayMs: 400 } });
		const [before = 0] = await timed();
		expect(before).toBeGreaterThan(390);
		simulator.faults.next({ fault: { kind: 'slow', delayMs: 400, part: 'body' } });
		const [headers = 0, whole = 0] = await timed();
		expect(headers).toBeLessThan(390);
		expect(whole).toBeGreaterThan(390);
	});

	it('chains a delay with another fault', async () => {
		arm([
			{ kind: 'slow', delayMs: 60 },
			{ kind: 'status', status: 404 },
		]);
		const start = performance.now();
		expect(await raise()).toMatchObject({ status: 404 });
		expect(performance.now() - start).toBeGreaterThan(50);
	});

	it('answers something else than the documents say', async () => {
		simulator.faults.next({ fault: { kind: 'notJson' } });
		simulator.faults.next({ fault: { kind: 'wrongShape', body: [1] } });
		simulator.faults.next({ fault: { kind: 'hugeBody' } });
		simulator.faults.next({ fault: { kind: 'redirect', location: 'http://127.0.0.1:1/x' } });
		expect(await read()).toMatchObject({ status: 200, text: expect.stringContaining('<html>') });
		expect(await read()).toMatchObject({ status: 200, text: '[1]' });
		const huge = await read();
		expect(huge.headers['content-length']).toBeUndefined();
		expect((JSON.parse(huge.text) as string[])[0]?.length).toBeGreaterThan(2 ** 21);
		expect(await read()).toMatchObject({
			status: 302,
			headers: { location: 'http://127.0.0.1:1/x' },
		});
	});

	it('ends with pending faults', async () => {
		simulator.faults.next({ fault: { kind: 'slow', delayMs: Infinity } });
		const pending = read().catch((error: unknown) => error);
		await sleep(30);
		await simulator.close();
		expect(await pending).toBeInstanceOf(Error);
	});
});

describe('control API', () => {
	const control = async (method: Dispatcher.HttpMethod, path: string, body?: unknown) => {
		const answer = await call(method, `/__simulator/${path}`, {
			...(body === undefined
				? {}
				: { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
		});
		return { status: answer.status, json: JSON.parse(answer.text) as unknown };
	};

	it('shows health, state, routes and requests without being a vendor request', async () => {
		await raise();
		expect(await control('GET', 'health')).toMatchObject({
			json: { vendor: 'counter', url: simulator.url },
		});
		expect(await control('GET', 'state')).toMatchObject({ json: { count: 1 } });
		expect(await control('GET', 'routes')).toMatchObject({
			json: [{ name: 'read', source: 'https://vendor.example/docs/read' }, {}, {}],
		});
		expect(await control('GET', 'requests')).toMatchObject({
			json: { requests: [{ route: 'raise' }], unmatched: [], violations: [], hits: { raise: 1 } },
		});
		expect(simulator.requests).toHaveLength(1);
	});

	it('arms faults, checks them, and clears them', async () => {
		const armed = { match: 'read', times: 'always', fault: { kind: 'status', status: 401 } };
		expect(await control('POST', 'faults', armed)).toMatchObject({ json: { armed: 1 } });
		expect([await read(), await read()].map(({ status }) => status)).toEqual([401, 401]);
		expect(await control('DELETE', 'faults')).toMatchObject({ json: { armed: 0 } });
		expect(await read()).toMatchObject({ status: 200 });
		const wrong = { fault: { kind: 'status', status: 401, typo: 1 } };
		expect(await control('POST', 'faults', wrong)).toMatchObject({ status: 400 });
	});

	it("runs the vendor's actions, sets latency, and resets", async () => {
		expect(await control('POST', 'actions/add', { by: 5 })).toMatchObject({ json: { result: 5 } });
		expect(await control('POST', 'actions/add')).toMatchObject({ status: 400 });
		expect(await control('POST', 'actions/none', {})).toMatchObject({ status: 404 });
		expect(await control('POST', 'latency', { latencyMs: 3 })).toMatchObject({ status: 200 });
		expect(simulator.latencyMs).toBe(3);
		await read();
		expect(await control('POST', 'reset')).toMatchObject({ json: { ok: true } });
		expect(vendor.count).toBe(0);
		expect(simulator.requests).toEqual([]);
	});
});

it("carries the vendor's clock, right or wrong", async () => {
	const late = await startSimulator({
		...counterVendor(),
		now: () => Date.parse('2020-05-05T00:00:00Z'),
	});
	const { headers, body } = await http(`${late.url}/counters/a`);
	await body.dump();
	expect(headers.date).toBe('Tue, 05 May 2020 00:00:00 GMT');
	await late.close();
});
