import { miro as connector } from '../../../nodes/Miro/connector';
import type { MiroOrg } from '../../simulator/miro-org';
import { ACCESS_TOKEN, ADMIN, startMiro } from '../../support/miro';
import type { Bench, RequestMatch, VendorFacts } from '../bench';

const HAPPY = 'jane@example.com';
const HAPPY_ID = '3074457345821140934';
const crowd = Array.from({ length: 50 }, (_, index) => `crowd${index}@example.com`);

/** How the organization is found; the first is what all other cases use. */
const TYPED = 'access token';
const FROM_TOKEN = 'access token, organization from the token';

const READ = ['organizations:read'];

const byEmail: RequestMatch = ({ route, query }) =>
	route === 'enterprise-get-organization-members' && new URLSearchParams(query).has('emails');
const byId: RequestMatch = ({ route }) => route === 'enterprise-get-organization-member';

function seed(org: MiroOrg): void {
	org.addUser({ email: HAPPY, id: HAPPY_ID, sessions: 2 });
	org.addUser({ email: 'joe@example.com', sessions: 2 });
	org.addUser({ email: 'clean@example.com' });
	org.addUser({ email: 'left@example.com', active: false, sessions: 1 });
	for (const email of crowd) org.addUser({ email, sessions: 1 });
}

async function start(): Promise<Bench> {
	const org = await startMiro({ seed, rateLimit: { limit: 1_000_000, windowMs: 60_000 } });
	const { miro, simulator } = org;
	return {
		simulator,
		connection: ({ authentication, surroundings } = {}) =>
			org.connection(authentication === FROM_TOKEN ? { organizationId: '' } : {}, surroundings),
		secretsOf: () => [ACCESS_TOKEN],
		reset: org.reset,
		everyone: () =>
			Object.fromEntries(
				miro.allUsers().map(({ email }) => [email, { sessions: miro.sessionsOf(email).length }]),
			),
		addUser: ({ login, displayName, idle = false }) =>
			miro.addUser({
				email: login,
				sessions: idle ? 0 : 2,
				// Of a member without a name, only the id can say something.
				...(displayName === undefined ? {} : { id: displayName }),
			}).id,
		signIn: (login) => miro.signIn(login).id,
		isLive: (session) => miro.isLive(session),
		errorWith: (text) => ({
			type: 'error',
			status: 400,
			code: text,
			message: text,
			context: { fields: [{ field: text, reason: text, message: text }] },
		}),
		withdrawTokens: () => miro.withdrawTokens(),
		// There is no way to look whether it shows.
		hideRevocations: () => undefined,
		answerEveryLookUpWith(login) {
			const member = miro.getUser(login);
			const times = Infinity;
			const body = [member];
			simulator.faults.next({ match: byEmail, times, fault: { kind: 'wrongShape', body } });
			simulator.faults.next({ match: byId, times, fault: { kind: 'wrongShape', body: member } });
		},
		loseUserAtRevocation: () =>
			simulator.faults.next({
				match: 'enterprise-post-user-sessions-reset',
				fault: { kind: 'status', status: 404 },
			}),
		close: org.close,
	};
}

export const miro: VendorFacts = {
	connector,
	people: {
		happy: HAPPY,
		bystander: 'joe@example.com',
		missing: 'nobody@example.com',
		ambiguous: { leftOut: 'an address belongs to one member, and members have no other names' },
		signInNameWins: { leftOut: 'the address is the sign-in name' },
		// Miro answers 200 whether or not there was a session.
		clean: { identity: 'clean@example.com', outcome: 'revoked', changed: null },
		deactivated: { identity: 'left@example.com', status: 'deactivated' },
		own: ADMIN,
		shortName: { leftOut: 'Miro resolves no short names' },
		unsupported: ['jane@example.com,joe@example.com'],
		crowd,
	},
	lookUps: [
		{
			title: 'e-mail address',
			identity: HAPPY,
			match: byEmail,
			// Nobody found is 200 with an empty list: a 404 is about the organization.
			ownNotFound: 'configuration',
			needs: READ,
			sendsWhenDenied: 1,
		},
		{
			title: 'id',
			identity: HAPPY_ID,
			match: byId,
			ownNotFound: 'user_not_found',
			needs: READ,
			sendsWhenDenied: 1,
		},
	],
	revoke: {
		match: ({ route }) => route === 'enterprise-post-user-sessions-reset',
		requests: 1,
		idempotent: true,
		outcome: 'revoked',
		statusCode: 200,
		changed: null,
		ended: ['sessions'],
		held: 'sessions',
		needs: ['sessions:delete'],
		ownNotFound: 'user_not_found',
		whenLost: 'revoked',
		lists: { leftOut: 'Miro cannot list the sessions of a user' },
	},
	// One address or ten: the request is the same.
	batch: { match: byEmail, outcome: 'revoked' },
	listing: { leftOut: 'Miro cannot list the sessions of a user' },
	ownAccount: ({ route }) => route === 'token-info',
	widening: [],
	readBack: { leftOut: 'Miro shows neither sessions nor when they were reset' },
	// What is asked first, whose the token is, needs none.
	checkNeeds: [],
	oneSession: { leftOut: 'Miro can neither list sessions nor end a single one' },
	authentications: [
		{ title: TYPED, tokenRequests: 0 },
		{ title: FROM_TOKEN, tokenRequests: 0 },
	],
	unusedRoutes: {},
	cannotHave(kind, value) {
		if (kind === 'email') return 'the only address of a member is the sign-in name';
		if (!/.@./.test(value)) return 'members of Miro sign in with an e-mail address';
		return null;
	},
	leftOut: {
		'revocation: body that do not come in time': 'the answer to a reset has no body',
	},
	start,
};
