/** PostgreSQL for n8n: a fresh database, dropped again at the end. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledN8n } from '../install';
import { findServer, requireFromN8n, type Service } from './service';

const CONNECT_TIMEOUT_MS = 5_000;

/** What we use of the driver, https://node-postgres.com/apis/client */
interface PostgresDriver {
	Client: new (options: { connectionString: string; connectionTimeoutMillis: number }) => {
		connect(): Promise<void>;
		query(text: string): Promise<{ rows: readonly Readonly<Record<string, unknown>>[] }>;
		end(): Promise<void>;
	};
}

/** Debian keeps the server's programs, one folder for each version, outside of the path. */
function programs(): string | undefined {
	const debian = '/usr/lib/postgresql';
	const versions = existsSync(debian)
		? readdirSync(debian).map(Number).filter(Number.isInteger)
		: [];
	const newest = versions
		.sort((one, other) => other - one)
		.map((one) => join(debian, `${one}/bin`));
	const path = (process.env.PATH ?? '').split(':');
	return [...newest, ...path].find((folder) => existsSync(join(folder, 'initdb')));
}

/** Makes a database for n8n, in a PostgreSQL that runs or in one of our own. */
export async function openPostgres(n8n: InstalledN8n): Promise<Service> {
	const { Client } = requireFromN8n(n8n, 'pg') as PostgresDriver;
	const query = async (url: URL, text: string) => {
		const client = new Client({
			connectionString: url.href,
			connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
		});
		await client.connect();
		try {
			return (await client.query(text)).rows;
		} finally {
			await client.end();
		}
	};
	const { url, stop } = await findServer({
		name: 'PostgreSQL',
		variable: 'SESSION_REVOCATION_POSTGRES_URL',
		usualUrl: 'postgres://postgres@127.0.0.1:5432/postgres',
		debianPackage: 'postgresql',
		check: async (server) => {
			const [role] = await query(
				server,
				'select rolsuper or rolcreatedb as allowed from pg_roles where rolname = current_user',
			);
			if (role?.allowed !== true) throw new Error('this user may not create databases');
		},
		own: () => {
			const folder = programs();
			if (folder === undefined) return undefined;
			return {
				// initdb and the server refuse to run as root; Debian's package makes this account.
				user: 'postgres',
				prepare: (home) => [
					join(folder, 'initdb'),
					...['--pgdata', join(home, 'data'), '--username', 'postgres'],
					...['--auth', 'trust', '--encoding', 'UTF8', '--no-sync'],
				],
				command: (home, port) => [
					join(folder, 'postgres'),
					...['-D', join(home, 'data'), '-h', '127.0.0.1', '-p', String(port), '-k', home],
					...['-c', 'fsync=off'],
				],
			};
		},
	});
	const database = `session_revocation_${randomBytes(6).toString('hex')}`;
	await query(url, `create database ${database}`);
	return {
		where: `PostgreSQL at ${url.host}`,
		variables: {
			DB_TYPE: 'postgresdb',
			DB_POSTGRESDB_HOST: url.hostname,
			DB_POSTGRESDB_PORT: url.port === '' ? '5432' : url.port,
			DB_POSTGRESDB_USER: decodeURIComponent(url.username),
			DB_POSTGRESDB_PASSWORD: decodeURIComponent(url.password),
			DB_POSTGRESDB_DATABASE: database,
		},
		close: async () => {
			await query(url, `drop database if exists ${database} with (force)`);
			await stop();
		},
	};
}
