import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { closeAll } from '../../../nodes/core/transport';
import { okta as connector } from '../../../nodes/Okta/connector';
import type { OktaOrg } from '../../simulator/okta-org';
import { OWNER, startOkta } from '../../support/okta';
import type { AuthenticationFacts, Bench, RequestMatch, VendorFacts } from '../bench';

const HAPPY = 'jane@example.com';
const HAPPY_ADDRESS = 'jane.doe@mail.example.com';
const crowd = Array.from({ length: 50 }, (_, index) => `crowd${index}@example.com`);
const everything = { sessions: 2, tokens: 1, devices: 1, grants: 1 };

/** Asks whom the API token belongs to. */
const own: RequestMatch = ({ path }) => path === '/api/v1/users/me';
const byKey: RequestMatch = (request) => request.route === 'getUser' && !own(request);

const SCOPES = 'okta.users.read okta.users.manage okta.logs.read okta.sessions.manage';

interface Key {
	title: string;
	kid: string;
	publicJwk: Record<string, unknown>;
	/** The same private key as users paste it, and what in it is secret. */
	pasted: Readonly<Record<'PEM' | 'JWK', { text: string; secrets: readonly string[] }>>;
}

function keyOf(title: string, pair: { privateKey: KeyObject; publicKey: KeyObject }): Key {
	const kid = `${title}-key`;
	const pem = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
	const jwk = pair.privateKey.export({ format: 'jwk' });
	return {
		title,
		kid,
		publicJwk: { ...pair.publicKey.export({ format: 'jwk' }), kid },
		pasted: {
			PEM: {
				text: pem,
				secrets: pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----')),
			},
			JWK: {
				text: JSON.stringify({ ...jwk, kid }),
				secrets: [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].filter(
					(member) => member !== undefined,
				),
			},
		},
	};
}

const keys: readonly Key[] = [
	keyOf('RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })),
	keyOf('EC', generateKeyPairSync('ec', { namedCurve: 'P-256' })),
];

const apps = [
	{ clientId: '0oaBearerApp000000001', dpop: false },
	{ clientId: '0oaDpopApp00000000001', dpop: true },
] as const;

interface ServiceApp extends AuthenticationFacts {
	secrets: readonly string[];
	credential: Record<string, unknown>;
}

const serviceApps: readonly ServiceApp[] = apps.flatMap(({ clientId, dpop }) =>
	keys.flatMap(({ title, kid, pasted }) =>
		(['PEM', 'JWK'] as const).map((form) => ({
			title: `service app, ${title} key as ${form}${dpop ? ', DPoP' : ''}`,
			// Okta asks for a nonce first.
			tokenRequests: dpop ? 2 : 1,
			secrets: pasted[form].secrets,
			credential: {
				authentication: 'serviceApp',
				apiToken: '',
				clientId,
				privateKey: pasted[form].text,
				keyId: form === 'PEM' ? kid : '',
				scopes: SCOPES,
				dpop,
			},
		})),
	),
);

function seed(org: OktaOrg): void {
	org.addUser({ login: HAPPY, email: HAPPY_ADDRESS, ...everything });
	org.addUser({ login: 'joe@example.com', ...everything });
	org.addUser({ login: 'shadow@example.com', email: 'joe@example.com', ...everything });
	for (const login of ['twin.one@example.com', 'twin.two@example.com']) {
		org.addUser({ login, email: 'shared@example.com', ...everything });
	}
	org.addUser({ login: 'clean@example.com' });
	org.addUser({ login: 'left@example.com', status: 'DEPROVISIONED' });
	for (const login of crowd) org.addUser({ login, sessions: 1 });
	const publicJwk = keys.map((key) => key.publicJwk as { kty: string });
	for (const app of apps) org.addServiceApp({ ...app, publicJwk, scopes: SCOPES.split(' ') });
}

const appOf = (authentication: string | undefined): ServiceApp | undefined =>
	serviceApps.find(({ title }) => title === authentication);

async function start(): Promise<Bench> {
	const okta = await startOkta({ seed, rateLimit: { limit: 1_000_000, windowMs: 60_000 } });
	const { org, simulator } = okta;
	return {
		simulator,
		connection({ authentication, surroundings } = {}) {
			return okta.connection(appOf(authentication)?.credential, surroundings);
		},
		secretsOf: (authentication) => appOf(authentication)?.secrets ?? [okta.token],
		async reset() {
			await closeAll();
			simulator.faults.clear();
			org.logLagMs = 0;
			org.reset();
			simulator.forget();
		},
		everyone: () =>
			Object.fromEntries(
				org.allUsers().map(({ id, profile: { login } }) => [
					login,
					{
						sessions: org.sessionsOf(id).length,
						tokens: org.tokensOf(id).length,
						devices: org.rememberedDevicesOf(id).length,
						grants: org.grantsOf(id).length,
					},
				]),
			),
		addUser: ({
			login,
			email = `${String(org.allUsers().length)}@mail.example.com`,
			displayName,
			idle = false,
		}) =>
			org.addUser({
				login,
				email,
				...(idle ? {} : everything),
				...(displayName === undefined ? {} : { profile: { displayName } }),
			}).id,
		signIn: (login) => org.signIn(login)[0] ?? '',
		isLive: (sessionId) => org.session(sessionId) !== undefined,
		errorWith: (text) => ({
			errorCode: text,
			errorSummary: text,
			errorLink: text,
			errorId: text,
			errorCauses: [{ errorSummary: text }],
			error: text,
			error_description: text,
		}),
		withdrawTokens: () => org.auth.revokeAllAccessTokens(),
		hideRevocations: () => {
			org.logLagMs = Infinity;
		},
		answerEveryLookUpWith(login) {
			const user = org.user(login);
			const times = Infinity;
			simulator.faults.next({ match: byKey, times, fault: { kind: 'wrongShape', body: user } });
			const body = [user];
			simulator.faults.next({ match: 'listUsers', times, fault: { kind: 'wrongShape', body } });
		},
		loseUserAtRevocation: () =>
			simulator.faults.next({
				match: 'revokeUserSessions',
				fault: { kind: 'status', status: 404 },
			}),
		close: okta.close,
	};
}

export const okta: VendorFacts = {
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
		// Okta answers 204 whether or not there was a session.
		clean: { identity: 'clean@example.com', outcome: 'revoked', changed: null },
		deactivated: { identity: 'left@example.com', status: 'DEPROVISIONED' },
		own: OWNER,
		shortName: 'jane',
		unsupported: ['me', 'ME', 'Me'],
		crowd,
	},
	lookUps: [
		{
			title: 'sign-in name',
			identity: HAPPY,
			match: byKey,
			ownNotFound: 'user_not_found',
			needs: ['okta.users.read'],
			sendsWhenDenied: 1,
		},
		{
			title: 'e-mail address',
			identity: HAPPY_ADDRESS,
			match: ({ route }) => route === 'listUsers',
			// Nobody found is 200 with an empty list here.
			ownNotFound: 'unexpected_reply',
			needs: ['okta.users.read'],
			sendsWhenDenied: 1,
		},
	],
	revoke: {
		match: ({ route }) => route === 'revokeUserSessions',
		requests: 1,
		idempotent: true,
		outcome: 'revoked',
		statusCode: 204,
		changed: null,
		ended: ['sessions'],
		held: 'sessions',
		needs: ['okta.users.manage', 'okta.users.lifecycle.clearSessions'],
		ownNotFound: 'user_not_found',
		whenLost: 'revoked',
		lists: { leftOut: 'Okta cannot list the sessions of a user' },
	},
	ownAccount: own,
	widening: [
		{ option: 'oauthTokens', ends: 'OAuth tokens', held: 'tokens' },
		{ option: 'forgetDevices', ends: 'remembered devices', held: 'devices' },
	],
	readBack: {
		match: ({ route }) => route === 'listLogEvents',
		method: 'Okta System Log (user.session.clear)',
		whenHidden: 'unconfirmed',
	},
	checkNeeds: ['okta.users.read'],
	batch: { leftOut: 'Okta takes one user in a request' },
	listing: { leftOut: 'Okta cannot list the sessions of a user' },
	oneSession: {
		match: ({ route }) => route === 'revokeSession',
		needs: ['okta.sessions.manage'],
	},
	authentications: [{ title: 'API token', tokenRequests: 0 }, ...serviceApps],
	unusedRoutes: {
		suspendUser: 'No node disables an account; the template Leaver tells how n8n does it',
		getSession: 'Ending a session by its id needs no reading before: a 404 says that it is gone',
	},
	// The simulated org takes whatever it is given: stranger names than Okta's own rules let through.
	cannotHave: () => null,
	leftOut: {},
	start,
};
