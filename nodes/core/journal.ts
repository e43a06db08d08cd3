/** Writes down what the flow does for one target, and makes the result of it. */
import type { Connection } from './connection';
import type { RevokeStep, Survivor, User } from './connector';
import { type Stop } from './failure';
import { type Outcome, type Progress, type RevocationOutcome, stateOf } from './outcome';
import type { Step, StepName, Survives, TargetResult, Verification } from './result';
import { type Budget, TransportError, type VendorReply } from './transport/types';
import { endedMessage } from './wording';

const NOT_VERIFIED: Verification = { status: 'skipped', method: null, checkedAt: null };

/** True of every vendor: no node disables an account. */
const SIGN_IN: Survives = {
	what: 'sign-in',
	until: null,
	note: 'The account is not disabled: the user can sign in again',
};

export class Journal {
	progress: Progress = 'nothing_asked';
	user: User | null = null;
	userKnown: boolean | null = null;
	candidates: readonly User[] | null = null;
	plan: readonly RevokeStep[] = [];
	/** The scopes of the access token; null when unknown. */
	scopes: readonly string[] | null = null;
	/** The vendor's clock, ms since 1970, as of the last answer before the revocation. */
	vendorTime = Date.now();

	private readonly steps: Step[] = [];
	private readonly startedAt = new Date();
	private readonly began = performance.now();
	private readonly ended = new Set<string>();
	private changed: boolean | null = null;
	private attempts = 0;
	private decisive: VendorReply | null = null;
	private stepStatus: number | null = null;
	private checked: Verification = NOT_VERIFIED;

	constructor(
		private readonly about: {
			connection: Pick<Connection, 'connector' | 'line'>;
			identity: string | null;
			/** What the revocation does not end. */
			survivors: readonly Survivor[];
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
		if (this.changed !== true) this.changed = changed;
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
			this.changed = false;
			return this.close(outcome, `${title} had nothing to revoke for ${this.who()}`);
		}
		if (outcome === 'accepted') {
			return this.close(
				outcome,
				`${title} queued the revocation for ${this.who()} and has not confirmed it yet`,
			);
		}
		const ended = [...this.ended];
		return this.close(outcome, endedMessage(title, this.who(), ended, this.about.survivors));
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

	private survives(outcome: Outcome): readonly Survives[] {
		const asked = ['revoked', 'tokens_revoked', 'partial', 'accepted', 'nothing_to_revoke'];
		if (!asked.includes(outcome)) return [];
		const now = Date.now();
		const survivors = this.about.survivors.map(({ forMs, ...survivor }) => ({
			...survivor,
			until: forMs === null ? null : new Date(now + forMs).toISOString(),
		}));
		return [...survivors, SIGN_IN];
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
			changed: this.progress === 'revoke_sent' ? this.changed : false,
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
