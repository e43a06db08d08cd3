const {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} = require('node:fs');
const { dirname } = require('node:path');
const { dest, series, src } = require('gulp');
const { rolldown } = require('rolldown');
require('tsx/cjs');

/** Files below a folder whose path ends so. */
const files = (folder, end) =>
	readdirSync(folder, { recursive: true })
		.map((file) => `${folder}/${file}`.replaceAll('\\', '/'))
		.filter((file) => file.endsWith(end));

const clean = async () => rmSync('dist', { recursive: true, force: true });

/** One file for each node and credential, and ONE chunk that they share: so all nodes use one pool of connections. */
async function bundle() {
	const entries = [...files('nodes', '.node.ts'), ...files('credentials', '.credentials.ts')];
	const build = await rolldown({
		input: Object.fromEntries(entries.map((file) => [file.replace(/\.ts$/, ''), file])),
		platform: 'node',
		external: ['n8n-workflow', /^node:/],
		transform: { target: 'node22' },
	});
	const { output } = await build.write({
		dir: 'dist',
		format: 'cjs',
		exports: 'named',
		entryFileNames: '[name].js',
		chunkFileNames: 'lib/[name].js',
		codeSplitting: { groups: [{ name: 'core', test: /./ }] },
	});
	await build.close();
	const bundled = output.flatMap(({ moduleIds = [] }) => moduleIds);
	writeFileSync('dist/THIRD-PARTY-LICENSES.txt', licensesOf(bundled));
}

/** The licences of the packages that are part of the bundle: each wants to be kept with its code. */
function licensesOf(modules) {
	const inPackage = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;
	const folders = new Set(modules.flatMap((id) => inPackage.exec(id.replaceAll('\\', '/')) ?? []));
	const notices = [...folders].sort().map((folder) => {
		const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
		const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
		if (file === undefined) throw new Error(`${name} is bundled but ships no licence text`);
		return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`;
	});
	return notices.join(`\n${'-'.repeat(80)}\n\n`);
}

const icons = () => src('nodes/*/*.svg').pipe(dest('dist/nodes'));

async function codex() {
	const { codexFiles } = require('./nodes/core/n8n/codex.ts');
	const { connectors } = require('./nodes/registry.ts');
	for (const [file, content] of codexFiles(connectors)) {
		mkdirSync(dirname(`dist/${file}`), { recursive: true });
		writeFileSync(`dist/${file}.node.json`, `${JSON.stringify(content, null, '\t')}\n`);
	}
}

/** Fails when n8n could not load what was built. */
async function checkPackage() {
	const { n8n, main } = JSON.parse(readFileSync('package.json', 'utf8'));
	const problems = [];
	for (const file of [...n8n.nodes, ...n8n.credentials]) {
		if (!existsSync(file)) problems.push(`${file} is listed in package.json but was not built`);
		else if (typeof require(`./${file}`)[file.replace(/^.*\/|\..*$/g, '')] !== 'function')
			problems.push(`${file} does not export the class that its name promises`);
	}
	for (const file of n8n.nodes)
		if (!existsSync(file.replace(/\.js$/, '.json'))) problems.push(`${file} has no codex`);
	const shared = files('dist/lib', '.js');
	if (shared.length !== 1)
		problems.push(`one shared chunk was expected, there are ${shared.length}`);
	if (Object.keys(require(`./${main}`)).length !== n8n.nodes.length + n8n.credentials.length)
		problems.push(`${main} does not export every class`);
	if (problems.length > 0) throw new Error(problems.join('\n'));
}

exports.clean = clean;
exports.build = series(clean, bundle, icons, codex, checkPackage);
exports.default = exports.build;
