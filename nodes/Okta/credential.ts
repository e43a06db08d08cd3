import { z } from 'zod';
import { type Access, type Field, readBaseUrl, readWord, refusing } from '../core/connector';

export type OktaCredential = { domain: string } & (
	| { authentication: 'apiToken'; apiToken: string }
	| {
			authentication: 'serviceApp';
			clientId: string;
			privateKey: string;
			keyId: string;
			scopes: readonly string[];
			dpop: boolean;
	  }
);

const forServiceApp = { authentication: ['serviceApp'] };

export const fields: readonly Field[] = [
	{
		name: 'domain',
		label: 'Okta Domain',
		type: 'string',
		required: true,
		placeholder: 'e.g. https://acme.okta.com',
		description: 'The address of your Okta organization, not of its admin console, without a path',
	},
	{
		name: 'authentication',
		label: 'Authentication',
		type: 'choice',
		default: 'apiToken',
		choices: [
			{
				value: 'apiToken',
				label: 'API Token',
				description: 'Acts with the rights of the administrator who created the token',
			},
			{
				value: 'serviceApp',
				label: 'OAuth Service App',
				description: 'Acts with the scopes and the admin role that were given to the app',
			},
		],
	},
	{
		name: 'apiToken',
		label: 'API Token',
		type: 'secret',
		required: true,
		description: "From Security > API > Tokens, with or without the prefix 'SSWS '",
		showWhen: { authentication: ['apiToken'] },
	},
	{
		name: 'clientId',
		label: 'Client ID',
		type: 'string',
		required: true,
		placeholder: 'e.g. 0oa1b2c3d4e5f6g7h8i9',
		showWhen: forServiceApp,
	},
	{
		name: 'privateKey',
		label: 'Private Key',
		type: 'secret',
		required: true,
		description: "The private half of the app's public key, as PEM or as JWK, RSA or EC",
		showWhen: forServiceApp,
	},
	{
		name: 'keyId',
		label: 'Key ID',
		type: 'string',
		placeholder: 'e.g. SIGNING_KEY_1',
		description: 'The kid of the key; needed when the app has several keys and the JWK names none',
		showWhen: forServiceApp,
	},
	{
		name: 'scopes',
		label: 'Scopes',
		type: 'string',
		default: 'okta.users.read okta.users.manage',
		description:
			'Separated by spaces; add okta.logs.read to verify revocations in the System Log, and okta.sessions.manage to revoke single sessions. Every scope must be granted to the app.',
		showWhen: forServiceApp,
	},
	{
		name: 'dpop',
		label: 'DPoP',
		type: 'boolean',
		default: false,
		description: 'Whether the app requires the DPoP header in token requests',
		showWhen: forServiceApp,
	},
];

export const schema = z
	.object({
		domain: z.string().default(''),
		authentication: z.enum(['apiToken', 'serviceApp']).default('apiToken'),
		apiToken: z.string().default(''),
		clientId: z.string().default(''),
		privateKey: z.string().default(''),
		keyId: z.string().default(''),
		scopes: z.string().default(''),
		dpop: z.boolean().default(false),
	})
	.transform((typed, context): OktaCredential => {
		const wrong = refusing<keyof typeof typed>(context);
		const base = readBaseUrl(typed.domain, { allowPath: false });
		if ('problem' in base) return wrong('domain', base.problem);
		const domain = base.url;
		if (typed.authentication === 'apiToken') {
			const token = readWord(typed.apiToken, 'API token', 'SSWS');
			if ('problem' in token) return wrong('apiToken', token.problem);
			return { domain, authentication: 'apiToken', apiToken: token.word };
		}
		const client = readWord(typed.clientId, 'client ID');
		if ('problem' in client) return wrong('clientId', client.problem);
		const clientId = client.word;
		if (typed.privateKey.trim() === '') return wrong('privateKey', 'is empty');
		const scopes = typed.scopes.split(/[\s,]+/).filter(Boolean);
		if (scopes.length === 0) return wrong('scopes', 'is empty');
		return {
			domain,
			authentication: 'serviceApp',
			clientId,
			privateKey: typed.privateKey,
			keyId: typed.keyId.trim(),
			scopes,
			dpop: typed.dpop,
		};
	});

/**
 * An API token goes into the header as it is. A service app mints an access token at the org
 * authorization server with `private_key_jwt`, the only client authentication that yields scopes
 * of Okta's own API.
 *
 * @see https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/main/
 */
export function access(credential: OktaCredential): Access {
	const { domain } = credential;
	if (credential.authentication === 'apiToken') {
		const { apiToken } = credential;
		return {
			baseUrl: domain,
			authentication: { type: 'header', name: 'Authorization', value: `SSWS ${apiToken}` },
			secrets: [apiToken],
		};
	}
	const { clientId, privateKey, keyId, scopes, dpop } = credential;
	return {
		baseUrl: domain,
		authentication: {
			type: 'oauth2',
			grant: {
				tokenUrl: `${domain}/oauth2/v1/token`,
				form: { grant_type: 'client_credentials', scope: scopes.join(' ') },
				client: {
					method: 'private_key_jwt',
					clientId,
					key: { privateKey, ...(keyId === '' ? {} : { keyId }) },
				},
				dpop,
			},
		},
		secrets: [privateKey],
	};
}
