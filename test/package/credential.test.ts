/** n8n's own connection test goes through n8n's HTTP helper: nock stands where the vendor is. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type {
	ICredentialDataDecryptedObject,
	ICredentialType,
	IDataObject,
	IHttpRequestOptions,
} from 'n8n-workflow';
import nock from 'nock';
import { httpHelper, loadCredential } from './engine';

const DOMAIN = 'https://acme.okta.example';
const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
	.privateKey.export({ type: 'pkcs8', format: 'pem' })
	.toString();
const serviceApp = {
	domain: `${DOMAIN}/`,
	authentication: 'serviceApp',
	clientId: '0oaclient',
	privateKey,
	keyId: 'k1',
	scopes: 'okta.users.read okta.users.manage',
	dpop: false,
};

let okta: ICredentialType;
beforeAll(async () => {
	okta = await loadCredential('oktaSessionsApi');
});
// nock changes Node's own modules, which all test files of a process share.
afterAll(() => {
	nock.restore();
});
afterEach(() => {
	expect(nock.pendingMocks()).toEqual([]);
	nock.cleanAll();
});

/** What n8n does with a credential's test: obtains a token, adds it, sends the request. */
async function runTest(data: ICredentialDataDecryptedObject): Promise<{ statusCode: number }> {
	const request = okta.test?.request ?? { url: '' };
	expect(request.baseURL).toContain('$credentials.domain');
	const httpRequest = await httpHelper();
	const token = await okta.preAuthentication?.call({ helpers: { httpRequest } }, data);
	const authenticate = okta.authenticate as (
		data: ICredentialDataDecryptedObject,
		options: IHttpRequestOptions,
	) => Promise<IHttpRequestOptions>;
	const options = await authenticate({ ...data, ...token } as ICredentialDataDecryptedObject, {
		baseURL: DOMAIN,
		url: request.url ?? '',
		returnFullResponse: true,
	});
	return (await httpRequest(options)) as { statusCode: number };
}

describe('the connection test of oktaSessionsApi', () => {
	test.each(['TOKEN123', 'SSWS TOKEN123', ' ssws TOKEN123 '])(
		'sends the API token %p as Okta wants it and needs only to read users',
		async (apiToken) => {
			nock(DOMAIN)
				.get('/api/v1/users?limit=1')
				.matchHeader('authorization', 'SSWS TOKEN123')
				.reply(200, []);
			const { statusCode } = await runTest({
				domain: DOMAIN,
				authentication: 'apiToken',
				apiToken,
			});
			expect(statusCode).toBe(200);
		},
	);

	test('mints a token for a service app', async () => {
		let form = new URLSearchParams();
		nock(DOMAIN)
			.post('/oauth2/v1/token', (body: IDataObject) => {
				form = new URLSearchParams(body as Record<string, string>);
				return true;
			})
			.reply(200, { access_token: 'AT1', token_type: 'Bearer', expires_in: 3600, scope: 'x' });
		nock(DOMAIN)
			.get('/api/v1/users?limit=1')
			.matchHeader('authorization', 'Bearer AT1')
			.reply(200, []);
		expect((await runTest(serviceApp)).statusCode).toBe(200);
		expect(form.get('grant_type')).toBe('client_credentials');
		expect(form.get('scope')).toBe('okta.users.read okta.users.manage');
		const assertion = form.get('client_assertion') ?? '';
		expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: 'RS256', kid: 'k1' });
		expect(decodeJwt(assertion)).toMatchObject({
			iss: '0oaclient',
			sub: '0oaclient',
			aud: `${DOMAIN}/oauth2/v1/token`,
		});
	});

	test('answers the demand for a DPoP nonce and binds the request', async () => {
		nock(DOMAIN)
			.post('/oauth2/v1/token')
			.reply(400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': 'n1' })
			.post('/oauth2/v1/token')
			.reply(200, { access_token: 'AT2', token_type: 'DPoP', expires_in: 3600, scope: 'x' });
		nock(DOMAIN)
			.get('/api/v1/users?limit=1')
			.matchHeader('authorization', 'DPoP AT2')
			.matchHeader('dpop', (proof) => decodeJwt(String(proof)).htm === 'GET')
			.reply(200, []);
		expect((await runTest({ ...serviceApp, dpop: true })).statusCode).toBe(200);
	});

	test('a key that does not parse is named before anything is sent', async () => {
		await expect(runTest({ ...serviceApp, privateKey: 'nonsense' })).rejects.toThrow(
			"'Private Key'",
		);
	});

	test('the credential goes to its own address only', async () => {
		const authenticate = okta.authenticate as (
			data: ICredentialDataDecryptedObject,
			options: IHttpRequestOptions,
		) => Promise<IHttpRequestOptions>;
		await expect(
			authenticate(
				{ domain: DOMAIN, authentication: 'apiToken', apiToken: 'T' },
				{ url: 'https://elsewhere.example/api' },
			),
		).rejects.toThrow('is not sent to https://elsewhere.example');
	});
});

describe('the connection test of microsoftEntraSessionsApi', () => {
	const clouds = [
		['global', 'https://graph.microsoft.com'],
		['usGov', 'https://graph.microsoft.us'],
		['usGovDod', 'https://dod-graph.microsoft.us'],
		['china', 'https://microsoftgraph.chinacloudapi.cn'],
		['custom', 'https://graph.example'],
	] as const;

	test.each(clouds)('goes to the cloud that was chosen: %s', async (cloud, origin) => {
		const entra = await loadCredential('microsoftEntraSessionsApi');
		const data = {
			authentication: 'clientSecret',
			tenantId: 'contoso.example',
			clientId: 'app-1',
			clientSecret: 'secret-1',
			cloud,
			graphUrl: 'https://graph.example/',
			loginUrl: 'https://login.example',
		};
		const { baseURL, url } = entra.test?.request ?? {};
		const body = /^=\{\{(.*)\}\}$/s.exec(String(baseURL))?.[1] ?? '';
		// eslint-disable-next-line @typescript-eslint/no-implied-eval -- n8n evaluates it likewise
		const evaluate = new Function('$credentials', `return ${body}`) as (data: unknown) => unknown;
		expect(evaluate(data)).toBe(origin);
		expect(evaluate({ ...data, graphUrl: '' })).toBe(cloud === 'custom' ? '' : origin);
		expect(url).toBe('/v1.0/users?$top=1&$select=id');

		const login = { usGov: 'us', usGovDod: 'us' }[cloud as string];
		const issuer =
			cloud === 'custom'
				? 'https://login.example'
				: cloud === 'china'
					? 'https://login.chinacloudapi.cn'
					: `https://login.microsoftonline.${login ?? 'com'}`;
		nock(issuer)
			.post('/contoso.example/oauth2/v2.0/token')
			.reply(200, { access_token: 'AT1', token_type: 'Bearer', expires_in: 3599 });
		nock(origin)
			.get('/v1.0/users?$top=1&$select=id')
			.matchHeader('authorization', 'Bearer AT1')
			.reply(200, { value: [] });
		const httpRequest = await httpHelper();
		const token = await entra.preAuthentication?.call({ helpers: { httpRequest } }, data);
		const authenticate = entra.authenticate as (
			data: ICredentialDataDecryptedObject,
			options: IHttpRequestOptions,
		) => Promise<IHttpRequestOptions>;
		const options = await authenticate(
			{ ...data, ...token },
			{
				baseURL: origin,
				url: url ?? '',
				returnFullResponse: true,
			},
		);
		expect(await httpRequest(options)).toMatchObject({ statusCode: 200 });
	});
});
