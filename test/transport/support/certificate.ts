import { generateKeyPairSync, sign } from 'node:crypto';

/**
 * Makes a self-signed certificate for 127.0.0.1 and `localhost`, so that no key has to lie in the
 * repository and none expires: the few lines of DER that RFC 5280 asks for.
 */
export function selfSigned(kind: 'ec' | 'rsa' = 'ec'): { key: string; cert: string } {
	const { privateKey, publicKey } =
		kind === 'rsa'
			? generateKeyPairSync('rsa', { modulusLength: 2048 })
			: generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const name = seq(tlv(0x31, seq(oid('550403'), tlv(0x0c, Buffer.from('transport test')))));
	const year = (n: number) => tlv(0x18, Buffer.from(`${n}0101000000Z`));
	const algorithm =
		kind === 'rsa'
			? seq(oid('2a864886f70d01010b'), tlv(0x05, Buffer.alloc(0)))
			: seq(oid('2a8648ce3d040302'));
	const names = seq(tlv(0x87, Buffer.from([127, 0, 0, 1])), tlv(0x82, Buffer.from('localhost')));
	const body = seq(
		tlv(0xa0, tlv(0x02, Buffer.from([2]))),
		tlv(0x02, Buffer.from([1])),
		algorithm,
		name,
		seq(year(2020), year(2120)),
		name,
		publicKey.export({ type: 'spki', format: 'der' }),
		tlv(0xa3, seq(seq(oid('551d11'), tlv(0x04, names)))),
	);
	const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]);
	const der = seq(body, algorithm, tlv(0x03, signature)).toString('base64');
	return {
		key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
		cert: `-----BEGIN CERTIFICATE-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
	};
}

function tlv(tag: number, value: Buffer): Buffer {
	const { length } = value;
	const size =
		length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
	return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

function seq(...parts: Buffer[]): Buffer {
	return tlv(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
	return tlv(0x06, Buffer.from(hex, 'hex'));
}
