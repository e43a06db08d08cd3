/**
 * The one flow: look up -> check -> transform -> revoke -> check (-> read back).
 *
 * Each step is written into the result as it happens, and the list ends with the step that stopped
 * the flow. Nothing here knows a vendor, and nothing here throws for what a vendor or a user did.
 */
import { type Answer, type Connection, converse, standpoint } from './connection';
import type { Connector, Lookup, Refusal, RevokeStep, User } from './connector';
import { Stop, stopForReply, stopForThrown } from './failure';
import { Journal } from './journal';
import type { RevocationOutcome } from './outcome';
import type { TargetResult } from './result';
import type { Budget, VendorReply } from './transport/types';
import { list } from './wording';

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
	const survivors = task.connection.connector.survives(task.options);
	const journal = new Journal({ ...task, survivors });
	// Asked beside the look-up, so that it costs no time.
	if (!task.allowOwnIdentity) void task.connection.ownAccount(task.budget);
	try {
		const answer = await journal.step('retrieveUser', () => retrieveUser(task, journal));
		const found = await journal.step('checkLookup', () => checkLookup(task, journal, answer));
		await journal.step('transformUser', () => transformUser(task, journal, found));
		if (task.dryRun) return journal.planned();
		const sent = await journal.step('revokeSessions', () => revokeSessions(task, journal));
		const outcome = await journal.step('checkRevocation', () =>
			checkRevocation(task, journal, sent),
		);
		await verify(task, journal, found, outcome);
		return journal.revoked(outcome);
	} catch (thrown) {
		return journal.stopped(stopForThrown(thrown, task.connection.connector));
	} finally {
		void task.mayTouch(null);
	}
}

/** Looks one user up and touches nobody. Never throws. */
export async function retrieveUserOnly(task: Omit<Task, 'mayTouch'>): Promise<TargetResult> {
	const journal = new Journal({ ...task, survivors: null });
	try {
		const answer = await journal.step('retrieveUser', () => retrieveUser(task, journal));
		await journal.step('checkLookup', () => identify(task, journal, answer));
		return journal.found();
	} catch (thrown) {
		return journal.stopped(stopForThrown(thrown, task.connection.connector));
	}
}

/** Ends one session; whose it is is not looked up. Never throws. */
export async function revokeOneSession(
	task: Pick<Task, 'connection' | 'budget'>,
	sessionId: string,
): Promise<TargetResult> {
	const { connector } = task.connection;
	const journal = new Journal({ ...task, identity: null, survivors: [] });
	try {
		if (!connector.revokeOne) {
			throw new Stop('failed', 'configuration', `${connector.title} cannot end single sessions`);
		}
		const step = connector.revokeOne(sessionId);
		if ('why' in step) throw refused(step);
		journal.plan = [step];
		const sent = await journal.step('revokeSessions', () => revokeSessions(task, journal));
		return journal.revoked(
			await journal.step('checkRevocation', () => checkRevocation(task, journal, sent)),
		);
	} catch (thrown) {
		return journal.stopped(stopForThrown(thrown, connector));
	}
}

/** Asks whether the credential can look up and revoke now; changes nothing. Never throws. */
export async function checkSetup({
	connection,
	budget,
}: Pick<Task, 'connection' | 'budget'>): Promise<TargetResult> {
	const { connector, line } = connection;
	const journal = new Journal({ connection, identity: null, survivors: null });
	try {
		const inquiry = connector.checkSetup(await standpoint(connection, budget));
		const answer = await converse(inquiry, line, journal.counting(budget));
		if (answer.reply) journal.decidedBy(answer.reply);
		if (!answer.usable) throw stopForReply(connector, answer.request, answer.reply, 'set-up check');
		const { missingPermissions, unproved } = answer.value;
		if (missingPermissions.length > 0) {
			const advice = `the credential lacks a permission; grant ${list(missingPermissions)}`;
			throw new Stop('failed', 'permission_denied', `${connector.title}: ${advice}`, {
				missingPermissions,
			});
		}
		return journal.ready(unproved);
	} catch (thrown) {
		return journal.stopped(stopForThrown(thrown, connector));
	}
}

type Asking = Omit<Task, 'mayTouch'>;
type Found = Extract<Lookup<unknown>, { found: 'one' }>;

async function retrieveUser(
	{ connection, identity, allowShortNames, ...task }: Asking,
	journal: Journal,
): Promise<Answer<Lookup<unknown>>> {
	const { deadline } = task.budget;
	const budget = { ...task.budget, deadline: Math.min(deadline, task.lookUpDeadline ?? deadline) };
	journal.progress = 'user_asked';
	const at = await standpoint(connection, budget);
	journal.scopes = at.scopes;
	const inquiry = connection.connector.lookUp(identity, { ...at, allowShortNames });
	const answer = await converse(inquiry, connection.line, journal.counting(budget));
	if (answer.reply) journal.heard(answer.reply);
	if (answer.usable) {
		if (answer.value.found === 'refused') throw refused(answer.value.refusal);
		journal.heard(answer.value.reply);
	}
	return answer;
}

/** There is exactly one such user. */
function identify(task: Asking, journal: Journal, answer: Answer<Lookup<unknown>>): Found {
	const { connector } = task.connection;
	if (!answer.usable) {
		journal.decidedBy(answer.reply);
		throw stopForReply(connector, answer.request, answer.reply, 'look-up');
	}
	const lookup = answer.value;
	if (lookup.found === 'refused') throw refused(lookup.refusal);
	journal.decidedBy(lookup.reply);
	if (lookup.found === 'none') {
		journal.userKnown = false;
		throw new Stop('user_not_found', null, `${connector.title} knows no user ${task.identity}`);
	}
	if (lookup.found === 'many') {
		journal.candidates = lookup.candidates;
		const count = lookup.candidates.length;
		throw new Stop(
			'ambiguous_user',
			null,
			`${connector.title} has ${count} accounts that match ${task.identity}: nobody was touched; use the sign-in name or id of the one that is meant`,
		);
	}
	journal.userKnown = true;
	journal.user = lookup.user;
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
	if (found.refusal) throw refused(found.refusal);
	if (!task.allowOwnIdentity && (await task.connection.ownAccount(task.budget)) === found.user.id) {
		throw refused({
			cause: 'own_identity',
			why: `${task.identity} is the account that the credential itself acts as; allow it with the option 'Allow Own Identity'`,
		});
	}
	const refusal = await task.mayTouch(found.user);
	if (refusal) throw refused(refusal);
	return found;
}

/** The account and the options become the requests to send. */
async function transformUser(
	{ connection, options, budget }: Task,
	journal: Journal,
	{ account }: Found,
): Promise<void> {
	const { connector, line } = connection;
	const inquiry = connector.revocation(account, options);
	const answer = await converse(inquiry, line, journal.counting(budget));
	if (answer.reply) journal.heard(answer.reply);
	if (!answer.usable) {
		journal.decidedBy(answer.reply);
		throw stopForReply(connector, answer.request, answer.reply, 'session list');
	}
	journal.plan = answer.value;
}

type Sent = { step: RevokeStep; reply: VendorReply } | { step: RevokeStep; thrown: unknown };

/** Sends every request of the plan, whatever becomes of the others. */
async function revokeSessions(
	{ connection, budget }: Pick<Task, 'connection' | 'budget'>,
	journal: Journal,
): Promise<readonly Sent[]> {
	const send = async (step: RevokeStep): Promise<Sent> => {
		try {
			const reply = await connection.line.send(step.request, journal.counting(budget));
			journal.heard(reply);
			return { step, reply };
		} catch (thrown) {
			return { step, thrown };
		}
	};
	const { vendorTime, attempts } = journal;
	const sent = await Promise.all(journal.plan.map(send));
	journal.vendorTime = vendorTime;
	if (journal.attempts > attempts) journal.progress = 'revoke_sent';
	journal.retried = journal.attempts > attempts + journal.plan.length;
	const unanswered = sent.find((one) => 'thrown' in one);
	if (unanswered && !sent.some((one) => 'reply' in one)) {
		journal.decidedBy(null);
		throw unanswered.thrown;
	}
	return sent;
}

/** What the vendor's answers amount to: they alone decide between success and failure. */
function checkRevocation(
	{ connection }: Pick<Task, 'connection'>,
	journal: Journal,
	sent: readonly Sent[],
): RevocationOutcome {
	const { connector } = connection;
	const judged = sent.map((one) => {
		const reply = 'reply' in one ? one.reply : null;
		return { one, reply, verdict: reply ? one.step.judge(reply) : undefined };
	});
	for (const { one, verdict } of judged) {
		if (verdict?.verdict === 'ended') journal.addEnded(one.step.ends, verdict.changed);
	}
	const verdicts = new Set(judged.map(({ verdict }) => verdict?.verdict));
	const failed = judged.find(({ verdict }) => !verdict);
	const lost = judged.find(({ verdict }) => verdict?.verdict === 'user_gone');
	const decisive = failed ?? lost ?? judged.at(-1);
	if (decisive) journal.decidedBy(decisive.reply);
	if (lost) journal.userKnown = false;
	const stop = failed ? stopForSent(connector, failed.one) : lost ? userLost(connector) : null;
	if (stop) {
		if (!verdicts.has('ended') && !verdicts.has('queued')) throw stop;
		throw new Stop('partial', stop.cause, `Only a part ended. ${stop.message}`, stop);
	}
	if (verdicts.has('queued')) return 'accepted';
	return verdicts.has('ended') ? connector.endedOutcome : 'nothing_to_revoke';
}

const stopForSent = (connector: Connector, sent: Sent): Stop =>
	'reply' in sent
		? stopForReply(connector, sent.step.request, sent.reply, 'revocation')
		: stopForThrown(sent.thrown, connector);

const userLost = ({ title }: Connector): Stop =>
	new Stop('user_not_found', null, `${title} no longer knew the user when the revocation was sent`);

/**
 * Looks whether the revocation shows at the vendor. It can only worsen the outcome, and only by
 * seeing sessions that are older than the revocation.
 */
async function verify(
	task: Task,
	journal: Journal,
	found: Found,
	outcome: RevocationOutcome,
): Promise<void> {
	const { readBack } = task.connection.connector;
	if (!task.verify || outcome === 'nothing_to_revoke') return;
	if (!readBack) {
		journal.verified('unverifiable', null);
		return;
	}
	const since = journal.vendorTime;
	const at = { credential: task.connection.credential, scopes: journal.scopes };
	if (!readBack.isPossible(at, found.account)) {
		journal.verified('unverifiable', null);
		return;
	}
	const { connector, line } = task.connection;
	let residue = 0;
	const read = async (): Promise<ReadingStatus> => {
		for (const wait of readBack.polls) {
			if (wait > 0) await line.wait(wait, task.budget);
			const inquiry = readBack.read(found.account, since);
			const answer = await converse(inquiry, line, journal.counting(task.budget));
			if (answer.reply) journal.heard(answer.reply);
			if (!answer.usable) {
				const denied = answer.reply.status === 401 || answer.reply.status === 403;
				return denied ? 'unverifiable' : 'unconfirmed';
			}
			if (answer.value.seen === 'confirmed') {
				if (answer.value.changed) journal.sawChange();
				return 'verified';
			}
			residue = answer.value.seen === 'residue' ? answer.value.remaining : 0;
		}
		return 'unconfirmed';
	};
	const status = await journal.step(
		'verify',
		// What a read-back meets says nothing about the revocation.
		() => read().catch((): ReadingStatus => 'unconfirmed'),
		(seen) => seen === 'verified',
	);
	journal.verified(status, status === 'unverifiable' ? null : readBack.method);
	if (residue > 0) {
		throw new Stop(
			'partial',
			null,
			`${connector.title} still shows ${residue} sessions that are older than the revocation`,
		);
	}
}

type ReadingStatus = 'verified' | 'unconfirmed' | 'unverifiable';

const refused = ({ cause, why }: Refusal): Stop => new Stop('refused', cause, why);
