/** Redis for n8n's queue: keys of our own, removed again at the end. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledN8n } from '../install';
import { findServer, requireFromN8n, type Service } from './service';

const CONNECT_TIMEOUT_MS = 5_000;
const SCAN_COUNT = 1000;

/** What we use of the driver, https://redis.github.io/ioredis/ */
interface RedisClient {
	connect(): Promise<void>;
	ping(): Promise<string>;
	scan(cursor: string, ...options: readonly unknown[]): Promise<[string, string[]]>;
	unlink(...keys: readonly string[]): Promise<number>;
	on(event: 'error', listener: () => void): void;
	disconnect(): void;
}
type RedisDriver = new (url: string, options: object) => RedisClient;

/** Gives n8n a prefix for its keys, in a Redis that runs or in one of our own. */
export async function openRedis(n8n: InstalledN8n): Promise<Service> {
	const Redis = requireFromN8n(n8n, 'ioredis') as RedisDriver;
	const connected = async <T>(url: URL, work: (client: RedisClient) => Promise<T>) => {
		const client = new Redis(url.href, {
			lazyConnect: true,
			connectTimeout: CONNECT_TIMEOUT_MS,
			maxRetriesPerRequest: 0,
			retryStrategy: () => null,
		});
		// What went wrong is thrown by the call; without a listener it would be printed as well.
		client.on('error', () => undefined);
		try {
			await client.connect();
			return await work(client);
		} finally {
			client.disconnect();
		}
	};
	const { url, stop } = await findServer({
		name: 'Redis',
		variable: 'SESSION_REVOCATION_REDIS_URL',
		usualUrl: 'redis://127.0.0.1:6379',
		debianPackage: 'redis-server',
		check: async (server) => {
			await connected(server, async (client) => await client.ping());
		},
		own: () => {
			const path = (process.env.PATH ?? '').split(':');
			if (!path.some((folder) => existsSync(join(folder, 'redis-server')))) return undefined;
			return {
				command: (home, port) => [
					'redis-server',
					...['--bind', '127.0.0.1', '--port', String(port), '--dir', home],
					...['--save', '', '--appendonly', 'no'],
				],
			};
		},
	});
	const prefix = `session-revocation-${randomBytes(6).toString('hex')}`;
	const removeKeys = async (client: RedisClient) => {
		let cursor = '0';
		do {
			const [next, keys] = await client.scan(cursor, 'MATCH', `*${prefix}*`, 'COUNT', SCAN_COUNT);
			if (keys.length > 0) await client.unlink(...keys);
			cursor = next;
		} while (cursor !== '0');
	};
	return {
		where: `Redis at ${url.host}`,
		variables: {
			QUEUE_BULL_REDIS_HOST: url.hostname,
			QUEUE_BULL_REDIS_PORT: url.port === '' ? '6379' : url.port,
			QUEUE_BULL_REDIS_USERNAME: decodeURIComponent(url.username),
			QUEUE_BULL_REDIS_PASSWORD: decodeURIComponent(url.password),
			QUEUE_BULL_REDIS_DB: url.pathname.length > 1 ? url.pathname.slice(1) : '0',
			QUEUE_BULL_PREFIX: prefix,
			N8N_REDIS_KEY_PREFIX: prefix,
		},
		close: async () => {
			await connected(url, removeKeys);
			await stop();
		},
	};
}
