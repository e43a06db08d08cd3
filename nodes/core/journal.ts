/** Writes down what the flow does for one target, and makes the result of it. */
import type { Connection } from './connection';
import type { RevokeStep, Survivor, User } from './connector';
import { type Stop } from './failure';
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
	plan: readonly RevokeStep[] = [];
	/** Requests sent so far. */
	attempts = 0;
	/** A request of the revocation was sent more than once: an earlier one may have done what the last one found done. */
	retried = false;
	/** The scopes of the access token; null when unknown. */
	scopes: readonly string[] | null = null;
	/** The vendor's clock, ms since 1970, as of the last answer before the revocation. */
	vendorTime = Date.now();

	private readonly steps: Step[] = [];
	private readonly startedAt = new Date();
	private readonly began = performance.now();
	private readonly ended = new Set<string>();
	private readonly changes = new Set<boolean | null>();
	private decisive: VendorReply | null = null;
	private stepStatus: number | null = null;
	private checked: Verification = NOT_VERIFIED;

	constructor(
		private readonly about: {
			connection: Pick<Connection, 'connector' | 'line'>;
			identity: string | null;
			/** What the revocation does not end; null when nothing is to be revoked. */
			survivors: readonly Survivor[] | null;
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

	/** An answer arrived in the current step. */
	heard(reply: VendorReply): void {
		this.stepStatus = reply.status;
		this.vendorTime = reply.serverTime;
	}

	/** This answer decides the outcome so far; null when there was none. */
	decidedBy(reply: VendorReply | null): void {
		this.decisive = reply;
	}

	addEnded(ends: readonly string[], changed: boolean | null): void {
		for (const what of ends) this.ended.add(what);
		this.changes.add(changed);
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
		const plan = this.plan.map(({ request, ends }) => ({
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
		return this.close(outcome, endedMessage(title, this.who(), ended, this.about.survivors ?? []));
	}

	/** `unproved`: what could not be shown without revoking something. */
	ready(unproved: string | null): TargetResult {
		const { title } = this.about.connection.connector;
		const reservation = unproved === null ? '' : `. ${unproved}`;
		return this.close(
			'ready',
			`${title} answers and the credential may look up users${reservation}`,
		);
	}

	stopped(stop: Stop): TargetResult {
		return {
			...this.close(stop.outcome, stop.message),
			cause: stop.cause,
			missingPermissions: stop.missingPermissions,
		};
	}

	private who(): string {
		return this.about.identity ?? 'the session';
	}

	/** True as soon as one thing surely changed; null when something may have. */
	private changed(outcome: Outcome): boolean | null {
		if (this.progress !== 'revoke_sent' && outcome !== 'nothing_to_revoke') return false;
		if (this.changes.has(true)) return true;
		return this.changes.size === 1 && this.changes.has(false) ? false : null;
	}

	private survives(outcome: Outcome): readonly Survives[] {
		const { survivors } = this.about;
		if (survivors === null || outcome === 'user_not_found') return [];
		if (!REVOKING.has(outcome)) return [SIGN_IN];
		const now = Date.now();
		const dated = survivors.map(({ forMs, ...survivor }) => ({
			...survivor,
			until: forMs === null ? null : new Date(now + forMs).toISOString(),
		}));
		return [...dated, SIGN_IN];
	}

	private close(outcome: Outcome, message: string): TargetResult {
		const { connector, line } = this.about.connection;
		const header = connector.requestIdHeader;
		return line.redact({
			connector: connector.key,
			identityKey: this.about.identity,
			userKnown: this.userKnown,
			outcome,
			state: stateOf(outcome, this.progress),
			changed: this.changed(outcome),
			cause: null,
			statusCode: this.decisive?.status ?? null,
			message,
			user: this.user,
			...(this.candidates ? { candidates: this.candidates } : {}),
			sessions: { found: null, revoked: null },
			ended: [...this.ended],
			survives: this.survives(outcome),
			verification: this.checked,
			steps: this.steps,
			missingPermissions: [],
			vendorRequestId: (header === null ? null : this.decisive?.headers[header]) ?? null,
			attempts: this.attempts,
			startedAt: this.startedAt.toISOString(),
			finishedAt: new Date().toISOString(),
			durationMs: elapsed(this.began),
		});
	}
}

const elapsed = (began: number): number => Math.round(performance.now() - began);
