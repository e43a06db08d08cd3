import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Dispatcher, request as http } from 'undici';
import { createSlack, type Slack } from './slack';
import { DEMO_SLACK_USER_TOKEN, seedSlackDemo } from './slack-demo';
import { type Simulator, startSimulator } from './simulator';

const NORA = 'nora.lindqvist@example.com';
const TOMAS = 'tomas.okafor@example.com';
const OWNER = 'omar.haddad@example.com';
const ADMIN = 'admin.automation@example.com';
const FORM = 'application/x-www-form-urlencoded';
const ALL_SCOPES = ['users:read', 'users:read.email', 'admin.users:read', 'admin.users:write'];

let slack: Slack;
let simulator: Simulator;

beforeEach(async () => {
	slack = createSlack({ seed: seedSlackDemo, rateLimit: { limit: 1000, windowMs: 60_000 } });
	simulator = await startSimulator(slack);
});

afterEach(async () => {
	await simulator.close();
});

interface SlackBody {
	ok: boolean;
	error?: string;
	user?: { id: string; profile: { email?: string }; [name: string]: unknown };
	active_sessions?: { user_id: string; team_id: string; session_id: number }[];
	response_metadata?: { next_cursor?: string; messages?: string[]; warnings?: string[] };
	[name: string]: unknown;
}

interface Answer {
	status: number;
	headers: Record<string, string | string[] | undefined>;
	json: SlackBody;
}

interface Call {
	verb?: Dispatcher.HttpMethod;
	bearer?: string | null;
	type?: string | null;
	body?: string;
}

/** Calls a method with arguments as a form, or in the query of a GET. */
async function call(
	method: string,
	sent: Record<string, string> = {},
	{ verb = 'POST', bearer = DEMO_SLACK_USER_TOKEN, type = FORM, body }: Call = {},
): Promise<Answer> {
	const text = new URLSearchParams(sent).toString();
	const get = verb === 'GET';
	const answer = await http(`${simulator.url}/api/${method}${get ? `?${text}` : ''}`, {
		method: verb,
		headers: {
			...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
			...(get || type === null ? {} : { 'content-type': type }),
		},
		...(get ? {} : { body: body ?? text }),
	});
	const json = (await answer.body.json()) as SlackBody;
	return { status: answer.statusCode, headers: answer.headers, json };
}

const callJson = (method: string, sent: unknown, more: Call = {}) =>
	call(
		method,
		{},
		{ type: 'application/json; charset=utf-8', body: JSON.stringify(sent), ...more },
	);
const id = (user: string) => slack.getUser(user)?.id ?? '';
const bot = () => slack.allUsers().find(({ botId }) => botId !== undefined)?.id ?? '';
const lookUp = (email: string, more?: Call) => call('users.lookupByEmail', { email }, more);
const info = (user: string, more?: Call) => call('users.info', { user }, more);
const session = (name: string, sent?: Record<string, string>, more?: Call) =>
	call(`admin.users.session.${name}`, sent, more);
const list = (user: string, team_id = slack.enterpriseId) =>
	session('list', { user_id: id(user), team_id });
const problem = ({ status, json }: Answer) => [status, json.ok ? 'ok' : json.error];
const messages = ({ json }: Answer) => json.response_metadata?.messages;
const live = (user: string) => slack.sessionsOf(user).length;

/** A token of the admin with these scopes. */
const tokenWith = (...scopes: string[]) => slack.addToken({ user: ADMIN, scopes });

it('has a source for every route, at the vendor', () => {
	for (const { source, name, url } of simulator.routes) {
		expect(source).toBe(`https://docs.slack.dev/reference/methods/${name}`);
		expect(url).toBe(`/api/${name}`);
	}
	expect(Object.keys(simulator.hits)).toHaveLength(8);
});

describe('who calls', () => {
	it('is told by auth.test, with the scopes in a header', async () => {
		for (const verb of ['GET', 'POST'] as const) {
			const { status, headers, json } = await call('auth.test', {}, { verb });
			expect([status, json]).toEqual([
				200,
				{
					ok: true,
					url: 'https://example.enterprise.slack.com/',
					team: 'Example',
					user: 'admin.automation',
					team_id: slack.enterpriseId,
					user_id: id(ADMIN),
					enterprise_id: slack.enterpriseId,
					is_enterprise_install: true,
				},
			]);
			expect(headers['x-oauth-scopes']).toBe(ALL_SCOPES.join(','));
			expect(headers['x-slack-req-id']).toMatch(/^[\da-f]{32}$/);
			expect(headers['content-type']).toBe('application/json; charset=utf-8');
		}
		slack.orgTeam = 'workspace';
		expect((await call('auth.test')).json.team_id).toBe(slack.workspaces[0]?.id);
		expect(simulator.violations).toEqual([]);
	});

	it('shows a bot, an app of one workspace, and another plan', async () => {
		const bearer = slack.addToken({ user: bot(), scopes: ['users:read'] });
		expect(bearer).toMatch(/^xoxb-/);
		const { json } = await call('auth.test', {}, { bearer });
		expect(json).toMatchObject({ user_id: bot(), bot_id: expect.stringMatching(/^B/) });
		const small = slack.addToken({ user: ADMIN, scopes: ALL_SCOPES, install: 'workspace' });
		expect((await call('auth.test', {}, { bearer: small })).json).toMatchObject({
			team_id: slack.workspaces[0]?.id,
			enterprise_id: slack.enterpriseId,
			is_enterprise_install: false,
		});
		expect(problem(await session('list', {}, { bearer: small }))).toEqual([
			200,
			'feature_not_enabled',
		]);
		slack.enterprise = false;
		const plain = slack.addToken({ user: ADMIN, scopes: ALL_SCOPES });
		expect((await call('auth.test', {}, { bearer: plain })).json).not.toHaveProperty(
			'enterprise_id',
		);
		const reset = await session('reset', { user_id: id(NORA) }, { bearer: plain });
		expect(problem(reset)).toEqual([200, 'feature_not_enabled']);
		expect(live(NORA)).toBe(4);
	});

	it('may send the token as an argument of a form, and nowhere else', async () => {
		const token = DEMO_SLACK_USER_TOKEN;
		expect(problem(await call('auth.test', { token }, { bearer: null }))).toEqual([200, 'ok']);
		expect(simulator.violations).toEqual([]);
		expect(problem(await call('auth.test', {}, { bearer: null }))).toEqual([200, 'not_authed']);
		const inQuery = await call('auth.test', { token }, { bearer: null, verb: 'GET' });
		const inJson = await callJson(
			'admin.users.session.reset',
			{ token, user_id: id(NORA) },
			{ bearer: null },
		);
		expect([inQuery, inJson].map(problem)).toEqual([
			[200, 'not_authed'],
			[200, 'not_authed'],
		]);
		expect(simulator.violations).toContain(
			'POST /api/admin.users.session.reset: undocumented argument token',
		);
	});

	it('is refused for tokens that are wrong, withdrawn, expired or of the wrong kind', async () => {
		const expired = slack.addToken({ user: ADMIN, scopes: ALL_SCOPES, expiresAt: Date.now() - 1 });
		const ofBot = slack.addToken({ user: bot(), scopes: ALL_SCOPES });
		const ofMember = slack.addToken({ user: NORA, scopes: ALL_SCOPES });
		const refused = async (bearer: string) => problem(await session('list', {}, { bearer }))[1];
		expect(await refused('xoxp-unknown')).toBe('invalid_auth');
		expect(await refused(expired)).toBe('token_expired');
		expect(await refused(ofBot)).toBe('not_allowed_token_type');
		expect(await refused(ofMember)).toBe('not_an_admin');
		slack.revokeToken(ofBot);
		expect(await refused(ofBot)).toBe('account_inactive');
		slack.deactivateUser(NORA);
		expect(await refused(ofMember)).toBe('token_revoked');
		slack.withdrawTokens();
		expect(await refused(DEMO_SLACK_USER_TOKEN)).toBe('token_revoked');
	});

	it('is told which scope is missing', async () => {
		const bearer = tokenWith('users:read');
		const needed = async (answer: Promise<Answer>) => {
			const { status, headers, json } = await answer;
			expect([status, json]).toEqual([
				200,
				{ ok: false, error: 'missing_scope', needed: json.needed, provided: 'users:read' },
			]);
			expect(headers['x-accepted-oauth-scopes']).toBe(json.needed);
			expect(headers['x-oauth-scopes']).toBe('users:read');
			return json.needed;
		};
		const more = { bearer };
		expect(await needed(lookUp(NORA, more))).toBe('users:read.email');
		expect(await needed(session('list', {}, more))).toBe('admin.users:read');
		expect(await needed(session('getSettings', {}, more))).toBe('admin.users:read');
		for (const name of ['reset', 'resetBulk', 'invalidate']) {
			expect(await needed(session(name, {}, more))).toBe('admin.users:write');
		}
		expect((await info(id(NORA), more)).json.user?.profile).not.toHaveProperty('email');
		expect(problem(await info(id(NORA), { bearer: tokenWith() }))[1]).toBe('missing_scope');
		expect(() => tokenWith('users:read.email')).toThrow('together with users:read');
	});
});

describe('a look-up', () => {
	it('finds a member by address, in a GET and in a POST', async () => {
		for (const verb of ['GET', 'POST'] as const) {
			const { json } = await lookUp('Nora.Lindqvist@EXAMPLE.com', { verb });
			expect(json).toMatchObject({
				ok: true,
				user: {
					id: id(NORA),
					team_id: slack.workspaces[0]?.id,
					name: 'nora.lindqvist',
					real_name: 'Nora Lindqvist',
					deleted: false,
					is_bot: false,
					is_admin: false,
					is_primary_owner: false,
					is_restricted: false,
					profile: { email: NORA, real_name: 'Nora Lindqvist' },
					enterprise_user: {
						id: id(NORA),
						enterprise_id: slack.enterpriseId,
						teams: slack.workspaces.map((one) => one.id),
					},
				},
			});
		}
		expect(simulator.violations).toEqual([]);
	});

	it('does not find what is not there, nor the deactivated unless switched', async () => {
		expect(problem(await lookUp('nobody@example.com'))).toEqual([200, 'users_not_found']);
		expect(problem(await lookUp(''))).toEqual([200, 'users_not_found']);
		expect(problem(await lookUp(id(NORA)))).toEqual([200, 'users_not_found']);
		expect(problem(await lookUp('priya.nair@example.com'))).toEqual([200, 'users_not_found']);
		slack.lookupFindsDeleted = true;
		expect((await lookUp('priya.nair@example.com')).json.user?.deleted).toBe(true);
		slack.lookupIgnoresCase = false;
		expect(problem(await lookUp(NORA.toUpperCase()))).toEqual([200, 'users_not_found']);
		const missing = await call('users.lookupByEmail');
		expect(problem(missing)).toEqual([200, 'invalid_arguments']);
		expect(messages(missing)).toEqual(['[ERROR] missing required field: email']);
	});

	it('reads anybody by id: the deactivated, bots, guests, owners', async () => {
		const shown = async (user: string) => (await info(user, { verb: 'GET' })).json.user;
		const left = await shown(id('priya.nair@example.com'));
		expect(left).toMatchObject({ deleted: true, profile: { email: 'priya.nair@example.com' } });
		expect(await shown(bot())).toMatchObject({
			is_bot: true,
			profile: { bot_id: expect.stringMatching(/^B/) },
		});
		expect(await shown(id('mei.tanaka+contractor@example.com'))).toMatchObject({
			is_restricted: true,
			is_ultra_restricted: false,
		});
		expect(await shown(id('jonas.weber@partner.example.org'))).toMatchObject({
			is_restricted: true,
			is_ultra_restricted: true,
		});
		expect(await shown(id(OWNER))).toMatchObject({
			is_admin: true,
			is_owner: true,
			is_primary_owner: true,
		});
		expect(
			(await call('users.info', { user: id(NORA), include_locale: 'true' })).json.user,
		).toEqual(expect.objectContaining({ locale: 'en-US' }));
		expect(problem(await info(NORA))).toEqual([200, 'user_not_found']);
		expect(simulator.violations).toEqual([]);
	});

	it('of an app of one workspace ends at that workspace', async () => {
		const bearer = slack.addToken({ user: ADMIN, scopes: ALL_SCOPES, install: 'workspace' });
		expect(problem(await lookUp("maeve.o'neil@example.com"))).toEqual([200, 'ok']);
		const small = await lookUp("maeve.o'neil@example.com", { bearer });
		expect(problem(small)).toEqual([200, 'users_not_found']);
	});
});

describe('the list of sessions', () => {
	it('shows the sessions of a user', async () => {
		const { json } = await list(NORA);
		expect(json.active_sessions).toEqual(slack.sessionsOf(NORA));
		expect(json.active_sessions).toHaveLength(4);
		expect(json.active_sessions?.[0]).toEqual({
			user_id: id(NORA),
			team_id: slack.enterpriseId,
			session_id: expect.any(Number),
			created: {
				device_hardware: expect.any(String),
				os: expect.any(String),
				os_version: expect.any(String),
				slack_client_version: expect.any(String),
				ip: expect.any(String),
			},
		});
		expect(json.active_sessions?.filter((one) => 'recent' in one)).toHaveLength(1);
		expect(json.response_metadata).toEqual({ next_cursor: '' });
		expect((await list(NORA, slack.workspaces[1]?.id)).json.active_sessions).toHaveLength(4);
		expect(simulator.violations).toEqual([]);
	});

	it('takes both a user and a team, or neither, in pages', async () => {
		const one = { user_id: id(NORA) };
		expect(problem(await session('list', one))).toEqual([200, 'missing_team']);
		const team = { team_id: slack.enterpriseId };
		expect(problem(await session('list', team))).toEqual([200, 'missing_user']);
		const everything: number[] = [];
		let cursor = '';
		let pages = 0;
		do {
			const { json } = await session('list', { limit: '5', ...(cursor === '' ? {} : { cursor }) });
			everything.push(...(json.active_sessions ?? []).map((found) => found.session_id));
			cursor = json.response_metadata?.next_cursor ?? '';
			pages += 1;
		} while (cursor !== '');
		expect([pages, everything]).toEqual([
			3,
			slack.listedSessions().map((found) => found.session_id),
		]);
		expect(simulator.violations).toEqual([]);
		for (const limit of ['0', '1001', 'many']) {
			expect(problem(await session('list', { limit }))).toEqual([200, 'invalid_arguments']);
		}
		expect(problem(await session('list', { cursor: '5c3e53d5' }))).toEqual([200, 'invalid_cursor']);
	});

	it('refuses teams, users and bots as documented, and says when there is nothing', async () => {
		const [hq = '', labs = ''] = slack.workspaces.map((one) => one.id);
		const team_id = slack.enterpriseId;
		expect(problem(await list(NORA, 'T0NOWHERE'))).toEqual([200, 'team_not_found']);
		expect(problem(await list(TOMAS, labs))).toEqual([200, 'user_not_found']);
		const refused = async (user_id: string) => problem(await session('list', { user_id, team_id }));
		expect(await refused('U0NOBODY')).toEqual([200, 'user_not_found']);
		expect(await refused(bot())).toEqual([200, 'bots_not_allowed']);
		expect(problem(await list('lena.fischer@example.com'))).toEqual([200, 'no_active_sessions']);
		slack.cleanList = 'empty';
		expect((await list('lena.fischer@example.com')).json).toEqual({
			ok: true,
			active_sessions: [],
			response_metadata: { next_cursor: '' },
		});
		slack.listTeam = 'workspace';
		expect(problem(await list(NORA))).toEqual([200, 'team_not_found']);
		expect(problem(await list(NORA, hq))).toEqual([200, 'ok']);
		slack.listTeam = 'enterprise';
		expect(problem(await list(NORA, hq))).toEqual([200, 'team_not_found']);
	});

	it('can have sessions of single workspaces', async () => {
		const [hq = '', labs = ''] = slack.workspaces.map((one) => one.id);
		slack.sessionTeam = 'workspace';
		const [here] = slack.signIn('lena.fischer@example.com');
		const ids = async (team: string) =>
			(await list('lena.fischer@example.com', team)).json.active_sessions?.map(
				(one) => one.session_id,
			);
		slack.updateUser('lena.fischer@example.com', { teams: [hq, labs] });
		const [there] = slack.signIn('lena.fischer@example.com', ['mobile'], labs);
		expect(await ids(hq)).toEqual([here]);
		expect(await ids(labs)).toEqual([there]);
		expect(await ids(slack.enterpriseId)).toEqual([here, there]);
	});
});

describe('ending sessions', () => {
	it('resets one user, and the list shows it', async () => {
		const { status, json } = await session('reset', { user_id: id(NORA) });
		expect([status, json]).toEqual([200, { ok: true }]);
		expect([live(NORA), live(TOMAS)]).toEqual([0, 2]);
		expect(problem(await list(NORA))).toEqual([200, 'no_active_sessions']);
		expect(problem(await session('reset', { user_id: id(NORA) }))).toEqual([200, 'ok']);
		expect(simulator.violations).toEqual([]);
	});

	it('resets only mobile or only web sessions', async () => {
		const kinds = () =>
			(['desktop', 'mobile', 'web'] as const).map((one) => slack.sessionsOf(NORA, one).length);
		expect(kinds()).toEqual([1, 2, 1]);
		await session('reset', { user_id: id(NORA), mobile_only: 'true', web_only: 'false' });
		expect(kinds()).toEqual([1, 0, 1]);
		slack.webOnlyEndsDesktop = false;
		await callJson('admin.users.session.reset', { user_id: id(NORA), web_only: true });
		expect(kinds()).toEqual([1, 0, 0]);
		slack.webOnlyEndsDesktop = true;
		await session('reset', { user_id: id(NORA), web_only: '1' });
		expect(kinds()).toEqual([0, 0, 0]);
		expect(simulator.violations).toEqual([]);
		await session('reset', { user_id: id(TOMAS), mobile_only: 'true', web_only: 'true' });
		expect(simulator.violations).toEqual([
			'POST /api/admin.users.session.reset: mobile_only and web_only exclude each other',
		]);
		expect(live(TOMAS)).toBe(0);
	});

	it('refuses bots, strangers and the primary owner, whom only the primary owner resets', async () => {
		const reset = async (user_id: string, more?: Call) =>
			problem(await session('reset', { user_id }, more))[1];
		expect(await reset(bot())).toBe('cannot_reset_bot');
		expect(await reset('U0NOBODY')).toBe('user_not_found');
		expect(await reset('')).toBe('user_not_found');
		expect(await reset(NORA)).toBe('user_not_found');
		expect(await reset(id(OWNER))).toBe('cannot_reset_primary_owner');
		expect(live(OWNER)).toBe(2);
		const bearer = slack.addToken({ user: OWNER, scopes: ALL_SCOPES });
		expect(await reset(id(OWNER), { bearer })).toBe('ok');
		expect(live(OWNER)).toBe(0);
		expect(await reset(id('priya.nair@example.com'))).toBe('ok');
		expect(messages(await session('reset'))).toEqual(['[ERROR] missing required field: user_id']);
	});

	it('queues a job for many, which runs later', async () => {
		slack.bulkDelayMs = 60;
		const user_ids = [id(NORA), id(TOMAS)];
		const { json } = await callJson('admin.users.session.resetBulk', { user_ids });
		expect(json).toEqual({ ok: true });
		const [between] = slack.signIn(NORA);
		expect([live(NORA), live(TOMAS)]).toEqual([5, 2]);
		await sleep(80);
		const [after] = slack.signIn(NORA);
		expect([live(NORA), live(TOMAS)]).toEqual([1, 0]);
		expect([slack.isLive(between ?? 0), slack.isLive(after ?? 0)]).toEqual([false, true]);
		slack.bulkDelayMs = 0;
		for (const form of [JSON.stringify(user_ids), user_ids.join(',')]) {
			slack.signIn(TOMAS);
			await session('resetBulk', { user_ids: form });
			expect(live(TOMAS)).toBe(0);
		}
		expect(simulator.violations).toEqual([]);
	});

	it('queues a job for those whom it can reset, or for nobody', async () => {
		slack.bulkDelayMs = 0;
		const bulk = (...user_ids: string[]) =>
			session('resetBulk', { user_ids: JSON.stringify(user_ids) });
		expect(problem(await bulk(bot()))).toEqual([200, 'cannot_reset_bot']);
		expect(problem(await bulk(id(OWNER)))).toEqual([200, 'cannot_reset_primary_owner']);
		slack.bulkWithFailures = 'refused';
		expect(problem(await bulk(id(NORA), 'U0NOBODY'))).toEqual([200, 'user_not_found']);
		expect(live(NORA)).toBe(4);
		slack.bulkWithFailures = 'partial';
		const partial = await bulk(id(NORA), 'U0NOBODY', bot());
		expect(problem(partial)).toEqual([200, 'failed_for_some_users']);
		expect(messages(partial)).toEqual([
			'[ERROR] user_not_found: U0NOBODY',
			`[ERROR] cannot_reset_bot: ${bot()}`,
		]);
		expect(live(NORA)).toBe(0);
		const thousand = Array.from({ length: 1000 }, () => id(TOMAS));
		expect(problem(await bulk(...thousand, id(TOMAS)))).toEqual([200, 'invalid_arguments']);
		expect(live(TOMAS)).toBe(2);
		expect(problem(await bulk(...thousand))).toEqual([200, 'ok']);
		expect(problem(await bulk())).toEqual([200, 'invalid_arguments']);
		expect(problem(await session('resetBulk', { user_ids: '[1]' }))[1]).toBe('invalid_arguments');
	});

	it('invalidates one session of a user', async () => {
		const [first, second] = slack.sessionsOf(NORA).map((one) => one.session_id);
		const invalidate = async (session_id: unknown, user_id = id(NORA)) =>
			problem(await session('invalidate', { session_id: String(session_id), user_id }))[1];
		expect(await invalidate(first, id(TOMAS))).toBe('session_not_found');
		expect(await invalidate(first, 'U0NOBODY')).toBe('user_not_found');
		expect(await invalidate('first')).toBe('invalid_arguments');
		expect(await invalidate(first)).toBe('ok');
		expect([slack.isLive(first ?? 0), live(NORA)]).toEqual([false, 3]);
		expect(await invalidate(first)).toBe('session_not_found');
		const sent = { session_id: second, user_id: id(NORA) };
		expect(problem(await callJson('admin.users.session.invalidate', sent))).toEqual([200, 'ok']);
		const [ofOwner] = slack.sessionsOf(OWNER).map((one) => one.session_id);
		expect(await invalidate(ofOwner, id(OWNER))).toBe('cannot_invalidate_primary_owner');
		expect(simulator.violations).toEqual([]);
	});

	it('knows a session by its team only where it is told so', async () => {
		const [first] = slack.sessionsOf(NORA).map((one) => String(one.session_id));
		const sent = { session_id: first ?? '', team_id: slack.enterpriseId };
		const refused = await session('invalidate', sent);
		expect(messages(refused)).toEqual(['[ERROR] missing required field: user_id']);
		expect(simulator.violations).toHaveLength(1);
		slack.invalidateBy = 'team';
		const elsewhere = await session('invalidate', { ...sent, team_id: 'T0NOWHERE' });
		expect(problem(elsewhere)).toEqual([200, 'session_not_found']);
		expect(problem(await session('invalidate', sent))).toEqual([200, 'ok']);
		expect(simulator.violations).toHaveLength(1);
	});

	it('can take its time, and can hide that anything ended', async () => {
		slack.resetDelayMs = 60;
		await session('reset', { user_id: id(TOMAS) });
		expect(live(TOMAS)).toBe(2);
		await sleep(80);
		expect(live(TOMAS)).toBe(0);
		slack.resetDelayMs = 0;
		slack.listLagMs = Infinity;
		await session('reset', { user_id: id(NORA) });
		expect(live(NORA)).toBe(0);
		expect((await list(NORA)).json.active_sessions).toHaveLength(4);
		slack.reset();
		expect([live(NORA), slack.listLagMs]).toEqual([4, 0]);
	});
});

it('reads the settings of sessions', async () => {
	const read = (...user_ids: string[]) =>
		session('getSettings', { user_ids: JSON.stringify(user_ids) });
	const { json } = await read(id(NORA), id(TOMAS), id('lena.fischer@example.com'));
	expect(json).toEqual({
		ok: true,
		session_settings: [{ user_id: id(TOMAS), desktop_app_browser_quit: true, duration: 86_400 }],
		no_settings_applied: [id(NORA)],
	});
	expect(problem(await read(bot()))).toEqual([200, 'bots_not_allowed']);
	expect(problem(await read('U0NOBODY'))).toEqual([200, 'user_not_found']);
	expect(simulator.violations).toEqual([]);
});

describe('strictness', () => {
	const reset = 'admin.users.session.reset';
	const body = () => JSON.stringify({ user_id: id(NORA) });

	it('warns of charsets, and works all the same', async () => {
		const bare = await call(reset, {}, { type: 'application/json', body: body() });
		expect(bare.json).toMatchObject({
			ok: true,
			warning: 'missing_charset',
			response_metadata: { warnings: ['missing_charset'] },
		});
		const form = await lookUp(NORA, { type: `${FORM};charset=UTF-8` });
		expect(form.json).toMatchObject({ ok: true, warning: 'superfluous_charset' });
		expect(simulator.violations).toEqual([
			`POST /api/${reset}: Slack warns of missing_charset`,
			'POST /api/users.lookupByEmail: Slack warns of superfluous_charset',
		]);
	});

	it('refuses bodies as documented, before it looks at the token', async () => {
		const sent = async (type: string | null, text = body()) =>
			problem(await call(reset, {}, { type, body: text, bearer: 'xoxp-unknown' }));
		expect(await sent(null)).toEqual([200, 'missing_post_type']);
		expect(await sent('application/xml')).toEqual([200, 'invalid_post_type']);
		expect(await sent('application/json; charset=utf-7')).toEqual([200, 'invalid_charset']);
		const json = 'application/json; charset=utf-8';
		expect(await sent(json, '{')).toEqual([200, 'invalid_json']);
		expect(await sent(json, '[]')).toEqual([200, 'json_not_object']);
		expect(await sent(FORM, 'user_ids[]=U1')).toEqual([200, 'invalid_array_arg']);
		expect(await sent(FORM, 'user-id=U1')).toEqual([200, 'invalid_arg_name']);
		expect(live(NORA)).toBe(4);
	});

	it('reads no JSON in methods that only read, unless switched', async () => {
		const ask = () => callJson('users.lookupByEmail', { email: NORA });
		expect(problem(await ask())).toEqual([200, 'invalid_arguments']);
		slack.readsTakeJson = true;
		expect(problem(await ask())).toEqual([200, 'ok']);
	});

	it('notes arguments that are not documented, and types that are not', async () => {
		await session('reset', { user_id: id(NORA), force: 'true' });
		await call('users.info', { user: id(NORA), id: 'x' }, { verb: 'GET' });
		expect(simulator.violations).toEqual([
			`POST /api/${reset}: undocumented argument force`,
			'GET /api/users.info: undocumented query parameter id',
			'GET /api/users.info: undocumented argument id',
		]);
		const flag = await session('reset', { user_id: id(NORA), web_only: 'yes' });
		expect(messages(flag)).toEqual(['[ERROR] must be a boolean [json-pointer:/web_only]']);
		const number = await callJson(reset, { user_id: 7 });
		expect(messages(number)).toEqual(['[ERROR] must be a string [json-pointer:/user_id]']);
	});

	it('knows no other method, and no GET where something changes', async () => {
		expect((await call('users.nothing')).json).toEqual({
			ok: false,
			error: 'unknown_method',
			req_method: 'users.nothing',
		});
		const get = await session('reset', { user_id: id(NORA) }, { verb: 'GET' });
		expect(problem(get)).toEqual([200, 'unknown_method']);
		const page = await http(`${simulator.url}/users.info`);
		expect([page.statusCode, await page.body.text()]).toEqual([
			404,
			expect.stringContaining('<!DOCTYPE html>'),
		]);
		expect(simulator.unmatched).toHaveLength(3);
		expect(live(NORA)).toBe(4);
	});
});

describe('limits and faults', () => {
	it('counts by method and app, in the documented tiers', async () => {
		await simulator.close();
		slack = createSlack({ seed: seedSlackDemo });
		simulator = await startSimulator(slack);
		for (let sent = 0; sent < 20; sent += 1) {
			expect((await session('reset', { user_id: id(TOMAS) })).status).toBe(200);
		}
		const { status, headers, json } = await session('reset', { user_id: id(NORA) });
		expect([status, json]).toEqual([429, { ok: false, error: 'ratelimited' }]);
		expect(Number(headers['retry-after'])).toBeGreaterThan(50);
		expect(live(NORA)).toBe(4);
		expect((await lookUp(NORA)).status).toBe(200);
		const bearer = slack.addToken({ user: ADMIN, scopes: ALL_SCOPES, appId: 'A0OTHER' });
		expect((await session('reset', { user_id: id(NORA) }, { bearer })).status).toBe(200);
		slack.setRateLimit('admin.users.session.reset', { limit: 1, windowMs: 60_000 });
		const user_id = id(NORA);
		expect((await session('reset', { user_id })).status).toBe(200);
		expect((await session('reset', { user_id })).status).toBe(429);
		slack.clockSkewMs = 60_000;
		expect((await session('reset', { user_id })).status).toBe(200);
	});

	it('answers faults in its own words', async () => {
		const faulty = async (status: number, ask = () => session('reset', { user_id: id(NORA) })) => {
			simulator.faults.next({ fault: { kind: 'status', status } });
			return problem(await ask());
		};
		expect(await faulty(401)).toEqual([401, 'invalid_auth']);
		expect(await faulty(404)).toEqual([404, 'user_not_found']);
		expect(await faulty(404, () => lookUp(NORA))).toEqual([404, 'users_not_found']);
		expect(await faulty(500)).toEqual([500, 'fatal_error']);
		expect(await faulty(502)).toEqual([502, 'internal_error']);
		simulator.faults.next({ fault: { kind: 'status', status: 403 } });
		expect((await session('reset', { user_id: id(NORA) })).json).toMatchObject({
			error: 'missing_scope',
			needed: 'admin.users:write',
		});
		simulator.faults.next({ fault: { kind: 'rateLimit', resetInSeconds: 2.5 } });
		const slow = await lookUp(NORA);
		expect([problem(slow), slow.headers['retry-after']]).toEqual([[429, 'ratelimited'], '3']);
		simulator.faults.next({ fault: { kind: 'rateLimit', form: 'noRetryAfter' } });
		expect((await lookUp(NORA)).headers).not.toHaveProperty('retry-after');
		expect(live(NORA)).toBe(4);
	});
});

it('tells its state without secrets', async () => {
	const answer = await http(`${simulator.url}/__simulator/state`);
	const text = await answer.body.text();
	expect(text).not.toContain(DEMO_SLACK_USER_TOKEN);
	expect(JSON.parse(text)).toMatchObject({ enterpriseId: slack.enterpriseId });
	slack.removeUser(NORA);
	expect(problem(await lookUp(NORA))).toEqual([200, 'users_not_found']);
});
