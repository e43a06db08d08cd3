/**
 * Every simulated vendor as the demo and the host tests need it: how it is started, what a person types
 * into its credential, and how many sessions somebody has by the vendor's own state.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DEMO_ENTRA_CLIENT_ID, DEMO_ENTRA_CLIENT_SECRET } from '../simulator/entra-demo';
import { DEFAULT_ENTRA_TENANT } from '../simulator/entra-directory';
import { DEMO_GOOGLE_ACCESS_TOKEN, DEMO_GOOGLE_ADMIN } from '../simulator/google-demo';
import {
	DEMO_JANSSEN_CLIENT_ID,
	DEMO_JANSSEN_CLIENT_SECRET,
	DEMO_JANSSEN_SCOPES,
} from '../simulator/janssen-demo';
import { DEMO_KRATOS_TOKEN } from '../simulator/kratos-demo';
import { DEMO_MIRO_ACCESS_TOKEN } from '../simulator/miro-demo';
import { DEMO_OKTA_API_TOKEN } from '../simulator/okta-demo';
import { DEMO_SLACK_USER_TOKEN } from '../simulator/slack-demo';
import {
	DEMO_STYTCH_CONSUMER_PROJECT_ID,
	DEMO_STYTCH_CONSUMER_SECRET,
} from '../simulator/stytch-demo';
import { repositoryRoot } from './install';

export interface Vendor {
	/** The key in results and in `targets`. */
	readonly key: string;
	/** The name by which the simulator is started; absent: the key. */
	readonly startedAs?: string;
	readonly title: string;
	/** The node's name, without the package's. */
	readonly node: string;
	readonly credentialType: string;
	/** What a person would type into the credential, for the simulator at this address. */
	credentialData(simulatorUrl: string): Readonly<Record<string, unknown>>;
	/** The field of the credential whose secret opens the vendor. */
	readonly secret: string;
	/** The people of the simulator's state, each by the name that the demo calls them. */
	people(state: unknown): readonly Person[];
}

/** Somebody as a simulated vendor knows them. */
export interface Person {
	readonly name: string;
	/** How many live. */
	readonly sessions: number;
}

const sessions = z.union([z.number(), z.array(z.unknown()).transform((all) => all.length)]);

/** Reads the people of a state that lists them under `users`. */
const usersBy =
	(nameField: string) =>
	(state: unknown): readonly Person[] =>
		z
			.object({ users: z.array(z.object({ sessions }).passthrough()) })
			.parse(state)
			.users.map(({ sessions: living, [nameField]: name }) => ({
				name: typeof name === 'string' ? name : '',
				sessions: living,
			}));

const stytchState = z.object({
	consumer: z.object({
		users: z.array(
			z.object({ emails: z.array(z.object({ email: z.string() })), sessions }).passthrough(),
		),
	}),
});

const kratosState = z.object({
	identities: z.array(z.object({ email: z.string(), sessions: z.number() })),
});

/** A ready-made description for the Custom Provider, as a person pastes it. */
const description = (name: string): string =>
	readFileSync(join(repositoryRoot, 'docs', 'providers', `${name}.json`), 'utf8');

/** In the order in which results name them. */
export const VENDORS: readonly Vendor[] = [
	{
		key: 'custom',
		startedAs: 'kratos',
		title: 'Custom Provider',
		node: 'customSessions',
		credentialType: 'customSessionsApi',
		secret: 'token',
		credentialData: (simulatorUrl) => ({
			baseUrl: simulatorUrl,
			authentication: 'bearer',
			token: DEMO_KRATOS_TOKEN,
			provider: description('ory-kratos'),
		}),
		people: (state) =>
			kratosState
				.parse(state)
				.identities.map(({ email, sessions: living }) => ({ name: email, sessions: living })),
	},
	{
		key: 'google_workspace',
		title: 'Google Workspace',
		node: 'googleWorkspaceSessions',
		credentialType: 'googleWorkspaceSessionsApi',
		secret: 'accessToken',
		credentialData: (simulatorUrl) => ({
			authentication: 'accessToken',
			accessToken: DEMO_GOOGLE_ACCESS_TOKEN,
			adminEmail: DEMO_GOOGLE_ADMIN,
			auditLog: true,
			apiUrl: simulatorUrl,
		}),
		people: usersBy('primaryEmail'),
	},
	{
		key: 'janssen',
		title: 'Janssen',
		node: 'janssenSessions',
		credentialType: 'janssenSessionsApi',
		secret: 'clientSecret',
		credentialData: (simulatorUrl) => ({
			url: simulatorUrl,
			clientId: DEMO_JANSSEN_CLIENT_ID,
			clientSecret: DEMO_JANSSEN_CLIENT_SECRET,
			scopes: DEMO_JANSSEN_SCOPES.join(' '),
			allowUnauthorizedCerts: false,
		}),
		people: usersBy('mail'),
	},
	{
		key: 'entra',
		title: 'Microsoft Entra',
		node: 'microsoftEntraSessions',
		credentialType: 'microsoftEntraSessionsApi',
		secret: 'clientSecret',
		credentialData: (simulatorUrl) => ({
			authentication: 'clientSecret',
			tenantId: DEFAULT_ENTRA_TENANT,
			clientId: DEMO_ENTRA_CLIENT_ID,
			clientSecret: DEMO_ENTRA_CLIENT_SECRET,
			cloud: 'custom',
			graphUrl: simulatorUrl,
			loginUrl: simulatorUrl,
		}),
		people: usersBy('userPrincipalName'),
	},
	{
		key: 'miro',
		title: 'Miro',
		node: 'miroSessions',
		credentialType: 'miroSessionsApi',
		secret: 'accessToken',
		credentialData: (simulatorUrl) => ({
			accessToken: DEMO_MIRO_ACCESS_TOKEN,
			organizationId: '',
			apiUrl: simulatorUrl,
		}),
		people: usersBy('email'),
	},
	{
		key: 'okta',
		title: 'Okta',
		node: 'oktaSessions',
		credentialType: 'oktaSessionsApi',
		secret: 'apiToken',
		credentialData: (simulatorUrl) => ({
			domain: simulatorUrl,
			authentication: 'apiToken',
			apiToken: DEMO_OKTA_API_TOKEN,
		}),
		people: usersBy('login'),
	},
	{
		key: 'slack_enterprise',
		title: 'Slack',
		node: 'slackSessions',
		credentialType: 'slackSessionsApi',
		secret: 'userToken',
		credentialData: (simulatorUrl) => ({
			userToken: DEMO_SLACK_USER_TOKEN,
			apiUrl: `${simulatorUrl}/api`,
		}),
		people: usersBy('email'),
	},
	{
		key: 'stytch',
		title: 'Stytch',
		node: 'stytchSessions',
		credentialType: 'stytchSessionsApi',
		secret: 'secret',
		credentialData: (simulatorUrl) => ({
			projectType: 'consumer',
			projectId: DEMO_STYTCH_CONSUMER_PROJECT_ID,
			secret: DEMO_STYTCH_CONSUMER_SECRET,
			environment: 'custom',
			apiUrl: simulatorUrl,
		}),
		people: (state) =>
			stytchState.parse(state).consumer.users.map(({ emails: [first], sessions: living }) => ({
				name: first?.email ?? '',
				sessions: living,
			})),
	},
];
