/** Writes down what the flow does for one target, and makes the result of it. */
import type { Connection } from './connection';
import {
	type Connector,
	isListing,
	type Plan,
	type RevokeStep,
	type StepVerdict,
	type Survivor,
	type User,
} from './connector';
import { explained } from './documentation';
import { statusOf, type Stop } from './failure';
import { neutral, withoutMarkup } from './neutral';
import { type Outcome, type Progress, type RevocationOutcome, stateOf } from './outcome';
import {
	SIGN_IN,
	type Step,
	type StepName,
	type Survives,
	type TargetResult,
	type Verification,
} from './result';
import { type Budget, TransportError, type VendorReply } from './transport/types';
import { endedMessage } from './wording';

interface Count {
	found: number;
	revoked: number;
}

const NOT_VERIFIED: Verification = { status: 'skipped', method: null, checkedAt: null };

/** Outcomes after which it matters what a revocation does not end. */
const REVOKING: ReadonlySet<Outcome> = new Set([
	'revoked',
	'tokens_revoked',
	'nothing_to_revoke',
	'accepted',
	'partial',
]);

export class Journal {
	progress: Progress = 'nothing_asked';
	user: User | null = null;
	userKnown: boolean | null = null;
	candidates: readonly User[] | null = null;
	plan: Plan = [];
	/** Requests sent so far. */
	attempts = 0;
	/** What the vendor could not say of the user, as a sentence; null when it could. */
	reservation: string | null = null;
	/** What the revocation does not end; null when nothing is to be revoked. */
	survivors: readonly Survivor[] | null = null;
	/** The scopes of the access token; null when unknown. */
	scopes: readonly string[] | null = null;
	/** The vendor's clock, ms since 1970, as of the last answer before the revocation. */
	vendorTime = Date.now();

	private readonly steps: Step[] = [];
	private readonly startedAt = new Date();
	private readonly began = performance.now();
	private readonly ended = new Set<string>();
	private readonly changes = new Set<boolean | null>();
	private readonly counts = new Map<string, Count>();
	/** A request of the revocation was sent more than once: an earlier one may have done what the last one found done. */
	private retried = false;
	private readonly queued: RevokeStep[] = [];
	private decisive: VendorReply | null = null;
	private stepStatus: number | null = null;
	private checked: Verification = NOT_VERIFIED;

	constructor(
		private readonly about: {
			connection: Pick<Connection, 'connector' | 'line'>;
			identity: string | null;
		},
	) {
		this.steps.push({
			step: 'initialResponse',
			ok: true,
			statusCode: null,
			durationMs: 0,
			state: 'pending',
		});
	}

	/** Does a step and writes down how it went: well when `holds` says so; what it throws ends the flow. */
	async step<T>(
		name: StepName,
		work: () => T | Promise<T>,
		holds: (value: T) => boolean = () => true,
	): Promise<T> {
		const began = performance.now();
		this.stepStatus = null;
		let ok = false;
		try {
			const value = await work();
			ok = holds(value);
			return value;
		} catch (thrown) {
			if (thrown instanceof TransportError) this.stepStatus ??= thrown.statusCode;
			throw thrown;
		} finally {
			const durationMs = elapsed(began);
			this.steps.push({ step: name, ok, statusCode: this.stepStatus, durationMs });
		}
	}

	/** The same budget, which counts what is sent as this target's. */
	counting(budget: Budget): Budget {
		return { ...budget, onSend: () => (this.attempts += 1) };
	}

	/** The same for one request of the revocation. */
	revoking(budget: Budget): Budget {
		let sent = 0;
		const onSend = (): void => {
			this.attempts += 1;
			this.progress = 'revoke_sent';
			sent += 1;
			if (sent > 1) this.retried = true;
		};
		return { ...budget, onSend };
	}

	/** An answer arrived in the current step. */
	heard(reply: VendorReply): void {
		this.stepStatus = statusOf(reply);
		this.vendorTime = reply.serverTime;
	}

	/** This answer decides the outcome so far; null when there was none. */
	decidedBy(reply: VendorReply | null): void {
		this.decisive = reply;
	}

	/** Everything of this kind that there is was listed. */
	addListed(what: string): void {
		this.count(what, 0, 0);
	}

	addVerdict(step: RevokeStep, verdict: StepVerdict | undefined): void {
		const [first] = step.ends;
		const { count } = step;
		if (first !== undefined && count !== undefined) this.count(first, count, 0);
		if (verdict?.verdict === 'ended') this.addEnded(step, verdict.changed);
		if (verdict?.verdict === 'queued') this.queued.push(step);
	}

	/** What the vendor had queued shows as done. */
	queuedWasDone(): void {
		for (const step of this.queued) this.addEnded(step, null);
	}

	private addEnded({ ends, count = 0 }: RevokeStep, changed: boolean | null): void {
		const [first] = ends;
		if (first !== undefined && count > 0) this.count(first, 0, count);
		for (const what of ends) this.ended.add(what);
		this.changes.add(count > 0 ? true : changed);
	}

	private count(what: string, found: number, revoked: number): void {
		const before = this.counts.get(what) ?? { found: 0, revoked: 0 };
		this.counts.set(what, { found: before.found + found, revoked: before.revoked + revoked });
	}

	/** The vendor shows a change that only the revocation explains. */
	sawChange(): void {
		this.changes.add(true);
	}

	verified(status: Verification['status'], method: string | null): void {
		const checkedAt = method === null ? null : new Date().toISOString();
		this.checked = { status, method, checkedAt };
	}

	found(): TargetResult {
		const { connector } = this.about.connection;
		return this.close('user_found', `${connector.title} knows ${this.who()}`);
	}

	planned(): TargetResult {
		const { connector, line } = this.about.connection;
		const steps = this.plan.flatMap((part) => (isListing(part) ? [] : [part]));
		const plan = steps.map(({ request, ends }) => ({
			method: request.method,
			url: line.urlOf(request),
			ends,
		}));
		const message = `Dry run: nothing was revoked; ${plan.length} requests to ${connector.title} would end the access of ${this.who()}`;
		return { ...this.close('planned', message), plan };
	}

	/** The vendor's answers amount to `outcome`, which is not a failure. */
	revoked(outcome: RevocationOutcome): TargetResult {
		const { title } = this.about.connection.connector;
		if (outcome === 'nothing_to_revoke') {
			this.changes.add(this.retried ? null : false);
			return this.close(outcome, `${title} had nothing to revoke for ${this.who()}`);
		}
		if (outcome === 'accepted') {
			return this.close(
				outcome,
				`${title} queued the revocation for ${this.who()} and has not confirmed it yet`,
			);
		}
		const ended = [...this.ended];
		return this.close(outcome, endedMessage(title, this.who(), ended, this.survivors ?? []));
	}

	listed(count: number): TargetResult {
		const { title, lists = 'sessions' } = this.about.connection.connector;
		return this.close('sessions_listed', `${title} lists ${count} ${lists} of ${this.who()}`);
	}

	valid(): TargetResult {
		const { title } = this.about.connection.connector;
		return this.close('session_valid', `${title} knows the session as valid`);
	}

	/** `unproved`: what could not be shown without revoking something. */
	ready(unproved: string | null): TargetResult {
		const { title } = this.about.connection.connector;
		const proved = `${title} answers, and the credential may look up users`;
		return this.close(
			'ready',
			unproved === null ? `${proved} and end their sessions` : `${proved}. ${unproved}`,
		);
	}

	stopped(stop: Stop): TargetResult {
		return {
			...this.close(stop.outcome, stop.message),
			cause: stop.cause,
			...explained(stop.outcome, stop.cause),
			missingPermissions: stop.missingPermissions,
		};
	}

	private who(): string {
		return neutral(this.about.identity ?? 'the session');
	}

	/** True as soon as one thing surely changed; null when something may have. */
	private changed(outcome: Outcome): boolean | null {
		if (this.progress !== 'revoke_sent' && outcome !== 'nothing_to_revoke') return false;
		if (this.changes.has(true)) return true;
		return this.changes.size === 1 && this.changes.has(false) ? false : null;
	}

	private survives(outcome: Outcome): readonly Survives[] {
		const { survivors } = this;
		if (survivors === null || outcome === 'user_not_found') return [];
		if (!REVOKING.has(outcome)) return [SIGN_IN];
		const now = Date.now();
		const dated = survivors.map(({ forMs, ...survivor }) => ({
			...survivor,
			until: forMs === null ? null : new Date(now + forMs).toISOString(),
		}));
		return [...dated, SIGN_IN];
	}

	/** What was counted, sessions apart from everything else. */
	private countsFor(outcome: Outcome): Pick<TargetResult, 'sessions' | 'counted'> {
		const { sessions = { found: null, revoked: null }, ...others } = Object.fromEntries(
			this.counts,
		);
		const counted = Object.keys(others).length > 0 && REVOKING.has(outcome);
		return { sessions, ...(counted ? { counted: others } : {}) };
	}

	private close(outcome: Outcome, message: string): TargetResult {
		const { connector, line } = this.about.connection;
		const result = line.redact<TargetResult>({
			connector: connector.key,
			identityKey: this.about.identity,
			userKnown: this.userKnown,
			outcome,
			state: stateOf(outcome, this.progress),
			changed: this.changed(outcome),
			cause: null,
			statusCode: this.decisive && statusOf(this.decisive),
			message: this.reservation === null ? message : `${message}. ${this.reservation}`,
			user: this.user,
			...(this.candidates ? { candidates: this.candidates } : {}),
			...this.countsFor(outcome),
			ended: [...this.ended],
			survives: this.survives(outcome),
			verification: this.checked,
			steps: this.steps,
			missingPermissions: [],
			vendorRequestId: requestIdIn(this.decisive, connector.requestId),
			attempts: this.attempts,
			startedAt: this.startedAt.toISOString(),
			finishedAt: new Date().toISOString(),
			durationMs: elapsed(this.began),
		});
		// After the secrets: a changed one would not be recognized.
		return { ...result, message: withoutMarkup(result.message) };
	}
}

function requestIdIn(reply: VendorReply | null, where: Connector['requestId']): string | null {
	if (reply === null || where === null) return null;
	if ('header' in where) return reply.headers[where.header] ?? null;
	const { body } = reply;
	const id: unknown = isObject(body) ? body[where.member] : null;
	return typeof id === 'string' ? id : null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null;

const elapsed = (began: number): number => Math.round(performance.now() - began);
