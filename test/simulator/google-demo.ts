/** The Google Workspace of the demo: fictitious people at example.com, with access to end. */
import type { GoogleDirectory } from './google-directory';

/** The administrator whom the demo's credential acts as. */
export const DEMO_GOOGLE_ADMIN = 'admin.automation@example.com';

/** The demo's access token, which never expires. It opens nothing but the simulator. */
export const DEMO_GOOGLE_ACCESS_TOKEN = 'ya29.simulated-demo-token-that-opens-nothing-real';

/** Fills a directory with the demo's users and its access token. */
export function seedGoogleDemo(directory: GoogleDirectory): void {
	directory.addUser({
		primaryEmail: DEMO_GOOGLE_ADMIN,
		givenName: 'Automation',
		familyName: 'Admin',
		admin: 'super',
		sessions: 1,
	});
	directory.addUser({
		primaryEmail: 'nora.lindqvist@example.com',
		givenName: 'Nora',
		familyName: 'Lindqvist',
		aliases: ['nora@example.com'],
		otherEmails: ['nora.lindqvist@example.org'],
		recoveryEmail: 'nora.lindqvist@example.org',
		sessions: 3,
		tokens: 2,
		asps: 1,
	});
	directory.addUser({
		primaryEmail: 'tomas.okafor@example.com',
		givenName: 'Tomas',
		familyName: 'Okafor',
		sessions: 2,
		tokens: 1,
	});
	directory.addUser({
		primaryEmail: "maeve.o'neil@example.com",
		givenName: 'Maeve',
		familyName: "O'Neil",
		sessions: 1,
		asps: 1,
	});
	directory.addUser({
		primaryEmail: 'mei.tanaka+contractor@example.com',
		givenName: 'Mei',
		familyName: 'Tanaka',
		sessions: 1,
		tokens: 1,
	});
	// One person behind a second address: an alias leads to exactly one account here.
	directory.addUser({
		primaryEmail: 'sam.rivera@example.com',
		givenName: 'Sam',
		familyName: 'Rivera',
		aliases: ['frontdesk@example.com'],
		sessions: 1,
	});
	directory.addUser({
		primaryEmail: 'alex.rivera@example.com',
		givenName: 'Alex',
		familyName: 'Rivera',
		sessions: 2,
		tokens: 1,
	});
	directory.addUser({
		primaryEmail: 'priya.nair@example.com',
		givenName: 'Priya',
		familyName: 'Nair',
		suspended: true,
		tokens: 1,
	});
	directory.addUser({
		primaryEmail: 'former.employee@example.com',
		givenName: 'Former',
		familyName: 'Employee',
		archived: true,
	});
	// Nobody is signed in here: the call succeeds and there was nothing to end.
	directory.addUser({
		primaryEmail: 'lena.fischer@example.com',
		givenName: 'Lena',
		familyName: 'Fischer',
	});
	directory.addAccessToken({
		user: DEMO_GOOGLE_ADMIN,
		token: DEMO_GOOGLE_ACCESS_TOKEN,
		lifeSeconds: Infinity,
		scopes: [
			'https://www.googleapis.com/auth/admin.directory.user.readonly',
			'https://www.googleapis.com/auth/admin.directory.user.security',
			'https://www.googleapis.com/auth/admin.reports.audit.readonly',
		],
	});
}
