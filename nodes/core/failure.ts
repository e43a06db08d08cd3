/** How what went wrong becomes an outcome: by status codes and the transport's closed list, never by searching texts. */
import type { Unusable } from './connection';
import { type Connector, InvalidInput, MissingPermission } from './connector';
import type { Cause, FailureCause, Outcome } from './outcome';
import { TransportError, type VendorReply } from './transport/types';
import { UnsafeSegmentError } from './transport/url';
import { list } from './wording';

/** Thrown inside the flow only: ends it with an outcome. */
export class Stop extends Error {
	override readonly name = 'Stop';
	readonly missingPermissions: readonly string[];

	constructor(
		readonly outcome: Outcome,
		override readonly cause: Cause | null,
		/** One sentence without a final full stop. */
		message: string,
		details: { missingPermissions?: readonly string[] } = {},
	) {
		super(message);
		this.missingPermissions = details.missingPermissions ?? [];
	}
}

/** A reply that the vendor's documents give no meaning for what was asked: its status says what kind of failure it is. */
export function stopForReply(
	connector: Pick<Connector, 'title' | 'errorCode' | 'explain'>,
	{ request, reply, explanation = connector.explain?.(reply, request) }: Unusable,
	asked: string,
): Stop {
	const code = connector.errorCode(reply);
	const answered = [statusOf(reply), code].filter((part) => part !== null);
	const answer = `${[connector.title, 'answered', ...answered].join(' ')} to the ${asked}`;
	const cause = explanation?.cause ?? causeOfStatus(reply.status);
	const missingPermissions =
		explanation?.missingPermissions ?? (cause === 'permission_denied' ? request.needs : []);
	const advice = explanation?.advice ?? adviceFor(cause, missingPermissions, reply);
	return new Stop('failed', cause, `${answer}: ${advice}`, { missingPermissions });
}

/** What kind of failure an unusable answer is: as the vendor explains it, else by its status. */
export const causeOf = (
	connector: Pick<Connector, 'explain'>,
	{ request, reply, explanation = connector.explain?.(reply, request) }: Unusable,
): FailureCause => explanation?.cause ?? causeOfStatus(reply.status);

/** The status of an HTTP answer; null for an answer of something else. */
export const statusOf = ({ status }: VendorReply): number | null => (status === 0 ? null : status);

function causeOfStatus(status: number): FailureCause {
	if (status === 401) return 'credential_invalid';
	if (status === 403) return 'permission_denied';
	if (status === 429) return 'rate_limited';
	return status >= 500 ? 'unavailable' : 'unexpected_reply';
}

function adviceFor(cause: FailureCause, missing: readonly string[], reply: VendorReply): string {
	switch (cause) {
		case 'credential_invalid':
			return 'the credential is wrong, expired or was withdrawn; renew it and use its connection test';
		case 'permission_denied':
			return missing.length > 0
				? `the credential lacks a permission; grant ${missing.join(' or ')}`
				: 'the credential lacks a permission';
		case 'rate_limited':
			return 'its rate limit was not free again within the time limit; run again later';
		case 'unavailable':
			return 'it is not available; run again later';
		default:
			if (reply.status >= 300 && reply.status < 400) {
				return 'redirects are not followed; check the address in the credential';
			}
			return reply.bodyKind === 'other'
				? 'the answer is not JSON; check the address in the credential and any proxy on the way'
				: 'the answer is not what its documentation describes';
	}
}

/** All of these are needed, and the credential has none of them. */
export function lacking(
	{ title }: Pick<Connector, 'title'>,
	missingPermissions: readonly string[],
	why: string | null = null,
): Stop {
	const advice = `the credential lacks a permission; grant ${list(missingPermissions)}`;
	const message = `${title}: ${advice}${why === null ? '' : `. ${why}`}`;
	return new Stop('failed', 'permission_denied', message, { missingPermissions });
}

/** Whatever was thrown during a flow becomes the outcome that it stands for. */
export function stopForThrown(thrown: unknown, connector: Pick<Connector, 'title'>): Stop {
	if (thrown instanceof Stop) return thrown;
	if (thrown instanceof TransportError) {
		const { reason, message, missingPermissions } = thrown;
		return new Stop('failed', reason, `${connector.title}: ${message}`, { missingPermissions });
	}
	if (thrown instanceof UnsafeSegmentError || thrown instanceof InvalidInput) {
		return new Stop('failed', 'invalid_input', `${connector.title}: ${thrown.message}`);
	}
	if (thrown instanceof MissingPermission) {
		return lacking(connector, thrown.missingPermissions, thrown.why);
	}
	return new Stop(
		'failed',
		'unexpected_reply',
		`${connector.title}: the connector met something unforeseen; please report it with the steps of this result`,
	);
}
