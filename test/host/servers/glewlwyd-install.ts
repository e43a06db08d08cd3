/**
 * The files of Debian's package glewlwyd. They are unpacked into the cache folder, not installed: the
 * package's set-up scripts would start a service for the whole machine, on a fixed port.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../install';
import { CommandError, run } from '../processes';

const APT_TIMEOUT_MS = 5 * 60_000;
const CURE =
	'On Debian or Ubuntu run "apt-get update" as root and try again, or install the package glewlwyd.';

/** Where the files of the package are. */
export interface GlewlwydFiles {
	readonly binary: string;
	/** The folder of its modules: user, client, scheme, plugin. */
	readonly modules: string;
	/** The SQL that makes a fresh SQLite database. */
	readonly schema: string;
	/** Folders with the shared libraries that the machine itself need not have. */
	readonly libraries: readonly string[];
}

/** The package's files below a folder: `/` where the package is installed. */
function filesBelow(root: string): GlewlwydFiles | undefined {
	const binary = join(root, 'usr/bin/glewlwyd');
	const schema = join(root, 'usr/share/dbconfig-common/data/glewlwyd/install/sqlite3');
	if (!existsSync(binary) || !existsSync(schema)) return undefined;
	const usrLib = join(root, 'usr/lib');
	const libraries = readdirSync(usrLib)
		.filter((name) => name.includes('-linux-gnu'))
		.map((name) => join(usrLib, name));
	return {
		binary,
		schema,
		modules: join(usrLib, 'glewlwyd'),
		libraries: root === '/' ? [] : libraries,
	};
}

/** What apt would install for glewlwyd on this machine: the package and what it lacks of its needs. */
async function missingPackages(): Promise<string[]> {
	const plan = await run(
		'apt-get',
		['install', '--simulate', '--no-install-recommends', 'glewlwyd'],
		{ timeoutMs: APT_TIMEOUT_MS },
	);
	return [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name ?? '');
}

/** Downloads the packages and unpacks them side by side. */
async function unpack(folder: string): Promise<void> {
	const packages = await missingPackages().catch(async (error: unknown) => {
		// A machine that has never asked for the lists of packages knows none.
		if (!(error instanceof CommandError) || process.getuid?.() !== 0) throw error;
		await run('apt-get', ['update'], { timeoutMs: APT_TIMEOUT_MS });
		return await missingPackages();
	});
	const archives = join(folder, 'archives');
	await mkdir(archives);
	await run('apt-get', ['download', ...packages], { cwd: archives, timeoutMs: APT_TIMEOUT_MS });
	for (const archive of readdirSync(archives)) {
		const args = ['--extract', join(archives, archive), folder];
		await run('dpkg-deb', args, { timeoutMs: APT_TIMEOUT_MS });
	}
	await rm(archives, { recursive: true });
}

/**
 * Gives glewlwyd's files: those of the machine, those of the cache folder, or downloads them.
 *
 * @throws Error that says what to do, where there is no apt or it has no such package
 */
export async function glewlwydFiles(): Promise<GlewlwydFiles> {
	const target = join(cacheFolder(), `glewlwyd-${process.arch}`);
	const present = filesBelow('/') ?? filesBelow(target);
	if (present !== undefined) return present;
	await mkdir(dirname(target), { recursive: true });
	const part = await mkdtemp(`${target}.part-`);
	try {
		await unpack(part);
		await rename(part, target).catch((error: unknown) => {
			// Somebody else was faster: theirs is as good as ours.
			if (filesBelow(target) === undefined) throw error;
		});
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new Error(`Debian's package glewlwyd could not be fetched. ${CURE}\n${reason}`);
	} finally {
		await rm(part, { recursive: true, force: true });
	}
	const files = filesBelow(target);
	if (files === undefined) throw new Error(`The package glewlwyd has other files now: ${target}`);
	return files;
}
