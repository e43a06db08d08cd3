/**
 * The vendor's own SDK against the simulated vendor: whatever it does without a violation is what
 * the simulator must accept, and whatever it understands is what the simulator must say.
 */
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Client } from '@okta/okta-sdk-nodejs';
import { createOkta, type Okta } from './okta';
import { type Simulator, startSimulator } from './simulator';

let okta: Okta;
let simulator: Simulator;
let id: string;

beforeEach(async () => {
	okta = createOkta({ users: [{ login: 'admin@example.com' }] });
	({ id } = okta.addUser({ login: 'nora@example.com', sessions: 2, tokens: 1, devices: 1 }));
	simulator = await startSimulator(okta);
});

afterEach(async () => {
	await simulator.close();
});

async function lookUpRevokeAndReadBack(client: Client): Promise<void> {
	const user = await client.userApi.getUser({ userId: 'nora@example.com' });
	expect(user).toMatchObject({ id, profile: { login: 'nora@example.com' } });
	const found: unknown[] = [];
	await (
		await client.userApi.listUsers({ search: 'profile.email eq "nora@example.com"' })
	).each((one) => {
		found.push(one.id);
	});
	expect(found).toEqual([id]);
	await client.userApi.revokeUserSessions({ userId: id, oauthTokens: true });
	expect(okta.sessionsOf(id)).toEqual([]);
	expect(okta.tokensOf(id)).toEqual([]);
	const ended: unknown[] = [];
	const logs = await client.systemLogApi.listLogEvents({
		filter: `eventType eq "user.session.end" and target.id eq "${id}"`,
		since: new Date(Date.now() - 60_000).toISOString(),
		until: new Date(Date.now() + 60_000).toISOString(),
	});
	await logs.each((event) => {
		ended.push(event.eventType);
	});
	expect(ended).toEqual(['user.session.end', 'user.session.end']);
	expect(simulator.unmatched).toEqual([]);
}

it('works with an API token', async () => {
	const { token } = okta.addApiToken({ owner: 'admin@example.com' });
	await lookUpRevokeAndReadBack(new Client({ orgUrl: simulator.url, token }));
	expect(simulator.violations).toEqual([]);
});

it.each([false, true])('works with a private key (DPoP: %p)', async (dpop) => {
	const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const scopes = ['okta.users.manage', 'okta.users.read', 'okta.logs.read'];
	const { clientId } = okta.addServiceApp({
		publicJwk: { ...publicKey.export({ format: 'jwk' }), kid: 'sdk' },
		scopes,
		dpop,
	});
	const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'sdk', alg: 'RS256' };
	const client = new Client({
		orgUrl: simulator.url,
		authorizationMode: 'PrivateKey',
		clientId,
		scopes,
		privateKey: JSON.stringify(jwk),
		keyId: 'sdk',
	});
	await lookUpRevokeAndReadBack(client);
	expect(simulator.violations).toEqual([]);
	expect(simulator.hits).toMatchObject({ token: dpop ? 2 : 1 });
});
