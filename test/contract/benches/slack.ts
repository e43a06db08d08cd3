import { slack as connector } from '../../../nodes/Slack/connector';
import type { MatchableRequest } from '../../simulator/faults';
import type { Simulator } from '../../simulator/simulator';
import type { Slack } from '../../simulator/slack';
import type { SlackClient } from '../../simulator/slack-org';
import { startSlack } from '../../support/slack';
import type { Bench, RequestMatch, VendorFacts } from '../bench';

const HAPPY = 'jane@example.com';
const HAPPY_ID = 'W0JANE00001';
const OWN = 'automation@example.com';
const LEFT_ID = 'W0LEFT00001';
const SESSIONS: readonly SlackClient[] = ['desktop', 'mobile', 'web'];
const crowd = Array.from({ length: 50 }, (_, index) => `crowd${index}@example.com`);

const TOKEN = 'xoxp-simulated-0123456789-that-opens-nothing-real';
const READ_EMAIL = ['users:read.email'];
const READ_SESSIONS = ['admin.users:read'];
const END_SESSIONS = ['admin.users:write'];

function seed(org: Pick<Slack, 'addUser' | 'addToken'>): void {
	org.addUser({ email: OWN, role: 'admin', sessions: ['web'] });
	org.addUser({ email: HAPPY, id: HAPPY_ID, sessions: SESSIONS });
	org.addUser({ email: 'joe@example.com', sessions: SESSIONS });
	org.addUser({ email: 'clean@example.com' });
	org.addUser({ email: 'left@example.com', id: LEFT_ID, deleted: true });
	for (const email of crowd) org.addUser({ email, sessions: ['web', 'mobile'] });
	const scopes = ['users:read', ...READ_EMAIL, ...READ_SESSIONS, ...END_SESSIONS];
	org.addToken({ user: OWN, token: TOKEN, scopes });
}

let simulator: Simulator;

const route =
	(...names: readonly string[]): RequestMatch =>
	({ route: name }) =>
		names.includes(name ?? '');
const lists = route('admin.users.session.list');
const resets = route('admin.users.session.reset');
const parameter = ({ body }: Pick<MatchableRequest, 'body'>, name: string): string | null =>
	new URLSearchParams(body).get(name);

/** The list before a revocation and the one after it are the same request: what went before tells. */
const readsBack: RequestMatch = (request) => {
	const { requests } = simulator;
	const at = requests.findIndex((recorded) => recorded === request);
	const earlier = at < 0 ? requests : requests.slice(0, at);
	const user = parameter(request, 'user_id');
	return lists(request) && earlier.some((one) => resets(one) && parameter(one, 'user_id') === user);
};

async function start(): Promise<Bench> {
	const bench = await startSlack({ seed, bulkDelayMs: 200 });
	const { slack } = bench;
	({ simulator } = bench);
	const { faults } = simulator;
	return {
		simulator,
		connection: ({ surroundings } = {}) => bench.connection(TOKEN, surroundings),
		secretsOf: () => [TOKEN],
		reset: bench.reset,
		everyone: () =>
			Object.fromEntries(
				slack
					.allUsers()
					.map((user) => [user.email ?? user.id, { sessions: slack.sessionsOf(user.id).length }]),
			),
		addUser: ({ login, displayName = login, idle = false }) =>
			slack.addUser({ email: login, realName: displayName, sessions: idle ? [] : SESSIONS }).id,
		signIn: (login) => String(slack.signIn(login)[0]),
		isLive: (sessionId) => slack.isLive(Number(sessionId)),
		errorWith: (text) => ({
			ok: false,
			error: text,
			needed: text,
			provided: text,
			warning: text,
			response_metadata: { messages: [text], warnings: [text] },
		}),
		withdrawTokens: () => slack.withdrawTokens(),
		hideRevocations: () => {
			slack.listLagMs = Infinity;
		},
		answerEveryLookUpWith(login) {
			const { id, email, realName } = slack.getUser(login) ?? {};
			const body = { ok: true, user: { id, profile: { email, real_name: realName } } };
			const match = route('users.lookupByEmail', 'users.info');
			faults.next({ match, times: Infinity, fault: { kind: 'wrongShape', body } });
		},
		loseUserAtRevocation() {
			const body = { ok: false, error: 'user_not_found' };
			faults.next({ match: resets, fault: { kind: 'wrongShape', body } });
		},
		close: bench.close,
	};
}

const ONE_ADDRESS = 'the address of a member is the sign-in name, and no two members share it';

export const slack: VendorFacts = {
	connector,
	people: {
		happy: HAPPY,
		bystander: 'joe@example.com',
		missing: 'nobody@example.com',
		ambiguous: { leftOut: ONE_ADDRESS },
		signInNameWins: { leftOut: ONE_ADDRESS },
		clean: { identity: 'clean@example.com', outcome: 'nothing_to_revoke', changed: false },
		// Slack does not find deactivated members by their address.
		deactivated: { identity: LEFT_ID, status: 'deactivated' },
		own: OWN,
		shortName: { leftOut: 'Slack resolves no short names' },
		unsupported: [],
		crowd,
	},
	lookUps: [
		{
			title: 'e-mail address',
			identity: HAPPY,
			match: route('users.lookupByEmail'),
			// Slack says it with status 200.
			ownNotFound: 'unexpected_reply',
			needs: READ_EMAIL,
			sendsWhenDenied: 1,
		},
		{
			title: 'id',
			identity: HAPPY_ID,
			match: route('users.info'),
			ownNotFound: 'unexpected_reply',
			needs: ['users:read'],
			sendsWhenDenied: 1,
		},
	],
	revoke: {
		match: resets,
		requests: 1,
		idempotent: true,
		outcome: 'revoked',
		statusCode: 200,
		changed: true,
		ended: ['sessions'],
		held: 'sessions',
		needs: END_SESSIONS,
		ownNotFound: 'unexpected_reply',
		whenLost: 'revoked',
		lists: {
			match: (request) => lists(request) && !readsBack(request),
			isNeeded: false,
			needs: READ_SESSIONS,
		},
	},
	batch: { match: route('admin.users.session.resetBulk'), outcome: 'revoked' },
	listing: { match: lists, needs: READ_SESSIONS, kinds: { session: 'sessions' } },
	ownAccount: route('auth.test'),
	widening: [],
	readBack: {
		match: readsBack,
		method: 'Slack admin.users.session.list',
		whenHidden: 'partial',
	},
	// The first answer is that of auth.test, which needs no scope.
	checkNeeds: [],
	oneSession: { match: route('admin.users.session.invalidate'), needs: END_SESSIONS },
	authentications: [{ title: 'user token', tokenRequests: 0 }],
	unusedRoutes: {},
	cannotHave: (kind, value) => {
		if (kind === 'email') return ONE_ADDRESS;
		return /.@./u.test(value) ? null : 'members of Slack sign in by an e-mail address';
	},
	leftOut: {},
	start,
};
