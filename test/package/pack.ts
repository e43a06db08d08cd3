import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** Where the tests find what ships, unpacked below the repository so that it finds one n8n-workflow. */
export const UNPACKED = join(ROOT, '.cache/packed/package');

/** Packs what `npm run build` built, as `npm publish` would, and unpacks it again. */
export default function pack(): void {
	if (!existsSync(join(ROOT, 'dist'))) throw new Error('Nothing is built yet: run "npm run build"');
	const folder = join(ROOT, '.cache/packed');
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	const [tarball] = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
		cwd: ROOT,
		encoding: 'utf8',
	})
		.trim()
		.split('\n')
		.slice(-1);
	if (tarball === undefined) throw new Error('npm pack named no file');
	execFileSync('tar', ['-xzf', join(folder, tarball), '-C', folder]);
}
