import { afterEach, expect } from '@jest/globals';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https, { type ServerOptions } from 'node:https';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { closeAll, openLine } from '../../../nodes/core/transport';
import type {
	Access,
	Budget,
	Line,
	Surroundings,
	VendorRequest,
} from '../../../nodes/core/transport/types';
import { takeEscapes } from '../../support/loopback';

/** A server on this machine that remembers what it saw. */
export interface Seen {
	origin: string;
	port: number;
	requests: IncomingMessage[];
	bodies: string[];
	/** Connections accepted so far. */
	sockets: number;
	open: Set<Socket>;
	close: () => Promise<void>;
}

const running: Seen[] = [];

afterEach(async () => {
	await closeAll();
	await Promise.all(running.splice(0).map(async ({ close }) => await close()));
	expect(takeEscapes()).toEqual([]);
});

export type Answer = (
	request: IncomingMessage,
	response: ServerResponse,
	/** Number of this request, from 1. */
	count: number,
	body: string,
) => void;

export async function serve(answer: Answer, tls?: ServerOptions, port = 0): Promise<Seen> {
	const requests: IncomingMessage[] = [];
	const bodies: string[] = [];
	const listener: RequestListener = (request, response) => {
		requests.push(request);
		const count = requests.length;
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const body = Buffer.concat(chunks).toString();
			bodies.push(body);
			answer(request, response, count, body);
		});
	};
	const server =
		tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
	server.keepAliveTimeout = 60_000;
	const protocol = tls === undefined ? 'http' : 'https';
	return await listening(server, protocol, port, requests, bodies);
}

/** A server that speaks no HTTP of its own. */
export async function serveSockets(accept: (socket: Socket, count: number) => void): Promise<Seen> {
	let count = 0;
	const server = net.createServer((socket) => {
		socket.on('error', () => undefined);
		accept(socket, ++count);
	});
	return await listening(server, 'http', 0, [], []);
}

async function listening(
	server: Server,
	protocol: string,
	onPort: number,
	requests: IncomingMessage[],
	bodies: string[],
): Promise<Seen> {
	const open = new Set<Socket>();
	let sockets = 0;
	server.on('connection', (socket: Socket) => {
		sockets++;
		open.add(socket);
		socket.on('error', () => undefined);
		socket.on('close', () => open.delete(socket));
	});
	await new Promise<void>((resolve) => server.listen(onPort, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	const seen: Seen = {
		origin: `${protocol}://127.0.0.1:${port}`,
		port,
		requests,
		bodies,
		get sockets() {
			return sockets;
		},
		open,
		close: async () =>
			await new Promise<void>((resolve) => {
				for (const socket of open) socket.destroy();
				server.close(() => resolve());
			}),
	};
	running.push(seen);
	return seen;
}

export function json(response: ServerResponse, body: unknown, status = 200, headers = {}): void {
	response.writeHead(status, { 'content-type': 'application/json', ...headers });
	response.end(JSON.stringify(body));
}

export const surroundings: Surroundings = { usersInParallel: 10, log: () => undefined };

export function lineTo(
	baseUrl: string,
	access: Partial<Access> = {},
	around: Partial<Surroundings> = {},
): Line {
	return openLine(
		{ baseUrl, authentication: { type: 'none' }, secrets: [], ...access },
		{ ...surroundings, ...around },
	);
}

export const get: VendorRequest = {
	method: 'GET',
	path: '/x',
	idempotent: true,
	bucket: 'read',
	needs: [],
};
export const post: VendorRequest = { ...get, method: 'POST', idempotent: false, bucket: 'write' };

export const within = (ms: number, signal?: AbortSignal): Budget => ({
	deadline: performance.now() + ms,
	...(signal === undefined ? {} : { signal }),
});

/** A budget that counts what leaves. */
export function counting(ms: number): Budget & { sent: number } {
	const budget = {
		...within(ms),
		sent: 0,
		onSend: () => {
			budget.sent++;
		},
	};
	return budget;
}

/** The error of a promise that must fail. */
export async function failure(work: Promise<unknown>): Promise<unknown> {
	return await work.then(
		(value) => {
			throw new Error(`Expected an error, got ${JSON.stringify(value)}`);
		},
		(error: unknown) => error,
	);
}
