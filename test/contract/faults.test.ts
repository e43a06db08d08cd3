/** What becomes of a revocation when the vendor misbehaves: at the look-up, the revocation, the read-back. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest } from '@jest/globals';
import { type FailureCause, isSuccess, type Outcome } from '../../nodes/core/outcome';
import { SIGN_IN, type TargetResult } from '../../nodes/core/result';
import type { Fault } from '../simulator/faults';
import type { RequestMatch } from './bench';
import {
	eachConnector,
	endSession,
	isLeftOut,
	lastStep,
	others,
	pause,
	revoke,
	until,
	within,
} from './suite';

/** Where redirects lead to: a server of somebody else, that must not be asked anything. */
let elsewhere: Server;
let elsewhereUrl = '';
let askedElsewhere = 0;
beforeAll(async () => {
	elsewhere = createServer((_, response) => {
		askedElsewhere += 1;
		response.end('{}');
	});
	await new Promise<void>((ready) => elsewhere.listen(0, '127.0.0.1', ready));
	elsewhereUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/stolen`;
});
beforeEach(() => {
	askedElsewhere = 0;
	// Backing off takes a random part of its time: none of it here.
	jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
	jest.restoreAllMocks();
	expect(askedElsewhere).toBe(0);
});
afterAll(() => new Promise((closed) => elsewhere.close(closed)));

/** What a fault comes to at any step before the read-back. */
type Verdict =
	| FailureCause
	| 'user_not_found'
	/** The fault passes, and the revocation succeeds. */
	| 'success';

interface Row {
	name: string;
	fault: () => Fault | Fault[];
	/** How often the fault strikes; for ever by default. */
	times?: number;
	/** Ms; long by default. */
	budget?: number;
	verdict: Verdict;
	/** Whether an answer came and was judged, or none did. */
	answered: boolean;
	/** Requests that the step sends. */
	sends: number;
	/** Of the result, when the fault is an answer. */
	statusCode?: number | null;
	/** The fault lies in the body, which an answer 204 does not have. */
	inBody?: boolean;
	/** What a read-back that meets the fault comes to. */
	seen: 'verified' | 'unconfirmed' | 'unverifiable';
	/** The longest that it may take, in ms. */
	atMost?: number;
}

const status = (code: number): (() => Fault) => {
	return () => ({ kind: 'status', status: code });
};
const answered = { answered: true, sends: 1, seen: 'unconfirmed' } as const;
const retried = { answered: false, sends: 4, statusCode: null, seen: 'unconfirmed' } as const;
const passing = { answered: true, sends: 2, verdict: 'success', seen: 'verified' } as const;

const ROWS: readonly Row[] = [
	{
		name: '401',
		fault: status(401),
		...answered,
		verdict: 'credential_invalid',
		seen: 'unverifiable',
		statusCode: 401,
	},
	{
		name: '403',
		fault: status(403),
		...answered,
		verdict: 'permission_denied',
		seen: 'unverifiable',
		statusCode: 403,
	},
	{
		name: "404 in the vendor's words",
		fault: status(404),
		...answered,
		verdict: 'user_not_found',
		statusCode: 404,
	},
	{
		name: '404 with a page of somebody else',
		fault: () => ({ kind: 'notJson', status: 404 }),
		...answered,
		verdict: 'unexpected_reply',
		statusCode: 404,
	},
	{
		name: '404 with JSON of somebody else',
		fault: () => ({ kind: 'wrongShape', status: 404, body: { message: 'no Route matched' } }),
		...answered,
		verdict: 'unexpected_reply',
		statusCode: 404,
	},
	{
		name: '404 without a body',
		fault: () => ({ kind: 'wrongShape', status: 404, body: '' }),
		...answered,
		verdict: 'unexpected_reply',
		statusCode: 404,
	},
	...[400, 405, 409, 410, 422].map((code) => ({
		name: String(code),
		fault: status(code),
		...answered,
		verdict: 'unexpected_reply' as const,
		statusCode: code,
	})),
	{
		name: '429 with a time that fits',
		fault: () => ({ kind: 'rateLimit', resetInSeconds: 0 }),
		times: 1,
		...passing,
		atMost: 4_000,
	},
	{
		name: '429 with a time that does not fit',
		fault: () => ({ kind: 'rateLimit', resetInSeconds: 60 }),
		...answered,
		verdict: 'rate_limited',
		statusCode: 429,
		atMost: 3_000,
	},
	{
		name: '429 without a time, once',
		fault: () => ({ kind: 'notJson', status: 429 }),
		times: 1,
		...passing,
	},
	{
		name: '429 without a time, for ever',
		fault: () => ({ kind: 'notJson', status: 429 }),
		...answered,
		sends: 6,
		verdict: 'rate_limited',
		statusCode: 429,
	},
	...[500, 502, 503, 504].map((code) => ({
		name: `${code}, then well`,
		fault: (): Fault => ({ kind: 'serverError', status: code, html: code !== 500 }),
		times: 2,
		...passing,
		sends: 3,
	})),
	...[500, 503].map((code) => ({
		name: `${code} for ever`,
		fault: (): Fault => ({ kind: 'serverError', status: code, html: code !== 500 }),
		...retried,
		answered: true,
		verdict: 'unavailable' as const,
		statusCode: code,
	})),
	...(['cut', 'reset'] as const).flatMap((kind) => [
		{ name: `${kind} once`, fault: (): Fault => ({ kind }), times: 1, ...passing },
		{
			name: `${kind} for ever`,
			fault: (): Fault => ({ kind }),
			...retried,
			verdict: 'unavailable' as const,
		},
	]),
	{
		name: '200 that is not JSON',
		fault: () => ({ kind: 'notJson' }),
		...answered,
		verdict: 'unexpected_reply',
		statusCode: 200,
	},
	...Object.entries({
		'an object': { unexpected: ['shape', 1, null] },
		null: null,
		'a text': '"ok"',
		'a list of nulls': [null],
		'a user without an id': { id: '', status: 'ACTIVE', profile: { login: 1 } },
		'a wrapped error': { error: { status: 404, errorCode: 'E0000007' } },
	}).map(([name, body]) => ({
		name: `200 with ${name} of another shape`,
		fault: (): Fault => ({ kind: 'wrongShape', body }),
		...answered,
		verdict: 'unexpected_reply' as const,
		statusCode: 200,
	})),
	{
		name: '200 with a huge body',
		fault: () => ({ kind: 'hugeBody' }),
		...answered,
		answered: false,
		verdict: 'unexpected_reply',
		statusCode: null,
	},
	...[301, 302, 307, 308].map((code) => ({
		name: `redirect ${code} to somebody else`,
		fault: (): Fault => ({ kind: 'redirect', status: code, location: elsewhereUrl }),
		...answered,
		verdict: 'unexpected_reply' as const,
		statusCode: code,
	})),
	...(['headers', 'body'] as const).map((part) => ({
		name: `${part} that do not come in time`,
		fault: (): Fault => ({ kind: 'slow', delayMs: 60_000, part }),
		...answered,
		inBody: part === 'body',
		answered: false,
		budget: 1_200,
		verdict: 'timeout' as const,
		statusCode: null,
		atMost: 3_000,
	})),
];

eachConnector(({ facts, bench, check, given }) => {
	const { people } = facts;

	/** A token that is not taken is replaced once, by a credential that can. */
	const replaced = facts.authentications[0].tokenRequests > 0 ? 2 : 1;
	const rows = ROWS.map((row) => (row.name === '401' ? { ...row, sends: replaced } : row));

	/** How often a step of several requests sends that meets the fault of a row. */
	const sendsOf = ({ sends, times }: Row, requests: number): number =>
		times === undefined ? sends * requests : sends + requests - 1;

	/** Arms the fault of a row, revokes, and returns the result with what the step sent. */
	async function meet(
		{ fault, times = Infinity, budget = 15_000, atMost = 8_000 }: Row,
		match: RequestMatch,
		identity: string,
	): Promise<{ result: TargetResult; sent: number }> {
		bench().simulator.faults.next({ match, times, fault: fault() });
		const began = performance.now();
		const result = await revoke(bench(), identity, {
			allowOwnIdentity: true,
			budget: within(budget),
		});
		expect(performance.now() - began).toBeLessThan(atMost);
		const { requests } = bench().simulator;
		const minting = requests.filter(({ body }) => body.includes('grant_type='));
		expect(result.attempts).toBe(requests.length - minting.length);
		return { result, sent: requests.filter(match).length };
	}

	function expectSuccess(result: TargetResult): void {
		expect(result).toMatchObject({
			outcome: facts.revoke.outcome,
			state: 'revoked',
			cause: null,
			statusCode: facts.revoke.statusCode,
		});
		expect(isSuccess(result.outcome)).toBe(true);
		expect(bench().everyone()[people.happy]?.[facts.revoke.held]).toBe(0);
	}

	function expectStopped(
		result: TargetResult,
		verdict: Exclude<Verdict, 'success'>,
		expected: Partial<TargetResult>,
	): void {
		const outcome: Outcome = verdict === 'user_not_found' ? verdict : 'failed';
		expect(result).toMatchObject({
			outcome,
			cause: outcome === 'failed' ? verdict : null,
			verification: { status: 'skipped' },
			ended: [],
			...expected,
		});
		expect(isSuccess(result.outcome)).toBe(false);
		expect(result.steps.at(-1)?.ok).toBe(false);
		expect(result.message).toMatch(/[^.]$/);
	}

	for (const { title, identity, match, ownNotFound, needs, sendsWhenDenied } of facts.lookUps) {
		describe(`look-up by ${title}`, () => {
			for (const row of rows) {
				check(`look-up by ${title}: ${row.name}`, async () => {
					const before = bench().everyone();
					const { result, sent } = await meet(row, match, identity);
					const own = row.verdict === 'user_not_found' ? ownNotFound : row.verdict;
					if (own === 'success') {
						expectSuccess(result);
						expect(sent).toBe(row.sends);
						return;
					}
					expectStopped(result, own, {
						state: 'user_lookup_failed',
						userKnown: own === 'user_not_found' ? false : null,
						changed: false,
						user: null,
						survives: own === 'user_not_found' ? [] : [SIGN_IN],
						missingPermissions: own === 'permission_denied' ? needs : [],
					});
					expect(lastStep(result)).toBe(row.answered ? 'checkLookup' : 'retrieveUser');
					if (own !== 'user_not_found') expect(result.statusCode).toBe(row.statusCode);
					expect(sent).toBe(own === 'permission_denied' ? sendsWhenDenied : row.sends);
					expect(bench().simulator.requests.some(facts.revoke.match)).toBe(false);
					expect(bench().everyone()).toEqual(before);
				});
			}
		});
	}

	describe('revocation', () => {
		for (const row of rows) {
			const bodiless = row.inBody === true && facts.revoke.statusCode === 204;
			const fact = bodiless ? { leftOut: 'an answer 204 has no body' } : row;
			given(fact, `revocation: ${row.name}`, async () => {
				const before = bench().everyone();
				const { result, sent } = await meet(row, facts.revoke.match, people.happy);
				expect(sent).toBe(sendsOf(row, facts.revoke.requests));
				const own = row.verdict === 'user_not_found' ? facts.revoke.ownNotFound : row.verdict;
				if (own === 'success') {
					expectSuccess(result);
					return;
				}
				if (own === 'nothing_to_revoke') {
					expect(result).toMatchObject({ outcome: own, state: 'revoked', changed: false });
					return;
				}
				if (own === 'partial') {
					expect(result).toMatchObject({ outcome: own, state: 'revoke_failed', ended: [] });
					expect(lastStep(result)).toBe('verify');
					return;
				}
				expectStopped(result, own, {
					state: 'revoke_failed',
					userKnown: own !== 'user_not_found',
					// The vendor does not tell; a request that got no answer may have been carried out.
					changed: null,
					missingPermissions: own === 'permission_denied' ? facts.revoke.needs : [],
				});
				if (row.answered) expect(result.statusCode).toBe(row.statusCode);
				expect(lastStep(result)).toBe(row.answered ? 'checkRevocation' : 'revokeSessions');
				// An answer that stops in its body belongs to a revocation that was carried out.
				const spared = row.inBody === true ? [people.happy] : [];
				expect(others(bench().everyone(), ...spared)).toEqual(others(before, ...spared));
			});
		}
	});

	describe('list of what is to be ended', () => {
		for (const row of rows) {
			given(facts.revoke.lists, `list: ${row.name}`, async ({ match, isNeeded, needs }) => {
				const before = bench().everyone();
				const { result } = await meet(row, match, people.happy);
				const own = row.verdict === 'user_not_found' ? 'unexpected_reply' : row.verdict;
				if (own === 'success' || !isNeeded) {
					expect(isSuccess(result.outcome)).toBe(true);
					expect(bench().everyone()[people.happy]?.[facts.revoke.held]).toBe(0);
					return;
				}
				expectStopped(result, own, {
					state: 'not_attempted',
					userKnown: true,
					changed: false,
					missingPermissions: own === 'permission_denied' ? needs : [],
				});
				expect(lastStep(result)).toBe('revokeSessions');
				expect(bench().simulator.requests.some(facts.revoke.match)).toBe(false);
				expect(bench().everyone()).toEqual(before);
			});
		}
	});

	describe('read-back', () => {
		for (const row of rows) {
			given(facts.readBack, `read-back: ${row.name}`, async ({ match, method }) => {
				const { result, sent } = await meet(row, match, people.happy);
				expectSuccess(result);
				expect(result.verification).toMatchObject({
					status: row.seen,
					method: row.seen === 'unverifiable' ? null : method,
				});
				expect(lastStep(result)).toBe('verify');
				expect(result.steps.at(-1)?.ok).toBe(row.seen === 'verified');
				expect(sent).toBe(row.sends);
			});
		}
	});

	describe('whose the credential is', () => {
		const faults: readonly [string, Fault][] = [
			['gets 403', { kind: 'status', status: 403 }],
			['gets 404', { kind: 'status', status: 404 }],
			['gets 503', { kind: 'serverError', status: 503, html: true }],
			['gets 429', { kind: 'rateLimit', resetInSeconds: 60 }],
			['gets another shape', { kind: 'wrongShape' }],
			['gets no answer', { kind: 'slow', delayMs: 60_000 }],
		];
		for (const [name, fault] of faults) {
			const title = `a user is contained when asking whose the credential is ${name}`;
			given(facts.ownAccount, title, async (match) => {
				bench().simulator.faults.next({ match, fault, times: Infinity });
				const result = await revoke(bench(), people.happy, { budget: within(2_000) });
				expect(bench().simulator.requests.some(match)).toBe(true);
				expectSuccess(result);
			});
		}
	});

	describe('the answer to a revocation that happened gets lost', () => {
		const lost: readonly [string, Fault][] = [
			['cut', { kind: 'cut' }],
			['reset', { kind: 'reset' }],
			['500', { kind: 'serverError', status: 500 }],
			['502 of a proxy', { kind: 'serverError', status: 502, html: true }],
			['503 of a proxy', { kind: 'serverError', status: 503, html: true }],
		];
		for (const [name, then] of lost) {
			check(`answer lost, ${name}`, async () => {
				const { match, idempotent, requests } = facts.revoke;
				const fault: Fault = { kind: 'afterEffect', then };
				bench().simulator.faults.next({ match, fault });
				const result = await revoke(bench(), people.happy);
				expect(bench().simulator.requests.filter(match)).toHaveLength(
					idempotent ? requests + 1 : requests,
				);
				if (idempotent) {
					expect(result).toMatchObject({ outcome: facts.revoke.whenLost, state: 'revoked' });
					expect(result.changed).not.toBe(false);
				} else {
					expect(result).toMatchObject({ outcome: 'failed', state: 'revoke_failed' });
					expect(result.changed).not.toBe(false);
				}
				expect(bench().everyone()[people.happy]?.[facts.revoke.held]).toBe(0);
			});
		}

		given(facts.oneSession, 'answer lost, ending one session', async ({ match }) => {
			const session = bench().signIn(people.happy);
			const fault: Fault = { kind: 'afterEffect', then: { kind: 'cut' } };
			bench().simulator.faults.next({ match, fault });
			const result = await endSession(bench().connection(), session, people.happy);
			// The repetition finds nothing more to end.
			expect(result).toMatchObject({ outcome: 'nothing_to_revoke', state: 'revoked' });
			expect(bench().isLive(session)).toBe(false);
			expect(bench().simulator.requests.filter(match)).toHaveLength(2);
		});

		check('an answer that never came has no status code, and no request id', async () => {
			const { match } = facts.revoke;
			bench().simulator.faults.next({ match, fault: { kind: 'reset' }, times: Infinity });
			const { cause, statusCode, vendorRequestId } = await revoke(bench(), people.happy);
			expect({ cause, statusCode, vendorRequestId }).toEqual({
				cause: 'unavailable',
				statusCode: null,
				vendorRequestId: null,
			});
		});

		check('never says that nothing changed when the answer did not come at all', async () => {
			const fault: Fault = { kind: 'afterEffect', then: { kind: 'reset' } };
			bench().simulator.faults.next({ match: facts.revoke.match, fault, times: Infinity });
			const result = await revoke(bench(), people.happy);
			expect(result).toMatchObject({
				outcome: 'failed',
				cause: 'unavailable',
				state: 'revoke_failed',
				changed: null,
			});
			expect(bench().everyone()[people.happy]?.[facts.revoke.held]).toBe(0);
		});
	});

	describe('cancellation', () => {
		/** Cancels a revocation once `when` holds, and waits whether anything is sent after that. */
		async function cancelled(when: () => boolean, later = 0): Promise<TargetResult> {
			const execution = new AbortController();
			const { requests } = bench().simulator;
			const surroundings = { cancelSignal: execution.signal };
			const running = revoke(bench(), people.happy, { surroundings, allowOwnIdentity: true });
			await until(when);
			if (later > 0) await pause(later);
			const began = performance.now();
			execution.abort();
			const sent = requests.length;
			const result = await running;
			expect(performance.now() - began).toBeLessThan(800);
			await pause(50);
			expect(requests).toHaveLength(sent);
			return result;
		}
		const arrived = (match: RequestMatch) => () => bench().simulator.requests.some(match);
		const slow: Fault = { kind: 'slow', delayMs: 60_000 };

		check('cancelled before anything was sent', async () => {
			const execution = new AbortController();
			const running = revoke(bench(), people.happy, {
				surroundings: { cancelSignal: execution.signal },
			});
			execution.abort();
			expect(await running).toMatchObject({
				outcome: 'failed',
				cause: 'cancelled',
				changed: false,
				attempts: 0,
			});
			await pause(50);
			expect(bench().simulator.requests).toEqual([]);
			const surroundings = { cancelSignal: AbortSignal.abort() };
			const never = await revoke(bench(), people.happy, { surroundings });
			expect(never).toMatchObject({ outcome: 'failed', cause: 'cancelled', attempts: 0 });
			expect(bench().simulator.requests).toEqual([]);
		});

		for (const { title, match } of facts.lookUps.slice(0, 1)) {
			check(`cancelled during the look-up by ${title}`, async () => {
				bench().simulator.faults.next({ match, fault: slow });
				const before = bench().everyone();
				const result = await cancelled(arrived(match));
				expect(result).toMatchObject({
					outcome: 'failed',
					cause: 'cancelled',
					state: 'user_lookup_failed',
					changed: false,
				});
				expect(bench().everyone()).toEqual(before);
			});

			check(`cancelled while waiting to repeat the look-up by ${title}`, async () => {
				const fault: Fault = { kind: 'rateLimit', resetInSeconds: 5 };
				bench().simulator.faults.next({ match, fault });
				const answered = () => bench().simulator.requests.some(({ status: got }) => got === 429);
				const result = await cancelled(answered);
				expect(result).toMatchObject({ outcome: 'failed', cause: 'cancelled', changed: false });
			});
		}

		check('cancelled during the revocation', async () => {
			const { match, requests: times } = facts.revoke;
			bench().simulator.faults.next({ match, times, fault: slow });
			const result = await cancelled(arrived(match));
			expect(result).toMatchObject({
				outcome: 'failed',
				cause: 'cancelled',
				state: 'revoke_failed',
				changed: null,
			});
		});

		check('cancelled while waiting to repeat the revocation', async () => {
			const { match, requests: times } = facts.revoke;
			const fault: Fault = { kind: 'rateLimit', resetInSeconds: 5 };
			bench().simulator.faults.next({ match, times, fault });
			const answered = () => bench().simulator.requests.some(({ status: got }) => got === 429);
			const before = bench().everyone();
			const result = await cancelled(answered);
			expect(result).toMatchObject({ outcome: 'failed', cause: 'cancelled' });
			expect(bench().everyone()).toEqual(before);
		});

		given(facts.readBack, 'cancelled during the read-back', async ({ match }) => {
			bench().simulator.faults.next({ match, fault: slow });
			const result = await cancelled(arrived(match));
			expectSuccess(result);
			expect(result.verification.status).toBe('unconfirmed');
		});

		given(facts.readBack, 'cancelled between two read-backs', async ({ match, whenHidden }) => {
			bench().hideRevocations();
			// Half a second after the first, one second before the third.
			const second = () => bench().simulator.requests.filter(match).length >= 2;
			const result = await cancelled(second, 100);
			if (whenHidden === 'partial') expect(result.outcome).toBe('partial');
			else expectSuccess(result);
			expect(result.verification.status).toBe('unconfirmed');
		});

		check('cancelled as the answer to the revocation arrives', async () => {
			const execution = new AbortController();
			let answers = 0;
			const result = await revoke(bench(), people.happy, {
				surroundings: {
					cancelSignal: execution.signal,
					// The transport logs an answer as soon as it has it.
					log: () => {
						answers += 1;
						if (bench().everyone()[people.happy]?.[facts.revoke.held] === 0) execution.abort();
					},
				},
			});
			expect(answers).toBeGreaterThan(1);
			expectSuccess(result);
			expect(result.verification.status).toBe(
				isLeftOut(facts.readBack) ? 'unverifiable' : 'unconfirmed',
			);
		});
	});
});
