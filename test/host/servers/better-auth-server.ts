/**
 * An identity server made of the npm package better-auth, as its documentation puts one together:
 *
 *   tsx test/host/servers/better-auth-server.ts FOLDER ADMIN_EMAIL ADMIN_PASSWORD
 *
 * Its SQLite database is in FOLDER. Prints `{"url":"http://127.0.0.1:PORT/api/auth"}` when it is
 * ready. Ends when its standard input closes, which is when its parent is gone.
 *
 * @see https://better-auth.com/docs/plugins/admin
 * @see https://better-auth.com/docs/plugins/bearer
 */
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { admin, bearer } from 'better-auth/plugins';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

async function main(): Promise<void> {
	const [folder, email, password] = process.argv.slice(2);
	if (folder === undefined || email === undefined || password === undefined) {
		throw new Error('Usage: better-auth-server.ts FOLDER ADMIN_EMAIL ADMIN_PASSWORD');
	}
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	if (address === null || typeof address === 'string') throw new Error('No TCP port.');
	const baseURL = `http://127.0.0.1:${address.port}/api/auth`;
	const auth = betterAuth({
		baseURL,
		database: new DatabaseSync(join(folder, 'better-auth.sqlite')),
		secret: randomBytes(32).toString('base64url'),
		emailAndPassword: { enabled: true },
		// A cached session would outlive its revocation by the age of the cache.
		session: { cookieCache: { enabled: false } },
		rateLimit: { enabled: false },
		telemetry: { enabled: false },
		plugins: [admin(), bearer()],
	});
	await (await getMigrations(auth.options)).runMigrations();
	// A call without a request is the server's own: that is how the first administrator comes to be.
	await auth.api.createUser({ body: { email, password, name: 'Administrator', role: 'admin' } });
	const handle = toNodeHandler(auth);
	server.on('request', (request, response) => void handle(request, response));
	process.stdout.write(`${JSON.stringify({ url: baseURL })}\n`);

	const end = () => process.exit();
	process.on('SIGTERM', end);
	process.stdin.on('end', end).on('close', end).on('error', end).resume();
}

main().catch((error: unknown) => {
	process.stderr.write(`${error instanceof Error ? String(error.stack) : String(error)}\n`);
	process.exit(1);
});
