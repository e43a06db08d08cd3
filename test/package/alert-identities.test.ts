import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';
import type { UserResult } from '../../nodes/core/everywhere/run';
import { fixture as alertOf, fixtures } from '../support/alerts';
import { type OktaBench, startOkta } from '../support/okta';
import { type NodeSetting, runNode, runNodes } from './engine';

const reading = (parameters: IDataObject, items: readonly IDataObject[]): NodeSetting => ({
	type: 'alertIdentities',
	parameters,
	items,
});

const webhookItem = (body: IDataObject): IDataObject => ({
	headers: { host: 'n8n.example.com' },
	params: {},
	query: {},
	body,
	webhookUrl: 'https://n8n.example.com/webhook/alert',
	executionMode: 'production',
});

const fixture = (name: string): IDataObject => alertOf(name) as IDataObject;

const splunkOf = (user: unknown) =>
	({ ...fixture('splunk-webhook'), result: { user } }) as IDataObject;

describe('Alert Identities', () => {
	test.each(fixtures)('reads %s without any parameter', async (name) => {
		const { outputs, error } = await runNode(reading({}, [fixture(name)]));
		expect(error).toBeUndefined();
		expect(outputs).toHaveLength(2);
		expect(outputs.flat()).not.toEqual([]);
	});

	test('sorts people to Identified, all else to Not Identified, each with its origin', async () => {
		const items = [
			splunkOf(['jane@example.com', 'joe@example.com', 'bob']),
			{ nothing: 'known' },
			webhookItem(splunkOf('chief@example.com')),
		];
		const { success, failure } = await runNode(reading({}, items));
		expect(success.map(({ json, pairedItem }) => [json.user, pairedItem])).toEqual([
			['jane@example.com', { item: 0 }],
			['joe@example.com', { item: 0 }],
			['chief@example.com', { item: 2 }],
		]);
		expect(failure.map(({ json, pairedItem }) => [json.reason, pairedItem])).toEqual([
			[expect.stringContaining('only by what means nothing'), { item: 0 }],
			[expect.stringContaining('no sender'), { item: 1 }],
		]);
	});

	test.each([
		[
			'an expression that gives an object',
			'={{ $json.found }}',
			{ found: splunkOf('jane@example.com') },
		],
		[
			'an expression that gives text',
			'={{ $json.found }}',
			{ found: JSON.stringify(splunkOf('jane@example.com')) },
		],
		['typed text', JSON.stringify(splunkOf('jane@example.com')), {}],
		['an empty field', '', splunkOf('jane@example.com')],
	])('the parameter Alert as %s', async (_, alert, item) => {
		const { success, failure } = await runNode(reading({ source: 'splunk', alert }, [item]));
		expect(success.map(({ json }) => json.user)).toEqual(['jane@example.com']);
		expect(failure).toEqual([]);
	});

	test('an expression that finds nothing is no alert, and is not lost', async () => {
		const item = splunkOf('jane@example.com');
		const { success, failure, error } = await runNode(
			reading({ alert: '={{ $json.missing }}' }, [item]),
		);
		expect(error).toBeUndefined();
		expect([success, failure]).toMatchObject([[], [{ json: { user: null } }]]);
	});

	test('a custom sender, by a path', async () => {
		const parameters = { source: 'custom', userPath: 'who[*].mail' };
		const items = [{ who: [{ mail: 'jane@example.com' }, { mail: 'joe@example.com' }] }];
		const { success } = await runNode(reading(parameters, items));
		expect(success.map(({ json }) => json.user)).toEqual(['jane@example.com', 'joe@example.com']);
	});
});

describe('Alert Identities, then Revoke Everywhere', () => {
	let bench: OktaBench;
	beforeAll(async () => {
		bench = await startOkta();
		for (const name of ['jane', 'joe', 'admin'])
			bench.org.addUser({ login: `${name}@example.com` });
	});
	beforeEach(() => {
		for (const name of ['jane', 'joe', 'admin']) bench.org.signIn(`${name}@example.com`, 1);
	});
	afterAll(() => bench.close());

	const both = (alert: IDataObject) =>
		runNodes([
			reading({}, [webhookItem(alert)]),
			{
				type: 'revokeEverywhere',
				credentials: { oktaSessionsApi: bench.credential() as never },
				parameters: {
					operation: 'revoke',
					user: '={{ $json.user }}',
					identities: '={{ $json.identities }}',
					reason: '={{ $json.alert.title }}',
					source: '={{ $json.alert.source }}',
					incidentId: '={{ $json.alert.id }}',
				},
			},
		]);

	test.each(fixtures.filter((name) => !/fusion|windows|okta/.test(name)))(
		'%s ends the sessions of whom it is about',
		async (name) => {
			const { success, error } = await both(fixture(name));
			expect(error).toBeUndefined();
			const jane = success.find(({ json }) => json.user === 'jane@example.com');
			expect(jane?.json as unknown as UserResult).toMatchObject({
				status: 'completed',
				source: expect.any(String),
				results: [{ connector: 'okta', outcome: 'revoked', user: { login: 'jane@example.com' } }],
			});
			expect(bench.org.sessionsOf('jane@example.com')).toEqual([]);
			expect(bench.org.sessionsOf('admin@example.com')).not.toEqual([]);
		},
	);

	test.each(['caep-okta', 'okta-event-hook'])(
		'%s reaches the user by the id in Okta',
		async (name) => {
			const { id } = bench.org.addUser({ login: `${name}@example.com` });
			bench.org.signIn(`${name}@example.com`, 1);
			const alert = JSON.stringify(fixture(name)).replaceAll('00u1qw6mqitPHM8AJ0g7', id);
			const { success } = await both(JSON.parse(alert) as IDataObject);
			expect(success.map(({ json }) => json.results)).toEqual([
				[expect.objectContaining({ identityKey: id, outcome: 'revoked' })],
			]);
			expect(bench.org.sessionsOf(`${name}@example.com`)).toEqual([]);
		},
	);

	test('an alert that identifies nobody reaches nobody', async () => {
		bench.simulator.forget();
		const { run } = await both(fixture('wazuh-windows'));
		expect(run.data.resultData.error).toBeUndefined();
		expect(bench.simulator.requests).toEqual([]);
	});
});
