import { lease } from './dispatcher';
import { exchange, type Outgoing } from './exchange';
import { blockedByPolicy, failureOf, isDnsFailure } from './failure';
import { readReply } from './reply';
import type { Scope } from './scope';
import type { Surroundings, VendorReply } from './types';

/** The conditions under which requests leave. */
export interface Door {
	surroundings: Surroundings;
	allowUnauthorizedCerts: boolean;
}

/**
 * Sends one request once, after n8n's egress filter has agreed to its URL.
 *
 * @param onHandedOver called when the request is given to a connected socket
 * @throws TransportError that says truthfully whether the request may have arrived
 */
export async function transmit(
	{ surroundings, allowUnauthorizedCerts }: Door,
	outgoing: Outgoing,
	scope: Scope,
	onHandedOver: () => void,
): Promise<VendorReply> {
	await checkPolicy(surroundings, outgoing, scope);
	const { dispatcher, release } = lease({
		origin: outgoing.origin,
		allowUnauthorizedCerts,
		egressFilter: surroundings.egressFilter,
		connections: surroundings.usersInParallel + 1,
	});
	try {
		const raw = await exchange(dispatcher, outgoing, scope, onHandedOver);
		// undici frees the socket in the next turn: a request that follows at once would open a second one.
		await new Promise(setImmediate);
		return await readReply(raw, Date.now());
	} finally {
		release();
	}
}

/** @throws TransportError `blocked_by_policy`; `unavailable` when the name cannot be resolved */
async function checkPolicy(
	{ egressFilter }: Surroundings,
	{ origin, path }: Outgoing,
	scope: Scope,
): Promise<void> {
	if (egressFilter === undefined) return;
	const url = new URL(origin + path);
	const verdict = await scope.race(
		egressFilter.validateUrl(url).catch((error: unknown) => ({ ok: false as const, error })),
	);
	if (verdict.ok) return;
	throw isDnsFailure(verdict.error)
		? failureOf(verdict.error, false, url.host)
		: blockedByPolicy(url.host);
}
