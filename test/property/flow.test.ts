/** What must hold of the flow whatever a vendor answers: a scripted vendor that answers at random. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Connection } from '../../nodes/core/connection';
import { revokeAllSessions } from '../../nodes/core/flow';
import { isSuccess } from '../../nodes/core/outcome';
import type { TargetResult } from '../../nodes/core/result';
import { TransportError } from '../../nodes/core/transport/types';
import { anyScript, type Script, scripted, USER } from './support/scripted';

const ORDER = [
	'initialResponse',
	'retrieveUser',
	'checkLookup',
	'transformUser',
	'revokeSessions',
	'checkRevocation',
	'verify',
];

interface Run {
	script: Script;
	result: TargetResult;
	/** Paths that were sent. */
	sent: readonly string[];
	/** How many of them left this side. */
	left: number;
	/** Whom `mayTouch` was asked about, null for "nobody". */
	asked: readonly (string | null)[];
}

async function run(script: Script): Promise<Run> {
	const { task, sent, left } = scripted(script);
	const asked: (string | null)[] = [];
	const result = await revokeAllSessions({
		...task,
		mayTouch(user) {
			asked.push(user?.id ?? null);
			const cause = script.mayTouch;
			return Promise.resolve(user && cause ? { cause, why: 'Refused by a rule' } : null);
		},
	});
	return { script, result, sent: sent.map(({ path }) => path), left: left(), asked };
}

/** Holds `property` against a few hundred scripts; a failure prints the script and its seed. */
const always = (property: (run: Run) => void): Promise<void> =>
	fc.assert(
		fc.asyncProperty(anyScript, async (script) => property(await run(script))),
		{ numRuns: 400, interruptAfterTimeLimit: 8_000 },
	);

const revokes = (paths: readonly string[]): readonly string[] =>
	paths.filter((path) => path.startsWith('/revoke/'));
const answered = (step: Script['steps'][number]): boolean => !('thrown' in step.reaction);
const accepted = (step: Script['steps'][number], ...verdicts: readonly string[]): boolean =>
	answered(step) && verdicts.includes(step.verdict?.verdict ?? '');
/** Whether the script finds one account that nothing forbids to touch. */
function mayBeRevoked({ lookUp, list, isOwn, mayTouch, settings }: Script): boolean {
	const isGood = (one: Script['lookUp']['reaction']) =>
		!('thrown' in one) && one.status === 200 && one.usable;
	return (
		lookUp.result.found === 'one' &&
		lookUp.result.refusal === null &&
		isGood(lookUp.reaction) &&
		(settings.allowOwnIdentity || !isOwn) &&
		mayTouch === null &&
		!settings.dryRun &&
		(list === null || isGood(list))
	);
}

describe('whatever the vendor answers', () => {
	test('the flow ends with a result that JSON can carry', () =>
		always(({ result }) => {
			expect(JSON.parse(JSON.stringify(result))).toEqual(result);
			expect(result.message).toMatch(/^\S.*[^.\s]$/);
		}));

	test('nothing is revoked unless one account was found and nothing forbids it', () =>
		always(({ script, sent }) => {
			const expected = mayBeRevoked(script) ? script.steps.map((_, at) => `/revoke/${at}`) : [];
			expect(revokes(sent)).toEqual(expected);
		}));

	test('success means that the vendor accepted every request', () =>
		always(({ script, result, sent }) => {
			const { steps } = script;
			if (result.outcome === 'revoked') {
				expect(revokes(sent)).toHaveLength(steps.length);
				const shown = result.verification.status === 'verified' ? ['queued'] : [];
				expect(steps.every((step) => accepted(step, 'ended', 'already_gone', ...shown))).toBe(true);
				expect(steps.some((step) => accepted(step, 'ended', ...shown))).toBe(true);
			}
			if (result.outcome === 'nothing_to_revoke') {
				expect(mayBeRevoked(script)).toBe(true);
				expect(steps.every((step) => accepted(step, 'already_gone'))).toBe(true);
			}
			if (result.outcome === 'accepted') {
				expect(steps.every((step) => accepted(step, 'ended', 'already_gone', 'queued'))).toBe(true);
				expect(steps.some((step) => accepted(step, 'queued'))).toBe(true);
				expect(result.verification.status).not.toBe('verified');
			}
			if (result.outcome === 'planned') expect(script.settings.dryRun).toBe(true);
			expect(['tokens_revoked', 'unchanged', 'user_found']).not.toContain(result.outcome);
		}));

	test('a vendor that accepted everything is never reported as failed', () =>
		always(({ script, result }) => {
			if (!mayBeRevoked(script)) return;
			const { steps, readBack, settings } = script;
			if (!steps.every((step) => accepted(step, 'ended', 'already_gone', 'queued'))) return;
			const residue =
				settings.verify &&
				readBack?.possible === true &&
				readBack.seen.seen === 'residue' &&
				steps.some((step) => accepted(step, 'ended')) &&
				!steps.some((step) => accepted(step, 'queued'));
			const allowed = ['revoked', 'nothing_to_revoke', 'accepted', ...(residue ? ['partial'] : [])];
			expect(allowed).toContain(result.outcome);
		}));

	test('some that ended and some that did not are partial', () =>
		always(({ script, result }) => {
			if (!mayBeRevoked(script)) return;
			const { steps } = script;
			const ended = steps.some((step) => accepted(step, 'ended', 'queued'));
			const not = steps.some((step) => !answered(step) || step.verdict === null);
			const gone = steps.some((step) => accepted(step, 'user_gone'));
			if (ended && (not || gone)) expect(result.outcome).toBe('partial');
			else if (not) expect(result.outcome).toBe('failed');
			else if (gone) expect(result.outcome).toBe('user_not_found');
			if (result.outcome === 'partial') expect(result.state).toBe('revoke_failed');
		}));

	test('the steps are the beginning of the fixed order, and all but the last went well', () =>
		always(({ result }) => {
			const names = result.steps.map(({ step }) => step);
			expect(names).toEqual(ORDER.slice(0, names.length));
			expect(result.steps.slice(0, -1).every(({ ok }) => ok)).toBe(true);
			const stopped = ['failed', 'refused', 'user_not_found', 'ambiguous_user'];
			if (stopped.includes(result.outcome)) expect(result.steps.at(-1)?.ok).toBe(false);
			expect(result.steps[0]).toMatchObject({ state: 'pending' });
			expect(result.steps.slice(1).every(({ state }) => state === undefined)).toBe(true);
			for (const { durationMs, statusCode } of result.steps) {
				expect(durationMs).toBeGreaterThanOrEqual(0);
				expect(statusCode === null || statusCode >= 200).toBe(true);
			}
		}));

	test('nothing changed when nothing was sent, and nothing ended that was not accepted', () =>
		always(({ script, result, sent }) => {
			if (revokes(sent).length === 0) expect(result.changed).toBe(false);
			if (result.outcome === 'nothing_to_revoke') expect(result.changed).toBe(false);
			// What was queued ended when the vendor shows it, and nothing else is wrong.
			const shown = result.outcome === 'revoked' && result.verification.status === 'verified';
			const endings = shown ? ['ended', 'queued'] : ['ended'];
			const ended = script.steps.flatMap((step, at) =>
				mayBeRevoked(script) && accepted(step, ...endings) ? [`access ${at}`] : [],
			);
			expect([...result.ended].toSorted()).toEqual(ended);
			const told = script.steps.filter((step) => accepted(step, 'ended'));
			if (
				mayBeRevoked(script) &&
				told.some(({ verdict }) => verdict && 'changed' in verdict && verdict.changed)
			) {
				expect(result.changed).toBe(true);
			} else expect(result.changed).not.toBe(true);
		}));

	test('the state tells how far it came', () =>
		always(({ script, result, sent }) => {
			const arrived = script.steps.some(
				(step) => answered(step) || ('thrown' in step.reaction && step.reaction.mayHaveArrived),
			);
			const { outcome, state } = result;
			if (outcome === 'revoked' || outcome === 'nothing_to_revoke') expect(state).toBe('revoked');
			else if (outcome === 'accepted') expect(state).toBe('pending');
			else if (revokes(sent).length > 0 && arrived) expect(state).toBe('revoke_failed');
			else if (outcome === 'refused' || outcome === 'planned') expect(state).toBe('not_attempted');
			else if (result.user === null) expect(state).toBe('user_lookup_failed');
			else expect(state).toBe('not_attempted');
		}));

	test('a refusal has its cause, a failure its own, and nothing else has one', () =>
		always(({ result }) => {
			if (['refused', 'failed'].includes(result.outcome)) expect(result.cause).not.toBeNull();
			else if (result.outcome !== 'partial') expect(result.cause).toBeNull();
			if (result.missingPermissions.length > 0) expect(result.cause).toBe('permission_denied');
		}));

	test('what leaves by Failure says where it is explained, and nothing else does', () =>
		always(({ result: { outcome, cause, documentation } }) => {
			const heading = ['refused', 'failed'].includes(outcome) ? cause : outcome;
			if (isSuccess(outcome)) expect(documentation).toBeUndefined();
			else expect(documentation).toMatch(new RegExp(`/docs/outcomes\\.md#${heading}$`));
		}));

	test('a reading is asked for only after a revocation that ended something', () =>
		always(({ script, result, sent }) => {
			const asked = sent.includes('/read');
			const { readBack, settings } = script;
			if (!settings.verify || !readBack?.possible) expect(asked).toBe(false);
			if (asked) {
				expect(['revoked', 'accepted', 'partial']).toContain(result.outcome);
				expect(['verified', 'unconfirmed', 'unverifiable']).toContain(result.verification.status);
			} else {
				expect(['skipped', 'unverifiable']).toContain(result.verification.status);
			}
			const { method, checkedAt } = result.verification;
			expect(checkedAt === null).toBe(method === null);
			if (result.verification.status === 'verified') {
				expect(readBack?.seen.seen).toBe('confirmed');
			}
		}));

	test('every request is counted as an attempt', () =>
		always(({ result, left }) => expect(result.attempts).toBe(left)));

	test('whoever waits for this target is told in the end', () =>
		always(({ asked, result }) => {
			expect(asked.at(-1)).toBeNull();
			expect(asked.slice(0, -1).every((id) => id === USER.id)).toBe(true);
			expect(asked.length).toBeLessThanOrEqual(2);
			if (result.user === null) expect(asked).toEqual([null]);
		}));

	test('who can sign in again is said whenever something was ended or queued', () =>
		always(({ result }) => {
			const touched = ['revoked', 'nothing_to_revoke', 'accepted', 'partial'];
			if (touched.includes(result.outcome)) {
				expect(result.survives.map(({ what }) => what)).toEqual(['app sessions', 'sign-in']);
			}
		}));
});

describe('a connector that breaks', () => {
	const fine: Script = {
		lookUp: { reaction: { status: 200, usable: true }, result: { found: 'one', refusal: null } },
		list: null,
		steps: [
			{ reaction: { status: 204, usable: true }, verdict: { verdict: 'ended', changed: null } },
		],
		readBack: {
			reaction: { status: 200, usable: true },
			seen: { seen: 'confirmed' },
			possible: true,
		},
		isOwn: false,
		mayTouch: null,
		settings: { verify: true, allowShortNames: false, allowOwnIdentity: false, dryRun: false },
		patience: 0,
	};
	const broken = (): never => {
		throw new TypeError('Cannot read properties of undefined');
	};
	const revokeWith = async (change: (connection: Connection) => Connection) => {
		const { task } = scripted(fine);
		return await revokeAllSessions({
			...task,
			connection: change(task.connection),
			mayTouch: () => Promise.resolve(null),
		});
	};

	test('works when nothing is broken', async () => {
		expect(await revokeWith((connection) => connection)).toMatchObject({
			outcome: 'revoked',
			verification: { status: 'verified' },
		});
	});

	test.each(['lookUp', 'revocation'] as const)('in %s becomes a failure', async (part) => {
		const result = await revokeWith((connection) => ({
			...connection,
			connector: { ...connection.connector, [part]: broken },
		}));
		expect(result).toMatchObject({
			outcome: 'failed',
			cause: 'unexpected_reply',
			changed: false,
			attempts: part === 'lookUp' ? 0 : 1,
		});
		expect(JSON.stringify(result)).not.toContain('Cannot read');
	});

	test.each([
		['last', 403, [204, 403]],
		['first', 403, [403, 204]],
	])('of a part that failed, the %s, the status code is told', async (_, statusCode, statuses) => {
		const { task } = scripted({
			...fine,
			steps: statuses.map((status) => ({
				reaction: { status, usable: true },
				verdict: status === 204 ? { verdict: 'ended' as const, changed: null } : null,
			})),
		});
		const result = await revokeAllSessions({ ...task, mayTouch: () => Promise.resolve(null) });
		expect(result).toMatchObject({ outcome: 'partial', cause: 'permission_denied', statusCode });
	});

	test('a token that cannot be minted after the revocation makes no failure of it', async () => {
		const result = await revokeWith((connection) => {
			let revoked = false;
			return {
				...connection,
				line: {
					...connection.line,
					async send(request, budget) {
						const reply = await connection.line.send(request, budget);
						revoked ||= request.method === 'DELETE';
						return reply;
					},
					grantedScopes() {
						const problem = new TransportError('No token', 'unavailable', false, 503);
						return revoked ? Promise.reject(problem) : Promise.resolve(null);
					},
				},
			};
		});
		expect(result).toMatchObject({
			outcome: 'revoked',
			state: 'revoked',
			cause: null,
		});
	});
});
