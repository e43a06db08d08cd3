/** Who the user is in each system, where that is not the name that the item gives. */
import { z } from 'zod';
import type { Schema } from '../connector';
import { hasDomain, sameName } from '../identity';

/** What kinds of identity an alert gives, as Alert Identities names them. */
const kinds = ['email', 'upn', 'entraId', 'oktaId', 'sid', 'samAccount', 'login'] as const;

type Kind = (typeof kinds)[number];

/** Ids and names that mean something in one system only. */
const OF_ONE_SYSTEM: ReadonlySet<Kind> = new Set([
	'entraId',
	'oktaId',
	'sid',
	'samAccount',
	'login',
]);

/** What fits where, best first. */
const FITTING: Readonly<Record<string, readonly Kind[]>> = {
	entra: ['entraId', 'upn', 'email'],
	okta: ['oktaId', 'email', 'upn'],
};
const ELSEWHERE: readonly Kind[] = ['email', 'upn'];

const found = z.object({ value: z.string().min(1), kind: z.enum(kinds) });

/** `{ <key>: identity }`, or the identities of one person as Alert Identities gives them. */
export const identitiesSchema: Schema<Identities> = z.unknown().transform((value, context) => {
	const read = Array.isArray(value)
		? z.array(found).safeParse(value)
		: z.record(z.string(), z.string()).safeParse(value);
	if (!read.success) {
		for (const issue of read.error.issues) context.addIssue(issue);
		return z.NEVER;
	}
	return Array.isArray(read.data) ? new Identities({}, read.data) : new Identities(read.data, []);
});

export class Identities {
	constructor(
		private readonly overrides: Readonly<Record<string, string>>,
		private readonly list: readonly z.infer<typeof found>[],
	) {}

	/** The name of the user where nobody gave one; undefined when nothing here is one. */
	get user(): string | undefined {
		const named = this.first([...ELSEWHERE, 'entraId', 'oktaId']);
		if (named !== undefined) return named;
		const [address, ...others] = Object.values(this.overrides).filter(hasDomain);
		return others.every((other) => sameName(address, other)) ? address : undefined;
	}

	/** The user's identity in one system; undefined when only the user's name is left. */
	in(key: string): string | undefined {
		if (Object.hasOwn(this.overrides, key)) return this.overrides[key];
		return this.first(FITTING[key] ?? ELSEWHERE);
	}

	/** Whether a name means something in one system only, so that it must not be tried in another. */
	isOfOneSystem(name: string): boolean {
		if (hasDomain(name)) return false;
		return this.list.some(({ value, kind }) => OF_ONE_SYSTEM.has(kind) && sameName(value, name));
	}

	private first(wanted: readonly Kind[]): string | undefined {
		const all = wanted.flatMap((kind) => this.list.filter((one) => one.kind === kind));
		return all[0]?.value;
	}
}
