/**
 * What the contract suites have to know of one vendor. The suites name no vendor: whatever differs
 * from one to the next is a fact here, written once per connector in `benches/`.
 */
import type { Connection } from '../../nodes/core/connection';
import type { Connector } from '../../nodes/core/connector';
import type { Outcome } from '../../nodes/core/outcome';
import type { Surroundings } from '../../nodes/core/transport/types';
import type { MatchableRequest } from '../simulator/faults';
import type { Simulator } from '../simulator/simulator';

/** Live access of one account by kind, as the vendor itself sees it: `{ sessions: 2, tokens: 1 }`. */
export type Held = Readonly<Record<string, number>>;

/** Which of the simulator's requests belong to a step of the flow. */
export type RequestMatch = (request: MatchableRequest) => boolean;

/** One way in which the connector finds a user. */
interface LookUpFacts {
	/** Follows "look-up by ". */
	title: string;
	/** Finds `people.happy` this way, and this way only. */
	identity: string;
	match: RequestMatch;
	/** What the vendor's own "not found" means here: an empty list is how some routes say it. */
	ownNotFound: 'user_not_found' | 'unexpected_reply' | 'configuration';
	/** Permissions to be named after a 403. */
	needs: readonly string[];
	/** Requests when each is answered 403: more than one where less may be asked for. */
	sendsWhenDenied: number;
}

/** One way in which a credential proves itself. */
export interface AuthenticationFacts {
	title: string;
	/** Token requests that one minting takes; 0 when no token is minted. */
	tokenRequests: number;
}

/** A vendor's way of doing without something that the contract knows; the suites print the reason. */
export interface LeftOut {
	leftOut: string;
}

export interface VendorFacts {
	connector: Connector;
	/** Where a vendor has several products, each with a bench: which one this is. */
	product?: string;
	/** Identities of the seed. */
	people: {
		/** Has access of every kind. */
		happy: string;
		/** Has the same, and must keep it. */
		bystander: string;
		/** No account has this sign-in name, address or id. */
		missing: string;
		/** An e-mail address that several accounts share, and the sign-in names of those. */
		ambiguous: { identity: string; logins: readonly string[] } | LeftOut;
		/** The sign-in name of one account that is the e-mail address of another. */
		signInNameWins: { identity: string; shadow: string } | LeftOut;
		/** Exists and has no access that could end. */
		clean: { identity: string; outcome: Outcome; changed: boolean | null };
		/** The account is deactivated at the vendor. */
		deactivated: { identity: string; status: string } | LeftOut;
		/** The account that the credential of `authentications[0]` acts as. */
		own: string | LeftOut;
		/** A bare name that the vendor would resolve to `happy` by itself. */
		shortName: string | LeftOut;
		/** Identities that must never be looked up. */
		unsupported: readonly string[];
		/** Fifty more accounts. */
		crowd: readonly string[];
	};
	lookUps: readonly [LookUpFacts, ...LookUpFacts[]];
	revoke: {
		match: RequestMatch;
		/** Of a single revocation with every option off. */
		requests: number;
		/** Whether the vendor's documents allow to repeat it. */
		idempotent: boolean;
		outcome: Outcome;
		statusCode: number;
		changed: boolean | null;
		ended: readonly string[];
		/** The kind of access that surely ends. */
		held: string;
		needs: readonly string[];
		/** What the vendor's own "not found" means here; `partial`: nothing to revoke, which the read-back disproves. */
		ownNotFound: 'user_not_found' | 'unexpected_reply' | 'nothing_to_revoke' | 'partial';
		/** What a repetition comes to whose first answer got lost after its effect. */
		whenLost: Outcome;
		/** The list of what is to be ended; without one that is needed nothing is sent. */
		lists: { match: RequestMatch; isNeeded: boolean; needs: readonly string[] } | LeftOut;
	};
	/** Requests that do the work of many users, and what a revocation among many comes to. */
	batch: { match: RequestMatch; outcome: Outcome } | LeftOut;
	/** List Sessions: `kinds` says for each kind of session under which name `everyone` counts it. */
	listing:
		| { match: RequestMatch; needs: readonly string[]; kinds: Readonly<Record<string, string>> }
		| LeftOut;
	/** The request that asks which account the credential acts as. */
	ownAccount: RequestMatch | LeftOut;
	/**
	 * Options that widen: what each adds to `ended`, and the kind of access that ends with it.
	 * `match`: the requests that do it, where it takes requests of its own.
	 */
	widening: readonly { option: string; ends: string; held: string; match?: RequestMatch }[];
	/**
	 * `whenHidden`: what it comes to when the vendor goes on showing what was there before. A marker
	 * that has not moved proves nothing; sessions that are still listed do.
	 */
	readBack:
		{ match: RequestMatch; method: string; whenHidden: 'unconfirmed' | 'partial' } | LeftOut;
	/** Permissions to be named when the set-up check is refused. */
	checkNeeds: readonly string[];
	/** `tellsBadIds`: the vendor tells what cannot be the id of a session from an id that no session has. */
	oneSession: { match: RequestMatch; needs: readonly string[]; tellsBadIds?: true } | LeftOut;
	/** The first is the one that all other cases use. */
	authentications: readonly [AuthenticationFacts, ...AuthenticationFacts[]];
	/** Routes of the simulator that the connector has no use for, with the reason. */
	unusedRoutes: Readonly<Record<string, string>>;
	/** Why the vendor cannot have an account with this sign-in name, or this address; null when it can. */
	cannotHave(kind: 'login' | 'email', value: string): string | null;
	/** Cases that cannot hold for this vendor, by title, with the reason. */
	leftOut: Readonly<Record<string, string>>;
	start(): Promise<Bench>;
}

/** A vendor on loopback. */
export interface Bench {
	simulator: Simulator;
	/** A connection with a credential of this way to authenticate; the first one by default. */
	connection(how?: { authentication?: string; surroundings?: Partial<Surroundings> }): Connection;
	/** Texts in the credential of this way to authenticate that must never leave. */
	secretsOf(authentication: string): readonly string[];
	/** The vendor back to its seed, faults and records forgotten, and no token, pool or rate limit remembered. */
	reset(): Promise<void>;
	/** What every account has now, by sign-in name. */
	everyone(): Readonly<Record<string, Held>>;
	/**
	 * Adds an account with access of every kind, or with none when it is `idle`; its id. `displayName`
	 * is to be seen in the user's record: in another text of it where the vendor keeps no names.
	 */
	addUser(user: { login: string; email?: string; displayName?: string; idle?: boolean }): string;
	/** Signs a user in; the id of the new session. */
	signIn(login: string): string;
	isLive(sessionId: string): boolean;
	/** The vendor's own error with `text` wherever its errors carry text. */
	errorWith(text: string): unknown;
	/** Access tokens minted so far are worth nothing any more. */
	withdrawTokens(): void;
	/** From now on the vendor does not show revocations that happened. */
	hideRevocations(): void;
	/** From now on every look-up is answered with this account, whatever was asked for. */
	answerEveryLookUpWith(login: string): void;
	/** Uses routes that belong to operations of this vendor alone. */
	useTheRest?(connection: Connection): Promise<void>;
	/** The account vanishes at the moment at which its revocation arrives. */
	loseUserAtRevocation(): void;
	close(): Promise<void>;
}
