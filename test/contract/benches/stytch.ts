import { readOptions } from '../../../nodes/core/connection';
import { authenticateSession, revokeAllSessions } from '../../../nodes/core/flow';
import { closeAll } from '../../../nodes/core/transport';
import { stytch as connector } from '../../../nodes/Stytch/connector';
import type { MatchableRequest } from '../../simulator/faults';
import type { Simulator } from '../../simulator/simulator';
import type { Stytch } from '../../simulator/stytch';
import { ORGANIZATIONS, type ProjectType, startStytch } from '../../support/stytch';
import type { Bench, Held, RequestMatch, VendorFacts } from '../bench';

const HAPPY = 'jane@example.com';
const HAPPY_ADDRESS = 'jane.doe@mail.example.com';
const EXTERNAL_ID = 'crm|1001';
const AMBIGUOUS = 'staff-7';
const ID = '16d9ba61-97a1-4ba4-9720-b03761dc50c6';
const crowd = Array.from({ length: 50 }, (_, index) => `crowd${index}@example.com`);
const everything = { sessions: 2, connectedApps: 1 };
const nothing = { sessions: 0, connectedApps: 0 };

interface NewUser {
	login: string;
	email?: string | undefined;
	displayName?: string | undefined;
	idle?: boolean | undefined;
}

/** What differs between the two products. */
interface ProductFacts {
	title: string;
	seed(stytch: Stytch): void;
	routes: Readonly<Record<'list' | 'revoke' | 'search' | 'revokeApp' | 'get', string>>;
	addUser(stytch: Stytch, user: NewUser): string;
	everyone(stytch: Stytch): Readonly<Record<string, Held>>;
	/** The record of a user, and the answer of a search with it. */
	record(stytch: Stytch, login: string): object;
	found(record: object): object;
	people: Pick<VendorFacts['people'], 'ambiguous'>;
	lookUps: VendorFacts['lookUps'];
	revoke: { requests: number; isListNeeded: boolean };
	unusedRoutes: VendorFacts['unusedRoutes'];
	cannotHave: VendorFacts['cannotHave'];
	leftOut: VendorFacts['leftOut'];
}

const says =
	(route: string, ...texts: readonly string[]): RequestMatch =>
	(request) =>
		request.route === route &&
		texts.every((text) => `${request.path} ${request.body}`.includes(text));

const lookUp = (
	title: string,
	identity: string,
	match: RequestMatch,
	ownNotFound: VendorFacts['lookUps'][number]['ownNotFound'] = 'unexpected_reply',
): VendorFacts['lookUps'][number] => ({
	title,
	identity,
	match,
	ownNotFound,
	needs: [],
	sendsWhenDenied: 1,
});

const otherProduct = (...routes: readonly string[]): Readonly<Record<string, string>> =>
	Object.fromEntries(routes.map((route) => [route, 'belongs to the other product']));
const offline = 'Nothing here checks JWTs: whether a session lives is asked of Stytch';

const noAddress = (value: string): string | null =>
	value.includes('@') ? null : 'whoever signs in to Stytch does so with an address';

const products: Readonly<Record<ProjectType, ProductFacts>> = {
	consumer: {
		title: 'Consumer',
		seed({ consumer }) {
			consumer.addUser({
				email: HAPPY,
				otherEmails: [HAPPY_ADDRESS],
				id: `user-test-${ID}`,
				externalId: EXTERNAL_ID,
				...everything,
			});
			for (const email of ['joe@example.com', ...crowd]) {
				consumer.addUser({ email, ...everything });
			}
			consumer.addUser({ email: 'clean@example.com' });
			consumer.addUser({ email: 'locked@example.com', isLocked: true, ...everything });
		},
		routes: {
			list: 'getSessions',
			revoke: 'revokeSession',
			search: 'searchUsers',
			get: 'getUser',
			revokeApp: 'revokeUserConnectedApp',
		},
		addUser: ({ consumer }, { login, email = login, displayName = '', idle = false }) =>
			consumer.addUser({
				email: login,
				otherEmails: email === login ? [] : [email],
				firstName: displayName,
				...(idle ? nothing : everything),
			}).user_id,
		everyone: ({ consumer }) =>
			Object.fromEntries(
				consumer.allUsers().map(({ user_id, emails }) => [
					emails[0]?.email ?? user_id,
					{
						sessions: consumer.sessionsOf(user_id).length,
						apps: consumer.connectedAppsOf(user_id).length,
					},
				]),
			),
		record: ({ consumer }, login) => consumer.user(login),
		found: (user) => ({ results: [user], results_metadata: { total: 1, next_cursor: null } }),
		people: { ambiguous: { leftOut: 'an address, and an id, is that of one user of a project' } },
		lookUps: [
			lookUp('e-mail address', HAPPY, says('searchUsers', HAPPY)),
			lookUp('further e-mail address', HAPPY_ADDRESS, says('searchUsers', HAPPY_ADDRESS)),
			lookUp('id', `user-test-${ID}`, says('getUser', ID), 'user_not_found'),
			lookUp('external id', EXTERNAL_ID, says('getUser', 'crm%7C1001'), 'user_not_found'),
		],
		revoke: { requests: 2, isListNeeded: true },
		unusedRoutes: {
			...otherProduct('searchOrganizations', 'searchMembers', 'getMember', 'dangerouslyGetMember'),
			...otherProduct('getMemberSessions', 'authenticateMemberSession', 'revokeMemberSession'),
			...otherProduct('getMemberConnectedApps', 'revokeMemberConnectedApp', 'getMemberJWKS'),
			getJWKS: offline,
		},
		cannotHave: (_, value) => noAddress(value),
		leftOut: {
			'says so when the vendor loses the user before the revocation':
				'Stytch ends sessions by their ids: those of a user who is gone are gone too, and that is what was wanted',
		},
	},
	b2b: {
		title: 'B2B',
		seed({ b2b }) {
			const { retail, logistics } = ORGANIZATIONS;
			const add = (email: string, more: Partial<Parameters<typeof b2b.addMember>[0]> = {}) =>
				b2b.addMember({ organization: retail, email, ...everything, ...more });
			add(HAPPY, { id: `member-test-${ID}`, externalId: EXTERNAL_ID });
			for (const email of ['joe@example.com', ...crowd]) add(email);
			add('twin.one@example.com', { externalId: AMBIGUOUS });
			add('twin.two@example.com', { externalId: AMBIGUOUS, organization: logistics });
			add('clean@example.com', nothing);
			add('locked@example.com', { isLocked: true });
		},
		routes: {
			list: 'getMemberSessions',
			revoke: 'revokeMemberSession',
			search: 'searchMembers',
			get: 'searchMembers',
			revokeApp: 'revokeMemberConnectedApp',
		},
		addUser: ({ b2b }, { login, displayName = '', idle = false }) =>
			b2b.addMember({
				organization: ORGANIZATIONS.retail,
				email: login,
				name: displayName,
				...(idle ? nothing : everything),
			}).member_id,
		everyone: ({ b2b }) =>
			Object.fromEntries(
				b2b.allMembers().map(({ member_id, email_address }) => [
					email_address,
					{
						sessions: b2b.sessionsOf(member_id).length,
						apps: b2b.connectedAppsOf(member_id).length,
					},
				]),
			),
		record: ({ b2b }, login) => b2b.member(login),
		found: (member) => ({
			members: [member],
			organizations: {},
			results_metadata: { total: 1, next_cursor: null },
		}),
		people: {
			ambiguous: {
				identity: AMBIGUOUS,
				logins: ['twin.one@example.com', 'twin.two@example.com'],
			},
		},
		lookUps: [
			lookUp('e-mail address', HAPPY, says('searchMembers', 'member_emails', HAPPY)),
			lookUp('id', `member-test-${ID}`, says('searchMembers', 'member_ids', ID)),
			lookUp('external id', EXTERNAL_ID, says('searchMembers', 'member_ids', EXTERNAL_ID)),
		],
		revoke: { requests: 1, isListNeeded: false },
		unusedRoutes: {
			...otherProduct('searchUsers', 'getUser', 'getSessions', 'authenticateSession'),
			...otherProduct('revokeSession', 'getUserConnectedApps', 'revokeUserConnectedApp', 'getJWKS'),
			searchOrganizations: "asked by the credential's connection test alone, through n8n",
			getMember: 'asks one organization: a search asks all of them at once',
			dangerouslyGetMember: 'asks all organizations, also those that the credential does not name',
			getMemberJWKS: offline,
		},
		cannotHave: (kind, value) => (kind === 'email' ? 'a member has one address' : noAddress(value)),
		leftOut: {},
	},
};

/** The facts of one product: the same, but for what {@link ProductFacts} says. */
function factsOf(projectType: ProjectType): VendorFacts {
	const product = products[projectType];
	const { routes } = product;
	let simulator: Simulator | undefined;

	const revokes: RequestMatch = ({ route }) => route === routes.revoke;
	const lists: RequestMatch = ({ route }) => route === routes.list;
	/** The same list is read before and after: an end of sessions lies between. */
	function isAfterRevocation(request: MatchableRequest): boolean {
		const all: readonly MatchableRequest[] = simulator?.requests ?? [];
		const at = all.indexOf(request);
		return all.slice(0, at < 0 ? undefined : at).some(revokes);
	}

	async function start(): Promise<Bench> {
		const bench = await startStytch({ seed: product.seed, tellsRetryTime: true });
		const { stytch } = bench;
		simulator = bench.simulator;
		const { faults } = simulator;
		return {
			simulator,
			connection: ({ surroundings } = {}) =>
				bench.connection(projectType, surroundings ? { surroundings } : {}),
			secretsOf: () => [stytch[projectType].secret],
			async reset() {
				await closeAll();
				faults.clear();
				stytch.reset();
				bench.simulator.forget();
			},
			everyone: () => product.everyone(stytch),
			addUser: (user) => product.addUser(stytch, user),
			signIn: (login) => stytch[projectType].signIn(login).id,
			isLive: (session) => stytch.isLive(session),
			errorWith: (text) => ({
				status_code: 400,
				request_id: text,
				error_type: text,
				error_message: text,
				error_url: text,
				error_details: { text },
			}),
			withdrawTokens: () => undefined,
			hideRevocations: () => {
				stytch.hideRevocations = true;
			},
			answerEveryLookUpWith(login) {
				const record = product.record(stytch, login);
				const times = Infinity;
				const body = product.found(record);
				faults.next({ match: routes.search, times, fault: { kind: 'wrongShape', body } });
				faults.next({ match: routes.get, times, fault: { kind: 'wrongShape', body: record } });
			},
			async useTheRest(connection) {
				const budget = { deadline: performance.now() + 10_000 };
				await revokeAllSessions({
					connection,
					identity: HAPPY,
					options: readOptions(connector, { revokeConnectedApps: true }),
					verify: false,
					allowShortNames: false,
					allowOwnIdentity: false,
					dryRun: false,
					mayTouch: () => Promise.resolve(null),
					budget,
				});
				await authenticateSession({ connection, budget }, 'x'.repeat(44), null);
			},
			loseUserAtRevocation: () =>
				faults.next({
					match: revokes,
					fault: {
						kind: 'status',
						status: 404,
						body: { status_code: 404, request_id: 'r', error_type: 'member_not_found' },
					},
				}),
			close: bench.close,
		};
	}

	return {
		connector,
		product: product.title,
		people: {
			happy: HAPPY,
			bystander: 'joe@example.com',
			missing: 'nobody@example.com',
			...product.people,
			signInNameWins: { leftOut: 'addresses are the only sign-in names' },
			clean: { identity: 'clean@example.com', outcome: 'nothing_to_revoke', changed: false },
			deactivated: { identity: 'locked@example.com', status: 'locked' },
			own: { leftOut: "a project's secret acts as no user" },
			shortName: { leftOut: 'Stytch resolves no short names' },
			unsupported: [],
			crowd,
		},
		lookUps: product.lookUps,
		revoke: {
			match: revokes,
			requests: product.revoke.requests,
			idempotent: true,
			outcome: 'revoked',
			statusCode: 200,
			changed: true,
			ended: ['sessions'],
			held: 'sessions',
			needs: [],
			ownNotFound: 'nothing_to_revoke',
			whenLost: 'revoked',
			lists: {
				match: (request) => lists(request) && !isAfterRevocation(request),
				isNeeded: product.revoke.isListNeeded,
				needs: [],
			},
		},
		batch: { leftOut: 'Stytch ends the sessions of one user in a request' },
		listing: { match: lists, needs: [], kinds: { session: 'sessions' } },
		ownAccount: { leftOut: "a project's secret acts as no user" },
		widening: [
			{
				option: 'revokeConnectedApps',
				ends: 'connected apps',
				held: 'apps',
				match: ({ route }) => route === routes.revokeApp,
			},
		],
		readBack: {
			match: (request) => lists(request) && isAfterRevocation(request),
			method: 'Stytch (list of sessions)',
			whenHidden: 'partial',
		},
		checkNeeds: [],
		oneSession: { match: revokes, needs: [], tellsBadIds: true },
		authentications: [{ title: 'secret of the project', tokenRequests: 0 }],
		unusedRoutes: product.unusedRoutes,
		cannotHave: product.cannotHave,
		leftOut: product.leftOut,
		start,
	};
}

export const stytchConsumer = factsOf('consumer');
export const stytchB2B = factsOf('b2b');
