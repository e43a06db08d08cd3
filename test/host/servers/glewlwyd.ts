/**
 * Glewlwyd, an OAuth 2 and OpenID Connect server (https://github.com/babelouest/glewlwyd), version 2.7
 * of Debian, started for ourselves: a free port of loopback, a fresh SQLite database.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, temporaryFolder } from '../n8n';
import { start, stop, tail } from '../processes';
import { glewlwydFiles, type GlewlwydFiles } from './glewlwyd-install';
import { call, cookieOf, readProvider, type IdentityServer } from './identity-server';

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
const PORT_ATTEMPTS = 3;

/** The account in a fresh database: docs/database/README.md in Glewlwyd's repository. */
const ADMINISTRATOR = { username: 'admin', password: 'password' };

/** Members and what they mean: docs/glewlwyd.conf.sample in Glewlwyd's repository. */
function configuration(files: GlewlwydFiles, folder: string, port: number): string {
	const settings = {
		port,
		bind_address: '127.0.0.1',
		external_url: `http://127.0.0.1:${port}`,
		api_prefix: 'api',
		log_mode: 'console',
		log_level: 'WARNING',
		// Plain http on loopback: a cookie for https only would never come back.
		cookie_secure: 0,
		hash_algorithm: 'SHA512',
		user_module_path: join(files.modules, 'user'),
		user_middleware_module_path: join(folder, 'user_middleware'),
		client_module_path: join(files.modules, 'client'),
		user_auth_scheme_module_path: join(files.modules, 'scheme'),
		plugin_module_path: join(files.modules, 'plugin'),
	};
	const lines = Object.entries(settings).map(
		([name, value]) => `${name} = ${JSON.stringify(value)}`,
	);
	const database = JSON.stringify(join(folder, 'glewlwyd.sqlite'));
	return [...lines, `database = { type = "sqlite3"; path = ${database}; };`, ''].join('\n');
}

function createDatabase(files: GlewlwydFiles, folder: string): void {
	const database = new DatabaseSync(join(folder, 'glewlwyd.sqlite'));
	database.exec(readFileSync(files.schema, 'utf8'));
	database.close();
	// Debian ships no such module, and Glewlwyd wants the folder all the same.
	mkdirSync(join(folder, 'user_middleware'));
}

interface Launched {
	readonly child: ChildProcess;
	readonly url: string;
}

/** Waits until the server answers; false when it ended by itself. */
async function isReady(url: string, child: ChildProcess): Promise<boolean> {
	const deadline = Date.now() + READY_TIMEOUT_MS;
	while (Date.now() < deadline) {
		if (child.exitCode !== null || child.signalCode !== null) return false;
		const response = await fetch(`${url}/config`, { signal: AbortSignal.timeout(5000) }).catch(
			() => undefined,
		);
		await response?.arrayBuffer();
		if (response?.status === 200) return true;
		await sleep(POLL_MS);
	}
	return false;
}

async function launch(files: GlewlwydFiles, folder: string): Promise<Launched> {
	const logFile = join(folder, 'glewlwyd.log');
	const configFile = join(folder, 'glewlwyd.conf');
	for (let attempt = 1; attempt <= PORT_ATTEMPTS; attempt += 1) {
		const [port] = await freePorts();
		const url = `http://127.0.0.1:${port}`;
		writeFileSync(configFile, configuration(files, folder, port));
		const log = openSync(logFile, 'a');
		// The kernel ends it together with us, whatever way we end.
		const command = ['--pdeathsig', 'KILL', files.binary, '--config-file', configFile];
		const child = start('setpriv', command, {
			cwd: folder,
			env: { PATH: process.env.PATH, LD_LIBRARY_PATH: files.libraries.join(':') },
			stdio: ['ignore', log, log],
		});
		closeSync(log);
		if (await isReady(url, child)) return { child, url };
		// Between looking for a free port and taking it, somebody else may: then once more.
		await stop(child);
	}
	throw new Error(`Glewlwyd did not become ready.\n${tail(readFileSync(logFile, 'utf8'))}`);
}

/**
 * Starts Glewlwyd, downloading it first where this machine has not seen it.
 *
 * Routes: docs/API.md in Glewlwyd's repository, except those for a user's sessions. There it says
 * `/delegate/profile/session?username=`, while 2.7 has `/delegate/{username}/profile/session`
 * (src/glewlwyd.c). It also says that an API key opens them, and that is refused: only the cookie of
 * an administrator does, for ten minutes after the password was typed (`password_max_age` of the
 * scope `g_admin`).
 *
 * @throws Error when the package cannot be had, or the server does not become ready
 */
export async function startGlewlwyd(): Promise<IdentityServer> {
	const files = await glewlwydFiles();
	const folder = temporaryFolder('glewlwyd');
	const clean = async () => {
		await rm(folder, { recursive: true, force: true });
	};
	const launched = await (async () => {
		createDatabase(files, folder);
		return await launch(files, folder);
	})().catch(async (error: unknown) => {
		await clean();
		throw error;
	});
	const baseUrl = `${launched.url}/api`;
	const signIn = async (body: object) => cookieOf(await call(`${baseUrl}/auth/`, { body }));
	return {
		baseUrl,
		provider: readProvider('glewlwyd'),
		async addPerson({ email, password }) {
			const body = { username: email, name: email, email, password, scope: ['g_profile'] };
			const headers = { cookie: await signIn(ADMINISTRATOR) };
			await call(`${baseUrl}/user/`, { body, headers });
		},
		async signIn({ email, password }) {
			return await signIn({ username: email, password });
		},
		async isSignedIn(cookie) {
			const response = await fetch(`${baseUrl}/profile_list`, { headers: { cookie } });
			await response.arrayBuffer();
			if (response.status !== 200 && response.status !== 401) {
				throw new Error(`Glewlwyd answered a session's question with ${response.status}.`);
			}
			return response.status === 200;
		},
		async administrator() {
			const headerValue = await signIn(ADMINISTRATOR);
			return { authentication: 'header', headerName: 'Cookie', headerValue };
		},
		async stop() {
			await stop(launched.child);
			await clean();
		},
	};
}
