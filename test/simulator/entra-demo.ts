/** The directory of the demo: fictitious people at example.com, with sessions to end. */
import type { EntraDirectory } from './entra-directory';

/** The demo's app registration. It opens nothing but the simulator. */
export const DEMO_ENTRA_CLIENT_ID = '8d0f6c1e-52a7-4b39-9e14-2c7b60a5d3f8';
export const DEMO_ENTRA_CLIENT_SECRET = 'simulated-demo-secret-that-opens-nothing-real';

/** Fills a directory with the demo's users and its app registration. */
export function seedEntraDemo(directory: EntraDirectory): void {
	directory.addUser({
		userPrincipalName: 'nora.lindqvist@example.com',
		displayName: 'Nora Lindqvist',
		givenName: 'Nora',
		surname: 'Lindqvist',
		jobTitle: 'Finance Director',
		proxyAddresses: ['SMTP:nora.lindqvist@example.com', 'smtp:nora@example.com'],
		otherMails: ['nora.lindqvist@example.org'],
		sessions: 3,
		refreshTokens: 5,
	});
	directory.addUser({
		userPrincipalName: 'tomas.okafor@example.com',
		displayName: 'Tomas Okafor',
		givenName: 'Tomas',
		surname: 'Okafor',
		jobTitle: 'Site Reliability Engineer',
		sessions: 2,
		refreshTokens: 3,
	});
	directory.addUser({
		userPrincipalName: "maeve.o'neil@example.com",
		displayName: "Maeve O'Neil",
		givenName: 'Maeve',
		surname: "O'Neil",
		sessions: 1,
		refreshTokens: 2,
	});
	directory.addUser({
		userPrincipalName: 'mei.tanaka+contractor@example.com',
		displayName: 'Mei Tanaka',
		givenName: 'Mei',
		surname: 'Tanaka',
		jobTitle: 'Contractor',
		sessions: 1,
		refreshTokens: 1,
	});
	directory.addUser({
		userPrincipalName: '$kiosk@example.com',
		displayName: 'Shared terminal',
		mail: null,
		sessions: 1,
		refreshTokens: 1,
	});
	// Sessions of a guest are those of the guest's home tenant.
	directory.addUser({
		userPrincipalName: 'jonas.weber_partner.example.org#EXT#@example.com',
		displayName: 'Jonas Weber',
		givenName: 'Jonas',
		surname: 'Weber',
		mail: 'jonas.weber@partner.example.org',
		userType: 'Guest',
		sessions: 2,
		refreshTokens: 2,
	});
	// Two people behind one address: a lookup by mail must not pick one.
	directory.addUser({
		userPrincipalName: 'sam.rivera@example.com',
		displayName: 'Sam Rivera',
		mail: 'frontdesk@example.com',
		sessions: 1,
		refreshTokens: 1,
	});
	directory.addUser({
		userPrincipalName: 'alex.rivera@example.com',
		displayName: 'Alex Rivera',
		mail: 'frontdesk@example.com',
		sessions: 2,
		refreshTokens: 2,
	});
	// One person's user principal name is another's mail address: the principal name decides.
	directory.addUser({
		userPrincipalName: 'press@example.com',
		displayName: 'Ida Sand',
		mail: 'ida.sand@example.com',
		sessions: 1,
		refreshTokens: 1,
	});
	directory.addUser({
		userPrincipalName: 'omar.haddad@example.com',
		displayName: 'Omar Haddad',
		mail: 'press@example.com',
		sessions: 1,
		refreshTokens: 1,
	});
	directory.addUser({
		userPrincipalName: 'priya.nair@example.com',
		displayName: 'Priya Nair',
		accountEnabled: false,
		sessions: 1,
		refreshTokens: 1,
	});
	// Nobody is signed in here: the call succeeds and there was nothing to end.
	directory.addUser({
		userPrincipalName: 'lena.fischer@example.com',
		displayName: 'Lena Fischer',
	});
	directory.addApp({
		clientId: DEMO_ENTRA_CLIENT_ID,
		secret: DEMO_ENTRA_CLIENT_SECRET,
		displayName: 'Session revocation',
		roles: ['User.Read.All', 'User.RevokeSessions.All'],
	});
}
