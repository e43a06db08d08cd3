import { afterEach, describe, expect, test } from '@jest/globals';
import net from 'node:net';
import { closeAll, openLine } from '../../nodes/core/transport';
import { takeEscapes } from '../support/loopback';

afterEach(closeAll);

describe('no test reaches another machine', () => {
	test.each(['192.0.2.1', '2001:db8::1', 'vendor.invalid'])('not by node:net: %s', (host) => {
		expect(() => net.connect(443, host)).toThrow(`A test tried to reach ${host}`);
		expect(takeEscapes()).toEqual([host]);
	});

	test('not by the transport', async () => {
		const line = openLine(
			{ baseUrl: 'https://192.0.2.1', authentication: { type: 'none' }, secrets: [] },
			{ usersInParallel: 1, log: () => undefined },
		);
		const request = { method: 'GET', path: '/', idempotent: false, bucket: '', needs: [] } as const;
		await expect(line.send(request, { deadline: performance.now() + 1000 })).rejects.toMatchObject({
			mayHaveArrived: false,
		});
		expect(new Set(takeEscapes())).toEqual(new Set(['192.0.2.1']));
	});

	test('not by a lookup of its own', async () => {
		const socket = net.connect({
			host: 'localhost',
			port: 443,
			lookup: (_, options, callback) =>
				options.all === true
					? callback(null, [{ address: '192.0.2.2', family: 4 }])
					: callback(null, '192.0.2.2', 4),
		});
		await new Promise((resolve) => socket.once('error', resolve));
		expect(takeEscapes()).toEqual(['192.0.2.2']);
	});
});
