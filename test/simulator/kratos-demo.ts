/** The identities of the demo: fictitious people at example.com, with sessions to end. */
import type { KratosIdentities } from './kratos-identities';

/** The token of the proxy before the demo's administration API. It opens nothing but the simulator. */
export const DEMO_KRATOS_TOKEN = 'simulated-demo-kratos-token-that-opens-nothing-real';

/** Fills a server with the demo's identities, and puts a proxy before it. */
export function seedKratosDemo(kratos: KratosIdentities): void {
	kratos.addIdentity({
		email: 'nora.lindqvist@example.com',
		name: 'Nora Lindqvist',
		sessions: 4,
		endedSessions: 2,
		oidc: ['google:104598'],
	});
	kratos.addIdentity({
		email: 'Tomas.Okafor@example.com',
		name: 'Tomas Okafor',
		username: 'tomas',
		sessions: 2,
	});
	kratos.addIdentity({ email: "maeve.o'neil@example.com", name: "Maeve O'Neil", sessions: 1 });
	kratos.addIdentity({
		email: 'mei.tanaka+contractor@example.com',
		name: 'Mei Tanaka',
		sessions: 1,
	});
	kratos.addIdentity({ email: 'sam.rivera@example.com', name: 'Sam Rivera', sessions: 1 });
	kratos.addIdentity({
		email: 'priya.nair@example.com',
		name: 'Priya Nair',
		state: 'inactive',
		sessions: 1,
	});
	// Signed in once, and out again: what is stored is no session that lets anybody in.
	kratos.addIdentity({
		email: 'former.employee@example.com',
		name: 'Former Employee',
		state: 'inactive',
		endedSessions: 1,
	});
	// Nobody ever signed in here.
	kratos.addIdentity({ email: 'lena.fischer@example.com', name: 'Lena Fischer' });
	kratos.addProxyToken(DEMO_KRATOS_TOKEN);
}
