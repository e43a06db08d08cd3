/**
 * Google's own SDK as the oracle: the same thing is done through the SDK and through the connector,
 * against the same recording simulator, and what went over the wire is compared.
 */
import { generateKeyPairSync } from 'node:crypto';
import { admin_directory_v1, admin_reports_v1, auth } from '@googleapis/admin';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { connect, type Connection, readOptions } from '../../nodes/core/connection';
import {
	checkSetup,
	listSessions,
	retrieveUserOnly,
	revokeAllSessions,
} from '../../nodes/core/flow';
import { closeAll } from '../../nodes/core/transport';
import { googleWorkspace as connector } from '../../nodes/GoogleWorkspace/connector';
import { createGoogle, type GoogleWorkspace } from '../simulator/google';
import { type Simulator, startSimulator } from '../simulator/simulator';

/** Where SDK and connector differ on purpose, and why that is right. */
const differences = {
	pathCharacters: {
		what: `! ' ( ) * in a path`,
		sdk: 'as they are',
		connector: 'percent-encoded',
		why: 'RFC 3986 allows both for the same value; some proxies treat the bare ones as delimiters',
	},
	identification: {
		what: 'X-Goog-Api-Client',
		sdk: 'sent',
		connector: 'never sent',
		why: 'it informs Google about its own SDKs, and changes nothing',
	},
	accept: {
		what: 'Accept',
		sdk: '*/*',
		connector: 'application/json',
		why: 'the connector can read nothing else, so a proxy had better say so than send a page',
	},
	typ: {
		what: 'typ in the header of the assertion',
		sdk: 'absent',
		connector: 'JWT',
		why: 'the documents call it mandatory',
	},
	compression: {
		what: 'Accept-Encoding',
		sdk: 'gzip',
		connector: 'identity',
		why: 'the answers are small, and a bounded one cannot grow while it is unpacked',
	},
} as const;

const SCOPE = 'https://www.googleapis.com/auth';
const scopes = [`${SCOPE}/admin.directory.user.readonly`, `${SCOPE}/admin.directory.user.security`];
const audit = `${SCOPE}/admin.reports.audit.readonly`;
const ADMIN = 'admin@example.com';
const NORA = 'nora@example.com';
const clientEmail = 'revoker@sample-project.iam.gserviceaccount.com';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicKeyPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();

const addresses = [
	NORA,
	'nora+alerts@example.com',
	'nora#1@example.com',
	'100%@example.com',
	'nora%2Balerts@example.com',
	'nora?x=1&y=2@example.com',
	'nora;v=1@example.com',
	'nora lindqvist@example.com',
	`nora.o'neil@example.com`,
	'nora(admin)!*@example.com',
	'björk@example.com',
	'👩‍💻@example.com',
	'$nora:1@example.com',
] as const;

let google: GoogleWorkspace;
let simulator: Simulator;
let accessToken: string;
let connection: Connection;
let directory: admin_directory_v1.Admin;
let reports: admin_reports_v1.Admin;

/** The SDK imports its own fetch at run time, which jest's environment cannot do. */
const transporterOptions = { fetchImplementation: fetch };
const surroundings = { usersInParallel: 10, log: () => undefined };

beforeAll(async () => {
	google = createGoogle({
		seed(one) {
			one.addUser({ primaryEmail: ADMIN, admin: 'super' });
			for (const primaryEmail of addresses) {
				one.addUser({ primaryEmail, sessions: 1, tokens: 2, asps: 2 });
			}
			one.addServiceAccount({ clientEmail, publicKeyPem, scopes });
		},
	});
	simulator = await startSimulator(google);
});
beforeEach(async () => {
	await closeAll();
	google.reset();
	simulator.forget();
	accessToken = google.addAccessToken({ user: ADMIN, scopes: [...scopes, audit] });
	connection = connect(
		connector,
		{
			authentication: 'accessToken',
			accessToken,
			adminEmail: ADMIN,
			auditLog: true,
			apiUrl: simulator.url,
		},
		surroundings,
	);
	const client = new auth.OAuth2({ transporterOptions });
	client.setCredentials({ access_token: accessToken });
	const options = { auth: client, rootUrl: `${simulator.url}/` };
	directory = new admin_directory_v1.Admin(options);
	reports = new admin_reports_v1.Admin(options);
});
afterAll(async () => {
	await simulator.close();
	await closeAll();
});

type Recorded = Simulator['requests'][number];

/** What goes over the wire while `work` runs. */
async function recorded(work: () => Promise<unknown>): Promise<readonly Recorded[]> {
	simulator.forget();
	await work();
	expect(simulator.unmatched).toEqual([]);
	expect(simulator.violations).toEqual([]);
	return [...simulator.requests];
}

/** A request without what is free to differ: percent-encoding decoded, order of the query dropped. */
function meaning(request: Recorded | undefined) {
	if (!request) throw new Error('Nothing was sent');
	const { method, path, query, body, headers } = request;
	return {
		method,
		segments: path.split('/').map(decodeURIComponent),
		query: [...new URLSearchParams(query)].toSorted(([one], [other]) => (one < other ? -1 : 1)),
		body,
		authorization: headers.authorization,
	};
}

const task = (identity: string, at = connection) => ({
	connection: at,
	identity,
	options: readOptions(connector, { revokeOAuthGrants: true, deleteAppPasswords: true }),
	verify: true,
	allowShortNames: false,
	allowOwnIdentity: true,
	dryRun: false,
	mayTouch: () => Promise.resolve(null),
	budget: { deadline: performance.now() + 10_000 },
});
const routed = (requests: readonly Recorded[], route: string): Recorded[] =>
	requests.filter((request) => request.route === route);
const fieldsOf = (request: Recorded | undefined): { fields: string } => ({
	fields: new URLSearchParams(request?.query).get('fields') ?? '',
});

describe('get a user', () => {
	test.each(addresses)('%s', async (userKey) => {
		const [ours] = await recorded(() => retrieveUserOnly(task(userKey)));
		const [theirs] = await recorded(() => directory.users.get({ userKey, ...fieldsOf(ours) }));
		expect(meaning(ours)).toEqual(meaning(theirs));
		expect(meaning(ours).segments.at(-1)).toBe(userKey);
		// The bytes are the same too, but for the characters listed above.
		const strict = theirs?.path.replace(
			/[!'()*]/g,
			(character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
		);
		expect(ours?.path).toBe(strict);
		expect({ ours: ours?.status, theirs: theirs?.status }).toEqual({ ours: 200, theirs: 200 });
		expect(ours?.headers.accept).toBe('application/json');
	});

	test('by id, and without `fields` the SDK asks for the same', async () => {
		const { id = '' } = google.getUser(NORA) ?? {};
		const [ours] = await recorded(() => retrieveUserOnly(task(id)));
		const [theirs] = await recorded(() => directory.users.get({ userKey: id }));
		expect({ ...meaning(ours), query: [] }).toEqual(meaning(theirs));
	});
});

test('revoke: the sign-out, both lists, each deletion', async () => {
	const { id: userKey = '' } = google.getUser(NORA) ?? {};
	const ours = await recorded(() => revokeAllSessions(task(NORA)));
	google.reset();
	accessToken = google.addAccessToken({ user: ADMIN, scopes, token: accessToken });
	const fields = (route: string) => fieldsOf(routed(ours, route)[0]);
	const theirs = await recorded(async () => {
		await directory.users.signOut({ userKey });
		const tokens = await directory.tokens.list({ userKey, ...fields('directory.tokens.list') });
		for (const { clientId } of tokens.data.items ?? []) {
			await directory.tokens.delete({ userKey, clientId: clientId ?? '' });
		}
		const asps = await directory.asps.list({ userKey, ...fields('directory.asps.list') });
		for (const { codeId } of asps.data.items ?? []) {
			await directory.asps.delete({ userKey, codeId: codeId ?? -1 });
		}
	});
	for (const [route, count] of [
		['directory.users.signOut', 1],
		['directory.tokens.list', 1],
		['directory.tokens.delete', 2],
		['directory.asps.list', 1],
		['directory.asps.delete', 2],
	] as const) {
		const [our, their] = [routed(ours, route), routed(theirs, route)];
		expect(our).toHaveLength(count);
		expect(our.map(meaning)).toEqual(their.map(meaning));
		expect(our.map(({ path, status }) => [path, status])).toEqual(
			their.map(({ path, status }) => [path, status]),
		);
		// Google's front end refuses a POST that does not tell its length.
		const lengths = (requests: Recorded[]) =>
			requests.map(({ headers }) => headers['content-length']);
		expect(lengths(our)).toEqual(lengths(their));
		expect(lengths(our)[0]).toBe(route === 'directory.users.signOut' ? '0' : undefined);
	}
});

test('List Sessions shows what the SDK shows', async () => {
	const { sessions } = await listSessions(task(NORA), null);
	const userKey = NORA;
	const tokens = await directory.tokens.list({ userKey });
	const asps = await directory.asps.list({ userKey });
	expect(sessions?.map(({ raw }) => raw)).toEqual([
		...(tokens.data.items ?? []),
		...(asps.data.items ?? []),
	]);
});

test('the audit log', async () => {
	const ours = await recorded(() => revokeAllSessions(task(NORA)));
	const [our] = routed(ours, 'reports.activities.list');
	const asked = Object.fromEntries(new URLSearchParams(our?.query));
	const [theirs] = await recorded(() =>
		reports.activities.list({
			userKey: 'all',
			applicationName: 'admin',
			eventName: 'RESET_SIGNIN_COOKIES',
			filters: `USER_EMAIL==${NORA}`,
			startTime: asked.startTime ?? '',
			maxResults: 1,
			...fieldsOf(our),
		}),
	);
	expect(meaning(our)).toEqual(meaning(theirs));
});

test('the set-up check, as whom ever the token acts', async () => {
	const nameless = connect(
		connector,
		{ authentication: 'accessToken', accessToken, apiUrl: simulator.url },
		surroundings,
	);
	const budget = { deadline: performance.now() + 5_000 };
	const ours = await recorded(() => checkSetup({ connection: nameless, budget }));
	const theirs = await recorded(async () => {
		const found = await directory.users.list({
			customer: 'my_customer',
			query: 'isAdmin=false isDelegatedAdmin=false',
			maxResults: 1,
			...fieldsOf(ours[0]),
		});
		const userKey = found.data.users?.[0]?.id ?? '';
		await directory.tokens.list({ userKey, ...fieldsOf(ours[1]) });
	});
	expect(ours.map(meaning)).toEqual(theirs.map(meaning));
});

test('the token request of a service account', async () => {
	const client = new auth.JWT({
		email: clientEmail,
		key: privateKey,
		scopes,
		subject: ADMIN,
		transporterOptions,
	});
	// The address of the token endpoint is fixed in the SDK.
	client.transporter.interceptors.request.add({
		resolved: (config) => {
			if (config.url.href === 'https://oauth2.googleapis.com/token') {
				config.url = new URL('/token', simulator.url);
			}
			return Promise.resolve(config);
		},
	});
	const [theirs] = await recorded(() => client.authorize());
	const account = connect(
		connector,
		{
			clientEmail,
			privateKey,
			adminEmail: ADMIN,
			apiUrl: simulator.url,
			tokenUrl: `${simulator.url}/token`,
		},
		surroundings,
	);
	const [ours] = await recorded(() => retrieveUserOnly(task(NORA, account)));
	const [their, our] = [tokenRequest(theirs), tokenRequest(ours)];
	expect(our.form).toEqual(their.form);
	expect(our.contentType).toBe(their.contentType);
	expect(our.assertion.claims).toEqual(their.assertion.claims);
	expect(our.assertion.life).toBe(their.assertion.life);
	expect(our.assertion.header).toEqual({
		...their.assertion.header,
		typ: differences.typ.connector,
	});
	expect(their.assertion.header).not.toHaveProperty('typ');
	expect({ ours: ours?.status, theirs: theirs?.status }).toEqual({ ours: 200, theirs: 200 });
});

function tokenRequest(request: Recorded | undefined) {
	if (!request) throw new Error('No token was asked for');
	const { assertion = '', ...form } = Object.fromEntries(
		new URLSearchParams(request.body),
	) as Partial<Record<string, string>>;
	const { iat = 0, exp = 0, ...claims } = decodeJwt(assertion);
	expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(60);
	return {
		contentType: request.headers['content-type']?.split(';')[0],
		form,
		assertion: { header: decodeProtectedHeader(assertion), claims, life: exp - iat },
	};
}

test.each(Object.values(differences))(
	'the difference is explained: $what',
	({ sdk: their, ...our }) => {
		expect(their).not.toBe(our.connector);
		expect(our.why.length).toBeGreaterThan(20);
	},
);
