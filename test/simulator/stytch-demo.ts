/**
 * The two projects of the demo: fictitious people at example.com, with sessions to end. The users of
 * the Consumer project are customers of a shop, the members of the B2B project work in its back office.
 */
import type { Stytch, StytchOptions } from './stytch';

/** The demo's keys. They open nothing but the simulator. */
export const DEMO_STYTCH_CONSUMER_PROJECT_ID = 'project-test-5a1c0f6e-7b2d-4e83-9c14-d06f3b8a2e71';
export const DEMO_STYTCH_CONSUMER_SECRET = 'secret-test-simulated-consumer-key-that-opens-nothing=';
export const DEMO_STYTCH_B2B_PROJECT_ID = 'project-test-c83e2d94-1f6a-4b07-8d5e-92a7c1e4f630';
export const DEMO_STYTCH_B2B_SECRET = 'secret-test-simulated-b2b-key-that-opens-nothing-real=';
/** The organizations of the demo, as a credential lists them. */
export const DEMO_STYTCH_ORGANIZATIONS = ['example-retail', 'example-logistics'] as const;

/** The demo's keys as options of `createStytch`. */
export const STYTCH_DEMO_KEYS: Pick<StytchOptions, 'consumer' | 'b2b'> = {
	consumer: {
		projectId: DEMO_STYTCH_CONSUMER_PROJECT_ID,
		secret: DEMO_STYTCH_CONSUMER_SECRET,
	},
	b2b: { projectId: DEMO_STYTCH_B2B_PROJECT_ID, secret: DEMO_STYTCH_B2B_SECRET },
};

/** Fills both projects with the demo's people. */
export function seedStytchDemo({ consumer, b2b }: Stytch): void {
	const users = [
		{
			email: 'nora.lindqvist@example.com',
			otherEmails: ['nora.lindqvist@example.org'],
			externalId: 'shop-1001',
			firstName: 'Nora',
			lastName: 'Lindqvist',
			sessions: 4,
			connectedApps: 2,
		},
		{
			email: 'tomas.okafor@example.com',
			firstName: 'Tomas',
			lastName: 'Okafor',
			sessions: 2,
			connectedApps: 1,
		},
		{ email: "maeve.o'neil@example.com", firstName: 'Maeve', lastName: "O'Neil", sessions: 1 },
		{
			email: 'mei.tanaka+contractor@example.com',
			firstName: 'Mei',
			lastName: 'Tanaka',
			sessions: 1,
		},
		{ email: 'sam.rivera@example.com', firstName: 'Sam', lastName: 'Rivera', sessions: 1 },
		{ email: 'alex.rivera@example.com', firstName: 'Alex', lastName: 'Rivera', sessions: 2 },
		// Locked out after failed attempts: nobody gets in anew, but the old session goes on.
		{
			email: 'priya.nair@example.com',
			firstName: 'Priya',
			lastName: 'Nair',
			isLocked: true,
			sessions: 1,
		},
		// Nobody is signed in here: there is nothing to end.
		{ email: 'lena.fischer@example.com', firstName: 'Lena', lastName: 'Fischer' },
	];
	for (const user of users) consumer.addUser(user);

	const [retail, logistics] = DEMO_STYTCH_ORGANIZATIONS;
	b2b.addOrganization({ name: 'Example Retail', slug: retail, externalId: 'customer-1' });
	b2b.addOrganization({ name: 'Example Logistics', slug: logistics });
	const members = [
		// One person in two organizations: two members, each with sessions of its own.
		{
			organization: retail,
			email: 'nora.lindqvist@example.com',
			externalId: 'staff-1001',
			name: 'Nora Lindqvist',
			sessions: 3,
			connectedApps: 1,
		},
		{
			organization: logistics,
			email: 'nora.lindqvist@example.com',
			name: 'Nora Lindqvist',
			sessions: 1,
		},
		{
			organization: retail,
			email: 'tomas.okafor@example.com',
			name: 'Tomas Okafor',
			sessions: 2,
			connectedApps: 1,
		},
		{
			organization: logistics,
			email: 'mei.tanaka+contractor@example.com',
			name: 'Mei Tanaka',
			sessions: 1,
		},
		{
			organization: retail,
			email: 'priya.nair@example.com',
			name: 'Priya Nair',
			isLocked: true,
			sessions: 1,
		},
		{
			organization: retail,
			email: 'former.employee@example.com',
			name: 'Former Employee',
			status: 'deleted' as const,
		},
		{ organization: retail, email: 'lena.fischer@example.com', name: 'Lena Fischer' },
	];
	for (const member of members) b2b.addMember(member);
}
