/** An identity server made of better-auth (https://better-auth.com), in a process of its own. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../n8n';
import { startScript } from '../script';
import { call, cookieOf, readProvider, type IdentityServer } from './identity-server';

/**
 * Starts better-auth with its admin and bearer plugins on a free port of loopback.
 *
 * Routes: https://better-auth.com/docs/plugins/admin, https://better-auth.com/docs/plugins/bearer
 * and https://better-auth.com/docs/authentication/email-password.
 *
 * @throws Error when the server does not become ready
 */
export async function startBetterAuth(): Promise<IdentityServer> {
	const folder = temporaryFolder('better-auth');
	const clean = async () => {
		await rm(folder, { recursive: true, force: true });
	};
	const admin = { email: 'admin@example.com', password: randomBytes(18).toString('base64url') };
	const script = join(__dirname, 'better-auth-server.ts');
	const server = await startScript('better-auth', script, [
		folder,
		admin.email,
		admin.password,
	]).catch(async (error: unknown) => {
		await clean();
		throw error;
	});
	const { url } = server;
	// Node's fetch says Sec-Fetch-Mode, as a browser does: then better-auth wants an origin to sign in.
	const headers = { origin: new URL(url).origin };
	const signIn = async (body: object) => await call(`${url}/sign-in/email`, { body, headers });
	return {
		baseUrl: url,
		provider: readProvider('better-auth'),
		async addPerson({ email, password }) {
			const body = { email, password, name: email };
			await call(`${url}/sign-up/email`, { body, headers });
		},
		async signIn({ email, password }) {
			return cookieOf(await signIn({ email, password }));
		},
		async isSignedIn(cookie) {
			// Without a session the answer is 200, too, with the body `null`.
			const response = await call(`${url}/get-session`, { method: 'GET', headers: { cookie } });
			return (await response.json()) !== null;
		},
		async administrator() {
			const token = (await signIn(admin)).headers.get('set-auth-token');
			if (token === null) throw new Error('better-auth gave its administrator no token.');
			return { authentication: 'bearer', token };
		},
		async stop() {
			await server.stop();
			await clean();
		},
	};
}
