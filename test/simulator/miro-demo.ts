/** The organization of the demo: fictitious people at example.com, with sessions to end. */
import type { MiroOrg } from './miro-org';

/** The demo organization's access token. It opens nothing but the simulator. */
export const DEMO_MIRO_ACCESS_TOKEN = 'simulated-demo-miro-token-that-opens-nothing-real';

/** Fills an organization with the demo's members and its access token. */
export function seedMiroDemo(org: MiroOrg): void {
	org.addUser({
		email: 'admin.automation@example.com',
		name: 'Automation Admin',
		role: 'organization_internal_admin',
		sessions: 1,
	});
	org.addUser({ email: 'nora.lindqvist@example.com', name: 'Nora Lindqvist', sessions: 3 });
	org.addUser({ email: 'tomas.okafor@example.com', name: 'Tomas Okafor', sessions: 2 });
	org.addUser({ email: "maeve.o'neil@example.com", name: "Maeve O'Neil", sessions: 1 });
	org.addUser({
		email: 'mei.tanaka+contractor@example.com',
		name: 'Mei Tanaka',
		license: 'occasional',
		sessions: 1,
	});
	org.addUser({
		email: 'jonas.weber@partner.example.org',
		name: 'Jonas Weber',
		role: 'organization_external_user',
		license: 'free',
		sessions: 2,
	});
	org.addUser({
		email: 'sam.rivera@example.com',
		name: 'Sam Rivera',
		role: 'organization_team_guest_user',
		license: 'free_restricted',
		sessions: 1,
	});
	org.addUser({ email: 'priya.nair@example.com', name: 'Priya Nair', active: false, sessions: 1 });
	// Nobody is signed in here: the call succeeds and there was nothing to end.
	org.addUser({ email: 'lena.fischer@example.com', name: 'Lena Fischer' });
	org.addAccessToken({ user: 'admin.automation@example.com', token: DEMO_MIRO_ACCESS_TOKEN });
}
