/** Many targets for one user: what must hold whatever each of them does. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Connector } from '../../nodes/core/connector';
import { revokeEverywhere, type UserRequest } from '../../nodes/core/everywhere/run';
import { isSuccess } from '../../nodes/core/outcome';
import { type Line, TransportError } from '../../nodes/core/transport/types';
import { requestFor } from '../support/everywhere';
import { anyScript, type Happening, type Script, scripted, USER } from './support/scripted';

/** Scripts without a rule of their own: here the guard of the user decides. */
const script = anyScript.map((one): Script => ({ ...one, mayTouch: null }));
const many = fc.array(script, { minLength: 1, maxLength: 5 });

interface Given {
	scripts: readonly Script[];
	protectedUsers?: readonly string[];
	refusal?: UserRequest['refusal'];
	/** Adds targets that cannot work before the others. */
	unusable?: number;
	/** The name that the vendor at this place knows the user by. */
	loginAt?: { place: number; login: string };
}

/** A vendor where nothing goes wrong. */
const fine: Script = {
	lookUp: { reaction: { status: 200, usable: true }, result: { found: 'one', refusal: null } },
	list: null,
	steps: [
		{ reaction: { status: 204, usable: true }, verdict: { verdict: 'ended', changed: true } },
	],
	readBack: null,
	isOwn: false,
	mayTouch: null,
	settings: { verify: true, allowShortNames: false, allowOwnIdentity: false, dryRun: false },
	patience: 0,
};
const READ_BACK: Script['readBack'] = {
	reaction: { status: 200, usable: true },
	seen: { seen: 'confirmed' },
	possible: true,
};

/** Lets nobody go on before so many have come. */
function barrier(count: number): () => Promise<void> {
	let left = count;
	const all = Promise.withResolvers<undefined>();
	return async () => {
		left -= 1;
		if (left === 0) all.resolve(undefined);
		await all.promise;
	};
}

async function run({ scripts, protectedUsers = [], refusal = null, unusable = 0, loginAt }: Given) {
	const happenings: Happening[] = [];
	const targets = scripts.map((one, place) => {
		const key = `target${place}`;
		const user = place === loginAt?.place ? { ...USER, login: loginAt.login } : USER;
		const { task } = scripted(one, { key, happenings, user });
		return { ...task, identity: 'jane@example.com', key };
	});
	const problems = Array.from({ length: unusable }, (_, place) => ({
		key: `unusable${place}`,
		identity: 'jane@example.com',
		problem: 'The credential is missing',
		cause: 'configuration' as const,
	}));
	const result = await revokeEverywhere(
		requestFor([...problems, ...targets], { protectedUsers, refusal }),
	);
	const keys = [...problems, ...targets].map(({ key }) => key);
	return { result, happenings, keys };
}

const isRevoke = ({ what, path }: Happening): boolean =>
	what === 'send' && path.startsWith('/revoke/');

describe('whatever the targets do', () => {
	test('there is one result per target, in order, and JSON can carry all of it', async () => {
		await fc.assert(
			fc.asyncProperty(many, fc.nat(2), async (scripts, unusable) => {
				const { result, keys } = await run({ scripts, unusable });
				expect(result.results.map(({ connector }) => connector)).toEqual(keys);
				expect(result.targetsUsed).toEqual(keys);
				expect(JSON.parse(JSON.stringify(result))).toEqual(result);
				const counted = Object.values(result.counts).reduce((sum, count) => sum + count, 0);
				expect(counted).toBe(keys.length);
			}),
			{ numRuns: 200, interruptAfterTimeLimit: 8_000 },
		);
	});

	test('a target that fails, or cannot work at all, changes nothing for the others', async () => {
		await fc.assert(
			fc.asyncProperty(script, script, async (one, other) => {
				const alone = (await run({ scripts: [one] })).result.results[0];
				const { result } = await run({ scripts: [one, other], unusable: 1 });
				const together = result.results[1];
				const essence = (target: typeof alone) =>
					target && {
						outcome: target.outcome,
						state: target.state,
						cause: target.cause,
						ended: target.ended,
						steps: target.steps.map(({ step, ok }) => ({ step, ok })),
					};
				expect(essence(together)).toEqual(essence(alone));
				expect(result.results[0]).toMatchObject({
					outcome: 'failed',
					cause: 'configuration',
					state: 'not_attempted',
					attempts: 0,
				});
			}),
			{ numRuns: 200, interruptAfterTimeLimit: 8_000 },
		);
	});

	test('a refusal of the user lets nothing be asked', async () => {
		await fc.assert(
			fc.asyncProperty(many, async (scripts) => {
				const refusal = { cause: 'run_limit', why: 'Too many users' } as const;
				const { result, happenings } = await run({ scripts, refusal });
				expect(happenings).toEqual([]);
				for (const target of result.results) {
					expect(target).toMatchObject({
						outcome: 'refused',
						cause: 'run_limit',
						state: 'not_attempted',
						changed: false,
						attempts: 0,
					});
				}
				expect(result).toMatchObject({ status: 'failed', coverage: 'none', billable: false });
			}),
			{ numRuns: 50, interruptAfterTimeLimit: 8_000 },
		);
	});
});

describe('time', () => {
	const stages = ['/lookup', '/revoke/0'];

	/**
	 * Vendors of which none answers before all of them were asked the same: one after the other they
	 * would wait for ever.
	 */
	test('all targets go on side by side: the user takes as long as the slowest', async () => {
		await fc.assert(
			fc.asyncProperty(fc.integer({ min: 2, max: 9 }), async (count) => {
				const asked = new Map(stages.map((path) => [path, barrier(count)]));
				const happenings: Happening[] = [];
				const targets = Array.from({ length: count }, (_, place) => {
					const key = `target${place}`;
					const { task } = scripted(fine, { key, happenings });
					const { line } = task.connection;
					const send: Line['send'] = async (request, budget) => {
						await asked.get(request.path)?.();
						return await line.send(request, budget);
					};
					return { ...task, key, connection: { ...task.connection, line: { ...line, send } } };
				});
				const { results } = await revokeEverywhere(requestFor(targets));
				expect(results.map(({ outcome }) => outcome)).toEqual(targets.map(() => 'revoked'));
				expect(happenings.filter(isRevoke)).toHaveLength(count);
			}),
			{ numRuns: 20 },
		);
	});

	test('a target that is done waits for nobody', async () => {
		const contained = Promise.withResolvers<undefined>();
		const { task: quick } = scripted(fine, { key: 'quick' });
		const { task: slow } = scripted(fine, { key: 'slow' });
		const lineOf = (task: typeof quick, send: Line['send']) => ({
			...task,
			connection: { ...task.connection, line: { ...task.connection.line, send } },
		});
		const { results } = await revokeEverywhere(
			requestFor([
				{
					key: 'slow',
					// Its look-up is answered only after the other one has ended the sessions.
					...lineOf(slow, async (request, budget) => {
						await contained.promise;
						return await slow.connection.line.send(request, budget);
					}),
				},
				{
					key: 'quick',
					...lineOf(quick, async (request, budget) => {
						const reply = await quick.connection.line.send(request, budget);
						if (request.path.startsWith('/revoke/')) contained.resolve(undefined);
						return reply;
					}),
				},
			]),
		);
		expect(results.map(({ outcome }) => outcome)).toEqual(['revoked', 'revoked']);
	});
});

describe('a connector with a mistake in it', () => {
	const broken = (): never => {
		throw new TypeError('A mistake');
	};
	/** The same connector, of which one function throws. */
	function withMistake(connector: Connector, part: string): Connector {
		const { readBack, revocation } = connector;
		if (part === 'judge') {
			const plan: Connector['revocation'] = (...at) =>
				revocation(...at).map((step) => ({ ...step, judge: broken }));
			return { ...connector, revocation: plan };
		}
		return readBack && part in readBack
			? { ...connector, readBack: { ...readBack, [part]: broken } }
			: { ...connector, [part]: broken };
	}

	test.each([
		'lookUp',
		'revocation',
		'survives',
		'judge',
		'errorCode',
		'explain',
		'read',
		'isPossible',
	])("%s: hides nobody's result, and claims nothing", async (part) => {
		const told = { ...fine, readBack: READ_BACK };
		const unusable = {
			...told,
			lookUp: { ...fine.lookUp, reaction: { status: 400, usable: false } },
		};
		const script = ['errorCode', 'explain'].includes(part) ? unusable : told;
		const { task } = scripted(script, { key: 'broken' });
		const connector = withMistake(task.connection.connector, part);
		const { results } = await revokeEverywhere(
			requestFor([
				{ ...task, key: 'broken', connection: { ...task.connection, connector } },
				{ ...scripted(fine, { key: 'fine' }).task, key: 'fine' },
			]),
		);
		const [one, other] = results;
		expect(results.map((result) => result.connector)).toEqual(['broken', 'fine']);
		expect(other?.outcome).toBe('revoked');
		if (part === 'read')
			expect(one).toMatchObject({ outcome: 'revoked', verification: { status: 'unconfirmed' } });
		else expect(isSuccess(one?.outcome ?? 'failed')).toBe(false);
	});
});

describe('protected users', () => {
	test('no revocation begins before every look-up has ended', async () => {
		await fc.assert(
			fc.asyncProperty(many, async (scripts) => {
				const { happenings } = await run({ scripts, protectedUsers: ['nobody-at-all'] });
				const firstRevoke = happenings.findIndex(isRevoke);
				if (firstRevoke < 0) return;
				const later = happenings.slice(firstRevoke);
				expect(later.filter(({ path }) => path === '/lookup')).toEqual([]);
			}),
			{ numRuns: 300, interruptAfterTimeLimit: 8_000 },
		);
	});

	test('a pattern that matches nothing changes nothing', async () => {
		await fc.assert(
			fc.asyncProperty(many, async (scripts) => {
				const without = await run({ scripts });
				const { result } = await run({ scripts, protectedUsers: ['nobody', 'x*@example.org'] });
				expect(result.results.map(({ outcome }) => outcome)).toEqual(
					without.result.results.map(({ outcome }) => outcome),
				);
			}),
			{ numRuns: 150, interruptAfterTimeLimit: 8_000 },
		);
	});

	test('the name that was given, one match: no target is touched', async () => {
		await fc.assert(
			fc.asyncProperty(
				many,
				fc.constantFrom('jane@example.com', 'JANE@*', '*', '*@EXAMPLE.com'),
				async (scripts, pattern) => {
					const { result, happenings } = await run({ scripts, protectedUsers: ['x', pattern] });
					expect(happenings.filter(isRevoke)).toEqual([]);
					for (const target of result.results) {
						expect(target.changed).toBe(false);
						if (target.user !== null && target.outcome === 'refused') {
							expect(target.state).toBe('not_attempted');
						}
					}
				},
			),
			{ numRuns: 200, interruptAfterTimeLimit: 8_000 },
		);
	});

	test('a name that only one vendor knows refuses all targets', async () => {
		await fc.assert(
			fc.asyncProperty(many, fc.nat(4), async (scripts, at) => {
				const place = at % scripts.length;
				const known = scripts.map((one, index): Script =>
					index === place
						? {
								...one,
								isOwn: false,
								lookUp: {
									reaction: { status: 200, usable: true },
									result: { found: 'one', refusal: null },
								},
							}
						: one,
				);
				const { result, happenings } = await run({
					scripts: known,
					protectedUsers: ['break-glass-*'],
					loginAt: { place, login: 'Break-Glass-1@example.com' },
				});
				expect(happenings.filter(isRevoke)).toEqual([]);
				expect(result.results[place]).toMatchObject({
					outcome: 'refused',
					cause: 'protected_user',
				});
				expect(result.status).toBe('failed');
			}),
			{ numRuns: 200, interruptAfterTimeLimit: 8_000 },
		);
	});

	/** A vendor that never answers: its look-up ends with the time of the user. */
	test('a vendor that hangs does not keep the others from being contained', async () => {
		/** As the transport does it: nothing is sent, and nothing waited for, once the time is over. */
		const inTime = (key: string, hangs: boolean) => {
			const { task } = scripted(fine, { key });
			const { line } = task.connection;
			const send: Line['send'] = async (request, budget) => {
				const left = () => budget.deadline - performance.now();
				if (hangs) await new Promise((go) => setTimeout(go, left() + 1));
				if (left() > 0) return await line.send(request, budget);
				throw new TransportError('No answer came in time', 'timeout', hangs);
			};
			return { ...task, key, connection: { ...task.connection, line: { ...line, send } } };
		};
		const { results } = await revokeEverywhere(
			requestFor([inTime('working', false), inTime('hanging', true)], {
				protectedUsers: ['break-glass-*'],
				timeoutMs: 2_000,
			}),
		);
		expect(results.map(({ outcome }) => outcome)).toEqual(['revoked', 'failed']);
	});
});
