/** What a new connector is called everywhere, and why a name is refused. Pure: the file system is not asked. */

/** The names that follow from a key and a title. */
export interface Names {
	/** In `targets`, `identities` and results; fixed for ever. */
	key: string;
	/** The vendor's name in texts. */
	title: string;
	/** `nodes/<folder>`, and the first part of every class name. */
	folder: string;
	/** The constant that holds the connector. */
	constant: string;
	/** File name of the documentation page, the simulator and the bench, without extension. */
	page: string;
	/** The credential's name in n8n. */
	credential: string;
}

/** What exists already: paths relative to the repository, and the keys of the connectors. */
export interface Taken {
	paths: readonly string[];
	keys: readonly string[];
}

/** A name that cannot be used; the message says why and what to do. */
export class Refusal extends Error {
	override readonly name = 'Refusal';
}

const LONGEST = 40;

/** Words that cannot name a constant, and names that the scaffolded files use themselves. */
const notForConstants = new Set(
	(
		'access account arguments async await break case catch class connector const continue ' +
		'core credential debugger default delete do else enum errorCode eval export extends ' +
		'false fields finally for function if implements import in infer instanceof interface ' +
		'let lookUp new null options package path private protected public return schema ' +
		'static super survives switch this throw true try type typeof undescribed undefined ' +
		'user var void while with yield z'
	).split(' '),
);

/**
 * Derives every name of a connector.
 *
 * @throws Refusal when the key or the title cannot be used, whatever exists already
 */
export function nameConnector(key: string, title: string): Names {
	if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(key) || key.length > LONGEST) {
		throw new Refusal(
			`The key '${key}' cannot be used: it has to be lower-case letters and digits, words joined by '_', begin with a letter and have at most ${LONGEST} characters, for example 'acme' or 'google_workspace'`,
		);
	}
	if (key in {}) {
		throw new Refusal(`The key '${key}' cannot be used: every JavaScript object has it already`);
	}
	if (!/^[A-Z][A-Za-z0-9]*( [A-Z0-9][A-Za-z0-9]*)*$/.test(title) || title.length > LONGEST) {
		throw new Refusal(
			`The title '${title}' cannot be used: it has to be words of plain letters and digits, each beginning with a capital or a digit, the first with a capital, and have at most ${LONGEST} characters, for example "Acme" or "Google Workspace"`,
		);
	}
	const word = /(Sessions|Node|Trigger)$/.exec(title)?.[0];
	if (word !== undefined) {
		throw new Refusal(
			`The title '${title}' cannot end with '${word}': give the vendor's name alone, the rest is added`,
		);
	}
	const folder = title.replaceAll(' ', '');
	const constant = folder.charAt(0).toLowerCase() + folder.slice(1);
	if (notForConstants.has(constant)) {
		throw new Refusal(
			`The title '${title}' cannot be used: it would name a constant '${constant}', which means something else in the code; add the company or the product to it`,
		);
	}
	return {
		key,
		title,
		folder,
		constant,
		page: key.replaceAll('_', '-'),
		credential: `${constant}SessionsApi`,
	};
}

/**
 * Makes sure that nothing is overwritten and that no name means two things.
 *
 * @param files paths that are to be written
 * @throws Refusal that names what is in the way
 */
export function refuseTaken(names: Names, files: Iterable<string>, taken: Taken): void {
	if (taken.keys.includes(names.key)) {
		throw new Refusal(
			`There is a connector with the key '${names.key}' already: choose another key, or change that one`,
		);
	}
	// Some file systems do not tell `Acme` from `acme`, so nobody should have to.
	const existing = new Map(taken.paths.map((path) => [path.toLowerCase(), path]));
	for (const path of [`nodes/${names.folder}`, ...files]) {
		const there = existing.get(path.toLowerCase());
		if (there !== undefined) {
			throw new Refusal(`There is ${there} already: choose another key or title, or remove it`);
		}
	}
}
