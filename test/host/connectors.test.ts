/** The node and the credential of every system in a real n8n; what the system itself knows is the proof. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Credential } from './client';
import type { Execution } from './execution';
import { onStage } from './on-stage';
import { left, runNodes } from './runs';
import { sessionsIn, systemOf, type System } from './stage';
import type { NodeAtWork } from './workflow';

const stage = onStage();
const { n8n, systems } = stage;
const PACKAGE = 'n8n-nodes-session-revocation';

const SIGNED_IN = 'nora.lindqvist@example.com';
const UNKNOWN = 'nobody.at.all@example.com';
const PLANTED = 'planted0';

/** What each system calls it that all sessions ended. */
const ENDED: Readonly<Record<string, string>> = {
	custom: 'revoked',
	google_workspace: 'revoked',
	janssen: 'revoked',
	entra: 'tokens_revoked',
	miro: 'revoked',
	okta: 'revoked',
	slack_enterprise: 'revoked',
	stytch: 'revoked',
};

/** The systems whose node offers List Sessions, and what is listed there. */
const LISTED: Readonly<Record<string, RegExp>> = {
	custom: /^session$/,
	google_workspace: /^(OAuth grant|app password)$/,
	janssen: /^session$/,
	slack_enterprise: /^session$/,
	stytch: /^session$/,
};

type Parameters = NodeAtWork['parameters'];

/** A system's own node. */
const own =
	({ node, credential }: System) =>
	(name: string, parameters: Parameters): NodeAtWork => ({
		name,
		type: `${PACKAGE}.${node}`,
		parameters,
		credentials: [credential],
	});

/** Revoke Everywhere with these credentials. */
const everywhere = (
	name: string,
	parameters: Parameters,
	credentials: readonly Credential[] = systems.map(({ credential }) => credential),
): NodeAtWork => ({ name, type: `${PACKAGE}.revokeEverywhere`, parameters, credentials });

const run = async (name: string, nodes: readonly NodeAtWork[]) =>
	await runNodes(stage, name, nodes);

/** The credential's data with another secret of the same form. */
function refused({ credentialData, secret, simulator }: System) {
	const data = credentialData(simulator.url);
	return { ...data, [secret]: `${String(data[secret]).slice(0, -PLANTED.length)}${PLANTED}` };
}

const secretOf = ({ credentialData, secret, simulator }: System) =>
	String(credentialData(simulator.url)[secret]);

/** No secret is in what n8n stored of an execution, nor in its log. */
async function expectNoSecret({ id }: Execution, secrets: readonly string[]): Promise<void> {
	const stored = await n8n.client.storedExecution(id);
	const log = readFileSync(n8n.logFile, 'utf8');
	for (const secret of secrets) {
		expect(stored).not.toContain(secret);
		expect(log).not.toContain(secret);
	}
}

/** The simulator saw nothing that the system's documents do not allow. */
async function expectByTheBook({ simulator }: System): Promise<void> {
	expect(await simulator.traffic()).toMatchObject({ violations: [], unmatched: [] });
}

describe.each(systems.map((system) => [system.title, system] as const))('%s', (title, system) => {
	const node = own(system);
	const at = { connector: system.key, identityKey: SIGNED_IN };
	const unknown = { connector: system.key, identityKey: UNKNOWN, outcome: 'user_not_found' };

	describe('the test of its credential', () => {
		beforeAll(async () => {
			await system.simulator.reset();
		});

		test('passes, and changes nothing', async () => {
			const before = await system.simulator.state();
			const data = system.credentialData(system.simulator.url);
			const result = await n8n.client.testCredential(system.credential, data);
			expect(result).toMatchObject({ status: 'OK' });
			expect(await system.simulator.state()).toEqual(before);
			await expectByTheBook(system);
		});

		test('fails with a secret that is refused, names the system, and does not repeat it', async () => {
			const result = await n8n.client.testCredential(system.credential, refused(system));
			expect(result.status).toBe('Error');
			expect(result.message).toContain(title);
			expect(result.message).toMatch(/accept|refused|invalid_auth/);
			expect(JSON.stringify(result)).not.toContain(PLANTED);
			expect(readFileSync(n8n.logFile, 'utf8')).not.toContain(PLANTED);
		});
	});

	describe('its node looks', () => {
		const lists = LISTED[system.key] !== undefined;
		let execution: Execution;
		let before: unknown;

		beforeAll(async () => {
			await system.simulator.reset();
			before = await system.simulator.state();
			execution = await run(`${title} looks`, [
				node('Check Setup', { operation: 'checkSetup' }),
				node('Retrieve', { operation: 'retrieveUser', user: SIGNED_IN }),
				node('Retrieve Nobody', { operation: 'retrieveUser', user: UNKNOWN }),
				...(lists
					? [node('List', { operation: 'listSessions', user: SIGNED_IN, returnAll: true })]
					: []),
			]);
		});

		test('Check Setup is ready', () => {
			const ready = { connector: system.key, outcome: 'ready', missingPermissions: [] };
			expect(left(execution, 'Check Setup')).toMatchObject({ success: [ready], failure: [] });
		});

		test('Retrieve User finds who is there', () => {
			expect(left(execution, 'Retrieve')).toMatchObject({
				success: [{ ...at, outcome: 'user_found', user: { email: SIGNED_IN } }],
				failure: [],
			});
		});

		test('Retrieve User gives who is not there to Failure', () => {
			expect(left(execution, 'Retrieve Nobody')).toMatchObject({
				success: [],
				failure: [{ ...unknown, userKnown: false, user: null }],
			});
		});

		if (lists) {
			test('List Sessions gives an item for each', async () => {
				const { success, failure } = left(execution, 'List');
				expect(failure).toEqual([]);
				expect(success.length).toBeGreaterThan(0);
				for (const item of success) {
					expect(item).toMatchObject({
						...at,
						outcome: 'sessions_listed',
						sessionId: expect.any(String),
						kind: expect.stringMatching(LISTED[system.key] ?? ''),
					});
				}
				const sessions = success.filter(({ kind }) => kind === 'session');
				if (sessions.length > 0) {
					expect(sessions).toHaveLength((await sessionsIn(system, SIGNED_IN)) ?? 0);
				}
			});
		}

		test('changes nothing, says no secret, and asks as the documents have it', async () => {
			expect(await system.simulator.state()).toEqual(before);
			await expectNoSecret(execution, [secretOf(system)]);
			await expectByTheBook(system);
		});
	});

	describe('its node revokes', () => {
		let execution: Execution;
		let others: Record<string, number>;

		const sessionsOfOthers = async () =>
			Object.fromEntries(
				system
					.people(await system.simulator.state())
					.filter(({ name }) => name !== SIGNED_IN)
					.map(({ name, sessions }) => [name, sessions]),
			);

		beforeAll(async () => {
			await system.simulator.reset();
			others = await sessionsOfOthers();
			expect(await sessionsIn(system, SIGNED_IN)).toBeGreaterThan(0);
			execution = await run(`${title} revokes`, [
				node('Revoke', { operation: 'revokeAllSessions', user: SIGNED_IN }),
				node('Revoke Nobody', { operation: 'revokeAllSessions', user: UNKNOWN }),
			]);
		});

		test('all sessions of one user, by the Success output', async () => {
			expect(left(execution, 'Revoke')).toMatchObject({
				success: [{ ...at, outcome: ENDED[system.key], state: 'revoked', cause: null }],
				failure: [],
			});
			expect(await sessionsIn(system, SIGNED_IN)).toBe(0);
		});

		test('nobody when the name is unknown, by the Failure output', () => {
			expect(left(execution, 'Revoke Nobody')).toMatchObject({
				success: [],
				failure: [{ ...unknown, state: 'user_lookup_failed', ended: [] }],
			});
		});

		test('nobody else, says no secret, and asks as the documents have it', async () => {
			expect(await sessionsOfOthers()).toEqual(others);
			await expectNoSecret(execution, [secretOf(system)]);
			await expectByTheBook(system);
		});
	});
});

describe('Revoke Everywhere', () => {
	/** Sessions of the signed-in user, by system. */
	const census = async () =>
		Object.fromEntries(
			await Promise.all(
				systems.map(async (system) => [system.key, await sessionsIn(system, SIGNED_IN)] as const),
			),
		);
	const none = Object.fromEntries(systems.map(({ key }) => [key, 0]));
	const keys = systems.map(({ key }) => key);
	const results = expect.arrayContaining(
		keys.map((connector) => expect.objectContaining({ connector, outcome: ENDED[connector] })),
	);

	beforeAll(async () => {
		await Promise.all(systems.map(async ({ simulator }) => await simulator.reset()));
	});

	test('says of every system that it is ready, and what it would do, and does nothing', async () => {
		const before = await census();
		const execution = await run('Everywhere looks', [
			everywhere('Check Setup', { operation: 'checkSetup' }),
			everywhere('Dry Run', { operation: 'revoke', user: SIGNED_IN, dryRun: true }),
		]);
		const each = (outcome: string) =>
			expect.arrayContaining(
				keys.map((connector) => expect.objectContaining({ connector, outcome })),
			);
		expect(left(execution, 'Check Setup')).toMatchObject({
			success: [{ outcome: 'ready', results: each('ready') }],
			failure: [],
		});
		expect(left(execution, 'Dry Run')).toMatchObject({
			success: [{ status: 'completed', coverage: 'none', dryRun: true, results: each('planned') }],
			failure: [],
		});
		expect(await census()).toEqual(before);
	});

	test('goes on with the others where one system refuses the credential', async () => {
		const okta = systemOf(systems, 'okta');
		const wrong = await n8n.client.createCredential(
			'Okta (refused)',
			okta.credentialType,
			refused(okta),
		);
		const credentials = systems.map(({ key, credential }) => (key === 'okta' ? wrong : credential));
		const before = await census();
		const execution = await run('Everywhere but one', [
			everywhere('Revoke', { operation: 'revoke', user: SIGNED_IN }, credentials),
		]);
		expect(left(execution, 'Revoke')).toMatchObject({
			success: [],
			failure: [
				{
					status: 'failed',
					coverage: 'partial',
					retryTargets: ['okta'],
					results: expect.arrayContaining([
						expect.objectContaining({
							connector: 'okta',
							outcome: 'failed',
							cause: 'credential_invalid',
						}),
					]),
				},
			],
		});
		expect(await census()).toEqual({ ...none, okta: before.okta });
		await expectNoSecret(execution, [PLANTED, ...systems.map(secretOf)]);
	});

	test('ends every session in every system', async () => {
		await Promise.all(systems.map(async ({ simulator }) => await simulator.reset()));
		const execution = await run('Everywhere', [
			everywhere('Revoke', { operation: 'revoke', user: SIGNED_IN }),
			everywhere('Revoke Nobody', { operation: 'revoke', user: UNKNOWN }),
		]);
		expect(left(execution, 'Revoke')).toMatchObject({
			success: [{ status: 'completed', coverage: 'all', targetsUsed: keys, results }],
			failure: [],
		});
		expect(left(execution, 'Revoke Nobody')).toMatchObject({
			success: [],
			failure: [{ status: 'failed', coverage: 'none', counts: { user_not_found: keys.length } }],
		});
		expect(await census()).toEqual(none);
		await expectNoSecret(execution, systems.map(secretOf));
		for (const system of systems) await expectByTheBook(system);
	});
});
