import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';
import type { UserResult } from '../../nodes/core/everywhere/run';
import { connectors } from '../../nodes/registry';
import { type OktaBench, startOkta } from '../support/okta';
import { type NodeSetting, runNode } from './engine';

let bench: OktaBench;
beforeAll(async () => {
	bench = await startOkta();
	for (const name of ['jane', 'joe', 'chief']) bench.org.addUser({ login: `${name}@example.com` });
});
beforeEach(() => {
	for (const name of ['jane', 'joe', 'chief']) bench.org.signIn(`${name}@example.com`, 1);
	bench.simulator.faults.clear();
	bench.simulator.forget();
});
afterAll(() => bench.close());

async function run(parameters: IDataObject, setting: Partial<NodeSetting> = {}) {
	const { success, failure, ...rest } = await runNode({
		type: 'revokeEverywhere',
		credentials: { oktaSessionsApi: bench.credential() as never },
		...setting,
		parameters: { operation: 'revoke', user: '={{ $json.user }}', ...parameters },
	});
	const results = (items: typeof success) => items.map(({ json }) => json as unknown as UserResult);
	return {
		success: results(success),
		failure: results(failure),
		items: { success, failure },
		...rest,
	};
}

const revocations = () => bench.simulator.requests.filter(({ method }) => method === 'DELETE');
const jane = { items: [{ user: 'jane@example.com' }] };

test('one item per user with the fields of the contract', async () => {
	const { success, failure, error } = await run(
		{ reason: 'Impossible travel', source: 'sentinel', incidentId: 'INC-42', requestId: 'r-1' },
		jane,
	);
	expect(error).toBeUndefined();
	expect(failure).toEqual([]);
	expect(success).toHaveLength(1);
	expect(success[0]).toMatchObject({
		requestId: 'r-1',
		user: 'jane@example.com',
		status: 'completed',
		coverage: 'all',
		state: 'revoked',
		changed: null,
		dryRun: false,
		triggers: null,
		reason: 'Impossible travel',
		source: 'sentinel',
		incidentId: 'INC-42',
		targetsUsed: ['okta'],
		targetsSkipped: connectors.map(({ key }) => key).filter((key) => key !== 'okta'),
		retryTargets: [],
		counts: { revoked: 1 },
		residualUntil: null,
		billable: true,
		results: [{ connector: 'okta', outcome: 'revoked' }],
	});
	expect(bench.org.sessionsOf('jane@example.com')).toEqual([]);
});

test('without a request id each user gets a UUID of its own', async () => {
	const { success } = await run(
		{},
		{ items: [{ user: 'jane@example.com' }, { user: 'joe@example.com' }] },
	);
	const ids = success.map(({ requestId }) => requestId);
	expect(new Set(ids).size).toBe(2);
	for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
});

test('items keep their origin, whichever output they leave by', async () => {
	const { items } = await run(
		{},
		{ items: [{ user: 'nobody@example.com' }, { user: 'jane@example.com' }, { user: ' ' }] },
	);
	expect(items.success.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 1 }]);
	expect(items.failure.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 2 }]);
	expect(items.failure.map(({ json }) => [json.status, json.cause])).toEqual([
		['failed', null],
		['failed', 'invalid_input'],
	]);
});

test('many users in one item become one item each', async () => {
	const { items, success } = await run({ usersList: 'jane@example.com\njoe@example.com, ' });
	expect(success.map(({ user }) => user)).toEqual(['jane@example.com', 'joe@example.com']);
	expect(items.success.map(({ pairedItem }) => pairedItem)).toEqual([{ item: 0 }, { item: 0 }]);
});

describe('targets', () => {
	test('an expression may choose them', async () => {
		const { success } = await run(
			{ targetMode: 'selected', targets: '={{ $json.integration_targets }}' },
			{ items: [{ user: 'jane@example.com', integration_targets: ['okta'] }] },
		);
		expect(success[0]?.targetsUsed).toEqual(['okta']);
	});

	test.each([
		['null', null],
		['nothing', undefined],
		['an empty list', []],
		['text', 'okta'],
		['numbers', [7]],
	])('%s is invalid input, never "all"', async (_, integration_targets) => {
		const { failure } = await run(
			{ targetMode: 'selected', targets: '={{ $json.integration_targets }}' },
			{ items: [{ user: 'jane@example.com', integration_targets }] },
		);
		expect(failure[0]).toMatchObject({ status: 'failed', cause: 'invalid_input', results: [] });
		expect(bench.simulator.requests).toEqual([]);
	});

	test('an item with a bad value keeps its request id', async () => {
		const { failure } = await run(
			{ targetMode: '={{ $json.mode }}', targets: [], requestId: '={{ $json.id }}' },
			{ items: [{ user: 'jane@example.com', mode: 'selected', id: 'soar-42' }] },
		);
		expect(failure[0]).toMatchObject({ cause: 'invalid_input', requestId: 'soar-42' });
	});

	test('an unknown key fails alone, the rest runs', async () => {
		const { failure } = await run(
			{ targetMode: 'selected', targets: ['okta', 'unheard_of'] },
			jane,
		);
		expect(failure[0]).toMatchObject({
			status: 'failed',
			coverage: 'partial',
			retryTargets: ['unheard_of'],
			results: [
				{ connector: 'okta', outcome: 'revoked' },
				{ connector: 'unheard_of', outcome: 'failed', cause: 'configuration' },
			],
		});
		expect(bench.org.sessionsOf('jane@example.com')).toEqual([]);
	});

	test("a credential that cannot work is that target's failure", async () => {
		const { failure } = await run(
			{},
			{ ...jane, credentials: { oktaSessionsApi: bench.credential({ domain: 'x' }) as never } },
		);
		expect(failure[0]?.results[0]).toMatchObject({ outcome: 'failed', cause: 'configuration' });
		expect(failure[0]?.results[0]?.message).toContain('Okta Domain');
	});

	test('no credential at all throws', async () => {
		const { error } = await run({}, { ...jane, credentials: {} });
		expect(error?.name).toBe('NodeOperationError');
	});

	test('an identity of its own for one target', async () => {
		const { success } = await run({ identities: { okta: 'joe@example.com' } }, jane);
		expect(success[0]?.user).toBe('jane@example.com');
		expect(success[0]?.results[0]?.identityKey).toBe('joe@example.com');
		expect(bench.org.sessionsOf('jane@example.com')).not.toEqual([]);
		expect(bench.org.sessionsOf('joe@example.com')).toEqual([]);
	});

	test('options of one connector', async () => {
		await run({ connectorOptions: { okta: { oauthTokens: true } } }, jane);
		expect(revocations()[0]?.query).toBe('oauthTokens=true&forgetDevices=false');
		const { failure } = await run({ connectorOptions: { okta: { oauthToken: true } } }, jane);
		expect(failure[0]?.results[0]).toMatchObject({ outcome: 'failed', cause: 'configuration' });
	});
});

test('a dry run plans what is then sent, and sends nothing', async () => {
	const { success } = await run({ dryRun: true }, jane);
	expect(success[0]).toMatchObject({ status: 'completed', coverage: 'none', dryRun: true });
	expect(success[0]?.results[0]?.outcome).toBe('planned');
	expect(revocations()).toEqual([]);
	await run({}, jane);
	const [sent] = revocations();
	expect(success[0]?.results[0]?.plan).toEqual([
		{
			method: 'DELETE',
			url: `${bench.simulator.url}${sent?.path}?${sent?.query}`,
			ends: ['sessions'],
		},
	]);
});

test.each([
	['failWhenNowhere', 'failed'],
	['fail', 'failed'],
	['ignore', 'completed'],
])('a user found nowhere, policy %s: %s', async (notFoundPolicy, status) => {
	const { success, failure } = await run(
		{ notFoundPolicy },
		{ items: [{ user: 'nobody@example.com' }] },
	);
	expect([...success, ...failure]).toMatchObject([{ status, coverage: 'none', billable: false }]);
});

describe('guardrails', () => {
	test('a protected user is refused by what the look-up shows, not only by the input', async () => {
		bench.org.addUser({ login: 'vip@example.com', email: 'front.desk@example.com', sessions: 1 });
		for (const [user, protectedUsers] of [
			['chief@example.com', 'CHIEF@*'],
			['front.desk@example.com', ['other', 'vip@example.com']],
		] as const) {
			const { failure } = await run(
				{ guardrails: { protectedUsers: protectedUsers as never } },
				{ items: [{ user }] },
			);
			expect(failure[0]?.results[0]).toMatchObject({ outcome: 'refused', cause: 'protected_user' });
		}
		expect(revocations()).toEqual([]);
	});

	test('more users than the run may have: nobody is touched', async () => {
		const { failure } = await run({
			usersList: 'jane@example.com,joe@example.com',
			guardrails: { maxUsersPerRun: 1 },
		});
		expect(failure.map(({ results }) => results[0]?.cause)).toEqual(['run_limit', 'run_limit']);
		expect(bench.simulator.requests).toEqual([]);
	});

	test('switched off, they stop nobody', async () => {
		const { success } = await run(
			{ guardrails: { enabled: false, protectedUsers: '*', maxUsersPerRun: 1 } },
			{ items: [{ user: 'jane@example.com' }, { user: 'joe@example.com' }] },
		);
		expect(success).toHaveLength(2);
	});
});

test('a summary leaves the long parts out', async () => {
	const { success } = await run({ options: { resultDetail: 'summary' } }, jane);
	expect(success[0]?.results[0]).not.toHaveProperty('steps');
	expect(JSON.stringify(success[0]?.results[0]?.survives)).not.toContain('note');
});

test('Check Setup answers once for all targets', async () => {
	const { items } = await run({ operation: 'checkSetup' }, { items: [{}, {}] });
	expect(items.success.map(({ json }) => json)).toMatchObject([
		{ outcome: 'ready', results: [{ connector: 'okta', outcome: 'ready' }] },
	]);
	const { items: bad } = await run(
		{ operation: 'checkSetup' },
		{ credentials: { oktaSessionsApi: bench.credential({ apiToken: 'wrong' }) as never } },
	);
	expect(bad.failure.map(({ json }) => json)).toMatchObject([
		{ outcome: 'failed', results: [{ cause: 'credential_invalid' }] },
	]);
});

test('an option that cannot hold for the run throws before any call', async () => {
	const { error } = await run({ options: { usersInParallel: 0 } }, jane);
	expect(error?.name).toBe('NodeOperationError');
	expect(error?.message).toContain('Options');
	expect(bench.simulator.requests).toEqual([]);
});
