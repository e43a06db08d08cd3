/** What the oracles share: requests as they came over the wire, and what they mean. */
import { expect, test } from '@jest/globals';
import type { Simulator } from '../simulator/simulator';

export type Recorded = Simulator['requests'][number];

/** Where SDK and connector differ on purpose, and why that is right. */
interface Difference {
	what: string;
	sdk: string;
	connector: string;
	why: string;
}

/** What goes over the wire while `work` runs; that the vendor refuses it does not matter here. */
export async function recorded(
	simulator: Simulator,
	work: () => Promise<unknown>,
): Promise<readonly Recorded[]> {
	simulator.forget();
	await work().catch(() => undefined);
	expect(simulator.unmatched).toEqual([]);
	return [...simulator.requests];
}

/** A request without what is free to differ: percent-encoding decoded, order of the query dropped. */
export function meaning(request: Recorded | undefined) {
	if (!request) throw new Error('Nothing was sent');
	const { method, path, query, body, headers } = request;
	return {
		method,
		segments: path.split('/').map(decodeURIComponent),
		query: [...new URLSearchParams(query)].toSorted(([one], [other]) => (one < other ? -1 : 1)),
		body,
		authorization: headers.authorization,
		accept: headers.accept?.split(',')[0],
	};
}

export const byRoute = (requests: readonly Recorded[], route: string): Recorded | undefined =>
	requests.find((request) => request.route === route);

/** Every difference says what it is, and has a reason. */
export function testExplanations(differences: Readonly<Record<string, Difference>>): void {
	test.each(Object.values(differences))(
		'the difference is explained: $what',
		({ sdk, connector, why }) => {
			expect(sdk).not.toBe(connector);
			expect(why.length).toBeGreaterThan(20);
		},
	);
}
