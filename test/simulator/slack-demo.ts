/** The Slack organisation of the demo: fictitious people at example.com, with sessions to end. */
import type { SlackOrg } from './slack-org';

/** The demo's user token. It opens nothing but the simulator. */
export const DEMO_SLACK_USER_TOKEN = 'xoxp-simulated-demo-token-that-opens-nothing-real';

/** Fills an organisation with the demo's members and the token of its app. */
export function seedSlackDemo(org: SlackOrg): void {
	const [hq = '', labs = ''] = org.workspaces.map(({ id }) => id);
	org.addUser({
		email: 'admin.automation@example.com',
		realName: 'Automation Admin',
		role: 'admin',
		title: 'Service account',
		sessions: ['web'],
	});
	org.addUser({
		email: 'nora.lindqvist@example.com',
		realName: 'Nora Lindqvist',
		title: 'Finance Director',
		teams: [hq, labs],
		sessions: ['desktop', 'mobile', 'web', 'mobile'],
	});
	org.addUser({
		email: 'tomas.okafor@example.com',
		realName: 'Tomas Okafor',
		title: 'Site Reliability Engineer',
		sessions: ['desktop', 'mobile'],
		sessionSettings: { desktop_app_browser_quit: true, duration: 86_400 },
	});
	org.addUser({
		email: "maeve.o'neil@example.com",
		realName: "Maeve O'Neil",
		teams: [labs],
		sessions: ['web'],
	});
	org.addUser({
		email: 'mei.tanaka+contractor@example.com',
		realName: 'Mei Tanaka',
		title: 'Contractor',
		guest: 'restricted',
		sessions: ['web'],
	});
	org.addUser({
		email: 'jonas.weber@partner.example.org',
		realName: 'Jonas Weber',
		guest: 'ultra_restricted',
		sessions: ['web', 'mobile'],
	});
	org.addUser({
		email: 'sam.rivera@example.com',
		realName: 'Sam Rivera',
		role: 'owner',
		sessions: ['desktop'],
	});
	// Only the primary owner can end the primary owner's sessions.
	org.addUser({
		email: 'omar.haddad@example.com',
		realName: 'Omar Haddad',
		role: 'primary_owner',
		sessions: ['desktop', 'mobile'],
	});
	// Deactivated: a look-up by address does not find the account, its id does.
	org.addUser({ email: 'priya.nair@example.com', realName: 'Priya Nair', deleted: true });
	// Nobody is signed in here: the call succeeds and there was nothing to end.
	org.addUser({ email: 'lena.fischer@example.com', realName: 'Lena Fischer' });
	org.addUser({ isBot: true, name: 'deploybot', realName: 'Deploy Bot' });
	org.addToken({
		user: 'admin.automation@example.com',
		token: DEMO_SLACK_USER_TOKEN,
		scopes: ['users:read', 'users:read.email', 'admin.users:read', 'admin.users:write'],
	});
}
