import { z } from 'zod';
import {
	type Access,
	type Field,
	readBaseUrl,
	readWord,
	refusing,
	type VendorReply,
} from '../core/connector';
import { reasonOf } from './replies';

export type GoogleCredential = {
	apiUrl: string;
	/** Whether the audit log may be read. */
	auditLog: boolean;
} & (
	| {
			authentication: 'serviceAccount';
			clientEmail: string;
			privateKey: string;
			adminEmail: string;
			tokenUrl: string;
	  }
	| {
			authentication: 'accessToken';
			accessToken: string;
			/** Empty when it was not told. */
			adminEmail: string;
	  }
);

/** @see https://developers.google.com/identity/protocols/oauth2/scopes#admin-directory */
export const scopes = {
	read: 'https://www.googleapis.com/auth/admin.directory.user.readonly',
	revoke: 'https://www.googleapis.com/auth/admin.directory.user.security',
	audit: 'https://www.googleapis.com/auth/admin.reports.audit.readonly',
} as const;

const API_URL = 'https://admin.googleapis.com';
const TOKEN_URL = 'https://oauth2.googleapis.com/token';

const forServiceAccount = { authentication: ['serviceAccount'] };

export const fields: readonly Field[] = [
	{
		name: 'authentication',
		label: 'Authentication',
		type: 'choice',
		default: 'serviceAccount',
		choices: [
			{
				value: 'accessToken',
				label: 'Access Token',
				description: 'A token that was obtained elsewhere; it ends within about an hour',
			},
			{
				value: 'serviceAccount',
				label: 'Service Account',
				description:
					'A service account with domain-wide delegation, which acts as an administrator',
			},
		],
	},
	{
		name: 'clientEmail',
		label: 'Client Email',
		type: 'string',
		required: true,
		placeholder: 'e.g. revoker@my-project.iam.gserviceaccount.com',
		description: "The service account's address: client_email in its key file",
		showWhen: forServiceAccount,
	},
	{
		name: 'privateKey',
		label: 'Private Key',
		type: 'secret',
		required: true,
		description: 'The value of private_key in the key file of the service account, as PEM',
		showWhen: forServiceAccount,
	},
	{
		name: 'accessToken',
		label: 'Access Token',
		type: 'secret',
		required: true,
		description: 'An OAuth 2.0 access token of an administrator, for both scopes',
		showWhen: { authentication: ['accessToken'] },
	},
	{
		name: 'adminEmail',
		label: 'Admin Email',
		type: 'string',
		placeholder: 'e.g. admin.automation@example.com',
		description:
			'The administrator as whom the service account or the token acts; may be left empty for a token only',
	},
	{
		name: 'auditLog',
		label: 'Read Audit Log',
		type: 'boolean',
		default: false,
		description: `Whether to look in the audit log of the Admin console for the revocation afterwards; needs the scope ${scopes.audit} too, and the privilege Reports`,
	},
	{
		name: 'apiUrl',
		label: 'API URL',
		type: 'string',
		default: API_URL,
		description: 'The address of the Admin SDK, without a path',
	},
	{
		name: 'tokenUrl',
		label: 'Token URL',
		// eslint-disable-next-line n8n-nodes-base/node-param-type-options-password-missing -- An address is no secret.
		type: 'string',
		default: TOKEN_URL,
		description: 'The address of the token endpoint, with its path',
		showWhen: forServiceAccount,
	},
];

const address = /^[^\s@]+@[^\s@]+$/;

export const schema = z
	.object({
		authentication: z.enum(['serviceAccount', 'accessToken']).default('serviceAccount'),
		clientEmail: z.string().default(''),
		privateKey: z.string().default(''),
		accessToken: z.string().default(''),
		adminEmail: z.string().default(''),
		auditLog: z.boolean().default(false),
		apiUrl: z.string().default(API_URL),
		tokenUrl: z.string().default(TOKEN_URL),
	})
	.transform((typed, context): GoogleCredential => {
		const wrong = refusing<keyof typeof typed>(context);
		const { authentication, auditLog } = typed;
		const api = readBaseUrl(typed.apiUrl, { allowPath: false });
		if ('problem' in api) return wrong('apiUrl', api.problem);
		const adminEmail = typed.adminEmail.trim();
		if (adminEmail !== '' && !address.test(adminEmail)) {
			return wrong('adminEmail', 'is no address of a user');
		}
		const common = { apiUrl: api.url, auditLog, adminEmail };
		if (authentication === 'accessToken') {
			const token = readWord(typed.accessToken, 'access token', 'Bearer');
			if ('problem' in token) return wrong('accessToken', token.problem);
			return { ...common, authentication, accessToken: token.word };
		}
		const clientEmail = typed.clientEmail.trim();
		if (clientEmail === '') return wrong('clientEmail', 'is empty');
		if (!address.test(clientEmail)) {
			return wrong('clientEmail', 'is no address of a service account');
		}
		const { privateKey } = typed;
		if (privateKey.trim() === '') return wrong('privateKey', 'is empty');
		if (adminEmail === '') return wrong('adminEmail', 'is empty');
		const token = readBaseUrl(typed.tokenUrl, { allowPath: true });
		if ('problem' in token) return wrong('tokenUrl', token.problem);
		return { ...common, authentication, clientEmail, privateKey, tokenUrl: token.url };
	});

/** @see https://developers.google.com/identity/protocols/oauth2/service-account */
export function access(credential: GoogleCredential): Access {
	const { apiUrl } = credential;
	if (credential.authentication === 'accessToken') {
		const { accessToken } = credential;
		return {
			baseUrl: apiUrl,
			authentication: { type: 'header', name: 'Authorization', value: `Bearer ${accessToken}` },
			secrets: [accessToken],
			isThrottled,
		};
	}
	const { clientEmail, privateKey, adminEmail, tokenUrl, auditLog } = credential;
	const asked = [scopes.read, scopes.revoke, ...(auditLog ? [scopes.audit] : [])];
	return {
		baseUrl: apiUrl,
		authentication: {
			type: 'oauth2',
			grant: {
				tokenUrl,
				form: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
				client: { method: 'none' },
				assertion: {
					claims: {
						iss: clientEmail,
						sub: adminEmail,
						scope: asked.join(' '),
						// Google's own name of its token endpoint, also where another address leads to it.
						aud: TOKEN_URL,
					},
					key: { privateKey, algorithm: 'RS256' },
				},
				dpop: false,
				refusals: refusals(asked),
			},
		},
		secrets: [privateKey],
		isThrottled,
	};
}

/**
 * A token is given for all scopes or not at all. Without domain-wide delegation of one of them the
 * documents know two error codes, and a third where a policy of the domain forbids it.
 *
 * @see https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth
 */
function refusals(asked: readonly string[]) {
	const undelegated = {
		missingPermissions: asked,
		advice: `in the Admin console, under Security > Access and data control > API controls > Domain-wide delegation, authorize the service account's client ID for exactly these scopes: ${asked.join(', ')}`,
	};
	return {
		unauthorized_client: undelegated,
		access_denied: undelegated,
		admin_policy_enforced: undelegated,
		invalid_grant: {
			advice:
				"check 'Client Email' and 'Private Key', that 'Admin Email' is an active user of the account, and the clock of this machine",
		},
	};
}

const quota: ReadonlySet<string | null> = new Set([
	'userRateLimitExceeded',
	'quotaExceeded',
	'rateLimitExceeded',
]);

/**
 * Whether an answer 403 means "too many".
 *
 * @see https://developers.google.com/workspace/admin/directory/v1/limits
 */
export const isThrottled = (reply: VendorReply): boolean =>
	reply.status === 403 && quota.has(reasonOf(reply));
