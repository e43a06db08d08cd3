/**
 * Identity servers that nobody here wrote, as the proof of the Custom Provider node sees them: people
 * who sign in over HTTP and hold a real cookie, and an administrator who ends their sessions.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../install';
import { parseProvider, type Provider } from './provider';

const CALL_TIMEOUT_MS = 10_000;

/** Who signs in; the e-mail address is also the sign-in name. */
export interface Person {
	readonly email: string;
	readonly password: string;
}

/** How the administrator authenticates, in the field names of the Custom Provider's credential. */
export type AdministratorAccess =
	| { readonly authentication: 'bearer'; readonly token: string }
	| {
			readonly authentication: 'header';
			readonly headerName: string;
			readonly headerValue: string;
	  };

/** A running identity server of our own, with a fresh database. */
export interface IdentityServer {
	/** What stands before the paths of `provider`. */
	readonly baseUrl: string;
	/** The ready-made description in docs/providers. */
	readonly provider: Provider;
	/** Creates an account. */
	addPerson(person: Person): Promise<void>;
	/** Signs in as a browser does; gives the `Cookie` header of the new session. */
	signIn(person: Person): Promise<string>;
	/** Asks, with the cookie, for something that only a signed-in person gets. */
	isSignedIn(cookie: string): Promise<boolean>;
	/** Signs the administrator in. Ask shortly before use: Glewlwyd forgets after ten minutes. */
	administrator(): Promise<AdministratorAccess>;
	/** Ends the server and removes what it stored. */
	stop(): Promise<void>;
}

/** The header by which this administrator is known. */
export function headersOf(access: AdministratorAccess): Record<string, string> {
	return access.authentication === 'bearer'
		? { authorization: `Bearer ${access.token}` }
		: { [access.headerName]: access.headerValue };
}

/** The ready-made description of this name. */
export function readProvider(name: string): Provider {
	const file = join(repositoryRoot, 'docs', 'providers', `${name}.json`);
	return parseProvider(JSON.parse(readFileSync(file, 'utf8')));
}

/** The cookies that an answer sets, as the browser sends them back. */
export function cookieOf(response: Response): string {
	const cookies = response.headers.getSetCookie().map((one) => one.split(';')[0] ?? '');
	if (cookies.length === 0) throw new Error(`${response.url} set no cookie.`);
	return cookies.join('; ');
}

/** One call of the set-up; any status but 2xx is an error here. */
export async function call(
	url: string,
	{ body, headers, method = 'POST' }: { body?: unknown; headers?: object; method?: string } = {},
): Promise<Response> {
	const response = await fetch(url, {
		method,
		headers: { 'content-type': 'application/json', ...headers },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
		signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
	});
	if (!response.ok) {
		const text = (await response.text()).slice(0, 600);
		throw new Error(`${method} ${url} was answered with ${response.status}: ${text}`);
	}
	return response;
}
