/** The Custom Provider's connector, with the ready-made descriptions of two identity servers. */
import { closeAll } from '../../../nodes/core/transport';
import { custom as connector } from '../../../nodes/Custom/connector';
import { type Authentik, createAuthentik } from '../../simulator/authentik';
import type { MatchableRequest } from '../../simulator/faults';
import { createKratos, type Kratos } from '../../simulator/kratos';
import { type Simulator, startSimulator } from '../../simulator/simulator';
import { connectCustom, readyMade } from '../../support/custom';
import type { Bench, RequestMatch, VendorFacts } from '../bench';

const HAPPY = 'jane@example.com';
const MAIL = 'jane.doe@mail.example.com';
const DESK = 'frontdesk@example.com';
const INACTIVE = 'inactive@example.com';
const TOKEN = 'simulated-token-that-opens-nothing-real_0123456789';
const crowd = Array.from({ length: 50 }, (_, index) => `crowd${index}@example.com`);
const signedIn = [HAPPY, 'joe@example.com', ...crowd];

const route =
	(name: string): RequestMatch =>
	(request) =>
		request.route === name;

/** What holds of every description. */
const common = {
	connector,
	batch: { leftOut: 'a description knows one user at a time' },
	ownAccount: { leftOut: 'a description does not say whose a credential is' },
	widening: [],
	checkNeeds: [],
	authentications: [{ title: 'bearer token', tokenRequests: 0 }],
} as const satisfies Partial<VendorFacts>;

const people = {
	happy: HAPPY,
	bystander: 'joe@example.com',
	missing: 'nobody@example.com',
	clean: { identity: 'clean@example.com', outcome: 'nothing_to_revoke', changed: false },
	own: { leftOut: 'a description does not say whose a credential is' },
	shortName: { leftOut: 'what the system makes of a part of a name is not asked' },
	unsupported: [],
	crowd,
} as const satisfies Partial<VendorFacts['people']>;

const lookUpBy = (
	title: string,
	identity: string,
	match: RequestMatch,
): VendorFacts['lookUps'][number] => ({
	title,
	identity,
	match,
	ownNotFound: 'unexpected_reply',
	needs: [],
	sendsWhenDenied: 1,
});

const BY_STATUS =
	'a description knows answers by their status: this one means that there was nothing to revoke, which the list disproves';

/** A bench of a simulator, with what each vendor adds. */
function benchOf(
	vendor: Kratos | Authentik,
	description: string,
	simulator: Simulator,
	own: Omit<Bench, 'simulator' | 'connection' | 'secretsOf' | 'reset' | 'close'>,
): Bench {
	return {
		simulator,
		connection: ({ surroundings } = {}) => {
			const { url: baseUrl } = simulator;
			const provider = readyMade(description);
			return connectCustom(
				{ baseUrl, authentication: 'bearer', token: TOKEN, provider },
				surroundings,
			);
		},
		secretsOf: () => [TOKEN],
		async reset() {
			await closeAll();
			simulator.faults.clear();
			vendor.reset();
			simulator.forget();
		},
		async close() {
			await simulator.close();
			await closeAll();
		},
		...own,
	};
}

// --- Ory Kratos --------------------------------------------------------------------------------------

let kratosSimulator: Simulator | undefined;

/** The same list is read before and after. */
function isAfterEnd(request: MatchableRequest): boolean {
	const all: readonly MatchableRequest[] = kratosSimulator?.requests ?? [];
	const at = all.indexOf(request);
	return all.slice(0, at < 0 ? undefined : at).some(route('deleteIdentitySessions'));
}

const listsBefore: RequestMatch = (request) =>
	route('listIdentitySessions')(request) && !isAfterEnd(request);
const listsAfter: RequestMatch = (request) =>
	route('listIdentitySessions')(request) && isAfterEnd(request);

async function startKratos(): Promise<Bench> {
	const kratos = createKratos({
		// As with MySQL; with PostgreSQL a second end of one session is answered like the first.
		endedSessionAgain: 404,
		seed(fresh) {
			for (const email of signedIn) fresh.addIdentity({ email, sessions: 2, endedSessions: 1 });
			fresh.addIdentity({ email: 'clean@example.com' });
			fresh.addIdentity({ email: INACTIVE, state: 'inactive', sessions: 1 });
			fresh.addProxyToken(TOKEN);
		},
	});
	const simulator = await startSimulator(kratos);
	kratosSimulator = simulator;
	return benchOf(kratos, 'ory-kratos', simulator, {
		everyone: () =>
			Object.fromEntries(
				kratos.all().map(({ id, email }) => [email, { sessions: kratos.sessionsOf(id).length }]),
			),
		addUser: ({ login, displayName, idle }) =>
			kratos.addIdentity({
				email: login,
				sessions: idle ? 0 : 2,
				...(displayName === undefined ? {} : { name: displayName }),
			}).id,
		signIn: (login) => kratos.signIn(login).id,
		isLive: (session) => kratos.isLive(session),
		errorWith: (text) => ({
			error: { code: 400, status: text, request: text, message: text, reason: text },
		}),
		withdrawTokens: () => kratos.withdrawTokens(),
		hideRevocations() {
			const body = kratos.sessionsOf(HAPPY).map(({ id }) => ({ id, active: true }));
			const fault = { kind: 'wrongShape', body } as const;
			simulator.faults.next({ match: listsAfter, times: Infinity, fault });
		},
		answerEveryLookUpWith(login) {
			const identity = kratos.getIdentity(login);
			const body = [{ id: identity?.id, state: 'active', traits: { email: identity?.email } }];
			const fault = { kind: 'wrongShape', body } as const;
			simulator.faults.next({ match: 'listIdentities', times: Infinity, fault });
		},
		loseUserAtRevocation: () => undefined,
	});
}

const NO_TIME = 'no document tells that Kratos says when a limit is free again';

export const customKratos: VendorFacts = {
	...common,
	product: 'Ory Kratos',
	people: {
		...people,
		ambiguous: { leftOut: 'an identifier is that of one identity' },
		signInNameWins: { leftOut: 'the sign-in name is the address' },
		deactivated: { identity: INACTIVE, status: 'inactive' },
	},
	lookUps: [lookUpBy('e-mail address', HAPPY, route('listIdentities'))],
	revoke: {
		match: route('deleteIdentitySessions'),
		requests: 1,
		idempotent: true,
		outcome: 'revoked',
		statusCode: 204,
		changed: true,
		ended: ['sessions'],
		held: 'sessions',
		needs: [],
		ownNotFound: 'partial',
		whenLost: 'nothing_to_revoke',
		lists: { match: listsBefore, isNeeded: false, needs: [] },
	},
	listing: { match: route('listIdentitySessions'), needs: [], kinds: { session: 'sessions' } },
	readBack: { match: listsAfter, method: 'list of sessions', whenHidden: 'partial' },
	oneSession: { match: route('disableSession'), needs: [] },
	unusedRoutes: {
		getIdentity: 'whoever is known by id only is found by no identifier',
		getSession: 'ending a session tells whether there is one',
	},
	cannotHave: (kind) => (kind === 'email' ? 'the address is the sign-in name' : null),
	leftOut: {
		'look-up by e-mail address: 429 with a time that does not fit': NO_TIME,
		'revocation: 429 with a time that does not fit': NO_TIME,
		'read-back: 429 with a time that does not fit': NO_TIME,
		'revocation: 404 with JSON of somebody else': BY_STATUS,
		'revocation: 404 without a body': BY_STATUS,
		'says so when the vendor loses the user before the revocation':
			'Kratos answers the same when an identity is gone and when its sessions are',
	},
	start: startKratos,
};

// --- authentik ---------------------------------------------------------------------------------------

async function startAuthentik(): Promise<Bench> {
	const authentik = createAuthentik({
		seed(fresh) {
			for (const username of signedIn) {
				fresh.addUser({ username, email: username === HAPPY ? MAIL : username, sessions: 2 });
			}
			fresh.addUser({ username: 'desk.one', email: DESK, sessions: 1 });
			fresh.addUser({ username: 'desk.two', email: DESK, sessions: 1 });
			fresh.addUser({ username: 'front@example.com', email: 'front@example.org', sessions: 1 });
			fresh.addUser({ username: 'shadow', email: 'front@example.com', sessions: 1 });
			fresh.addUser({ username: 'clean@example.com' });
			fresh.addUser({ username: INACTIVE, active: false });
			fresh.addUser({ username: 'session-revocation', type: 'service_account' });
			fresh.addToken('session-revocation', { key: TOKEN });
		},
	});
	const simulator = await startSimulator(authentik);
	return benchOf(authentik, 'authentik', simulator, {
		everyone: () =>
			Object.fromEntries(
				authentik
					.all()
					.map(({ pk, username }) => [username, { sessions: authentik.sessionsOf(pk).length }]),
			),
		addUser: ({ login, email = login, displayName: name = login, idle }) =>
			String(authentik.addUser({ username: login, email, name, sessions: idle ? 0 : 2 }).pk),
		signIn: (login) => authentik.signIn(login).uuid,
		isLive: (session) => authentik.allSessions().some(({ uuid }) => uuid === session),
		errorWith: (text) => ({ detail: text, non_field_errors: [text] }),
		withdrawTokens: () => authentik.withdrawTokens(),
		hideRevocations: () => undefined,
		answerEveryLookUpWith(login) {
			const user = authentik.getUser(login);
			const results = [{ pk: user?.pk, username: user?.username, email: user?.email }];
			const body = { pagination: { next: 0 }, results };
			const fault = { kind: 'wrongShape', body } as const;
			simulator.faults.next({ match: 'core_users_list', times: Infinity, fault });
		},
		loseUserAtRevocation: () => undefined,
	});
}

const unseen = {
	leftOut: 'without a permission authentik shows an empty list, which would prove nothing',
};

export const customAuthentik: VendorFacts = {
	...common,
	product: 'authentik',
	people: {
		...people,
		ambiguous: { identity: DESK, logins: ['desk.one', 'desk.two'] },
		signInNameWins: { identity: 'front@example.com', shadow: 'shadow' },
		deactivated: { identity: INACTIVE, status: 'is_active: false' },
	},
	lookUps: [
		lookUpBy(
			'sign-in name',
			HAPPY,
			(request) => route('core_users_list')(request) && request.query.includes('jane%40'),
		),
		lookUpBy(
			'e-mail address',
			MAIL,
			(request) => route('core_users_list')(request) && request.query.includes('jane.doe'),
		),
	],
	revoke: {
		match: route('core_authenticated_sessions_bulk_delete_destroy'),
		requests: 1,
		idempotent: true,
		outcome: 'revoked',
		statusCode: 200,
		changed: true,
		ended: ['sessions'],
		held: 'sessions',
		needs: [],
		ownNotFound: 'unexpected_reply',
		whenLost: 'nothing_to_revoke',
		lists: { leftOut: 'all sessions end at once, and authentik counts them' },
	},
	listing: unseen,
	readBack: unseen,
	oneSession: { match: route('core_authenticated_sessions_destroy'), needs: [] },
	unusedRoutes: {
		core_users_me_retrieve: 'a description does not say whose a credential is',
		core_users_retrieve: 'a search finds by name and address',
		core_authenticated_sessions_list: unseen.leftOut,
	},
	cannotHave: () => null,
	leftOut: {
		'says so when the vendor loses the user before the revocation':
			'authentik knows no difference between a user without sessions and none',
	},
	start: startAuthentik,
};
