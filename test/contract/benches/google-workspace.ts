import { generateKeyPairSync } from 'node:crypto';
import { connect, readOptions } from '../../../nodes/core/connection';
import { checkSetup } from '../../../nodes/core/flow';
import { closeAll } from '../../../nodes/core/transport';
import { googleWorkspace as connector } from '../../../nodes/GoogleWorkspace/connector';
import type { MatchableRequest } from '../../simulator/faults';
import { createGoogle, type GoogleWorkspace } from '../../simulator/google';
import { startSimulator } from '../../simulator/simulator';
import type { Bench, RequestMatch, VendorFacts } from '../bench';
import { revoke, within } from '../runs';

const HAPPY = 'jane@example.com';
const HAPPY_ALIAS = 'j.doe@example.com';
const HAPPY_ID = '103456789012345678901';
const ADMIN = 'admin.automation@example.com';
const crowd = Array.from({ length: 50 }, (_, index) => `crowd${index}@example.com`);
const everything = { sessions: 2, tokens: 2, asps: 1 };

const SCOPE = 'https://www.googleapis.com/auth';
const READ = `${SCOPE}/admin.directory.user.readonly`;
const SECURITY = `${SCOPE}/admin.directory.user.security`;
const scopes = [READ, SECURITY, `${SCOPE}/admin.reports.audit.readonly`];
const needsToRead = [READ, 'Users > Read'];
const needsToRevoke = [SECURITY, 'User Security Management'];

const clientEmail = 'revoker@sample-project.iam.gserviceaccount.com';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicKeyPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const keyLines = privateKey.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));

const looksUp = ({ route, query }: MatchableRequest): boolean =>
	route === 'directory.users.get' &&
	(new URLSearchParams(query).get('fields') ?? '').includes('primaryEmail');
const byKey =
	(userKey: string): RequestMatch =>
	(request) =>
		looksUp(request) && decodeURIComponent(request.path).endsWith(`/${userKey}`);

function seed(google: Pick<GoogleWorkspace, 'addUser' | 'addServiceAccount'>): void {
	google.addUser({ primaryEmail: ADMIN, admin: 'super', ...everything });
	google.addUser({
		primaryEmail: HAPPY,
		id: HAPPY_ID,
		aliases: [HAPPY_ALIAS],
		otherEmails: ['shared@example.org'],
		...everything,
	});
	google.addUser({
		primaryEmail: 'joe@example.com',
		otherEmails: ['shared@example.org'],
		...everything,
	});
	google.addUser({ primaryEmail: 'clean@example.com' });
	google.addUser({ primaryEmail: 'left@example.com', suspended: true, tokens: 1 });
	for (const primaryEmail of crowd) google.addUser({ primaryEmail, ...everything });
	google.addServiceAccount({ clientEmail, publicKeyPem, scopes });
}

async function start(): Promise<Bench> {
	const google = createGoogle({ seed, rateLimit: { limit: 1_000_000, windowMs: 60_000 } });
	const simulator = await startSimulator(google);
	let accessToken = google.addAccessToken({ user: ADMIN, scopes });
	const ways: Readonly<Record<string, () => Record<string, unknown>>> = {
		'access token': () => ({ authentication: 'accessToken', accessToken }),
		'service account': () => ({
			authentication: 'serviceAccount',
			clientEmail,
			privateKey,
			tokenUrl: `${simulator.url}/token`,
		}),
		// As it stands in the key file, and as a one-line field keeps it.
		'service account, key in one line': () => ({
			authentication: 'serviceAccount',
			clientEmail,
			privateKey: privateKey.replaceAll('\n', '\\n'),
			tokenUrl: `${simulator.url}/token`,
		}),
	};
	return {
		simulator,
		connection: ({ authentication = 'access token', surroundings } = {}) =>
			connect(
				connector,
				{
					apiUrl: simulator.url,
					adminEmail: ADMIN,
					auditLog: true,
					...ways[authentication]?.(),
				},
				{ usersInParallel: 10, log: () => undefined, ...surroundings },
			),
		secretsOf: (authentication) => (authentication === 'access token' ? [accessToken] : keyLines),
		async reset() {
			await closeAll();
			simulator.faults.clear();
			google.reset();
			accessToken = google.addAccessToken({ user: ADMIN, scopes });
			simulator.forget();
		},
		everyone: () =>
			Object.fromEntries(
				google.allUsers().map(({ id, primaryEmail }) => [
					primaryEmail,
					{
						sessions: google.sessionsOf(id).length,
						grants: google.tokensOf(id).length,
						appPasswords: google.aspsOf(id).length,
					},
				]),
			),
		addUser: ({ login, email = login, displayName = login, idle = false }) =>
			google.addUser({
				primaryEmail: login,
				// An address elsewhere leads to nobody.
				aliases: email !== login && email.endsWith('@example.com') ? [email] : [],
				givenName: displayName,
				...(idle ? {} : everything),
			}).id,
		signIn: (login) => google.signIn(login).id,
		isLive: (session) => google.isLive(session),
		errorWith: (text) => ({
			error: {
				code: 400,
				message: text,
				status: text,
				errors: [{ message: text, domain: text, reason: text }],
			},
			error_description: text,
		}),
		withdrawTokens: () => google.withdrawTokens(),
		hideRevocations: () => {
			google.reportLagMs = Infinity;
		},
		answerEveryLookUpWith: (login) =>
			simulator.faults.next({
				match: looksUp,
				times: Infinity,
				fault: { kind: 'wrongShape', body: google.getUser(login) },
			}),
		async useTheRest(connection) {
			const { happy } = googleWorkspace.people;
			const options = { revokeOAuthGrants: true, deleteAppPasswords: true };
			await revoke(connection, happy, { options: readOptions(connector, options) });
			// Only a pasted token can leave open as whom it acts.
			const nameless = { authentication: 'accessToken', accessToken, apiUrl: simulator.url };
			await checkSetup({
				connection: connect(connector, nameless, {
					usersInParallel: 1,
					log: () => undefined,
				}),
				budget: within(5_000),
			});
		},
		loseUserAtRevocation: () =>
			simulator.faults.next({
				match: 'directory.users.signOut',
				fault: { kind: 'status', status: 404 },
			}),
		async close() {
			await simulator.close();
			await closeAll();
		},
	};
}

export const googleWorkspace: VendorFacts = {
	connector,
	people: {
		happy: HAPPY,
		bystander: 'joe@example.com',
		missing: 'nobody@example.com',
		ambiguous: { leftOut: 'an address leads to one account at most' },
		signInNameWins: { leftOut: 'a primary address cannot be the alias of somebody else' },
		// Google answers the same whether or not somebody was signed in.
		clean: { identity: 'clean@example.com', outcome: 'revoked', changed: null },
		deactivated: { identity: 'left@example.com', status: 'suspended' },
		own: ADMIN,
		shortName: { leftOut: 'Google resolves no short names' },
		unsupported: [],
		crowd,
	},
	lookUps: [
		{
			title: 'primary address',
			identity: HAPPY,
			match: byKey(HAPPY),
			ownNotFound: 'user_not_found',
			needs: needsToRead,
			sendsWhenDenied: 1,
		},
		{
			title: 'alias',
			identity: HAPPY_ALIAS,
			match: byKey(HAPPY_ALIAS),
			ownNotFound: 'user_not_found',
			needs: needsToRead,
			sendsWhenDenied: 1,
		},
		{
			title: 'id',
			identity: HAPPY_ID,
			match: byKey(HAPPY_ID),
			ownNotFound: 'user_not_found',
			needs: needsToRead,
			sendsWhenDenied: 1,
		},
	],
	revoke: {
		match: ({ route }) => route === 'directory.users.signOut',
		requests: 1,
		idempotent: true,
		outcome: 'revoked',
		statusCode: 204,
		changed: null,
		ended: ['sessions'],
		held: 'sessions',
		needs: needsToRevoke,
		ownNotFound: 'user_not_found',
		whenLost: 'revoked',
		lists: { leftOut: 'with every option off nothing is listed; test/unit has the options' },
	},
	batch: { leftOut: 'a batch of Google counts each request in it, so it saves nothing' },
	listing: {
		match: ({ route }) => route === 'directory.tokens.list' || route === 'directory.asps.list',
		needs: needsToRevoke,
		kinds: { 'OAuth grant': 'grants', 'app password': 'appPasswords' },
	},
	ownAccount: (request) => request.route === 'directory.users.get' && !looksUp(request),
	widening: [
		{
			option: 'revokeOAuthGrants',
			ends: 'OAuth grants',
			held: 'grants',
			match: ({ route }) => route === 'directory.tokens.delete',
		},
		{
			option: 'deleteAppPasswords',
			ends: 'app passwords',
			held: 'appPasswords',
			match: ({ route }) => route === 'directory.asps.delete',
		},
	],
	readBack: {
		match: ({ route }) => route === 'reports.activities.list',
		method: 'Google Workspace audit log (RESET_SIGNIN_COOKIES)',
		whenHidden: 'unconfirmed',
	},
	checkNeeds: needsToRead,
	oneSession: { leftOut: 'Google can neither list sessions nor end a single one' },
	authentications: [
		{ title: 'access token', tokenRequests: 0 },
		{ title: 'service account', tokenRequests: 1 },
		{ title: 'service account, key in one line', tokenRequests: 1 },
	],
	unusedRoutes: {},
	cannotHave(kind, value) {
		if (!value.endsWith('@example.com')) {
			return 'every address of an account is in one of its domains';
		}
		return value.includes('/') ? 'Google allows no slash in an address' : null;
	},
	leftOut: {},
	start,
};
