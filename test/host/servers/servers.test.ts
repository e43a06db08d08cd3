/**
 * The ready-made descriptions at real identity servers: what they say is enough to sign a person out,
 * and nobody else.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../install';
import { startBetterAuth } from './better-auth';
import { startGlewlwyd } from './glewlwyd';
import { headersOf, readProvider, type IdentityServer } from './identity-server';
import { Follower } from './provider';

/** Downloading Glewlwyd is part of its first start. */
const START_TIMEOUT_MS = 6 * 60_000;

const JANE = { email: 'jane@example.com', password: 'Jane-signs-in-1' };
const SAM = { email: 'sam@example.com', password: 'Sam-signs-in-2' };
/** Contains Jane's address, and is not hers. */
const MARY_JANE = { email: 'mary-jane@example.com', password: 'Mary-signs-in-3' };

test.each(readdirSync(join(repositoryRoot, 'docs', 'providers')))('%s is a description', (file) => {
	expect(file).toMatch(/\.json$/);
	expect(() => readProvider(file.replace(/\.json$/, ''))).not.toThrow();
});

describe.each([
	['Glewlwyd', startGlewlwyd],
	['Better Auth', startBetterAuth],
])('%s', (name, start) => {
	let server: IdentityServer;

	const follower = async () =>
		new Follower(server.baseUrl, server.provider, headersOf(await server.administrator()));

	/** The one account that the description finds for an identity. */
	const idOf = async (user: string) => {
		const ids = await (await follower()).lookUp(user);
		expect(ids).toHaveLength(1);
		return ids[0] ?? '';
	};

	beforeAll(async () => {
		server = await start();
		for (const person of [JANE, SAM, MARY_JANE]) await server.addPerson(person);
	}, START_TIMEOUT_MS);

	afterAll(async () => {
		await server.stop();
	});

	test('is the one that its description names', () => {
		expect(server.provider.name).toBe(name);
	});

	test('does not take just any cookie', async () => {
		const cookie = await server.signIn(SAM);
		expect(await server.isSignedIn(cookie)).toBe(true);
		// One character in the middle of the secret is another one.
		const at = cookie.indexOf('=') + 10;
		const other = cookie[at] === 'a' ? 'b' : 'a';
		const forged = cookie.slice(0, at) + other + cookie.slice(at + 1);
		expect(await server.isSignedIn(forged)).toBe(false);
	});

	test('finds exactly the person who is meant, in any letter case', async () => {
		const found = await idOf(JANE.email);
		expect(await idOf('JANE@Example.com')).toBe(found);
		expect(await idOf(MARY_JANE.email)).not.toBe(found);
		expect(await (await follower()).lookUp('nobody@example.com')).toEqual([]);
		expect(await (await follower()).lookUp('jane')).toEqual([]);
	});

	test('signs a person out everywhere, and nobody else', async () => {
		const jane = [await server.signIn(JANE), await server.signIn(JANE)];
		const others = [await server.signIn(SAM), await server.signIn(MARY_JANE)];
		const userId = await idOf(JANE.email);
		const follow = await follower();
		expect((await follow.sessions(userId)).length).toBeGreaterThanOrEqual(jane.length);
		for (const cookie of [...jane, ...others]) expect(await server.isSignedIn(cookie)).toBe(true);

		await follow.revokeAll(userId);

		for (const cookie of jane) expect(await server.isSignedIn(cookie)).toBe(false);
		for (const cookie of others) expect(await server.isSignedIn(cookie)).toBe(true);
		expect(await follow.sessions(userId)).toEqual([]);
	});

	test('lets the person in again, and can be asked again', async () => {
		const follow = await follower();
		const userId = await idOf(JANE.email);
		await follow.revokeAll(userId);
		await follow.revokeAll(userId);
		const cookie = await server.signIn(JANE);
		expect(await server.isSignedIn(cookie)).toBe(true);
		expect(await follow.sessions(userId)).toHaveLength(1);
	});

	test('refuses everybody but an administrator', async () => {
		const nobody = new Follower(server.baseUrl, server.provider, {});
		await expect(nobody.lookUp(JANE.email)).rejects.toThrow('401');
	});
});

describe('Glewlwyd ends single sessions', () => {
	let server: IdentityServer;

	beforeAll(async () => {
		server = await startGlewlwyd();
		await server.addPerson(JANE);
	}, START_TIMEOUT_MS);

	afterAll(async () => {
		await server.stop();
	});

	test('one of two', async () => {
		const headers = headersOf(await server.administrator());
		const follow = new Follower(server.baseUrl, server.provider, headers);
		const first = await server.signIn(JANE);
		const [sessionId = ''] = await follow.sessions(JANE.email);
		const second = await server.signIn(JANE);

		expect(await follow.revokeSession(JANE.email, sessionId)).toBe('revoked');
		expect(await server.isSignedIn(first)).toBe(false);
		expect(await server.isSignedIn(second)).toBe(true);
		expect(await follow.sessions(JANE.email)).toHaveLength(1);
	});

	test('one that never was', async () => {
		const headers = headersOf(await server.administrator());
		const follow = new Follower(server.baseUrl, server.provider, headers);
		expect(await follow.revokeSession(JANE.email, '{SHA512}never-was')).toBe('nothing_to_revoke');
	});
});

describe('Better Auth names a session by its secret', () => {
	let server: IdentityServer;

	beforeAll(async () => {
		server = await startBetterAuth();
		await server.addPerson(JANE);
	}, START_TIMEOUT_MS);

	afterAll(async () => {
		await server.stop();
	});

	// `/admin/revoke-user-session` wants the token, and ids of sessions are shown and stored: the
	// description has another `id` for the list, and names the token apart.
	test('so its description shows another id', async () => {
		const headers = headersOf(await server.administrator());
		const byId = new Follower(server.baseUrl, server.provider, headers);
		const { listSessions } = server.provider;
		if (listSessions === undefined) throw new Error('The description lists no sessions.');
		const secret = { ...server.provider, listSessions: { ...listSessions, id: '/token' } };
		const byToken = new Follower(server.baseUrl, secret, headers);

		await server.signIn(JANE);
		const [userId = ''] = await byId.lookUp(JANE.email);
		const [token = ''] = await byToken.sessions(userId);
		const [id = ''] = await byId.sessions(userId);
		const signsIn = async (bearer: string) => {
			const authorization = `Bearer ${bearer}`;
			const response = await fetch(`${server.baseUrl}/get-session`, { headers: { authorization } });
			return (await response.json()) !== null;
		};
		expect(await signsIn(token)).toBe(true);
		expect(await signsIn(id)).toBe(false);
		expect(listSessions).toMatchObject({ id: '/id', token: '/token' });
		expect(server.provider.revokeSession?.body).toEqual({ sessionToken: '{sessionToken}' });
	});
});
