import type {
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	IHttpRequestHelper,
	IHttpRequestOptions,
	Icon,
	INodeProperties,
} from 'n8n-workflow';
import { ConfigurationError, readCredential } from '../connection';
import type { Connector } from '../connector';
import { authorizationHeaders, mint, type MintedToken } from '../transport/oauth';
import type { Authentication } from '../transport/types';
import { documentationUrl } from './documentation';
import { asProperty } from './properties';

/**
 * The credential class of one connector. The nodes read its fields and use their own transport;
 * what is here beyond the fields serves n8n's own connection test, through n8n's own HTTP helper.
 *
 * @example export class OktaSessionsApi extends credentialFor(okta) {}
 */
export function credentialFor(connector: Connector): new () => ICredentialType {
	const { credential, node } = connector;
	return class implements ICredentialType {
		name = credential.name;
		displayName = credential.displayName;
		icon: Icon = {
			light: `file:../nodes/${folderOf(connector)}/${node.icon}.svg`,
			dark: `file:../nodes/${folderOf(connector)}/${node.icon}.dark.svg`,
		};
		documentationUrl = documentationUrl(connector);
		properties: INodeProperties[] = [mintedToken(), ...credential.fields.map(asProperty)];

		/** Mints an access token for the connection test; n8n calls it when there is none, and after a 401. */
		async preAuthentication(
			this: IHttpRequestHelper,
			data: ICredentialDataDecryptedObject,
		): Promise<{ [TOKEN]: string }> {
			const { authentication } = accessOf(connector, data);
			return { [TOKEN]: await mintThrough(this, authentication) };
		}

		async authenticate(
			data: ICredentialDataDecryptedObject,
			request: IHttpRequestOptions,
		): Promise<IHttpRequestOptions> {
			const { authentication, baseUrl } = accessOf(connector, data);
			const url = new URL(request.url, request.baseURL ?? `${baseUrl}/`);
			if (url.origin !== new URL(baseUrl).origin) {
				throw new ConfigurationError(
					`The credential '${credential.displayName}' is for ${baseUrl} and is not sent to ${url.origin}`,
					'Use it with the address that it names',
				);
			}
			return {
				...request,
				headers: {
					...request.headers,
					...(await headersFor(authentication, data[TOKEN], request.method ?? 'GET', url)),
				},
			};
		}

		test: ICredentialTestRequest = {
			request: {
				baseURL: `={{ $credentials.${credential.test.baseUrlField}.trim().replace(/\\/+$/, '') }}`,
				url: credential.test.path,
			},
			rules: [
				{
					type: 'responseCode',
					properties: {
						value: 401,
						message: `${connector.title} does not accept the credential: it is wrong, expired or was withdrawn`,
					},
				},
				{
					type: 'responseCode',
					properties: {
						value: 403,
						message: `${connector.title} accepts the credential, but it may not look up users: grant ${credential.test.needs}`,
					},
				},
			],
		};
	};
}

/** The hidden field in which n8n keeps the token of its connection test. */
const TOKEN = 'testToken';

const mintedToken = (): INodeProperties => ({
	displayName: 'Test Token',
	name: TOKEN,
	type: 'hidden',
	typeOptions: { expirable: true, password: true },
	default: '',
});

/** Node folders are named after the vendor: `OktaSessions` lies in `Okta`. */
export const folderOf = ({ node }: Pick<Connector, 'node'>): string =>
	node.className.replace(/Sessions$/, '');

function accessOf(
	connector: Connector,
	data: ICredentialDataDecryptedObject,
): ReturnType<Connector['access']> {
	return connector.access(readCredential(connector, data));
}

async function mintThrough(
	{ helpers }: IHttpRequestHelper,
	authentication: Authentication,
): Promise<string> {
	if (authentication.type !== 'oauth2') return '';
	const token = await mint(authentication.grant, async (url, headers, form) => {
		const reply = (await helpers.httpRequest({
			method: 'POST',
			url,
			headers: { ...headers },
			body: form,
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			json: false,
		})) as { statusCode: number; headers: Record<string, string>; body: unknown };
		return { status: reply.statusCode, headers: reply.headers, body: reply.body };
	});
	return JSON.stringify(token);
}

async function headersFor(
	authentication: Authentication,
	stored: unknown,
	method: string,
	url: URL,
): Promise<Record<string, string>> {
	switch (authentication.type) {
		case 'none':
			return {};
		case 'header':
			return { [authentication.name]: authentication.value };
		case 'oauth2':
			return await authorizationHeaders(
				JSON.parse(String(stored)) as MintedToken,
				method,
				url.href,
			);
	}
}
