import { connect } from '../../../nodes/core/connection';
import { closeAll } from '../../../nodes/core/transport';
import { microsoftEntra as connector } from '../../../nodes/MicrosoftEntra/connector';
import { createEntra, type Entra } from '../../simulator/entra';
import type { MatchableRequest } from '../../simulator/faults';
import { startSimulator } from '../../simulator/simulator';
import { selfSigned } from '../../transport/support/certificate';
import type { Bench, RequestMatch, VendorFacts } from '../bench';

const HAPPY = 'jane@example.com';
const HAPPY_ADDRESS = 'jane.doe@mail.example.com';
const HAPPY_ALIAS = 'j.doe@alias.example.com';
const HAPPY_ID = '7d0f4c1e-52a9-4b3e-9a44-0d5c6b1f2e3a';
const crowd = Array.from({ length: 50 }, (_, index) => `crowd${index}@example.com`);
const everything = { sessions: 2, refreshTokens: 2 };
const nothing = { sessions: 0, refreshTokens: 0 };

const APP = '0e9d8c7b-6a5f-4e3d-8c1b-2a3f4e5d6c7b';
const TENANT_DOMAIN = 'contoso.onmicrosoft.example';
const clientSecret = 'Zk8Q~a-secret-that-opens-nothing-real_0123456789';
const pair = selfSigned('rsa');
const keyLines = pair.key.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));

const READ = ['User.ReadBasic.All', 'User.Read.All'];
const READ_BACK = 'id,signInSessionsValidFromDateTime';

const parameter = ({ query }: MatchableRequest, name: string): string =>
	new URLSearchParams(query).get(name) ?? '';
/** Asks for a sign-in name or an address; `about` narrows it down to one of them. */
const byName =
	(about: (filter: string) => boolean): RequestMatch =>
	(request) => {
		const filter = parameter(request, '$filter');
		return request.route === 'listUsers' && filter.startsWith('userPrincipalName') && about(filter);
	};
const byAlias: RequestMatch = (request) =>
	request.route === 'listUsers' && parameter(request, '$filter').startsWith('proxyAddresses');
const readsBack: RequestMatch = (request) =>
	request.route === 'getUser' && parameter(request, '$select') === READ_BACK;
const byId: RequestMatch = (request) => request.route === 'getUser' && !readsBack(request);

function seed(directory: Pick<Entra, 'addUser' | 'addApp'>): void {
	const add = (userPrincipalName: string, more: Partial<Parameters<Entra['addUser']>[0]> = {}) =>
		directory.addUser({ userPrincipalName, ...everything, ...more });
	add(HAPPY, {
		id: HAPPY_ID,
		mail: HAPPY_ADDRESS,
		proxyAddresses: [`SMTP:${HAPPY_ADDRESS}`, `smtp:${HAPPY_ALIAS}`],
	});
	add('joe@example.com');
	add('shadow@example.com', { mail: 'joe@example.com' });
	for (const login of ['twin.one@example.com', 'twin.two@example.com']) {
		add(login, { mail: 'shared@example.com' });
	}
	add('clean@example.com', nothing);
	add('left@example.com', { accountEnabled: false });
	for (const login of crowd) add(login);
	directory.addApp({
		clientId: APP,
		secret: clientSecret,
		certificatePem: pair.cert,
		roles: ['User.Read.All', 'User.RevokeSessions.All'],
	});
}

async function start(): Promise<Bench> {
	const entra = createEntra({
		seed,
		tenantDomain: TENANT_DOMAIN,
		rateLimit: { limit: 1_000_000, windowMs: 60_000 },
	});
	const simulator = await startSimulator(entra);
	let accessToken = entra.addAccessToken({ clientId: APP });
	const app = { tenantId: entra.tenantId, clientId: APP };
	const ways: Readonly<Record<string, () => Record<string, unknown>>> = {
		'access token': () => ({ authentication: 'accessToken', accessToken }),
		'client secret': () => ({ authentication: 'clientSecret', ...app, clientSecret }),
		'client secret, tenant by its domain': () => ({
			authentication: 'clientSecret',
			...app,
			tenantId: TENANT_DOMAIN,
			clientSecret,
		}),
		certificate: () => ({
			authentication: 'certificate',
			...app,
			certificate: pair.cert,
			privateKey: pair.key,
		}),
	};
	const secrets: Readonly<Record<string, () => readonly string[]>> = {
		'access token': () => [accessToken],
		certificate: () => keyLines,
	};
	return {
		simulator,
		connection: ({ authentication = 'access token', surroundings } = {}) =>
			connect(
				connector,
				{
					cloud: 'custom',
					graphUrl: simulator.url,
					loginUrl: simulator.url,
					...ways[authentication]?.(),
				},
				{ usersInParallel: 10, log: () => undefined, ...surroundings },
			),
		secretsOf: (authentication) => secrets[authentication]?.() ?? [clientSecret],
		async reset() {
			await closeAll();
			simulator.faults.clear();
			entra.reset();
			accessToken = entra.addAccessToken({ clientId: APP });
			simulator.forget();
		},
		everyone: () =>
			Object.fromEntries(
				entra
					.allUsers()
					.map(({ id, userPrincipalName }) => [
						userPrincipalName,
						{ sessions: entra.sessionsOf(id).length, tokens: entra.refreshTokensOf(id).length },
					]),
			),
		addUser: ({
			login,
			email = `${String(entra.allUsers().length)}@mail.example.com`,
			displayName = login,
			idle = false,
		}) =>
			entra.addUser({
				userPrincipalName: login,
				mail: email,
				displayName,
				...(idle ? nothing : everything),
			}).id,
		signIn(login) {
			entra.signIn(login);
			return entra.sessionsOf(login).at(-1)?.id ?? '';
		},
		isLive: (session) =>
			entra.allUsers().some(({ id }) => entra.sessionsOf(id).some((held) => held.id === session)),
		errorWith: (text) => ({
			error: { code: text, message: text, innerError: { 'request-id': text, date: text } },
			error_description: text,
		}),
		withdrawTokens: () => entra.withdrawTokens(),
		hideRevocations: () => {
			entra.replicationLagMs = Infinity;
		},
		answerEveryLookUpWith(login) {
			const user = entra.getUser(login);
			const times = Infinity;
			const list: RequestMatch = ({ route }) => route === 'listUsers';
			const body = { value: [user] };
			simulator.faults.next({ match: list, times, fault: { kind: 'wrongShape', body } });
			simulator.faults.next({ match: byId, times, fault: { kind: 'wrongShape', body: user } });
		},
		loseUserAtRevocation: () =>
			simulator.faults.next({
				match: 'revokeSignInSessions',
				fault: { kind: 'status', status: 404 },
			}),
		async close() {
			await simulator.close();
			await closeAll();
		},
	};
}

export const microsoftEntra: VendorFacts = {
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
		// Entra moves the time whether or not somebody was signed in.
		clean: { identity: 'clean@example.com', outcome: 'tokens_revoked', changed: true },
		deactivated: { identity: 'left@example.com', status: 'disabled' },
		own: {
			leftOut: 'an app acts as no user, and the simulated directory issues tokens of apps only',
		},
		shortName: { leftOut: 'Entra resolves no short names' },
		unsupported: [],
		crowd,
	},
	lookUps: [
		{
			title: 'sign-in name',
			identity: HAPPY,
			match: byName((filter) => !filter.includes(HAPPY_ADDRESS)),
			// Nobody found is 200 with an empty list here.
			ownNotFound: 'unexpected_reply',
			needs: READ,
			sendsWhenDenied: 3,
		},
		{
			title: 'e-mail address',
			identity: HAPPY_ADDRESS,
			match: byName((filter) => filter.includes(HAPPY_ADDRESS)),
			ownNotFound: 'unexpected_reply',
			needs: READ,
			sendsWhenDenied: 3,
		},
		{
			title: 'alias',
			identity: HAPPY_ALIAS,
			match: byAlias,
			ownNotFound: 'unexpected_reply',
			needs: ['User.Read.All'],
			sendsWhenDenied: 1,
		},
		{
			title: 'id',
			identity: HAPPY_ID,
			match: byId,
			ownNotFound: 'user_not_found',
			needs: READ,
			sendsWhenDenied: 3,
		},
	],
	revoke: {
		match: ({ route }) => route === 'revokeSignInSessions',
		requests: 1,
		idempotent: true,
		outcome: 'tokens_revoked',
		statusCode: 200,
		changed: true,
		ended: ['refresh tokens', 'browser sign-in sessions'],
		held: 'sessions',
		needs: ['User.RevokeSessions.All'],
		ownNotFound: 'user_not_found',
		whenLost: 'tokens_revoked',
		lists: { leftOut: 'Graph cannot list the sessions of a user' },
	},
	ownAccount: { leftOut: 'whose a token is stands in the token: nothing is asked' },
	widening: [],
	readBack: {
		match: readsBack,
		method: 'Microsoft Graph (signInSessionsValidFromDateTime)',
		whenHidden: 'unconfirmed',
	},
	checkNeeds: READ,
	batch: { match: ({ route }) => route === 'batch', outcome: 'tokens_revoked' },
	listing: { leftOut: 'Graph cannot list the sessions of a user' },
	oneSession: { leftOut: 'Graph can neither list sessions nor end a single one' },
	authentications: [
		{ title: 'access token', tokenRequests: 0 },
		{ title: 'client secret', tokenRequests: 1 },
		{ title: 'client secret, tenant by its domain', tokenRequests: 1 },
		{ title: 'certificate', tokenRequests: 1 },
	],
	unusedRoutes: {
		updateUser:
			'No node disables an account; the template Leaver has n8n do it before the revocation',
	},
	cannotHave: (kind, value) =>
		kind === 'login' && value.includes('#EXT#')
			? 'a sign-in name with #EXT# is that of a guest, whom the connector refuses to touch'
			: null,
	leftOut: {},
	start,
};
