/** Calls of a template's webhook, as the system at its other end makes them. */
import { onStage } from './on-stage';

const TIMEOUT_MS = 30_000;
const { keyHeader, key } = onStage().template;

/** The header that the credential `webhookKey` of the stage asks for. */
export const KEY: Readonly<Record<string, string>> = { [keyHeader]: key };

/** Posts JSON, with the key unless other headers are given. */
export async function post(url: string, body: unknown, headers = KEY): Promise<Response> {
	return await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...headers },
		body: JSON.stringify(body),
		signal: AbortSignal.timeout(TIMEOUT_MS),
	});
}

/** What somebody without the right key sends. */
export const WRONG_KEYS: readonly [string, Readonly<Record<string, string>>][] = [
	['without the key', {}],
	['with a wrong key', { [keyHeader]: 'not-the-key' }],
];
