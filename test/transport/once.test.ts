import { describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VendorRequest } from '../../nodes/core/transport/types';
import { failure, get, json, lineTo, serve, within } from './support/server';

const about: VendorRequest = { ...get, once: true };

describe('an answer that is the same for all users', () => {
	test('is asked for once by 50 who wait, and never again', async () => {
		const server = await serve((_, response) => setTimeout(() => json(response, { id: 1 }), 50));
		const line = lineTo(server.origin);
		let sent = 0;
		const budget = { ...within(5_000), onSend: () => (sent += 1) };
		const replies = await Promise.all(Array.from({ length: 50 }, () => line.send(about, budget)));
		expect(new Set(replies.map(({ body }) => JSON.stringify(body)))).toEqual(new Set(['{"id":1}']));
		await line.send(about, budget);
		expect({ asked: server.requests.length, sent }).toEqual({ asked: 1, sent: 1 });
	});

	test('is another one for another query, and for another line', async () => {
		const server = await serve((_, response) => json(response, {}));
		const line = lineTo(server.origin);
		await line.send(about, within(5_000));
		await line.send({ ...about, query: { page: 2 } }, within(5_000));
		await lineTo(server.origin).send(about, within(5_000));
		expect(server.requests).toHaveLength(3);
	});

	test('is asked for again after a refusal', async () => {
		const server = await serve((_, response, count) => json(response, {}, count === 1 ? 403 : 200));
		const line = lineTo(server.origin);
		const statuses: number[] = [];
		for (let asked = 0; asked < 3; asked += 1) {
			statuses.push((await line.send(about, within(5_000))).status);
		}
		expect(statuses).toEqual([403, 200, 200]);
		expect(server.requests).toHaveLength(2);
	});

	test('is waited for by the patient when the impatient leave', async () => {
		const server = await serve((_, response) => setTimeout(() => json(response, {}), 300));
		const line = lineTo(server.origin);
		const impatient = failure(line.send(about, within(50)));
		const patient = line.send(about, within(5_000));
		expect(await impatient).toMatchObject({ reason: 'timeout' });
		expect((await patient).status).toBe(200);
		expect(server.requests).toHaveLength(1);
	});

	test('is given up when nobody waits any more, and then asked for anew', async () => {
		const server = await serve((_, response, count) => {
			if (count > 1) json(response, {});
		});
		const line = lineTo(server.origin);
		expect(await failure(line.send(about, within(50)))).toMatchObject({ reason: 'timeout' });
		await sleep(50);
		expect(server.requests[0]?.socket.destroyed).toBe(true);
		expect((await line.send(about, within(5_000))).status).toBe(200);
	});
});
