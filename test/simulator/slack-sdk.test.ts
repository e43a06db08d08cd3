/**
 * The vendor's own SDK against the simulated vendor: whatever it does without a violation is what
 * the simulator must accept, and whatever it understands is what the simulator must say.
 */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type AdminUsersSessionListResponse, LogLevel, WebClient } from '@slack/web-api';
import { createSlack, type Slack } from './slack';
import { DEMO_SLACK_USER_TOKEN, seedSlackDemo } from './slack-demo';
import { type Simulator, startSimulator } from './simulator';

const NORA = 'nora.lindqvist@example.com';

let slack: Slack;
let simulator: Simulator;
let client: WebClient;

beforeEach(async () => {
	slack = createSlack({ seed: seedSlackDemo, bulkDelayMs: 0 });
	simulator = await startSimulator(slack);
	client = new WebClient(DEMO_SLACK_USER_TOKEN, {
		slackApiUrl: `${simulator.url}/api/`,
		logLevel: LogLevel.ERROR,
		rejectRateLimitedCalls: true,
	});
});

afterEach(async () => {
	await simulator.close();
});

it('looks up, lists, resets and reads back', async () => {
	const self = await client.auth.test();
	expect(self.response_metadata?.scopes).toContain('admin.users:write');
	const { user } = await client.users.lookupByEmail({ email: NORA });
	const user_id = user?.id ?? '';
	expect((await client.users.info({ user: user_id })).user?.profile?.email).toBe(NORA);
	const team_id = self.enterprise_id ?? '';
	const ids: unknown[] = [];
	const arguments_ = { user_id, team_id, limit: 3 };
	for await (const page of client.paginate('admin.users.session.list', arguments_)) {
		const { active_sessions: sessions = [] } = page as AdminUsersSessionListResponse;
		ids.push(...sessions.map((one) => one.session_id));
	}
	expect(ids).toEqual(slack.sessionsOf(NORA).map((one) => one.session_id));
	const settings = await client.admin.users.session.getSettings({ user_ids: [user_id] });
	expect(settings.no_settings_applied).toEqual([user_id]);
	const one = { session_id: ids[0], user_id };
	await client.apiCall('admin.users.session.invalidate', one);
	expect(slack.sessionsOf(NORA)).toHaveLength(3);
	await client.admin.users.session.reset({ user_id, mobile_only: true });
	expect(slack.sessionsOf(NORA)).toHaveLength(1);
	await client.admin.users.session.resetBulk({ user_ids: [user_id] });
	await expect(client.admin.users.session.list({ user_id, team_id })).rejects.toMatchObject({
		code: 'slack_webapi_platform_error',
		data: { ok: false, error: 'no_active_sessions' },
	});
	expect([simulator.unmatched, simulator.violations]).toEqual([[], []]);
});

it('names a session by its team, as its types still have it', async () => {
	slack.invalidateBy = 'team';
	const [session] = slack.sessionsOf(NORA);
	await client.admin.users.session.invalidate({
		session_id: String(session?.session_id),
		team_id: slack.enterpriseId,
	});
	expect(slack.sessionsOf(NORA)).toHaveLength(3);
	expect(simulator.violations).toEqual([]);
});

it('understands the rate limit', async () => {
	simulator.faults.next({ fault: { kind: 'rateLimit', resetInSeconds: 7 } });
	await expect(client.auth.test()).rejects.toMatchObject({
		code: 'slack_webapi_rate_limited_error',
		retryAfter: 7,
	});
});
