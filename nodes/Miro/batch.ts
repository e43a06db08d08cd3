/**
 * Addresses of several users in one search of the members.
 *
 * @see https://developers.miro.com/reference/enterprise-get-organization-members
 */
import type { Batch, VendorRequest } from '../core/connector';

/** Commas separate the addresses of a search, and nothing is documented to quote them. */
export const SEPARATOR = ',';

const search: Batch = {
	name: 'emails',
	/** "Maximum emails size is 10" */
	most: 10,
	fromUsers: 2,
	gatherMs: 5,
	combine(requests) {
		const [first] = requests;
		if (!first) throw new TypeError('There is nothing to search for');
		const emails = requests.map(({ query }) => query?.emails).join(SEPARATOR);
		return { ...first, query: { emails } };
	},
	/** The list of all members found answers each search: every look-up takes none but its own. */
	split: () => undefined,
};

const plain = /^[\w.+-]+@(?:[a-z\d-]+\.)+[a-z]{2,}$/i;

/** An address that Miro might refuse goes alone: the refusal would be that of the others too. */
export const sharing = (email: string): Pick<VendorRequest, 'batch'> =>
	plain.test(email) ? { batch: search } : {};
