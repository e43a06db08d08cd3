import { z } from 'zod';
import {
	type Access,
	clientSecretBasic,
	type Field,
	readBaseUrl,
	refusing,
} from '../core/connector';
import { DEFAULT_SCOPES } from './scopes';

export interface JanssenCredential {
	url: string;
	clientId: string;
	clientSecret: string;
	/** As asked for; what was granted is another matter. */
	scopes: readonly string[];
	allowUnauthorizedCerts: boolean;
}

export const fields: readonly Field[] = [
	{
		name: 'url',
		label: 'URL',
		type: 'string',
		required: true,
		placeholder: 'e.g. https://idp.example.com',
		description: 'The address of the Janssen server, without a path',
	},
	{
		name: 'clientId',
		label: 'Client ID',
		type: 'string',
		required: true,
		placeholder: 'e.g. 2000.11111111-2222-3333-4444-555555555555',
		description: 'The inum of an OpenID Connect client that may use the grant client credentials',
	},
	{
		name: 'clientSecret',
		label: 'Client Secret',
		type: 'secret',
		required: true,
	},
	{
		name: 'scopes',
		label: 'Scopes',
		type: 'string',
		required: true,
		default: DEFAULT_SCOPES.join(' '),
		description:
			'Separated by spaces. Every scope must be granted to the client; add global_token_revocation to revoke through Global Token Revocation.',
	},
	{
		name: 'allowUnauthorizedCerts',
		label: 'Allow Unauthorized Certificates',
		type: 'boolean',
		default: false,
		description:
			'Whether to connect even if the certificate of the server cannot be verified: for tests only, because then nothing proves who answers',
	},
];

export const schema = z
	.object({
		url: z.string().default(''),
		clientId: z.string().default(''),
		clientSecret: z.string().default(''),
		scopes: z.string().default(DEFAULT_SCOPES.join(' ')),
		allowUnauthorizedCerts: z.boolean().default(false),
	})
	.transform((typed, context): JanssenCredential => {
		const wrong = refusing<keyof typeof typed>(context);
		const base = readBaseUrl(typed.url, { allowPath: false });
		if ('problem' in base) return wrong('url', base.problem);
		const clientId = typed.clientId.trim();
		if (clientId === '') return wrong('clientId', 'is empty');
		const clientSecret = typed.clientSecret.trim();
		if (clientSecret === '') return wrong('clientSecret', 'is empty');
		const scopes = typed.scopes.split(/[\s,]+/).filter(Boolean);
		if (scopes.length === 0) return wrong('scopes', 'is empty');
		const { allowUnauthorizedCerts } = typed;
		return { url: base.url, clientId, clientSecret, scopes, allowUnauthorizedCerts };
	});

/** In {@link Access.furtherAuthentications}: the client itself, without a token. */
export const AS_CLIENT = 'client';

/**
 * The config API takes a token of the grant client credentials; Global Token Revocation looks at the
 * client itself, so that endpoint gets the client's secret.
 *
 * @see https://docs.jans.io/stable/janssen-server/config-guide/config-tools/config-api/authorization
 * @see https://docs.jans.io/stable/janssen-server/auth-server/endpoints/global-token-revocation
 */
export function access(credential: JanssenCredential): Access {
	const { url, clientId, clientSecret, scopes, allowUnauthorizedCerts } = credential;
	return {
		baseUrl: url,
		authentication: {
			type: 'oauth2',
			grant: {
				tokenUrl: `${url}/jans-auth/restv1/token`,
				form: { grant_type: 'client_credentials', scope: scopes.join(' ') },
				client: { method: 'client_secret_basic', clientId, clientSecret },
				dpop: false,
			},
		},
		furtherAuthentications: {
			[AS_CLIENT]: { type: 'header', name: 'Authorization', value: clientSecretBasic(credential) },
		},
		secrets: [clientSecret],
		allowUnauthorizedCerts,
	};
}
