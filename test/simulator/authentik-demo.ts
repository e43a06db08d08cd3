/** The users of the demo: fictitious people at example.com, with sessions to end. */
import type { AuthentikUsers } from './authentik-users';

/** The demo's API token. It opens nothing but the simulator. */
export const DEMO_AUTHENTIK_TOKEN = 'simulated-demo-authentik-token-that-opens-nothing-real';

/** Fills a server with the demo's users and the token of a service account. */
export function seedAuthentikDemo(authentik: AuthentikUsers): void {
	authentik.addUser({
		username: 'akadmin',
		name: 'authentik Default Admin',
		email: 'admin@example.com',
		superuser: true,
		sessions: 1,
	});
	authentik.addUser({
		username: 'session-revocation',
		name: 'Session revocation',
		type: 'service_account',
	});
	authentik.addUser({
		username: 'nora',
		name: 'Nora Lindqvist',
		email: 'nora.lindqvist@example.com',
		sessions: 3,
	});
	authentik.addUser({
		username: 'Tomas.Okafor@example.com',
		name: 'Tomas Okafor',
		email: 'Tomas.Okafor@example.com',
		sessions: 2,
	});
	authentik.addUser({
		username: 'maeve',
		name: "Maeve O'Neil",
		email: "maeve.o'neil@example.com",
		sessions: 1,
	});
	authentik.addUser({
		username: 'mei',
		name: 'Mei Tanaka',
		email: 'mei.tanaka+contractor@example.com',
		type: 'external',
		sessions: 1,
	});
	// Two people behind one address: a look-up by e-mail must not pick one.
	authentik.addUser({
		username: 'sam',
		name: 'Sam Rivera',
		email: 'frontdesk@example.com',
		sessions: 1,
	});
	authentik.addUser({
		username: 'alex',
		name: 'Alex Rivera',
		email: 'frontdesk@example.com',
		sessions: 2,
	});
	authentik.addUser({
		username: 'priya',
		name: 'Priya Nair',
		email: 'priya.nair@example.com',
		active: false,
	});
	// Nobody is signed in here: the call succeeds and there was nothing to end.
	authentik.addUser({ username: 'lena', name: 'Lena Fischer', email: 'lena.fischer@example.com' });
	authentik.addToken('session-revocation', { key: DEMO_AUTHENTIK_TOKEN });
}
