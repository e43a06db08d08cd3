/** What all contract suites share: one run per connector of the registry, and how to drive one. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TargetResult } from '../../nodes/core/result';
import type { Simulator } from '../simulator/simulator';
import type { Bench, Held, LeftOut, VendorFacts } from './bench';
import { benches } from './benches';

/** What the cases of one connector work with. */
export interface Stand {
	facts: VendorFacts;
	/** Only within a case. */
	bench(): Bench;
	/** A case; one that the vendor's facts leave out is shown as skipped, with the reason. */
	check(title: string, work: () => Promise<void>): void;
	/** A case that needs a fact which some vendors have not. */
	given<T>(fact: T | LeftOut, title: string, work: (fact: T) => Promise<void>): void;
}

export const isLeftOut = (fact: unknown): fact is LeftOut =>
	typeof fact === 'object' && fact !== null && 'leftOut' in fact;

/**
 * Defines the same cases for every connector. After each, the simulator must have seen nothing that
 * the vendor does not document.
 */
export function eachConnector(define: (stand: Stand) => void): void {
	describe.each(benches.map((facts) => [titleOf(facts), facts] as const))('%s', (_, facts) => {
		let bench: Bench;
		beforeAll(async () => {
			bench = await facts.start();
		});
		beforeEach(() => bench.reset());
		afterEach(() => expectDocumented(bench.simulator));
		afterAll(() => bench.close());
		const check = (title: string, work: () => Promise<void>, reason = facts.leftOut[title]) => {
			// Skipped by the connector's own facts only; the reason stands on its page too.
			if (reason === undefined) test(title, work);
			else test.skip(`${title} (left out: ${reason})`, work);
		};
		define({
			facts,
			bench: () => bench,
			check: (title, work) => check(title, work),
			given(fact, title, work) {
				if (isLeftOut(fact)) check(title, () => Promise.resolve(), fact.leftOut);
				else check(title, () => work(fact));
			},
		});
	});
}

const titleOf = ({ connector, product }: VendorFacts): string =>
	[connector.title, product].filter(Boolean).join(' ');

/** Every request matched exactly one documented route and kept to its documents. */
export function expectDocumented({ requests, routes, unmatched, violations }: Simulator): void {
	expect(unmatched.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
	expect(violations).toEqual([]);
	for (const { method, path } of requests) {
		const fitting = routes.filter((route) => route.method === method && fits(route.url, path));
		// A route by name goes before one that a placeholder opens.
		const most = Math.max(...fitting.map(({ url }) => named(url)));
		const matching = fitting.filter(({ url }) => named(url) === most);
		expect({ path, routes: matching.length }).toEqual({ path, routes: 1 });
	}
}

/** How many segments of a template are not placeholders. */
const named = (template: string): number =>
	template.split('/').filter((part) => !part.startsWith('{')).length;

/** Compares segment by segment: `{name}` stands for one that is not empty. */
function fits(template: string, path: string): boolean {
	const parts = template.split('/');
	const segments = path.split('/');
	return (
		parts.length === segments.length &&
		parts.every((part, at) => (part.startsWith('{') ? segments[at] !== '' : part === segments[at]))
	);
}

export * from './runs';

/** What everybody has, but for those named. */
export function others(
	everyone: Readonly<Record<string, Held>>,
	...but: readonly string[]
): Readonly<Record<string, Held>> {
	return Object.fromEntries(Object.entries(everyone).filter(([login]) => !but.includes(login)));
}

/** Resolves once `holds`; fails the case when it never does. */
export async function until(holds: () => boolean, ms = 5_000): Promise<void> {
	const end = performance.now() + ms;
	while (!holds()) {
		if (performance.now() > end)
			throw new Error(`Still not so after ${ms} ms: ${holds.toString()}`);
		await pause(2);
	}
}

export const pause = (ms: number): Promise<void> => new Promise((go) => setTimeout(go, ms));

export const lastStep = ({ steps }: TargetResult): string | undefined => steps.at(-1)?.step;
