import type { Connector, Explanation, Inquiry, Standpoint } from './connector';
import { UnusableReply } from './connector';
import type { Field } from './field';
import { openLine, readSigningKey } from './transport';
import {
	type Access,
	type Authentication,
	type Budget,
	type Line,
	type SigningKey,
	type Surroundings,
	TransportError,
	type VendorReply,
	type VendorRequest,
} from './transport/types';

/** A credential, or another setting, that cannot work whatever the item: nothing was sent. */
export class ConfigurationError extends Error {
	override readonly name = 'ConfigurationError';

	constructor(
		/** What is wrong; names the field. */
		message: string,
		/** What to do next. */
		readonly nextStep: string,
	) {
		super(message);
	}
}

/** A connector with a credential that was read, and its way to the vendor. Lives as long as one execution. */
export interface Connection {
	connector: Connector;
	credential: unknown;
	line: Line;
	/** The vendor's certificates are not checked. */
	isInsecure: boolean;
	/** Asked once for all users; see {@link Connector.ownAccount}. Null also when the vendor would not say: the next caller asks again. */
	ownAccount(budget: Budget): Promise<string | null>;
}

/**
 * Reads a credential's fields and opens the line to its vendor; sends nothing.
 *
 * @throws ConfigurationError that names the field and the next step
 */
export function connect(
	connector: Connector,
	data: Readonly<Record<string, unknown>>,
	surroundings: Surroundings,
): Connection {
	const { credential, access } = openCredential(connector, data);
	const line = openLine(access, surroundings);
	const title = connector.titleOf?.(credential) ?? connector.title;
	let own: Promise<OwnAccount> | undefined;
	return {
		connector: { ...connector, title },
		credential,
		line,
		isInsecure: access.allowUnauthorizedCerts === true,
		async ownAccount(budget) {
			const asked = (own ??= askOwnAccount({ connector, credential, line }, budget));
			const { told, id } = await asked;
			// The vendor may tell the next one who asks.
			if (!told && own === asked) own = undefined;
			return id;
		},
	};
}

/** A connection of a connector whose credential holds nothing, over a line that somebody else made. */
export const connectThrough = (connector: Connector, line: Line): Connection => ({
	connector,
	credential: {},
	line,
	isInsecure: false,
	ownAccount: () => Promise.resolve(null),
});

/**
 * Reads a credential's fields, and the keys in them.
 *
 * @returns the credential as the connector's schema makes it, and where it leads
 * @throws ConfigurationError for the first field that does not hold
 */
export function openCredential(
	connector: Connector,
	data: Readonly<Record<string, unknown>>,
): { credential: unknown; access: Access } {
	const { fields, displayName, schema } = connector.credential;
	const wrong = (field: unknown, problem: string): ConfigurationError => {
		const label = labelOf(fields, field);
		return new ConfigurationError(
			`The field '${label}' of the credential '${displayName}' ${problem}`,
			`Open the credential, correct '${label}', and use its connection test`,
		);
	};
	const parsed = schema.safeParse(data);
	if (!parsed.success) {
		const issue = parsed.error.issues[0];
		throw wrong(issue?.path[0], issue?.message ?? 'is not valid');
	}
	const access = connector.access(parsed.data);
	try {
		for (const key of keysIn(access.authentication)) readSigningKey(key);
	} catch (error) {
		if (!(error instanceof TransportError)) throw error;
		throw wrong('privateKey', `cannot be used. ${error.message}`);
	}
	return { credential: parsed.data, access };
}

function keysIn(authentication: Authentication): SigningKey[] {
	if (authentication.type !== 'oauth2') return [];
	const { client, assertion } = authentication.grant;
	return [
		...(client.method === 'private_key_jwt' ? [client.key] : []),
		...(assertion ? [assertion.key] : []),
	];
}

/**
 * @returns the options as the connector's schema makes them
 * @throws ConfigurationError for the first option that does not hold
 */
export function readOptions(connector: Connector, data: unknown): unknown {
	const parsed = connector.options.schema.safeParse(data ?? {});
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	const label = labelOf(connector.options.fields, issue?.path[0]);
	throw new ConfigurationError(
		`The option '${label}' for ${connector.title} is not valid: ${issue?.message ?? 'wrong type'}`,
		`Correct '${label}' or remove it`,
	);
}

const labelOf = (fields: readonly Field[], name: unknown): string =>
	fields.find((field) => field.name === name)?.label ?? (typeof name === 'string' ? name : 'value');

/** A reply that could not be used, the request for it, and what it means where that is known. */
export interface Unusable {
	reply: VendorReply;
	request: VendorRequest;
	explanation?: Explanation | undefined;
}

/** What an inquiry came to: its value, or the reply that it could not use. */
export type Answer<T> =
	{ usable: true; value: T; reply: VendorReply | null } | ({ usable: false } & Unusable);

/**
 * Holds an inquiry's dialogue with the vendor.
 *
 * @throws TransportError when an answer could not be had
 */
export async function converse<T>(
	inquiry: Inquiry<T>,
	line: Line,
	budget: Budget,
): Promise<Answer<T>> {
	let reply: VendorReply | null = null;
	const asked = new Map<VendorReply, VendorRequest>();
	try {
		let turn = inquiry.next();
		while (!turn.done) {
			reply = await line.send(turn.value, budget);
			asked.set(reply, turn.value);
			turn = inquiry.next(reply);
		}
		return { usable: true, value: turn.value, reply };
	} catch (error) {
		// An inquiry may judge an answer only after it asked for more.
		const request = error instanceof UnusableReply ? asked.get(error.reply) : undefined;
		if (error instanceof UnusableReply && request) {
			const { reply: unusable, explanation } = error;
			return { usable: false, reply: unusable, request, explanation };
		}
		throw error;
	}
}

/** @throws TransportError when a token had to be minted and could not */
export async function standpoint(
	{ credential, line }: Pick<Connection, 'credential' | 'line'>,
	budget: Budget,
	how?: 'anew',
): Promise<Standpoint<unknown>> {
	return { credential, scopes: await line.grantedScopes(budget, how) };
}

/** Whose the credential is must not hold up anybody's containment. */
const OWN_ACCOUNT_PATIENCE_MS = 5_000;

interface OwnAccount {
	told: boolean;
	id: string | null;
}

async function askOwnAccount(
	at: Pick<Connection, 'connector' | 'credential' | 'line'>,
	budget: Budget,
): Promise<OwnAccount> {
	if (!at.connector.ownAccount) return { told: true, id: null };
	const now = performance.now();
	const patience = now + Math.min(OWN_ACCOUNT_PATIENCE_MS, (budget.deadline - now) / 3);
	try {
		const inquiry = at.connector.ownAccount(await standpoint(at, budget));
		const { signal } = budget;
		const within = { deadline: patience, ...(signal ? { signal } : {}) };
		const answer = await converse(inquiry, at.line, within);
		return answer.usable ? { told: true, id: answer.value } : { told: false, id: null };
	} catch {
		// The look-up goes the same way and reports what is wrong with it.
		return { told: false, id: null };
	}
}
