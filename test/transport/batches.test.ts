/** Requests of many users that share one request of the vendor. */
import { expect, test } from '@jest/globals';
import type { Batch, VendorReply, VendorRequest } from '../../nodes/core/transport/types';
import { failure, json, lineTo, serve, within } from './support/server';

/** A vendor that takes lists of names: each answer says with how many others it came. */
const batch: Batch = {
	name: 'names',
	most: 3,
	fromUsers: 2,
	gatherMs: 20,
	combine: (requests) => ({
		method: 'POST',
		path: '/names',
		body: { json: requests.map(({ path }) => path) },
		idempotent: true,
		bucket: 'names',
		needs: [],
	}),
	split(reply, requests) {
		if (reply.status !== 200) return undefined;
		const { answers } = reply.body as { answers: Partial<VendorReply>[] };
		return requests.map((_, index) => ({ ...reply, ...answers[index] }));
	},
};

const ask = (name: string, more: Partial<VendorRequest> = {}): VendorRequest => ({
	method: 'GET',
	path: `/${name}`,
	idempotent: true,
	bucket: 'name',
	needs: [],
	batch,
	...more,
});

const many = { usersInParallel: 50, users: 50 };

/** The names that a request of the vendor is about, by itself or with others. */
const namesIn = (url: string | undefined, body: string): string[] =>
	url === '/names' ? (JSON.parse(body) as string[]) : [url ?? ''];

/** Answers each name by `answer`, in the form in which it was asked. */
const answering = async (answer: (name: string, count: number) => Partial<VendorReply>) =>
	await serve(({ url }, response, count, body) => {
		const answers = namesIn(url, body).map((name) => answer(name, count));
		json(response, url === '/names' ? { answers } : answers[0]?.body);
	});

const echo = async () => await answering((name) => ({ status: 200, body: name }));

test('each request gets its own answer, and a batch takes no more than it may', async () => {
	const server = await echo();
	const line = lineTo(server.origin, {}, many);
	const names = Array.from({ length: 7 }, (_, index) => `n${index}`);
	let sent = 0;
	const budget = () => ({ ...within(5_000), onSend: () => (sent += 1) });
	const replies = await Promise.all(names.map((name) => line.send(ask(name), budget())));
	expect(replies.map(({ body }) => body)).toEqual(names.map((name) => `/${name}`));
	// Three, three, and one that found no company.
	expect(server.requests.map(({ url }) => url)).toEqual(['/names', '/names', '/n6']);
	expect(sent).toBe(7);
});

test('in a small run every request goes alone, and at once', async () => {
	const server = await echo();
	const line = lineTo(server.origin, {}, { usersInParallel: 50, users: 1 });
	await Promise.all(['a', 'b'].map((name) => line.send(ask(name), within(5_000))));
	expect(server.requests.map(({ url }) => url).toSorted()).toEqual(['/a', '/b']);
});

test('only those that were refused are repeated, after the time that was asked for', async () => {
	const seen: string[][] = [[], []];
	const refused = { status: 429, headers: { 'retry-after': '0' }, body: undefined };
	const server = await answering((name, count) => {
		seen[count === 1 ? 0 : 1]?.push(name);
		return count === 1 && name !== '/a' ? refused : { status: 200, body: name };
	});
	const line = lineTo(server.origin, {}, many);
	const replies = await Promise.all(
		['a', 'b', 'c'].map((name) => line.send(ask(name), within(8_000))),
	);
	expect(replies.map(({ status, body }) => [status, body])).toEqual([
		[200, '/a'],
		[200, '/b'],
		[200, '/c'],
	]);
	expect(seen.map((names) => names.toSorted())).toEqual([
		['/a', '/b', '/c'],
		['/b', '/c'],
	]);
});

test('a failure of the whole is a failure of each, and each is repeated', async () => {
	const server = await serve(({ url }, response, count, body) => {
		if (count === 1) {
			response.writeHead(503).end();
			return;
		}
		const answers = namesIn(url, body).map((name) => ({ status: 200, body: name }));
		json(response, url === '/names' ? { answers } : url);
	});
	const line = lineTo(server.origin, {}, many);
	const replies = await Promise.all(['a', 'b'].map((name) => line.send(ask(name), within(5_000))));
	expect(replies.map(({ body }) => body)).toEqual(['/a', '/b']);
});

test('one that gives up does not take the others along', async () => {
	const server = await serve((_, response, __, body) => {
		const names = JSON.parse(body) as string[];
		setTimeout(() => {
			json(response, { answers: names.map((name) => ({ status: 200, body: name })) });
		}, 300);
	});
	const line = lineTo(server.origin, {}, many);
	const leaving = new AbortController();
	const left = failure(line.send(ask('a'), { ...within(5_000), signal: leaving.signal }));
	const staying = line.send(ask('b'), within(5_000));
	setTimeout(() => {
		leaving.abort();
	}, 100);
	expect(await left).toMatchObject({ reason: 'cancelled' });
	expect((await staying).body).toBe('/b');
});

test('when all give up, what was gathered is not sent', async () => {
	const server = await echo();
	const line = lineTo(server.origin, {}, many);
	const slow = { ...batch, gatherMs: 5_000 };
	const leaving = new AbortController();
	const budget = { ...within(5_000), signal: leaving.signal };
	const left = ['a', 'b'].map((name) => failure(line.send(ask(name, { batch: slow }), budget)));
	setTimeout(() => {
		leaving.abort();
	}, 50);
	for (const one of left) expect(await one).toMatchObject({ reason: 'cancelled' });
	await new Promise((go) => setTimeout(go, 100));
	expect(server.requests).toHaveLength(0);
});
