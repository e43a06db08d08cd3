import type { LookupFunction } from 'node:net';
import { EnvHttpProxyAgent, Pool, type buildConnector, type Dispatcher } from 'undici';
import { BlockedByPolicyError, codeOf, isDnsFailure } from './failure';
import { TransportError, type EgressFilter } from './types';

/** A pool that nobody used for so long (ms) is closed. */
const idleTime = 60_000;
const connectTimeout = 5_000;
/** How long a connection is kept for the next request (ms): half of what common load balancers allow. A server's own `Keep-Alive: timeout` counts more. */
const keepAliveTimeout = 30_000;

/** Which connections a request may use; requests that agree in all of it share them. */
export interface Route {
	origin: string;
	allowUnauthorizedCerts: boolean;
	egressFilter: EgressFilter | undefined;
	/** The most connections side by side. */
	connections: number;
}

/** A pool in use: it stays open until `release` was called. */
export interface Lease {
	dispatcher: Dispatcher;
	release: () => void;
}

interface Entry {
	dispatcher: Dispatcher;
	connections: number;
	inUse: number;
	idle: NodeJS.Timeout | undefined;
	policy: Policy;
}

/**
 * n8n makes a new filter object for each execution, but they all enforce the one policy of the
 * process. A pool outlives executions, so it asks the newest filter instead of keeping its first.
 */
interface Policy {
	filter: EgressFilter | undefined;
}

const entries = new Map<string, Entry>();

/**
 * Takes the pool of a route out of the cache, or opens it.
 *
 * @throws TransportError `configuration` when a proxy variable holds no URL
 */
export function lease(route: Route): Lease {
	const proxy = proxyVariables();
	const key = JSON.stringify([
		route.origin,
		route.allowUnauthorizedCerts,
		route.egressFilter !== undefined,
		proxy,
	]);
	const entry = entryFor(key, route, proxy !== '');
	clearTimeout(entry.idle);
	entry.policy.filter = route.egressFilter;
	entry.inUse++;
	return { dispatcher: entry.dispatcher, release: () => release(key, entry) };
}

/** Closes the pools that nobody uses just now. */
export async function closeIdle(): Promise<void> {
	const idle = [...entries].filter(([, entry]) => entry.inUse === 0);
	await Promise.all(idle.map(([key, entry]) => close(key, entry)));
}

/** Closes every pool and breaks off what is still in flight. */
export async function closePools(): Promise<void> {
	const all = [...entries.values()];
	entries.clear();
	for (const entry of all) clearTimeout(entry.idle);
	await Promise.all(all.map(async ({ dispatcher }) => await dispatcher.destroy()));
}

function entryFor(key: string, route: Route, proxied: boolean): Entry {
	const known = entries.get(key);
	if (known !== undefined && known.connections >= route.connections) return known;
	const policy = known?.policy ?? { filter: route.egressFilter };
	const opened: Entry = {
		dispatcher: open(route, policy, proxied),
		connections: route.connections,
		inUse: 0,
		idle: undefined,
		policy,
	};
	// undici cannot widen a pool: requests under way finish on the narrow one, which then closes.
	if (known !== undefined) void close(key, known);
	entries.set(key, opened);
	return opened;
}

function release(key: string, entry: Entry): void {
	entry.inUse--;
	if (entry.inUse > 0 || entries.get(key) !== entry) return;
	entry.idle = setTimeout(() => void close(key, entry), idleTime).unref();
}

async function close(key: string, entry: Entry): Promise<void> {
	clearTimeout(entry.idle);
	if (entries.get(key) === entry) entries.delete(key);
	await entry.dispatcher.close();
}

function open(route: Route, policy: Policy, proxied: boolean): Dispatcher {
	const tls = { rejectUnauthorized: !route.allowUnauthorizedCerts, timeout: connectTimeout };
	const options = {
		connections: route.connections,
		pipelining: 1,
		allowH2: false,
		keepAliveTimeout,
		keepAliveMaxTimeout: idleTime,
		connect:
			route.egressFilter === undefined ? tls : { ...tls, lookup: lookupThroughNewest(policy) },
	};
	if (!proxied) return new Pool(route.origin, options);
	try {
		// The proxy itself is the administrator's choice, so its name is not looked up through the filter.
		return new EnvHttpProxyAgent({
			...options,
			factory: poolThatGivesUp,
			requestTls: tls,
			proxyTls: { timeout: connectTimeout },
		});
	} catch {
		throw new TransportError(
			'HTTP_PROXY or HTTPS_PROXY is set but holds no valid URL: write it as http://host:port',
			'configuration',
			false,
		);
	}
}

/**
 * undici connects again at once, and without end, when a tunnel fails with one of its own socket
 * errors (a proxy that closes the connection), even after the request was aborted: 3,600 times a second
 * when it was measured. An error with another code ends the requests that wait for the connection.
 */
function poolThatGivesUp(origin: string | URL, options: object): Dispatcher {
	const tunnel: unknown = Reflect.get(options, 'connect');
	if (!isConnector(tunnel)) return new Pool(origin, options);
	const connect: buildConnector.connector = (target, callback) => {
		tunnel(target, (...[error, socket]) =>
			error === null
				? callback(null, socket)
				: callback(
						/^UND_ERR_(?:SOCKET|INFO)$/.test(codeOf(error)) ? brokenTunnel(error) : error,
						null,
					),
		);
	};
	return new Pool(origin, { ...options, connect });
}

function isConnector(value: unknown): value is buildConnector.connector {
	return typeof value === 'function';
}

function brokenTunnel(cause: Error): Error {
	return Object.assign(new Error('The tunnel broke', { cause }), { code: 'ECONNRESET' });
}

/** The variables that undici's EnvHttpProxyAgent reads, as one text; empty when none names a proxy. */
function proxyVariables(): string {
	const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY, no_proxy, NO_PROXY } = process.env;
	const proxies = [http_proxy ?? HTTP_PROXY ?? '', https_proxy ?? HTTPS_PROXY ?? ''];
	return proxies.join('') === '' ? '' : [...proxies, no_proxy ?? NO_PROXY ?? ''].join('\n');
}

function lookupThroughNewest(policy: Policy): LookupFunction {
	return (hostname, options, callback) => {
		const refuse = (error: unknown) =>
			callback(
				isDnsFailure(error)
					? Object.assign(new Error('The name was not resolved'), { code: codeOf(error) })
					: new BlockedByPolicyError('Refused by the egress filter', { cause: error }),
				[],
			);
		try {
			if (policy.filter === undefined) throw new Error('The egress filter is gone');
			policy.filter.createSecureLookup()(hostname, options, (error, address, family) =>
				error ? refuse(error) : callback(null, address, family),
			);
		} catch (error) {
			refuse(error);
		}
	};
}
