/** What the tests of Alert Identities have in common. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from '../../nodes/AlertIdentities/detect';
import type { Finding, Identified, NotIdentified } from '../../nodes/AlertIdentities/people';

const FOLDER = join(__dirname, '../fixtures/alerts');

export const fixtures = readdirSync(FOLDER)
	.filter((file) => file.endsWith('.json'))
	.map((file) => file.replace(/\.json$/, ''));

type Members = Record<string, unknown>;

/** An alert of test/fixtures/alerts, with other values at some of its paths. */
export function fixture(
	name: string,
	...changes: readonly [path: string[], value: unknown][]
): Members {
	const alert = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Members;
	for (const [path, value] of changes) {
		const [last = '', ...parents] = [...path].reverse();
		(at(alert, ...parents.reverse()) as Members)[last] = value;
	}
	return alert;
}

/** The value at a path. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
	path.reduce((object, name) => (object as Members)[name], value);

export const find = (alert: unknown, source = 'auto', userPath = ''): readonly Finding[] =>
	identify({ source, alert, userPath });

const isIdentified = (finding: Finding): finding is Identified => finding.user !== null;

/** Whom the alert is about. */
export const identified = (alert: unknown, source?: string): readonly Identified[] =>
	find(alert, source).filter(isIdentified);

/** What nobody should act upon. */
export const notIdentified = (alert: unknown, source?: string): readonly NotIdentified[] =>
	find(alert, source).filter((finding): finding is NotIdentified => !isIdentified(finding));

export const users = (alert: unknown, source?: string): readonly string[] =>
	identified(alert, source).map(({ user }) => user);

/** Kind and value of each identity, shortly. */
export const named = ({ identities }: Pick<Identified, 'identities'>): readonly string[] =>
	identities.map(({ kind, value }) => `${kind} ${value}`);

/** Kind and value of each candidate, shortly. */
export const candidates = (alert: unknown, source?: string): readonly string[] =>
	notIdentified(alert, source).flatMap((one) => named({ identities: one.candidates }));
