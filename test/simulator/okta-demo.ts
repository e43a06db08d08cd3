/** The org of the demo: fictitious people at example.com, with sessions to end. */
import type { OktaOrg } from './okta-org';

/** The demo org's API token. It opens nothing but the simulator. */
export const DEMO_OKTA_API_TOKEN = '00simulated-demo-token-that-opens-nothing-real';

/** Fills an org with the demo's users and its API token. */
export function seedDemo(org: OktaOrg): void {
	org.addUser({
		login: 'admin.automation@example.com',
		firstName: 'Automation',
		lastName: 'Admin',
		sessions: 1,
		profile: { title: 'Service account', department: 'Security' },
	});
	org.addUser({
		login: 'nora.lindqvist@example.com',
		firstName: 'Nora',
		lastName: 'Lindqvist',
		secondEmail: 'nora.lindqvist@example.org',
		sessions: 4,
		tokens: 2,
		devices: 2,
		grants: 1,
		profile: { title: 'Finance Director', department: 'Finance' },
	});
	org.addUser({
		login: 'tomas.okafor@example.com',
		firstName: 'Tomas',
		lastName: 'Okafor',
		sessions: 2,
		tokens: 1,
		devices: 1,
		profile: { title: 'Site Reliability Engineer', department: 'Engineering' },
	});
	org.addUser({
		login: 'mei.tanaka+contractor@example.com',
		firstName: 'Mei',
		lastName: 'Tanaka',
		sessions: 1,
		profile: { title: 'Contractor', department: 'Design' },
	});
	org.addUser({
		login: 'factory/line-2@example.com',
		email: 'line-2@example.com',
		firstName: 'Factory',
		lastName: 'Line 2',
		sessions: 1,
		profile: { title: 'Shared terminal', department: 'Operations' },
	});
	// Two people behind one address: a lookup by email must not pick one.
	org.addUser({
		login: 'sam.rivera@example.com',
		email: 'frontdesk@example.com',
		firstName: 'Sam',
		lastName: 'Rivera',
		sessions: 1,
	});
	org.addUser({
		login: 'alex.rivera@example.com',
		email: 'frontdesk@example.com',
		firstName: 'Alex',
		lastName: 'Rivera',
		sessions: 2,
	});
	org.addUser({
		login: 'priya.nair@example.com',
		firstName: 'Priya',
		lastName: 'Nair',
		status: 'SUSPENDED',
		sessions: 1,
		tokens: 1,
	});
	org.addUser({
		login: 'former.employee@example.com',
		firstName: 'Former',
		lastName: 'Employee',
		status: 'DEPROVISIONED',
	});
	// Nobody is signed in here: the call succeeds and there was nothing to end.
	org.addUser({ login: 'lena.fischer@example.com', firstName: 'Lena', lastName: 'Fischer' });
	org.addApiToken({ owner: 'admin.automation@example.com', token: DEMO_OKTA_API_TOKEN });
}
