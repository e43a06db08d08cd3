/** From where the webhook may be called. */
import { BlockList, isIP } from 'node:net';
import { readEntries } from '../everywhere/protect';

/** Says whether an address may call. */
export type AllowList = (address: string | undefined) => boolean;

/**
 * Reads addresses and CIDR ranges, one per line or comma; IPv4 and IPv6.
 *
 * @returns who may call, everybody when the text is blank; or what is wrong, as a sentence that can
 * follow "The parameter 'Allowed IPs' "
 */
export function readAllowList(value: unknown): AllowList | { problem: string } {
	if (typeof value !== 'string') return { problem: 'is not text' };
	if (value.trim() === '') return () => true;
	const entries = readEntries(value);
	if ('problem' in entries) return entries;
	if (entries.length === 0) return { problem: 'holds no address' };
	const list = new BlockList();
	for (const entry of entries) {
		const [address = '', prefix, ...more] = entry.split('/');
		const family = familyOf(address);
		const bits = family === 'ipv4' ? 32 : 128;
		const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
		if (family === null || more.length > 0 || !(length <= bits)) {
			return { problem: `holds '${entry}', which is neither an address nor a range` };
		}
		list.addSubnet(address, length, family);
	}
	return (address = '') => {
		// A link-local address comes with the name of the interface.
		const [plain = ''] = address.split('%');
		const family = familyOf(plain);
		return family !== null && list.check(plain, family);
	};
}

const familyOf = (address: string): 'ipv4' | 'ipv6' | null => {
	const version = isIP(address);
	if (version === 0) return null;
	return version === 4 ? 'ipv4' : 'ipv6';
};
