/** What a revocation and a look-up come to when the vendor answers as it documents. */
import { describe, expect, test } from '@jest/globals';
import { readOptions } from '../../nodes/core/connection';
import { checkSetup } from '../../nodes/core/flow';
import { isSuccess } from '../../nodes/core/outcome';
import { connectors } from '../../nodes/registry';
import { benches } from './benches';
import {
	eachConnector,
	endSession,
	isLeftOut,
	list,
	lastStep,
	others,
	retrieve,
	revoke,
	within,
} from './suite';

test('every connector has its bench, and only connectors have', () => {
	const keys = new Set(benches.map(({ connector }) => connector.key));
	expect([...keys].toSorted()).toEqual(connectors.map(({ key }) => key).toSorted());
});

const UNTIL_REVOKED = [
	'initialResponse',
	'retrieveUser',
	'checkLookup',
	'transformUser',
	'revokeSessions',
	'checkRevocation',
];

eachConnector(({ facts, bench, check, given }) => {
	const { people, connector } = facts;
	const { happy } = people;

	describe('Revoke All Sessions', () => {
		for (const { title, identity } of facts.lookUps) {
			check(`ends the access of the user found by ${title}`, async () => {
				const before = bench().everyone();
				const result = await revoke(bench(), identity);
				expect(result).toMatchObject({
					connector: connector.key,
					identityKey: identity,
					userKnown: true,
					outcome: facts.revoke.outcome,
					state: 'revoked',
					changed: facts.revoke.changed,
					cause: null,
					statusCode: facts.revoke.statusCode,
					ended: facts.revoke.ended,
					missingPermissions: [],
				});
				expect(result.user?.id).toEqual(expect.any(String));
				expect(result.user?.login).toBe(happy);
				expect(isSuccess(result.outcome)).toBe(true);
				const after = bench().everyone();
				expect(before[happy]?.[facts.revoke.held]).toBeGreaterThan(0);
				expect(after[happy]?.[facts.revoke.held]).toBe(0);
				expect(others(after, happy)).toEqual(others(before, happy));
			});
		}

		check('writes down every step, in order', async () => {
			const { steps, attempts } = await revoke(bench(), happy, { allowOwnIdentity: true });
			const read = isLeftOut(facts.readBack) ? [] : ['verify'];
			expect(steps.map(({ step }) => step)).toEqual([...UNTIL_REVOKED, ...read]);
			expect(steps[0]).toEqual({
				step: 'initialResponse',
				ok: true,
				statusCode: null,
				durationMs: 0,
				state: 'pending',
			});
			for (const step of steps) {
				expect(step).toMatchObject({ ok: true, durationMs: expect.any(Number) });
			}
			const status = (name: string) => steps.find(({ step }) => step === name)?.statusCode;
			expect(status('retrieveUser')).toBe(200);
			expect(status('checkLookup')).toBeNull();
			expect(status('revokeSessions')).toBe(facts.revoke.statusCode);
			expect(status('checkRevocation')).toBeNull();
			expect(attempts).toBe(bench().simulator.requests.length);
		});

		check('says honestly what survives', async () => {
			const { survives, ended } = await revoke(bench(), happy);
			expect(survives.map(({ what }) => what)).toContain('sign-in');
			expect(survives.filter(({ what }) => ended.includes(what))).toEqual([]);
			for (const { what, until, note } of survives) {
				expect({ what, note: note.length > 20, dot: note.endsWith('.') }).toEqual({
					what,
					note: true,
					dot: false,
				});
				expect(until === null || Date.parse(until) > Date.now() - 60_000).toBe(true);
			}
			const kept = Object.entries(bench().everyone()[happy] ?? {}).filter(([, count]) => count > 0);
			expect(kept.map(([held]) => held)).not.toContain(facts.revoke.held);
		});

		given(facts.readBack, 'sees the revocation at the vendor', async ({ method }) => {
			const { verification, attempts } = await revoke(bench(), happy, { allowOwnIdentity: true });
			expect(verification).toEqual({
				status: 'verified',
				method,
				checkedAt: expect.any(String),
			});
			expect(attempts).toBe(bench().simulator.requests.length);
		});

		given(
			facts.readBack,
			'tells what the vendor does not show in time from what it still shows',
			async (readBack) => {
				bench().hideRevocations();
				const result = await revoke(bench(), happy, { budget: within(1_500) });
				const isPartial = readBack.whenHidden === 'partial';
				expect(result).toMatchObject({
					outcome: isPartial ? 'partial' : facts.revoke.outcome,
					state: isPartial ? 'revoke_failed' : 'revoked',
					verification: { status: 'unconfirmed', method: readBack.method },
				});
				expect(isSuccess(result.outcome)).toBe(!isPartial);
				expect(result.steps.at(-1)).toMatchObject({ step: 'verify', ok: false });
				expect(bench().simulator.requests.some(readBack.match)).toBe(true);
			},
		);

		given(facts.readBack, 'asks nothing afterwards when Verify is off', async ({ match }) => {
			const { verification, steps } = await revoke(bench(), happy, { verify: false });
			expect(verification).toEqual({ status: 'skipped', method: null, checkedAt: null });
			expect(steps.map(({ step }) => step)).toEqual(UNTIL_REVOKED);
			expect(bench().simulator.requests.some(match)).toBe(false);
		});

		check('can be repeated', async () => {
			await revoke(bench(), happy);
			const again = await revoke(bench(), happy);
			expect(isSuccess(again.outcome)).toBe(true);
			expect(again.state).toBe('revoked');
		});

		check('works on a user without any session', async () => {
			const { outcome, state, changed } = await revoke(bench(), people.clean.identity);
			expect({ outcome, state }).toEqual({ outcome: people.clean.outcome, state: 'revoked' });
			expect(changed).toBe(people.clean.changed);
			if (outcome === 'nothing_to_revoke') expect(changed).toBe(false);
		});

		given(people.deactivated, 'works on a deactivated account', async ({ identity, status }) => {
			const result = await revoke(bench(), identity);
			expect(isSuccess(result.outcome)).toBe(true);
			expect(result.user?.status).toBe(status);
		});

		check('touches nobody when there is no such user', async () => {
			const before = bench().everyone();
			const result = await revoke(bench(), people.missing);
			expect(result).toMatchObject({
				outcome: 'user_not_found',
				state: 'user_lookup_failed',
				userKnown: false,
				cause: null,
				changed: false,
				user: null,
				ended: [],
				survives: [],
				verification: { status: 'skipped' },
			});
			expect(lastStep(result)).toBe('checkLookup');
			expect(result.steps.at(-1)?.ok).toBe(false);
			expect(bench().simulator.requests.some(facts.revoke.match)).toBe(false);
			expect(bench().everyone()).toEqual(before);
		});

		given(people.ambiguous, 'touches nobody when several match', async ({ identity, logins }) => {
			const before = bench().everyone();
			const result = await revoke(bench(), identity);
			expect(result).toMatchObject({
				outcome: 'ambiguous_user',
				state: 'user_lookup_failed',
				cause: null,
				changed: false,
				user: null,
			});
			expect(result.candidates?.map(({ login }) => login).toSorted()).toEqual(logins.toSorted());
			expect(lastStep(result)).toBe('checkLookup');
			expect(bench().simulator.requests.some(facts.revoke.match)).toBe(false);
			expect(bench().everyone()).toEqual(before);
		});

		given(people.signInNameWins, 'prefers the sign-in name', async ({ identity, shadow }) => {
			const before = bench().everyone();
			const result = await revoke(bench(), identity.toUpperCase());
			expect(result.user?.login).toBe(identity);
			expect(result.outcome).toBe(facts.revoke.outcome);
			const after = bench().everyone();
			expect(after[identity]?.[facts.revoke.held]).toBe(0);
			expect(after[shadow]).toEqual(before[shadow]);
		});

		check('does not take the vendor at its word about who was meant', async () => {
			bench().answerEveryLookUpWith(people.bystander);
			const before = bench().everyone();
			for (const { identity } of facts.lookUps) {
				const result = await revoke(bench(), identity, { allowShortNames: true });
				expect(result).toMatchObject({ outcome: 'user_not_found', user: null, changed: false });
			}
			expect(bench().simulator.requests.some(facts.revoke.match)).toBe(false);
			expect(bench().everyone()).toEqual(before);
			expect((await revoke(bench(), people.bystander)).outcome).toBe(facts.revoke.outcome);
		});

		check('says so when the vendor loses the user before the revocation', async () => {
			bench().loseUserAtRevocation();
			const result = await revoke(bench(), happy);
			expect(result).toMatchObject({ outcome: 'user_not_found', userKnown: false, cause: null });
			expect(lastStep(result)).toBe('checkRevocation');
			expect(isSuccess(result.outcome)).toBe(false);
			expect(result.changed).not.toBe(true);
		});

		given(people.own, 'refuses the account that the credential acts as', async (own) => {
			const before = bench().everyone();
			const result = await revoke(bench(), own);
			expect(result).toMatchObject({
				outcome: 'refused',
				cause: 'own_identity',
				state: 'not_attempted',
				changed: false,
				userKnown: true,
			});
			expect(bench().everyone()).toEqual(before);
			expect(bench().simulator.requests.some(facts.revoke.match)).toBe(false);
			const allowed = await revoke(bench(), own, { allowOwnIdentity: true });
			expect(allowed.outcome).toBe(facts.revoke.outcome);
			expect(bench().everyone()[own]?.[facts.revoke.held]).toBe(0);
		});

		given(people.shortName, 'takes a bare name only when that is allowed', async (name) => {
			const before = bench().everyone();
			const refused = await revoke(bench(), name);
			expect(refused).toMatchObject({ outcome: 'user_not_found', userKnown: false });
			expect(bench().everyone()).toEqual(before);
			const allowed = await revoke(bench(), name, { allowShortNames: true });
			expect(allowed.user?.login).toBe(happy);
			expect(bench().everyone()[happy]?.[facts.revoke.held]).toBe(0);
		});

		for (const identity of people.unsupported) {
			check(`never looks ${identity} up`, async () => {
				const before = bench().everyone();
				const result = await revoke(bench(), identity, {
					allowOwnIdentity: true,
					allowShortNames: true,
				});
				expect(result).toMatchObject({
					outcome: 'refused',
					cause: 'unsupported_user',
					state: 'not_attempted',
					changed: false,
				});
				expect(bench().simulator.requests).toEqual([]);
				expect(bench().everyone()).toEqual(before);
			});
		}

		check('stops at a refusal, before anything is sent', async () => {
			const before = bench().everyone();
			const why = 'The user is protected';
			const seen: unknown[] = [];
			const result = await revoke(bench(), happy, {
				mayTouch: (user) => {
					seen.push(user?.login ?? null);
					return Promise.resolve(user && { cause: 'protected_user' as const, why });
				},
			});
			expect(result).toMatchObject({
				outcome: 'refused',
				cause: 'protected_user',
				state: 'not_attempted',
				changed: false,
				message: why,
			});
			expect(seen[0]).toBe(happy);
			expect(bench().simulator.requests.some(facts.revoke.match)).toBe(false);
			expect(bench().everyone()).toEqual(before);
		});
	});

	describe('many users', () => {
		const users = [...people.crowd, happy, people.missing, people.clean.identity];
		const many = () =>
			bench().connection({ surroundings: { usersInParallel: 50, users: users.length } });

		given(facts.batch, 'share requests, and each has its own result', async (batch) => {
			const before = bench().everyone();
			const connection = many();
			const results = await Promise.all(users.map((user) => revoke(connection, user)));
			const told = results.map((one) => [one.identityKey ?? '', one.outcome] as const);
			const found: Record<string, string> = Object.fromEntries(told);
			const expected = Object.fromEntries(users.map((user) => [user, batch.outcome]));
			expect(found).toEqual({
				...expected,
				[people.missing]: 'user_not_found',
				[people.clean.identity]: people.clean.outcome,
			});
			const after = bench().everyone();
			for (const user of [...people.crowd, happy]) {
				expect([user, after[user]?.[facts.revoke.held]]).toEqual([user, 0]);
			}
			expect(others(after, ...users)).toEqual(others(before, ...users));
			const { requests } = bench().simulator;
			const calls = requests.filter(batch.match);
			expect(calls.length).toBeGreaterThan(0);
			expect(calls.length).toBeLessThan(users.length / 2);
		});

		given(facts.batch, 'are worked on although one of them is throttled', async (batch) => {
			bench().simulator.faults.next({
				match: facts.revoke.match,
				fault: { kind: 'rateLimit', resetInSeconds: 0 },
			});
			const connection = many();
			const results = await Promise.all(people.crowd.map((user) => revoke(connection, user)));
			expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set([batch.outcome]));
		});

		given(facts.batch, 'tell who was contained when the shared request fails', async (batch) => {
			const fault = { kind: 'serverError', status: 503, html: true } as const;
			bench().simulator.faults.next({ match: batch.match, fault, times: Infinity });
			const before = bench().everyone();
			const connection = many();
			const results = await Promise.all(
				people.crowd.map((user) => revoke(connection, user, { budget: within(3_000) })),
			);
			// One that comes late has no company, and goes alone.
			const alone = results.filter(({ outcome }) => isSuccess(outcome));
			expect(alone.length).toBeLessThan(results.length / 2);
			const spared = alone.flatMap(({ identityKey }) => identityKey ?? []);
			expect(others(bench().everyone(), ...spared)).toEqual(others(before, ...spared));
			for (const user of spared) expect(bench().everyone()[user]?.[facts.revoke.held]).toBe(0);
		});
	});

	describe('options that widen', () => {
		const names = facts.widening.map(({ option }) => option);

		check('are all off by default', async () => {
			const read = connector.options.schema.safeParse({});
			const off = Object.fromEntries(names.map((name) => [name, false]));
			expect(read).toMatchObject({ success: true, data: off });
			const before = bench().everyone()[happy] ?? {};
			await revoke(bench(), happy);
			const after = bench().everyone()[happy] ?? {};
			for (const { held } of facts.widening) {
				expect({ held, before: before[held] }).not.toEqual({ held, before: 0 });
				expect({ held, left: after[held] }).toEqual({ held, left: before[held] });
			}
		});

		for (const { option, ends, held } of facts.widening) {
			check(`${option} ends what it says, and nothing beside`, async () => {
				const before = bench().everyone();
				const result = await revoke(bench(), happy, { options: { [option]: true } });
				expect(result.ended).toEqual([...facts.revoke.ended, ends]);
				expect(result.survives.map(({ what }) => what)).not.toContain(ends);
				const after = bench().everyone();
				const ended = [facts.revoke.held, held];
				for (const [kind, count] of Object.entries(before[happy] ?? {})) {
					const left = after[happy]?.[kind];
					expect({ kind, left }).toEqual({ kind, left: ended.includes(kind) ? 0 : count });
				}
				expect(others(after, happy)).toEqual(others(before, happy));
			});
		}

		check('are named beside what survives as long as they are off', () => {
			const named = (on: boolean) =>
				connector
					.survives(
						readOptions(connector, Object.fromEntries(names.map((name) => [name, on]))),
						bench().connection().credential,
					)
					.flatMap(({ option }) => option ?? []);
			expect(named(false).toSorted()).toEqual(names.toSorted());
			expect(named(true)).toEqual([]);
			return Promise.resolve();
		});
	});

	describe('Dry Run', () => {
		const settings = [
			{},
			...facts.widening.map(({ option }) => ({ [option]: true })),
			Object.fromEntries(facts.widening.map(({ option }) => [option, true])),
		];
		for (const options of settings) {
			check(`plans just what would be sent with ${JSON.stringify(options)}`, async () => {
				const before = bench().everyone();
				const planned = await revoke(bench(), happy, { options, dryRun: true });
				expect(planned).toMatchObject({
					outcome: 'planned',
					state: 'not_attempted',
					changed: false,
					ended: [],
				});
				expect(lastStep(planned)).toBe('transformUser');
				expect(bench().everyone()).toEqual(before);
				expect(bench().simulator.requests.some(facts.revoke.match)).toBe(false);

				await revoke(bench(), happy, { options });
				const { url, requests } = bench().simulator;
				const revoked = requests.filter(facts.revoke.match);
				expect(revoked).toHaveLength(facts.revoke.requests);
				const widened = requests.filter((request) =>
					facts.widening.some(({ match }) => match?.(request)),
				);
				const sent = [...revoked, ...widened].map(({ method, path, query }) =>
					[method, url + path + (query === '' ? '' : `?${query}`)].join(' '),
				);
				const listed = planned.plan?.map((request) => `${request.method} ${request.url}`);
				// What goes side by side has no order.
				expect(listed?.toSorted()).toEqual(sent.toSorted());
			});
		}

		check('shows what would have stopped it', async () => {
			expect(await revoke(bench(), people.missing, { dryRun: true })).toMatchObject({
				outcome: 'user_not_found',
			});
			if (isLeftOut(people.own)) return;
			expect(await revoke(bench(), people.own, { dryRun: true })).toMatchObject({
				outcome: 'refused',
				cause: 'own_identity',
			});
		});
	});

	describe('Retrieve User', () => {
		for (const { title, identity } of facts.lookUps) {
			check(`finds the user by ${title} and only reads`, async () => {
				const before = bench().everyone();
				const result = await retrieve(bench(), identity);
				expect(result).toMatchObject({
					outcome: 'user_found',
					userKnown: true,
					changed: false,
					ended: [],
					survives: [],
					user: { login: happy },
				});
				expect(result.steps.map(({ step }) => step)).toEqual(UNTIL_REVOKED.slice(0, 3));
				expect(isSuccess(result.outcome)).toBe(true);
				const { requests, routes } = bench().simulator;
				for (const { method, route } of requests) {
					const safe = routes.find(({ name }) => name === route)?.safe ?? method === 'GET';
					expect({ route, safe }).toEqual({ route, safe: true });
				}
				expect(bench().everyone()).toEqual(before);
			});
		}

		check('tells nobody from several', async () => {
			const missing = await retrieve(bench(), people.missing);
			expect(missing).toMatchObject({ outcome: 'user_not_found', userKnown: false, user: null });
			if (isLeftOut(people.ambiguous)) return;
			const several = await retrieve(bench(), people.ambiguous.identity);
			expect(several.outcome).toBe('ambiguous_user');
			expect(several.candidates).toHaveLength(people.ambiguous.logins.length);
		});
	});

	describe('Check Setup', () => {
		/** The token endpoint knows the client; it is the API that does not let it in. */
		const ofApi = ({ path }: { path: string }) => !path.endsWith('/token');

		for (const { title } of facts.authentications) {
			check(`is ready with ${title}, and changes nothing`, async () => {
				const before = bench().everyone();
				const connection = bench().connection({ authentication: title });
				const result = await checkSetup({ connection, budget: within(10_000) });
				expect(result).toMatchObject({ outcome: 'ready', cause: null, missingPermissions: [] });
				expect(bench().everyone()).toEqual(before);
			});
		}

		check('names what is missing', async () => {
			const fault = { kind: 'status', status: 403 } as const;
			bench().simulator.faults.next({ match: ofApi, fault, times: Infinity });
			const connection = bench().connection();
			const result = await checkSetup({ connection, budget: within(10_000) });
			expect(result).toMatchObject({
				outcome: 'failed',
				cause: 'permission_denied',
				state: 'not_attempted',
				missingPermissions: facts.checkNeeds,
			});
		});

		check('names a credential that is not taken', async () => {
			const fault = { kind: 'status', status: 401 } as const;
			bench().simulator.faults.next({ match: ofApi, fault, times: Infinity });
			const connection = bench().connection();
			const result = await checkSetup({ connection, budget: within(10_000) });
			expect(result).toMatchObject({ outcome: 'failed', cause: 'credential_invalid' });
		});
	});

	describe('List Sessions', () => {
		given(facts.listing, 'lists the sessions of one user and only reads', async ({ kinds }) => {
			const before = bench().everyone();
			const { result, sessions } = await list(bench().connection(), happy);
			expect(result).toMatchObject({
				outcome: 'sessions_listed',
				state: 'not_attempted',
				userKnown: true,
				changed: false,
				survives: [],
			});
			const found = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, 0]));
			for (const { kind } of sessions ?? []) found[kind] = (found[kind] ?? 0) + 1;
			const held = Object.entries(kinds).map(([kind, name]) => [kind, before[happy]?.[name]]);
			expect(found).toEqual(Object.fromEntries(held));
			expect(new Set(sessions?.map(({ id }) => id)).size).toBe(sessions?.length);
			expect(bench().everyone()).toEqual(before);

			const { sessions: first } = await list(bench().connection(), happy, 1);
			expect(first).toEqual(sessions?.slice(0, 1));
		});

		given(facts.listing, 'lists nothing when there is nothing', async () => {
			const { result, sessions } = await list(bench().connection(), people.clean.identity);
			expect({ outcome: result.outcome, sessions }).toEqual({
				outcome: 'sessions_listed',
				sessions: [],
			});
		});

		given(facts.listing, 'tells nobody from nothing', async () => {
			const { result, sessions } = await list(bench().connection(), people.missing);
			expect({ outcome: result.outcome, sessions }).toEqual({
				outcome: 'user_not_found',
				sessions: null,
			});
		});

		given(facts.listing, 'names the permission that a list needs', async ({ match, needs }) => {
			const fault = { kind: 'status', status: 403 } as const;
			bench().simulator.faults.next({ match, fault, times: Infinity });
			const { result, sessions } = await list(bench().connection(), happy);
			expect(sessions).toBeNull();
			expect(result).toMatchObject({
				outcome: 'failed',
				cause: 'permission_denied',
				state: 'not_attempted',
				missingPermissions: needs,
			});
		});
	});

	describe('Revoke Session', () => {
		given(facts.oneSession, 'ends one session and no other', async ({ match }) => {
			const session = bench().signIn(happy);
			const kept = bench().signIn(happy);
			const before = bench().everyone();
			const connection = bench().connection();
			const result = await endSession(connection, session, happy);
			expect(result).toMatchObject({ outcome: 'revoked', state: 'revoked', ended: ['session'] });
			expect(bench().isLive(session)).toBe(false);
			expect(bench().isLive(kept)).toBe(true);
			expect(others(bench().everyone(), happy)).toEqual(others(before, happy));
			expect(bench().simulator.requests.filter(match)).toHaveLength(1);

			const again = await endSession(connection, session, happy);
			expect(again).toMatchObject({
				outcome: 'nothing_to_revoke',
				state: 'revoked',
				changed: false,
				ended: [],
			});
		});

		given(facts.oneSession, 'names the permission that ending a session needs', async (one) => {
			const fault = { kind: 'status', status: 403 } as const;
			bench().simulator.faults.next({ match: one.match, fault });
			const session = bench().signIn(happy);
			const result = await endSession(bench().connection(), session, happy);
			expect(result).toMatchObject({
				outcome: 'failed',
				cause: 'permission_denied',
				state: 'revoke_failed',
				missingPermissions: one.needs,
			});
			expect(bench().isLive(session)).toBe(true);
		});
	});
});
