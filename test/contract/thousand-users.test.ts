/**
 * A thousand users over the simulators of all vendors, which fail at random: every user has one
 * result with one entry for each target, in order, and what it claims is what the vendors' own state
 * says. `SEED=<number>` repeats the users and the dice of a run; the order of requests is the machine's.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pMap from 'p-map';
import { readOptions } from '../../nodes/core/connection';
import {
	revokeEverywhere,
	type UserRequest,
	type UserResult,
} from '../../nodes/core/everywhere/run';
import { isSuccess } from '../../nodes/core/outcome';
import type { TargetResult } from '../../nodes/core/result';
import type { Fault, MatchableRequest } from '../simulator/faults';
import { requestFor } from '../support/everywhere';
import type { Bench, Held, VendorFacts } from './bench';
import { benches } from './benches';
import { expectDocumented, isLeftOut, others, until } from './suite';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const USERS = 1000;
const IN_PARALLEL = 50;

/** Numbers in [0, 1) that follow from the seed. https://en.wikipedia.org/wiki/Linear_congruential_generator */
function dice(from: number): () => number {
	let state = from;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}

const users = Array.from({ length: USERS }, (_, index) => `user${index}@example.com`);

/** How a vendor knows a user. */
type Known = 'present' | 'idle' | 'absent' | 'twins';

/** A vendor with a thousand users, of whom it knows most. */
interface Vendor {
	facts: VendorFacts;
	bench: Bench;
	known: ReadonlyMap<string, Known>;
	/** Every account as it was before. */
	before: Readonly<Record<string, Held>>;
}

let vendors: readonly Vendor[] = [];
let results: readonly UserResult[] = [];

async function populate(facts: VendorFacts, roll: () => number): Promise<Vendor> {
	const bench = await facts.start();
	const { ambiguous } = facts.people;
	const mayShareAddress =
		!isLeftOut(ambiguous) && facts.cannotHave('email', 'user@example.com') === null;
	const known = new Map<string, Known>();
	for (const login of users) {
		const rolled = roll();
		if (rolled < 0.1) known.set(login, 'absent');
		else if (rolled < 0.12 && mayShareAddress) {
			known.set(login, 'twins');
			for (const twin of ['a', 'b']) bench.addUser({ login: `${twin}.${login}`, email: login });
		} else {
			const idle = rolled < 0.2;
			known.set(login, idle ? 'idle' : 'present');
			bench.addUser({ login, idle });
		}
	}
	return { facts, bench, known, before: bench.everyone() };
}

/** What may befall a request, and how often. */
const mishaps: readonly (readonly [share: number, fault: Fault])[] = [
	[0.002, { kind: 'rateLimit', resetInSeconds: 0 }],
	[0.001, { kind: 'rateLimit', resetInSeconds: 1 }],
	[0.01, { kind: 'serverError', status: 500 }],
	[0.02, { kind: 'serverError', status: 503, html: true }],
	[0.01, { kind: 'cut' }],
	[0.01, { kind: 'reset' }],
	[0.02, { kind: 'afterEffect' }],
	[0.02, { kind: 'slow', delayMs: 100 }],
	[0.01, { kind: 'slow', delayMs: 50, part: 'body' }],
	[0.003, { kind: 'notJson' }],
	[0.003, { kind: 'wrongShape' }],
];

/** From now on the vendor fails: any request may meet a mishap, and the revocations of some users never get through. */
function disturb({ facts, bench: { simulator } }: Vendor, roll: () => number): void {
	const { faults } = simulator;
	const outage: Fault = { kind: 'serverError', status: 502, html: true };
	const isStruck = dice(seed + 1);
	const struck = new Set<string>();
	const spared = new Set<string>();
	faults.next({
		times: Infinity,
		fault: outage,
		match(request) {
			if (!facts.revoke.match(request)) return false;
			const whose = `${request.path}?${request.query}${request.body}`;
			if (!struck.has(whose) && !spared.has(whose))
				(isStruck() < 0.01 ? struck : spared).add(whose);
			return struck.has(whose);
		},
	});
	let rolled: { request: MatchableRequest; value: number } | undefined;
	/** One throw for each request, whichever switch asks. */
	const thrown = (request: MatchableRequest): number => {
		if (rolled?.request !== request) rolled = { request, value: roll() };
		return rolled.value;
	};
	let from = 0;
	for (const [share, fault] of mishaps) {
		const [low, high] = [from, from + share];
		from = high;
		faults.next({
			times: Infinity,
			fault,
			match: (request) => thrown(request) >= low && thrown(request) < high,
		});
	}
}

/** Revokes users at the vendors that `wanted` says, as the node does it. */
async function run(
	whom: readonly string[],
	wanted: (vendor: Vendor, user: string) => boolean = () => true,
): Promise<readonly UserResult[]> {
	const surroundings = { usersInParallel: IN_PARALLEL, users: whom.length };
	const connections = vendors.map((vendor) => ({
		vendor,
		connection: vendor.bench.connection({ surroundings }),
	}));
	const targetsOf = (user: string): UserRequest['targets'] =>
		connections
			.filter(({ vendor }) => wanted(vendor, user))
			.map(({ connection }) => ({
				key: connection.connector.key,
				connection,
				identity: user,
				options: readOptions(connection.connector, {}),
				verify: true,
				allowShortNames: false,
				allowOwnIdentity: false,
			}));
	return await pMap(
		whom,
		(user, place) =>
			revokeEverywhere(
				requestFor(targetsOf(user), {
					requestId: `request-${place}`,
					user,
					// More than they need, so that a busy machine makes no difference.
					timeoutMs: 120_000,
				}),
			),
		{ concurrency: IN_PARALLEL },
	);
}

beforeAll(async () => {
	const roll = dice(seed);
	vendors = await Promise.all(benches.map((facts) => populate(facts, roll)));
	vendors.forEach((vendor, place) => disturb(vendor, dice(seed + place)));
	results = await run(users);
	for (const { bench } of vendors) bench.simulator.faults.clear();
}, 600_000);
afterAll(() => Promise.all(vendors.map(({ bench }) => bench.close())));

/** Each result of one vendor, with what the vendor's state was and is. */
function claims(vendor: Vendor): readonly Claim[] {
	const { bench, facts, known, before } = vendor;
	const after = bench.everyone();
	const place = vendors.indexOf(vendor);
	return results.flatMap(({ results: targets }, index) => {
		const user = users[index] ?? '';
		const target = targets[place];
		if (!target) return [];
		const held = (state: typeof before): number => state[user]?.[facts.revoke.held] ?? 0;
		const is = known.get(user) ?? 'absent';
		return { user, target, is, had: held(before), has: held(after) };
	});
}

interface Claim {
	user: string;
	target: TargetResult;
	is: Known;
	/** Live access before and after. */
	had: number;
	has: number;
}

/** Whether the vendor's state bears out what was told of one user. `ended`: how this vendor calls it that everything ended. */
function holds({ target, is, had, has }: Claim, ended: string): boolean {
	const { outcome, state, cause, changed, sessions } = target;
	const exists = is === 'present' || is === 'idle';
	if (changed === false && has !== had) return false;
	if (sessions.revoked !== null && sessions.revoked > had - has) return false;
	switch (outcome) {
		case 'revoked':
		case 'tokens_revoked':
			return outcome === ended && exists && has === 0;
		case 'nothing_to_revoke':
			// Of a repetition nobody can say what the first one found.
			return exists && has === 0 && (had === 0 || changed === null);
		case 'accepted':
			return exists && state === 'pending';
		case 'user_not_found':
			return is === 'absent';
		case 'ambiguous_user':
			return is === 'twins';
		case 'partial':
			return exists && (cause === null ? has > 0 : has < had);
		case 'failed':
			return (
				target.ended.length === 0 && changed !== true && (state === 'revoke_failed' || has === had)
			);
		default:
			return false;
	}
}

describe(`seed ${seed}`, () => {
	test('every user has one result, in order, with one entry for each target', () => {
		expect(results.map(({ user }) => user)).toEqual(users);
		expect(new Set(results.map(({ requestId }) => requestId)).size).toBe(USERS);
		const keys = benches.map(({ connector }) => connector.key);
		for (const { results: targets, targetsUsed, counts } of results) {
			expect(targets.map(({ connector }) => connector)).toEqual(keys);
			expect(targetsUsed).toEqual(keys);
			expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(keys.length);
		}
	});

	test('what is claimed is what the vendors show', () => {
		for (const vendor of vendors) {
			const { connector, revoke } = vendor.facts;
			const wrong = claims(vendor).filter((claim) => !holds(claim, revoke.outcome));
			expect({ vendor: connector.key, wrong }).toEqual({ vendor: connector.key, wrong: [] });
		}
	});

	test('nobody else is touched', () => {
		for (const { bench, before } of vendors) {
			expect(others(bench.everyone(), ...users)).toEqual(others(before, ...users));
		}
	});

	test('the vendors were asked nothing but what they document', () => {
		for (const { bench } of vendors) expectDocumented(bench.simulator);
	});

	test('most were contained at once, and faults were met', () => {
		const outcomes = results.flatMap(({ results: targets }) => targets);
		const share = (wanted: (one: TargetResult) => boolean): number =>
			outcomes.filter(wanted).length / outcomes.length;
		expect(share(({ outcome }) => isSuccess(outcome))).toBeGreaterThan(0.75);
		for (const outcome of ['nothing_to_revoke', 'user_not_found', 'ambiguous_user', 'failed']) {
			expect({ outcome, share: share((one) => one.outcome === outcome) }).not.toEqual({
				outcome,
				share: 0,
			});
		}
		for (const { bench, facts } of vendors) {
			const met = new Set(bench.simulator.requests.flatMap(({ faults = [] }) => faults));
			expect([facts.connector.key, met.size > 4]).toEqual([facts.connector.key, true]);
		}
	});

	test('at each vendor somebody is contained before the last user is looked up', () => {
		for (const [place, { facts }] of vendors.entries()) {
			const ends = results.flatMap(({ results: targets }) => {
				const target = targets[place];
				return target && target.ended.length > 0 ? target.finishedAt : [];
			});
			const last = results.at(-1)?.results[place]?.startedAt ?? '';
			const first = ends.toSorted()[0] ?? 'never';
			expect([facts.connector.key, first < last]).toEqual([facts.connector.key, true]);
		}
	});

	test('a batch does the work of many', () => {
		for (const { bench, facts } of vendors) {
			if (isLeftOut(facts.batch)) continue;
			const { requests } = bench.simulator;
			const batches = requests.filter(facts.batch.match).length;
			// Of a batch that carries no requests inside it, each user needs a part.
			const parts = requests.filter(({ within }) => within !== undefined).length || USERS;
			expect([facts.connector.key, parts / batches > 2]).toEqual([facts.connector.key, true]);
		}
	});

	test('whoever is still to be contained is contained when the targets to retry are run again', async () => {
		const left = new Map(
			results.flatMap(({ user, retryTargets }) =>
				user !== null && retryTargets.length > 0 ? [[user, retryTargets] as const] : [],
			),
		);
		const again = await run([...left.keys()], ({ facts }, user) =>
			(left.get(user) ?? []).includes(facts.connector.key),
		);
		const bad = again
			.flatMap(({ results: targets }) => targets)
			.filter(({ outcome }) => !isSuccess(outcome));
		// A name that two accounts share is a matter for a person; two products have one key.
		const matters = ['ambiguous_user', 'user_not_found'];
		expect(bad.filter(({ outcome }) => !matters.includes(outcome))).toEqual([]);
		for (const { bench, facts } of vendors) {
			await until(() => {
				const everyone = bench.everyone();
				return users.every((user) => (everyone[user]?.[facts.revoke.held] ?? 0) === 0);
			});
		}
	}, 120_000);
});
