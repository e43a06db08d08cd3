/**
 * Miro's own SDK as the oracle: the same thing is done through the SDK and through the connector,
 * against the same recording simulator, and what went over the wire is compared.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MiroLowlevelApi } from '@mirohq/miro-api';
import type { Connection } from '../../nodes/core/connection';
import { checkSetup } from '../../nodes/core/flow';
import { retrieve, revoke, within } from '../contract/suite';
import { ACCESS_TOKEN, ADMIN, type MiroBench, startMiro } from '../support/miro';

/** Where SDK and connector differ on purpose, and why that is right. */
const differences = {
	querySpaces: {
		what: 'a space in a query',
		sdk: '+',
		connector: '%20',
		why: 'both are a space to a form parser; only %20 is one to every URL parser',
	},
	queryCharacters: {
		what: '* and ~ in a query',
		sdk: '* as it is, ~ percent-encoded',
		connector: '* percent-encoded, ~ as it is',
		why: 'RFC 3986 reserves * and not ~; both mean the same value either way',
	},
	userAgent: {
		what: 'User-Agent',
		sdk: 'miro-api and its version',
		connector: 'not that',
		why: 'the connector is not the SDK, and must not be taken for it',
	},
	bareList: {
		what: 'the answer to a search by addresses',
		sdk: 'read as a page, so that nothing of the list is left',
		connector: 'read as the list that the specification describes',
		why: 'the SDK takes the first of the two schemas; of a search only the request can be compared',
	},
	anyAnswer: {
		what: 'the answer 200 to a reset',
		sdk: 'a success whatever its body is',
		connector: 'a success when it is empty',
		why: 'a page of a proxy has status 200 too',
	},
} as const;

const addresses = [
	'nora@example.com',
	'nora+alerts@example.com',
	'nora%2Balerts@example.com',
	'nora&emails=other@example.com',
	'100%@example.com',
	'nora#x@example.com',
	'nora x@example.com',
	`nora.o'neil@example.com`,
	'nora(admin)!*~@example.com',
	'björk@example.com',
	'用户@example.com',
	'👩‍💻@example.com',
	'"nora=x"@example.com',
] as const;

let bench: MiroBench;
let sdk: MiroLowlevelApi;
let connection: Connection;
let organization: string;

beforeAll(async () => {
	bench = await startMiro({
		seed(org) {
			for (const email of addresses) org.addUser({ email, sessions: 1 });
		},
	});
	sdk = new MiroLowlevelApi(ACCESS_TOKEN, bench.simulator.url);
	organization = bench.miro.organizationId;
});
beforeEach(async () => {
	await bench.reset();
	connection = bench.connection();
});
afterAll(() => bench.close());

type Recorded = MiroBench['simulator']['requests'][number];

/** The one request of a route that goes over the wire while `work` runs. */
async function recorded(route: string, work: () => Promise<unknown>): Promise<Recorded> {
	bench.simulator.forget();
	await work();
	expect(bench.simulator.unmatched).toEqual([]);
	const [request, ...more] = bench.simulator.requests.filter((each) => each.route === route);
	if (!request || more.length > 0) throw new Error(`${more.length + 1} requests, or none`);
	return request;
}

/** A request without what is free to differ. */
const meaning = ({ method, path, query, body, headers, status }: Recorded) => ({
	method,
	path,
	query: [...new URLSearchParams(query)],
	body,
	status,
	authorization: headers.authorization,
	accept: headers.accept,
	contentType: headers['content-type'],
	contentLength: headers['content-length'],
});

/** A query as the connector writes it, made of what the SDK wrote. */
const strict = (query: string): string =>
	query.replaceAll('+', '%20').replaceAll('*', '%2A').replaceAll('%7E', '~');

const MEMBERS = 'enterprise-get-organization-members';
const MEMBER = 'enterprise-get-organization-member';
const RESET = 'enterprise-post-user-sessions-reset';

describe('look-up', () => {
	test.each(addresses)('by address: %s', async (emails) => {
		const theirs = await recorded(MEMBERS, () =>
			sdk.enterpriseGetOrganizationMembers(organization, { emails }),
		);
		const ours = await recorded(MEMBERS, () => retrieve(connection, emails));
		expect(bench.simulator.violations).toEqual([]);
		expect(meaning(ours)).toEqual(meaning(theirs));
		expect(meaning(ours).query).toEqual([['emails', emails]]);
		expect(ours.query).toBe(strict(theirs.query));
	});

	test('by id', async () => {
		const id = bench.miro.getUser(addresses[0])?.id ?? '';
		const theirs = await recorded(MEMBER, () =>
			sdk.enterpriseGetOrganizationMember(organization, id),
		);
		const ours = await recorded(MEMBER, () => retrieve(connection, id));
		expect(meaning(ours)).toEqual(meaning(theirs));
	});

	test('the set-up check asks for one member', async () => {
		const theirs = await recorded(MEMBERS, () =>
			sdk.enterpriseGetOrganizationMembers(organization, { limit: 1 }),
		);
		const ours = await recorded(MEMBERS, () => checkSetup({ connection, budget: within(5_000) }));
		expect(meaning(ours)).toEqual(meaning(theirs));
	});
});

test('whose the token is', async () => {
	const theirs = await recorded('token-info', () => sdk.tokenInfo());
	const ours = await recorded('token-info', () => connection.ownAccount(within(5_000)));
	expect(meaning(ours)).toEqual(meaning(theirs));
	const { body } = await sdk.tokenInfo();
	expect(await connection.ownAccount(within(5_000))).toBe(body.user.id);
	expect(body.user.id).toBe(bench.miro.getUser(ADMIN)?.id);
});

describe('reset', () => {
	test.each(addresses)('of %s', async (email) => {
		const theirs = await recorded(RESET, () => sdk.enterprisePostUserSessionsReset(email));
		const ours = await recorded(RESET, () => revoke(connection, email));
		expect(bench.simulator.violations).toEqual([]);
		expect(meaning(ours)).toEqual(meaning(theirs));
		expect(meaning(ours)).toMatchObject({ query: [['email', email]], body: '', status: 200 });
		expect(ours.query).toBe(strict(theirs.query));
		expect(bench.miro.resetsOf(email)).toBe(2);
	});
});

describe('the differences are those that are listed', () => {
	test('User-Agent', async () => {
		const theirs = await recorded('token-info', () => sdk.tokenInfo());
		const ours = await recorded('token-info', () => connection.ownAccount(within(5_000)));
		expect(theirs.headers['user-agent']).toMatch(/^miro-api:/);
		expect(ours.headers['user-agent'] ?? '').not.toContain('miro-api');
	});

	test(differences.bareList.what, async () => {
		const emails = addresses[0];
		const { body } = await sdk.enterpriseGetOrganizationMembers(organization, { emails });
		expect(body.data).toBeUndefined();
		expect((await retrieve(connection, emails)).outcome).toBe('user_found');
	});

	test(differences.anyAnswer.what, async () => {
		const page = { match: RESET, fault: { kind: 'notJson' }, times: 2 } as const;
		bench.simulator.faults.next(page);
		await expect(sdk.enterprisePostUserSessionsReset(addresses[0])).resolves.toBeDefined();
		const result = await revoke(connection, addresses[0]);
		expect(result).toMatchObject({ outcome: 'failed', cause: 'unexpected_reply' });
	});
});

test.each(Object.values(differences))(
	'the difference is explained: $what',
	({ sdk: their, ...our }) => {
		expect(their).not.toBe(our.connector);
		expect(our.why.length).toBeGreaterThan(20);
	},
);
