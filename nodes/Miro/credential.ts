import { z } from 'zod';
import { type Access, type Field, readBaseUrl, readWord, refusing } from '../core/connector';

export interface MiroCredential {
	accessToken: string;
	/** Empty: that of the token. */
	organizationId: string;
	apiUrl: string;
}

const API_URL = 'https://api.miro.com';

export const fields: readonly Field[] = [
	{
		name: 'accessToken',
		label: 'Access Token',
		type: 'secret',
		required: true,
		description:
			'Of an app that a Company Admin installed with the scopes sessions:delete and organizations:read',
	},
	{
		name: 'organizationId',
		label: 'Organization ID',
		type: 'string',
		placeholder: 'e.g. 3074457345821141000',
		description: 'Found from the token when empty',
	},
	{
		name: 'apiUrl',
		label: 'API URL',
		type: 'string',
		required: true,
		default: API_URL,
		description: 'The address of the Miro REST API, without a path',
	},
];

/** Miro's examples are all digits; the specification only says that it is text. */
const organization = /^[\w-]*$/;

export const schema = z
	.object({
		accessToken: z.string().default(''),
		organizationId: z.string().default(''),
		apiUrl: z.string().default(API_URL),
	})
	.transform((typed, context): MiroCredential => {
		const wrong = refusing<keyof typeof typed>(context);
		const base = readBaseUrl(typed.apiUrl, { allowPath: false });
		if ('problem' in base) return wrong('apiUrl', base.problem);
		const token = readWord(typed.accessToken, 'access token', 'Bearer');
		if ('problem' in token) return wrong('accessToken', token.problem);
		const organizationId = typed.organizationId.trim();
		if (!organization.test(organizationId)) {
			return wrong('organizationId', 'is not the ID of an organization');
		}
		return { accessToken: token.word, organizationId, apiUrl: base.url };
	});

export const access = ({ accessToken, apiUrl }: MiroCredential): Access => ({
	baseUrl: apiUrl,
	authentication: { type: 'header', name: 'Authorization', value: `Bearer ${accessToken}` },
	secrets: [accessToken],
});
