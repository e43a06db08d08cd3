/** What the tests of Alert Identities have in common. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from '../../nodes/AlertIdentities/detect';
import type { Finding, Identified, NotIdentified } from '../../nodes/AlertIdentities/people';

const FOLDER = join(__dirname, '../fixtures/alerts');

export const fixtures = readdirSync(FOLDER)
	.filter((file) => file.endsWith('.json'))
	.map((file) => file.replace(/\.json$/, ''));

/** An alert of test/fixtures/alerts, to be changed at will. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tests take alerts apart
export const fixture = (name: string): any =>
	JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));

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
