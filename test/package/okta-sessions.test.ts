import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type OktaBench, OWNER, startOkta } from '../support/okta';
import { type NodeSetting, runNode } from './engine';

let bench: OktaBench;
beforeAll(async () => {
	bench = await startOkta();
	bench.org.addUser({ login: 'jane@example.com' });
	bench.org.addUser({ login: 'joe@example.com' });
});
beforeEach(() => {
	bench.org.signIn('jane@example.com', 2);
	bench.simulator.faults.clear();
	bench.simulator.forget();
});
afterAll(() => bench.close());

const run = (setting: Partial<NodeSetting>) =>
	runNode({
		type: 'oktaSessions',
		credentials: { oktaSessionsApi: bench.credential() as never },
		...setting,
		parameters: {
			operation: 'revokeAllSessions',
			user: '={{ $json.user }}',
			...setting.parameters,
		},
	});

describe('Revoke All Sessions', () => {
	test('ends the sessions and leaves by Success, with the fields of the contract', async () => {
		const { success, failure, error } = await run({ items: [{ user: 'jane@example.com' }] });
		expect(error).toBeUndefined();
		expect(failure).toEqual([]);
		expect(bench.org.sessionsOf('jane@example.com')).toEqual([]);
		expect(success).toHaveLength(1);
		expect(success[0]?.pairedItem).toEqual({ item: 0 });
		expect(success[0]?.json).toMatchObject({
			connector: 'okta',
			identityKey: 'jane@example.com',
			userKnown: true,
			outcome: 'revoked',
			state: 'revoked',
			changed: null,
			cause: null,
			statusCode: 204,
			user: { login: 'jane@example.com', email: 'jane@example.com', status: 'ACTIVE' },
			sessions: { found: null, revoked: null },
			ended: ['sessions'],
			verification: { status: 'verified' },
			missingPermissions: [],
		});
	});

	test('each item goes its own way and keeps its origin', async () => {
		const { success, failure } = await run({
			items: [
				{ user: 'nobody@example.com' },
				{ user: 'jane@example.com' },
				{ user: '' },
				{ user: 7 },
				{ user: 'joe@example.com' },
				{ user: 'a\u0000b' },
				{ user: 'x'.repeat(513) },
			],
		});
		expect(success.map(({ json, pairedItem }) => [json.identityKey, pairedItem])).toEqual([
			['jane@example.com', { item: 1 }],
			['joe@example.com', { item: 4 }],
		]);
		expect(failure.map(({ json, pairedItem }) => [json.outcome, json.cause, pairedItem])).toEqual([
			['user_not_found', null, { item: 0 }],
			['failed', 'invalid_input', { item: 2 }],
			['failed', 'invalid_input', { item: 3 }],
			['failed', 'invalid_input', { item: 5 }],
			['failed', 'invalid_input', { item: 6 }],
		]);
		expect(failure.every((item) => item.error === undefined)).toBe(true);
	});

	test('says in the output pane what was not revoked, once for all items', async () => {
		const { hints } = await run({
			items: [{ user: 'jane@example.com' }, { user: 'joe@example.com' }],
		});
		expect(hints).toEqual([
			expect.stringContaining('OAuth tokens were not revoked'),
			expect.stringContaining('remembered devices were not revoked'),
		]);
	});

	test('sends both options explicitly, and both ways', async () => {
		await run({ items: [{ user: 'jane@example.com' }] });
		await run({
			items: [{ user: 'jane@example.com' }],
			parameters: { options: { oauthTokens: true, forgetDevices: true } },
		});
		const sent = bench.simulator.requests.filter(({ method }) => method === 'DELETE');
		expect(sent.map(({ query }) => query)).toEqual([
			'oauthTokens=false&forgetDevices=false',
			'oauthTokens=true&forgetDevices=true',
		]);
	});

	test('a bad credential throws before any call and names the field', async () => {
		for (const [field, extra] of [
			['Okta Domain', { domain: 'acme.okta.com' }],
			['Okta Domain', { domain: 'http://acme.okta.com' }],
			['Okta Domain', { domain: `${bench.simulator.url}/admin` }],
			['API Token', { apiToken: '' }],
			[
				'Private Key',
				{ authentication: 'serviceApp', clientId: 'c', scopes: 's', privateKey: 'x' },
			],
		] as const) {
			const { error } = await run({
				items: [{ user: 'jane@example.com' }],
				credentials: { oktaSessionsApi: bench.credential(extra) as never },
			});
			expect(error?.name).toBe('NodeOperationError');
			expect(error?.message).toContain(`'${field}'`);
			const { description } = error as unknown as { description: string };
			expect(description).toContain('/docs/connectors/okta.md"');
		}
		expect(bench.simulator.requests).toEqual([]);
	});

	test('the account that the credential acts as is refused unless it is allowed', async () => {
		const { failure } = await run({ items: [{ user: OWNER }] });
		expect(failure[0]?.json).toMatchObject({ outcome: 'refused', cause: 'own_identity' });
		expect(bench.org.sessionsOf(OWNER)).toHaveLength(1);
		const { success } = await run({
			items: [{ user: OWNER }],
			parameters: { options: { allowOwnIdentity: true } },
		});
		expect(success[0]?.json.outcome).toBe('revoked');
	});
});

test('Retrieve User touches nothing', async () => {
	const { success, failure } = await run({
		parameters: { operation: 'retrieveUser' },
		items: [{ user: 'JANE@example.com' }, { user: 'nobody@example.com' }],
	});
	expect(success[0]?.json).toMatchObject({
		outcome: 'user_found',
		user: { login: 'jane@example.com' },
	});
	expect(failure[0]?.json.outcome).toBe('user_not_found');
	expect(bench.simulator.requests.every(({ method }) => method === 'GET')).toBe(true);
});

test('Revoke Session ends one session; a second time there is nothing to revoke', async () => {
	const [first] = bench.org.signIn('jane@example.com', 1);
	const parameters = { operation: 'revokeSession', sessionId: first };
	const { success } = await run({ parameters });
	expect(success[0]?.json.outcome).toBe('revoked');
	const again = await run({ parameters });
	expect(again.success[0]?.json.outcome).toBe('nothing_to_revoke');
});

test('Check Setup says what it proved and what it could not', async () => {
	const { success } = await run({ parameters: { operation: 'checkSetup' } });
	expect(success[0]?.json).toMatchObject({ outcome: 'ready', missingPermissions: [] });
	const blind = bench.org.addApiToken({ owner: OWNER, permissions: [] }).token;
	const { failure } = await run({
		parameters: { operation: 'checkSetup' },
		credentials: { oktaSessionsApi: bench.credential({ apiToken: blind }) as never },
	});
	expect(failure[0]?.json).toMatchObject({
		outcome: 'failed',
		cause: 'permission_denied',
		missingPermissions: ['okta.users.read'],
	});
});
