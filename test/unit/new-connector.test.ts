/** The scaffold of a new connector: what it refuses, that it compiles and keeps the rules, that it fails closed. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
	cpSync,
	existsSync,
	globSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import type { Connector } from '../../nodes/core/connector';
import {
	Refusal,
	remainingSteps,
	scaffold,
	type Taken,
} from '../../scripts/new-connector/scaffold';

const ROOT = join(__dirname, '../..');
const NOTHING: Taken = { paths: [], keys: [] };
const PATIENCE_MS = 120_000;
/** What the scaffold marks with; put together so that this file does not carry it. */
const MARK = ['DES', 'CRIBE'].join('');

const refusalOf = (key: string, title: string, taken = NOTHING): string => {
	try {
		scaffold(key, title, taken);
	} catch (error) {
		if (error instanceof Refusal) return error.message;
		throw error;
	}
	return '';
};

describe('names', () => {
	test('follow from key and title', () => {
		const { names, files } = scaffold('google_workspace', 'Google Workspace', NOTHING);
		expect(names).toEqual({
			key: 'google_workspace',
			title: 'Google Workspace',
			folder: 'GoogleWorkspace',
			constant: 'googleWorkspace',
			page: 'google-workspace',
			credential: 'googleWorkspaceSessionsApi',
		});
		expect([...files.keys()]).toEqual([
			'nodes/GoogleWorkspace/connector.ts',
			'nodes/GoogleWorkspace/credential.ts',
			'nodes/GoogleWorkspace/replies.ts',
			'nodes/GoogleWorkspace/undescribed.ts',
			'nodes/GoogleWorkspace/GoogleWorkspaceSessions.node.ts',
			'nodes/GoogleWorkspace/googleWorkspace.svg',
			'nodes/GoogleWorkspace/googleWorkspace.dark.svg',
			'credentials/GoogleWorkspaceSessionsApi.credentials.ts',
			'docs/connectors/google-workspace.md',
			'test/simulator/google-workspace.ts',
			'test/contract/benches/google-workspace.ts',
		]);
	});

	test.each(['', 'Acme', 'a-cme', '1acme', 'acme_', '_acme', 'a__b', '../acme', 'a'.repeat(41)])(
		'the key %j is refused',
		(key) => {
			expect(refusalOf(key, 'Acme')).toMatch(/^The key '.*' cannot be used: .*for example 'acme'/);
		},
	);

	test('a key that every object has is refused', () => {
		expect(refusalOf('constructor', 'Acme')).toContain('every JavaScript object has it');
	});

	test.each(['', 'acme', 'Acme  Two', ' Acme', 'Acme!', '1Acme', '../Acme', "Ac'me", 'Äcme'])(
		'the title %j is refused',
		(title) => {
			expect(refusalOf('acme', title)).toMatch(
				/^The title '.*' cannot be used: .*for example "Acme"/,
			);
		},
	);

	test.each(['Acme Sessions', 'Acme Node', 'AcmeSessions', 'Acme Trigger'])(
		'the title %j holds what is added anyway, or what n8n wants in no name',
		(title) => {
			expect(refusalOf('acme', title)).toMatch(
				/cannot end with '\w+': give the vendor's name alone/,
			);
		},
	);

	test.each(['Switch', 'Access', 'Class', 'Path', 'Core'])(
		'the title %j would name a constant that means something else',
		(title) => {
			expect(refusalOf('acme', title)).toMatch(
				/would name a constant '\w+', which means something/,
			);
		},
	);

	test('nothing that exists is overwritten, whatever the letter case', () => {
		expect(refusalOf('okta', 'Other', { paths: [], keys: ['okta'] })).toMatch(
			/^There is a connector with the key 'okta' already/,
		);
		for (const path of [
			'nodes/ACME',
			'credentials/AcmeSessionsApi.credentials.ts',
			'test/simulator/acme.ts',
		]) {
			expect(refusalOf('acme', 'Acme', { paths: [path], keys: [] })).toContain(
				`There is ${path} already`,
			);
		}
	});

	test('what is left to do names the files and the commands', () => {
		const steps = remainingSteps(scaffold('acme', 'Acme', NOTHING));
		for (const part of ['nodes/Acme/connector.ts', 'test/simulator/acme.ts', 'npm run generate']) {
			expect(steps).toContain(part);
		}
	});
});

test('nothing in the repository is left as the scaffold wrote it', () => {
	const files = globSync(['nodes/**/*.ts', 'docs/**/*.md', 'test/**/*.ts'], { cwd: ROOT });
	const left = files.filter((file) => readFileSync(join(ROOT, file), 'utf8').includes(MARK));
	expect(left).toEqual([]);
});

describe('in a copy of the repository', () => {
	let copy = '';
	let written: string[] = [];
	const run = (...args: string[]) =>
		spawnSync(
			process.execPath,
			['--import', 'tsx', join(ROOT, 'scripts/new-connector.mts'), ...args, '--into', copy],
			{ cwd: ROOT, encoding: 'utf8' },
		);

	beforeAll(() => {
		copy = mkdtempSync(join(tmpdir(), 'new-connector-'));
		for (const folder of [
			'nodes',
			'credentials',
			'test/simulator',
			'test/support',
			'test/contract',
		]) {
			mkdirSync(join(copy, folder), { recursive: true });
			cpSync(join(ROOT, folder), join(copy, folder), { recursive: true });
		}
		for (const file of ['tsconfig.json', '.dependency-cruiser.cjs']) {
			cpSync(join(ROOT, file), join(copy, file));
		}
		symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
		const { status, stdout, stderr } = run('acme', 'Acme');
		expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
		written = [...stdout.matchAll(/^ {2}\+ (.+)$/gm)].map(([, file = '']) => file);
	}, PATIENCE_MS);
	afterAll(() => {
		rmSync(copy, { recursive: true, force: true });
	});

	test('writes every file of the scaffold, and two different icons', () => {
		expect(written).toEqual([...scaffold('acme', 'Acme', NOTHING).files.keys()]);
		expect(written.filter((file) => !existsSync(join(copy, file)))).toEqual([]);
		const icon = (file: string) => readFileSync(join(copy, 'nodes/Acme', file), 'utf8');
		expect(icon('acme.svg')).not.toBe(icon('acme.dark.svg'));
	});

	test('refuses in a sentence, without writing anything', () => {
		const again = run('acme', 'Acme');
		expect(again.status).toBe(1);
		expect(again.stderr).toMatch(/^There is a connector with the key 'acme' already: [^\n]+\n$/);
		const known = run('acme_two', 'Okta');
		expect(known.stderr).toMatch(/^There is nodes\/Okta already: [^\n]+\n$/);
		const unclear = run('acme');
		expect(unclear.status).toBe(2);
		expect(unclear.stderr).toContain('npm run new:connector -- <key> "<Title>"');
	});

	test(
		'compiles under the strict settings of the project',
		() => {
			const config = ts.readConfigFile(join(copy, 'tsconfig.json'), (file) =>
				ts.sys.readFile(file),
			);
			const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, copy);
			expect(options.strict).toBe(true);
			const sources = written
				.filter((file) => file.endsWith('.ts'))
				.map((file) => join(copy, file));
			const program = ts.createProgram(sources, {
				...options,
				typeRoots: [join(ROOT, 'node_modules/@types')],
			});
			const problems = sources
				.map((file) => program.getSourceFile(file))
				.flatMap((source) => [
					...program.getSyntacticDiagnostics(source),
					...program.getSemanticDiagnostics(source),
				]);
			expect(
				problems.map(({ file, messageText }) => [
					file?.fileName,
					ts.flattenDiagnosticMessageText(messageText, '\n'),
				]),
			).toEqual([]);
		},
		PATIENCE_MS,
	);

	test(
		'keeps the rules of the architecture',
		() => {
			const cruiser = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
			const sources = written.filter((file) => file.endsWith('.ts'));
			// The copy's node_modules is a link: its real path is outside of the copy.
			const report = execFileSync(
				process.execPath,
				[cruiser, ...sources, '--preserve-symlinks', '--output-type', 'err'],
				{ cwd: copy, encoding: 'utf8' },
			);
			expect(report).toContain('no dependency violations found');
		},
		PATIENCE_MS,
	);

	test('fails closed: nothing is looked up, revoked or found ready before it is described', async () => {
		const module: unknown = await import(join(copy, 'nodes/Acme/connector.ts'));
		const { acme } = module as { acme: Connector };
		const data = { url: 'https://api.example.com/', accessToken: 'a-token' };
		const parsed = acme.credential.schema.safeParse(data);
		expect(parsed).toMatchObject({ success: true, data: { url: 'https://api.example.com' } });
		const at = { credential: parsed.data, scopes: null, options: {} };
		const parts: Record<string, () => unknown> = {
			access: () => acme.access(parsed.data),
			lookUp: () => acme.lookUp('jane@example.com', { ...at, allowShortNames: false }).next(),
			revocation: () => acme.revocation({ id: '1' }, at),
			checkSetup: () => acme.checkSetup(at).next(),
		};
		for (const [part, ask] of Object.entries(parts)) {
			expect(ask).toThrow(`Acme: '${part}' is not described yet`);
		}
		expect(acme.operations).not.toContain('revokeSession');
		expect(acme.survives({}, parsed.data)).not.toEqual([]);
	});

	test.each([
		['url', { url: 'http://api.example.com', accessToken: 'a' }],
		['accessToken', { url: 'https://api.example.com', accessToken: ' ' }],
	])('its credential names the field %s when it does not hold', async (field, data) => {
		const module: unknown = await import(join(copy, 'nodes/Acme/connector.ts'));
		const { acme } = module as { acme: Connector };
		const { error } = acme.credential.schema.safeParse(data);
		expect(error?.issues[0]?.path).toEqual([field]);
	});
});
