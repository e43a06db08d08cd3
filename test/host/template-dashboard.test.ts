/** The dashboard in a real n8n and in Chromium: what it counts, what it shows, and to whom. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { Editor } from './browser';
import type { SavedWorkflow } from './client';
import { output } from './execution';
import { repositoryRoot } from './install';
import { Ledger, LEDGER } from './ledger';
import { fillLedger, type LedgerResult, type LedgerRow } from './ledger-rows';
import { onStage } from './on-stage';
import { lookAt } from './picture';
import { filledIn, publishWorkflow, withParameters } from './templates';

const { n8n, okta, simulator } = onStage();

const FILE = 'dashboard.json';
const ANALYST = { user: 'analyst', password: 'simulated-password-of-the-analysts' };
const DAY = 24 * 60;

let published: SavedWorkflow & { readonly url: string };

const authorization = ({ user, password } = ANALYST) => ({
	authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const ask = async (query = '', headers: Record<string, string> = authorization()) =>
	await fetch(published.url + query, { headers });

/** The figures of a page that was asked for. */
async function figures(query = ''): Promise<Record<string, unknown>> {
	const execution = await n8n.client.executionAfter(published.id, async () => {
		expect((await ask(query)).status).toBe(200);
	});
	return output(execution, 'Figures')[0]?.json.figures as Record<string, unknown>;
}

let requests = 0;
const row = (given: Partial<LedgerRow>): LedgerRow => ({
	request_id: `6f9c2a4e-6c0e-4f43-9a55-${String((requests += 1)).padStart(12, '0')}`,
	account: 'nora.lindqvist@example.com',
	job_status: 'completed',
	minutesAgo: 5,
	...(given.job_status === 'pending' ? {} : { seconds: 2 }),
	...given,
});
const revoked = (integration: string): LedgerResult => ({ integration, outcome: 'revoked' });
const refused = (integration: string): LedgerResult => ({
	integration,
	outcome: 'failed',
	message: 'The app lacks the permission User.RevokeSessions.All',
});

beforeAll(async () => {
	const credential = await n8n.client.createCredential('Analysts', 'httpBasicAuth', ANALYST);
	const saved = await n8n.client.createWorkflow(filledIn(FILE, { Dashboard: [credential] }));
	published = { ...saved, url: `${n8n.url}/webhook/session-revocation-dashboard` };
	await n8n.client.publish(saved, published.url, 'GET');
});

describe('the page is closed', () => {
	test.each([
		['without a password', {}],
		['with a wrong one', authorization({ ...ANALYST, password: 'wrong' })],
	])('%s nothing is shown', async (_, headers: Record<string, string>) => {
		const executions = await n8n.client.executionCount(published.id);
		const response = await ask('', headers);
		expect(response.status).toBeGreaterThanOrEqual(401);
		expect(response.status).toBeLessThanOrEqual(403);
		expect(await response.text()).not.toContain('<html');
		expect(await n8n.client.executionCount(published.id)).toBe(executions);
	});

	test('it cannot be published before its credential is chosen', async () => {
		const path = 'dashboard-open';
		const open = withParameters(filledIn(FILE, {}), 'Dashboard', { path });
		await expect(publishWorkflow(n8n.client, open, `webhook/${path}`)).rejects.toThrow(
			/Missing required credential/,
		);
	});
});

test('without a ledger the page says so, and does not say that all is well', async () => {
	const response = await ask();
	expect(response.status).toBe(503);
	expect(await response.text()).toMatch(/^There is no ledger yet: /);
});

describe('with a ledger', () => {
	let ledger: Ledger;

	beforeAll(async () => {
		const table = 'session_revocation_requests';
		ledger = await Ledger.publish(n8n.client, { table, systems: [okta] });
		expect((await ledger.run(LEDGER.setUp)).status).toBe('success');
	});

	test('that is empty, it counts nothing', async () => {
		expect(await figures()).toMatchObject({ total: 0, needsPerson: [], latest: [], systems: [] });
		expect(await (await ask()).text()).toContain('No request in this period.');
	});

	test('it counts requests once, by their newest row, and within the period', async () => {
		const tomas = { account: 'Tomas.Okafor@example.com' };
		const again = row({
			...tomas,
			minutesAgo: 40,
			job_status: 'failed',
			results: [refused('entra')],
		});
		await fillLedger(n8n.client, n8n.userFolder, [
			row({ minutesAgo: 60 * DAY, results: [revoked('okta')] }),
			row({
				minutesAgo: 20 * DAY,
				results: [revoked('okta'), { integration: 'miro', outcome: 'user_not_found' }],
			}),
			again,
			{
				...again,
				account: 'tomas.okafor@example.com',
				job_status: 'completed',
				minutesAgo: 30,
				seconds: 4,
				results: [revoked('entra')],
			},
			row({ account: 'mei.tanaka@example.com', job_status: 'pending', minutesAgo: 2 }),
		]);
		expect(await figures('?days=7')).toMatchObject({
			days: 7,
			total: 2,
			completed: 1,
			failed: 0,
			pending: 1,
			users: 2,
			billable: 1,
			needsPerson: [],
		});
		expect(await figures()).toMatchObject({
			days: 30,
			total: 3,
			systems: [
				{ integration: 'entra', ended: 1, failed: 0 },
				{ integration: 'miro', ended: 0, unknown: 1 },
				{ integration: 'okta', ended: 1 },
			],
		});
		expect(await figures('?days=90')).toMatchObject({ days: 90, total: 4, width: 7 });
		expect(await figures('?days=1e9')).toMatchObject({ days: 30 });
	});

	test('it names who needs a person, until a later request has ended it', async () => {
		const open = async () =>
			(
				(await figures()).needsPerson as { user: string; error: string; left: LedgerResult[] }[]
			).map(({ user, error, left }) => [
				user,
				error,
				left.map(({ integration }) => integration).join(),
			]);
		const waiting = { integration: 'slack_enterprise', outcome: 'accepted' };
		await fillLedger(n8n.client, n8n.userFolder, [
			row({
				account: 'sam@example.com',
				job_status: 'failed',
				coverage: 'partial',
				results: [revoked('okta'), refused('entra'), waiting],
			}),
			row({ account: 'lena@example.com', job_status: 'failed', error: 'hourly_limit' }),
			row({ account: 'priya@example.com', job_status: 'pending', minutesAgo: 11 }),
		]);
		expect(await open()).toEqual([
			['priya@example.com', 'interrupted', ''],
			['lena@example.com', 'hourly_limit', ''],
			['sam@example.com', '', 'entra,slack_enterprise'],
		]);
		await fillLedger(n8n.client, n8n.userFolder, [
			row({ account: 'SAM@example.com', minutesAgo: 1, results: [revoked('entra')] }),
			row({ account: 'lena@example.com', minutesAgo: 1, results: [revoked('okta')] }),
			row({ account: 'priya@example.com', minutesAgo: 1, results: [revoked('okta')] }),
		]);
		expect(await open()).toEqual([['sam@example.com', '', 'slack_enterprise']]);
	});

	test('it shows what the webhook API has recorded', async () => {
		await simulator.reset();
		const user = 'nora.lindqvist@example.com';
		expect((await ledger.post({ user })).status).toBe(200);
		const [newest] = (await figures()).latest as object[];
		expect(newest).toMatchObject({
			user,
			status: 'completed',
			billable: true,
			reason: 'SOAR containment',
			source: 'playbook',
			systems: [{ integration: 'okta', outcome: 'revoked', kind: 'ended' }],
			left: [],
		});
	});
});

/** A month of an organisation with some incidents. */
function month(): LedgerRow[] {
	const people = ['nora.lindqvist', 'tomas.okafor', 'mei.tanaka', 'sam.rivera', 'omar.haddad'];
	const reasons = ['Impossible travel', 'Leaver', 'Token theft reported', 'Phishing link clicked'];
	const sources = ['Microsoft Sentinel', 'HR system', 'tines-playbook'];
	const systems = ['okta', 'entra', 'google_workspace', 'slack_enterprise', 'miro'];
	return Array.from({ length: 70 }, (_, at): LedgerRow => {
		const fails = at % 10 === 4;
		const results = systems.slice(0, 3 + (at % 3)).map((integration, place): LedgerResult => {
			if (fails && place === 1) return refused(integration);
			if (at % 11 === 3 && place === 2) return { integration, outcome: 'user_not_found' };
			return integration === 'entra'
				? { integration, outcome: 'tokens_revoked' }
				: revoked(integration);
		});
		return row({
			account: `${people[at % people.length] ?? ''}@example.com`,
			job_status: fails ? 'failed' : 'completed',
			coverage: fails ? 'partial' : 'all',
			reason: reasons[at % reasons.length] ?? '',
			source: sources[at % sources.length] ?? '',
			minutesAgo: ((at * 7919) % (29 * DAY)) + 15,
			seconds: 1.2 + (at % 7) / 3,
			results,
		});
	}).sort((one, other) => other.minutesAgo - one.minutesAgo);
}

describe('in a browser', () => {
	const MARKUP = `<script>document.title = 'owned'</script><img src=x onerror="document.title='owned'">"'&`;
	let editor: Editor;

	beforeAll(async () => {
		editor = await Editor.open(n8n.url, n8n.owner);
		const { user: username, password } = ANALYST;
		await editor.page.context().setHTTPCredentials({ username, password });
		await editor.page.setViewportSize({ width: 1280, height: 1500 });
	}, 120_000);

	afterAll(async () => {
		await editor.close();
	});

	test('it shows a month of an organisation', async () => {
		await fillLedger(n8n.client, n8n.userFolder, month());
		await editor.page.goto(published.url);
		const path = await editor.screenshot('dashboard-page');
		if (process.env.UPDATE_PICTURES) {
			copyFileSync(path, join(repositoryRoot, 'docs', 'images', 'dashboard-page.png'));
		}
		await editor.page.getByRole('link', { name: '7 days' }).click();
		await editor.page.waitForURL(/days=7$/);
		expect(await editor.page.locator('[aria-current]').allInnerTexts()).toEqual(['7 days']);
	});

	test('whatever stands in the ledger is shown as text', async () => {
		await fillLedger(n8n.client, n8n.userFolder, [
			row({
				...{ request_id: MARKUP, account: MARKUP, reason: MARKUP, source: MARKUP, error: MARKUP },
				job_status: 'failed',
				results: [{ integration: MARKUP, outcome: MARKUP, message: MARKUP }],
			}),
			row({
				account: '{{ $env.HOME }}',
				reason: '${7 * 7} {{ 7 * 7 }}',
				results: [revoked('okta')],
			}),
		]);
		const { page } = editor;
		await page.goto(published.url);
		expect(await page.title()).toBe('Session revocation');
		expect(await page.locator('script, img, iframe, object, form, [onerror]').count()).toBe(0);
		const text = await page.locator('main').innerText();
		for (const shown of [MARKUP, '{{ $env.HOME }}', '${7 * 7} {{ 7 * 7 }}']) {
			expect(text).toContain(shown);
		}
	});

	test('nothing of it is kept, nothing else is loaded, and no script could run', async () => {
		const asked: string[] = [];
		editor.page.on('request', (request) => asked.push(request.url()));
		const response = await editor.page.goto(published.url);
		expect(asked).toEqual([published.url]);
		expect(response?.headers()).toMatchObject({
			'cache-control': 'no-store',
			'content-security-policy': expect.stringContaining('sandbox'),
			'content-type': 'text/html; charset=utf-8',
			'referrer-policy': 'no-referrer',
		});
		// The page's own policy, beside n8n's sandbox, which allows scripts.
		const title = await editor.page.evaluate(`
			const script = document.createElement('script');
			script.textContent = "document.title = 'owned'";
			document.body.append(script);
			document.title;
		`);
		expect(title).toBe('Session revocation');
	});
});

test('looks as its page shows it', async () => {
	expect(await lookAt(n8n, published.id, 'dashboard')).toBe(0);
}, 120_000);
