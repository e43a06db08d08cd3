/**
 * A real n8n for the demo and the host tests: its own user folder, SQLite where nobody says otherwise,
 * free ports on loopback, the packed package installed. Nothing of the person's own n8n is touched:
 * the environment is made new, so that no N8N_ or DB_ variable of the shell leads to another database.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import { N8nClient, type Owner } from './client';
import type { InstalledN8n } from './install';
import { start, stop, tail } from './processes';
import type { Step } from './progress';
import { installIntoN8n, type Tarball } from './tarball';

const READY_TIMEOUT_MS = 240_000;
const POLL_MS = 200;
const PORT_ATTEMPTS = 3;

/** The command that a process of n8n runs: `start` is the whole of it, the others are of queue mode. */
export type Role = 'start' | 'worker' | 'webhook';

/** One running process of n8n. */
export interface N8nProcess {
	readonly role: Role;
	readonly url: string;
	readonly pid: number;
	readonly logFile: string;
	readonly userFolder: string;
	/** Ends it and starts it again in the same folder, at the same address. */
	restart(): Promise<void>;
	/** Ends it and removes its user folder. */
	stop(): Promise<void>;
}

/** A running n8n: one process, or with its workers several. */
export interface N8nHost extends N8nProcess {
	readonly client: N8nClient;
	readonly owner: Owner;
	readonly processes: readonly Pick<N8nProcess, 'role' | 'url' | 'logFile'>[];
}

/** Starts an n8n; `current` is the step in which a person sees it. */
export type StartN8n = (n8n: InstalledN8n, tarball: Tarball, current: Step) => Promise<N8nHost>;

/** A folder of our own in the system's temporary folder. */
export function temporaryFolder(purpose: string): string {
	return mkdtempSync(join(tmpdir(), `session-revocation-${purpose}-`));
}

/** Two ports that nobody listens on at this moment. */
export async function freePorts(): Promise<[number, number]> {
	const listen = async () => {
		const server = createServer();
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen(0, '127.0.0.1', resolve);
		});
		return server;
	};
	// Both are held until both are known, so that they differ.
	const servers = [await listen(), await listen()] as const;
	const port = (server: (typeof servers)[number]) => {
		const address = server.address();
		if (address === null || typeof address === 'string') throw new Error('No free TCP port.');
		return address.port;
	};
	const ports: [number, number] = [port(servers[0]), port(servers[1])];
	await Promise.all(
		servers.map(async (server) => {
			await new Promise((resolve) => server.close(resolve));
		}),
	);
	return ports;
}

/** Variables of the shell that n8n may see. */
const INHERITED = ['HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'TZ', 'USER'];

/** What stays the same when a process of n8n is started again. */
interface Place {
	readonly role: Role;
	readonly userFolder: string;
	readonly logFile: string;
	/** Variables beside those that every process gets. */
	readonly variables: Readonly<Record<string, string>>;
}

function environment(node: string, place: Place, port: number, brokerPort: number) {
	const inherited = Object.fromEntries(
		INHERITED.flatMap((name) => {
			const value = process.env[name];
			return value === undefined ? [] : [[name, value]];
		}),
	);
	return {
		...inherited,
		PATH: `${dirname(node)}:${process.env.PATH ?? ''}`,
		N8N_USER_FOLDER: place.userFolder,
		N8N_LISTEN_ADDRESS: '127.0.0.1',
		N8N_PORT: String(port),
		N8N_EDITOR_BASE_URL: `http://127.0.0.1:${String(port)}`,
		WEBHOOK_URL: `http://127.0.0.1:${String(port)}`,
		// As behind one proxy: a test says by X-Forwarded-For where it calls from.
		N8N_PROXY_HOPS: '1',
		// A worker serves nothing but its health.
		QUEUE_HEALTH_CHECK_ACTIVE: 'true',
		QUEUE_HEALTH_CHECK_PORT: String(port),
		N8N_WORKER_SERVER_ADDRESS: '127.0.0.1',
		N8N_RUNNERS_BROKER_LISTEN_ADDRESS: '127.0.0.1',
		N8N_RUNNERS_BROKER_PORT: String(brokerPort),
		N8N_UNVERIFIED_PACKAGES_ENABLED: 'true',
		// Plain http on loopback: a cookie for https only would never come back.
		N8N_SECURE_COOKIE: 'false',
		N8N_DIAGNOSTICS_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
		N8N_TEMPLATES_ENABLED: 'false',
		N8N_PERSONALIZATION_ENABLED: 'false',
		N8N_HIRING_BANNER_ENABLED: 'false',
		EXTERNAL_FRONTEND_HOOKS_URLS: '',
		N8N_LOG_LEVEL: 'info',
		...place.variables,
	};
}

const logTail = (logFile: string) =>
	`The end of n8n's log:\n${tail(readFileSync(logFile, 'utf8'))}`;

/** Waits until n8n is ready to work; tells the end of its log when it is not. */
async function untilReady(url: string, child: ChildProcess, logFile: string): Promise<void> {
	const deadline = Date.now() + READY_TIMEOUT_MS;
	while (Date.now() < deadline) {
		if (child.exitCode !== null || child.signalCode !== null) {
			throw new Error(`n8n ended before it was ready. ${logTail(logFile)}`);
		}
		const response = await fetch(`${url}/healthz/readiness`, {
			signal: AbortSignal.timeout(5000),
		}).catch(() => undefined);
		await response?.arrayBuffer();
		if (response?.status === 200) return;
		await sleep(POLL_MS);
	}
	const seconds = String(READY_TIMEOUT_MS / 1000);
	throw new Error(`n8n was not ready within ${seconds} s. ${logTail(logFile)}`);
}

interface Launch {
	readonly child: ChildProcess;
	readonly port: number;
}

const urlOf = (port: number) => `http://127.0.0.1:${String(port)}`;

/** Starts a process of n8n on a port, or on a free one, and waits until it is ready. */
async function launch(n8n: InstalledN8n, place: Place, wantedPort?: number): Promise<Launch> {
	const [freePort, brokerPort] = await freePorts();
	const port = wantedPort ?? freePort;
	const log = openSync(place.logFile, 'a');
	const guard = join(__dirname, 'end-with-parent.cjs');
	const child = start(n8n.node, ['--require', guard, n8n.entry, place.role], {
		cwd: place.userFolder,
		env: environment(n8n.node, place, port, brokerPort),
		stdio: ['ignore', log, log, 'ipc'],
	});
	closeSync(log);
	// The channel only tells n8n that we are alive: it must not keep us alive.
	child.channel?.unref();
	try {
		await untilReady(urlOf(port), child, place.logFile);
	} catch (error) {
		await stop(child);
		throw error;
	}
	return { child, port };
}

/** Between looking for a free port and n8n's taking it, somebody else may: then once more. */
async function launchWithRetries(n8n: InstalledN8n, place: Place): Promise<Launch> {
	for (let attempt = 1; ; attempt += 1) {
		try {
			return await launch(n8n, place);
		} catch (error) {
			const portTaken = error instanceof Error && /EADDRINUSE|already in use/.test(error.message);
			if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
		}
	}
}

/** Starts one process of n8n with the package in it, in a fresh user folder. */
export async function startProcess(
	n8n: InstalledN8n,
	tarball: Tarball,
	role: Role,
	variables: Readonly<Record<string, string>> = {},
): Promise<N8nProcess> {
	const userFolder = temporaryFolder('n8n');
	const place = { role, userFolder, logFile: join(userFolder, 'n8n.log'), variables };
	const clean = async () => {
		await rm(userFolder, { recursive: true, force: true, maxRetries: 3 });
	};
	try {
		mkdirSync(join(userFolder, '.n8n'), { recursive: true });
		await installIntoN8n(tarball, userFolder);
		const launched = await launchWithRetries(n8n, place);
		const { port } = launched;
		let { child } = launched;
		return {
			...place,
			url: urlOf(port),
			get pid() {
				return child.pid ?? 0;
			},
			restart: async () => {
				await stop(child);
				({ child } = await launch(n8n, place, port));
			},
			stop: async () => {
				await stop(child);
				await clean();
			},
		};
	} catch (error) {
		await clean();
		throw error;
	}
}

/** A password that n8n accepts: a capital letter, a digit, at least eight characters. */
const newPassword = () => `Demo1-${randomBytes(9).toString('base64url')}`;

/** Makes the owner of a fresh n8n, who is signed in from then on. */
export async function createOwner({ url }: N8nProcess): Promise<Pick<N8nHost, 'client' | 'owner'>> {
	const client = new N8nClient(url);
	const owner = { email: 'owner@demo.example', password: newPassword() };
	await client.createOwner(owner);
	return { client, owner };
}

/** Starts a fresh n8n with the package in it and an owner who is signed in. */
export const startN8n: StartN8n = async (n8n, tarball, current) => {
	current.now('waiting until it is ready (it makes its database first)');
	const main = await startProcess(n8n, tarball, 'start');
	try {
		current.now('creating its owner');
		const owned = await createOwner(main);
		current.result(main.url);
		return Object.assign(main, owned, { processes: [main] });
	} catch (error) {
		await main.stop();
		throw error;
	}
};
