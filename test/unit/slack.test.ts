/** What is Slack's own: errors with status 200, scopes, kinds of sessions, whose list it is, and many users at once. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
	ConfigurationError,
	type Connection,
	openCredential,
	readOptions,
} from '../../nodes/core/connection';
import { isListing, type RevokeStep, type VendorReply } from '../../nodes/core/connector';
import {
	checkSetup,
	listSessions,
	retrieveUserOnly,
	revokeAllSessions,
	revokeOneSession,
} from '../../nodes/core/flow';
import type { Surroundings } from '../../nodes/core/transport/types';
import { slack as connector } from '../../nodes/Slack/connector';
import type { SlackTokenInit } from '../simulator/slack-org';
import { DEMO_SLACK_USER_TOKEN, seedSlackDemo } from '../simulator/slack-demo';
import { type SlackBench, startSlack } from '../support/slack';

const NORA = 'nora.lindqvist@example.com';
const TOMAS = 'tomas.okafor@example.com';
const OMAR = 'omar.haddad@example.com';
const ADMIN = 'admin.automation@example.com';
const ALL = ['users:read', 'users:read.email', 'admin.users:read', 'admin.users:write'];
const but = (left: string) => ALL.filter((scope) => scope !== left);

let bench: SlackBench;
beforeAll(async () => {
	bench = await startSlack({ seed: seedSlackDemo });
});
beforeEach(async () => {
	jest.restoreAllMocks();
	await bench.reset();
});
afterAll(() => bench.close());

const connection = (surroundings?: Partial<Surroundings>) =>
	bench.connection(DEMO_SLACK_USER_TOKEN, surroundings);
const withToken = (init: Partial<SlackTokenInit>) =>
	bench.connection(bench.slack.addToken({ user: ADMIN, scopes: ALL, ...init }));

const asking = (at: Connection, identity: string, options: object = {}, ms = 10_000) => ({
	connection: at,
	identity,
	options: readOptions(connector, options),
	allowShortNames: false,
	budget: { deadline: performance.now() + ms },
});

const revoke = (
	identity: string,
	{ at = connection(), options = {}, ms = 10_000 } = {},
): ReturnType<typeof revokeAllSessions> =>
	revokeAllSessions({
		...asking(at, identity, options, ms),
		verify: true,
		allowOwnIdentity: false,
		dryRun: false,
		mayTouch: () => Promise.resolve(null),
	});
const retrieve = (identity: string, at = connection()) => retrieveUserOnly(asking(at, identity));
const check = (at = connection()) => checkSetup(asking(at, ''));
const list = (identity: string, limit: number | null, at = connection()) =>
	listSessions(asking(at, identity), limit);
const endOne = (value: string, identity: string) => {
	const owner = asking(connection(), identity);
	return revokeOneSession({ ...owner, owner }, { parameter: 'sessionId', value });
};

/** Slack answers this from now on to the method, with status 200. */
const say = (route: string, body: object, times = Infinity) =>
	bench.simulator.faults.next({ match: route, times, fault: { kind: 'wrongShape', body } });
const refuse = (route: string, error: string, times = Infinity) =>
	say(route, { ok: false, error }, times);
const sent = (route: string) =>
	bench.simulator.requests
		.filter((request) => request.route === route)
		.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));

const LIST = 'admin.users.session.list';
const RESET = 'admin.users.session.reset';
const BULK = 'admin.users.session.resetBulk';

describe('an error with status 200', () => {
	test.each([
		['invalid_auth', 'credential_invalid'],
		['token_revoked', 'credential_invalid'],
		['token_expired', 'credential_invalid'],
		['account_inactive', 'credential_invalid'],
		['not_allowed_token_type', 'credential_invalid'],
		['not_an_admin', 'permission_denied'],
		['restricted_action', 'permission_denied'],
		['feature_not_enabled', 'configuration'],
		['team_added_to_org', 'unavailable'],
		['something_new', 'unexpected_reply'],
	])('%s of a reset is %s', async (error, cause) => {
		refuse(RESET, error);
		const result = await revoke(NORA);
		expect(result).toMatchObject({ outcome: 'failed', cause, statusCode: 200 });
		expect(result.message).toContain(error);
		expect(sent(RESET)).toHaveLength(1);
	});

	test.each(['internal_error', 'fatal_error', 'service_unavailable', 'user_session_reset_failed'])(
		'%s passes, so the reset is sent again',
		async (error) => {
			jest.spyOn(Math, 'random').mockReturnValue(0);
			refuse(RESET, error, 2);
			expect(await revoke(NORA)).toMatchObject({ outcome: 'revoked', changed: true });
			expect(sent(RESET)).toHaveLength(3);
			refuse(RESET, error);
			expect(await revoke(TOMAS)).toMatchObject({
				outcome: 'failed',
				cause: 'unavailable',
			});
		},
	);

	test('a throttled look-up waits', async () => {
		jest.spyOn(Math, 'random').mockReturnValue(0);
		refuse('users.lookupByEmail', 'ratelimited', 1);
		expect((await revoke(NORA)).outcome).toBe('revoked');
		refuse('users.lookupByEmail', 'ratelimited');
		expect(await revoke(NORA)).toMatchObject({ outcome: 'failed', cause: 'rate_limited' });
	});

	test('ok without anything else is no answer to a look-up', async () => {
		say('users.lookupByEmail', { ok: true });
		expect(await retrieve(NORA)).toMatchObject({ outcome: 'failed', cause: 'unexpected_reply' });
	});

	test('names the scope that Slack names', async () => {
		const at = withToken({ scopes: but('admin.users:write') });
		expect(await revoke(NORA, { at })).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			missingPermissions: ['admin.users:write'],
		});
		expect(bench.slack.sessionsOf(NORA)).toHaveLength(4);
		expect(await retrieve(NORA, withToken({ scopes: ['users:read'] }))).toMatchObject({
			cause: 'permission_denied',
			missingPermissions: ['users:read.email'],
		});
	});

	test.each(['', 'xoxp-1', 7, undefined, 'a:b; c:d'])(
		'names the scope that the method needs where Slack names %j',
		async (needed) => {
			say(RESET, { ok: false, error: 'missing_scope', needed });
			const { missingPermissions } = await revoke(NORA);
			expect(missingPermissions).toEqual(['admin.users:write']);
		},
	);

	test('tells a token of the wrong type', async () => {
		const { id = '' } = bench.slack.allUsers().find(({ botId }) => botId !== undefined) ?? {};
		const at = withToken({ user: id, token: 'xoxp-that-is-none' });
		expect(await revoke(NORA, { at })).toMatchObject({
			outcome: 'failed',
			cause: 'credential_invalid',
			message: expect.stringMatching(/not_allowed_token_type.*'xoxp-'/),
		});
		expect(bench.slack.sessionsOf(NORA)).toHaveLength(4);
	});
});

describe('who is meant', () => {
	test('an id, in any case', async () => {
		const { id } = bench.slack.getUser(NORA) ?? { id: '' };
		for (const identity of [id, id.toLowerCase()]) {
			expect(await retrieve(identity)).toMatchObject({ user: { id, login: NORA, email: NORA } });
		}
	});

	test('a bare name is nobody, and nothing is asked', async () => {
		expect((await retrieve('nora.lindqvist')).outcome).toBe('user_not_found');
		expect(bench.simulator.requests).toEqual([]);
	});

	test('deactivated members are found by their id', async () => {
		const { id } = bench.slack.getUser('priya.nair@example.com') ?? { id: '' };
		expect((await retrieve('priya.nair@example.com')).outcome).toBe('user_not_found');
		expect(await revoke(id)).toMatchObject({
			outcome: 'nothing_to_revoke',
			user: { status: 'deactivated' },
		});
	});

	test('without the scope for addresses an id still works', async () => {
		const { id } = bench.slack.getUser(NORA) ?? { id: '' };
		const at = withToken({ scopes: ['users:read', 'admin.users:read', 'admin.users:write'] });
		expect(await revoke(id, { at })).toMatchObject({ outcome: 'revoked', user: { login: null } });
	});

	test('a bot is refused before anything is sent', async () => {
		const { id = '' } = bench.slack.allUsers().find(({ botId }) => botId !== undefined) ?? {};
		expect(await revoke(id)).toMatchObject({
			outcome: 'refused',
			cause: 'unsupported_user',
			state: 'not_attempted',
		});
		say('users.info', { ok: true, user: { id: 'USLACKBOT', is_bot: false, profile: {} } });
		expect(await revoke('USLACKBOT')).toMatchObject({ cause: 'unsupported_user' });
		expect(sent(RESET)).toEqual([]);
	});

	test('the primary owner is refused by Slack, but not to the primary owner', async () => {
		expect(await revoke(OMAR)).toMatchObject({
			outcome: 'refused',
			cause: 'unsupported_user',
			message: expect.stringContaining('primary owner'),
		});
		expect(bench.slack.sessionsOf(OMAR)).toHaveLength(2);
		const at = withToken({ user: OMAR });
		const own = { ...asking(at, OMAR), verify: true, dryRun: false, allowOwnIdentity: true };
		const mayTouch = () => Promise.resolve(null);
		expect((await revokeAllSessions({ ...own, mayTouch })).outcome).toBe('revoked');
	});
});

describe('what is counted', () => {
	test('the sessions that were listed', async () => {
		expect(await revoke(NORA)).toMatchObject({
			outcome: 'revoked',
			changed: true,
			sessions: { found: 4, revoked: 4 },
			verification: { status: 'verified' },
		});
	});

	test.each(['no_active_sessions', 'empty'] as const)(
		'nothing, however the list says so (%s); the reset goes out all the same',
		async (cleanList) => {
			bench.slack.cleanList = cleanList;
			expect(await revoke('lena.fischer@example.com')).toMatchObject({
				outcome: 'nothing_to_revoke',
				changed: false,
				sessions: { found: 0, revoked: 0 },
			});
			expect(sent(RESET)).toHaveLength(1);
		},
	);

	test('nothing without the scope for the list, which a revocation does not need', async () => {
		const at = withToken({ scopes: but('admin.users:read') });
		expect(await revoke(NORA, { at })).toMatchObject({
			outcome: 'revoked',
			changed: null,
			sessions: { found: null, revoked: null },
			verification: { status: 'unverifiable' },
		});
		expect(bench.slack.sessionsOf(NORA)).toEqual([]);
	});
});

describe('which team a list is asked for', () => {
	const listed = () => sent(LIST).map(({ team_id: team }) => team);

	test('the organization, which the look-up tells', async () => {
		await list(NORA, null);
		expect(listed()).toEqual([bench.slack.enterpriseId]);
		expect(sent('auth.test')).toEqual([]);
	});

	test('the organization of the token, when the look-up does not tell', async () => {
		const { id } = bench.slack.getUser('priya.nair@example.com') ?? { id: '' };
		await list(id, null);
		expect(sent('auth.test')).toHaveLength(1);
		expect(listed()).toEqual([bench.slack.enterpriseId]);
	});

	test('each workspace of the user, when Slack does not know the organization as a team', async () => {
		bench.slack.listTeam = 'workspace';
		const { sessions } = await list(NORA, null);
		expect(listed()).toEqual([
			bench.slack.enterpriseId,
			...bench.slack.workspaces.map(({ id }) => id),
		]);
		expect(sessions).toHaveLength(4);
		expect(new Set(sessions?.map(({ id }) => id)).size).toBe(4);
		expect(await revoke(NORA)).toMatchObject({ sessions: { found: 4, revoked: 4 } });
	});

	test('a team that Slack does not know is no team without sessions', async () => {
		refuse(LIST, 'team_not_found');
		const { result, sessions } = await list(NORA, null);
		expect(result).toMatchObject({ outcome: 'failed', cause: 'unexpected_reply' });
		expect(sessions).toBeNull();
		expect(await revoke(NORA)).toMatchObject({ outcome: 'revoked', sessions: { found: null } });
	});

	test('nobody tells a team', async () => {
		const { id } = bench.slack.getUser(NORA) ?? {};
		say('users.lookupByEmail', { ok: true, user: { id, profile: { email: NORA } } });
		say('auth.test', { ok: true, user_id: 'U1' });
		expect((await list(NORA, null)).result.cause).toBe('unexpected_reply');
		expect((await revoke(NORA)).outcome).toBe('revoked');
	});
});

describe('List Sessions', () => {
	test('follows the pages, and asks for no more than is wanted', async () => {
		bench.slack.signIn(
			NORA,
			Array.from({ length: 1500 }, () => 'web' as const),
		);
		expect((await list(NORA, null)).sessions).toHaveLength(1504);
		expect(sent(LIST)).toHaveLength(2);
		bench.simulator.forget();
		expect((await list(NORA, 1200)).sessions).toHaveLength(1200);
		expect(sent(LIST).map(({ limit }) => limit)).toEqual(['1000', '200']);
		bench.simulator.forget();
		expect((await list(NORA, 2)).sessions).toHaveLength(2);
		expect(sent(LIST)).toHaveLength(1);
	});

	test('tells the device and the address as they are now', async () => {
		const { sessions } = await list(NORA, null);
		expect(sessions?.[0]).toMatchObject({
			kind: 'session',
			device: 'MacBookPro18,3 Mac OS 15.5',
			startedAt: null,
			raw: { user_id: bench.slack.getUser(NORA)?.id },
		});
		const changed = sessions?.find(({ raw }) => (raw as { recent?: unknown }).recent);
		expect(changed?.address).toBe('198.51.100.7');
	});
});

describe('Revoke Session', () => {
	test('names the session by the user', async () => {
		const [session] = bench.slack.sessionsOf(NORA);
		const result = await endOne(String(session?.session_id), NORA);
		expect(result).toMatchObject({ outcome: 'revoked', changed: true });
		const user_id = bench.slack.getUser(NORA)?.id;
		expect(sent('admin.users.session.invalidate')).toEqual([
			{ session_id: String(session?.session_id), user_id },
		]);
		expect(bench.slack.sessionsOf(NORA)).toHaveLength(3);
	});

	test("another user's session is not this user's", async () => {
		const [session] = bench.slack.sessionsOf(TOMAS);
		const result = await endOne(String(session?.session_id), NORA);
		expect(result.outcome).toBe('nothing_to_revoke');
		expect(bench.slack.sessionsOf(TOMAS)).toHaveLength(2);
	});

	test("the primary owner's is refused", async () => {
		const [session] = bench.slack.sessionsOf(OMAR);
		const result = await endOne(String(session?.session_id), OMAR);
		expect(result).toMatchObject({ outcome: 'refused', cause: 'unsupported_user' });
	});

	test.each(['1.5', '-1', '1e3', '0x10', '9007199254740993', 'abc'])(
		'%s is no id of a session',
		async (value) => {
			const result = await endOne(value, NORA);
			expect(result).toMatchObject({ outcome: 'failed', cause: 'invalid_input' });
			expect(sent('admin.users.session.invalidate')).toEqual([]);
		},
	);
});

describe('mobile or web sessions only', () => {
	test.each([
		['mobileOnly', 'mobile', 'mobile sessions', 'web and desktop sessions'],
		['webOnly', 'web', 'web sessions', 'mobile and desktop sessions'],
	] as const)('%s', async (option, client, ends, survivor) => {
		const result = await revoke(NORA, { options: { [option]: true } });
		expect(result).toMatchObject({
			outcome: 'revoked',
			changed: null,
			ended: [ends],
			sessions: { found: null, revoked: null },
			// What is still listed may be of another kind.
			verification: { status: 'unverifiable' },
		});
		expect(result.survives.map(({ what }) => what)).toContain(survivor);
		expect(bench.slack.sessionsOf(NORA, client)).toEqual([]);
		expect(bench.slack.sessionsOf(NORA, client === 'web' ? 'mobile' : 'web')).not.toEqual([]);
		expect(sent(LIST)).toEqual([]);
		expect(sent(RESET)[0]).toMatchObject({
			mobile_only: String(option === 'mobileOnly'),
			web_only: String(option === 'webOnly'),
		});
	});

	test('both switches are always sent', async () => {
		await revoke(NORA);
		expect(sent(RESET)[0]).toMatchObject({ mobile_only: 'false', web_only: 'false' });
	});

	test('both at once are not valid, and both are named', () => {
		const both = { mobileOnly: true, webOnly: true };
		expect(() => readOptions(connector, both)).toThrow(ConfigurationError);
		expect(() => readOptions(connector, both)).toThrow(
			/'Mobile Sessions Only'.*'Web Sessions Only'/,
		);
	});
});

describe('read-back', () => {
	test('sessions that are still there make the outcome partial', async () => {
		bench.slack.resetDelayMs = 60_000;
		expect(await revoke(NORA)).toMatchObject({
			outcome: 'partial',
			message: expect.stringContaining('4 sessions'),
		});
	});

	test('who signs in again at once is not taken for somebody left over', async () => {
		bench.simulator.faults.next({
			match: (request) => {
				if (request.route === LIST && sent(RESET).length > 0) bench.slack.signIn(NORA);
				return false;
			},
			fault: { kind: 'reset' },
		});
		expect(await revoke(NORA)).toMatchObject({
			outcome: 'revoked',
			verification: { status: 'verified' },
		});
		expect(bench.slack.sessionsOf(NORA)).toHaveLength(1);
	});

	test('without the list before, what is there may be new', async () => {
		bench.slack.listLagMs = Infinity;
		bench.simulator.faults.next({ match: LIST, fault: { kind: 'status', status: 400 } });
		expect(await revoke(NORA, { ms: 1_500 })).toMatchObject({
			outcome: 'revoked',
			verification: { status: 'unconfirmed' },
		});
	});
});

describe('many users', () => {
	const crowd = Array.from({ length: 30 }, (_, index) => `crowd${index}@example.com`);
	const many = () => connection({ usersInParallel: 40, users: 30 });
	beforeEach(() => {
		for (const email of crowd) bench.slack.addUser({ email, sessions: ['web'] });
	});
	const revokeAll = (users: readonly string[], ms?: number) => {
		const at = many();
		return Promise.all(users.map((user) => revoke(user, { at, ...(ms ? { ms } : {}) })));
	};

	test('are queued together, and revoked when it shows', async () => {
		const results = await revokeAll(crowd);
		expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['revoked']));
		expect(results[0]).toMatchObject({ sessions: { found: 1, revoked: 1 }, ended: ['sessions'] });
		const bulks = sent(BULK);
		const ids = bulks.flatMap(({ user_ids }) => JSON.parse(user_ids ?? '') as string[]);
		expect(ids.toSorted()).toEqual(
			crowd.map((user) => bench.slack.getUser(user)?.id ?? '').toSorted(),
		);
		expect(bulks[0]).toMatchObject({ mobile_only: 'false', web_only: 'false' });
	});

	test('stay accepted as long as it does not show', async () => {
		bench.slack.bulkDelayMs = 60_000;
		const results = await revokeAll(crowd, 2_500);
		expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
		expect(results[0]).toMatchObject({
			state: 'pending',
			ended: [],
			verification: { status: 'unconfirmed' },
		});
	});

	test('a small run resets one by one', async () => {
		const at = connection({ usersInParallel: 20, users: 20 });
		const results = await Promise.all(crowd.slice(0, 20).map((user) => revoke(user, { at })));
		expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['revoked']));
		expect([sent(BULK).length, sent(RESET).length]).toEqual([0, 20]);
	});

	test.each(['partial', 'refused'] as const)(
		'of whom one cannot be reset (%s): the others are, and it is told of whom',
		async (bulkWithFailures) => {
			bench.slack.bulkWithFailures = bulkWithFailures;
			const lost = crowd[7] ?? '';
			bench.simulator.faults.next({
				match: (request) => {
					if (request.route === BULK && bench.slack.getUser(lost)) bench.slack.removeUser(lost);
					return false;
				},
				fault: { kind: 'reset' },
			});
			const results = await revokeAll(crowd);
			const told = results.map(({ identityKey, outcome }) => [identityKey, outcome]);
			const expected = crowd.map((user) => [user, user === lost ? 'user_not_found' : 'revoked']);
			expect(told).toEqual(expected);
			expect(sent(RESET).length).toBeGreaterThan(1);
		},
	);

	test('the primary owner never goes with them', async () => {
		const results = await revokeAll([...crowd, OMAR]);
		expect(results.at(-1)).toMatchObject({ outcome: 'refused', cause: 'unsupported_user' });
		expect(sent(RESET)).toEqual([
			expect.objectContaining({ user_id: bench.slack.getUser(OMAR)?.id }),
		]);
	});

	test('a scope that is missing is named to each', async () => {
		say(BULK, { ok: false, error: 'missing_scope', needed: 'admin.users:write' });
		for (const { missingPermissions } of await revokeAll(crowd)) {
			expect(missingPermissions).toEqual(['admin.users:write']);
		}
	});
});

describe('the answer to a reset', () => {
	const account = { id: 'W1', isPrimaryOwner: false, organization: 'E1', teams: [] };
	const options = { mobileOnly: false, webOnly: false };
	const at = { credential: {}, scopes: null, options };
	const reply = (body: unknown, status = 200): VendorReply => ({
		status,
		headers: {},
		body,
		bodyKind: 'json',
		serverTime: 0,
	});
	const [listing] = connector.revocation(account, at);
	if (!listing || !isListing(listing)) throw new Error('There is no list');
	const [uncounted] = listing.orElse ?? [];

	/** The request after a list with these sessions. */
	function counted(...ids: readonly number[]): RevokeStep | undefined {
		const inquiry = listing && isListing(listing) ? listing.list() : undefined;
		inquiry?.next();
		const active_sessions = ids.map((session_id) => ({ session_id }));
		const turn = inquiry?.next(reply({ ok: true, active_sessions }));
		return turn?.done ? turn.value[0] : undefined;
	}

	test('is read by ok and error', () => {
		expect(uncounted?.judge(reply({ ok: true }))).toEqual({ verdict: 'ended', changed: null });
		expect(uncounted?.judge(reply({ ok: true, queued: true }))).toEqual({ verdict: 'queued' });
		expect(uncounted?.judge(reply({ ok: false, error: 'user_not_found' }))).toEqual({
			verdict: 'user_gone',
		});
		for (const error of ['cannot_reset_bot', 'cannot_reset_primary_owner']) {
			expect(uncounted?.judge(reply({ ok: false, error }))?.verdict).toBe('refused');
		}
	});

	test.each([{ ok: 1 }, { ok: 'true' }, { ok: false }, {}, null])('%j is none', (body) => {
		expect(uncounted?.judge(reply(body))).toBeUndefined();
	});

	test('errors with another status are not Slack’s', () => {
		const gone = { ok: false, error: 'user_not_found' };
		expect(uncounted?.judge(reply(gone, 404))).toBeUndefined();
		expect(uncounted?.judge(reply({ ok: true }, 201))).toBeUndefined();
	});

	test('is nothing to revoke after an empty list, queued or not', () => {
		expect(counted(1, 2)).toMatchObject({ count: 2, sessions: ['1', '2'] });
		expect(counted()?.judge(reply({ ok: true }))).toEqual({ verdict: 'already_gone' });
		expect(counted()?.judge(reply({ ok: true, queued: true }))).toEqual({
			verdict: 'already_gone',
		});
	});

	test('leaves it open once at most', () => {
		const some = reply({ ok: false, error: 'failed_for_some_users' });
		const verdict = uncounted?.judge(some);
		if (verdict?.verdict !== 'undecided') throw new Error('It is decided');
		expect(verdict.instead.request.batch).toBeUndefined();
		expect(verdict.instead.judge(some)).toBeUndefined();
	});
});

describe('Check Setup', () => {
	test('proves the right of an admin, and changes nothing', async () => {
		const before = JSON.stringify(bench.slack);
		const result = await check();
		expect(result).toMatchObject({ outcome: 'ready', missingPermissions: [] });
		expect(JSON.stringify(bench.slack)).toBe(before);
		const user_ids = JSON.stringify([bench.slack.getUser(ADMIN)?.id]);
		expect(sent('admin.users.session.getSettings')).toEqual([{ user_ids }]);
	});

	test.each([
		['admin.users:write', ['admin.users:write']],
		['users:read.email', ['users:read.email']],
	])('names %s', async (left, missingPermissions) => {
		expect(await check(withToken({ scopes: but(left) }))).toMatchObject({
			outcome: 'failed',
			cause: 'permission_denied',
			missingPermissions,
		});
	});

	test('says what cannot be seen without the scope for it', async () => {
		const result = await check(withToken({ scopes: but('admin.users:read') }));
		expect(result.outcome).toBe('ready');
		expect(result.message).toContain('admin.users:read');
	});

	test('says what Slack does not tell', async () => {
		const user_id = bench.slack.getUser(ADMIN)?.id;
		say('auth.test', { ok: true, user_id, enterprise_id: 'E1' });
		const result = await check();
		expect(result.outcome).toBe('ready');
		expect(result.message).toContain('admin.users:write');
	});

	test.each([
		['a bot', { user_id: 'U1', enterprise_id: 'E1', bot_id: 'B1' }, 'credential_invalid'],
		['no organization', { user_id: 'U1' }, 'configuration'],
	])('tells a token of %s', async (_, owner, cause) => {
		say('auth.test', { ok: true, ...owner });
		expect(await check()).toMatchObject({ outcome: 'failed', cause });
	});

	test('tells a member who is no admin', async () => {
		expect(await check(withToken({ user: NORA }))).toMatchObject({
			cause: 'permission_denied',
			missingPermissions: ['Org Owner or Org Admin'],
		});
	});

	test('tells an app that is installed on a workspace only', async () => {
		expect(await check(withToken({ install: 'workspace' }))).toMatchObject({
			cause: 'configuration',
			message: expect.stringContaining('feature_not_enabled'),
		});
	});

	test.each(['revoked', 'expired'])('tells a token that is %s', async (how) => {
		const token = bench.slack.addToken({ user: ADMIN, scopes: ALL, expiresAt: 1 });
		if (how === 'revoked') bench.slack.revokeToken(token);
		const cause = 'credential_invalid';
		expect(await check(bench.connection(token))).toMatchObject({ outcome: 'failed', cause });
	});
});

describe('the credential', () => {
	const open = (fields: Record<string, unknown>) => openCredential(connector, fields).access;

	test.each(['xoxp-1-2', ' xoxp-1-2\n', 'Bearer xoxp-1-2'])('reads %j', (userToken) => {
		expect(open({ userToken })).toMatchObject({
			baseUrl: 'https://slack.com/api',
			authentication: { name: 'Authorization', value: 'Bearer xoxp-1-2' },
			secrets: ['xoxp-1-2'],
		});
	});

	test('takes a token that is rotated, and GovSlack', () => {
		const apiUrl = 'https://slack-gov.com/api/';
		expect(open({ userToken: 'xoxe.xoxp-1-2', apiUrl }).baseUrl).toBe('https://slack-gov.com/api');
	});

	test.each([
		["'User Token'", 'empty', { userToken: ' ' }],
		["'User Token'", 'characters', { userToken: 'xoxp-1 2' }],
		["'User Token'", 'a bot token', { userToken: 'xoxb-1-2' }],
		["'User Token'", 'a bot token', { userToken: 'xoxe.xoxb-1-2' }],
		["'User Token'", 'an app-level token', { userToken: 'xapp-1-2' }],
		["'User Token'", 'a refresh token', { userToken: 'xoxe-1-2' }],
		["'API URL'", 'https', { userToken: 'xoxp-1', apiUrl: 'http://slack.example/api' }],
	])('names %s: %s', (label, problem, fields) => {
		expect(() => open(fields)).toThrow(label);
		expect(() => open(fields)).toThrow(problem);
	});

	test('the connection test knows every refusal, and not that nobody is found', () => {
		const values = connector.credential.test.refusals?.map((refusal) =>
			'value' in refusal ? refusal.value : null,
		);
		expect(values).toEqual(expect.arrayContaining(['invalid_auth', 'missing_scope']));
		expect(values).not.toContain('users_not_found');
	});
});

test('the manifest of the documents gives one token all that is needed, and no more', async () => {
	const page = readFileSync('docs/connectors/slack.md', 'utf8');
	const block = /```json\n(.*?)```/s.exec(page)?.[1] ?? '';
	const manifest = JSON.parse(block) as {
		oauth_config: { scopes: Record<string, string[]> };
		settings: object;
	};
	expect(Object.keys(manifest.oauth_config.scopes)).toEqual(['user']);
	expect(manifest.settings).toMatchObject({ org_deploy_enabled: true });
	const scopes = manifest.oauth_config.scopes.user ?? [];
	const at = withToken({ scopes });
	expect((await check(at)).outcome).toBe('ready');
	const [session] = (await list(NORA, null, at)).sessions ?? [];
	const owner = { ...asking(at, NORA), owner: asking(at, NORA) };
	const one = { parameter: 'sessionId', value: session?.id ?? '' };
	expect((await revokeOneSession(owner, one)).outcome).toBe('revoked');
	expect(await revoke(NORA, { at })).toMatchObject({
		outcome: 'revoked',
		verification: { status: 'verified' },
	});
	const needed = bench.simulator.requests.flatMap(
		({ route }) => bench.simulator.routes.find(({ name }) => name === route)?.scopes ?? [],
	);
	// Slack grants users:read.email together with users:read only.
	expect([...new Set([...needed, 'users:read'])].toSorted()).toEqual(scopes.toSorted());
});
