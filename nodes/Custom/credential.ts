import { z } from 'zod';
import {
	type Access,
	type Field,
	isSafePath,
	type Probe,
	readBaseUrl,
	readWord,
	refusing,
} from '../core/connector';
import { describedRequest } from './answers';
import { type Description, headerForm, readDescription } from './description';

/** How requests prove who sends them. */
type Authentication =
	| { authentication: 'none' }
	| { authentication: 'basic'; username: string; password: string }
	| { authentication: 'bearer'; token: string }
	| { authentication: 'header'; headerName: string; headerValue: string }
	| {
			authentication: 'clientCredentials';
			tokenUrl: string;
			clientId: string;
			clientSecret: string;
			scopes: string;
	  };

export type CustomCredential = Authentication & { baseUrl: string; provider: Description };

const shownFor = (way: Authentication['authentication']) => ({ authentication: [way] });

export const fields: readonly Field[] = [
	{
		name: 'baseUrl',
		label: 'Base URL',
		type: 'string',
		required: true,
		placeholder: 'e.g. https://identity.example.com/api',
		description: 'What stands before the paths of Provider',
	},
	{
		name: 'authentication',
		label: 'Authentication',
		type: 'choice',
		default: 'bearer',
		choices: [
			{ value: 'basic', label: 'Basic', description: 'User name and password' },
			{ value: 'bearer', label: 'Bearer Token' },
			{
				value: 'clientCredentials',
				label: 'Client Credentials',
				description: 'OAuth 2.0: an access token is asked for with a client ID and secret',
			},
			{ value: 'header', label: 'Header', description: 'A header of your own, such as an API key' },
			{ value: 'none', label: 'None', description: 'The network alone decides who may ask' },
		],
	},
	{
		name: 'username',
		label: 'User Name',
		type: 'string',
		required: true,
		showWhen: shownFor('basic'),
	},
	{
		name: 'password',
		label: 'Password',
		type: 'secret',
		required: true,
		showWhen: shownFor('basic'),
	},
	{
		name: 'token',
		label: 'Token',
		type: 'secret',
		required: true,
		showWhen: shownFor('bearer'),
	},
	{
		name: 'headerName',
		label: 'Header Name',
		type: 'string',
		required: true,
		placeholder: 'e.g. X-API-Key',
		showWhen: shownFor('header'),
	},
	{
		name: 'headerValue',
		label: 'Header Value',
		type: 'secret',
		required: true,
		showWhen: shownFor('header'),
	},
	{
		name: 'tokenUrl',
		label: 'Token URL',
		// eslint-disable-next-line n8n-nodes-base/node-param-type-options-password-missing -- An address is no secret.
		type: 'string',
		required: true,
		placeholder: 'e.g. https://identity.example.com/oauth/token',
		showWhen: shownFor('clientCredentials'),
	},
	{
		name: 'clientId',
		label: 'Client ID',
		type: 'string',
		required: true,
		showWhen: shownFor('clientCredentials'),
	},
	{
		name: 'clientSecret',
		label: 'Client Secret',
		type: 'secret',
		required: true,
		showWhen: shownFor('clientCredentials'),
	},
	{
		name: 'scopes',
		label: 'Scopes',
		type: 'string',
		placeholder: 'e.g. users.read sessions.write',
		description: 'Separated by spaces. None is asked for when empty.',
		showWhen: shownFor('clientCredentials'),
	},
	{
		name: 'provider',
		label: 'Provider',
		type: 'json',
		required: true,
		description: 'The description of the API, as JSON. Ready-made ones are in the documentation.',
	},
];

const printable = /^[\x20-\x7e]+$/;
/** Headers that belong to the transport. */
const REFUSED_HEADERS =
	/^(?:host|content-.*|transfer-encoding|accept.*|connection|keep-alive|te|trailer|upgrade|expect)$/i;

const typed = z.string().default('');

export const schema = z
	.object({
		baseUrl: typed,
		authentication: z
			.enum(['none', 'basic', 'bearer', 'header', 'clientCredentials'])
			.default('bearer'),
		username: typed,
		password: typed,
		token: typed,
		headerName: typed,
		headerValue: typed,
		tokenUrl: typed,
		clientId: typed,
		clientSecret: typed,
		scopes: typed,
		provider: z.unknown(),
	})
	.transform((given, context): CustomCredential => {
		const wrong = refusing<keyof typeof given>(context);
		const base = readBaseUrl(given.baseUrl, { allowPath: true });
		if ('problem' in base) return wrong('baseUrl', base.problem);
		if (!isSafePath(new URL(base.url).pathname.replace(/\/*$/, '/'))) {
			return wrong('baseUrl', 'has a path that is not valid');
		}
		const read = readDescription(given.provider);
		if ('problem' in read) return wrong('provider', read.problem);
		const at = { baseUrl: base.url, provider: read.description };
		const { authentication } = given;
		switch (authentication) {
			case 'none':
				return { ...at, authentication };
			case 'basic': {
				const { username, password } = given;
				// https://www.rfc-editor.org/rfc/rfc7617#section-2
				if (username === '') return wrong('username', 'is empty');
				if (/[:\p{Cc}]/u.test(username)) return wrong('username', 'has a colon in it');
				if (password === '') return wrong('password', 'is empty');
				return { ...at, authentication, username, password };
			}
			case 'bearer': {
				const token = readWord(given.token, 'token', 'Bearer');
				if ('problem' in token) return wrong('token', token.problem);
				return { ...at, authentication, token: token.word };
			}
			case 'header': {
				const headerName = given.headerName.trim();
				const headerValue = given.headerValue.trim();
				if (!headerForm.test(headerName)) return wrong('headerName', 'is not the name of a header');
				if (REFUSED_HEADERS.test(headerName)) {
					return wrong('headerName', 'names a header that is always set otherwise');
				}
				if (headersIn(read.description).some((name) => sameHeader(name, headerName))) {
					return wrong('provider', `cannot be used: it has the header of 'Header Name' too`);
				}
				if (headerValue === '') return wrong('headerValue', 'is empty');
				if (!printable.test(headerValue)) {
					return wrong('headerValue', 'contains characters that no header has');
				}
				return { ...at, authentication, headerName, headerValue };
			}
			case 'clientCredentials': {
				const tokenUrl = given.tokenUrl.trim();
				const endpoint = readBaseUrl(tokenUrl, { allowPath: true });
				if ('problem' in endpoint) return wrong('tokenUrl', endpoint.problem);
				const clientId = given.clientId.trim();
				if (clientId === '') return wrong('clientId', 'is empty');
				const clientSecret = given.clientSecret.trim();
				if (clientSecret === '') return wrong('clientSecret', 'is empty');
				const scopes = given.scopes.trim().split(/\s+/).join(' ');
				return { ...at, authentication, tokenUrl, clientId, clientSecret, scopes };
			}
		}
	});

const headersIn = ({ lookup, listSessions, revokeAll, revokeSession }: Description): string[] =>
	[lookup, listSessions, revokeAll, revokeSession].flatMap((one) =>
		Object.keys(one?.headers ?? {}),
	);

const sameHeader = (one: string, other: string): boolean =>
	one.toLowerCase() === other.toLowerCase();

export function access(credential: CustomCredential): Access {
	const { baseUrl } = credential;
	switch (credential.authentication) {
		case 'none':
			return { baseUrl, authentication: { type: 'none' }, secrets: [] };
		case 'basic': {
			const { username, password } = credential;
			const basic = Buffer.from(`${username}:${password}`).toString('base64');
			return inHeader(baseUrl, 'Authorization', `Basic ${basic}`, [password, basic]);
		}
		case 'bearer': {
			const { token } = credential;
			return inHeader(baseUrl, 'Authorization', `Bearer ${token}`, [token]);
		}
		case 'header': {
			const { headerName, headerValue } = credential;
			return inHeader(baseUrl, headerName, headerValue, secretsIn(headerName, headerValue));
		}
		case 'clientCredentials': {
			const { tokenUrl, clientId, clientSecret, scopes } = credential;
			return {
				baseUrl,
				authentication: {
					type: 'oauth2',
					grant: {
						tokenUrl,
						form: {
							grant_type: 'client_credentials',
							...(scopes === '' ? {} : { scope: scopes }),
						},
						client: { method: 'client_secret_basic', clientId, clientSecret },
						dpop: false,
					},
				},
				secrets: [clientSecret],
			};
		}
	}
}

const inHeader = (
	baseUrl: string,
	name: string,
	value: string,
	secrets: readonly string[],
): Access => ({ baseUrl, authentication: { type: 'header', name, value }, secrets });

/** Each cookie of several is a secret by itself, and so is its value. */
const secretsIn = (name: string, value: string): readonly string[] =>
	sameHeader(name, 'Cookie')
		? value.split(';').flatMap((one) => [one.trim(), one.slice(one.indexOf('=') + 1).trim()])
		: [value];

/** Nobody is called that: `.invalid` is reserved, so that no such address exists. */
export const NOBODY = 'nobody@session-revocation.invalid';

/** The look-up of a user who does not exist reads, and shows that users can be looked up. */
export function probe({ provider }: CustomCredential): Probe | { impossible: string } {
	const { lookup } = provider;
	if (!lookup) {
		return {
			impossible: 'the description has no lookup, and any other request could end sessions',
		};
	}
	return {
		request: describedRequest('lookup', lookup, { user: NOBODY }),
		accepted: [...lookup.success, ...lookup.notFound],
	};
}
