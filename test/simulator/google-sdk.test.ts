/**
 * Google's own SDK against the simulated Google Workspace: whatever it does without a violation is
 * what the simulator must accept, and whatever it understands is what the simulator must say.
 */
import { generateKeyPairSync } from 'node:crypto';
import { admin_directory_v1, admin_reports_v1, auth } from '@googleapis/admin';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createGoogle, type GoogleWorkspace } from './google';
import { DEMO_GOOGLE_ACCESS_TOKEN, DEMO_GOOGLE_ADMIN, seedGoogleDemo } from './google-demo';
import { type Simulator, startSimulator } from './simulator';

const NORA = 'nora.lindqvist@example.com';
const SCOPE = 'https://www.googleapis.com/auth';
const scopes = [
	`${SCOPE}/admin.directory.user.readonly`,
	`${SCOPE}/admin.directory.user.security`,
	`${SCOPE}/admin.reports.audit.readonly`,
];

let google: GoogleWorkspace;
let simulator: Simulator;

beforeEach(async () => {
	google = createGoogle({ seed: seedGoogleDemo });
	simulator = await startSimulator(google);
});

afterEach(async () => {
	await simulator.close();
});

/** The SDK imports its own fetch at run time, which jest's environment cannot do. */
const transporterOptions = { fetchImplementation: fetch };

async function revokeEverything(client: InstanceType<typeof auth.OAuth2>): Promise<void> {
	const options = { auth: client, rootUrl: `${simulator.url}/` };
	const directory = new admin_directory_v1.Admin(options);
	const user = await directory.users.get({ userKey: 'nora@example.com', projection: 'basic' });
	expect(user.data.primaryEmail).toBe(NORA);
	const userKey = user.data.id ?? '';
	await directory.users.signOut({ userKey });
	const tokens = await directory.tokens.list({ userKey });
	expect(tokens.data.items).toHaveLength(2);
	for (const { clientId } of tokens.data.items ?? []) {
		await directory.tokens.delete({ userKey, clientId: clientId ?? '' });
	}
	const asps = await directory.asps.list({ userKey });
	for (const { codeId } of asps.data.items ?? []) {
		await directory.asps.delete({ userKey, codeId: codeId ?? -1 });
	}
	expect([google.sessionsOf(NORA), google.tokensOf(NORA), google.aspsOf(NORA)]).toEqual([
		[],
		[],
		[],
	]);
	const reports = new admin_reports_v1.Admin(options);
	const found = await reports.activities.list({
		userKey: 'all',
		applicationName: 'admin',
		eventName: 'RESET_SIGNIN_COOKIES',
		filters: `USER_EMAIL==${NORA}`,
	});
	expect(found.data.items?.[0]?.actor?.email).toBe(DEMO_GOOGLE_ADMIN);
	await expect(directory.users.get({ userKey: 'nobody@example.com' })).rejects.toMatchObject({
		status: 404,
		message: 'Resource Not Found: userKey',
	});
	expect(simulator.unmatched).toEqual([]);
	expect(simulator.violations).toEqual([]);
}

it('works with an access token', async () => {
	const client = new auth.OAuth2({ transporterOptions });
	client.setCredentials({ access_token: DEMO_GOOGLE_ACCESS_TOKEN });
	await revokeEverything(client);
});

it('works with a service account that acts as an administrator', async () => {
	const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const clientEmail = 'revoker@sample-project.iam.gserviceaccount.com';
	google.addServiceAccount({
		clientEmail,
		publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
		scopes,
	});
	const client = new auth.JWT({
		email: clientEmail,
		key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
		scopes,
		subject: DEMO_GOOGLE_ADMIN,
		transporterOptions,
	});
	// The address of the token endpoint is fixed in the SDK, and so is the audience of its assertion.
	client.transporter.interceptors.request.add({
		resolved: (config) => {
			if (config.url.href === 'https://oauth2.googleapis.com/token') {
				config.url = new URL('/token', simulator.url);
			}
			return Promise.resolve(config);
		},
	});
	await revokeEverything(client);
	expect(simulator.hits).toMatchObject({ token: 1 });
});
