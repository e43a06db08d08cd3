import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { TransportError, type SigningKey } from './types';

/** A private key, and how it signs. */
export interface ReadKey {
	key: KeyObject;
	/** JOSE `alg`. */
	algorithm: string;
	/** JOSE `kid`, when the key has one. */
	keyId: string | undefined;
}

/** Node's name of a curve, and the one algorithm that fits it. https://www.rfc-editor.org/rfc/rfc7518#section-3.4 */
const curves: Readonly<Record<string, string>> = {
	prime256v1: 'ES256',
	secp384r1: 'ES384',
	secp521r1: 'ES512',
};
const rsaAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

/**
 * Reads a private key as a user pastes it: PEM (PKCS#8, PKCS#1, SEC1), also with its line breaks
 * lost or written as `\n`, or a JWK as JSON.
 *
 * @throws TransportError `configuration` that says what was pasted instead and what to do; never quotes it
 */
export function readSigningKey({ privateKey, keyId, algorithm }: SigningKey): ReadKey {
	const text = privateKey.trim();
	if (text === '') throw unusable('is empty: paste the private key');
	const jwk = text.startsWith('{') ? readJwk(text) : undefined;
	const key = jwk === undefined ? readPem(text) : parse({ key: jwk, format: 'jwk' });
	return {
		key,
		algorithm: fitting(key, firstFilled(algorithm, jwk?.alg)),
		keyId: firstFilled(keyId, jwk?.kid),
	};
}

function readJwk(text: string): Record<string, unknown> {
	let members: unknown;
	try {
		members = JSON.parse(text);
	} catch {
		throw unusable('starts like JSON but is not complete: paste the whole JWK, or the key as PEM');
	}
	const jwk = Object.fromEntries(Object.entries(members ?? {}));
	if (Array.isArray(jwk.keys)) {
		throw unusable('is a set of keys: paste only the one key, from its { to its }');
	}
	if (typeof jwk.private_key === 'string') {
		throw unusable('is a whole service account file: paste only the value of its "private_key"');
	}
	if (jwk.kty !== 'RSA' && jwk.kty !== 'EC') {
		throw unusable(
			'is JSON but no RSA or EC key in JWK form: paste a JWK with "kty", or the key as PEM',
		);
	}
	if (typeof jwk.d !== 'string') {
		throw unusable('is a public key: paste the private one, it has a member "d"');
	}
	return jwk;
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;

/** The blocks of a PEM text, whose line breaks may have been written as `\\n`. */
function pemBlocks(pasted: string): { text: string; blocks: { label: string; body: string }[] } {
	const text = pasted.replace(/\\r|\\n/g, '\n');
	const blocks = [...text.matchAll(pemBlock)].map(([, label = '', body = '']) => ({ label, body }));
	return { text, blocks };
}

function readPem(pasted: string): KeyObject {
	const { text, blocks } = pemBlocks(pasted);
	const block = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
	if (block === undefined) throw notAPrivateKey(blocks[0]?.label, text);
	if (block.label === 'ENCRYPTED PRIVATE KEY' || block.body.includes('ENCRYPTED')) {
		throw unusable(
			'is encrypted with a passphrase: decrypt it with "openssl pkey -in key.pem -out plain.pem" and paste plain.pem',
		);
	}
	if (block.label === 'OPENSSH PRIVATE KEY') {
		throw unusable(
			'is in OpenSSH format: convert it with "ssh-keygen -p -N \'\' -m PKCS8 -f key" and paste the file',
		);
	}
	// Pasting into a one-line field turns line breaks into blanks or drops them; PEM readers insist on them.
	const lines = block.body.replace(/\s/g, '').replace(/.{64}(?=.)/g, '$&\n');
	return parse({
		key: `-----BEGIN ${block.label}-----\n${lines}\n-----END ${block.label}-----\n`,
		format: 'pem',
	});
}

function notAPrivateKey(label: string | undefined, text: string): TransportError {
	if (label === 'CERTIFICATE') {
		return unusable('is a certificate: paste the private key that belongs to it');
	}
	if (label?.endsWith('PUBLIC KEY')) {
		return unusable('is a public key: paste the private one, it begins with "BEGIN PRIVATE KEY"');
	}
	if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) {
		return unusable('is cut off: paste it up to and with its last line, "END … PRIVATE KEY"');
	}
	return unusable(
		'is not a private key: paste a PEM text that begins with "BEGIN PRIVATE KEY", or a JWK',
	);
}

function parse(input: Parameters<typeof createPrivateKey>[0]): KeyObject {
	try {
		return createPrivateKey(input);
	} catch {
		// Node's message is dropped: it can quote what it could not read.
		throw unusable('cannot be read, a part of it is probably missing: paste the whole key again');
	}
}

function fitting(key: KeyObject, wanted: string | undefined): string {
	const details = key.asymmetricKeyDetails;
	if (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) < 2048) {
		throw unusable('is an RSA key of less than 2048 bits: create a longer one');
	}
	const possible =
		key.asymmetricKeyType === 'rsa'
			? rsaAlgorithms
			: [curves[key.asymmetricKeyType === 'ec' ? (details?.namedCurve ?? '') : ''] ?? []].flat();
	const chosen = wanted ?? possible[0];
	if (chosen === undefined) {
		throw unusable(
			'is of a kind that is not supported: create an RSA key, or an EC key on P-256, P-384 or P-521',
		);
	}
	if (!possible.includes(chosen)) {
		throw unusable(`cannot sign with the algorithm chosen: choose ${possible.join(' or ')}`);
	}
	return chosen;
}

/** A field left empty means the same as one that is absent. */
function firstFilled(...values: readonly unknown[]): string | undefined {
	return values.filter((value) => typeof value === 'string').find((value) => value !== '');
}

function unusable(what: string): TransportError {
	return new TransportError(`The private key ${what}`, 'configuration', false);
}

/**
 * Reads a certificate as a user pastes it, for `private_key_jwt` with the JOSE header `x5t#S256`. Of
 * a chain the first one counts. https://www.rfc-editor.org/rfc/rfc7515#section-4.1.8
 *
 * @param privateKey the key that is to belong to it; one that cannot be read is not judged here
 * @returns the base64url SHA-256 of the certificate's DER, or what is wrong with it, as a sentence that can follow "The field 'X' "
 */
export function certificateThumbprint(
	pasted: string,
	privateKey: string,
): { thumbprint: string } | { problem: string } {
	if (pasted.trim() === '') return { problem: 'is empty' };
	const { blocks } = pemBlocks(pasted);
	const block = blocks.find(({ label }) => label === 'CERTIFICATE');
	if (!block) {
		return blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))
			? { problem: 'is a private key: paste the certificate that was uploaded for it' }
			: { problem: 'is not a certificate: paste a PEM text that begins with "BEGIN CERTIFICATE"' };
	}
	let certificate: X509Certificate;
	try {
		certificate = new X509Certificate(Buffer.from(block.body, 'base64'));
	} catch {
		return { problem: 'cannot be read, a part of it is probably missing: paste it again' };
	}
	if (certificate.publicKey.asymmetricKeyType !== 'rsa') {
		return { problem: 'holds no RSA key: make a certificate with an RSA key' };
	}
	if (!mayBelong(certificate, privateKey)) {
		return { problem: 'does not belong to the private key: paste the two of one pair' };
	}
	return { thumbprint: createHash('sha256').update(certificate.raw).digest('base64url') };
}

function mayBelong(certificate: X509Certificate, privateKey: string): boolean {
	try {
		return certificate.checkPrivateKey(readSigningKey({ privateKey }).key);
	} catch {
		return true;
	}
}
