/**
 * The vendor's own SDK against the simulated vendor: whatever it does without a violation is what
 * the simulator must accept, and whatever it understands is what the simulator must say.
 */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { B2BClient, Client } from 'stytch';
import { type Simulator, startSimulator } from './simulator';
import { createStytch, type Stytch } from './stytch';

let stytch: Stytch;
let simulator: Simulator;

beforeEach(async () => {
	stytch = createStytch();
	simulator = await startSimulator(stytch);
	// The SDK says aloud that it does not know the address.
	jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(async () => {
	jest.restoreAllMocks();
	expect(simulator.violations).toEqual([]);
	expect(simulator.unmatched).toEqual([]);
	await simulator.close();
});

it('finds, lists, authenticates and revokes in a Consumer project', async () => {
	const { consumer } = stytch;
	const { user_id } = consumer.addUser({
		email: 'nora@example.com',
		sessions: 2,
		connectedApps: 1,
	});
	const client = new Client({
		project_id: consumer.projectId,
		secret: consumer.secret,
		env: simulator.url,
	});
	const operands = [{ filter_name: 'email_address', filter_value: ['nora@example.com'] }];
	const { results } = await client.users.search({ query: { operator: 'AND', operands } });
	expect(results.map((one) => one.user_id)).toEqual([user_id]);
	await expect(client.users.get({ user_id })).resolves.toMatchObject({ user_id });

	const { sessions } = await client.sessions.get({ user_id });
	expect(sessions).toHaveLength(2);
	const [held] = consumer.sessionsOf(user_id);
	const { session_jwt, session } = await client.sessions.authenticate({
		session_token: held?.token ?? '',
	});
	expect(session).toMatchObject({ session_id: held?.id, user_id });
	const local = await client.sessions.authenticateJwtLocal({ session_jwt });
	expect(local).toMatchObject({ session_id: held?.id, user_id, roles: ['stytch_user'] });

	for (const { session_id } of sessions) await client.sessions.revoke({ session_id });
	await expect(client.sessions.get({ user_id })).resolves.toMatchObject({ sessions: [] });
	await expect(client.sessions.authenticate({ session_jwt })).rejects.toMatchObject({
		status_code: 404,
		error_type: 'session_not_found',
	});
	// Whoever checks the JWT alone is let in for up to five minutes more.
	await expect(client.sessions.authenticateJwtLocal({ session_jwt })).resolves.toMatchObject({
		user_id,
	});

	const { connected_apps } = await client.users.connectedApps({ user_id });
	for (const { connected_app_id } of connected_apps) {
		await client.users.revoke({ user_id, connected_app_id });
	}
	expect(consumer.connectedAppsOf(user_id)).toEqual([]);
});

it('finds, lists, authenticates and revokes in a B2B project', async () => {
	const { b2b } = stytch;
	const { organization_id } = b2b.addOrganization({ name: 'Example' });
	const { member_id } = b2b.addMember({
		organization: organization_id,
		email: 'nora@example.com',
		sessions: 2,
		connectedApps: 1,
	});
	const client = new B2BClient({
		project_id: b2b.projectId,
		secret: b2b.secret,
		env: simulator.url,
	});
	const operands = [{ filter_name: 'member_emails', filter_value: ['nora@example.com'] }];
	const query = { operator: 'AND', operands };
	const found = await client.organizations.members.search({
		organization_ids: [organization_id],
		query,
	});
	expect(found.members.map((one) => one.member_id)).toEqual([member_id]);
	await expect(client.organizations.search({ query })).resolves.toMatchObject({
		organizations: [{ organization_id }],
	});
	await expect(
		client.organizations.members.get({ organization_id, email_address: 'nora@example.com' }),
	).resolves.toMatchObject({ member_id });
	await expect(client.organizations.members.dangerouslyGet({ member_id })).resolves.toMatchObject({
		organization: { organization_id },
	});

	const [held] = b2b.sessionsOf(member_id);
	const { session_jwt } = await client.sessions.authenticate({ session_token: held?.token ?? '' });
	const local = await client.sessions.authenticateJwtLocal({ session_jwt });
	expect(local).toMatchObject({ member_session_id: held?.id, member_id, organization_id });
	await client.sessions.revoke({ member_id });
	await expect(client.sessions.get({ organization_id, member_id })).resolves.toMatchObject({
		member_sessions: [],
	});

	const apps = await client.organizations.members.getConnectedApps({ organization_id, member_id });
	for (const { connected_app_id } of apps.connected_apps) {
		await client.organizations.members.connectedApps.revoke({
			organization_id,
			member_id,
			connected_app_id,
		});
	}
	expect(b2b.connectedAppsOf(member_id)).toEqual([]);
});
