/** What Revoke Everywhere does with whole runs: triggers, duplicates, identities from elsewhere, the shared policy, what is told. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';
import type { UserResult } from '../../nodes/core/everywhere/run';
import { createEntra } from '../simulator/entra';
import { type Simulator, startSimulator } from '../simulator/simulator';
import { type OktaBench, startOkta } from '../support/okta';
import { type NodeSetting, runNode } from './engine';

const JANE = 'jane@example.com';
const JOE = 'joe@example.com';
const ENTRA_ID = '7d0f4c1e-52a9-4b3e-9a44-0d5c6b1f2e3a';

let okta: OktaBench;
let entra: Simulator;
let entraToken = '';
const directory = createEntra({
	seed: (fresh) => {
		fresh.addApp({ clientId: 'app', roles: ['User.Read.All', 'User.RevokeSessions.All'] });
		// Entra knows Jane by another sign-in name; her address is what the other systems know.
		fresh.addUser({
			id: ENTRA_ID,
			userPrincipalName: 'j.doe@corp.example.com',
			mail: JANE,
			sessions: 1,
		});
	},
});

beforeAll(async () => {
	okta = await startOkta();
	entra = await startSimulator(directory);
	entraToken = directory.addAccessToken({ clientId: 'app' });
	for (const login of [JANE, JOE]) okta.org.addUser({ login });
});
beforeEach(() => {
	for (const login of [JANE, JOE]) okta.org.signIn(login, 1);
	okta.simulator.faults.clear();
	okta.simulator.forget();
	entra.forget();
});
afterAll(async () => {
	await entra.close();
	await okta.close();
});

const both = (): NonNullable<NodeSetting['credentials']> => ({
	oktaSessionsApi: okta.credential() as never,
	microsoftEntraSessionsApi: {
		cloud: 'custom',
		graphUrl: entra.url,
		loginUrl: entra.url,
		authentication: 'accessToken',
		accessToken: entraToken,
	},
});

async function run(parameters: IDataObject, setting: Partial<NodeSetting> = {}) {
	const ran = await runNode({
		type: 'revokeEverywhere',
		credentials: { oktaSessionsApi: okta.credential() as never },
		items: [{ user: JANE }],
		...setting,
		parameters: { operation: 'revoke', user: '={{ $json.user }}', ...parameters },
	});
	const results = (items: typeof ran.success) =>
		items.map(({ json }) => json as unknown as UserResult);
	return { ...ran, success: results(ran.success), failure: results(ran.failure) };
}

const revocations = () => okta.simulator.requests.filter(({ method }) => method === 'DELETE');

describe('triggers', () => {
	test('A, B, A: each change revokes, the same again does not', async () => {
		let last = {};
		for (const [value, outcome] of [
			['A', 'revoked'],
			['B', 'revoked'],
			['A', 'revoked'],
			['A', 'unchanged'],
		]) {
			const { success } = await run({ triggers: { password: value }, lastTriggers: last });
			expect(success[0]?.results.map((target) => target.outcome)).toEqual([outcome]);
			last = success[0]?.triggers ?? {};
			expect(last).toEqual({ password: value });
		}
		expect(revocations()).toHaveLength(3);
	});

	test('unchanged: nothing is called, and the result says so', async () => {
		const { success } = await run({
			triggers: { count: 3, on: true, name: 'x' },
			lastTriggers: { name: 'x', on: 'true', count: '3' },
		});
		expect(success[0]).toMatchObject({
			status: 'completed',
			coverage: 'none',
			state: 'not_attempted',
			changed: false,
			billable: false,
			retryTargets: [],
			counts: { unchanged: 1 },
			triggers: { count: '3', on: 'true', name: 'x' },
		});
		expect(success[0]?.message).toContain('Nothing was revoked');
		expect(okta.simulator.requests).toEqual([]);
	});

	test.each([
		[{}, {}],
		[{ a: '1' }, {}],
		[{}, { a: '1' }],
		[{ a: '1' }, { a: '1', b: '2' }],
		[{ a: '1', b: '2' }, { a: '1' }],
		[{ toString: '1' }, { a: '1' }],
	])('%j against %j revokes', async (triggers, lastTriggers) => {
		const { success } = await run({ triggers, lastTriggers });
		expect(success[0]?.counts).toEqual({ revoked: 1 });
	});

	test('a failed run has nothing that says it was completed', async () => {
		const fault = { kind: 'status', status: 403 } as const;
		okta.simulator.faults.next({ fault, times: Infinity });
		const { failure } = await run({ triggers: { a: '1' }, lastTriggers: {} });
		expect(failure[0]).toMatchObject({ status: 'failed', triggers: { a: '1' } });
	});

	test('what is neither text nor number is invalid input', async () => {
		const { failure } = await run({ triggers: { a: { b: 1 } } });
		expect(failure[0]).toMatchObject({ cause: 'invalid_input', results: [] });
		expect(failure[0]?.message).toContain("'Triggers'");
	});
});

describe('the same user more than once', () => {
	test('is worked on once, whatever the letter case', async () => {
		const { success } = await run(
			{ reason: '={{ $json.why }}' },
			{
				items: [
					{ user: JANE, why: 'one' },
					{ user: JOE, why: 'two' },
					{ user: JANE.toUpperCase(), why: 'three' },
				],
			},
		);
		expect(success.map(({ duplicateOf }) => duplicateOf)).toEqual([undefined, undefined, 0]);
		expect(success.map(({ reason }) => reason)).toEqual(['one', 'two', 'three']);
		expect(success.map(({ billable }) => billable)).toEqual([true, true, false]);
		expect(success[2]?.results).toEqual(success[0]?.results);
		expect(new Set(success.map(({ requestId }) => requestId)).size).toBe(3);
		expect(revocations()).toHaveLength(2);
	});

	test('with other options it is another request', async () => {
		const { success } = await run(
			{ connectorOptions: '={{ $json.options }}' },
			{ items: [{ user: JANE }, { user: JANE, options: { okta: { oauthTokens: true } } }] },
		);
		expect(success.map(({ duplicateOf }) => duplicateOf)).toEqual([undefined, undefined]);
		expect(revocations()).toHaveLength(2);
	});
});

describe('who the user is in each system', () => {
	const found = [
		{ value: ENTRA_ID, kind: 'entraId', role: 'target', path: '$.a', confidence: 'high' },
		{ value: JANE, kind: 'email', role: 'target', path: '$.b', confidence: 'high' },
	];

	test('what Alert Identities found goes where it belongs', async () => {
		const { success } = await run(
			{ user: '', identities: '={{ $json.identities }}' },
			{ credentials: both(), items: [{ identities: found }] },
		);
		expect(success[0]?.user).toBe(JANE);
		const keys = success[0]?.results.map(({ connector, identityKey }) => [connector, identityKey]);
		expect(Object.fromEntries(keys ?? [])).toEqual({ entra: ENTRA_ID, okta: JANE });
	});

	test('names by system name the user when they hold one address', async () => {
		const { success, failure } = await run(
			{ user: '', identities: '={{ $json.identities }}' },
			{
				credentials: both(),
				items: [
					{ identities: { entra: ENTRA_ID, okta: JANE } },
					{ identities: { entra: JOE, okta: JANE } },
					{ identities: { entra: ENTRA_ID } },
				],
			},
		);
		expect(success.map(({ user }) => user)).toEqual([JANE]);
		expect(failure.map(({ cause }) => cause)).toEqual(['invalid_input', 'invalid_input']);
	});

	test("an id of one system is never tried in another's", async () => {
		const { failure } = await run(
			{ identities: [found[0]] as never },
			{ credentials: both(), items: [{ user: ENTRA_ID }] },
		);
		expect(failure[0]?.results).toMatchObject([
			{ connector: 'entra', outcome: 'tokens_revoked' },
			{ connector: 'okta', outcome: 'failed', cause: 'invalid_input', identityKey: null },
		]);
		expect(okta.simulator.requests).toEqual([]);
	});

	test('an Identity Source bridges: the address that it knows is used elsewhere', async () => {
		const { success } = await run(
			{ identitySource: 'entra', identities: [found[0]] as never },
			{ credentials: both(), items: [{ user: ENTRA_ID }] },
		);
		expect(success[0]).toMatchObject({
			status: 'completed',
			identityFrom: { connector: 'entra', outcome: 'user_found', user: { email: JANE } },
			results: [
				{ connector: 'entra', identityKey: ENTRA_ID, outcome: 'tokens_revoked' },
				{ connector: 'okta', identityKey: JANE, outcome: 'revoked' },
			],
		});
	});

	test('an override goes before the Identity Source', async () => {
		const { success } = await run(
			{ identitySource: 'entra', identities: { entra: ENTRA_ID, okta: JOE } },
			{ credentials: both(), items: [{ user: ENTRA_ID }] },
		);
		expect(success[0]?.results.at(-1)).toMatchObject({ connector: 'okta', identityKey: JOE });
	});

	test('when the source does not know the user, only an address is used as it is', async () => {
		const { success, failure } = await run(
			{ identitySource: 'entra' },
			{
				credentials: both(),
				items: [{ user: JOE }, { user: '00000000-0000-4000-8000-000000000000' }],
			},
		);
		expect(success[0]?.results).toMatchObject([
			{ connector: 'entra', outcome: 'user_not_found' },
			{ connector: 'okta', identityKey: JOE, outcome: 'revoked' },
		]);
		expect(failure[0]?.results.at(-1)).toMatchObject({
			connector: 'okta',
			outcome: 'failed',
			cause: 'invalid_input',
		});
	});

	test('a source without a credential is invalid input', async () => {
		const { failure } = await run({ identitySource: 'entra' });
		expect(failure[0]).toMatchObject({ cause: 'invalid_input', results: [] });
		expect(failure[0]?.message).toContain('Identity Source');
		expect(okta.simulator.requests).toEqual([]);
	});

	test('the name that the source shows can be the protected one', async () => {
		const { failure } = await run(
			{ identitySource: 'entra', guardrails: { protectedUsers: 'j.doe@corp.example.com' } },
			{ credentials: both(), items: [{ user: JANE }] },
		);
		expect(failure[0]?.counts).toEqual({ refused: 2 });
		expect(revocations()).toEqual([]);
	});
});

describe('what is told', () => {
	const hostile = '<!channel> [x](http://evil.example) *b* `c` @here@example.com';

	test.each(['text', 'markdown', 'slack'])('a summary as %s', async (summaryFormat) => {
		const { success, failure } = await run(
			{ options: { summaryFormat }, reason: hostile },
			{ items: [{ user: JANE }, { user: hostile }] },
		);
		expect(success[0]?.summary).toContain('okta');
		for (const { summary = '', message } of [...success, ...failure]) {
			for (const text of [summary, message]) {
				expect(text).not.toMatch(/<!|\]\(|@here|@channel|[^\\]`/);
				expect(text).not.toMatch(/https?:\/\/evil/);
			}
			expect(summary.split('\n').length).toBeGreaterThan(2);
		}
	});

	test('Slack gets the entities that it documents', async () => {
		const { success } = await run({ options: { summaryFormat: 'slack' }, reason: 'a & b' });
		expect(success[0]?.summary).toContain('Reason: a ＆ b');
		expect(success[0]?.summary?.startsWith('*')).toBe(true);
	});

	test('no summary unless one is asked for', async () => {
		const { success } = await run({});
		expect(success[0]).not.toHaveProperty('summary');
		expect(success[0]).not.toHaveProperty('auditRecords');
	});

	test('audit records are flat and have the same members, whatever happened', async () => {
		const { success, failure } = await run(
			{ options: { auditRecord: true }, targetMode: 'selected', targets: ['okta', 'entra'] },
			{ items: [{ user: JANE }, { user: 'nobody@example.com' }] },
		);
		const records = [...success, ...failure].flatMap(({ auditRecords = [] }) => auditRecords);
		expect(records).toHaveLength(4);
		expect(new Set(records.map((record) => Object.keys(record).join())).size).toBe(1);
		for (const value of records.flatMap((record) => Object.values(record) as unknown[])) {
			expect(value === null || typeof value !== 'object').toBe(true);
		}
		expect(records[0]).toMatchObject({ user: JANE, target: 'okta', outcome: 'revoked' });
	});

	test('the execution can be found by its request', async () => {
		const { run: execution } = await run({ requestId: 'r-77' });
		expect(execution.data.resultData.metadata).toEqual({
			requestId: 'r-77',
			status: 'completed',
			users: '1',
		});
	});

	test('as long as nobody is protected, a hint says so', async () => {
		const says = (hints: readonly string[]) =>
			hints.some((hint) => hint.includes('No user is prot'));
		expect(says((await run({})).hints)).toBe(true);
		const guardrails = { protectedUsers: 'breakglass@example.com' };
		expect(says((await run({ guardrails })).hints)).toBe(false);
	});
});

describe('the shared policy', () => {
	const policy = (fields: IDataObject) => ({
		credentials: {
			oktaSessionsApi: okta.credential() as never,
			sessionRevocationPolicyApi: fields as never,
		},
	});

	test.each([
		[{ enabled: false }, 'disabled'],
		[{ protectedUsers: 'jane@*' }, 'protected_user'],
	])('%j stops every node', async (fields, cause) => {
		const { failure } = await run({ guardrails: { enabled: false } }, policy(fields));
		expect(failure[0]?.results).toMatchObject([{ outcome: 'refused', cause }]);
		const single = await runNode({
			type: 'oktaSessions',
			parameters: { operation: 'revokeAllSessions', user: JANE },
			...policy(fields),
		});
		expect(single.failure[0]?.json).toMatchObject({ outcome: 'refused', cause });
		expect(revocations()).toEqual([]);
	});

	test('a run limit holds beside the one of the node, and the smaller counts', async () => {
		const items = [{ user: JANE }, { user: JOE }];
		const { failure } = await run({}, { ...policy({ maxUsersPerRun: 1 }), items });
		expect(failure.map(({ results }) => results[0]?.cause)).toEqual(['run_limit', 'run_limit']);
		const { success } = await run({}, { ...policy({ maxUsersPerRun: 0 }), items });
		expect(success).toHaveLength(2);
		const single = await runNode({
			type: 'oktaSessions',
			parameters: { operation: 'revokeAllSessions', user: '={{ $json.user }}' },
			...policy({ maxUsersPerRun: 1 }),
			items,
		});
		expect(single.failure.map(({ json }) => json.cause)).toEqual(['run_limit', 'run_limit']);
	});

	test('a webhook may be kept from revoking, and from nothing else', async () => {
		const closed = policy({ allowWebhook: false });
		const { failure } = await run({}, { ...closed, mode: 'webhook' });
		expect(failure[0]?.results).toMatchObject([{ cause: 'channel_disabled' }]);
		expect(okta.simulator.requests).toEqual([]);
		const { success } = await run({}, closed);
		expect(success).toHaveLength(1);
		const read = await runNode({
			type: 'oktaSessions',
			parameters: { operation: 'retrieveUser', user: JANE },
			...closed,
			mode: 'webhook',
		});
		expect(read.success[0]?.json.outcome).toBe('user_found');
	});

	test('one that cannot be read allows nothing', async () => {
		const { error } = await run({}, policy({ maxUsersPerRun: 'many' }));
		expect(error?.name).toBe('NodeOperationError');
		expect(error?.message).toContain('Max Users per Run');
		expect(okta.simulator.requests).toEqual([]);
	});
});
