/** Users whom nobody may touch. */
import type { Refusal, User } from '../connector';
import type { Task } from '../flow';
import { foldCase } from '../identity';

/** Splits what a user typed, one per line or comma, or takes a list as it is; blank entries are dropped. */
export function readEntries(value: unknown): readonly string[] | { problem: string } {
	const entries = typeof value === 'string' ? value.split(/[\r\n,]+/) : (value ?? []);
	if (!Array.isArray(entries)) return { problem: 'is neither text nor a list' };
	if (!entries.every((entry) => typeof entry === 'string')) {
		return { problem: 'holds an entry that is not text' };
	}
	return entries.map((entry) => entry.trim()).filter(Boolean);
}

/** Whether a whole value matches a pattern: exact, or with `*` for any text; letter case does not matter. */
export function matches(pattern: string, value: string): boolean {
	const parts = foldCase(pattern).split('*');
	const text = foldCase(value);
	const [first = '', ...rest] = parts;
	const last = rest.pop();
	if (last === undefined) return text === first;
	if (!text.startsWith(first) || !text.endsWith(last)) return false;
	const end = text.length - last.length;
	let at = first.length;
	for (const part of rest) {
		const found = text.indexOf(part, at);
		if (found < 0) return false;
		at = found + part.length;
	}
	return at <= end;
}

/**
 * Lets a user's targets go on together: none may revoke before every look-up of the user has
 * ended, and one protected name refuses them all.
 *
 * @param patterns none: everyone may go on at once
 * @param targets how many will come
 */
export function protection(
	patterns: readonly string[],
	inputs: readonly (string | null)[],
	targets: number,
): () => Task['mayTouch'] {
	if (patterns.length === 0) return () => () => Promise.resolve(null);
	const names = inputs.filter((name) => name !== null);
	let awaited = targets;
	let open: (refusal: Refusal | null) => void;
	const decision = new Promise<Refusal | null>((resolve) => (open = resolve));
	const arrive = (user: User | null): void => {
		const { id, login, email, otherNames = [] } = user ?? {};
		for (const name of [id, login, email, ...otherNames]) if (name) names.push(name);
		awaited -= 1;
		if (awaited === 0) open(refusalFor(patterns, names));
	};
	return () => {
		let arrived = false;
		return async (user) => {
			if (!arrived) arrive(user);
			arrived = true;
			return await decision;
		};
	};
}

function refusalFor(patterns: readonly string[], names: readonly string[]): Refusal | null {
	const hit = patterns.find((pattern) => names.some((name) => matches(pattern, name)));
	return hit === undefined
		? null
		: {
				cause: 'protected_user',
				why: `The user is protected by the pattern '${hit}': nobody was touched`,
			};
}
