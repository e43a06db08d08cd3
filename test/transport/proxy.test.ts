import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import http from 'node:http';
import net from 'node:net';
import { closeAll } from '../../nodes/core/transport';
import {
	counting,
	failure,
	get,
	json,
	lineTo,
	serve,
	serveSockets,
	surroundings,
	within,
} from './support/server';

const variables = [
	'HTTP_PROXY',
	'HTTPS_PROXY',
	'NO_PROXY',
	'http_proxy',
	'https_proxy',
	'no_proxy',
];
const before = variables.map((name) => [name, process.env[name]] as const);

beforeEach(() => {
	for (const name of variables) Reflect.deleteProperty(process.env, name);
});
afterEach(() => {
	for (const [name, value] of before) {
		if (value === undefined) Reflect.deleteProperty(process.env, name);
		else process.env[name] = value;
	}
});

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	await closeAll();
	await Promise.all(closers.splice(0).map(async (close) => await close()));
});

/** A proxy that opens tunnels on this machine, or answers CONNECT with a status. */
async function proxy(status = 200): Promise<{ url: string; tunnels: string[] }> {
	const tunnels: string[] = [];
	const open = new Set<net.Socket>();
	const server = http.createServer();
	server.on('connection', (socket) => open.add(socket));
	server.on('connect', (request, client: net.Socket) => {
		tunnels.push(request.url ?? '');
		client.on('error', () => undefined);
		if (status !== 200) {
			client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
			return;
		}
		const port = Number(request.url?.split(':')[1]);
		const target = net.connect(port, '127.0.0.1', () => {
			client.write('HTTP/1.1 200 OK\r\n\r\n');
			target.pipe(client).pipe(target);
		});
		open.add(target);
		target.on('error', () => client.destroy());
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	closers.push(
		async () =>
			await new Promise<void>((resolve) => {
				for (const socket of open) socket.destroy();
				server.close(() => resolve());
			}),
	);
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
	return { url: `http://127.0.0.1:${address.port}`, tunnels };
}

describe('a proxy of the environment', () => {
	test.each(['HTTP_PROXY', 'http_proxy'])('is used when %s names it', async (variable) => {
		const { url, tunnels } = await proxy();
		const server = await serve((_, response) => json(response, { ok: 1 }));
		process.env[variable] = url;
		const line = lineTo(server.origin);
		expect((await line.send(get, within(5000))).body).toEqual({ ok: 1 });
		await line.send(get, within(5000));
		expect(tunnels).toEqual([`127.0.0.1:${server.port}`]);
		expect(server.sockets).toBe(1);
	});

	test('is left out when NO_PROXY says so', async () => {
		const { url, tunnels } = await proxy();
		const server = await serve((_, response) => json(response, { ok: 1 }));
		process.env.HTTP_PROXY = url;
		process.env.NO_PROXY = '127.0.0.1';
		await lineTo(server.origin).send(get, within(5000));
		expect([tunnels.length, server.requests.length]).toEqual([0, 1]);
	});

	test('is noticed when it changes', async () => {
		const { url, tunnels } = await proxy();
		const server = await serve((_, response) => json(response, { ok: 1 }));
		const line = lineTo(server.origin);
		await line.send(get, within(5000));
		process.env.HTTP_PROXY = url;
		await line.send(get, within(5000));
		expect([tunnels.length, server.sockets]).toEqual([1, 2]);
	});

	test('does not keep the filter from being asked about the target', async () => {
		const { url, tunnels } = await proxy();
		process.env.HTTPS_PROXY = url;
		const asked: string[] = [];
		const egressFilter = {
			validateUrl: (target: string | URL) => {
				asked.push(String(target));
				return Promise.resolve({ ok: false as const, error: new Error('restricted') });
			},
			createSecureLookup: () => () => undefined,
		};
		const line = lineTo('https://vendor.invalid', {}, { egressFilter });
		expect(await failure(line.send(get, within(5000)))).toMatchObject({
			reason: 'blocked_by_policy',
		});
		expect([asked, tunnels]).toEqual([['https://vendor.invalid/x'], []]);
	});

	test.each([
		[407, 'configuration', 1],
		[403, 'unavailable', 4],
	])('that answers %i: nothing arrived', async (status, reason, tries) => {
		const { url, tunnels } = await proxy(status);
		process.env.HTTPS_PROXY = url;
		const budget = counting(8000);
		const error = await failure(lineTo('https://vendor.invalid').send(get, budget));
		expect(error).toMatchObject({ reason, mayHaveArrived: false });
		expect(String(error)).toContain('proxy');
		expect([tunnels.length, budget.sent]).toEqual([tries, 0]);
	});

	test('that closes every connection is not dialled without end', async () => {
		const dead = await serveSockets((socket) => socket.once('data', () => socket.destroy()));
		process.env.HTTPS_PROXY = dead.origin;
		const error = await failure(lineTo('https://vendor.invalid').send(get, within(8000)));
		expect(error).toMatchObject({ reason: 'unavailable', mayHaveArrived: false });
		expect(dead.sockets).toBeLessThanOrEqual(4);
	});

	test('that is not there: nothing arrived', async () => {
		const gone = await serveSockets(() => undefined);
		await gone.close();
		process.env.HTTPS_PROXY = gone.origin;
		expect(await failure(lineTo('https://vendor.invalid').send(get, within(8000)))).toMatchObject({
			reason: 'unavailable',
			mayHaveArrived: false,
		});
	});

	test('whose variable holds no URL is named', async () => {
		process.env.HTTPS_PROXY = 'http://';
		const error = await failure(lineTo('https://vendor.invalid').send(get, within(5000)));
		expect(error).toMatchObject({ reason: 'configuration', mayHaveArrived: false });
		expect(String(error)).toContain('HTTPS_PROXY');
	});

	test('shares its connections like any other', async () => {
		const { url, tunnels } = await proxy();
		const server = await serve((_, response) => json(response, {}));
		process.env.HTTP_PROXY = url;
		const line = lineTo(server.origin, {}, { ...surroundings, usersInParallel: 3 });
		const user = async () => {
			for (let call = 0; call < 5; call++) await line.send(get, within(10_000));
		};
		await Promise.all([user(), user(), user()]);
		expect(server.requests).toHaveLength(15);
		expect(tunnels.length).toBeLessThanOrEqual(3);
	});
});
