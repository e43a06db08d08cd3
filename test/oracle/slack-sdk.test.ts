/** Slack's own SDK against the connector: the same call has to say the same on the wire. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type AdminUsersSessionListResponse, LogLevel, WebClient } from '@slack/web-api';
import { type Connection, readOptions } from '../../nodes/core/connection';
import {
	checkSetup,
	listSessions,
	retrieveUserOnly,
	revokeAllSessions,
	revokeOneSession,
} from '../../nodes/core/flow';
import { DEMO_SLACK_USER_TOKEN, seedSlackDemo } from '../simulator/slack-demo';
import { type SlackBench, startSlack } from '../support/slack';
import {
	byRoute,
	meaning as meaningOf,
	type Recorded,
	recorded as recordedAt,
	testExplanations,
} from './recorded';

/** Where SDK and connector differ on purpose, and why that is right. */
const differences = {
	spaces: {
		what: 'a space in a form',
		sdk: '+',
		connector: '%20',
		why: 'both are a space to a form parser; the connector writes queries and forms alike',
	},
	accept: {
		what: 'Accept',
		sdk: 'application/json, text/plain, */*',
		connector: 'application/json',
		why: 'the connector can read nothing else, so a proxy had better say so than send a page',
	},
	switches: {
		what: 'mobile_only and web_only that are off',
		sdk: 'sent if they are given',
		connector: 'always sent',
		why: 'what a revocation ends must not depend on a default that can change',
	},
	pageSize: {
		what: 'limit of a list',
		sdk: 'as given; 200 when it pages by itself',
		connector: '1000, or what is left of the limit that the user chose',
		why: 'twenty lists a minute are allowed: the fewest requests tell the most',
	},
	sessionOwner: {
		what: 'whose session it is that ends',
		sdk: 'team_id, by its types',
		connector: 'user_id',
		why: 'Slack documents user_id as required; team_id was for a time of transition',
	},
	passingErrors: {
		what: 'an answer with ok: false',
		sdk: 'is thrown, and never sent again',
		connector: 'is sent again when the error says that it passes',
		why: 'containment must not fail for an internal_error that is gone a second later',
	},
} as const;

const names = [
	'nora.lindqvist@example.com',
	"maeve.o'neil@example.com",
	'mei.tanaka+contractor@example.com',
	'100%@example.com',
	'a&b=c@example.com',
	'nora lindqvist@example.com',
	'"nora x"@example.com',
	'björk@example.com',
	'用户@example.com',
	'👩‍💻@example.com',
	'nora#1@example.com',
	'back\\slash@example.com',
	'(nora)!*~@example.com',
] as const;
const NORA = names[0];

let bench: SlackBench;
let sdk: WebClient;
let connection: Connection;
beforeAll(async () => {
	bench = await startSlack({
		seed(org) {
			seedSlackDemo(org);
			for (const email of names.filter((name) => !org.getUser(name))) org.addUser({ email });
		},
	});
	sdk = new WebClient(DEMO_SLACK_USER_TOKEN, {
		slackApiUrl: `${bench.simulator.url}/api/`,
		logLevel: LogLevel.ERROR,
		retryConfig: { retries: 0 },
	});
});
beforeEach(async () => {
	await bench.reset();
	connection = bench.connection(DEMO_SLACK_USER_TOKEN);
});
afterAll(() => bench.close());

/** What goes over the wire while `work` runs, and nothing of it is undocumented. */
async function recorded(work: () => Promise<unknown>): Promise<readonly Recorded[]> {
	const requests = await recordedAt(bench.simulator, work);
	expect(bench.simulator.violations).toEqual([]);
	return requests;
}

/** The same for a form, whose members may stand in any order and be encoded in several ways. */
function meaning(request: Recorded | undefined) {
	const { body, ...rest } = meaningOf(request);
	const form = [...new URLSearchParams(body)].toSorted(([one], [other]) => (one < other ? -1 : 1));
	return { ...rest, form, type: request?.headers['content-type'] };
}

const asking = (identity: string, options: object = {}) => ({
	connection,
	identity,
	options: readOptions(connection.connector, options),
	allowShortNames: false,
	budget: { deadline: performance.now() + 10_000 },
});
const revoke = (identity: string, options: object = {}, at = connection) =>
	revokeAllSessions({
		...asking(identity, options),
		connection: at,
		verify: true,
		allowOwnIdentity: true,
		dryRun: false,
		mayTouch: () => Promise.resolve(null),
	});
const idOf = (email: string): string => bench.slack.getUser(email)?.id ?? '';

test.each(names)('look up by e-mail: %s', async (email) => {
	const [theirs] = await recorded(() => sdk.users.lookupByEmail({ email }));
	const [ours] = await recorded(() => retrieveUserOnly(asking(email)));
	expect(meaning(ours)).toEqual(meaning(theirs));
	expect(meaning(ours).form).toEqual([['email', email]]);
	expect({ ours: ours?.status, theirs: theirs?.status }).toEqual({ ours: 200, theirs: 200 });
});

test('look up by id', async () => {
	const user = idOf(NORA);
	const [theirs] = await recorded(() => sdk.users.info({ user }));
	const [ours] = await recorded(() => retrieveUserOnly(asking(user)));
	expect(meaning(ours)).toEqual(meaning(theirs));
});

test('who the token belongs to', async () => {
	const [theirs] = await recorded(() => sdk.auth.test());
	const budget = { deadline: performance.now() + 5_000 };
	const [ours] = await recorded(() => connection.ownAccount(budget));
	expect(meaning(ours)).toEqual(meaning(theirs));
});

test('list the sessions of a user, and the pages after the first', async () => {
	bench.slack.signIn(
		NORA,
		Array.from({ length: 1200 }, () => 'web' as const),
	);
	const wanted = { user_id: idOf(NORA), team_id: bench.slack.enterpriseId, limit: 1000 };
	const theirIds: string[] = [];
	const theirs = await recorded(async () => {
		for await (const page of sdk.paginate('admin.users.session.list', wanted)) {
			const { active_sessions: sessions = [] } = page as AdminUsersSessionListResponse;
			theirIds.push(...sessions.map(({ session_id: id }) => String(id)));
		}
	});
	let ourIds: readonly string[] = [];
	const ours = await recorded(async () => {
		const { sessions } = await listSessions(asking(NORA), null);
		ourIds = (sessions ?? []).map(({ id }) => id);
	});
	expect(ours.slice(1).map(meaning)).toEqual(theirs.map(meaning));
	expect(theirs).toHaveLength(2);
	expect(ourIds).toEqual(theirIds);
});

test.each([
	[{}, {}],
	[{ mobileOnly: true }, { mobile_only: true }],
	[{ webOnly: true }, { web_only: true }],
])('reset the sessions of a user, %j', async (options, which) => {
	const switches = { mobile_only: false, web_only: false, ...which };
	const user_id = idOf(NORA);
	const [theirs] = await recorded(() => sdk.admin.users.session.reset({ user_id, ...switches }));
	const requests = await recorded(() => revoke(NORA, options));
	const ours = byRoute(requests, 'admin.users.session.reset');
	expect(meaning(ours)).toEqual(meaning(theirs));
	expect({ ours: ours?.status, theirs: theirs?.status }).toEqual({ ours: 200, theirs: 200 });
});

test('reset the sessions of many users', async () => {
	const users = [...names];
	const many = bench.connection(DEMO_SLACK_USER_TOKEN, { usersInParallel: 50, users: 50 });
	const requests = await recorded(() => Promise.all(users.map((user) => revoke(user, {}, many))));
	const ours = byRoute(requests, 'admin.users.session.resetBulk');
	const form = new URLSearchParams(ours?.body);
	const user_ids = JSON.parse(form.get('user_ids') ?? '[]') as [string, ...string[]];
	expect(user_ids.toSorted()).toEqual(users.map(idOf).toSorted());
	const switches = { mobile_only: false, web_only: false };
	const [theirs] = await recorded(() =>
		sdk.admin.users.session.resetBulk({ user_ids, ...switches }),
	);
	expect(meaning(ours)).toEqual(meaning(theirs));
});

test('end one session', async () => {
	const session_id = String(bench.slack.sessionsOf(NORA)[0]?.session_id);
	const session = { session_id, user_id: idOf(NORA) };
	const requests = await recorded(() =>
		revokeOneSession(
			{ ...asking(NORA), owner: asking(NORA) },
			{ parameter: 'sessionId', value: session_id },
		),
	);
	const ours = byRoute(requests, 'admin.users.session.invalidate');
	const [theirs] = await recorded(() => sdk.apiCall('admin.users.session.invalidate', session));
	expect(meaning(ours)).toEqual(meaning(theirs));
});

test('read the session settings of the own member', async () => {
	const requests = await recorded(() => checkSetup(asking('')));
	const ours = byRoute(requests, 'admin.users.session.getSettings');
	const user_ids: [string] = [idOf('admin.automation@example.com')];
	const [theirs] = await recorded(() => sdk.admin.users.session.getSettings({ user_ids }));
	expect(meaning(ours)).toEqual(meaning(theirs));
});

test('the scopes of the token', async () => {
	const { response_metadata: metadata } = await sdk.auth.test();
	expect(metadata?.scopes).toEqual(expect.arrayContaining(['admin.users:write', 'users:read']));
	expect((await checkSetup(asking(''))).message).not.toContain('does not tell');
});

testExplanations(differences);
