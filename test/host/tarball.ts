/** The package as it would be published, and its installation as n8n's users do it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { repositoryRoot } from './install';
import { run } from './processes';

const NPM_TIMEOUT_MS = 120_000;
const packed = z.object({
	name: z.string(),
	version: z.string(),
	filename: z.string(),
	size: z.number(),
	files: z.array(z.object({ path: z.string() })),
});

export interface Tarball {
	readonly name: string;
	readonly version: string;
	readonly path: string;
	readonly files: readonly string[];
	readonly bytes: number;
}

/** npm prints an array, or since npm 12 an object by package name. */
const packOutput = z.union([
	z.array(packed),
	z.record(packed).transform((byName) => Object.values(byName)),
]);

/** Packs the built repository into `folder`, exactly as it would be published. */
export async function pack(folder: string): Promise<Tarball> {
	if (!existsSync(join(repositoryRoot, 'dist'))) {
		throw new Error('There is no dist folder to pack: run "npm run build" first.');
	}
	const answer = await run(
		'npm',
		['pack', '--json', '--ignore-scripts', '--loglevel=error', `--pack-destination=${folder}`],
		{ cwd: repositoryRoot, timeoutMs: NPM_TIMEOUT_MS },
	);
	const [tarball] = packOutput.parse(JSON.parse(answer));
	if (tarball === undefined) throw new Error('npm pack made no tarball.');
	return {
		name: tarball.name,
		version: tarball.version,
		path: join(folder, tarball.filename),
		files: tarball.files.map(({ path }) => path),
		bytes: tarball.size,
	};
}

/**
 * Installs a tarball into n8n's nodes folder by npm, as the README tells people without access to the
 * Community nodes page. Peer dependencies stay out (n8n brings its own n8n-workflow, and a second copy
 * would break `instanceof`), and n8n's own installer leaves them out too.
 */
export async function installIntoN8n(tarball: Tarball, userFolder: string): Promise<void> {
	const nodes = join(userFolder, '.n8n', 'nodes');
	mkdirSync(nodes, { recursive: true });
	writeFileSync(join(nodes, 'package.json'), '{ "name": "installed-nodes", "private": true }\n');
	await run(
		'npm',
		[
			...['install', '--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund'],
			...['--loglevel=error', tarball.path],
		],
		{ cwd: nodes, timeoutMs: NPM_TIMEOUT_MS },
	);
}
