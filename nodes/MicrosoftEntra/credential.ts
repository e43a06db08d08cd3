import { z } from 'zod';
import {
	type Access,
	certificateThumbprint,
	type Field,
	readBaseUrl,
	readWord,
	refusing,
} from '../core/connector';

interface Cloud {
	/** Microsoft Graph, without a version. */
	graphUrl: string;
	/** The token service. */
	loginUrl: string;
}

export type EntraCredential = Cloud &
	(
		| { authentication: 'clientSecret'; tenantId: string; clientId: string; clientSecret: string }
		| {
				authentication: 'certificate';
				tenantId: string;
				clientId: string;
				thumbprint: string;
				privateKey: string;
		  }
		| { authentication: 'accessToken'; accessToken: string }
	);

/** @see https://learn.microsoft.com/graph/deployments */
const clouds = {
	global: {
		graphUrl: 'https://graph.microsoft.com',
		loginUrl: 'https://login.microsoftonline.com',
	},
	usGov: {
		graphUrl: 'https://graph.microsoft.us',
		loginUrl: 'https://login.microsoftonline.us',
	},
	usGovDod: {
		graphUrl: 'https://dod-graph.microsoft.us',
		loginUrl: 'https://login.microsoftonline.us',
	},
	china: {
		graphUrl: 'https://microsoftgraph.chinacloudapi.cn',
		loginUrl: 'https://login.chinacloudapi.cn',
	},
} as const satisfies Record<string, Cloud>;

/** Where Microsoft Graph is, by the value of `cloud`. */
export const graphUrls: Readonly<Record<string, string>> = Object.fromEntries(
	Object.entries(clouds).map(([cloud, { graphUrl }]) => [cloud, graphUrl]),
);

const forApps = { authentication: ['clientSecret', 'certificate'] };
const forCertificates = { authentication: ['certificate'] };

export const fields: readonly Field[] = [
	{
		name: 'authentication',
		label: 'Authentication',
		type: 'choice',
		default: 'clientSecret',
		choices: [
			{
				value: 'certificate',
				label: 'App with Certificate',
				description: 'An app registration that proves itself with a private key',
			},
			{
				value: 'clientSecret',
				label: 'App with Client Secret',
				description: 'An app registration that proves itself with a secret',
			},
			{
				value: 'accessToken',
				label: 'Access Token',
				description: 'A token that was obtained elsewhere; it ends within about an hour',
			},
		],
	},
	{
		name: 'tenantId',
		label: 'Tenant ID',
		type: 'string',
		required: true,
		placeholder: 'e.g. 11111111-2222-3333-4444-555555555555',
		description: 'The directory (tenant) ID, or a verified domain of the tenant',
		showWhen: forApps,
	},
	{
		name: 'clientId',
		label: 'Client ID',
		type: 'string',
		required: true,
		placeholder: 'e.g. 66666666-7777-8888-9999-000000000000',
		description: 'The application (client) ID of the app registration',
		showWhen: forApps,
	},
	{
		name: 'clientSecret',
		label: 'Client Secret',
		type: 'secret',
		required: true,
		description: "The secret's value, not its ID",
		showWhen: { authentication: ['clientSecret'] },
	},
	{
		name: 'certificate',
		label: 'Certificate',
		// Not secret, but n8n's rules see one in the name.
		type: 'secret',
		required: true,
		description: 'The certificate that was uploaded to the app registration, as PEM',
		showWhen: forCertificates,
	},
	{
		name: 'privateKey',
		label: 'Private Key',
		type: 'secret',
		required: true,
		description: 'The private key of the certificate, as PEM or as JWK, RSA, without a passphrase',
		showWhen: forCertificates,
	},
	{
		name: 'accessToken',
		label: 'Access Token',
		type: 'secret',
		required: true,
		description: 'An access token for Microsoft Graph',
		showWhen: { authentication: ['accessToken'] },
	},
	{
		name: 'cloud',
		label: 'Cloud',
		type: 'choice',
		default: 'global',
		choices: [
			{ value: 'china', label: 'China (21Vianet)' },
			{ value: 'custom', label: 'Custom', description: 'Addresses of your own' },
			{ value: 'global', label: 'Global' },
			{ value: 'usGov', label: 'US Government (L4)' },
			{ value: 'usGovDod', label: 'US Government (L5, DoD)' },
		],
	},
	{
		name: 'graphUrl',
		label: 'Graph URL',
		type: 'string',
		required: true,
		placeholder: 'e.g. https://graph.microsoft.com',
		description: 'The address of Microsoft Graph, without a version',
		showWhen: { cloud: ['custom'] },
	},
	{
		name: 'loginUrl',
		label: 'Login URL',
		type: 'string',
		required: true,
		placeholder: 'e.g. https://login.microsoftonline.com',
		description: 'The address of the token service, without the tenant',
		showWhen: { cloud: ['custom'], ...forApps },
	},
];

/** A GUID or a domain: one segment of the token service's path. */
const tenant = /^[A-Za-z0-9](?:[A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*)$/;
/** Sign-in audiences: an app's own token needs one tenant. */
const notOneTenant = /^(?:common|organizations|consumers)$/i;

export const schema = z
	.object({
		authentication: z.enum(['clientSecret', 'certificate', 'accessToken']).default('clientSecret'),
		tenantId: z.string().default(''),
		clientId: z.string().default(''),
		clientSecret: z.string().default(''),
		certificate: z.string().default(''),
		privateKey: z.string().default(''),
		accessToken: z.string().default(''),
		cloud: z.enum(['global', 'usGov', 'usGovDod', 'china', 'custom']).default('global'),
		graphUrl: z.string().default(''),
		loginUrl: z.string().default(''),
	})
	.transform((typed, context): EntraCredential => {
		const wrong = refusing<keyof typeof typed>(context);
		const { authentication, cloud } = typed;
		let addresses: Cloud = clouds.global;
		if (cloud !== 'custom') {
			addresses = clouds[cloud];
		} else {
			const graph = readBaseUrl(typed.graphUrl, { allowPath: false });
			if ('problem' in graph) return wrong('graphUrl', graph.problem);
			// A pasted token needs no token service.
			const given = authentication === 'accessToken' ? typed.graphUrl : typed.loginUrl;
			const login = readBaseUrl(given, { allowPath: false });
			if ('problem' in login) return wrong('loginUrl', login.problem);
			addresses = { graphUrl: graph.url, loginUrl: login.url };
		}
		if (authentication === 'accessToken') {
			const token = readWord(typed.accessToken, 'access token', 'Bearer');
			if ('problem' in token) return wrong('accessToken', token.problem);
			return { ...addresses, authentication, accessToken: token.word };
		}
		const tenantId = typed.tenantId.trim();
		if (tenantId === '') return wrong('tenantId', 'is empty');
		if (notOneTenant.test(tenantId)) {
			return wrong('tenantId', 'names no single tenant: fill in its ID');
		}
		if (!tenant.test(tenantId)) {
			return wrong('tenantId', 'is neither the ID nor a domain of a tenant');
		}
		const client = readWord(typed.clientId, 'client ID');
		if ('problem' in client) return wrong('clientId', client.problem);
		const clientId = client.word;
		const app = { ...addresses, tenantId, clientId };
		if (authentication === 'clientSecret') {
			const clientSecret = typed.clientSecret.trim();
			if (clientSecret === '') return wrong('clientSecret', 'is empty');
			return { ...app, authentication, clientSecret };
		}
		const { privateKey } = typed;
		if (privateKey.trim() === '') return wrong('privateKey', 'is empty');
		const read = certificateThumbprint(typed.certificate, privateKey);
		if ('problem' in read) return wrong('certificate', read.problem);
		return { ...app, authentication, thumbprint: read.thumbprint, privateKey };
	});

/**
 * An app mints its token with the client credentials flow.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 * @see https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
export function access(credential: EntraCredential): Access {
	const { graphUrl, loginUrl } = credential;
	if (credential.authentication === 'accessToken') {
		const { accessToken } = credential;
		return {
			baseUrl: graphUrl,
			authentication: { type: 'header', name: 'Authorization', value: `Bearer ${accessToken}` },
			secrets: [accessToken],
		};
	}
	const { tenantId, clientId } = credential;
	const grant = {
		tokenUrl: `${loginUrl}/${tenantId}/oauth2/v2.0/token`,
		form: { grant_type: 'client_credentials', scope: `${graphUrl}/.default` },
		dpop: false,
	};
	if (credential.authentication === 'clientSecret') {
		const { clientSecret } = credential;
		const client = { method: 'client_secret_post', clientId, clientSecret } as const;
		return {
			baseUrl: graphUrl,
			authentication: { type: 'oauth2', grant: { ...grant, client } },
			secrets: [clientSecret],
		};
	}
	const { privateKey, thumbprint } = credential;
	const key = { privateKey, algorithm: 'PS256', header: { 'x5t#S256': thumbprint } };
	const client = { method: 'private_key_jwt', clientId, key, notBefore: true } as const;
	return {
		baseUrl: graphUrl,
		authentication: { type: 'oauth2', grant: { ...grant, client } },
		secrets: [privateKey],
	};
}
