import { Socket, type LookupFunction } from 'node:net';
import { isLoopback } from '../../nodes/core/transport/url';

/** Where a guard keeps what it guards. */
const UNGUARDED = Symbol.for('session-revocation.unguarded');

/** What a test tried to reach outside this machine; `takeEscapes` lets it fail even when the code swallowed the error. */
const escapes: string[] = [];

/**
 * From now on a connection to anything but this machine fails, whichever client opens it: a name
 * before it is looked up, and the address that a lookup of the test's own gives.
 */
export function allowLoopbackOnly(): void {
	const present: unknown = Reflect.get(Socket.prototype, 'connect');
	if (typeof present !== 'function') throw new Error('node:net has changed');
	// node:net is shared by all test files of a process: the guard of an earlier file is replaced.
	const unguarded: unknown = Reflect.get(present, UNGUARDED);
	const connect = typeof unguarded === 'function' ? unguarded : present;
	const guarded = function (this: Socket, ...args: unknown[]) {
		// node:net hands its own calls over as one array [options, callback].
		const [first, second] = args.flat(1);
		if (isObject(first) && typeof first.lookup === 'function') {
			first.lookup = guardedLookup(first.lookup as LookupFunction);
		} else {
			const refusal = refusalOf(hostOf(first, second));
			if (refusal !== undefined) throw refusal;
		}
		return Reflect.apply(connect, this, args) as Socket;
	};
	Socket.prototype.connect = Object.assign(guarded, { [UNGUARDED]: connect });
}

/** The hosts that were tried since the last call. */
export function takeEscapes(): string[] {
	return escapes.splice(0);
}

function refusalOf(host: string): Error | undefined {
	if (isLoopback(host.includes(':') ? `[${host}]` : host)) return undefined;
	escapes.push(host);
	return new Error(`A test tried to reach ${host}`);
}

function guardedLookup(lookup: LookupFunction): LookupFunction {
	return (hostname, options, callback) =>
		lookup(hostname, options, (error, given, family) => {
			const several = Array.isArray(given) ? given.map(({ address }) => address) : [];
			const addresses = typeof given === 'string' ? [given] : several;
			const refusal = addresses
				.filter((address) => address !== '')
				.map(refusalOf)
				.find((found) => found !== undefined);
			if (refusal === undefined) callback(error, given, family);
			else callback(refusal, given, family);
		});
}

function hostOf(first: unknown, second: unknown): string {
	if (!isObject(first)) return typeof second === 'string' ? second : 'localhost';
	// undici always passes a `path`, if only an undefined one: that is no Unix socket.
	return typeof first.path === 'string' || typeof first.host !== 'string'
		? 'localhost'
		: first.host;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null;
}
