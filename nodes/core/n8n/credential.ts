import type {
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	IDataObject,
	IHttpRequestHelper,
	IHttpRequestOptions,
	Icon,
	INodeProperties,
} from 'n8n-workflow';
import { ConfigurationError, openCredential } from '../connection';
import { type Access, type Connector, queryOf } from '../connector';
import { documentationUrl } from '../documentation';
import { stopForThrown } from '../failure';
import {
	type Authentication,
	authorizationHeaders,
	LeastRecentlyUsed,
	mint,
	type MintedToken,
	TransportError,
} from '../transport';
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
			const { access } = openCredential(connector, data);
			try {
				return { [TOKEN]: await mintThrough(this, access) };
			} catch (thrown) {
				// For an error that carries a status n8n has words of its own, which name neither system nor cause.
				throw thrown instanceof TransportError
					? new Error(stopForThrown(thrown, connector).message)
					: thrown;
			}
		}

		async authenticate(
			data: ICredentialDataDecryptedObject,
			request: IHttpRequestOptions,
		): Promise<IHttpRequestOptions> {
			const { access, credential: opened } = openCredential(connector, data);
			const { authentication, baseUrl } = access;
			const asked =
				request.url === PROBE ? { ...request, ...probeOf(connector, opened, baseUrl) } : request;
			const url = new URL(asked.url, asked.baseURL ?? `${baseUrl}/`);
			if (url.origin !== new URL(baseUrl).origin) {
				throw new ConfigurationError(
					`The credential '${credential.displayName}' is for ${baseUrl} and is not sent to ${url.origin}`,
					'Use it with the address that it names',
				);
			}
			return {
				...asked,
				...certificateRule(access),
				headers: {
					...asked.headers,
					...(await headersFor(authentication, data[TOKEN], asked.method ?? 'GET', url)),
				},
			};
		}

		test: ICredentialTestRequest = {
			request: {
				baseURL: testBaseUrl(credential.test),
				...testedWith(credential.test),
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
				...(credential.test.refusals ?? []).map(testRule),
			] as ICredentialTestRequest['rules'] & object,
		};
	};
}

/** Stands for the address of a request that the credential's own data describe. */
const PROBE = '/described-by-the-credential';

function testedWith(
	test: Connector['credential']['test'],
): Pick<IHttpRequestOptions, 'url' | 'method' | 'body'> {
	if (test.path === undefined) return { url: PROBE };
	const { path, method, json } = test;
	return {
		url: path,
		...(method === undefined ? {} : { method }),
		...(json === undefined ? {} : { body: { ...json } }),
	};
}

/** @throws ConfigurationError when the credential describes nothing that could be asked */
function probeOf(
	{ credential: { displayName, test } }: Connector,
	credential: unknown,
	baseUrl: string,
): Partial<IHttpRequestOptions> {
	const probe = test.path === undefined ? test.probe(credential) : { impossible: 'there is none' };
	if ('impossible' in probe) {
		throw new ConfigurationError(
			`The credential '${displayName}' was not tested: ${probe.impossible}`,
			'Save it, and try it with a user of whom nothing is to be kept',
		);
	}
	const { method, path, query, headers, body } = probe.request;
	return {
		method,
		url: `${baseUrl}${path}${queryOf(query)}`,
		headers: { accept: 'application/json', ...headers },
		...(body && 'json' in body ? { body: body.json as IDataObject, json: true } : {}),
		disableFollowRedirect: true,
		ignoreHttpStatusErrors: {
			ignore: true,
			except: ERRORS.filter((status) => !probe.accepted.includes(status)),
		},
	};
}

const ERRORS = Array.from({ length: 300 }, (_, index) => 300 + index);

type TestRule = (ICredentialTestRequest['rules'] & object)[number];

function testRule(
	refusal: (Connector['credential']['test']['refusals'] & object)[number],
): TestRule {
	const { message } = refusal;
	return 'status' in refusal
		? { type: 'responseCode', properties: { value: refusal.status, message } }
		: {
				type: 'responseSuccessBody',
				properties: { key: refusal.member, value: refusal.value, message },
			};
}

/** Where the connection test goes, as an expression over the credential's fields. */
function testBaseUrl(test: Connector['credential']['test']): string {
	if ('baseUrl' in test) return test.baseUrl;
	const { baseUrlField, knownBaseUrls } = test;
	const typed = `$credentials.${baseUrlField}.trim().replace(/\\/+$/, '')`;
	if (!knownBaseUrls) return `={{ ${typed} }}`;
	const known = `(${JSON.stringify(knownBaseUrls.urls)})[$credentials.${knownBaseUrls.field}]`;
	return `={{ ${known} ?? ${typed} }}`;
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
const folderOf = ({ node }: Pick<Connector, 'node'>): string =>
	node.className.replace(/Sessions$/, '');

/** Tokens of connection tests by their text: what proves the possession of a token cannot be kept in a field. */
const minted = new LeastRecentlyUsed<MintedToken>(32);

const certificateRule = ({ allowUnauthorizedCerts }: Access) =>
	allowUnauthorizedCerts ? { skipSslCertificateValidation: true } : {};

async function mintThrough({ helpers }: IHttpRequestHelper, access: Access): Promise<string> {
	const { authentication } = access;
	if (authentication.type !== 'oauth2') return '';
	const token = await mint(authentication.grant, async (url, headers, form) => {
		const { statusCode, ...reply } = (await helpers.httpRequest({
			method: 'POST',
			url,
			headers: { ...headers },
			body: new URLSearchParams(form),
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
			...certificateRule(access),
		})) as { statusCode: number; headers: Record<string, string>; body: unknown };
		return { status: statusCode, ...reply };
	});
	minted.getOrMake(token.accessToken, () => token);
	return token.accessToken;
}

async function headersFor(
	authentication: Authentication,
	stored: unknown,
	method: string,
	url: URL,
): Promise<Record<string, string>> {
	if (authentication.type === 'none') return {};
	if (authentication.type === 'header') return { [authentication.name]: authentication.value };
	const accessToken = typeof stored === 'string' ? stored : '';
	// A token of an earlier process is refused by the vendor, and n8n then asks for a new one.
	const bearer = { accessToken, lifetimeMs: 0, scopes: undefined, dpopKey: undefined };
	const token = minted.getOrMake(accessToken, () => bearer);
	return await authorizationHeaders(token, method, url.href);
}
