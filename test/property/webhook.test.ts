/** Rules of the webhook API that hold for any request. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NO_POLICY } from '../../nodes/core/policy';
import { readAllowList } from '../../nodes/core/webhook/addresses';
import { type Gate, receiveRevocation, receiveStatus } from '../../nodes/core/webhook/receive';
import { RefusedRequest, REFUSALS } from '../../nodes/core/webhook/refusal';
import { SeenRequests } from '../../nodes/core/webhook/replay';
import { readAnswer } from '../../nodes/core/webhook/response';
import { InputError } from '../../nodes/core/everywhere/parameters';
import { hmac, signed } from '../support/signed';

const SECRET = 'sr_secret-of-the-property-tests';
const TARGETS = ['okta', 'entra', 'miro'];
const NOW = 1_790_000_000;

const gate: Gate = {
	allowed: () => true,
	credential: { secrets: [SECRET], tenantId: null },
	policy: NO_POLICY,
	tolerance: 300,
	requireTimestamp: false,
	now: NOW * 1000,
	targets: TARGETS,
	newRequestId: () => 'new-id',
};

/** The code of the refusal; undefined when the request was let in. Anything else that is thrown is thrown on. */
function codeOf(work: () => unknown): string | undefined {
	try {
		work();
		return undefined;
	} catch (error) {
		if (error instanceof RefusedRequest) return error.code;
		throw error;
	}
}

const receive = (headers: Record<string, unknown>, body: Uint8Array, seen = new SeenRequests()) =>
	receiveRevocation({ address: '192.0.2.1', headers, body }, gate, seen, 'here').request;

const good = JSON.stringify({ action: 'revoke_sessions', user: 'jane@example.com' });
const flip = (bytes: Uint8Array, bit: number): Buffer => {
	const changed = Buffer.from(bytes);
	const at = bit % (bytes.length * 8);
	changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
	return changed;
};

describe('one bit', () => {
	test('of the body that changes makes the signature invalid', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), fc.nat(), fc.boolean(), (user, bit, stamped) => {
				const body = JSON.stringify({ action: 'revoke_sessions', user });
				const headers = signed(SECRET, body, stamped ? NOW : undefined);
				const changed = flip(Buffer.from(body), bit);
				expect(codeOf(() => receive(headers, changed))).toBe('invalid_signature');
			}),
		);
	});

	test('of the signature that changes makes it invalid', () => {
		const headers = signed(SECRET, good);
		const mac = Buffer.from(hmac(SECRET, good), 'hex');
		for (let bit = 0; bit < mac.length * 8; bit++) {
			const signature = `sha256=${flip(mac, bit).toString('hex')}`;
			const changed = { ...headers, 'x-session-revocation-signature': signature };
			expect(codeOf(() => receive(changed, Buffer.from(good)))).toBe('invalid_signature');
		}
	});

	test('of the secret that changes makes it invalid', () => {
		fc.assert(
			fc.property(fc.string({ minLength: 1 }), (secret) => {
				fc.pre(secret !== SECRET);
				const code = codeOf(() => receive(signed(secret, good), Buffer.from(good)));
				expect(code).toBe('invalid_signature');
			}),
		);
	});
});

test('a signature for one thing is none for another', () => {
	const stamp = fc.integer({ min: NOW - 300, max: NOW + 300 });
	fc.assert(
		fc.property(stamp, fc.stringMatching(/^[\w:-]{1,20}$/), fc.string(), (time, id, tenant) => {
			const question = `GET.${id}.${tenant}`;
			const mac = `sha256=${hmac(SECRET, `${time}.${question}`)}`;
			const type = { 'content-type': 'application/json', 'x-session-revocation-signature': mac };
			const stamped = { ...type, 'x-session-revocation-timestamp': String(time) };
			// As the body of a request to revoke, with or without the time as a header.
			expect(codeOf(() => receive(stamped, Buffer.from(question)))).toBe('invalid_json');
			const whole = Buffer.from(`${time}.${question}`);
			expect(codeOf(() => receive(type, whole))).toBe('invalid_json');
		}),
	);
});

const anything = fc.anything({ withNullPrototype: false });
const anyHeaders = fc.dictionary(
	fc.constantFrom(
		'content-type',
		'x-session-revocation-signature',
		'x-session-revocation-timestamp',
		'x-forwarded-for',
	),
	fc.oneof(
		fc.string(),
		fc.array(fc.string()),
		fc.constantFrom('application/json', String(NOW), `sha256=${'0'.repeat(64)}`),
	),
);

describe('whatever is sent', () => {
	test('unsigned is refused with a code of the list', () => {
		fc.assert(
			fc.property(anyHeaders, fc.uint8Array(), (headers, body) => {
				expect(Object.keys(REFUSALS)).toContain(codeOf(() => receive(headers, body)));
			}),
			{ numRuns: 2000 },
		);
	});

	const member = fc.oneof(
		{ weight: 3, arbitrary: fc.constant('jane@example.com') },
		{ weight: 1, arbitrary: fc.json().map((text): unknown => JSON.parse(text)) },
		{
			weight: 1,
			arbitrary: fc.constantFrom(null, '', 'okta', ['okta'], ['nowhere'], { okta: 'a@b' }),
		},
	);
	const body = fc.record(
		{
			tenant_id: member,
			action: fc.oneof({ weight: 9, arbitrary: fc.constant('revoke_sessions') }, member),
			user: member,
			username: member,
			email: member,
			identities: fc.option(fc.dictionary(fc.constantFrom(...TARGETS), fc.emailAddress())),
			integration_targets: fc.oneof(
				{ weight: 3, arbitrary: fc.subarray(TARGETS, { minLength: 1 }) },
				member,
			),
			request_id: fc.oneof(fc.uuid(), member),
			reason: member,
			other: member,
		},
		{ requiredKeys: ['action'] },
	);

	test('signed is refused, or means a user, targets that exist, and nobody else', () => {
		const met = new Set<string | undefined>();
		fc.assert(
			fc.property(body, (sent) => {
				const text = JSON.stringify(sent);
				let request: ReturnType<typeof receive> | undefined;
				const code = codeOf(() => (request = receive(signed(SECRET, text), Buffer.from(text))));
				met.add(code);
				if (!request) {
					expect(Object.keys(REFUSALS)).toContain(code);
					return;
				}
				const { user, targets, targetMode, identities } = request;
				const inSystems: unknown[] = Object.values(identities as object);
				const named = [sent.user, sent.username, sent.email, ...inSystems];
				expect(named.some((name) => typeof name === 'string' && name.trim() === user)).toBe(true);
				expect(targetMode).toBe(sent.integration_targets === undefined ? 'configured' : 'selected');
				expect(TARGETS).toEqual(expect.arrayContaining([...(targets ?? [])]));
				expect(targets).not.toEqual([]);
			}),
			{ numRuns: 2000 },
		);
		expect(met).toContain(undefined);
		expect(met.size).toBeGreaterThan(4);
	});

	test('as a question is refused or answered', () => {
		fc.assert(
			fc.property(anyHeaders, anything, anything, fc.boolean(), (headers, id, tenant, mustSign) => {
				const code = codeOf(() =>
					receiveStatus(
						{ address: '192.0.2.1', headers, requestId: id, tenantId: tenant },
						gate,
						mustSign,
					),
				);
				if (mustSign) expect(Object.keys(REFUSALS)).toContain(code);
			}),
			{ numRuns: 2000 },
		);
	});
});

test('of equal requests just one is let in, and the others are told its id', () => {
	const keys = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 50 });
	fc.assert(
		fc.property(keys, (calls) => {
			const seen = new SeenRequests();
			const first = new Map<string, string>();
			calls.forEach((key, at) => {
				expect(seen.claim(key, String(at), NOW, NOW)).toBe(first.get(key) ?? null);
				if (!first.has(key)) first.set(key, String(at));
			});
		}),
	);
});

test('a list of addresses lets in just what is in it', () => {
	fc.assert(
		fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), (base, bits, caller) => {
			const number = (address: string): bigint =>
				address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
			const isWithin = (number(base) ^ number(caller)) >> BigInt(32 - bits) === 0n;
			const allows = readAllowList(`${base}/${bits}`);
			if ('problem' in allows) throw new Error(allows.problem);
			expect(allows(caller)).toBe(isWithin);
			expect(allows(`::ffff:${caller}`)).toBe(isWithin);
		}),
	);
});

test('any text is a list of addresses, or says what is wrong', () => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.ipV6(), anything), fc.string(), (list, caller) => {
			const read = readAllowList(list);
			expect('problem' in read ? typeof read.problem : typeof read(caller)).toMatch(
				/^(string|boolean)$/,
			);
		}),
	);
});

test('any parameters make an answer, or say which is wrong', () => {
	fc.assert(
		fc.property(fc.tuple(anything, anything, anything, anything), ([status, id, job, body]) => {
			const given = { statusCode: status, requestId: id, jobStatus: job, body, items: [{}] };
			try {
				expect(readAnswer(given).statusCode).toBe(status);
			} catch (error) {
				expect(error).toBeInstanceOf(InputError);
			}
		}),
	);
});
