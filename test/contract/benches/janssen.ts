import { connect, type Connection } from '../../../nodes/core/connection';
import { closeAll } from '../../../nodes/core/transport';
import { janssen as connector } from '../../../nodes/Janssen/connector';
import type { MatchableRequest } from '../../simulator/faults';
import { createJanssen } from '../../simulator/janssen';
import type { JanssenServer } from '../../simulator/janssen-server';
import { startSimulator } from '../../simulator/simulator';
import type { Bench, RequestMatch, VendorFacts } from '../bench';
import { list, retrieve, revoke, within } from '../runs';

const HAPPY = 'jane@example.com';
const HAPPY_ADDRESS = 'jane.doe@mail.example.com';
const HAPPY_INUM = '5f0a3c6e-1b7d-4c29-9e84-2a6b8d0f4c13';
const HAPPY_DN = `inum=${HAPPY_INUM},ou=people,o=jans`;
const crowd = Array.from({ length: 50 }, (_, index) => `crowd${index}@example.com`);
const everything = { sessions: 2, refreshTokens: 2 };

/** Has its token already, for the cases that are about something else. */
const CLIENT = '2000.7b1e9d42-6c3f-4a58-8d07-1f2e3a4b5c6d';
/** Has to get one. */
const NEW_CLIENT = '2000.c48d0f6a-93b5-4e17-a2f8-5b7c6d9e0f13';
const clientSecret = 'aSecret+that/opens=nothing_0123456789';
const READ_USERS = 'https://jans.io/oauth/config/user.readonly';
const READ_SESSIONS = 'https://jans.io/oauth/jans-auth-server/session.readonly';
const END_SESSIONS = ['https://jans.io/oauth/jans-auth-server/session.delete', 'revoke_session'];
const scopes = [READ_USERS, READ_SESSIONS, ...END_SESSIONS, 'global_token_revocation'];

const patternOf = ({ query }: MatchableRequest): string =>
	new URLSearchParams(query).get('pattern') ?? '';
const searches =
	(isMeant: (pattern: string) => boolean): RequestMatch =>
	(request) =>
		request.route === 'getUser' && isMeant(patternOf(request));
const byInum: RequestMatch = ({ route }) => route === 'getUserByInum';
const readsSessions: RequestMatch = ({ route }) => route === 'searchSession';

function seed(server: JanssenServer): void {
	server.addUser({ userId: HAPPY, inum: HAPPY_INUM, mail: HAPPY_ADDRESS, ...everything });
	server.addUser({ userId: 'joe@example.com', mail: 'joe@mail.example.com', ...everything });
	server.addUser({ userId: 'shadow@example.com', mail: 'joe@example.com', ...everything });
	for (const userId of ['twin.one@example.com', 'twin.two@example.com']) {
		server.addUser({ userId, mail: 'shared@example.com', ...everything });
	}
	server.addUser({ userId: 'clean@example.com' });
	server.addUser({ userId: 'left@example.com', status: 'inactive', ...everything });
	for (const userId of crowd) server.addUser({ userId, ...everything });
	for (const clientId of [CLIENT, NEW_CLIENT]) {
		server.addClient({ clientId, secret: clientSecret, scopes });
	}
}

async function start(): Promise<Bench> {
	const janssen = createJanssen({
		seed,
		rateLimit: { limit: 1_000_000, windowMs: 60_000 },
	});
	const simulator = await startSimulator(janssen);
	const connection: Bench['connection'] = ({ authentication, surroundings } = {}) =>
		connect(
			connector,
			{
				url: simulator.url,
				clientId: authentication === undefined ? CLIENT : NEW_CLIENT,
				clientSecret,
				scopes: scopes.join(' '),
			},
			{ usersInParallel: 10, log: () => undefined, ...surroundings },
		);
	return {
		simulator,
		connection,
		secretsOf: () => [clientSecret],
		async reset() {
			await closeAll();
			simulator.faults.clear();
			janssen.reset();
			await connection().line.grantedScopes(within(5_000));
			simulator.forget();
		},
		everyone: () =>
			Object.fromEntries(
				janssen.allUsers().map(({ inum, userId }) => [
					userId,
					{
						sessions: janssen.sessionsOf(inum).length,
						refreshTokens: janssen.tokensOf(inum, 'refresh_token').length,
					},
				]),
			),
		addUser: ({
			login,
			email = `${String(janssen.allUsers().length)}@mail.example.com`,
			displayName = login,
			idle = false,
		}) =>
			janssen.addUser({
				userId: login,
				mail: email,
				displayName,
				...(idle ? {} : everything),
			}).inum,
		signIn: (login) => janssen.signIn(login).sessions[0]?.sid ?? '',
		isLive: (session) => janssen.isLive(session),
		errorWith: (text) => ({
			code: text,
			message: text,
			description: text,
			error: text,
			error_description: text,
		}),
		withdrawTokens: () => janssen.withdrawTokens(),
		hideRevocations: () => {
			janssen.replicationLagMs = Infinity;
		},
		answerEveryLookUpWith(login) {
			const { createdAt: _, status: jansStatus, ...user } = janssen.getUser(login) ?? {};
			const body = { ...user, jansStatus };
			const page = { start: 0, totalEntriesCount: 1, entriesCount: 1, entries: [body] };
			const times = Infinity;
			simulator.faults.next({ match: 'getUser', times, fault: { kind: 'wrongShape', body: page } });
			simulator.faults.next({ match: byInum, times, fault: { kind: 'wrongShape', body } });
		},
		loseUserAtRevocation: () => undefined,
		/** Other versions of the server, and the other way to revoke. */
		async useTheRest(used: Connection) {
			janssen.userPath = 'mgmt';
			await retrieve(used, HAPPY);
			await retrieve(used, HAPPY_DN);
			janssen.sessionApi = 'post';
			await list(used, HAPPY);
			await revoke(used, HAPPY);
			await revoke(used, HAPPY, { options: { revokeThrough: 'globalTokenRevocation' } });
		},
		async close() {
			await simulator.close();
			await closeAll();
		},
	};
}

const NO_BODY = 'Janssen itself answers so when the user has no session, which a unit test holds';

export const janssen: VendorFacts = {
	connector,
	people: {
		happy: HAPPY,
		bystander: 'joe@example.com',
		missing: 'nobody@example.com',
		ambiguous: {
			identity: 'shared@example.com',
			logins: ['twin.one@example.com', 'twin.two@example.com'],
		},
		signInNameWins: { identity: 'joe@example.com', shadow: 'shadow@example.com' },
		clean: { identity: 'clean@example.com', outcome: 'nothing_to_revoke', changed: false },
		deactivated: { identity: 'left@example.com', status: 'inactive' },
		own: { leftOut: 'an OAuth client acts as no user' },
		shortName: { leftOut: 'Janssen resolves no short names' },
		unsupported: [],
		crowd,
	},
	lookUps: [
		{
			title: 'user ID',
			identity: HAPPY,
			match: searches((pattern) => pattern !== HAPPY_ADDRESS && pattern !== HAPPY_INUM),
			// Nobody found is 200 with an empty page here.
			ownNotFound: 'unexpected_reply',
			needs: [READ_USERS],
			sendsWhenDenied: 1,
		},
		{
			title: 'e-mail address',
			identity: HAPPY_ADDRESS,
			match: searches((pattern) => pattern === HAPPY_ADDRESS),
			ownNotFound: 'unexpected_reply',
			needs: [READ_USERS],
			sendsWhenDenied: 1,
		},
		{
			title: 'DN',
			identity: HAPPY_DN,
			match: byInum,
			ownNotFound: 'user_not_found',
			needs: [READ_USERS],
			sendsWhenDenied: 1,
		},
		{
			title: 'inum',
			identity: HAPPY_INUM,
			match: searches((pattern) => pattern === HAPPY_INUM),
			ownNotFound: 'unexpected_reply',
			needs: [READ_USERS],
			sendsWhenDenied: 1,
		},
	],
	revoke: {
		match: ({ route }) => route === 'revokeUserSession',
		requests: 1,
		idempotent: true,
		outcome: 'revoked',
		statusCode: 200,
		changed: true,
		ended: ['sessions'],
		held: 'sessions',
		needs: END_SESSIONS,
		ownNotFound: 'partial',
		// The repetition finds no session any more.
		whenLost: 'nothing_to_revoke',
		lists: { leftOut: 'Janssen ends all sessions of a user in one request' },
	},
	batch: { leftOut: 'Janssen takes one user in a request' },
	ownAccount: { leftOut: 'an OAuth client acts as no user' },
	// Revoke Through is a choice between two ways, whose tests are this vendor's own.
	widening: [],
	readBack: {
		match: readsSessions,
		method: 'Janssen session search',
		whenHidden: 'partial',
	},
	checkNeeds: [READ_USERS],
	listing: { match: readsSessions, needs: [READ_SESSIONS], kinds: { session: 'sessions' } },
	oneSession: { match: ({ route }) => route === 'deleteSession', needs: END_SESSIONS },
	authentications: [{ title: 'client credentials', tokenRequests: 1 }],
	unusedRoutes: {
		healthLive: 'Says nothing of the credential: the set-up check asks for a user instead',
		getSessionById: 'Ending a session by its id needs no reading before',
		revokeSession: 'Deprecated: ends no tokens and does not say whether there was such a user',
	},
	cannotHave: (kind, value) => {
		if (kind === 'login' && value.startsWith('inum='))
			return 'a name with the form of a DN is read as one';
		return null;
	},
	leftOut: {
		'revocation: 404 without a body': NO_BODY,
		'revocation: body that do not come in time': 'the answer to a revocation has no body',
		'revocation: 405':
			'an older version says so of the newer request; then the older one is sent, which a unit test holds',
		'read-back: 405':
			'an older version has no search and says so; then its whole list is read, which a unit test holds',
		'says so when the vendor loses the user before the revocation':
			'Janssen answers the same for a user who is gone as for one who has no session',
	},
	start,
};
