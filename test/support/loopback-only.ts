/** No test may reach anything but this machine: whatever client it uses, its socket is refused here. */
import { Socket } from 'node:net';
import { isLoopback } from '../../nodes/core/transport/url';

type Connect = (this: Socket, ...args: unknown[]) => Socket;

const connect = Socket.prototype.connect as unknown as Connect;

const hostOf = (args: readonly unknown[]): string | undefined => {
	const [first, second] = (Array.isArray(args[0]) ? args[0] : args) as unknown[];
	if (typeof first === 'object' && first !== null) {
		const { path } = first as { path?: unknown };
		return typeof path === 'string'
			? undefined
			: ((first as { host?: string }).host ?? 'localhost');
	}
	return typeof second === 'string' ? second : 'localhost';
};

Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
	const host = hostOf(args);
	if (host !== undefined && host !== '::1' && !isLoopback(host)) {
		throw new Error(`A test tried to reach ${host}: tests stay on this machine`);
	}
	return connect.apply(this, args);
};
