/** The server of the demo: fictitious people at example.com, with sessions to end. */
import type { JanssenServer } from './janssen-server';

/** The demo's OAuth client. It opens nothing but the simulator. */
export const DEMO_JANSSEN_CLIENT_ID = '2000.0d3f5a86-1c47-4be2-a8f9-63b5d1e7c204';
export const DEMO_JANSSEN_CLIENT_SECRET = 'simulated-demo-secret-that-opens-nothing-real';

/** What the demo's client is registered with. */
export const DEMO_JANSSEN_SCOPES: readonly string[] = [
	'https://jans.io/oauth/config/user.readonly',
	'https://jans.io/oauth/jans-auth-server/session.readonly',
	'https://jans.io/oauth/jans-auth-server/session.delete',
	'revoke_session',
	'global_token_revocation',
];

/** Fills a server with the demo's users and its client. */
export function seedJanssenDemo(server: JanssenServer): void {
	server.addUser({
		userId: 'nora.lindqvist',
		mail: 'nora.lindqvist@example.com',
		displayName: 'Nora Lindqvist',
		givenName: 'Nora',
		sn: 'Lindqvist',
		sessions: 3,
		unauthenticated: 1,
		refreshTokens: 2,
	});
	server.addUser({
		userId: 'tomas.okafor',
		mail: 'tomas.okafor@example.com',
		displayName: 'Tomas Okafor',
		givenName: 'Tomas',
		sn: 'Okafor',
		sessions: 2,
		refreshTokens: 1,
	});
	server.addUser({
		userId: "maeve.o'neil",
		mail: "maeve.o'neil@example.com",
		displayName: "Maeve O'Neil",
		givenName: 'Maeve',
		sn: "O'Neil",
		sessions: 1,
	});
	server.addUser({
		userId: 'mei.tanaka',
		mail: 'mei.tanaka+contractor@example.com',
		displayName: 'Mei Tanaka',
		givenName: 'Mei',
		sn: 'Tanaka',
		sessions: 1,
	});
	// A part of this name is another's: the vendor's search finds both.
	server.addUser({
		userId: 'eleonora.lindqvist',
		mail: 'eleonora.lindqvist@example.com',
		displayName: 'Eleonora Lindqvist',
		givenName: 'Eleonora',
		sn: 'Lindqvist',
		sessions: 1,
	});
	server.addUser({ userId: '$kiosk', displayName: 'Shared terminal', mail: null, sessions: 1 });
	// Two people behind one address: a lookup by mail must not pick one.
	server.addUser({
		userId: 'sam.rivera',
		mail: 'frontdesk@example.com',
		displayName: 'Sam Rivera',
		sessions: 1,
	});
	server.addUser({
		userId: 'alex.rivera',
		mail: 'frontdesk@example.com',
		displayName: 'Alex Rivera',
		sessions: 2,
	});
	// One person's user id is another's mail address: the user id decides.
	server.addUser({
		userId: 'press@example.com',
		mail: 'ida.sand@example.com',
		displayName: 'Ida Sand',
		sessions: 1,
	});
	server.addUser({
		userId: 'omar.haddad',
		mail: 'press@example.com',
		displayName: 'Omar Haddad',
		sessions: 1,
	});
	server.addUser({
		userId: 'priya.nair',
		mail: 'priya.nair@example.com',
		displayName: 'Priya Nair',
		status: 'inactive',
		sessions: 1,
		refreshTokens: 1,
	});
	// Nobody is signed in here: the config API answers 404, and there was nothing to end.
	server.addUser({
		userId: 'lena.fischer',
		mail: 'lena.fischer@example.com',
		displayName: 'Lena Fischer',
	});
	server.addClient({
		clientId: DEMO_JANSSEN_CLIENT_ID,
		secret: DEMO_JANSSEN_CLIENT_SECRET,
		scopes: DEMO_JANSSEN_SCOPES,
	});
}
