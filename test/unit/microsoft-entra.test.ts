/** What is Entra's own: guests, rights that are not there, answers that are no success, the token's user, the clouds. */
import { describe, expect, test } from '@jest/globals';
import { openCredential } from '../../nodes/core/connection';
import {
	type Inquiry,
	isListing,
	type Lookup,
	type VendorReply,
	type VendorRequest,
} from '../../nodes/core/connector';
import { microsoftEntra as entra } from '../../nodes/MicrosoftEntra/connector';
import { selfSigned } from '../transport/support/certificate';

const ID = '7d0f4c1e-52a9-4b3e-9a44-0d5c6b1f2e3a';
const BEFORE = '2026-01-01T00:00:00Z';
const jane = {
	id: ID,
	userPrincipalName: 'jane@example.com',
	mail: 'jane.doe@example.com',
	displayName: 'Jane',
	userType: 'Member',
	accountEnabled: true,
	signInSessionsValidFromDateTime: BEFORE,
};
const reply = (status: number, body?: unknown): VendorReply => ({
	status,
	headers: {},
	body,
	bodyKind: body === undefined ? 'empty' : 'json',
	serverTime: 0,
});
const found = (...value: unknown[]) => reply(200, { value });
const denied = reply(403, { error: { code: 'Authorization_RequestDenied' } });

/** Holds an inquiry's dialogue with answers that are given in advance. */
function converse<T>(inquiry: Inquiry<T>, ...answers: VendorReply[]) {
	const asked: VendorRequest[] = [];
	let turn = inquiry.next();
	while (!turn.done) {
		asked.push(turn.value);
		const answer = answers.shift();
		if (!answer) throw new Error(`Nothing answers ${turn.value.path}`);
		turn = inquiry.next(answer);
	}
	return { value: turn.value, asked };
}

const at = { credential: {}, scopes: null, options: {}, allowShortNames: true };
const lookUp = (identity: string, ...answers: VendorReply[]) =>
	converse<Lookup<unknown>>(entra.lookUp(identity, at), ...answers);

describe('look-up', () => {
	test('doubles quotes, so that a name stays one value', () => {
		const { asked } = lookUp("o'neil' or '1' eq '1", found());
		expect(asked[0]?.query?.$filter).toBe(
			"userPrincipalName eq 'o''neil'' or ''1'' eq ''1' or mail eq 'o''neil'' or ''1'' eq ''1'",
		);
	});

	test('never resolves a bare name, even when that is allowed', () => {
		const { value, asked } = lookUp('jane', found(jane));
		expect(value.found).toBe('none');
		expect(asked).toHaveLength(1);
	});

	test.each([
		[1, 'enabled', [denied]],
		[2, null, [denied, denied]],
	])('asks for less when it may not read all: %i refusals', (count, status, refusals) => {
		const { signInSessionsValidFromDateTime: _, ...some } = jane;
		const { id, userPrincipalName, mail, displayName } = jane;
		const shown = count === 1 ? some : { id, userPrincipalName, mail, displayName };
		const { value, asked } = lookUp(jane.userPrincipalName, ...refusals, found(shown));
		expect(asked).toHaveLength(count + 1);
		expect(value).toMatchObject({ found: 'one', user: { status } });
		const account = value.found === 'one' ? value.account : null;
		expect(entra.readBack?.isPossible(at, account)).toBe(false);
	});

	test('takes what is hidden as null for unknown', () => {
		const hidden = { userType: null, accountEnabled: null, signInSessionsValidFromDateTime: null };
		const { value } = lookUp(ID, reply(200, { ...jane, ...hidden }));
		expect(value).toMatchObject({ found: 'one', user: { status: null } });
		const account = value.found === 'one' ? value.account : null;
		expect(entra.readBack?.isPossible(at, account)).toBe(false);
	});

	test.each([
		{ userType: 'Guest' },
		{ userPrincipalName: 'jane_home.example#EXT#@example.com' },
		{ userType: null, userPrincipalName: 'jane_home.example#ext#@example.com' },
	])('refuses a guest: %j', (more) => {
		const guest = { ...jane, ...more };
		expect(lookUp(guest.userPrincipalName, found(guest)).value).toMatchObject({
			found: 'one',
			refusal: { cause: 'external_user', why: expect.stringContaining('home tenant') },
		});
	});

	test('an alias counts only when the account has it', () => {
		const alias = 'j.doe@example.com';
		const having = (...proxyAddresses: string[]) => found({ ...jane, proxyAddresses });
		expect(lookUp(alias, found(), having('smtp:J.Doe@example.com')).value.found).toBe('one');
		expect(lookUp(alias, found(), having('smtp:other@example.com')).value.found).toBe('none');
		expect(lookUp(alias, found(), having('sip:j.doe@example.com')).value.found).toBe('none');
	});

	test('an alias that must not be asked for is not taken for nobody', () => {
		expect(() => lookUp('j.doe@example.com', found(), denied)).toThrow('Unusable reply');
	});

	test('half a list decides nothing', () => {
		const half = (...value: unknown[]) => reply(200, { value, '@odata.nextLink': 'https://next' });
		const other = { ...jane, id: 'b', userPrincipalName: 'other@example.com' };
		expect(() => lookUp(jane.mail, half(jane))).toThrow('Unusable reply');
		expect(() => lookUp(jane.mail, half())).toThrow('Unusable reply');
		expect(lookUp(jane.mail, half(jane, other)).value.found).toBe('many');
		expect(lookUp(jane.userPrincipalName, half(jane)).value.found).toBe('one');
	});
});

describe('revocation', () => {
	const [step] = entra.revocation({ id: ID, validFrom: BEFORE }, at);
	if (!step || isListing(step)) throw new Error('There is no request');
	const judge = (answer: VendorReply) => step.judge(answer)?.verdict;

	test.each([
		[200, { value: true }],
		[202, undefined],
		[204, undefined],
	])('%i %j is a success', (status, body) => {
		expect(judge(reply(status, body))).toBe('ended');
	});

	test.each([{ value: false }, { value: 'true' }, {}, null, []])('200 %j is none', (body) => {
		expect(judge(reply(200, body))).toBeUndefined();
	});

	test('only the code tells a user who is gone', () => {
		expect(judge(reply(404, { error: { code: 'Request_ResourceNotFound' } }))).toBe('user_gone');
		expect(judge(reply(404, { error: { code: 'BadRequest' } }))).toBeUndefined();
	});
});

describe('read-back', () => {
	const since = Date.parse('2026-06-01T12:00:00Z');
	const read = (signInSessionsValidFromDateTime: string | null) => {
		const inquiry = entra.readBack?.read({ id: ID, validFrom: BEFORE }, since, { ...at, sent: [] });
		if (!inquiry) throw new Error('There is no read-back');
		return converse(inquiry, reply(200, { id: ID, signInSessionsValidFromDateTime })).value;
	};

	test('confirms a time that moved to the revocation, and knows that something changed', () => {
		expect(read('2026-06-01T12:00:01Z')).toEqual({ seen: 'confirmed', changed: true });
	});

	test.each([BEFORE, null, 'soon', '2026-05-01T00:00:00Z'])('does not confirm %j', (time) => {
		expect(read(time)).toEqual({ seen: 'not_yet' });
	});
});

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const tokenWith = (claims: unknown) => `${encoded({ alg: 'RS256' })}.${encoded(claims)}.c2ln`;
const open = (fields: Record<string, unknown>) => openCredential(entra, fields);
const pasted = (claims: unknown) =>
	open({ authentication: 'accessToken', accessToken: tokenWith(claims) }).credential;

describe('the account of the credential', () => {
	const own = (claims: unknown) => {
		const inquiry = entra.ownAccount?.({ credential: pasted(claims), scopes: null });
		return inquiry && converse(inquiry).value;
	};

	test('is the user of a delegated token, and nobody for an app', () => {
		expect(own({ oid: ID, scp: 'User.Read' })).toBe(ID);
		expect(own({ oid: ID, roles: ['User.Read.All'] })).toBeNull();
		expect(own({ scp: 'User.Read' })).toBeNull();
	});
});

describe('Check Setup', () => {
	const check = (scopes: readonly string[] | null, claims: unknown = {}) => {
		const standpoint = { credential: pasted(claims), scopes };
		return converse(entra.checkSetup(standpoint), found({ id: ID })).value;
	};

	test('names the permission to revoke when the token lacks it', () => {
		expect(check(['User.Read.All']).missingPermissions).toEqual(['User.RevokeSessions.All']);
	});

	test.each(['User.RevokeSessions.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'])(
		'is content with %s',
		(scope) => {
			expect(check([scope])).toEqual({ missingPermissions: [], unproved: null });
		},
	);

	test('says what it does not know', () => {
		expect(check(null)).toEqual({
			missingPermissions: [],
			unproved: expect.stringContaining('User.RevokeSessions.All'),
		});
		const scp = 'User.RevokeSessions.All';
		expect(check([scp], { scp }).unproved).toContain("role of the token's user");
	});
});

describe('the credential', () => {
	const app = { tenantId: 'contoso.example', clientId: 'app-1' };
	const pair = selfSigned('rsa');
	const certificate = { ...app, authentication: 'certificate', certificate: pair.cert };
	const custom = { cloud: 'custom', graphUrl: 'https://g.example', loginUrl: 'https://l.example' };

	test.each([
		['global', 'https://graph.microsoft.com', 'https://login.microsoftonline.com'],
		['usGov', 'https://graph.microsoft.us', 'https://login.microsoftonline.us'],
		['usGovDod', 'https://dod-graph.microsoft.us', 'https://login.microsoftonline.us'],
		['china', 'https://microsoftgraph.chinacloudapi.cn', 'https://login.chinacloudapi.cn'],
		['custom', 'https://g.example', 'https://l.example'],
	])('leads to its cloud: %s', (cloud, graph, login) => {
		const { access } = open({ ...custom, ...app, clientSecret: 's', cloud });
		expect(access).toMatchObject({
			baseUrl: graph,
			authentication: {
				grant: {
					tokenUrl: `${login}/contoso.example/oauth2/v2.0/token`,
					form: { grant_type: 'client_credentials', scope: `${graph}/.default` },
				},
			},
		});
	});

	test.each([
		["'Tenant ID'", { clientSecret: 's', clientId: 'a' }],
		["'Tenant ID'", { ...app, tenantId: 'common', clientSecret: 's' }],
		["'Tenant ID'", { ...app, tenantId: '../x', clientSecret: 's' }],
		["'Client ID'", { tenantId: 'a', clientSecret: 's' }],
		["'Client Secret'", app],
		["'Certificate'", { ...certificate, certificate: 'x', privateKey: pair.key }],
		["'Certificate'", { ...certificate, privateKey: selfSigned('rsa').key }],
		["'Certificate'", { ...certificate, certificate: selfSigned().cert, privateKey: pair.key }],
		["'Private Key'", certificate],
		["'Private Key'", { ...certificate, privateKey: 'nonsense' }],
		["'Access Token'", { authentication: 'accessToken' }],
		["'Access Token'", { authentication: 'accessToken', accessToken: 'a b' }],
		["'Graph URL'", { ...custom, ...app, clientSecret: 's', graphUrl: 'http://g.example' }],
		["'Graph URL'", { ...custom, ...app, clientSecret: 's', graphUrl: 'https://g.example/v1.0' }],
		["'Login URL'", { ...custom, ...app, clientSecret: 's', loginUrl: '' }],
	])('names %s when it cannot work', (label, fields) => {
		expect(() => open(fields)).toThrow(label);
	});

	test('a pasted token needs no token service', () => {
		const fields = { ...custom, loginUrl: '', authentication: 'accessToken', accessToken: 't' };
		expect(open(fields).access.baseUrl).toBe('https://g.example');
	});
});
