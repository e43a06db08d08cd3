import type { Dispatcher } from 'undici';
import { failureOf } from './failure';
import { longestBody, tooLong, type RawReply } from './reply';
import type { Scope } from './scope';
import type { Method } from './types';

/** A server that is silent for so long (ms) has hung; another attempt may find it well. */
const silenceTimeout = 30_000;

/** A request as it goes out: `path` is sent byte for byte. */
export interface Outgoing {
	origin: string;
	path: string;
	method: Method;
	headers: Readonly<Record<string, string>>;
	body: string | undefined;
}

/**
 * Sends one request once. Redirects are answers like any other: nothing follows them.
 *
 * @param onHandedOver called when the request is given to a connected socket: from then on the server may have it
 * @throws TransportError whose `mayHaveArrived` is true exactly when `onHandedOver` was called
 */
export async function exchange(
	dispatcher: Dispatcher,
	outgoing: Outgoing,
	scope: Scope,
	onHandedOver: () => void,
): Promise<RawReply> {
	scope.ensureOpen();
	const { host } = new URL(outgoing.origin);
	let handedOver = false;
	let onAbort: (() => void) | undefined;
	try {
		return await new Promise<RawReply>((resolve, reject) => {
			const chunks: Buffer[] = [];
			let controller: Dispatcher.DispatchController | undefined;
			let brokenOff = false;
			let length = 0;
			let head: Pick<RawReply, 'status' | 'headers'> = { status: 0, headers: {} };

			const breakOff = (error: Error) => {
				brokenOff = true;
				reject(error);
				controller?.abort(error);
			};
			onAbort = () => breakOff(scope.error(handedOver));
			scope.signal.addEventListener('abort', onAbort, { once: true });

			const handler: Dispatcher.DispatchHandler = {
				// undici calls this when it is about to write to a connected socket, not before.
				onRequestStart(started) {
					controller = started;
					// A request stays in undici's queue while it connects, whatever became of the caller meanwhile.
					if (brokenOff) {
						started.abort(new Error('Ended before it was sent'));
						return;
					}
					handedOver = true;
					onHandedOver();
				},
				onResponseStart(_, status, headers) {
					head = { status, headers };
				},
				onResponseData(_, chunk) {
					length += chunk.length;
					if (length > longestBody) breakOff(tooLong(head.status));
					else chunks.push(chunk);
				},
				onResponseEnd: () => resolve({ ...head, body: Buffer.concat(chunks) }),
				onResponseError: (_, error) => reject(error),
			};
			dispatcher.dispatch(
				{
					...outgoing,
					headers: { ...outgoing.headers },
					body: outgoing.body ?? null,
					headersTimeout: silenceTimeout,
					bodyTimeout: silenceTimeout,
				},
				handler,
			);
		});
	} catch (error) {
		throw failureOf(error, handedOver, host);
	} finally {
		if (onAbort !== undefined) scope.signal.removeEventListener('abort', onAbort);
	}
}
