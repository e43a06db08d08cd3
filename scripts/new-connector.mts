/**
 * `npm run new:connector -- <key> "<Title>" [--into <folder>]`: writes the files of a new connector.
 * It compiles at once and refuses to work until it is described; see CONTRIBUTING.md.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { Refusal, remainingSteps, scaffold, type Taken } from './new-connector/scaffold';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));

const USAGE = `npm run new:connector -- <key> "<Title>" [--into <folder>]

  <key>     the connector's key in targets and results, for example acme or google_workspace
  <Title>   the vendor's name, for example "Acme" or "Google Workspace"
  --into    the repository to write into; this one when it is left out`;

/** A command line that cannot be read. */
class UsageError extends Error {
	override readonly name = 'UsageError';
}

/** Looks up what a new connector could collide with. */
function takenIn(root: string): Taken {
	const patterns = [
		'nodes/*',
		'credentials/*',
		'docs/connectors/*',
		'test/simulator/*',
		'test/contract/benches/*',
	];
	const keyOf = (file: string): string[] => {
		const key = /^\tkey: '(\w+)'/m.exec(readFileSync(join(root, file), 'utf8'))?.[1];
		return key === undefined ? [] : [key];
	};
	return {
		paths: globSync(patterns, { cwd: root }).map((path) => path.replaceAll('\\', '/')),
		keys: globSync('nodes/*/connector.ts', { cwd: root }).flatMap(keyOf),
	};
}

function readArguments(): { key: string; title: string; root: string } {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		strict: false,
		options: { into: { type: 'string' } },
	});
	const { into = repository, ...unknown } = values;
	const [key, title, ...rest] = positionals;
	const isComplete = key !== undefined && title !== undefined && typeof into === 'string';
	if (!isComplete || rest.length > 0 || Object.keys(unknown).length > 0)
		throw new UsageError(USAGE);
	return { key, title, root: resolve(into) };
}

async function main(): Promise<void> {
	const { key, title, root } = readArguments();
	const made = scaffold(key, title, takenIn(root));
	for (const [file, text] of made.files) {
		const filepath = join(repository, file);
		const config = await resolveConfig(filepath);
		const isDrawing = file.endsWith('.svg');
		const written = isDrawing ? text : await format(text, { ...config, filepath });
		mkdirSync(dirname(join(root, file)), { recursive: true });
		// Never over what somebody wrote meanwhile.
		writeFileSync(join(root, file), written, { flag: 'wx' });
		console.log(`  + ${file}`);
	}
	console.log(`\n${remainingSteps(made)}`);
}

await main().catch((error: unknown) => {
	const isExpected = error instanceof Refusal || error instanceof UsageError;
	console.error(isExpected ? error.message : error);
	process.exitCode = error instanceof UsageError ? 2 : 1;
});
