/**
 * Stytch: its Consumer and its B2B product, which the project decides between. Sessions are listed,
 * ended, and listed again until there are none.
 *
 * @see https://stytch.com/docs/api
 * @see https://stytch.com/docs/api-reference/b2b/api/overview
 */
import { z } from 'zod';
import {
	defineConnector,
	expectJson,
	type Explanation,
	type Listing,
	path,
	type Session,
	type Survivor,
} from '../core/connector';
import { b2b } from './b2b';
import { consumer } from './consumer';
import { access, fields, schema, type StytchCredential, testBaseUrl } from './credential';
import {
	type Account,
	errorType,
	get,
	type Holder,
	isError,
	judge,
	post,
	type Product,
	revokeNamed,
} from './product';
import { authenticated, connectedApps } from './replies';

const products = { consumer, b2b } as const;

const productOf = ({ projectType }: StytchCredential): Product => products[projectType];

const organizationsOf = (credential: StytchCredential): readonly string[] =>
	credential.projectType === 'b2b' ? credential.organizationIds : [];

const options = z.object({ revokeConnectedApps: z.boolean().default(false) }).strict();

type StytchOptions = z.infer<typeof options>;

/**
 * "Revokes a Connected App's access to a User and revokes all active tokens": one request for each app.
 *
 * @see https://github.com/stytchauth/stytch-node/blob/main/lib/b2c/users.ts
 * @see https://github.com/stytchauth/stytch-node/blob/main/lib/b2b/organizations_members_connected_apps.ts
 */
const revokeApps = (product: Product, holder: Holder): Listing => ({
	lists: 'connected apps',
	*list() {
		const apps = product.connectedApps(holder);
		const reply = yield get(apps, 'connected_apps');
		const { connected_apps } = expectJson(reply, connectedApps);
		return connected_apps.map(({ connected_app_id }) => ({
			request: post(apps + path`/${connected_app_id}/revoke`, 'connected_apps/revoke', {}),
			ends: ['connected apps'],
			count: 1,
			judge: (answer) => judge(answer, 'connected_app_not_found'),
		}));
	},
});

const MINUTE = 60_000;

function survives({ revokeConnectedApps }: StytchOptions): readonly Survivor[] {
	return [
		{
			what: 'session JWTs',
			forMs: 5 * MINUTE,
			note: 'Apps that check a session JWT without asking Stytch accept it until it expires, at most five minutes after it was issued',
		},
		revokeConnectedApps
			? {
					what: 'access tokens that connected apps check without asking Stytch',
					forMs: null,
					note: 'A revoked access token passes a local check until it expires',
				}
			: {
					what: 'connected apps',
					forMs: null,
					note: 'Apps and agents that the user let in keep their access and refresh tokens; those of first-party apps can have the right to start a new session',
					option: 'revokeConnectedApps',
				},
	];
}

const noCredential: Explanation = {
	cause: 'credential_invalid',
	advice:
		"the project ID and the secret do not belong together; copy both from the same project and environment, under API Keys of Stytch's Dashboard",
};

const otherEnvironment: Explanation = {
	cause: 'configuration',
	advice:
		"the credential's project is of one environment (test or live), and the address of the other; set 'Environment' to 'From the Project ID', or correct 'API URL'",
};

const otherProduct = (needed: string): Explanation => ({
	cause: 'configuration',
	advice: `the project is not what the credential says; set its 'Project Type' to '${needed}'`,
});

const idOfOther = (other: string): Explanation => ({
	cause: 'invalid_input',
	advice: `the ID is one of the ${other} environment, and the credential's project is not`,
});

const noSession: Explanation = {
	cause: 'invalid_input',
	advice: 'the value does not have the form of what the parameter names',
};

const noOrganization: Explanation = {
	cause: 'configuration',
	advice:
		"there is no such organization in the project; correct 'Organization IDs' of the credential",
};

const lostMeanwhile: Explanation = {
	cause: 'unexpected_reply',
	advice: 'the user was deleted after the look-up; look the user up again',
};

/**
 * What Stytch's errors mean beyond their status. Most of what is wrong with a credential is a 400.
 * The types are those of Stytch's own SDK for Android (`StytchAPIErrorType`). Of the two
 * `unauthorized_project_id_…` no document tells which environment they name, so both say the same.
 *
 * @see https://stytch.com/docs/api/errors/400
 * @see https://stytch.com/docs/api/errors/401
 */
const explanations: Readonly<Record<string, Explanation>> = {
	invalid_authorization_header: noCredential,
	invalid_project_id_authentication: noCredential,
	invalid_secret_authentication: noCredential,
	unauthorized_credentials: noCredential,
	unauthorized_project_id_live: otherEnvironment,
	unauthorized_project_id_test: otherEnvironment,
	invalid_b2b_endpoint: otherProduct('Consumer'),
	invalid_consumer_endpoint: otherProduct('B2B'),
	live_id_used_in_test_environment: idOfOther('live'),
	test_id_used_in_live_environment: idOfOther('test'),
	invalid_session_id: noSession,
	invalid_session_token: noSession,
	unable_to_parse_session_jwt: noSession,
	invalid_organization_id: noOrganization,
	organization_not_found: noOrganization,
	user_not_found: lostMeanwhile,
	member_not_found: lostMeanwhile,
};

/** Parameters that name a session, and the members of a request that do. */
const TOKENS: Readonly<Record<string, string>> = {
	sessionToken: 'session_token',
	sessionJwt: 'session_jwt',
};

export const stytch = defineConnector<StytchCredential, Account, StytchOptions>({
	key: 'stytch',
	title: 'Stytch',
	node: {
		className: 'StytchSessions',
		displayName: 'Stytch Sessions',
		description:
			'Look up users and members of Stytch, and list, authenticate and end their sessions',
		icon: 'stytch',
		alias: ['Sign Out', 'Log Out', 'Connected Apps', 'Incident Response', 'Identity'],
	},
	docs: 'stytch',
	userPlaceholder: 'e.g. jane@example.com',
	operations: [
		'retrieveUser',
		'revokeAllSessions',
		'listSessions',
		'revokeSession',
		'authenticateSession',
		'checkSetup',
	],
	options: {
		fields: [
			{
				name: 'revokeConnectedApps',
				label: 'Revoke Connected Apps',
				type: 'boolean',
				default: false,
				description:
					'Whether to end the access of the apps and agents that the user let in (Connected Apps), with all their tokens, too',
			},
		],
		schema: options,
	},
	credential: {
		name: 'stytchSessionsApi',
		displayName: 'Stytch Sessions API',
		fields,
		schema,
		test: {
			baseUrl: testBaseUrl,
			path: "={{ $credentials.projectType === 'b2b' ? '/v1/b2b/organizations/search' : '/v1/users/search' }}",
			method: 'POST',
			json: { limit: 1 },
			needs: 'a secret of this project',
			refusals: [
				{
					status: 400,
					message:
						"Stytch does not accept the project ID or the secret, or the project is not of the type that 'Project Type' says",
				},
			],
		},
	},
	access,
	requestId: { member: 'request_id' },
	errorCode: errorType,
	explain: (reply) => (reply.status === 200 ? undefined : explanations[errorType(reply) ?? '']),

	*lookUp(identity, { credential }) {
		return yield* productOf(credential).lookUp(identity, organizationsOf(credential));
	},

	endedOutcome: 'revoked',
	revocation(account, { credential, options: { revokeConnectedApps } }) {
		const product = productOf(credential);
		const sessions = account.map((holder) => product.revokeSessions(holder));
		const apps = account.map((holder) => revokeApps(product, holder));
		return revokeConnectedApps ? [...sessions, ...apps] : sessions;
	},
	/** Who signs in between the list and the last end is found by the next list. */
	rounds: 3,

	*listSessions(account, { credential, limit }) {
		const product = productOf(credential);
		const sessions: Session[] = [];
		for (const holder of account) {
			if (limit !== null && sessions.length >= limit) break;
			sessions.push(...product.readSessions(yield product.sessionsOf(holder), holder));
		}
		return sessions;
	},

	revokeOne: {
		placeholder: 'e.g. session-live-11111111-2222-3333-4444-555555555555',
		alternatives: [
			{ name: 'sessionToken', label: 'Session Token', type: 'secret' },
			{ name: 'sessionJwt', label: 'Session JWT', type: 'secret' },
		],
		step({ parameter, value }, _, { credential }) {
			const product = productOf(credential);
			const name = TOKENS[parameter] ?? product.sessionId;
			return { ...revokeNamed(product, { [name]: value }), ends: ['session'] };
		},
	},

	/**
	 * Only a duration moves the session's end.
	 *
	 * @see https://github.com/stytchauth/stytch-node/blob/main/lib/b2c/sessions.ts
	 * @see https://stytch.com/docs/b2b/api/authenticate-session
	 */
	authenticateSession: {
		durations: [5, 527_040],
		request(sessionToken, durationMinutes, credential) {
			const extended =
				durationMinutes === null ? {} : { session_duration_minutes: durationMinutes };
			const url = `${productOf(credential).sessions}/authenticate`;
			return post(url, 'sessions/authenticate', { session_token: sessionToken, ...extended });
		},
		judge(reply) {
			const isDead =
				isError(reply, 404, 'session_not_found') || isError(reply, 400, 'invalid_session_token');
			if (isDead) return 'dead';
			const valid = reply.status === 200 ? authenticated.safeParse(reply.body).data : undefined;
			return (
				valid && {
					userId: valid.userId,
					sessionToken: valid.session_token,
					session: valid.session,
				}
			);
		},
	},

	readBack: {
		method: 'Stytch (list of sessions)',
		// Lists show a revocation at once; should one lag, the rounds ask again too.
		polls: [0, 500],
		isPossible: () => true,
		*read(account, _, { credential }) {
			const product = productOf(credential);
			let remaining = 0;
			for (const holder of account) {
				const reply = yield product.sessionsOf(holder);
				remaining += product.readSessions(reply, holder).length;
			}
			return remaining === 0 ? { seen: 'confirmed' } : { seen: 'residue', remaining };
		},
	},

	survives,

	*checkSetup({ credential }) {
		const product = productOf(credential);
		product.readProbe(yield product.probe(organizationsOf(credential)));
		return { missingPermissions: [], unproved: null };
	},
});
