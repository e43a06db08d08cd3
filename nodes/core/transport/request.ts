import type { Outgoing } from './exchange';
import { TransportError, type VendorRequest } from './types';
import { encodePairs, isSafePath, queryOf, readBaseUrl } from './url';

/** Where requests go to: the origin, and the path that all of them begin with (empty or without a slash at its end). */
export interface Base {
	origin: string;
	path: string;
}

export interface Target {
	origin: string;
	/** Path and query as they go out. */
	path: string;
	url: string;
}

const always = {
	accept: 'application/json',
	'accept-encoding': 'identity',
	'user-agent': 'n8n-nodes-session-revocation',
};
const formType = { 'content-type': 'application/x-www-form-urlencoded' };

/**
 * Reads an address of the credential; `name` says which one.
 *
 * @throws TransportError `configuration` unless it is https, or http on a loopback host
 */
export function readBase(text: string, name: string): Base {
	const read = readBaseUrl(text, { allowPath: true });
	const problem = 'problem' in read ? read.problem : undefined;
	const url = 'url' in read ? new URL(read.url) : undefined;
	const path = url?.pathname.replace(/\/$/, '') ?? '';
	if (url === undefined || !isSafePath(`${path}/`)) {
		throw refused(`The ${name} of the credential ${problem ?? 'has a path that is not valid'}`);
	}
	return { origin: url.origin, path };
}

/** @throws TransportError `configuration` when path or query cannot be sent just as they are meant */
export function targetOf(base: Base, request: VendorRequest): Target {
	if (!isSafePath(request.path)) {
		throw refused('The request has a path that cannot be sent safely, so it was not sent');
	}
	const path = base.path + request.path + whole(() => queryOf(request.query));
	return { origin: base.origin, path, url: base.origin + path };
}

/**
 * Writes a vendor request as it goes out.
 *
 * @param authorization names in lower case; they win over the request's own
 * @throws TransportError `configuration` when the body holds a lone surrogate
 */
export function outgoingOf(
	target: Target,
	{ method, headers = {}, body }: VendorRequest,
	authorization: Readonly<Record<string, string>>,
): Outgoing {
	const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
	const content =
		body === undefined
			? { text: undefined, type: {} }
			: 'json' in body
				? { text: JSON.stringify(body.json), type: { 'content-type': 'application/json' } }
				: { text: whole(() => encodePairs(body.form)), type: formType };
	return {
		origin: target.origin,
		path: target.path,
		method,
		headers: { ...always, ...content.type, ...Object.fromEntries(own), ...authorization },
		body: content.text,
	};
}

/** Writes a form for the token endpoint as it goes out. */
export function outgoingForm(
	url: string,
	headers: Readonly<Record<string, string>>,
	form: Readonly<Record<string, string>>,
): Outgoing {
	const { origin, pathname, search } = new URL(url);
	return {
		origin,
		path: pathname + search,
		method: 'POST',
		headers: { ...always, ...formType, ...headers },
		body: whole(() => encodePairs(form)),
	};
}

/** Writes texts that have to be whole. */
function whole(write: () => string): string {
	try {
		return write();
	} catch {
		throw refused('A value holds half a character (a lone surrogate), so the request was not sent');
	}
}

function refused(message: string): TransportError {
	return new TransportError(message, 'configuration', false);
}
