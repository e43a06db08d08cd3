/**
 * The one flow: look up -> check -> transform -> revoke -> check (-> read back).
 *
 * Each step is written into the result as it happens, and the list ends with the step that stopped
 * the flow. Nothing here knows a vendor, and nothing here throws for what a vendor or a user did.
 */
import { type Answer, type Connection, converse, standpoint } from './connection';
import {
	type Connector,
	type Inquiry,
	isListing,
	isOfUser,
	type Listing,
	type Lookup,
	type NamedSession,
	type Refusal,
	type RevokeStep,
	type Session,
	type StepVerdict,
	type User,
	type ValidSession,
	type Viewpoint,
} from './connector';
import { causeOf, lacking, Stop, stopForReply, stopForThrown } from './failure';
import { Journal } from './journal';
import { neutral } from './neutral';
import type { FailureCause, RevocationOutcome } from './outcome';
import type { TargetResult, Verification } from './result';
import type { Budget, VendorReply, VendorRequest } from './transport/types';

/** What one target is to do for one user. */
export interface Task {
	connection: Connection;
	identity: string;
	/** As the connector's own schema made them. */
	options: unknown;
	verify: boolean;
	allowShortNames: boolean;
	allowOwnIdentity: boolean;
	dryRun: boolean;
	budget: Budget;
	/** When the look-up has to end, by `performance.now()`; absent: with the budget. */
	lookUpDeadline?: number;
	/**
	 * Asked once the user is known and before anything is planned or sent: a refusal ends the flow.
	 * Told null when this target will not touch anybody, so that nobody waits for it.
	 */
	mayTouch(user: User | null): Promise<Refusal | null>;
}

/** Ends the access of one user at one vendor. Never throws: what went wrong is in the result. */
export async function revokeAllSessions(task: Task): Promise<TargetResult> {
	const { connector, credential } = task.connection;
	const journal = new Journal(task);
	journal.survivors = [];
	// Asked beside the look-up, so that it costs no time.
	if (!task.allowOwnIdentity) void task.connection.ownAccount(task.budget);
	let outcome: RevocationOutcome | undefined;
	try {
		journal.survivors = connector.survives(task.options, credential);
		const answer = await journal.step('retrieveUser', () => retrieveUser(task, journal));
		const found = await journal.step('checkLookup', () => checkLookup(task, journal, answer));
		const { rounds = 1 } = connector;
		for (let round = 1; ; round += 1) {
			await journal.step('transformUser', () => transformUser(task, journal, found));
			if (task.dryRun) return journal.planned();
			const sent = await journal.step('revokeSessions', () => revokeSessions(task, journal));
			const checked = await journal.step('checkRevocation', () =>
				checkRevocation(task, journal, sent),
			);
			// What an earlier round ended stays ended.
			outcome = checked === 'nothing_to_revoke' ? (outcome ?? checked) : checked;
			const { status, residue } = await verify(task, journal, found, outcome, sent);
			// What is queued may still be there.
			if (residue === 0 || outcome === 'accepted') {
				if (outcome !== 'accepted' || status !== 'verified') return journal.revoked(outcome);
				journal.queuedWasDone();
				return journal.revoked(connector.endedOutcome);
			}
			if (round >= rounds) throw leftOver(connector, residue);
		}
	} catch (thrown) {
		const stop = stopForThrown(thrown, connector);
		const isLater = outcome !== undefined && stop.outcome !== 'partial';
		return journal.stopped(isLater ? partial(stop) : stop);
	} finally {
		void task.mayTouch(null);
	}
}

/** Looks one user up and touches nobody. Never throws. */
export async function retrieveUserOnly(task: Asking): Promise<TargetResult> {
	const journal = new Journal(task);
	try {
		await findUser(task, journal, ({ found }) => found === 'one');
		return journal.found();
	} catch (thrown) {
		return journal.stopped(stopForThrown(thrown, task.connection.connector));
	}
}

/**
 * Lists the sessions of one user. Never throws.
 *
 * @param limit no more than so many; null: all
 * @returns the sessions; null when they could not be had, and the result says why
 */
export async function listSessions(
	task: Asking,
	limit: number | null,
): Promise<{ result: TargetResult; sessions: readonly Session[] | null }> {
	const { connector, credential, line } = task.connection;
	const journal = new Journal(task);
	try {
		const { account } = await findUser(task, journal);
		const sessions = await journal.step('transformUser', async () => {
			if (!connector.listSessions) throw unoffered(connector, 'list sessions');
			const at = { credential, scopes: journal.scopes, limit };
			const inquiry = connector.listSessions(account, at);
			return await inquire(task, journal, inquiry, 'session list');
		});
		const within = limit === null ? sessions : sessions.slice(0, limit);
		return { result: journal.listed(within.length), sessions: line.redact(within) };
	} catch (thrown) {
		return { result: journal.stopped(stopForThrown(thrown, connector)), sessions: null };
	}
}

/**
 * Ends one session. Never throws.
 *
 * @param task `owner`: whose session it is; needed where the vendor wants to know it
 */
export async function revokeOneSession(
	{ owner, ...task }: Working & { owner?: Omit<Asking, keyof Working> },
	session: NamedSession,
): Promise<TargetResult> {
	const { connector, credential } = task.connection;
	const journal = new Journal({ ...task, identity: owner?.identity ?? null });
	journal.survivors = [];
	try {
		const one = connector.revokeOne;
		if (!one) throw unoffered(connector, 'end single sessions');
		const ofUser = isOfUser(connector, credential);
		if (ofUser && !owner) throw new Stop('failed', 'invalid_input', 'The user is not given');
		const found = ofUser && owner ? await findUser({ ...task, ...owner }, journal) : null;
		const { scopes } = found ? journal : await standpoint(task.connection, task.budget);
		const step = one.step(session, found?.account ?? null, { credential, scopes });
		if ('why' in step) throw refused(step);
		journal.plan = await expanded(task, journal, [step]);
		const sent = await journal.step('revokeSessions', () => revokeSessions(task, journal));
		return journal.revoked(
			await journal.step('checkRevocation', () => checkRevocation(task, journal, sent)),
		);
	} catch (thrown) {
		return journal.stopped(stopForThrown(thrown, connector));
	}
}

/** Asks whether a session is valid, and whose it is. Never throws. */
export async function authenticateSession(
	{ connection, budget }: Pick<Task, 'connection' | 'budget'>,
	sessionToken: string,
	durationMinutes: number | null,
): Promise<{ result: TargetResult; session: ValidSession | null }> {
	const { connector, credential, line } = connection;
	const journal = new Journal({ connection, identity: null });
	try {
		const offered = connector.authenticateSession;
		if (!offered) throw unoffered(connector, 'authenticate sessions');
		const request = offered.request(sessionToken, durationMinutes, credential);
		const reply = await journal.step('retrieveUser', () =>
			line.send(request, journal.counting(budget)),
		);
		journal.heard(reply);
		journal.decidedBy(reply);
		const session = offered.judge(reply);
		if (session === undefined) {
			throw stopForReply(connector, { request, reply }, 'authentication');
		}
		if (session === 'dead') {
			const what = `${connector.title} does not know the session as valid: it ended, expired or never was`;
			throw new Stop('failed', 'session_invalid', what);
		}
		return { result: journal.valid(), session };
	} catch (thrown) {
		return { result: journal.stopped(stopForThrown(thrown, connector)), session: null };
	}
}

/** Asks whether the credential can look up and revoke now; changes nothing. Never throws. */
export async function checkSetup({
	connection,
	budget,
}: Pick<Task, 'connection' | 'budget'>): Promise<TargetResult> {
	const { connector, line } = connection;
	const journal = new Journal({ connection, identity: null });
	try {
		// A token of before would speak of rights that may be gone by now.
		const inquiry = connector.checkSetup(await standpoint(connection, budget, 'anew'));
		const answer = await converse(inquiry, line, journal.counting(budget));
		if (answer.reply) journal.decidedBy(answer.reply);
		if (!answer.usable) throw stopForReply(connector, answer, 'set-up check');
		const { missingPermissions, unproved, problem } = answer.value;
		if (problem) throw new Stop('failed', problem.cause, `${connector.title}: ${problem.what}`);
		if (missingPermissions.length > 0) throw lacking(connector, missingPermissions);
		return journal.ready(unproved);
	} catch (thrown) {
		return journal.stopped(stopForThrown(thrown, connector));
	}
}

/** What is needed to look somebody up. */
export type Asking = Pick<
	Task,
	'connection' | 'identity' | 'options' | 'allowShortNames' | 'budget' | 'lookUpDeadline'
>;
type Working = Pick<Task, 'connection' | 'budget'>;
type Found = Extract<Lookup<unknown>, { found: 'one' | 'unknown' }>;

const viewpoint = (
	{ connection, options }: Pick<Task, 'connection' | 'options'>,
	{ scopes }: Journal,
): Viewpoint<unknown, unknown> => ({ credential: connection.credential, scopes, options });

/**
 * Holds an inquiry that has to come to a value.
 *
 * @param asked what for, in messages
 * @throws Stop when the vendor's answer cannot be used
 */
async function inquire<T>(
	{ connection, budget }: Working,
	journal: Journal,
	inquiry: Inquiry<T>,
	asked: string,
): Promise<T> {
	const { connector, line } = connection;
	const answer = await converse(inquiry, line, journal.counting(budget));
	if (answer.reply) journal.heard(answer.reply);
	if (answer.usable) return answer.value;
	journal.decidedBy(answer.reply);
	throw stopForReply(connector, answer, asked);
}

/** Looks a user up of whom so much must be known that it `suffices`. */
async function findUser(
	task: Asking,
	journal: Journal,
	suffices = (found: Found) => found.found === 'one' || found.suffices === true,
): Promise<Found> {
	const answer = await journal.step('retrieveUser', () => retrieveUser(task, journal));
	return await journal.step('checkLookup', () => {
		const found = identify(task, journal, answer);
		if (found.found === 'one' || suffices(found)) return found;
		const { missingPermissions, why } = found;
		const cause = missingPermissions.length > 0 ? 'permission_denied' : 'configuration';
		throw new Stop('failed', cause, why, { missingPermissions });
	});
}

async function retrieveUser(
	{ connection, identity, allowShortNames, options, ...task }: Asking,
	journal: Journal,
): Promise<Answer<Lookup<unknown>>> {
	const { deadline } = task.budget;
	const budget = { ...task.budget, deadline: Math.min(deadline, task.lookUpDeadline ?? deadline) };
	journal.progress = 'user_asked';
	const at = await standpoint(connection, budget);
	journal.scopes = at.scopes;
	const inquiry = connection.connector.lookUp(identity, { ...at, options, allowShortNames });
	const answer = await converse(inquiry, connection.line, journal.counting(budget));
	if (answer.reply) journal.heard(answer.reply);
	if (answer.usable) {
		if (answer.value.found === 'refused') throw refused(answer.value.refusal);
		if (answer.value.reply) journal.heard(answer.value.reply);
	}
	return answer;
}

/** There is exactly one such user, or the vendor cannot say. */
function identify(task: Asking, journal: Journal, answer: Answer<Lookup<unknown>>): Found {
	const { connector } = task.connection;
	if (!answer.usable) {
		journal.decidedBy(answer.reply);
		throw stopForReply(connector, answer, 'look-up');
	}
	const lookup = answer.value;
	if (lookup.found === 'refused') throw refused(lookup.refusal);
	journal.decidedBy(lookup.reply);
	if (lookup.found === 'none') {
		journal.userKnown = false;
		throw new Stop(
			'user_not_found',
			null,
			`${connector.title} knows no user ${neutral(task.identity)}`,
		);
	}
	if (lookup.found === 'many') {
		journal.candidates = lookup.candidates;
		const count = lookup.candidates.length;
		throw new Stop(
			'ambiguous_user',
			null,
			`${connector.title} has ${count} accounts that match ${neutral(task.identity)}: nobody was touched; use the sign-in name or id of the one that is meant`,
		);
	}
	if (lookup.found === 'unknown') {
		journal.reservation = lookup.why;
	} else {
		journal.userKnown = true;
		journal.user = lookup.user;
	}
	journal.progress = 'user_known';
	return lookup;
}

/** There is exactly one such user, and it may be touched. */
async function checkLookup(
	task: Task,
	journal: Journal,
	answer: Answer<Lookup<unknown>>,
): Promise<Found> {
	const found = identify(task, journal, answer);
	if (found.found === 'one') {
		if (found.refusal) throw refused(found.refusal);
		await refuseOwn(task, found.user);
	}
	const refusal = await task.mayTouch(found.found === 'one' ? found.user : named(task.identity));
	if (refusal) throw refused(refusal);
	return found;
}

async function refuseOwn(
	{ allowOwnIdentity, connection, budget, identity }: Task,
	user: User,
): Promise<void> {
	if (allowOwnIdentity || (await connection.ownAccount(budget)) !== user.id) return;
	throw refused({
		cause: 'own_identity',
		why: `${neutral(identity)} is the account that the credential itself acts as; allow it with the option 'Allow Own Identity'`,
	});
}

/** All that is known of a user whom the vendor cannot look up. */
const named = (identity: string): User => ({
	id: identity,
	login: null,
	email: null,
	displayName: null,
	status: null,
});

/** The account and the options become what is to be sent. */
async function transformUser(task: Task, journal: Journal, { account }: Found): Promise<void> {
	const { connector } = task.connection;
	const plan = connector.revocation(account, viewpoint(task, journal));
	journal.plan = task.dryRun ? await expanded(task, journal, plan) : plan;
}

/** The plan with everything listed: what a dry run shows. */
async function expanded(
	task: Working,
	journal: Journal,
	plan: Journal['plan'],
): Promise<readonly RevokeStep[]> {
	const parts = plan.map(async (part) =>
		isListing(part) ? await inquire(task, journal, part.list(), listOf(part)) : [part],
	);
	return (await Promise.all(parts)).flat();
}

const listOf = ({ lists }: Listing): string => `list of ${lists}`;

/** A request of the revocation and what became of it, or why what was to be ended could not be listed. */
type Sent =
	| { step: RevokeStep; request: VendorRequest; reply: VendorReply }
	| { step: RevokeStep | null; stop: Stop };

/** Sends every request of the plan, whatever becomes of the others. */
async function revokeSessions(task: Working, journal: Journal): Promise<readonly Sent[]> {
	const { connector, line } = task.connection;
	const { vendorTime } = journal;
	const send = async (step: RevokeStep): Promise<Sent> => {
		const { request } = step;
		try {
			const reply = await line.send(request, journal.revoking(task.budget));
			journal.heard(reply);
			const verdict = step.judge(reply);
			if (verdict?.verdict === 'undecided') return await send(verdict.instead);
			return { step, request, reply };
		} catch (thrown) {
			return { step, stop: stopForThrown(thrown, connector) };
		}
	};
	const sendAll = async (steps: readonly RevokeStep[]): Promise<readonly Sent[]> =>
		await Promise.all(steps.map(send));
	const sendListed = async (listing: Listing): Promise<readonly Sent[]> => {
		const steps = await listed(task, journal, listing);
		return steps instanceof Stop ? [{ step: null, stop: steps }] : await sendAll(steps);
	};
	const parts = await Promise.all(
		journal.plan.map((part) => (isListing(part) ? sendListed(part) : sendAll([part]))),
	);
	journal.vendorTime = vendorTime;
	const sent = parts.flat();
	const unanswered = sent.find((one) => 'stop' in one);
	if (unanswered && !sent.some((one) => 'reply' in one)) {
		if (unanswered.step) journal.decidedBy(null);
		throw unanswered.stop;
	}
	return sent;
}

/** A list is waited for no longer than this where the revocation can do without it. */
const LIST_PATIENCE_MS = 5_000;

/** The requests that end what a listing shows, or those that do without the list; else why there are none. */
async function listed(
	task: Working,
	journal: Journal,
	listing: Listing,
): Promise<readonly RevokeStep[] | Stop> {
	const { orElse, lists } = listing;
	const now = performance.now();
	const { deadline } = task.budget;
	const patience = Math.min(deadline, now + Math.min(LIST_PATIENCE_MS, (deadline - now) / 3));
	const budget = { ...task.budget, deadline: orElse ? patience : deadline };
	try {
		const steps = await inquire({ ...task, budget }, journal, listing.list(), listOf(listing));
		journal.addListed(lists);
		return steps;
	} catch (thrown) {
		const stop = stopForThrown(thrown, task.connection.connector);
		return stop.cause === 'cancelled' ? stop : (orElse ?? stop);
	}
}

/** What the vendor's answers amount to: they alone decide between success and failure. */
function checkRevocation(
	{ connection }: Pick<Task, 'connection'>,
	journal: Journal,
	sent: readonly Sent[],
): RevocationOutcome {
	const { connector } = connection;
	const judged = sent.map((one) => ({
		one,
		verdict: 'reply' in one ? one.step.judge(one.reply) : undefined,
	}));
	for (const { one, verdict } of judged) {
		if (one.step) journal.addVerdict(one.step, verdict);
	}
	const verdicts = new Set(judged.map(({ verdict }) => verdict?.verdict));
	const stopped = judged.flatMap((each) => {
		const stop = stopFor(connector, journal, each.one, each.verdict);
		return stop ? [{ ...each, stop }] : [];
	});
	// A failure says more of what is to be done than a lost user.
	const worst = stopped.find(({ stop }) => stop.outcome === 'failed') ?? stopped[0];
	const decisive = worst ?? judged.at(-1);
	if (decisive) journal.decidedBy('reply' in decisive.one ? decisive.one.reply : null);
	if (verdicts.has('user_gone')) journal.userKnown = false;
	if (worst) {
		if (!verdicts.has('ended') && !verdicts.has('queued')) throw worst.stop;
		throw partial(worst.stop);
	}
	if (verdicts.has('queued')) return 'accepted';
	return verdicts.has('ended') ? connector.endedOutcome : 'nothing_to_revoke';
}

/** Why a request of the revocation did not do what it was sent for; null when it did. */
function stopFor(
	connector: Connector,
	journal: Journal,
	sent: Sent,
	verdict: StepVerdict | undefined,
): Stop | null {
	if ('stop' in sent) return sent.stop;
	switch (verdict?.verdict) {
		case undefined:
			return stopForReply(connector, sent, 'revocation');
		case 'user_gone':
			return userLost(connector, journal.userKnown === true);
		case 'refused':
			return refused(verdict.refusal);
		default:
			return null;
	}
}

const userLost = ({ title }: Connector, wasKnown: boolean): Stop => {
	const lost = `${title} no longer knew the user when the revocation was sent`;
	return new Stop('user_not_found', null, wasKnown ? lost : `${title} knows no such user`);
};

/** What stopped a revocation of which a part was done. */
const partial = (stop: Stop): Stop =>
	new Stop('partial', stop.cause, `Only a part ended. ${stop.message}`, stop);

const leftOver = ({ title }: Connector, residue: number): Stop =>
	new Stop(
		'partial',
		null,
		`${title} still shows ${residue} sessions that the revocation should have ended`,
	);

const unoffered = ({ title }: Connector, what: string): Stop =>
	new Stop('failed', 'configuration', `${title} cannot ${what}`);

interface Seen {
	status: Exclude<Verification['status'], 'skipped'> | null;
	/** Sessions that the revocation should have ended. */
	residue: number;
}

/**
 * Looks whether the revocation shows at the vendor. It can only worsen the outcome, and only by
 * seeing sessions that are older than the revocation.
 */
async function verify(
	task: Task,
	journal: Journal,
	found: Found,
	outcome: RevocationOutcome,
	sent: readonly Sent[],
): Promise<Seen> {
	const { connector, line } = task.connection;
	const { readBack } = connector;
	const nothingToSee = outcome === 'nothing_to_revoke' && !readBack?.alsoOfNothing;
	if (!task.verify || nothingToSee) return { status: null, residue: 0 };
	const at = { ...viewpoint(task, journal), sent: sent.flatMap(({ step }) => step ?? []) };
	if (!readBack?.isPossible(at, found.account)) {
		journal.verified('unverifiable', null);
		return { status: 'unverifiable', residue: 0 };
	}
	const since = journal.vendorTime;
	let residue = 0;
	const read = async (): Promise<Exclude<Seen['status'], null>> => {
		for (const wait of readBack.polls) {
			if (wait > 0) await line.wait(wait, task.budget);
			const inquiry = readBack.read(found.account, since, at);
			const answer = await converse(inquiry, line, journal.counting(task.budget));
			if (answer.reply) journal.heard(answer.reply);
			if (!answer.usable)
				return DENIED.has(causeOf(connector, answer)) ? 'unverifiable' : 'unconfirmed';
			if (answer.value.seen === 'confirmed') {
				if (answer.value.changed) journal.sawChange();
				residue = 0;
				return 'verified';
			}
			residue = answer.value.seen === 'residue' ? answer.value.remaining : 0;
		}
		return 'unconfirmed';
	};
	const status = await journal.step(
		'verify',
		// What a read-back meets says nothing about the revocation.
		() => read().catch(() => 'unconfirmed' as const),
		(seen) => seen === 'verified',
	);
	journal.verified(status, status === 'unverifiable' ? null : readBack.method);
	return { status, residue };
}

/** The credential has no right to look. */
const DENIED: ReadonlySet<FailureCause> = new Set(['credential_invalid', 'permission_denied']);

const refused = ({ cause, why }: Refusal): Stop => new Stop('refused', cause, why);
