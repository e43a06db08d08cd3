/** What the documents point at exists: files, headings, scripts, and the pages that nodes and outcomes link to. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { connectors } from '../../nodes/registry';
import {
	documentationUrl,
	DOCS_URL,
	EVERYWHERE_URL,
	explained,
} from '../../nodes/core/documentation';
import { isSuccess, type Outcome } from '../../nodes/core/outcome';

const ROOT = join(__dirname, '../..');
const REPOSITORY = DOCS_URL.replace(/docs$/, '');
const LONGEST_LINE = 100;

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT })
	.map((file) => file.replaceAll('\\', '/'))
	.sort();

/** The text without what is code: no link and no heading is meant there. */
const prose = (text: string): string => text.replace(/^( *)```[^]*?^\1```$/gm, '');

/** How GitHub names a heading: lower case, no markup, no punctuation, blanks as hyphens. */
function anchorsOf(text: string): Set<string> {
	const anchors = new Set<string>();
	for (const [, heading = ''] of prose(text).matchAll(/^#{1,6} +(.+?)#*$/gm)) {
		const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
		const name = plain
			.trim()
			.toLowerCase()
			.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
			.replaceAll(' ', '-');
		let unique = name;
		for (let count = 1; anchors.has(unique); count++) unique = `${name}-${count}`;
		anchors.add(unique);
	}
	return anchors;
}

/** Where the links of a document lead to, as written. */
const linksOf = (text: string): string[] =>
	[
		...prose(text)
			.replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ' '))
			.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)|^ {0,3}\[[^\]]+\]:\s+(\S+)/gm),
	].map(([, inline, reference]) => inline ?? reference ?? '');

/** Undefined when the target exists, else what is wrong with it. */
function problemWith(file: string, link: string): string | undefined {
	const inside = link.startsWith(REPOSITORY) ? link.slice(REPOSITORY.length) : undefined;
	if (inside === undefined && /^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined;
	const [path = '', anchor] = (inside ?? link).split('#');
	const from = inside === undefined ? dirname(join(ROOT, file)) : ROOT;
	const target = path === '' ? join(ROOT, file) : join(from, decodeURI(path));
	if (relative(ROOT, target).startsWith('..')) return 'leads out of the repository';
	if (!existsSync(target)) return 'leads nowhere';
	if (anchor === undefined) return undefined;
	if (!target.endsWith('.md')) return 'has an anchor, but is no document';
	const anchors = anchorsOf(readFileSync(target, 'utf8'));
	return anchors.has(decodeURI(anchor)) ? undefined : 'names no heading of it';
}

describe.each(documents)('%s', (file) => {
	const text = read(file);

	test('every link leads somewhere', () => {
		const broken = linksOf(text).flatMap((link) => {
			const problem = problemWith(file, link);
			return problem === undefined ? [] : [`${link}: ${problem}`];
		});
		expect(broken).toEqual([]);
	});

	test('every file that it names exists', () => {
		const named = [
			...prose(text).matchAll(/`((?:nodes|test|scripts|docs|workflows|\.ci)\/[^`\s]*)`/g),
		];
		const missing = named
			.map(([, path = '']) => path)
			.filter((path) => !/[<*]/.test(path) && !existsSync(join(ROOT, path)));
		expect(missing).toEqual([]);
	});

	test('every npm script that it names exists', () => {
		const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
		const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
		expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
	});

	test('its lines are short enough to be read side by side', () => {
		const long = text
			.split('\n')
			// A table row and an address cannot be broken; changesets writes the change log.
			.filter(() => file !== 'CHANGELOG.md')
			.filter((line) => !line.trimStart().startsWith('|') && !/https?:\/\/\S{40}/.test(line))
			.filter((line) => line.length > LONGEST_LINE);
		expect(long).toEqual([]);
	});
});

test('every connector has the page that its node links to', () => {
	for (const connector of connectors)
		expect(problemWith('', documentationUrl(connector))).toBe(undefined);
	expect(problemWith('', EVERYWHERE_URL)).toBe(undefined);
});

test('every outcome, cause, state and verification has its place in docs/outcomes.md', () => {
	const source = read('nodes/core/outcome.ts');
	const outcomes = [...source.matchAll(/^\t(\w+): '(?:OK|WAIT|SKIP|NF|BAD)',?$/gm)].map(
		([, name]) => name,
	);
	const wordsOf = (type: string): string[] => {
		const [, union = ''] = new RegExp(`export type ${type} =([^;]+);`).exec(source) ?? [];
		return [...union.matchAll(/'(\w+)'/g)].map(([, word = '']) => word);
	};
	const causes = [...wordsOf('RefusalCause'), ...wordsOf('FailureCause')];
	expect(outcomes).toContain('revoked');
	expect(causes).toContain('protected_user');
	expect(causes).toContain('unexpected_reply');
	const text = read('docs/outcomes.md');
	const anchors = anchorsOf(text);
	expect([...outcomes, ...causes].filter((name) => !anchors.has(name ?? ''))).toEqual([]);
	for (const outcome of outcomes as Outcome[]) {
		for (const cause of [null, ...causes] as Parameters<typeof explained>[1][]) {
			const { documentation } = explained(outcome, cause);
			expect(documentation === undefined).toBe(isSuccess(outcome));
			if (documentation)
				expect({ documentation, problem: problemWith('', documentation) }).toEqual({
					documentation,
				});
		}
	}
	const states = wordsOf('TargetState');
	expect(states).toHaveLength(5);
	expect(states.filter((state) => !text.includes(`| \`${state}\``))).toEqual([]);
});

test('every page that the nodes name exists, and so does every heading', () => {
	const links = globSync('nodes/**/*.ts', { cwd: ROOT }).flatMap((file) =>
		[...read(file).matchAll(/\$\{(DOCS_URL|EVERYWHERE_URL)\}([\w./#-]*)/g)].map(
			([, base, rest = '']) => (base === 'DOCS_URL' ? DOCS_URL : EVERYWHERE_URL) + rest,
		),
	);
	expect(links).toContain(`${EVERYWHERE_URL}#guardrails`);
	// A heading that the code chooses is tried above.
	const fixed = links.filter((link) => !link.endsWith('#') && !link.endsWith('/'));
	expect(fixed.filter((link) => problemWith('', link) !== undefined)).toEqual([]);
});

test('anchors are made as GitHub makes them', () => {
	expect(
		anchorsOf('# `user_not_found`\n## Who, and what?\n## Who and what\n```\n# no\n```\n'),
	).toEqual(new Set(['user_not_found', 'who-and-what', 'who-and-what-1']));
});

test('a link that leads nowhere is found', () => {
	expect(problemWith('README.md', 'docs/nowhere.md')).toBe('leads nowhere');
	expect(problemWith('README.md', 'docs/outcomes.md#nothing')).toBe('names no heading of it');
	expect(problemWith('README.md', '../elsewhere.md')).toBe('leads out of the repository');
	expect(linksOf('[a](b.md) `[c](d.md)` [e](<f.md>)\n\n[g]: h.md\n')).toEqual([
		'b.md',
		'f.md',
		'h.md',
	]);
});
