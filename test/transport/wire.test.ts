import { describe, expect, test } from '@jest/globals';
import type { LookupFunction } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { longestBody } from '../../nodes/core/transport/reply';
import { selfSigned } from './support/certificate';
import {
	counting,
	failure,
	get,
	json,
	lineTo,
	post,
	serve,
	serveSockets,
	within,
} from './support/server';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';

describe('no connection', () => {
	test('refused: retried, and surely not arrived, even for a request that is not idempotent', async () => {
		const server = await serve(() => undefined);
		await server.close();
		const budget = counting(10_000);
		const error = await failure(lineTo(server.origin).send(post, budget));
		expect(error).toMatchObject({ reason: 'unavailable', mayHaveArrived: false });
		expect(String(error)).toContain('ECONNREFUSED');
		expect(budget.sent).toBe(0);
	});

	test('refused at first, then there: it is sent, also when it is not idempotent', async () => {
		const gone = await serve(() => undefined);
		await gone.close();
		const sending = lineTo(gone.origin).send(post, within(10_000));
		await sleep(20);
		const back = await serve((_, response) => json(response, { ok: 1 }), undefined, gone.port);
		expect((await sending).body).toEqual({ ok: 1 });
		expect(back.requests).toHaveLength(1);
	});

	test('a name that does not resolve', async () => {
		const line = lineTo(
			'http://localhost:1',
			{},
			{
				egressFilter: {
					validateUrl: () => Promise.resolve({ ok: true }),
					createSecureLookup: () => (_host, _options, callback) =>
						callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), ''),
				},
			},
		);
		const error = await failure(line.send(get, within(10_000)));
		expect(error).toMatchObject({ reason: 'unavailable', mayHaveArrived: false });
		expect(String(error)).toContain('ENOTFOUND');
	});
});

describe('TLS', () => {
	const certificate = selfSigned();
	const silent = async () => (await serveSockets(() => undefined)).port;

	test('a handshake that never ends: surely not arrived', async () => {
		const budget = counting(500);
		const line = lineTo(`https://127.0.0.1:${await silent()}`);
		expect(await failure(line.send(post, budget))).toMatchObject({
			reason: 'timeout',
			mayHaveArrived: false,
		});
		expect(budget.sent).toBe(0);
	});

	test('a handshake that never ends is given up after 5 s, and tried again', async () => {
		const server = await serveSockets(() => undefined);
		const line = lineTo(`https://127.0.0.1:${server.port}`);
		const error = await failure(line.send(post, within(8000)));
		expect(error).toMatchObject({ reason: 'timeout', mayHaveArrived: false });
		expect(server.sockets).toBe(2);
	});

	test('cancelled while it connects: it ends at once and nothing is sent', async () => {
		const controller = new AbortController();
		const line = lineTo(`https://127.0.0.1:${await silent()}`);
		const sending = failure(line.send(post, within(20_000, controller.signal)));
		await sleep(100);
		const startedAt = performance.now();
		controller.abort();
		expect(await sending).toMatchObject({ reason: 'cancelled', mayHaveArrived: false });
		expect(performance.now() - startedAt).toBeLessThan(1000);
	});

	test('an untrusted certificate is refused once, with the next step', async () => {
		const server = await serve((_, response) => json(response, {}), certificate);
		const line = lineTo(server.origin);
		const error = await failure(line.send(get, within(10_000)));
		expect(error).toMatchObject({ reason: 'configuration', mayHaveArrived: false });
		expect(String(error)).toContain('NODE_EXTRA_CA_CERTS');
		expect([server.sockets, server.requests.length]).toEqual([1, 0]);
	});

	test('it is accepted for the credential that says so, and for that one alone', async () => {
		const server = await serve((_, response) => json(response, { ok: 1 }), certificate);
		const lenient = lineTo(server.origin, { allowUnauthorizedCerts: true });
		expect((await lenient.send(get, within(10_000))).body).toEqual({ ok: 1 });
		const strict = await failure(lineTo(server.origin).send(get, within(10_000)));
		expect(strict).toMatchObject({ reason: 'configuration' });
		expect(server.requests).toHaveLength(1);
	});
});

describe('a connection that breaks', () => {
	test('before any answer: an idempotent request is repeated', async () => {
		const server = await serveSockets((socket, count) =>
			socket.once('data', () => (count === 1 ? socket.destroy() : socket.end(ok))),
		);
		const budget = counting(10_000);
		expect((await lineTo(server.origin).send(get, budget)).body).toEqual({});
		expect(budget.sent).toBe(2);
	});

	test('before any answer: another request is not', async () => {
		const server = await serveSockets((socket) => socket.once('data', () => socket.destroy()));
		const budget = counting(10_000);
		expect(await failure(lineTo(server.origin).send(post, budget))).toMatchObject({
			reason: 'unavailable',
			mayHaveArrived: true,
		});
		expect([budget.sent, server.sockets]).toEqual([1, 1]);
	});

	test('while it connects, a caller who has left: his request is never sent', async () => {
		const server = await serve((_, response) => json(response, {}));
		const controller = new AbortController();
		const egressFilter = {
			validateUrl: () => Promise.resolve({ ok: true as const }),
			createSecureLookup: (): LookupFunction => (_host, options, callback) => {
				const found = { address: '127.0.0.1', family: 4 };
				setTimeout(() => {
					if (options.all === true) callback(null, [found]);
					else callback(null, found.address, found.family);
				}, 100);
			},
		};
		const line = lineTo(`http://localhost:${server.port}`, {}, { egressFilter });
		const leaving = failure(line.send(post, within(5000, controller.signal)));
		await sleep(30);
		controller.abort();
		expect(await leaving).toMatchObject({ reason: 'cancelled', mayHaveArrived: false });
		await sleep(200);
		expect(server.requests).toHaveLength(0);
		expect((await line.send(get, within(5000))).status).toBe(200);
	});

	test('in the middle of the body', async () => {
		const server = await serveSockets((socket) =>
			socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"a":')),
		);
		const error = await failure(lineTo(server.origin).send(post, within(10_000)));
		expect(error).toMatchObject({ reason: 'unavailable', mayHaveArrived: true });
		expect(String(error)).toContain('broke before the answer was complete');
	});

	/** Answers the first request of each connection and resets the connection at the second. */
	const resetsOnReuse = async () =>
		await serveSockets((socket) => {
			socket.once('data', () => {
				socket.write(ok);
				socket.once('data', () => socket.resetAndDestroy());
			});
		});

	test('when it is used again: an idempotent request is repeated on a fresh one', async () => {
		const server = await resetsOnReuse();
		const line = lineTo(server.origin);
		await line.send(get, within(10_000));
		const budget = counting(10_000);
		expect((await line.send(get, budget)).status).toBe(200);
		expect([budget.sent, server.sockets]).toEqual([2, 2]);
	});

	test('when it is used again: another request is not sent twice', async () => {
		const server = await resetsOnReuse();
		const line = lineTo(server.origin);
		await line.send(get, within(10_000));
		const budget = counting(10_000);
		expect(await failure(line.send(post, budget))).toMatchObject({
			reason: 'unavailable',
			mayHaveArrived: true,
		});
		expect([budget.sent, server.sockets]).toEqual([1, 1]);
	});

	test('while it lies idle: the next request opens another and is sent once', async () => {
		const server = await serveSockets((socket) => {
			socket.once('data', () => socket.write(ok, () => setTimeout(() => socket.end(), 20)));
		});
		const line = lineTo(server.origin);
		await line.send(post, within(10_000));
		await sleep(150);
		const budget = counting(10_000);
		expect((await line.send(post, budget)).status).toBe(200);
		expect([budget.sent, server.sockets]).toEqual([1, 2]);
	});
});

describe('an answer that is too slow', () => {
	test('headers that never come', async () => {
		const server = await serve(() => undefined);
		expect(await failure(lineTo(server.origin).send(get, within(200)))).toMatchObject({
			reason: 'timeout',
			mayHaveArrived: true,
		});
	});
});

describe('an answer that is too long', () => {
	const bomb = Buffer.alloc(longestBody * 64, ' ');
	test.each([
		['plain', Buffer.alloc(longestBody + 1, ' '), {}],
		['gzip', gzipSync(bomb), { 'content-encoding': 'gzip' }],
		['br', brotliCompressSync(bomb), { 'content-encoding': 'br' }],
		['deflate', deflateSync(bomb), { 'content-encoding': 'deflate' }],
	])('%s', async (_, body, headers) => {
		const server = await serve((_request, response) => {
			response.writeHead(200, headers);
			response.end(body);
		});
		expect(await failure(lineTo(server.origin).send(get, within(10_000)))).toMatchObject({
			reason: 'unexpected_reply',
			mayHaveArrived: true,
			statusCode: 200,
		});
		expect(server.requests).toHaveLength(1);
	});

	test('endless: it is not read to the end', async () => {
		let written = 0;
		const server = await serve((_, response) => {
			const chunk = Buffer.alloc(64 * 1024);
			const pump = () => {
				while (!response.destroyed && response.write(chunk)) written += chunk.length;
			};
			response.on('drain', pump);
			pump();
		});
		expect(await failure(lineTo(server.origin).send(get, within(10_000)))).toMatchObject({
			reason: 'unexpected_reply',
		});
		expect(written).toBeLessThan(longestBody * 64);
	});

	test('just not: it is read', async () => {
		const text = JSON.stringify('x'.repeat(longestBody - 2));
		const server = await serve((_, response) => response.end(text));
		const reply = await lineTo(server.origin).send(get, within(10_000));
		expect(JSON.stringify(reply.body)).toHaveLength(longestBody);
	});

	test('headers that are too long are no HTTP answer', async () => {
		const server = await serveSockets((socket) =>
			socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)),
		);
		const error = await failure(lineTo(server.origin).send(get, within(10_000)));
		expect(error).toMatchObject({ reason: 'unexpected_reply', mayHaveArrived: true });
	});
});

describe('what an answer holds', () => {
	const replyTo = async (body: string | Buffer, status = 200, headers = {}) => {
		const server = await serve((_, response) => {
			response.writeHead(status, headers);
			response.end(body);
		});
		return await lineTo(server.origin).send(get, within(10_000));
	};

	test.each<[string, string | Buffer, Record<string, string>, string, unknown]>([
		['JSON', '{"a":1}', {}, 'json', { a: 1 }],
		['JSON under another type', '[1]', { 'content-type': 'text/html' }, 'json', [1]],
		['JSON null', 'null', {}, 'json', null],
		['JSON after a byte order mark', '\ufeff{"a":1}', {}, 'json', { a: 1 }],
		['HTML', '<html>', { 'content-type': 'text/html' }, 'other', undefined],
		['JSON that is cut off', '{"a":', {}, 'other', undefined],
		['nothing', '', {}, 'empty', undefined],
		['blanks', ' \r\n', {}, 'empty', undefined],
		['gzip', gzipSync('{"a":1}'), { 'content-encoding': 'gzip' }, 'json', { a: 1 }],
		['br', brotliCompressSync('{"a":1}'), { 'content-encoding': 'br' }, 'json', { a: 1 }],
		['deflate', deflateSync('{"a":1}'), { 'content-encoding': 'deflate' }, 'json', { a: 1 }],
		[
			'bare deflate',
			deflateRawSync('{"a":1}'),
			{ 'content-encoding': 'deflate' },
			'json',
			{ a: 1 },
		],
		['gzip twice', gzipSync(gzipSync('1')), { 'content-encoding': 'gzip, gzip' }, 'json', 1],
		[
			'gzip ten times',
			gzipSync('1'),
			{ 'content-encoding': 'gzip,'.repeat(10) },
			'other',
			undefined,
		],
		['gzip of nothing', '', { 'content-encoding': 'gzip' }, 'empty', undefined],
		['gzip that is none', '{"a":1}', { 'content-encoding': 'gzip' }, 'other', undefined],
		['an unknown coding', '{"a":1}', { 'content-encoding': 'zstd' }, 'other', undefined],
		[
			'a coding with a strange name',
			'{"a":1}',
			{ 'content-encoding': '__proto__' },
			'other',
			undefined,
		],
	])('%s', async (_, body, headers, bodyKind, parsed) => {
		const reply = await replyTo(body, 200, headers);
		expect(reply).toMatchObject({ status: 200, bodyKind });
		expect(reply.body).toEqual(parsed);
	});

	test('204', async () => {
		expect(await replyTo('', 204)).toMatchObject({ status: 204, bodyKind: 'empty' });
	});

	test('headers in lower case, repeated ones joined, no cookies', async () => {
		const { headers } = await replyTo('', 200, {
			'X-One': '1',
			'x-two': ['a', 'b'],
			'Set-Cookie': 'session=1',
		});
		expect(headers).toMatchObject({ 'x-one': '1', 'x-two': 'a, b' });
		expect(headers).not.toHaveProperty('set-cookie');
	});

	test('the time of the server, or of this machine when it does not say', async () => {
		const date = 'Sun, 22 Nov 2020 12:00:00 GMT';
		expect((await replyTo('', 200, { date })).serverTime).toBe(Date.parse(date));
		const before = Date.now();
		const { serverTime } = await replyTo('', 200, { date: 'yesterday' });
		expect(serverTime).toBeGreaterThanOrEqual(before);
		expect(serverTime).toBeLessThanOrEqual(Date.now());
	});

	test('something that is not HTTP', async () => {
		const server = await serveSockets((socket) =>
			socket.once('data', () => socket.end('220 mail.example ESMTP\r\n')),
		);
		const error = await failure(lineTo(server.origin).send(get, within(10_000)));
		expect(error).toMatchObject({ reason: 'unexpected_reply', mayHaveArrived: true });
		expect(server.sockets).toBe(1);
	});
});
