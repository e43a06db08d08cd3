/** Whatever the vendor says, and however it fails: no secret of a credential leaves. */
import type { IncomingHttpHeaders } from 'node:http';
import { afterEach, beforeEach, expect, jest } from '@jest/globals';
import { checkSetup } from '../../nodes/core/flow';
import type { TargetResult } from '../../nodes/core/result';
import type { Fault, MatchableRequest } from '../simulator/faults';
import { eachConnector, endSession, isLeftOut, retrieve, revoke, within } from './suite';

/** What requests prove themselves with: headers and form members that carry tokens, assertions and proofs. */
function proofsIn(
	requests: readonly { headers: Readonly<IncomingHttpHeaders>; body: string }[],
): string[] {
	const found = requests.flatMap(({ headers, body }) => {
		const form = new URLSearchParams(body);
		return [
			headers.authorization?.split(' ').at(-1),
			headers.dpop,
			form.get('client_assertion'),
			form.get('assertion'),
			form.get('client_secret'),
		];
	});
	return [
		...new Set(found.filter((text): text is string => typeof text === 'string' && text !== '')),
	];
}

/** The ways in which a text can be written so that it is still the same secret. */
const formsOf = (secret: string): string[] => [
	secret,
	encodeURIComponent(secret),
	JSON.stringify(secret).slice(1, -1),
	Buffer.from(secret).toString('base64').replace(/=+$/, ''),
	Buffer.from(secret).toString('base64url'),
];

interface Words {
	said: string;
	body: unknown;
	headers: Record<string, string>;
	location: string;
}

/** Ways in which a vendor can say what it was told. */
const misbehaviours: readonly ((words: Words) => Fault)[] = [
	...[400, 401, 403, 404, 409, 422, 500, 200].map((status) => {
		return ({ body, headers }: Words): Fault => ({ kind: 'status', status, body, headers });
	}),
	({ said }) => ({ kind: 'notJson', body: `<h1>${said}</h1>` }),
	({ said }) => ({ kind: 'notJson', status: 502, body: `<h1>${said}</h1>` }),
	({ location }) => ({ kind: 'redirect', location }),
];

beforeEach(() => {
	// Backing off takes a random part of its time: none of it here.
	jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
	jest.restoreAllMocks();
});

eachConnector(({ facts, bench, check, given }) => {
	const { requestId } = facts.connector;
	/** The header in which the vendor names a request. */
	const named = requestId && 'header' in requestId ? requestId.header : null;

	for (const { title, tokenRequests } of facts.authentications) {
		check(`no secret leaves: ${title}`, async () => {
			const lines: unknown[] = [];
			const results: TargetResult[] = [];
			const { happy, missing } = facts.people;
			const { simulator } = bench();
			const secrets = new Set(bench().secretsOf(title));

			/** A new connection that has sent something already, and what the vendor can say of it. */
			async function warm() {
				await bench().reset();
				const connection = bench().connection({
					authentication: title,
					surroundings: { log: (...line) => lines.push(line) },
				});
				results.push(await revoke(connection, happy));
				// So that there is something to end again.
				bench().signIn(happy);
				const proofs = proofsIn(simulator.requests);
				expect(proofs.length).toBeGreaterThan(0);
				for (const proof of proofs) secrets.add(proof);
				const heard = [...bench().secretsOf(title), ...proofs];
				return { connection, proofs, said: `heard ${heard.join(' and ')}`, heard };
			}

			for (const [at, faultOf] of misbehaviours.entries()) {
				// Look-up, revocation, and the read-back where there is one.
				for (const skip of isLeftOut(facts.readBack) ? [0, 1] : [0, 1, 2]) {
					const { connection, proofs, said, heard } = await warm();
					const headers = {
						'x-echo': proofs.join(' '),
						...(named === null ? {} : { [named]: proofs[at % proofs.length] ?? '' }),
						'www-authenticate': `Bearer error="${proofs[0] ?? ''}"`,
					};
					const body = bench().errorWith(said);
					const location = `${simulator.url}/?${heard.map(encodeURIComponent).join('&')}`;
					const fault = faultOf({ said, body, headers, location });
					const before = simulator.requests.length;
					simulator.faults.next({ fault, skip, times: Infinity });
					results.push(await revoke(connection, happy, { allowOwnIdentity: true }));
					if (skip === 0) {
						results.push(await retrieve(connection, missing));
						results.push(await checkSetup({ connection, budget: within(5_000) }));
						if (facts.connector.revokeOne) {
							results.push(await endSession(connection, 'x', happy));
						}
					}
					expect(simulator.requests.slice(before).some(({ faults }) => faults)).toBe(true);
				}
			}

			// The vendor's good answers can say it too.
			const { connection, said } = await warm();
			const login = 'echo@example.com';
			bench().addUser({ login, email: 'echo@mail.example.com', displayName: said });
			const echoed = await retrieve(connection, login);
			expect(Object.values(echoed.user ?? {}).join()).toContain('[redacted]');
			results.push(echoed);

			const text = JSON.stringify([results, lines]);
			expect(lines.length).toBeGreaterThan(results.length);
			expect(new Set(results.map(({ cause }) => cause)).size).toBeGreaterThan(3);
			if (tokenRequests > 0) expect(secrets.size).toBeGreaterThan(misbehaviours.length);
			for (const secret of secrets) {
				for (const form of formsOf(secret)) {
					const at = text.indexOf(form);
					expect(at < 0 ? '' : text.slice(Math.max(0, at - 200), at + form.length)).toBe('');
				}
			}
		});

		const reason =
			tokenRequests === 0
				? 'this credential mints no token'
				: 'the vendor names no request in a header';
		const echo = tokenRequests === 0 || named === null ? { leftOut: reason } : named;
		given(echo, `a token that looks like nothing does not leave: ${title}`, async (name) => {
			const token = 'plainwordsthatlooklikenothing';
			const { faults } = bench().simulator;
			const mintsToken = ({ body }: MatchableRequest) => body.includes('grant_type=');
			const body = { access_token: token, token_type: 'Bearer', expires_in: 3600 };
			faults.next({ match: mintsToken, fault: { kind: 'wrongShape', body } });
			faults.next({ fault: { kind: 'status', status: 400, headers: { [name]: token } } });
			const connection = bench().connection({ authentication: title });
			const result = await revoke(connection, facts.people.happy);
			expect(result).toMatchObject({ outcome: 'failed', vendorRequestId: '[redacted]' });
			expect(JSON.stringify(result)).not.toContain(token);
		});

		check(`no secret leaves when no token is given: ${title}`, async () => {
			const lines: unknown[] = [];
			const results: unknown[] = [];
			const secrets = bench().secretsOf(title);
			for (const status of [400, 401, 403, 500]) {
				for (const text of [...secrets.slice(0, 3), secrets.join('\n'), secrets.join(' ')]) {
					await bench().reset();
					const connection = bench().connection({
						authentication: title,
						surroundings: { log: (...line) => lines.push(line) },
					});
					const body = bench().errorWith(text);
					bench().simulator.faults.next({
						fault: { kind: 'status', status, body },
						times: Infinity,
					});
					const result = await revoke(connection, facts.people.happy, { budget: within(300) });
					expect(result.outcome).toBe('failed');
					if (tokenRequests > 0) expect(result.attempts).toBe(0);
					results.push(result);
				}
			}
			const text = JSON.stringify([results, lines]);
			const leaked = secrets.filter((secret) =>
				formsOf(secret).some((form) => text.includes(form)),
			);
			expect(leaked).toEqual([]);
		});
	}
});
