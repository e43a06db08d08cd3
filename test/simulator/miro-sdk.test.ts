/**
 * The vendor's own SDK against the simulated vendor: whatever it does without a violation is what
 * the simulator must accept, and whatever it understands is what the simulator must say.
 */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { MiroLowlevelApi } from '@mirohq/miro-api';
import { createMiro, type Miro } from './miro';
import { type Simulator, startSimulator } from './simulator';

const ADMIN = 'admin@example.com';
const PLUS = 'mei.tanaka+contractor@example.com';

let miro: Miro;
let simulator: Simulator;
let sdk: MiroLowlevelApi;

beforeEach(async () => {
	miro = createMiro({ users: [{ email: ADMIN, role: 'organization_internal_admin' }] });
	miro.addUser({ email: PLUS, sessions: 2, active: false });
	simulator = await startSimulator(miro);
	sdk = new MiroLowlevelApi(miro.addAccessToken({ user: ADMIN }), simulator.url);
});

afterEach(async () => {
	await simulator.close();
});

it('finds the organization, finds a member and resets its sessions', async () => {
	const { body: token } = await sdk.tokenInfo();
	expect(token).toMatchObject({
		organization: { id: miro.organizationId },
		user: { id: miro.getUser(ADMIN)?.id, name: ADMIN },
		scopes: ['organizations:read', 'sessions:delete'],
	});
	const organization = token.organization.id;
	const { body: list } = await sdk.enterpriseGetOrganizationMembers(organization, { emails: PLUS });
	// The SDK makes a page of whatever comes, and so nothing of the bare list.
	expect(list.data).toBeUndefined();
	const { body: page } = await sdk.enterpriseGetOrganizationMembers(organization, { limit: 1 });
	expect(page).toMatchObject({ size: 1, data: [{ email: ADMIN }], cursor: expect.any(String) });
	const { body: rest } = await sdk.enterpriseGetOrganizationMembers(organization, {
		limit: 1,
		...(page.cursor === undefined ? {} : { cursor: page.cursor }),
	});
	expect(rest.cursor).toBeUndefined();
	const id = rest.data?.[0]?.id ?? '';
	const { body: member } = await sdk.enterpriseGetOrganizationMember(organization, id);
	expect(member).toMatchObject({ email: PLUS, active: false, lastActivityAt: expect.any(Date) });
	await sdk.enterprisePostUserSessionsReset(PLUS);
	expect(miro.sessionsOf(PLUS)).toEqual([]);
	expect(simulator.hits).toEqual({
		'token-info': 1,
		'enterprise-get-organization-members': 3,
		'enterprise-get-organization-member': 1,
		'enterprise-post-user-sessions-reset': 1,
	});
	expect([simulator.violations, simulator.unmatched]).toEqual([[], []]);
});

it('understands errors', async () => {
	await expect(sdk.enterprisePostUserSessionsReset('nobody@example.com')).rejects.toMatchObject({
		name: 'HttpError',
		statusCode: 404,
		body: { status: 404, code: 'notFound', type: 'error' },
	});
});
