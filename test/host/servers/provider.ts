/**
 * The descriptions in docs/providers, read and followed with nothing but `fetch`. Independent of the
 * Custom Provider node on purpose: a description that only the node understands would be proof of
 * nothing.
 */
import { z } from 'zod';

const CALL_TIMEOUT_MS = 10_000;

const statuses = z.array(z.number().int().min(200).max(499)).min(1);
/** https://www.rfc-editor.org/rfc/rfc6901 */
const pointer = z.string().regex(/^(\/([^~/]|~[01])*)*$/);
const texts = z.record(z.string());

const request = z
	.object({
		method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
		path: z.string().startsWith('/'),
		query: texts.optional(),
		headers: texts.optional(),
		body: z.unknown().optional(),
		success: statuses,
		notFound: statuses.optional(),
		nothingToRevoke: statuses.optional(),
		id: pointer.optional(),
		login: pointer.optional(),
		email: pointer.optional(),
		items: pointer.optional(),
		active: z
			.object({ pointer, equals: z.union([z.string(), z.number(), z.boolean(), z.null()]) })
			.strict()
			.optional(),
	})
	.strict();

/** Not followed here: a single answer is enough for the people of the tests. */
const pages = z.object({}).passthrough();

const providerSchema = z
	.object({
		name: z.string().min(1),
		lookup: request
			.extend({
				id: pointer,
				displayName: pointer.optional(),
				status: pointer.optional(),
				pages: pages.optional(),
			})
			.optional(),
		listSessions: request
			.extend({
				id: pointer,
				items: pointer,
				token: pointer.optional(),
				pages: pages.optional(),
			})
			.optional(),
		revokeAll: request.extend({ count: pointer.optional() }).optional(),
		revokeSession: request.optional(),
	})
	.strict()
	.refine(
		({ listSessions, revokeAll, revokeSession }) =>
			revokeAll !== undefined || (listSessions !== undefined && revokeSession !== undefined),
		'Nothing ends all sessions: neither revokeAll, nor listSessions with revokeSession',
	);

export type Provider = z.infer<typeof providerSchema>;
type ProviderRequest = z.infer<typeof request>;
type Values = Readonly<Record<string, string>>;

/** Reads a description; a member that the contract does not have is an error. */
export function parseProvider(data: unknown): Provider {
	return providerSchema.parse(data);
}

/** Puts the values into a text's placeholders; one without a value is an error. */
function fill(text: string, values: Values, encode: (value: string) => string): string {
	return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
		const value = values[name];
		if (value === undefined) throw new Error(`Nothing is known for ${placeholder} in "${text}".`);
		return encode(value);
	});
}

function fillBody(body: unknown, values: Values): unknown {
	if (typeof body === 'string') return fill(body, values, String);
	if (Array.isArray(body)) return body.map((one) => fillBody(one, values));
	if (typeof body !== 'object' || body === null) return body;
	return Object.fromEntries(
		Object.entries(body).map(([name, value]) => [name, fillBody(value, values)]),
	);
}

/** What a JSON pointer leads to; undefined when it leads nowhere. */
function at(document: unknown, to: string): unknown {
	const names = to.split('/').slice(1);
	return names.reduce<unknown>((value, name) => {
		if (typeof value !== 'object' || value === null) return undefined;
		return (value as Record<string, unknown>)[name.replaceAll('~1', '/').replaceAll('~0', '~')];
	}, document);
}

/** The entries of an answer: those of its array, or the answer itself. */
function entriesOf(document: unknown, items: string | undefined): unknown[] {
	if (items === undefined) return [document];
	return z.array(z.unknown()).parse(at(document, items));
}

const idOf = (entry: unknown, to: string) =>
	String(z.union([z.string(), z.number()]).parse(at(entry, to)));

/** What came of a request that ends sessions. */
type Ended = 'revoked' | 'nothing_to_revoke';

/** Follows one description at one server. */
export class Follower {
	constructor(
		private readonly baseUrl: string,
		private readonly provider: Provider,
		private readonly headers: Readonly<Record<string, string>>,
	) {}

	private async send(described: ProviderRequest | undefined, values: Values): Promise<Response> {
		if (described === undefined) throw new Error(`${this.provider.name} does not describe this.`);
		const { method, path, query = {}, headers = {}, body } = described;
		const url = new URL(`${this.baseUrl}${fill(path, values, encodeURIComponent)}`);
		for (const [name, value] of Object.entries(query)) {
			url.searchParams.append(name, fill(value, values, String));
		}
		const known = [described.success, described.notFound, described.nothingToRevoke].flat();
		const response = await fetch(url, {
			method,
			headers: {
				...(body === undefined ? {} : { 'content-type': 'application/json' }),
				...headers,
				...this.headers,
			},
			...(body === undefined ? {} : { body: JSON.stringify(fillBody(body, values)) }),
			redirect: 'error',
			signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
		});
		if (known.includes(response.status)) return response;
		throw new Error(`${method} ${url.pathname} was answered with ${response.status}.`);
	}

	/** The ids of the accounts with exactly this sign-in name or e-mail address, in any letter case. */
	async lookUp(user: string): Promise<string[]> {
		const { lookup } = this.provider;
		const response = await this.send(lookup, { user });
		if (lookup?.success.includes(response.status) !== true) return [];
		const names = [lookup.login, lookup.email].filter((to) => to !== undefined);
		return entriesOf(await response.json(), lookup.items)
			.filter((entry) =>
				names.some((to) => String(at(entry, to)).toLowerCase() === user.toLowerCase()),
			)
			.map((entry) => idOf(entry, lookup.id));
	}

	/** The ids of the user's sessions that have not ended. */
	async sessions(userId: string): Promise<string[]> {
		const { listSessions } = this.provider;
		const response = await this.send(listSessions, { userId });
		if (listSessions?.success.includes(response.status) !== true) return [];
		const { active, id, items } = listSessions;
		return entriesOf(await response.json(), items)
			.filter((entry) => active === undefined || at(entry, active.pointer) === active.equals)
			.map((entry) => idOf(entry, id));
	}

	private async end(described: ProviderRequest | undefined, values: Values): Promise<Ended> {
		const response = await this.send(described, values);
		await response.arrayBuffer();
		return described?.success.includes(response.status) === true ? 'revoked' : 'nothing_to_revoke';
	}

	/** Ends one session of a user. */
	async revokeSession(userId: string, sessionId: string): Promise<Ended> {
		return await this.end(this.provider.revokeSession, { userId, sessionId });
	}

	/** Ends all sessions of a user: at once where the server can, otherwise one after the other. */
	async revokeAll(userId: string): Promise<void> {
		if (this.provider.revokeAll !== undefined) {
			await this.end(this.provider.revokeAll, { userId });
			return;
		}
		for (const sessionId of await this.sessions(userId))
			await this.revokeSession(userId, sessionId);
	}
}
