/** Tokens: minted when one is needed, once however many wait for it, and anew when the vendor takes it no more. */
import { describe, expect } from '@jest/globals';
import { eachConnector, revoke } from './suite';

eachConnector(({ facts, bench, check, given }) => {
	const { crowd, happy } = facts.people;
	const { held, outcome, match } = facts.revoke;

	for (const { title, tokenRequests } of facts.authentications) {
		describe(title, () => {
			const minted = () =>
				bench().simulator.requests.filter(({ body }) => body.includes('grant_type=')).length;
			const minting =
				tokenRequests > 0 ? tokenRequests : { leftOut: 'this credential mints no token' };

			check(`works from end to end: ${title}`, async () => {
				const result = await revoke(bench().connection({ authentication: title }), happy);
				expect(result).toMatchObject({ outcome, state: 'revoked', cause: null });
				expect(bench().everyone()[happy]?.[held]).toBe(0);
				expect(minted()).toBe(tokenRequests);
				// Requests for tokens are the credential's, not the user's.
				expect(result.attempts).toBeLessThanOrEqual(
					bench().simulator.requests.length - tokenRequests,
				);
			});

			check(`fifty users at once, one minting: ${title}`, async () => {
				const connection = bench().connection({
					authentication: title,
					surroundings: { usersInParallel: crowd.length },
				});
				const results = await Promise.all(crowd.map((user) => revoke(connection, user)));
				expect(new Set(results.map((result) => result.outcome))).toEqual(new Set([outcome]));
				expect(minted()).toBe(tokenRequests);
				const left = crowd.filter((user) => bench().everyone()[user]?.[held] !== 0);
				expect(left).toEqual([]);
				expect(bench().simulator.requests.filter(match)).toHaveLength(
					crowd.length * facts.revoke.requests,
				);
			});

			given(minting, `another execution uses the same token: ${title}`, async () => {
				await revoke(bench().connection({ authentication: title }), happy);
				await revoke(bench().connection({ authentication: title }), happy);
				expect(minted()).toBe(tokenRequests);
			});

			given(minting, `a token that was withdrawn is replaced once: ${title}`, async () => {
				const connection = bench().connection({
					authentication: title,
					surroundings: { usersInParallel: crowd.length },
				});
				await revoke(connection, happy);
				const before = minted();
				bench().withdrawTokens();
				const results = await Promise.all(crowd.map((user) => revoke(connection, user)));
				expect(new Set(results.map((result) => result.outcome))).toEqual(new Set([outcome]));
				const again = minted() - before;
				expect(again).toBeGreaterThan(0);
				expect(again).toBeLessThanOrEqual(tokenRequests);
			});

			given(minting, `a token that is never taken is a bad credential: ${title}`, async () => {
				const fault = { kind: 'status', status: 401 } as const;
				const asked = facts.lookUps[0].match;
				bench().simulator.faults.next({ match: asked, fault, times: Infinity });
				const result = await revoke(bench().connection({ authentication: title }), happy);
				expect(result).toMatchObject({
					outcome: 'failed',
					cause: 'credential_invalid',
					state: 'user_lookup_failed',
				});
				expect(bench().simulator.requests.filter(asked)).toHaveLength(2);
				expect(minted()).toBeLessThanOrEqual(2 * tokenRequests);
			});

			given(
				minting,
				`a refusal of the token endpoint is told as what it is: ${title}`,
				async () => {
					for (const [status, cause] of [
						[401, 'credential_invalid'],
						[403, 'permission_denied'],
					] as const) {
						await bench().reset();
						bench().simulator.faults.next({
							match: ({ body }) => body.includes('grant_type='),
							fault: { kind: 'status', status },
							times: Infinity,
						});
						const connection = bench().connection({ authentication: title });
						const results = await Promise.all(
							crowd.slice(0, 10).map((user) => revoke(connection, user)),
						);
						for (const result of results) {
							expect(result).toMatchObject({
								outcome: 'failed',
								cause,
								state: 'user_lookup_failed',
								changed: false,
								attempts: 0,
							});
						}
						// A refused credential is not tried again for each user.
						expect(bench().simulator.requests).toHaveLength(1);
					}
				},
			);
		});
	}
});
