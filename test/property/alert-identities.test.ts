/** Rules that hold for every alert, whoever sent it and whatever is in it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sources } from '../../nodes/AlertIdentities/sources';
import { identitiesSchema } from '../../nodes/core/everywhere/identities';
import type { Finding } from '../../nodes/AlertIdentities/people';
import { find, fixture, fixtures } from '../support/alerts';

const STRONG = ['email', 'upn', 'entraId', 'oktaId'];
const sourceKeys = ['auto', ...sources.map(({ key }) => key)];

/** Every text in a value, in JSON in texts too. */
function* textsIn(value: unknown): Generator<string> {
	if (typeof value === 'string') {
		yield value;
		if (/^\s*[[{]/.test(value)) yield* textsIn(attemptParse(value));
	} else if (typeof value === 'object' && value !== null) {
		for (const [key, one] of Object.entries(value)) {
			yield key;
			yield* textsIn(one);
		}
	}
}

function attemptParse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

/** Whether a value stands in what came in, or is made of two values that do. */
function isFrom(texts: ReadonlySet<string>, value: string): boolean {
	const trimmed = new Set([...texts].map((text) => text.trim()));
	if (trimmed.has(value) || trimmed.has(`acct:${value}`)) return true;
	return [...value.matchAll(/[@\\]/g)].some(
		({ index }) => trimmed.has(value.slice(0, index)) && trimmed.has(value.slice(index + 1)),
	);
}

const address = fc
	.tuple(fc.stringMatching(/^[a-z]{1,6}$/), fc.stringMatching(/^[a-z]{1,6}$/))
	.map(([name, domain]) => `${name}@${domain}.example`);

const NOBODIES = [
	'SYSTEM',
	'system',
	'NT AUTHORITY\\SYSTEM',
	'NT AUTHORITY\\NETWORK SERVICE',
	'SYSTEM@NT AUTHORITY',
	'LOCAL SERVICE',
	'ANONYMOUS LOGON',
	'S-1-5-18',
	'WIN-4711$',
	'CORP\\WIN-4711$',
	'win-4711$@corp.example',
	'system@corp.example',
	'DWM-1',
	'SY\u200bSTEM',
	'unknown',
	'null',
	'unknown@corp.example',
	'',
	' ',
];

const value = fc.oneof(
	address,
	fc.constantFrom(...NOBODIES),
	fc.constantFrom('jane', 'CORP\\jane', 'S-1-5-21-1-2-3-4', '00u1jane'),
	fc.uuid(),
	fc.string({ unit: 'binary', maxLength: 20 }),
	fc.jsonValue(),
);

const alerts: fc.Arbitrary<unknown> = fc
	.constantFrom(...fixtures)
	.map((name) => fixture(name) as unknown);

/** Members that name people who work on alerts or wrote rules, never whom an alert is about. */
const WORKERS = /owner|assigned|assignee|workflow_user|created_by|updated_by|closed|analyst/i;

/** The same alert with other values: some of its leaves, also those within JSON in texts, are replaced. */
function changed(alert: unknown, next: () => unknown, isChosen: () => boolean): unknown {
	if (Array.isArray(alert)) return alert.map((one) => changed(one, next, isChosen));
	if (typeof alert === 'object' && alert !== null) {
		return Object.fromEntries(
			Object.entries(alert).map(([key, one]) => [key, changed(one, next, isChosen)]),
		);
	}
	return isChosen() ? next() : alert;
}

const mutated = fc
	.tuple(alerts, fc.infiniteStream(value), fc.infiniteStream(fc.nat(9)))
	.map(([alert, values, dice]) =>
		changed(
			alert,
			() => values.next().value as unknown,
			() => (dice.next().value as number) < 3,
		),
	);

const anyAlert = fc.oneof(
	{ weight: 4, arbitrary: mutated },
	{ weight: 1, arbitrary: fc.jsonValue() },
	{ weight: 1, arbitrary: fc.json() },
	{ weight: 1, arbitrary: fc.anything() },
);

describe('whatever comes in', () => {
	const check = (rule: (findings: readonly Finding[], alert: unknown) => void): void => {
		fc.assert(
			fc.property(anyAlert, fc.constantFrom(...sourceKeys), (alert, source) =>
				rule(find(alert, source), alert),
			),
			{ numRuns: 500 },
		);
	};

	test('something is told, of a closed shape', () => {
		check((findings) => {
			expect(findings.length).toBeGreaterThan(0);
			for (const finding of findings) {
				expect(Object.keys(finding.alert)).toEqual([
					'id',
					'source',
					'title',
					'severity',
					'detectedAt',
					'url',
				]);
				const { url, detectedAt } = finding.alert;
				if (url !== null) expect(url).toMatch(/^https?:\/\//);
				if (detectedAt !== null) expect(new Date(detectedAt).toISOString()).toBe(detectedAt);
				if (finding.user === null) {
					expect(finding.identities).toEqual([]);
					expect(finding.reason).toMatch(/^[A-Z].*[^.]$/);
				}
			}
		});
	});

	test('no identity is returned that is not in it', () => {
		check((findings, alert) => {
			const texts = new Set(textsIn(alert));
			for (const finding of findings) {
				const all = finding.user === null ? finding.candidates : finding.identities;
				for (const { value: found, path } of all) {
					expect([found, isFrom(texts, found)]).toEqual([found, true]);
					expect(path).not.toBe('');
				}
			}
		});
	});

	test('a name alone is never identified, and nothing of low confidence makes a user', () => {
		check((findings) => {
			for (const { user, identities } of findings) {
				if (user === null) continue;
				const named = identities.filter((one) => one.value === user);
				expect(named.map(({ kind }) => STRONG.includes(kind))).toContain(true);
				for (const { kind, confidence } of identities) {
					expect(confidence === 'low').toBe(!STRONG.includes(kind));
				}
			}
		});
	});

	test('who acted is never identified', () => {
		check((findings) => {
			for (const { identities } of findings) {
				for (const { role } of identities) expect(role).not.toBe('actor');
			}
		});
	});

	test('the system, computers and placeholders are never named at all', () => {
		const nobodies = NOBODIES.map((name) => name.toLowerCase());
		check((findings) => {
			for (const finding of findings) {
				const all = finding.user === null ? finding.candidates : finding.identities;
				for (const { value: found } of all) {
					expect(nobodies).not.toContain(found.toLowerCase());
					expect(found).not.toMatch(/\$(?:@|$)/);
				}
			}
		});
	});

	test('what is identified, Revoke Everywhere takes, and means the same user', () => {
		check((findings) => {
			for (const { user, identities } of findings) {
				if (user === null) continue;
				const read = identitiesSchema.safeParse(identities);
				expect(read.success && read.data.user).toBe(user);
			}
		});
	});

	test('however often an alert names people, each is told of once', () => {
		const people = fc.array(fc.constantFrom('jane', 'joe', 'JANE', 'chief'), { minLength: 1 });
		fc.assert(
			fc.property(people, (names) => {
				const evidence = names.map((name) => ({
					'@odata.type': '#microsoft.graph.security.userEvidence',
					userAccount: { userPrincipalName: `${name}@example.com` },
				}));
				const found = find({ evidence }).map(({ user }) => user?.toLowerCase());
				const expected = new Set(names.map((name) => `${name.toLowerCase()}@example.com`));
				expect(found.length).toBe(expected.size);
				expect(new Set(found)).toEqual(expected);
			}),
		);
	});
});

describe('the people who work on alerts', () => {
	const WORKER = 'worker@soc.example';

	/** Puts the worker into every member that names one, and into some that could. */
	function staffed(alert: unknown): unknown {
		if (Array.isArray(alert)) return alert.map(staffed);
		if (typeof alert !== 'object' || alert === null) return alert;
		const members = Object.entries(alert).map(([key, one]): [string, unknown] => [
			key,
			WORKERS.test(key) && typeof one !== 'object' ? WORKER : staffed(one),
		]);
		return {
			...Object.fromEntries(members),
			owner: { email: WORKER, userPrincipalName: WORKER, assignedTo: WORKER },
			assignedTo: WORKER,
			assignee: WORKER,
			closedBy: WORKER,
		};
	}

	test.each(fixtures)('are not found in %s', (name) => {
		const alert: unknown = fixture(name);
		expect(find(staffed(alert), find(alert)[0]?.alert.source ?? 'auto')).toEqual(find(alert));
		expect(JSON.stringify(find(staffed(alert)))).not.toContain(WORKER);
	});
});

describe('an alert of one user', () => {
	const templates: readonly [string, (user: string) => unknown][] = [
		['sentinel', (u) => ({ Accounts: [{ Name: u }] })],
		[
			'defender',
			(u) => ({
				evidence: [
					{
						'@odata.type': '#microsoft.graph.security.userEvidence',
						userAccount: { userPrincipalName: u },
					},
				],
			}),
		],
		['splunk', (u) => ({ sid: 's', results_link: 'x', result: { user: u } })],
		['elastic', (u) => ({ source: 'elastic', alerts: [{ user: { email: u } }] })],
		['crowdstrike', (u) => ({ source: 'crowdstrike', user_upn: u })],
		[
			'google_secops',
			(u) => ({
				collectionElements: [
					{ references: [{ event: { principal: { user: { emailAddresses: [u] } } } }] },
				],
			}),
		],
		[
			'okta',
			(u) => ({
				eventType: 'com.okta.event_hook',
				data: {
					events: [
						{ eventType: 'user.session.start', actor: { type: 'User', id: '', alternateId: u } },
					],
				},
			}),
		],
		['datadog', (u) => ({ source: 'datadog', attributes: { usr: { id: u } } })],
		['wazuh', (u) => ({ rule: { id: 1, level: 1 }, data: { office365: { UserId: u } } })],
		['caep', (u) => ({ sub_id: { format: 'email', email: u } })],
	];

	test.each(templates)(
		'of %s identifies any address, and nothing but an address',
		(key, alertOf) => {
			fc.assert(
				fc.property(address, fc.constantFrom(...NOBODIES, 'jane', 'CORP\\jane'), (user, nobody) => {
					expect(find(alertOf(user))).toMatchObject([{ user, alert: { source: key } }]);
					expect(find(alertOf(nobody))).toMatchObject([{ user: null }]);
				}),
				{ numRuns: 100 },
			);
		},
	);
});
