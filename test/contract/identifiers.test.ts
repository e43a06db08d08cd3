/** Identities that try to be more than a name: each is one value on the wire, and means one account or none. */
import { describe, expect } from '@jest/globals';
import fc from 'fast-check';
import { readIdentity } from '../../nodes/core/identity';
import { isSuccess } from '../../nodes/core/outcome';
import { eachConnector, endSession, expectDocumented, others, revoke } from './suite';

const hostile: readonly string[] = [
	// What URLs, forms and proxies give a meaning.
	'a/b@example.com',
	'../owner@example.com',
	'..',
	'.',
	'...',
	'/',
	'//',
	'%2e%2e',
	'%2E%2E%2Fowner@example.com',
	'%252e%252e',
	'..%2f..%2fapps',
	'..;/apps',
	'a\\b@example.com',
	'..\\..\\apps',
	'a#b@example.com',
	'a?b=c@example.com',
	'a&limit=1@example.com',
	'a;b@example.com',
	'a=b@example.com',
	'a+b@example.com',
	'a%b@example.com',
	'100%@example.com',
	'%00@example.com',
	'%@example.com',
	'a:b@example.com',
	'$metadata@example.com',
	'guest_example.org#EXT#@example.com',
	'cn=Jane,ou=People,o=example',
	'inum=1!2,ou=people,o=jans',
	'{userId}@example.com',
	'jane@example.com/sessions',
	'jane@example.com/../joe@example.com',
	'jane@example.com?oauthTokens=true',
	'http://169.254.169.254/latest/meta-data',
	'@',
	'@@',
	'a@b@example.com',
	// Quotes and filter languages.
	`o'brien@example.com`,
	`a"b@example.com`,
	'a`b@example.com',
	`x" or profile.login pr or "`,
	`x" or profile.email pr or "x@example.com`,
	`x\\" or id pr or \\"@example.com`,
	`\\`,
	`\\"`,
	`"`,
	`a@example.com\\`,
	`' or '1'='1`,
	`x'; drop table users; --@example.com`,
	`*`,
	`*@example.com`,
	`jane*`,
	`j%ne@example.com`,
	`(|(uid=*))@example.com`,
	'${jndi:ldap://127.0.0.1/a}@example.com',
	'{{ $json.user }}@example.com',
	'<script>@example.com',
	// Spaces and characters that look like others, or like none.
	'jane doe@example.com',
	'a\u00a0b@example.com',
	'jane\u200b@example.com',
	'\u202ejane@example.com',
	'jose\u0301@example.com',
	'jos\u00e9@example.com',
	'\u212Aate@example.com',
	'\u0130stanbul@example.com',
	'stra\u00dfe@example.com',
	'j\u0430ne@example.com',
	'\uff4dane@example.com',
	'用户@example.com',
	'👩🏽‍💻@example.com',
	'__proto__',
	'constructor',
	'toString@example.com',
	'null',
	'undefined',
	'0',
	'true',
	'[object Object]',
	'a'.repeat(500) + '@example.com',
	'ü'.repeat(500) + '@example.com',
	'😀'.repeat(250) + '@example.com',
	'/'.repeat(512),
	'%'.repeat(512),
	'"'.repeat(512),
	'\\'.repeat(512),
];

eachConnector(({ facts, bench, check, given }) => {
	const { happy } = facts.people;
	const possible = (kind: 'login' | 'email', value: string) => {
		const leftOut = facts.cannotHave(kind, value);
		return leftOut === null ? value : { leftOut };
	};
	const wasRevoked = () => bench().simulator.requests.some(facts.revoke.match);

	describe('an identity that nobody has', () => {
		for (const identity of hostile) {
			check(`touches nobody: ${shown(identity)}`, async () => {
				const before = bench().everyone();
				const result = await revoke(bench(), identity, { allowShortNames: true });
				expect(['user_not_found', 'refused']).toContain(result.outcome);
				expect(result.identityKey).toBe(identity);
				expect(wasRevoked()).toBe(false);
				expect(bench().everyone()).toEqual(before);
			});
		}
	});

	describe('an identity that one account has as its sign-in name', () => {
		for (const identity of hostile) {
			given(possible('login', identity), `means that account: ${shown(identity)}`, async () => {
				const id = bench().addUser({ login: identity });
				const before = bench().everyone();
				const result = await revoke(bench(), identity);
				expect(result).toMatchObject({ outcome: facts.revoke.outcome, user: { id } });
				const after = bench().everyone();
				expect(after[identity]?.[facts.revoke.held]).toBe(0);
				expect(others(after, identity)).toEqual(others(before, identity));
			});
		}
	});

	describe('an identity that one account has as its address', () => {
		// A name without a domain is no address.
		for (const identity of hostile.filter((value) => /.@./u.test(value))) {
			given(possible('email', identity), `means its owner: ${shown(identity)}`, async () => {
				const login = 'addressee@example.com';
				const id = bench().addUser({ login, email: identity });
				const before = bench().everyone();
				const result = await revoke(bench(), identity);
				expect(result).toMatchObject({ outcome: facts.revoke.outcome, user: { id } });
				const after = bench().everyone();
				expect(after[login]?.[facts.revoke.held]).toBe(0);
				expect(others(after, login)).toEqual(others(before, login));
			});
		}
	});

	describe('names that are nearly the same', () => {
		const pairs: readonly [string, string, string][] = [
			['composed and decomposed', 'jos\u00e9.ruiz@example.com', 'jose\u0301.ruiz@example.com'],
			['with and without an accent', 'jos\u00e9.ruiz@example.com', 'jose.ruiz@example.com'],
			['a letter of another script', 'jane.roe@example.com', 'j\u0430ne.roe@example.com'],
			['an invisible character', 'jane.roe@example.com', 'jane\u200b.roe@example.com'],
			['a space', 'jane.roe@example.com', 'jane .roe@example.com'],
			['a plus and a space', 'jane+roe@example.com', 'jane roe@example.com'],
			['percent-encoded', 'jane+roe@example.com', 'jane%2Broe@example.com'],
			['a prefix', 'jane.roe@example.com', 'jane.roe@example.co'],
			['a suffix', 'jane.roe@example.com', 'ane.roe@example.com'],
			['a wildcard', 'jane.roe@example.com', 'jane.ro_@example.com'],
		];
		for (const [name, account, asked] of pairs) {
			check(`${name}: nobody is touched`, async () => {
				bench().addUser({ login: account, email: account });
				const before = bench().everyone();
				const result = await revoke(bench(), asked, { allowShortNames: true });
				expect(result.outcome).toBe('user_not_found');
				expect(bench().everyone()).toEqual(before);
			});
		}

		check('letter case makes no difference', async () => {
			const result = await revoke(bench(), happy.toUpperCase());
			expect(result).toMatchObject({ outcome: facts.revoke.outcome, user: { login: happy } });
		});
	});

	check('whatever the identity is, nobody else is touched', async () => {
		const before = bench().everyone();
		const part = fc.constantFrom(
			...['"', '\\', '/', '.', '%', '2f', ' ', '@', 'or', 'pr', 'eq', '(', ')', '*', '?', '#', '&'],
			...['jane', 'example.com', happy, 'profile.login', 'é', '\u0301', '😀', '\u202e', "'", ';'],
		);
		const texts = fc.oneof(
			fc.string({ unit: 'grapheme', maxLength: 40 }),
			fc.string({ unit: 'binary', maxLength: 40 }),
			fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('')),
		);
		const connection = bench().connection();
		await fc.assert(
			fc.asyncProperty(texts, async (text) => {
				const read = readIdentity(text);
				fc.pre('identity' in read && read.identity.toLowerCase() !== happy);
				if (!('identity' in read)) return;
				const result = await revoke(connection, read.identity);
				expect(isSuccess(result.outcome)).toBe(false);
				expect(['user_not_found', 'refused']).toContain(result.outcome);
				expectDocumented(bench().simulator);
				expect(wasRevoked()).toBe(false);
				bench().simulator.forget();
			}),
			{ numRuns: 250, interruptAfterTimeLimit: 10_000 },
		);
		expect(bench().everyone()).toEqual(before);
	});

	given(facts.oneSession, 'an id of a session is one value too', async ({ match, tellsBadIds }) => {
		const session = bench().signIn(happy);
		const before = bench().everyone();
		const connection = bench().connection();
		for (const identity of [...hostile, `${session}/../${session}`, `${session}%2f`]) {
			const result = await endSession(connection, identity, happy);
			expect([identity, result.outcome, result.cause]).toEqual(
				bench().simulator.requests.some(match) && tellsBadIds !== true
					? [identity, 'nothing_to_revoke', null]
					: [identity, 'failed', 'invalid_input'],
			);
			bench().simulator.forget();
		}
		expect(bench().everyone()).toEqual(before);
		expect(bench().isLive(session)).toBe(true);
	});
});

/** An identity in the title of a case. */
function shown(identity: string): string {
	const text = identity.length > 40 ? `${identity.slice(0, 12)}… (${identity.length})` : identity;
	return JSON.stringify(text).replace(
		/[^\x20-\x7e]/gu,
		(character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
	);
}
