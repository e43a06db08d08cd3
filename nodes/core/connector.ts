/**
 * THE contract: what the project knows about one vendor. Read this first.
 *
 * A connector is data and pure functions. It never sees n8n's `this`, the network or the clock:
 * where it has to ask the vendor something it is an {@link Inquiry}, a generator that yields the
 * requests it needs answered. The flow (`flow.ts`) is the only one that sends anything.
 */
import type { ZodType, ZodTypeDef } from 'zod';
import type { FailureCause, RefusalCause } from './outcome';
import type { Field } from './field';
import type { Access, VendorReply, VendorRequest } from './transport/types';

export type { Field } from './field';
export { hasDomain, sameName } from './identity';
export type { Access, Batch, VendorReply, VendorRequest } from './transport/types';
export { claimsIn } from './transport/claims';
export { certificateThumbprint } from './transport/keys';
export { clientSecretBasic } from './transport/oauth';
export { isSafePath, path, queryOf, readBaseUrl } from './transport/url';
export { readWord, refusing } from './typed';

/** Reads anything, and makes a `T` of it or says what is wrong. */
export type Schema<T> = ZodType<T, ZodTypeDef, unknown>;

/** A dialogue that only reads: yields requests, receives their replies, returns what it learned. */
export type Inquiry<T> = Generator<VendorRequest, T, VendorReply>;

/** An inquiry that learns nothing from the vendor, because what it comes to is known. */
// eslint-disable-next-line require-yield -- To ask nothing is what it is for.
export function* unasked<T>(known: T): Inquiry<T> {
	return known;
}

/** A user as every connector reports it. */
export interface User {
	id: string;
	login: string | null;
	email: string | null;
	displayName: string | null;
	/** The vendor's own word for the account's state. */
	status: string | null;
	/** Further ids and addresses that mean the same user; absent when there are none. */
	otherNames?: readonly string[];
}

/**
 * Whom a look-up found. `reply` is the answer that decided it. An exact match on the vendor's
 * unique sign-in name or id wins; only when there is none are e-mail addresses consulted.
 */
export type Lookup<Account> =
	| { found: 'one'; reply: VendorReply; user: User; account: Account; refusal?: Refusal }
	/** `reply`: null when the vendor has nobody of such a name, so that nothing was asked. */
	| { found: 'none'; reply: VendorReply | null }
	/** Two or more distinct accounts: nobody is touched. */
	| { found: 'many'; reply: VendorReply; candidates: readonly User[] }
	/** The identity itself must not be looked up, for example Okta's `me`. */
	| { found: 'refused'; refusal: Refusal }
	/** The vendor cannot say whether it knows the user; `account` is what the identity itself names. */
	| {
			found: 'unknown';
			reply: VendorReply | null;
			account: Account;
			/** One sentence without a final full stop. */
			why: string;
			/** What the credential lacks for a look-up; empty when none is offered. */
			missingPermissions: readonly string[];
			/** Single sessions can be listed and ended by the identity alone too. */
			suffices?: true;
	  };

/** The look-up's end when the vendor gave a list of matches: the same account twice is one. */
export function oneOrMany<Match extends { id: string }, Account>(
	reply: VendorReply,
	matches: readonly Match[],
	one: (reply: VendorReply, match: Match) => Lookup<Account>,
	asUser: (match: Match) => User,
): Lookup<Account> {
	const distinct = [...new Map(matches.map((match) => [match.id, match])).values()];
	const [first] = distinct;
	if (!first) return { found: 'none', reply };
	return distinct.length === 1
		? one(reply, first)
		: { found: 'many', reply, candidates: distinct.map(asUser) };
}

export interface Refusal {
	cause: RefusalCause;
	/** One sentence without a final full stop. */
	why: string;
}

/** One request of a revocation, and how to read the vendor's answer to it. */
export interface RevokeStep {
	request: VendorRequest;
	/** What it ends, in the plural: `sessions`, `OAuth tokens`, … */
	ends: readonly string[];
	/** How many of the first of `ends` it ends; absent when that is not known. */
	count?: number;
	/** Ids of the sessions among them, where they were listed: a read-back tells old sessions from new ones by these. */
	sessions?: readonly string[];
	/** Reads the answer; undefined when the vendor's documents give it no meaning here: then its status decides. */
	judge(reply: VendorReply): StepVerdict | undefined;
}

export type StepVerdict =
	| { verdict: 'ended'; changed: boolean | null }
	/** What was to end had ended before. */
	| { verdict: 'already_gone' }
	| { verdict: 'queued' }
	| { verdict: 'user_gone' }
	/** The vendor never does this to such a user. */
	| { verdict: 'refused'; refusal: Refusal }
	/** Nothing came of the request, and the answer does not say why: another request decides in its place. */
	| { verdict: 'undecided'; instead: RevokeStep };

/** Access that has to be listed before it can be ended. */
export interface Listing {
	/** What it lists, in the plural, as `ends` of its steps names it. */
	lists: string;
	/** The requests that end what is listed; none when there is nothing to end. */
	list(): Inquiry<readonly RevokeStep[]>;
	/** What to send when the list cannot be had: then nothing is counted. */
	orElse?: readonly RevokeStep[];
}

/** Everything that a revocation sends. Each part goes its own way: none waits for another, or fails with it. */
export type Plan = readonly (RevokeStep | Listing)[];

export const isListing = (part: RevokeStep | Listing): part is Listing => 'list' in part;

/** One session, or a grant that a vendor lists in its place, as far as the vendor tells. */
export interface Session {
	id: string;
	/** What it is, in the singular: `session`, `OAuth grant`, … */
	kind: string;
	device: string | null;
	address: string | null;
	/** ISO 8601. */
	startedAt: string | null;
	lastUsedAt: string | null;
	expiresAt: string | null;
	/** The vendor's own entry. */
	raw: unknown;
}

/** How one session is named: by the parameter `sessionId`, or by an alternative of the connector. */
export interface NamedSession {
	parameter: string;
	value: string;
}

/** A session that a vendor found valid. */
export interface ValidSession {
	userId: string;
	/** A secret; it leaves because the workflow hands it on. */
	sessionToken: string;
	session: unknown;
}

/** What an answer means that its status does not say. */
export interface Explanation {
	cause: FailureCause;
	missingPermissions?: readonly string[];
	/** What to do, without a final full stop; absent: what is right for the cause. */
	advice?: string;
}

/** What a read-back shows. */
export type ReadBack =
	/** `changed`: what shows could not have been there before, so something surely changed. */
	| { seen: 'confirmed'; changed?: true }
	| { seen: 'not_yet' }
	/** Sessions older than the revocation are still there. */
	| { seen: 'residue'; remaining: number };

/** Access that a revocation does not end. */
export interface Survivor {
	what: string;
	/** Longest time that it stays valid after the revocation, in ms; null when unknown. */
	forMs: number | null;
	note: string;
	/** Name of the option of this connector that ends it too; absent when none does. */
	option?: string;
}

/** What a Check Setup found out beyond the requests themselves having been answered. */
interface SetupFinding {
	missingPermissions: readonly string[];
	/** What could not be proved without revoking something, as a sentence; null when everything was. */
	unproved: string | null;
	/** Why the credential cannot work although it was answered, for example a token of the wrong kind. */
	problem?: { cause: FailureCause; what: string };
}

/** The request of a connection test, and which statuses beside 2xx show that it works. */
export interface Probe {
	request: VendorRequest;
	accepted: readonly number[];
}

export type ConnectorOperation =
	| 'retrieveUser'
	| 'revokeAllSessions'
	| 'listSessions'
	| 'revokeSession'
	| 'authenticateSession'
	| 'checkSetup';

/** What an inquiry may know beside the vendor's answers. */
export interface Standpoint<Credential> {
	credential: Credential;
	/**
	 * The scopes granted to the access token, by the token endpoint or by the token's own claims;
	 * null when neither says or there is no token.
	 */
	scopes: readonly string[] | null;
}

/** The same, and what the user chose. */
export interface Viewpoint<Credential, Options> extends Standpoint<Credential> {
	options: Options;
}

export interface Connector<Credential = unknown, Account = unknown, Options = unknown> {
	/** The key in `targets`, `identities` and results; fixed for ever. */
	key: string;
	/** The vendor's name in texts. */
	title: string;
	/** The same where the credential tells it. */
	titleOf?(credential: Credential): string;
	node: {
		/** Class and file name; the node's `name` is the same with a small first letter. */
		className: string;
		displayName: string;
		description: string;
		/** Icon files beside the node: `<icon>.svg` and `<icon>.dark.svg`. */
		icon: string;
		/** Search words of n8n's node panel. */
		alias: readonly string[];
	};
	/** The page of `docs/connectors`, without extension. */
	docs: string;
	/** Placeholder of the User parameter, begins with "e.g. ". */
	userPlaceholder: string;
	operations: readonly ConnectorOperation[];
	/** Users that the vendor's node works on side by side; absent: as many as any node. */
	usersInParallel?: number;
	/** The vendor's own options of a revocation. Each that widens or destroys is off by default. */
	options: { fields: readonly Field[]; schema: Schema<Options> };
	credential: {
		/** Global in n8n: never one of n8n's own names. */
		name: string;
		displayName: string;
		fields: readonly Field[];
		/** Issues carry the field's name as their path, and a message that can follow "The field 'X' ". */
		schema: Schema<Credential>;
		/** Where n8n's own credential test goes: cheap, and needs no more rights than the look-up. */
		test: (
			| {
					baseUrlField: string;
					/** Addresses that a choice stands for by itself; with any other value of it the field above is asked. */
					knownBaseUrls?: { field: string; urls: Readonly<Record<string, string>> };
			  }
			/** An n8n expression over the credential's fields, where no single one names the address. */
			| { baseUrl: string }
		) &
			(
				| {
						/** May be an n8n expression over the credential's fields. */
						path: string;
						method?: 'POST';
						json?: Readonly<Record<string, unknown>>;
				  }
				| {
						path?: never;
						/** What is asked where the credential describes it, or why nothing can be, as a sentence without a final full stop. */
						probe(credential: Credential): Probe | { impossible: string };
				  }
			) & {
				/** The permission that the test needs, named after a 403. */
				needs: string;
				/** Further answers that mean a refusal: a status, or a member of an answer 200. */
				refusals?: readonly (
					| { status: number; message: string }
					| { member: string; value: string | boolean; message: string }
				)[];
			};
	};
	access(credential: Credential): Access;
	/** Where the vendor names the request, for its support: a header, or a member of the JSON body. */
	requestId: { header: string } | { member: string } | null;
	/** The vendor's error code in an answer, for messages; null when it carries none. */
	errorCode(reply: VendorReply): string | null;
	/** What an unusable answer to a request means; undefined: its status says it. */
	explain?(reply: VendorReply, request: VendorRequest): Explanation | undefined;
	/** Why an operation cannot be had with this credential; null when it can. Absent: all can. */
	unsupported?(operation: ConnectorOperation, credential: Credential): string | null;

	lookUp(
		identity: string,
		at: Viewpoint<Credential, Options> & { allowShortNames: boolean },
	): Inquiry<Lookup<Account>>;
	/** The id of the account that the credential acts as; null when it acts as nobody. */
	ownAccount?(standpoint: Standpoint<Credential>): Inquiry<string | null>;
	/** What it means that every request of a revocation was accepted. */
	endedOutcome: 'revoked' | 'tokens_revoked';
	/**
	 * What ends the account's access.
	 *
	 * @throws MissingPermission when the credential surely may not
	 */
	revocation(account: Account, at: Viewpoint<Credential, Options>): Plan;
	/** How often a revocation is made in all while the read-back shows what it left; once by default. */
	rounds?: number;
	/** What `listSessions` lists, in the plural, where it cannot be sessions. */
	lists?: string;
	/** The sessions of an account; `limit`: no more than so many are asked for, null: all. */
	listSessions?(
		account: Account,
		at: Standpoint<Credential> & { limit: number | null },
	): Inquiry<readonly Session[]>;
	revokeOne?: {
		/** Begins with "e.g. ". */
		placeholder: string;
		/** Parameters that name a session in place of its id. */
		alternatives?: readonly Field[];
		/** The vendor wants to know whose session it is: the user is looked up first. */
		ofUser?: true;
		/** The same where the credential decides it. */
		ofUserWith?(credential: Credential): boolean;
		/**
		 * The request that ends the session, where it has to be found first how to list it, or why this
		 * one must not be ended. `account`: null where the user is not looked up.
		 */
		step(
			session: NamedSession,
			account: Account | null,
			at: Standpoint<Credential>,
		): RevokeStep | Listing | Refusal;
	};
	authenticateSession?: {
		/** `durationMinutes`: null leaves the session's end as it is. */
		request(
			sessionToken: string,
			durationMinutes: number | null,
			credential: Credential,
		): VendorRequest;
		/** The shortest and the longest duration, in minutes. */
		durations: readonly [number, number];
		/** The session; `dead` when it is no more; undefined when the answer says neither. */
		judge(reply: VendorReply): ValidSession | 'dead' | undefined;
	};
	readBack?: {
		/** Named in the result's `verification.method`. */
		method: string;
		/** Waits before each reading, in ms. */
		polls: readonly number[];
		/** Read also after "nothing to revoke": where the answer that says so could come from somebody else. */
		alsoOfNothing?: true;
		/**
		 * `since`: the vendor's clock just before the revocation, ms since 1970. `sent`: the
		 * revocation's requests.
		 */
		read(
			account: Account,
			since: number,
			at: Standpoint<Credential> & { sent: readonly RevokeStep[] },
		): Inquiry<ReadBack>;
		/**
		 * False when the credential surely has no right to look, which the look-up may have shown, or
		 * when what was chosen leaves nothing to be seen.
		 */
		isPossible(at: Viewpoint<Credential, Options>, account: Account): boolean;
	};
	survives(options: Options, credential: Credential): readonly Survivor[];
	checkSetup(standpoint: Standpoint<Credential>): Inquiry<SetupFinding>;
}

/** Whether a single session is ended only together with whose it is. */
export const isOfUser = ({ revokeOne }: Connector, credential: unknown): boolean =>
	revokeOne?.ofUser ?? revokeOne?.ofUserWith?.(credential) ?? false;

/** Types a connector's parts against each other, and hands it on without them. */
export function defineConnector<Credential, Account, Options>(
	connector: Connector<Credential, Account, Options>,
): Connector {
	return connector;
}

/** Ends an inquiry: the reply cannot be used for what was asked. The flow reads its status and the vendor's error code. */
export class UnusableReply extends Error {
	override readonly name = 'UnusableReply';

	constructor(
		readonly reply: VendorReply,
		/** What it means; absent: as the connector explains it, else its status. */
		readonly explanation?: Explanation,
	) {
		super(`Unusable reply with status ${reply.status}`);
	}
}

/** Ends an inquiry, or the making of a plan: the credential surely lacks a permission. */
export class MissingPermission extends Error {
	override readonly name = 'MissingPermission';

	constructor(
		readonly missingPermissions: readonly string[],
		/** Why it cannot be done without, as a sentence without a final full stop; null when that is plain. */
		readonly why: string | null = null,
	) {
		super(`Missing permissions: ${missingPermissions.join(', ')}`);
	}
}

/** Ends the making of a request: a value of the item cannot be what it is meant to be. */
export class InvalidInput extends Error {
	override readonly name = 'InvalidInput';
}

/**
 * Reads the JSON of a successful reply.
 *
 * @throws UnusableReply when the status is not 200 or the body is not of the schema's shape
 */
export function expectJson<T>(reply: VendorReply, schema: Schema<T>): T {
	if (reply.status !== 200) throw new UnusableReply(reply);
	const parsed = schema.safeParse(reply.body);
	if (!parsed.success) throw new UnusableReply(reply);
	return parsed.data;
}
