/** Signs requests to the webhook, by the documentation alone: nothing that ships is used. */
import { createHmac } from 'node:crypto';

export const hmac = (secret: string, message: string | Uint8Array): string =>
	createHmac('sha256', secret).update(message).digest('hex');

/** The headers of a signed request; with a time in Unix seconds, that is signed too. */
export function signed(secret: string, body: string, timestamp?: number): Record<string, string> {
	const stamp = timestamp === undefined ? '' : `${timestamp}.`;
	return {
		'content-type': 'application/json',
		'x-session-revocation-signature': `sha256=${hmac(secret, stamp + body)}`,
		...(timestamp === undefined ? {} : { 'x-session-revocation-timestamp': String(timestamp) }),
	};
}

export const unixSeconds = (): number => Math.floor(Date.now() / 1000);
