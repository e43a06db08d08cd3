/**
 * What the project knows about one sender of alerts. Read this first.
 *
 * A source is a schema and a pure function: which accounts does an alert name, where, and in which
 * role? It decides nothing: who is identified is decided in one place for all (`people.ts`). A
 * source reads only members that name whom an alert is about. Analysts, owners and assignees are
 * safe because no source ever looks at them.
 */
import type { Schema } from '../core/connector';

export type IdentityKind = 'email' | 'upn' | 'entraId' | 'oktaId' | 'sid' | 'samAccount' | 'login';

/** `subject`: the alert is about this account. `target`: it was acted upon. `actor`: it acted upon another. */
export type Role = 'subject' | 'target' | 'actor';

/**
 * How sure it is that the value names the account that the alert is about. `high`: the sender has a
 * member for just that. `medium`: the author of a rule chose the member, or the member holds
 * whoever took part. `low`: a name that means nothing outside of one directory or one computer.
 */
export type Confidence = 'high' | 'medium' | 'low';

export interface Identity {
	value: string;
	kind: IdentityKind;
	role: Role;
	/** Where the value stands in the alert; two places joined by " + " when it is made of two. */
	path: string;
	confidence: Confidence;
}

/** One account as one place of an alert names it. Two places are two accounts, whatever they say. */
export interface Account {
	role: Role;
	identities: readonly Identity[];
	/** The system itself or a computer, and so nobody who could be signed out. */
	isNobody: boolean;
	/** Why nobody may act on it although it has an identity; a sentence without a final full stop. */
	doubt?: string;
	/** What a person should know, as sentences without a final full stop. */
	notes: readonly string[];
}

export interface AlertMeta {
	/** With the source, what a workflow can tell repeated deliveries by. */
	id: string | null;
	title: string | null;
	/** In the sender's own words. */
	severity: string | null;
	/** ISO 8601. */
	detectedAt: string | null;
	/** Begins with http:// or https://. */
	url: string | null;
}

export interface Alert {
	meta: AlertMeta;
	accounts: readonly Account[];
}

export interface AlertSource<Body = unknown> {
	/** A value of the parameter Source; fixed for ever. */
	key: string;
	/** The sender's name in texts. */
	title: string;
	/** What only this sender's bodies have: a body that fits is taken for one of them. */
	schema: Schema<Body>;
	/**
	 * The alerts in a body.
	 *
	 * @param at where the body stands in what came in; paths begin with it
	 * @throws UnreadableAlert when a part of it cannot be read
	 */
	read(body: Body, at: string): readonly Alert[];
}

/** Types a source's parts against each other, and hands it on without them. */
export function defineSource<Body>(source: AlertSource<Body>): AlertSource {
	return source;
}

/** Ends the reading of an alert; the message is a sentence without a final full stop. */
export class UnreadableAlert extends Error {
	override readonly name = 'UnreadableAlert';
}
