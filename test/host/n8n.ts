/**
 * A real n8n for the demo and the host tests: its own user folder, SQLite, free ports on loopback, the
 * packed package installed. Nothing of the person's own n8n is touched: the environment is made new,
 * so that no N8N_ or DB_ variable of the shell leads to another database.
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

/** A running n8n. */
export interface N8nHost {
	readonly url: string;
	readonly client: N8nClient;
	readonly owner: Owner;
	readonly pid: number;
	readonly logFile: string;
	readonly userFolder: string;
	/** Ends n8n and removes its user folder. */
	stop(): Promise<void>;
}

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

function environment(node: string, userFolder: string, port: number, brokerPort: number) {
	const inherited = Object.fromEntries(
		INHERITED.flatMap((name) => {
			const value = process.env[name];
			return value === undefined ? [] : [[name, value]];
		}),
	);
	return {
		...inherited,
		PATH: `${dirname(node)}:${process.env.PATH ?? ''}`,
		N8N_USER_FOLDER: userFolder,
		N8N_LISTEN_ADDRESS: '127.0.0.1',
		N8N_PORT: String(port),
		N8N_EDITOR_BASE_URL: `http://127.0.0.1:${String(port)}`,
		WEBHOOK_URL: `http://127.0.0.1:${String(port)}`,
		// As behind one proxy: a test says by X-Forwarded-For where it calls from.
		N8N_PROXY_HOPS: '1',
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
	readonly url: string;
}

/** Starts n8n on free ports and waits until it is ready. */
async function launch(n8n: InstalledN8n, userFolder: string, logFile: string): Promise<Launch> {
	const [port, brokerPort] = await freePorts();
	const log = openSync(logFile, 'a');
	const guard = join(__dirname, 'end-with-parent.cjs');
	const child = start(n8n.node, ['--require', guard, n8n.entry, 'start'], {
		cwd: userFolder,
		env: environment(n8n.node, userFolder, port, brokerPort),
		stdio: ['ignore', log, log, 'ipc'],
	});
	closeSync(log);
	// The channel only tells n8n that we are alive: it must not keep us alive.
	child.channel?.unref();
	const url = `http://127.0.0.1:${String(port)}`;
	try {
		await untilReady(url, child, logFile);
	} catch (error) {
		await stop(child);
		throw error;
	}
	return { child, url };
}

/** Between looking for a free port and n8n's taking it, somebody else may: then once more. */
async function launchWithRetries(n8n: InstalledN8n, userFolder: string, logFile: string) {
	for (let attempt = 1; ; attempt += 1) {
		try {
			return await launch(n8n, userFolder, logFile);
		} catch (error) {
			const portTaken = error instanceof Error && /EADDRINUSE|already in use/.test(error.message);
			if (!portTaken || attempt === PORT_ATTEMPTS) throw error;
		}
	}
}

/** A password that n8n accepts: a capital letter, a digit, at least eight characters. */
const newPassword = () => `Demo1-${randomBytes(9).toString('base64url')}`;

/** Starts a fresh n8n with the package in it and an owner who is signed in. */
export async function startN8n(
	n8n: InstalledN8n,
	tarball: Tarball,
	current: Step,
): Promise<N8nHost> {
	const userFolder = temporaryFolder('n8n');
	const logFile = join(userFolder, 'n8n.log');
	let child: ChildProcess | undefined;
	const end = async () => {
		if (child !== undefined) await stop(child);
		await rm(userFolder, { recursive: true, force: true, maxRetries: 3 });
	};
	try {
		mkdirSync(join(userFolder, '.n8n'), { recursive: true });
		current.now('installing the package into it');
		await installIntoN8n(tarball, userFolder);
		current.now('waiting until it is ready (it makes its database first)');
		const launched = await launchWithRetries(n8n, userFolder, logFile);
		child = launched.child;
		current.now('creating its owner');
		const client = new N8nClient(launched.url);
		const owner = { email: 'owner@demo.example', password: newPassword() };
		await client.createOwner(owner);
		current.result(launched.url);
		const pid = child.pid ?? 0;
		return { url: launched.url, client, owner, pid, logFile, userFolder, stop: end };
	} catch (error) {
		await end();
		throw error;
	}
}
