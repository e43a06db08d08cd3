import { describe, expect, test } from '@jest/globals';
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { certificateThumbprint, readSigningKey } from '../../nodes/core/transport/keys';
import { TransportError } from '../../nodes/core/transport/types';
import { selfSigned } from './support/certificate';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const p256 = ec('P-256');
const pem = (key: typeof rsa.privateKey, type: 'pkcs8' | 'pkcs1' | 'sec1') =>
	key.export({ type, format: 'pem' }).toString();
const jwk = (key: typeof rsa.privateKey, more = {}) =>
	JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });
const pkcs8 = pem(rsa.privateKey, 'pkcs8');

function sameKey(text: string, pair: typeof rsa): boolean {
	const { key } = readSigningKey({ privateKey: text });
	const data = Buffer.from('data');
	return verify('sha256', data, pair.publicKey, sign('sha256', data, key));
}

describe('reads', () => {
	test.each([
		['PKCS#8 RSA', pkcs8, rsa],
		['PKCS#1 RSA', pem(rsa.privateKey, 'pkcs1'), rsa],
		['PKCS#8 EC', pem(p256.privateKey, 'pkcs8'), p256],
		['SEC1 EC', pem(p256.privateKey, 'sec1'), p256],
		['an RSA JWK', jwk(rsa.privateKey), rsa],
		['an EC JWK', jwk(p256.privateKey), p256],
		['literal \\n', pkcs8.replaceAll('\n', '\\n'), rsa],
		['literal \\r\\n', pkcs8.replaceAll('\n', '\\r\\n'), rsa],
		['blanks instead of line breaks', pkcs8.replaceAll('\n', ' '), rsa],
		['no line breaks at all', pkcs8.replaceAll('\n', ''), rsa],
		['Windows line breaks', pkcs8.replaceAll('\n', '\r\n'), rsa],
		['a JSON string', JSON.stringify(pkcs8), rsa],
		['blanks around it', `\n\n  ${pkcs8}  \n`, rsa],
		['indented lines', pkcs8.replaceAll('\n', '\n    '), rsa],
		['PKCS#1 on one line', pem(rsa.privateKey, 'pkcs1').replaceAll('\n', ' '), rsa],
		[
			'a file with certificate and key',
			`-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n${pkcs8}`,
			rsa,
		],
		[
			'EC parameters before the key',
			`-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem(p256.privateKey, 'sec1')}`,
			p256,
		],
	])('%s', (_, text, pair) => {
		expect(sameKey(text, pair)).toBe(true);
	});
});

describe('chooses the algorithm', () => {
	test.each([
		['RSA', pkcs8, undefined, 'RS256'],
		['RSA, told to', pkcs8, 'PS256', 'PS256'],
		['a JWK that says so', jwk(rsa.privateKey, { alg: 'RS512' }), undefined, 'RS512'],
		['a JWK, told otherwise', jwk(rsa.privateKey, { alg: 'RS512' }), 'RS384', 'RS384'],
		['P-256', pem(p256.privateKey, 'pkcs8'), undefined, 'ES256'],
		['P-384', pem(ec('P-384').privateKey, 'pkcs8'), undefined, 'ES384'],
		['P-521', pem(ec('P-521').privateKey, 'sec1'), undefined, 'ES512'],
		['an empty field', pkcs8, '', 'RS256'],
	])('for %s', (_, privateKey, algorithm, expected) => {
		const key = { privateKey, ...(algorithm === undefined ? {} : { algorithm }) };
		expect(readSigningKey(key).algorithm).toBe(expected);
	});

	test('and the key id', () => {
		const privateKey = jwk(rsa.privateKey, { kid: 'own' });
		expect(readSigningKey({ privateKey }).keyId).toBe('own');
		expect(readSigningKey({ privateKey, keyId: 'told' }).keyId).toBe('told');
		expect(readSigningKey({ privateKey: pkcs8 }).keyId).toBeUndefined();
	});
});

describe('refuses, with the next step,', () => {
	const encrypted = rsa.privateKey
		.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
		.toString();
	const oldEncrypted = rsa.privateKey
		.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
		.toString();
	const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
	const publicPkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
	const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
	const ed = generateKeyPairSync('ed25519').privateKey;
	const service = JSON.stringify({ type: 'service_account', private_key: pkcs8 });

	test.each([
		['nothing', '  ', 'is empty'],
		['an encrypted PKCS#8 key', encrypted, 'openssl pkey -in key.pem -out plain.pem'],
		['an encrypted PKCS#1 key', oldEncrypted, 'openssl pkey -in key.pem -out plain.pem'],
		['a public key', publicPem, 'is a public key: paste the private one'],
		['a PKCS#1 public key', publicPkcs1, 'is a public key: paste the private one'],
		['a public JWK', JSON.stringify(createPublicKey(publicPem).export({ format: 'jwk' })), '"d"'],
		[
			'a certificate',
			'-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
			'is a certificate: paste the private key that belongs to it',
		],
		[
			'an OpenSSH key',
			'-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----',
			'ssh-keygen',
		],
		['a key that is cut off', pkcs8.slice(0, 400), 'is cut off'],
		['a key with a hole', pkcs8.replace(/\n.{64}\n/, '\n'), 'cannot be read'],
		['a whole service account file', service, 'only the value of its "private_key"'],
		['a key set', JSON.stringify({ keys: [] }), 'is a set of keys'],
		['JSON that is cut off', '{"kty":"RSA"', 'is not complete'],
		['other JSON', '{"a":1}', 'no RSA or EC key in JWK form'],
		['an Ed25519 JWK', jwk(ed), 'no RSA or EC key in JWK form'],
		['an Ed25519 PEM', pem(ed, 'pkcs8'), 'is of a kind that is not supported'],
		['a weak RSA key', pem(weak, 'pkcs8'), 'less than 2048 bits'],
		['garbage', 'hunter2hunter2', 'is not a private key'],
	])('%s', (_, privateKey, message) => {
		let thrown: unknown;
		try {
			readSigningKey({ privateKey });
		} catch (error) {
			thrown = error;
		}
		expect(thrown).toBeInstanceOf(TransportError);
		expect(thrown).toMatchObject({ reason: 'configuration', mayHaveArrived: false });
		expect(String(thrown)).toContain(message);
	});

	test('an algorithm that does not fit', () => {
		expect(() => readSigningKey({ privateKey: pkcs8, algorithm: 'ES256' })).toThrow(
			'choose RS256 or RS384',
		);
		expect(() => readSigningKey({ privateKey: pkcs8, algorithm: 'none' })).toThrow(TransportError);
	});

	test('whatever else is pasted, without quoting it', () => {
		const pasted = fc.oneof(
			fc.string({ minLength: 12 }),
			fc.json(),
			fc
				.string({ minLength: 12 })
				.map((text) => `-----BEGIN PRIVATE KEY-----${text}-----END PRIVATE KEY-----`),
		);
		fc.assert(
			fc.property(pasted, (privateKey) => {
				try {
					readSigningKey({ privateKey });
				} catch (error) {
					expect(error).toBeInstanceOf(TransportError);
					if (privateKey.trim().length >= 12)
						expect(String(error)).not.toContain(privateKey.trim());
					return;
				}
				throw new Error('It was taken for a key');
			}),
		);
	});
});

describe('a certificate', () => {
	const pair = selfSigned('rsa');
	const other = selfSigned('rsa');
	const der = Buffer.from(pair.cert.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
	const thumbprint = createHash('sha256').update(der).digest('base64url');

	test.each([
		['as it is', pair.cert],
		['with literal \\n', pair.cert.replaceAll('\n', '\\n')],
		['on one line', pair.cert.replaceAll('\n', ' ')],
		['without line breaks', pair.cert.replaceAll('\n', '')],
		['indented, with Windows line breaks', pair.cert.replaceAll('\n', '\r\n\t')],
		['behind its key', pair.key + pair.cert],
		['before the rest of its chain', pair.cert + other.cert],
	])('has the SHA-256 of its DER as thumbprint: %s', (_, text) => {
		expect(certificateThumbprint(text, pair.key)).toEqual({ thumbprint });
	});

	test('a key that cannot be read is not judged here', () => {
		expect(certificateThumbprint(pair.cert, 'nonsense')).toEqual({ thumbprint });
	});

	test.each([
		['is empty', ' \n', pair.key],
		['is a private key', pair.key, pair.key],
		['is not a certificate', 'hello', pair.key],
		['cannot be read', pair.cert.replace(/[A-Za-z0-9]{40}/, ''), pair.key],
		['holds no RSA key', selfSigned().cert, pair.key],
		['does not belong to the private key', other.cert, pair.key],
	])('%s', (problem, text, key) => {
		expect(certificateThumbprint(text, key)).toEqual({
			problem: expect.stringMatching(new RegExp(`^${problem}(: .+|, .+)?$`)),
		});
	});
});
