/** Tables of the documents that repeat what the code declares. They stand between two comments of a page; everything around them is written by hand. */
import { existsSync, readFileSync } from 'node:fs';
import type { ICredentialType, INodeType } from 'n8n-workflow';
import { documentationUrl, DOCS_URL } from '../../nodes/core/documentation';
import type { Connector, Field, Survivor } from '../../nodes/core/connector';
import { codexFiles } from '../../nodes/core/n8n/codex';
import { describeSessionsNode } from '../../nodes/core/n8n/node.description';
import { commonOptions } from '../../nodes/core/options';
import { connectors } from '../../nodes/registry';
import type { LeftOut, VendorFacts } from '../../test/contract/bench';
import { benches } from '../../test/contract/benches';

type Row = readonly string[];

const table = (head: Row, rows: readonly Row[]): string =>
	[head, head.map(() => '---'), ...rows]
		.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
		.join('\n');

const code = (text: string): string => `\`${text}\``;
/** A sentence of the program in a cell, where no Markdown is meant. */
const plain = (text: string): string =>
	text.replace(/[*<[\]]|(?<!\w)_|_(?!\w)/g, (mark) => `\\${mark}`);

/** The same without the columns that say nothing in any row. */
function withoutEmpty(head: Row, rows: readonly Row[]): string {
	const said = head.map((_, at) => rows.some((row) => row[at] !== ''));
	const kept = (row: Row): Row => row.filter((_, at) => said[at]);
	return table(kept(head), rows.map(kept));
}

function defaultOf(field: Field): string {
	switch (field.type) {
		case 'boolean':
			return field.default ? 'on' : 'off';
		case 'number':
			return field.default.toLocaleString('en');
		case 'choice':
			return field.choices.find(({ value }) => value === field.default)?.label ?? '';
		case 'string':
			return field.default ? field.default.split(' ').map(code).join(' ') : '';
		case 'json':
		case 'secret':
			return '';
	}
}

/** The labels of the choices with which a field is shown. */
const shownFor = ({ showWhen = {} }: Field, all: readonly Field[]): string =>
	Object.entries(showWhen)
		.flatMap(([name, values]) => {
			const other = all.find((field) => field.name === name);
			return other?.type === 'choice'
				? [other.choices.filter(({ value }) => values.includes(value)).map(({ label }) => label)]
				: [];
		})
		.map((labels) => labels.join(', '))
		.join('; ');

function meaningOf(field: Field): string {
	const { description = '' } = field;
	if (field.type !== 'choice') return plain(description);
	const choices = field.choices.map(
		({ value, label, description: what = '' }) =>
			`_${label}_ (${code(value)})${what === '' ? '' : `: ${plain(what)}`}`,
	);
	return [plain(description), choices.join('; ')].filter(Boolean).join('. ');
}

const fieldTable = (name: string, fields: readonly Field[]): string =>
	withoutEmpty(
		[name, 'JSON name', 'Shown for', 'Default', 'Meaning'],
		fields.map((field) => [
			field.label,
			code(field.name),
			shownFor(field, fields),
			defaultOf(field),
			meaningOf(field),
		]),
	);

interface Choice {
	name: string;
	description?: string;
}

/** The operations of a node as its panel offers them; none when it does one thing only. */
const operationsOf = ({ properties }: INodeType['description']): readonly Choice[] =>
	properties.find(({ name }) => name === 'operation')?.options ?? [];

const operations = (connector: Connector): string =>
	table(
		['Operation', 'What it does'],
		operationsOf(describeSessionsNode(connector)).map(({ name, description = '' }) => [
			name,
			plain(description),
		]),
	);

const options = ({ options: { fields } }: Connector): string =>
	fieldTable('Option', [...fields, ...commonOptions]);

/** What `survives` of a revocation names, with every option as it is by default. */
function survivors(connector: Connector): string {
	const labelOf = (name: string | undefined): string =>
		connector.options.fields.find((field) => field.name === name)?.label ?? '';
	const rows = connector
		.survives(connector.options.schema.parse({}), {})
		.map(({ what, forMs, note, option }: Survivor) => [
			code(what),
			forMs === null ? '' : duration(forMs),
			labelOf(option),
			plain(note),
		]);
	return withoutEmpty(['`survives` names', 'At most', 'Ends too with', 'What it says'], rows);
}

const duration = (ms: number): string => {
	const minutes = ms / 60_000;
	return minutes >= 60 ? `${String(minutes / 60)} h` : `${String(minutes)} min`;
};

const isLeftOut = (fact: unknown): fact is LeftOut =>
	typeof fact === 'object' && fact !== null && 'leftOut' in fact;

/** What the contract suite cannot try at a vendor, each with the reason that stands in its bench. */
function leftOut({ key }: Connector): string {
	const own = benches.filter(({ connector }) => connector.key === key);
	const products = new Map<string, { row: Row; of: string[] }>();
	for (const facts of own) {
		for (const row of cases(facts)) {
			const { of } = getOrAdd(products, row.join('|'), { row, of: [] });
			of.push(facts.product ?? '');
		}
	}
	const rows = [...products.values()].map(({ row, of }) => [
		...row,
		of.length < own.length ? of.join(', ') : '',
	]);
	return withoutEmpty(['What is not tried', 'Why', 'Product'], rows);
}

function getOrAdd<T>(map: Map<string, T>, key: string, fresh: T): T {
	const value = map.get(key) ?? fresh;
	map.set(key, value);
	return value;
}

function cases({ people, revoke, leftOut: titles, ...facts }: VendorFacts): readonly Row[] {
	const given: readonly (readonly [string, unknown])[] = [
		['an address that several accounts share', people.ambiguous],
		['a sign-in name that is the address of another account', people.signInNameWins],
		['a deactivated account', people.deactivated],
		['the account that the credential acts as', people.own],
		['a short name', people.shortName],
		['a list of sessions before the revocation', revoke.lists],
		['many users in one request', facts.batch],
		['List Sessions', facts.listing],
		['asking whose the credential is', facts.ownAccount],
		['looking afterwards', facts.readBack],
		['Revoke Session', facts.oneSession],
	];
	return [
		...given.flatMap(([what, fact]) => (isLeftOut(fact) ? [[what, plain(fact.leftOut)]] : [])),
		...Object.entries(titles).map(([title, why]) => [plain(title), plain(why)]),
	];
}

/** A node or credential class by the file that holds it. */
export interface Parts {
	nodes: ReadonlyMap<string, INodeType>;
	credentials: ReadonlyMap<string, ICredentialType>;
}

/** A link from the README to a page of docs, by its address; the bare name while there is no such page. */
function pageLink(url: string): string {
	const file = url.replace(`${DOCS_URL}/`, 'docs/');
	if (!existsSync(file)) return '';
	const [, heading = ''] = /^# (.+)$/m.exec(readFileSync(file, 'utf8')) ?? [];
	return `[${heading}](${file})`;
}

/** The node over all systems stands first. */
const FIRST = 'Revoke Everywhere';
const byName = (one: string, other: string): number =>
	Number(other === FIRST) - Number(one === FIRST) || one.localeCompare(other, 'en');

function nodeTable({ nodes }: Parts): string {
	const pages = codexFiles(connectors);
	const rows = [...nodes].map(([path, { description }]) => {
		const offered = operationsOf(description).map(({ name }) => name);
		const [page] = pages.get(path)?.resources.primaryDocumentation ?? [];
		return [
			description.displayName,
			offered.length > 0 ? offered.join(', ') : plain(description.description),
			page === undefined ? '' : pageLink(page.url),
		] as const;
	});
	return table(
		['Node', 'Operations', 'Page'],
		rows
			.toSorted(([one], [other]) => byName(one, other))
			.map(([name, ...rest]) => [`**${name}**`, ...rest]),
	);
}

function credentialTable({ credentials }: Parts): string {
	const rows = [...credentials.values()].map((credential) => [
		credential.displayName,
		waysOf(credential),
		pageLink(String(credential.documentationUrl)),
	]);
	return table(
		['Credential', 'Authenticates by', 'Page'],
		rows.toSorted(([one = ''], [other = '']) => one.localeCompare(other, 'en')),
	);
}

/** The choices of a credential between ways to authenticate, else the secrets that it holds. */
function waysOf({ properties }: ICredentialType): string {
	const choice = properties.find(({ name }) => name === 'authentication');
	const choices = (choice?.options ?? []) as Choice[];
	if (choices.length > 0) return choices.map(({ name }) => name).join(', ');
	const secrets = properties.filter(
		({ type, typeOptions }) => type !== 'hidden' && typeOptions?.password === true,
	);
	return secrets.map(({ displayName }) => displayName).join(', ') || 'nothing: it holds settings';
}

function about(connector: Connector): string {
	const { key, credential, node } = connector;
	const offered = operationsOf(describeSessionsNode(connector));
	return table(
		['', ''],
		[
			['Node', node.displayName],
			['Key in results', code(key)],
			['Credential', `${credential.displayName} (${code(credential.name)})`],
			['Operations', offered.map(({ name }) => name).join(', ')],
		],
	);
}

const ofConnector: Readonly<Record<string, (connector: Connector) => string>> = {
	about,
	fields: ({ credential }) => fieldTable('Field', credential.fields),
	operations,
	options,
	survives: survivors,
	'left out': leftOut,
};

const PART = /(<!-- generated: ([a-z ]+) -->\n)[^]*?(<!-- \/generated -->)/g;

/** Fills every marked part of a page. */
const filled = (text: string, parts: Readonly<Record<string, () => string>>): string =>
	text.replace(PART, (_, begin: string, name: string, end: string) => {
		const made = parts[name];
		if (!made) throw new Error(`Nothing is generated by the name "${name}"`);
		return `${begin}\n${made()}\n\n${end}`;
	});

/** The pages with marked parts, by their file, as they should be. */
export function pages(parts: Parts): ReadonlyMap<string, string> {
	const written = new Map<string, string>();
	const write = (file: string, made: Readonly<Record<string, () => string>>): void => {
		if (existsSync(file)) written.set(file, filled(readFileSync(file, 'utf8'), made));
	};
	for (const connector of connectors) {
		const made = Object.entries(ofConnector).map(([name, make]) => [name, () => make(connector)]);
		write(
			documentationUrl(connector).replace(`${DOCS_URL}/`, 'docs/'),
			Object.fromEntries(made) as Record<string, () => string>,
		);
	}
	write('README.md', { nodes: () => nodeTable(parts), credentials: () => credentialTable(parts) });
	return written;
}
