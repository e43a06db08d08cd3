import { describe, expect, test } from '@jest/globals';
import type { EgressFilter } from '../../nodes/core/transport/types';
import { counting, failure, get, json, lineTo, serve, within } from './support/server';

/** Resolves every name to this machine, as a DNS server that an attacker runs would. */
const toLoopback: ReturnType<EgressFilter['createSecureLookup']> = (_, options, callback) =>
	options.all === true
		? callback(null, [{ address: '127.0.0.1', family: 4 }])
		: callback(null, '127.0.0.1', 4);

function filter(over: Partial<EgressFilter> = {}): EgressFilter & { asked: string[] } {
	const asked: string[] = [];
	return {
		asked,
		validateUrl: (url) => {
			asked.push(String(url));
			return Promise.resolve({ ok: true });
		},
		createSecureLookup: () => toLoopback,
		...over,
	};
}
const refusing: Partial<EgressFilter> = {
	validateUrl: () => Promise.resolve({ ok: false, error: new Error('restricted address') }),
};
const blocked = { reason: 'blocked_by_policy', mayHaveArrived: false };

describe("n8n's egress filter", () => {
	test('is asked before every request, with the whole URL', async () => {
		const server = await serve((_, response, count) => json(response, {}, count === 1 ? 500 : 200));
		const egressFilter = filter();
		const line = lineTo(server.origin, {}, { egressFilter });
		await line.send({ ...get, query: { a: 'b' } }, within(5000));
		expect(egressFilter.asked).toEqual([`${server.origin}/x?a=b`, `${server.origin}/x?a=b`]);
	});

	test('refuses an address that needs no DNS: nothing is sent', async () => {
		const server = await serve((_, response) => json(response, {}));
		const budget = counting(5000);
		const line = lineTo(server.origin, {}, { egressFilter: filter(refusing) });
		const error = await failure(line.send(get, budget));
		expect(error).toMatchObject(blocked);
		expect(String(error)).toContain('N8N_SSRF_ALLOWED_HOSTNAMES');
		expect([server.sockets, budget.sent]).toEqual([0, 0]);
	});

	test('refuses the token endpoint: no secret is sent', async () => {
		const server = await serve((_, response) => json(response, {}));
		const egressFilter = filter({
			validateUrl: (url) =>
				Promise.resolve(
					String(url).endsWith('/token')
						? { ok: false, error: new Error('restricted') }
						: { ok: true },
				),
		});
		const line = lineTo(
			server.origin,
			{
				authentication: {
					type: 'oauth2',
					grant: {
						tokenUrl: `${server.origin}/token`,
						form: {},
						client: { method: 'none' },
						dpop: false,
					},
				},
			},
			{ egressFilter },
		);
		expect(await failure(line.send(get, within(5000)))).toMatchObject(blocked);
		expect(server.sockets).toBe(0);
	});

	test('refuses at connect time what a name resolved to: nothing is sent, nothing is retried', async () => {
		const server = await serve((_, response) => json(response, {}));
		let lookups = 0;
		const egressFilter = filter({
			createSecureLookup: () => (_host, _options, callback) => {
				lookups++;
				callback(new Error('resolves to a restricted address'), '');
			},
		});
		const budget = counting(5000);
		const line = lineTo(`http://localhost:${server.port}`, {}, { egressFilter });
		expect(await failure(line.send(get, budget))).toMatchObject(blocked);
		expect([lookups, server.sockets, budget.sent]).toEqual([1, 0, 0]);
	});

	test('chooses the address that is connected to', async () => {
		const server = await serve((_, response) => json(response, { ok: 1 }));
		const line = lineTo(`http://localhost:${server.port}`, {}, { egressFilter: filter() });
		expect((await line.send(get, within(5000))).body).toEqual({ ok: 1 });
	});

	test('that throws lets nothing out', async () => {
		const validateUrl = () => Promise.reject(new Error('out of order'));
		const server = await serve((_, response) => json(response, {}));
		const line = lineTo(server.origin, {}, { egressFilter: filter({ validateUrl }) });
		expect(await failure(line.send(get, within(5000)))).toMatchObject(blocked);
		expect(server.sockets).toBe(0);
	});

	test('whose lookup throws lets nothing out', async () => {
		const server = await serve((_, response) => json(response, {}));
		const egressFilter = filter({
			createSecureLookup: () => () => {
				throw new Error('out of order');
			},
		});
		const line = lineTo(`http://localhost:${server.port}`, {}, { egressFilter });
		expect(await failure(line.send(get, within(5000)))).toMatchObject(blocked);
		expect(server.sockets).toBe(0);
	});

	test('that cannot resolve the name says so, and is asked again', async () => {
		let asked = 0;
		const unresolved = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
		const egressFilter = filter({
			validateUrl: () => {
				asked++;
				return Promise.reject(unresolved);
			},
		});
		const line = lineTo('https://vendor.invalid', {}, { egressFilter });
		expect(await failure(line.send(get, within(10_000)))).toMatchObject({
			reason: 'unavailable',
			mayHaveArrived: false,
		});
		expect(asked).toBe(4);
	});

	test('that never answers is not waited for beyond the deadline', async () => {
		const egressFilter = filter({ validateUrl: () => new Promise(() => undefined) });
		const line = lineTo('https://vendor.invalid', {}, { egressFilter });
		expect(await failure(line.send(get, within(100)))).toMatchObject({
			reason: 'timeout',
			mayHaveArrived: false,
		});
	});

	test('is the newest one, though the connections outlive executions', async () => {
		const server = await serve((_, response) => {
			response.setHeader('connection', 'close');
			json(response, {});
		});
		const used: string[] = [];
		const named = (name: string) =>
			filter({
				createSecureLookup: () => (host, options, callback) => {
					used.push(name);
					toLoopback(host, options, callback);
				},
			});
		for (const name of ['first', 'second']) {
			const line = lineTo(`http://localhost:${server.port}`, {}, { egressFilter: named(name) });
			await line.send(get, within(5000));
		}
		expect(used).toEqual(['first', 'second']);
	});

	test('a connection made without it is not used with it', async () => {
		const server = await serve((_, response) => json(response, {}));
		const origin = `http://localhost:${server.port}`;
		const unfiltered = lineTo(`http://127.0.0.1:${server.port}`);
		await unfiltered.send(get, within(5000));
		await lineTo(origin, {}, { egressFilter: filter() }).send(get, within(5000));
		expect(server.sockets).toBe(2);
	});
});
