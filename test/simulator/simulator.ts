/**
 * A vendor on the loopback interface: a real HTTP server that behaves as the vendor documents it,
 * remembers every request exactly as it came over the wire, and can be told to misbehave.
 *
 * This file knows no vendor. A vendor is a `SimulatedVendor`: documented routes as data (each with
 * the address of the document that its facts come from) and handlers over the vendor's own state.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import fastify from 'fastify';
import { z } from 'zod';
import { type Delivery, type Fault, Faults, faultSwitchSchema } from './faults';

/** What a handler answers. An object body is sent as JSON, a string as it is. */
export interface Reply {
	status: number;
	headers?: Record<string, string | string[]>;
	body?: unknown;
	/** Set by faults: how the answer is broken on its way out. */
	delivery?: Delivery;
	/** Did not come from the vendor (a proxy's page): the vendor must not add its headers. */
	foreign?: boolean;
}

/** A request inside another one. */
interface InnerRequest {
	method: string;
	/** Path and query, as in the batch. */
	url: string;
	/** Names in lower case. */
	headers?: Record<string, string>;
	body?: string;
}

/** A request as the vendor's handlers see it. */
export interface VendorRequest {
	readonly id: number;
	readonly method: string;
	/** As on the wire: percent-encoding untouched, no query string. */
	readonly path: string;
	/** As on the wire, without the question mark. */
	readonly query: string;
	/** The query string, decoded. */
	readonly search: URLSearchParams;
	readonly headers: IncomingHttpHeaders;
	readonly body: string;
	/** Path parameters, decoded. */
	readonly params: Readonly<Record<string, string>>;
	/** Path parameters, percent-encoding untouched. */
	readonly rawParams: Readonly<Record<string, string>>;
	/** `http://host:port`, or `https:`, as the client addressed the server. */
	readonly origin: string;
	/**
	 * Answers a request that travels inside this one (a batch): routed, checked, counted and faulted
	 * like any other, and recorded with the id of this one. Only status, headers and body of its reply
	 * mean something.
	 */
	dispatch(inner: InnerRequest): Promise<Reply>;
	/** Notes a breach of the vendor's documents that the vendor itself would let pass or misread. */
	violate(what: string): void;
}

/** The request body that a route documents; without it the route takes none. */
interface DocumentedBody {
	/** The media type, or those among which the vendor lets choose. */
	contentType: string | readonly string[];
	optional?: boolean;
}

/** One documented operation, as data. */
export interface SimulatedRoute {
	/** The vendor's own name for the operation, if it publishes one. */
	readonly name: string;
	readonly method: string;
	/** Path template; `{name}` is exactly one segment. */
	readonly url: string;
	/** The vendor's document that the facts of this route come from. */
	readonly source: string;
	/** Documented permissions, any one of which opens the route. */
	readonly scopes?: readonly string[];
	/** Documented query parameters; any other is a violation. */
	readonly query?: readonly string[];
	readonly body?: DocumentedBody;
	/** Content types that the documents allow although there is no body. */
	readonly bodylessContentType?: RegExp;
	/** True if a call changes nothing, so that a fault may answer it for real. Default: GET. */
	readonly safe?: boolean;
	handler(request: VendorRequest): Reply | Promise<Reply>;
}

/** A vendor: routes, the manners that all its answers share, and its state. */
export interface SimulatedVendor {
	readonly name: string;
	readonly routes: readonly SimulatedRoute[];
	/** The vendor's clock. Answers carry it as `Date`; it may be wrong on purpose. */
	now?(): number;
	/**
	 * Runs around every vendor request, also unmatched and faulted ones: the place for rate limits and
	 * for headers that are on every answer.
	 */
	around?(
		request: VendorRequest,
		route: SimulatedRoute | undefined,
		next: () => Promise<Reply>,
	): Promise<Reply>;
	/** The answer to a path or method that is not documented. */
	notFound(request: VendorRequest, knownPath: boolean): Reply;
	/** The vendor's own error answer for a status. */
	error(status: number, request: VendorRequest): Reply;
	/** The vendor's own rate-limit answer. */
	rateLimited(request: VendorRequest, form?: string, resetInSeconds?: number): Reply;
	/** The state as JSON, for the control API. */
	state(): unknown;
	/** Back to the seed. */
	reset(): void;
	/** Things a human could do at the vendor (sign in, change a password), for the control API. */
	readonly actions?: Readonly<Record<string, (input: unknown) => unknown>>;
}

/** One request as it came over the wire, and what became of it. JSON all the way. */
interface RecordedRequest {
	readonly id: number;
	/** Milliseconds since the epoch, this machine's clock. */
	readonly at: number;
	readonly method: string;
	readonly path: string;
	readonly query: string;
	readonly headers: IncomingHttpHeaders;
	/** Names and values in turn, in the case and order of the wire. */
	readonly rawHeaders: readonly string[];
	body: string;
	/** Name of the documented route, if there is one. */
	route?: string;
	/** The id of the request that carried this one inside it. */
	within?: number;
	/** Kinds of the faults that hit it. */
	faults?: string[];
	/** Status of the answer, if one was begun. */
	status?: number;
	/** The client went away before the answer was complete. */
	aborted?: boolean;
}

/** Options of `startSimulator`. */
export interface SimulatorOptions {
	port?: number;
	host?: '127.0.0.1';
	/** Added before every answer of the vendor. */
	latencyMs?: number;
	/** Serves HTTPS with this certificate. */
	tls?: Required<Pick<ServerOptions, 'cert' | 'key'>>;
}

/** A running simulator. */
export interface Simulator {
	readonly url: string;
	/** Every vendor request since the start or the last `forget()`, in order of arrival. */
	readonly requests: readonly RecordedRequest[];
	/** Requests that match no documented route. Tests expect none. */
	readonly unmatched: readonly RecordedRequest[];
	/** Breaches of the vendor's documents. Tests expect none. */
	readonly violations: readonly string[];
	/** How often each documented route was called; every route has an entry. */
	readonly hits: Readonly<Record<string, number>>;
	readonly faults: Faults;
	readonly routes: readonly SimulatedRoute[];
	/** Sockets opened so far, requests in flight now and at most. */
	readonly traffic: Readonly<{ connections: number; inFlight: number; maxInFlight: number }>;
	latencyMs: number;
	/** Forgets requests, hits, violations and traffic; keeps the vendor's state and the faults. */
	forget(): void;
	close(): Promise<void>;
}

const CONTROL = '/__simulator';
const VENDOR_ROUTE = '/__vendor';
const LONGEST_TIMER = 2 ** 31 - 1;
const HUGE = 2 * 1024 * 1024;

const PROXY_PAGE =
	'<!DOCTYPE html>\n<html><head><title>Error</title></head>' +
	'<body><h1>The upstream server did not answer.</h1></body></html>\n';

interface Matched {
	route: SimulatedRoute;
	rawParams: Record<string, string>;
}

/** Compares the raw path segment by segment, so that an encoded slash never splits a segment. */
function matchRoutes(routes: readonly SimulatedRoute[], path: string): Matched[] {
	const segments = path.split('/');
	const found: Matched[] = [];
	for (const route of routes) {
		const template = route.url.split('/');
		if (template.length !== segments.length) continue;
		const rawParams: Record<string, string> = {};
		const fits = template.every((part, index) => {
			const segment = segments[index] ?? '';
			const name = /^\{(\w+)\}$/.exec(part)?.[1];
			if (name === undefined) return part === segment;
			rawParams[name] = segment;
			return segment !== '';
		});
		if (fits) found.push({ route, rawParams });
	}
	return found;
}

function decoded(rawParams: Record<string, string>, violate: (what: string) => void) {
	const params: Record<string, string> = {};
	for (const [name, raw] of Object.entries(rawParams)) {
		try {
			params[name] = decodeURIComponent(raw);
		} catch {
			violate(`path parameter ${name} is not valid percent-encoding: ${raw}`);
			params[name] = raw;
		}
	}
	return params;
}

/** The checks that follow from a route's data alone. */
function checkAgainstDocuments(route: SimulatedRoute, request: VendorRequest): void {
	const seen = new Set<string>();
	for (const name of request.search.keys()) {
		if (!(route.query ?? []).includes(name))
			request.violate(`undocumented query parameter ${name}`);
		if (seen.has(name)) request.violate(`query parameter ${name} is sent more than once`);
		seen.add(name);
	}
	const contentType = request.headers['content-type'];
	const mediaType = contentType?.split(';')[0]?.trim().toLowerCase();
	if (request.body === '') {
		if (route.body !== undefined && route.body.optional !== true) {
			request.violate('the documented body is missing');
		} else if (contentType !== undefined && route.bodylessContentType?.test(contentType) !== true) {
			request.violate(`content-type ${contentType} with an empty body`);
		}
	} else if (route.body === undefined) {
		request.violate('a body where none is documented');
	} else {
		const documented = [route.body.contentType].flat();
		if (mediaType === undefined || !documented.includes(mediaType)) {
			const wanted = documented.join(' or ');
			request.violate(`content-type ${contentType ?? '(none)'} instead of ${wanted}`);
		}
	}
}

/** Waits, but never longer than the client does. */
function pause(ms: number, response: ServerResponse): Promise<void> {
	if (ms <= 0 || response.destroyed || response.socket === null) return Promise.resolve();
	return new Promise((resolve) => {
		const done = () => {
			clearTimeout(timer);
			response.off('close', done);
			resolve();
		};
		const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER));
		response.on('close', done);
	});
}

async function readBody(raw: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of raw) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks).toString('utf8');
}

/** The answer that a chain of faults makes of a request; `undefined` delivery means whole. */
async function answerWithFaults(
	chain: readonly Fault[],
	request: VendorRequest,
	safe: boolean,
	vendor: SimulatedVendor,
	perform: () => Promise<Reply>,
	wait: (ms: number) => Promise<void>,
): Promise<Reply> {
	// Whatever the chain is, the effect happens at most once.
	let performed: Promise<Reply> | undefined;
	const handle = (): Promise<Reply> => (performed ??= perform());
	const answer = async (fault: Fault): Promise<Reply | undefined> => {
		switch (fault.kind) {
			case 'slow': {
				if (fault.part === 'body') {
					return { ...(await handle()), delivery: { kind: 'stall', ms: fault.delayMs } };
				}
				await wait(fault.delayMs);
				return undefined;
			}
			case 'status':
			case 'serverError': {
				const status = fault.status ?? 500;
				const headers = fault.headers ?? {};
				if (fault.kind === 'serverError' && fault.html === true) {
					const page = { 'content-type': 'text/html; charset=utf-8', ...headers };
					return { status, headers: page, body: PROXY_PAGE, foreign: true };
				}
				const own = vendor.error(status, request);
				const body = fault.kind === 'status' && fault.body !== undefined ? fault.body : own.body;
				return { status, headers: { ...own.headers, ...headers }, body };
			}
			case 'rateLimit':
				return vendor.rateLimited(request, fault.form, fault.resetInSeconds);
			case 'reset':
				return { status: 0, delivery: { kind: 'reset' } };
			case 'cut': {
				const whole = safe ? await handle() : { status: 200, body: { cut: 'before any effect' } };
				return { ...whole, delivery: { kind: 'cut' } };
			}
			case 'notJson': {
				const headers = { 'content-type': 'text/html; charset=utf-8' };
				return {
					status: fault.status ?? 200,
					headers,
					body: fault.body ?? PROXY_PAGE,
					foreign: true,
				};
			}
			case 'wrongShape':
				return {
					status: fault.status ?? 200,
					body: fault.body ?? { unexpected: ['shape', 1, null] },
				};
			case 'hugeBody':
				return { status: 200, delivery: { kind: 'stream', bytes: fault.bytes ?? HUGE } };
			case 'redirect':
				return { status: fault.status ?? 302, headers: { location: fault.location }, body: '' };
			case 'afterEffect': {
				const real = await handle();
				const then = fault.then ?? { kind: 'cut' };
				if (then.kind === 'cut') return { ...real, delivery: { kind: 'cut' } };
				return (await answer(then)) ?? real;
			}
		}
	};
	for (const fault of chain) {
		const reply = await answer(fault);
		if (reply !== undefined) return reply;
	}
	return await handle();
}

/** Puts a reply on the wire, whole or broken. */
async function deliver(response: ServerResponse, reply: Reply, date: Date): Promise<void> {
	const socket = response.socket;
	const { delivery } = reply;
	if (socket === null || socket.destroyed) return;
	if (delivery?.kind === 'reset') {
		// Only a bare TCP connection can be reset; one under TLS breaks off without its closing alert.
		if (socket instanceof TLSSocket) socket.destroy();
		else socket.resetAndDestroy();
		return;
	}
	const isJson = reply.body !== undefined && typeof reply.body !== 'string';
	const text = isJson ? JSON.stringify(reply.body) : ((reply.body as string | undefined) ?? '');
	const body = Buffer.from(text, 'utf8');
	response.statusCode = reply.status;
	response.setHeader('date', date.toUTCString());
	if (isJson || delivery?.kind === 'stream') response.setHeader('content-type', 'application/json');
	for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);

	if (delivery?.kind === 'stream') {
		response.write('["');
		const chunk = 'x'.repeat(64 * 1024);
		for (let sent = 0; sent <= delivery.bytes && !response.destroyed; sent += chunk.length) {
			if (!response.write(chunk)) {
				await new Promise<void>((resolve) => {
					const go = () => {
						response.off('drain', go);
						response.off('close', go);
						resolve();
					};
					response.on('drain', go);
					response.on('close', go);
				});
			}
		}
		response.end('"]');
		return;
	}
	if (reply.status !== 204 && reply.status !== 304)
		response.setHeader('content-length', body.length);
	const half = body.subarray(0, Math.floor(body.length / 2));
	if (delivery?.kind === 'cut') {
		// An answer without a body is complete with its headers, so it is cut inside its status line.
		if (half.length > 0) response.write(half, () => socket.destroy());
		else socket.write(`HTTP/1.1 ${String(reply.status)}`, () => socket.destroy());
		return;
	}
	if (delivery?.kind === 'stall') {
		response.flushHeaders();
		if (half.length > 0) response.write(half);
		await pause(delivery.ms, response);
		if (!response.destroyed) response.end(body.subarray(half.length));
		return;
	}
	response.end(body);
}

/** Starts a simulator on the loopback interface; `port` 0 (the default) lets the system choose. */
export async function startSimulator(
	vendor: SimulatedVendor,
	options: SimulatorOptions = {},
): Promise<Simulator> {
	const requests: RecordedRequest[] = [];
	const unmatched: RecordedRequest[] = [];
	const violations: string[] = [];
	const hits: Record<string, number> = {};
	const faults = new Faults();
	const scheme = options.tls === undefined ? 'http' : 'https';
	const traffic = { connections: 0, inFlight: 0, maxInFlight: 0 };
	let counter = 0;

	const forget = () => {
		requests.length = 0;
		unmatched.length = 0;
		violations.length = 0;
		for (const route of vendor.routes) hits[route.name] = 0;
		Object.assign(traffic, { connections: 0, maxInFlight: traffic.inFlight });
	};
	forget();

	function record(
		method: string,
		url: string,
		headers: IncomingHttpHeaders,
		rawHeaders: readonly string[],
	): RecordedRequest {
		const mark = url.indexOf('?');
		const recorded: RecordedRequest = {
			id: (counter += 1),
			at: Date.now(),
			method,
			path: mark < 0 ? url : url.slice(0, mark),
			query: mark < 0 ? '' : url.slice(mark + 1),
			headers,
			rawHeaders,
			body: '',
		};
		requests.push(recorded);
		return recorded;
	}

	/** Routes a recorded request, checks it against the documents, and gets the vendor's answer. */
	async function answer(recorded: RecordedRequest, response: ServerResponse): Promise<Reply> {
		const candidates = matchRoutes(vendor.routes, recorded.path);
		const matched = candidates.find(({ route }) => route.method === recorded.method);
		const route = matched?.route;
		const violate = (what: string) => {
			violations.push(`${recorded.method} ${recorded.path}: ${what}`);
		};
		const rawParams = matched?.rawParams ?? {};
		const request: VendorRequest = {
			id: recorded.id,
			method: recorded.method,
			path: recorded.path,
			query: recorded.query,
			search: new URLSearchParams(recorded.query),
			headers: recorded.headers,
			body: recorded.body,
			params: decoded(rawParams, violate),
			rawParams,
			origin: `${scheme}://${response.req.headers.host ?? '127.0.0.1'}`,
			violate,
			async dispatch({ method, url, headers = {}, body = '' }) {
				const inner = record(method, url, headers, Object.entries(headers).flat());
				inner.within = recorded.id;
				inner.body = body;
				const reply = await answer(inner, response);
				inner.status = reply.status;
				return reply;
			},
		};
		if (route === undefined) {
			unmatched.push(recorded);
		} else {
			recorded.route = route.name;
			hits[route.name] = (hits[route.name] ?? 0) + 1;
			checkAgainstDocuments(route, request);
		}
		const handle = async (): Promise<Reply> =>
			route === undefined
				? vendor.notFound(request, candidates.length > 0)
				: await route.handler(request);
		const next = async (): Promise<Reply> => {
			if (recorded.within === undefined) await pause(simulator.latencyMs, response);
			const chain = faults.take(recorded);
			if (chain === undefined) return await handle();
			recorded.faults = chain.map(({ kind }) => kind);
			const safe = route?.safe ?? recorded.method === 'GET';
			const wait = (ms: number) => pause(ms, response);
			return await answerWithFaults(chain, request, safe, vendor, handle, wait);
		};
		return await (vendor.around?.(request, route, next) ?? next());
	}

	/** One vendor request from its first byte to its last. */
	async function serve(raw: IncomingMessage, response: ServerResponse, url: string): Promise<void> {
		const recorded = record(raw.method ?? '', url, raw.headers, raw.rawHeaders);
		traffic.inFlight += 1;
		traffic.maxInFlight = Math.max(traffic.maxInFlight, traffic.inFlight);
		response.on('close', () => {
			traffic.inFlight -= 1;
			if (!response.writableFinished) recorded.aborted = true;
		});
		recorded.body = await readBody(raw);
		const reply = await answer(recorded, response);
		if (reply.delivery?.kind !== 'reset') recorded.status = reply.status;
		await deliver(response, reply, new Date(vendor.now?.() ?? Date.now()));
	}

	const app = fastify({
		https: options.tls ?? null,
		forceCloseConnections: true,
		bodyLimit: 64 * 1024 * 1024,
		// Everything but the control API goes to one route, so that Fastify's router never judges, decodes
		// or normalises a path that the vendor would have seen as it is.
		rewriteUrl: (raw) => {
			const url = raw.url ?? '/';
			return url.startsWith(`${CONTROL}/`) ? url : VENDOR_ROUTE;
		},
	});
	app.server.on('connection', () => {
		traffic.connections += 1;
	});
	app.addHook('onRequest', async (request, reply) => {
		if (request.originalUrl.startsWith(`${CONTROL}/`)) return;
		reply.hijack();
		try {
			await serve(request.raw, reply.raw, request.originalUrl);
		} catch (error) {
			// A client that leaves while it is being read is its own affair; anything else is a bug here.
			if (request.raw.errored === null && !reply.raw.destroyed) {
				violations.push(
					`simulator failed: ${error instanceof Error ? error.stack : String(error)}`,
				);
				reply.raw.destroy();
			}
		}
	});
	app.all(VENDOR_ROUTE, () => undefined);

	app.get(`${CONTROL}/health`, () => ({ vendor: vendor.name, url: simulator.url, ok: true }));
	app.get(`${CONTROL}/state`, () => vendor.state() ?? {});
	app.get(`${CONTROL}/requests`, () => ({ requests, unmatched, violations, hits, traffic }));
	app.get(`${CONTROL}/routes`, () =>
		vendor.routes.map(({ name, method, url, source, scopes = [], query = [] }) => ({
			name,
			method,
			url,
			source,
			scopes,
			query,
		})),
	);
	app.post(`${CONTROL}/faults`, (request, reply) => {
		const parsed = faultSwitchSchema.safeParse(request.body);
		if (!parsed.success) return reply.code(400).send({ problems: parsed.error.issues });
		faults.next(parsed.data);
		return { armed: faults.armed };
	});
	app.delete(`${CONTROL}/faults`, () => {
		faults.clear();
		return { armed: 0 };
	});
	app.post(`${CONTROL}/latency`, (request, reply) => {
		const parsed = z.object({ latencyMs: z.number().nonnegative() }).safeParse(request.body);
		if (!parsed.success) return reply.code(400).send({ problems: parsed.error.issues });
		simulator.latencyMs = parsed.data.latencyMs;
		return parsed.data;
	});
	app.post(`${CONTROL}/reset`, () => {
		faults.clear();
		vendor.reset();
		forget();
		return { ok: true };
	});
	app.post<{ Params: { action: string } }>(`${CONTROL}/actions/:action`, (request, reply) => {
		const action = vendor.actions?.[request.params.action];
		if (action === undefined)
			return reply.code(404).send({ actions: Object.keys(vendor.actions ?? {}) });
		try {
			return { result: action(request.body) ?? null };
		} catch (error) {
			return reply
				.code(400)
				.send({ problem: error instanceof Error ? error.message : String(error) });
		}
	});

	const simulator: Simulator = {
		url: '',
		requests,
		unmatched,
		violations,
		hits,
		faults,
		routes: vendor.routes,
		traffic,
		latencyMs: options.latencyMs ?? 0,
		forget,
		close: () => app.close(),
	};
	const host = options.host ?? '127.0.0.1';
	await app.listen({ host, port: options.port ?? 0 });
	const { port } = app.server.address() as AddressInfo;
	return Object.assign(simulator, { url: `${scheme}://${host}:${String(port)}` });
}
