/**
 * The files of a new connector, as text. They compile and keep the architecture's rules, and they
 * fail closed: whatever is asked of the connector throws until its author has described it.
 */
import { nameConnector, type Names, refuseTaken, type Taken } from './names';

export { Refusal, type Taken } from './names';

/** What a scaffold consists of. */
export interface Scaffold {
	names: Names;
	/** Texts by their paths relative to the repository, not yet formatted. */
	files: ReadonlyMap<string, string>;
}

/**
 * Writes a connector that is still to be described.
 *
 * @param key the connector's key in `targets` and results
 * @param title the vendor's name
 * @throws Refusal for a name that cannot be used or is taken
 */
export function scaffold(key: string, title: string, taken: Taken): Scaffold {
	const names = nameConnector(key, title);
	const { folder, constant, page } = names;
	const files = new Map([
		[`nodes/${folder}/connector.ts`, connector(names)],
		[`nodes/${folder}/credential.ts`, credential(names)],
		[`nodes/${folder}/replies.ts`, replies(names)],
		[`nodes/${folder}/undescribed.ts`, undescribed(names)],
		[`nodes/${folder}/${folder}Sessions.node.ts`, node(names)],
		[`nodes/${folder}/${constant}.svg`, icon('#1B3A8A', '#D6336C')],
		[`nodes/${folder}/${constant}.dark.svg`, icon('#9DB8FF', '#FF7EA8')],
		[`credentials/${folder}SessionsApi.credentials.ts`, credentialClass(names)],
		[`docs/connectors/${page}.md`, documentation(names)],
		[`test/simulator/${page}.ts`, simulator(names)],
		[`test/contract/benches/${page}.ts`, bench(names)],
	]);
	refuseTaken(names, files.keys(), taken);
	return { names, files };
}

/** What is left to do, in order, for the person who asked for the scaffold. */
export function remainingSteps({ names: { key, title, folder, page } }: Scaffold): string {
	const steps: readonly (readonly [what: string, why: string])[] = [
		[`nodes/${folder}/credential.ts`, 'the fields, what makes them valid, where they lead'],
		[`nodes/${folder}/replies.ts`, 'what is read of the answers, each with its document'],
		[`nodes/${folder}/connector.ts`, 'look-up, revocation, read-back, what survives'],
		[`nodes/${folder}/undescribed.ts`, 'goes away with the last call of it'],
		[`nodes/${folder}/*.svg`, 'icons of your own drawing, for light and for dark'],
		[`test/simulator/${page}.ts`, 'the vendor by its documents alone, never by the connector'],
		[
			`test/contract/benches/${page}.ts`,
			'the facts that the contract suite asks; add it to index.ts',
		],
		[`docs/connectors/${page}.md`, 'set-up with the fewest rights, what ends, what survives'],
		[
			'npm run generate',
			`adds '${key}' to the registry, package.json and index.js, and fills the tables of its page`,
		],
		['npm test', 'fails until all of this is done'],
		['npm run changeset', 'one entry, in prose'],
	];
	const width = Math.max(...steps.map(([what]) => what.length));
	const lines = steps.map(
		([what, why], index) => `${String(index + 1).padStart(3)}. ${what.padEnd(width)}  ${why}`,
	);
	return `What is left, in this order:

${lines.join('\n')}

The contract suite in test/contract then holds ${title} to what every connector promises:
sessions that are really gone in the simulator, nobody else touched, every fault told truthfully,
no secret in any result, and every request documented. Beside it, n8n's linter reads every label,
and no file, no export and no DESCRIBE may be left over.

Find what is left: grep -rn DESCRIBE nodes/${folder} docs/connectors/${page}.md test
`;
}

const connector = ({ key, title, folder, constant, page, credential }: Names): string => `/**
 * ${title}: DESCRIBE in one sentence by which APIs users are found, sessions are ended and the result
 * is read back.
 *
 * This file came from the scaffold. What it asks ${title} is an example, so each part refuses to work
 * until the call of \`undescribed\` in it is removed.
 *
 * @see DESCRIBE the address of the vendor's reference
 */
import { z } from 'zod';
import {
	defineConnector,
	expectJson,
	type Inquiry,
	type Lookup,
	path,
	sameName,
	type Survivor,
	type User,
	type VendorReply,
} from '../core/connector';
import { access, type ${folder}Credential, fields, schema } from './credential';
import { ${constant}Error, ${constant}User, type ${folder}User } from './replies';
import { undescribed } from './undescribed';

/** What the revocation needs to know of the user. */
interface Account {
	id: string;
}

/** DESCRIBE: each option that widens or destroys is off by default. */
const options = z.record(z.string(), z.never());

type Options = z.infer<typeof options>;

/**
 * An exact match on the unique sign-in name or the id wins; only when there is none are addresses
 * and aliases asked for. Two or more distinct accounts are \`many\`, and nobody is touched.
 */
function* lookUp(identity: string): Inquiry<Lookup<Account>> {
	undescribed('lookUp');
	const reply = yield {
		method: 'GET',
		path: path\`/describe/users/\${identity}\`,
		idempotent: true,
		bucket: 'users/{id}',
		needs: ['describe the permission'],
	};
	if (reply.status === 404) return { found: 'none', reply };
	const user = expectJson(reply, ${constant}User);
	// An answer about somebody else must not pass for the user who is meant.
	if (user.id !== identity && !sameName(user.email, identity)) return { found: 'none', reply };
	return { found: 'one', reply, user: asUser(user), account: { id: user.id } };
}

const asUser = ({ id, email, name, status }: ${folder}User): User => ({
	id,
	login: email ?? null,
	email: email ?? null,
	displayName: name ?? null,
	status: status ?? null,
});

function errorCode(reply: VendorReply): string | null {
	const parsed = ${constant}Error.safeParse(reply.body);
	return parsed.success ? parsed.data.code : null;
}

/** DESCRIBE what stays valid after a revocation, with the longest time where the documents name one. */
const survives = (): readonly Survivor[] => [
	{
		what: 'access that nobody has described yet',
		forMs: null,
		note: 'Which access outlives a revocation at ${title} is not described yet',
	},
];

export const ${constant} = defineConnector<${folder}Credential, Account, Options>({
	key: '${key}',
	title: '${title}',
	node: {
		className: '${folder}Sessions',
		displayName: '${title} Sessions',
		description: 'Look up users of ${title} and end their sessions',
		icon: '${constant}',
		alias: ['Sign Out', 'Log Out', 'Incident Response', 'Identity'],
	},
	docs: '${page}',
	userPlaceholder: 'e.g. jane@example.com',
	operations: ['retrieveUser', 'revokeAllSessions', 'checkSetup'],
	options: { fields: [], schema: options },
	credential: {
		name: '${credential}',
		displayName: '${title} Sessions API',
		fields,
		schema,
		test: { baseUrlField: 'url', path: '/describe/users?limit=1', needs: 'describe the permission' },
	},
	access,
	/** DESCRIBE the header, in lower case, or the member of the body in which ${title} names a request. */
	requestId: null,
	errorCode,
	lookUp,
	endedOutcome: 'revoked',

	/** @see DESCRIBE the document of the call */
	revocation({ id }) {
		undescribed('revocation');
		return [
			{
				request: {
					method: 'DELETE',
					path: path\`/describe/users/\${id}/sessions\`,
					idempotent: true,
					bucket: 'users/{id}/sessions',
					needs: ['describe the permission'],
				},
				ends: ['sessions'],
				judge(reply) {
					if (reply.status === 204) return { verdict: 'ended', changed: null };
					return reply.status === 404 ? { verdict: 'user_gone' } : undefined;
				},
			},
		];
	},

	survives,

	*checkSetup() {
		undescribed('checkSetup');
		const reply = yield {
			method: 'GET',
			path: '/describe/users',
			query: { limit: 1 },
			idempotent: true,
			bucket: 'users',
			needs: ['describe the permission'],
		};
		expectJson(reply, z.array(${constant}User));
		return { missingPermissions: [], unproved: 'Whether the credential may end sessions was not asked' };
	},
});
`;

const credential = ({ title, folder }: Names): string => `import { z } from 'zod';
import { type Access, type Field, readBaseUrl, readWord, refusing } from '../core/connector';
import { undescribed } from './undescribed';

export interface ${folder}Credential {
	url: string;
	accessToken: string;
}

/** DESCRIBE the fields that a user fills in; secrets have the type \`secret\`. */
export const fields: readonly Field[] = [
	{
		name: 'url',
		label: 'URL',
		type: 'string',
		required: true,
		placeholder: 'e.g. https://api.example.com',
		description: 'The address of the ${title} API, without a path',
	},
	{
		name: 'accessToken',
		label: 'Access Token',
		type: 'secret',
		required: true,
		description: 'A token with the rights to look up users and to end their sessions',
	},
];

export const schema = z
	.object({ url: z.string().default(''), accessToken: z.string().default('') })
	.transform((typed, context): ${folder}Credential => {
		const wrong = refusing<keyof typeof typed>(context);
		const base = readBaseUrl(typed.url, { allowPath: false });
		if ('problem' in base) return wrong('url', base.problem);
		const token = readWord(typed.accessToken, 'token', 'Bearer');
		if ('problem' in token) return wrong('accessToken', token.problem);
		return { url: base.url, accessToken: token.word };
	});

/** @see DESCRIBE the document of the authentication */
export function access({ url, accessToken }: ${folder}Credential): Access {
	undescribed('access');
	return {
		baseUrl: url,
		authentication: { type: 'header', name: 'Authorization', value: \`Bearer \${accessToken}\` },
		secrets: [accessToken],
	};
}
`;

const replies = ({
	title,
	folder,
	constant,
}: Names): string => `/** The parts of ${title}'s answers that the connector reads. Nothing else is relied on. */
import { z } from 'zod';

const text = z.string().nullish();

/**
 * A user.
 *
 * @see DESCRIBE the document of the look-up
 */
export const ${constant}User = z.object({
	id: z.string().min(1),
	email: text,
	name: text,
	status: text,
});

export type ${folder}User = z.infer<typeof ${constant}User>;

/**
 * The error object of a failed call.
 *
 * @see DESCRIBE the document of the error codes
 */
export const ${constant}Error = z.object({ code: z.string() });
`;

const undescribed = ({
	title,
	folder,
}: Names): string => `/** Stops what nobody has described yet: a guess could end the wrong sessions, or report success for nothing. */
export function undescribed(part: string): void {
	throw new Error(\`${title}: '\${part}' is not described yet, see nodes/${folder}/\`);
}
`;

const node = ({
	folder,
	constant,
}: Names): string => `import { sessionsNode } from '../core/n8n/node';
import { ${constant} } from './connector';

export class ${folder}Sessions extends sessionsNode(${constant}) {}
`;

const credentialClass = ({
	folder,
	constant,
}: Names): string => `import { credentialFor } from '../nodes/core/n8n/credential';
import { ${constant} } from '../nodes/${folder}/connector';

export class ${folder}SessionsApi extends credentialFor(${constant}) {}
`;

/** A plug that is drawn from its socket: a placeholder, the same for every vendor. */
const icon = (
	line: string,
	accent: string,
): string => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 60" width="60" height="60" fill="none">
	<path d="M10 30h12M38 30h12" stroke="${line}" stroke-width="6" stroke-linecap="round" stroke-dasharray="1 9"/>
	<path d="M22 18v24M38 18v24" stroke="${line}" stroke-width="7" stroke-linecap="round"/>
	<path d="M30 8v44" stroke="${accent}" stroke-width="5" stroke-linecap="round"/>
</svg>
`;

const documentation = ({ title, folder }: Names): string => `# ${title}

DESCRIBE in two sentences what this connector does at ${title}, and for which product and plan.

<!-- generated: about -->
<!-- /generated -->

## Set-up with the fewest rights

DESCRIBE each step in ${title}'s administration, and what each right is for.

## Credential fields

<!-- generated: fields -->
<!-- /generated -->

DESCRIBE what the fields do not say by themselves, and what the credential's test asks for.

## Operations and options

<!-- generated: operations -->
<!-- /generated -->

<!-- generated: options -->
<!-- /generated -->

## Who is meant

DESCRIBE which names are asked for, in which order, and when the user is ambiguous.

## What ends and what survives

DESCRIBE both for each option. Results say so in \`survives\` in these words:

<!-- generated: survives -->
<!-- /generated -->

## Verification

DESCRIBE where it is read back, or that there is no way.

## Rate limits

DESCRIBE the vendor's limits and what they mean for many users.

## When it fails

DESCRIBE the vendor's codes beside the [outcomes](../outcomes.md).

## Limits

DESCRIBE what this connector cannot do.

## What the tests leave out

Every system goes through one suite of tests against a simulation of it. What cannot be tried here,
and why:

<!-- generated: left out -->
<!-- /generated -->

## Sources

DESCRIBE the vendor's documents that nodes/${folder} was written from.
`;

const simulator = ({ title, folder, page }: Names): string => `/**
 * A simulated ${title}: documented routes over a small state of its own. Written from ${title}'s published
 * documents, never from the connector, so that the two can disagree.
 *
 * DESCRIBE: one entry of \`routes\` for each documented operation, with the address of the document
 * that its facts come from. As long as there is none, every request counts as unmatched.
 */
import { randomUUID } from 'node:crypto';
import type { Reply, SimulatedRoute, SimulatedVendor } from './simulator';

/** A user, as far as the documents tell. */
export interface ${folder}Person {
	id: string;
	login: string;
	email: string;
	sessions: string[];
}

/** DESCRIBE the error object as it is documented. */
const refusal = (status: number, code: string): Reply => ({ status, body: { code } });

/** A simulated ${title}: the vendor for \`startSimulator\`, and the state that tests look at. */
export class ${folder} implements SimulatedVendor {
	readonly name = '${page}';
	readonly routes: readonly SimulatedRoute[] = [];
	readonly people = new Map<string, ${folder}Person>();

	constructor(private readonly seed: (fresh: ${folder}) => void) {
		seed(this);
	}

	addUser(login: string, email = login, sessions = 0): string {
		const id = randomUUID();
		const ids = Array.from({ length: sessions }, () => randomUUID());
		this.people.set(login, { id, login, email, sessions: ids });
		return id;
	}

	signIn(login: string): string {
		const session = randomUUID();
		this.people.get(login)?.sessions.push(session);
		return session;
	}

	notFound(): Reply {
		return refusal(404, 'describe_not_found');
	}

	error(status: number): Reply {
		return refusal(status, 'describe_error');
	}

	/** DESCRIBE the headers that name the time. */
	rateLimited(): Reply {
		return refusal(429, 'describe_rate_limited');
	}

	state(): unknown {
		return { users: [...this.people.values()] };
	}

	reset(): void {
		this.people.clear();
		this.seed(this);
	}
}
`;

const bench = ({
	title,
	folder,
	constant,
	page,
}: Names): string => `/** DESCRIBE every fact below: what stands here is an example, and no case passes with it. */
import { connect } from '../../../nodes/core/connection';
import { closeAll } from '../../../nodes/core/transport';
import { ${constant} as connector } from '../../../nodes/${folder}/connector';
import { ${folder} } from '../../simulator/${page}';
import { startSimulator } from '../../simulator/simulator';
import type { Bench, VendorFacts } from '../bench';

const HAPPY = 'jane@example.com';
const TOKEN = 'a-token-that-opens-nothing-real';
const crowd = Array.from({ length: 50 }, (_, index) => \`crowd\${index}@example.com\`);

function seed(fresh: ${folder}): void {
	for (const login of [HAPPY, 'joe@example.com', 'owner@example.com', ...crowd]) {
		fresh.addUser(login, login, 2);
	}
	fresh.addUser('shadow@example.com', 'joe@example.com', 2);
	fresh.addUser('twin.one@example.com', 'shared@example.com', 2);
	fresh.addUser('twin.two@example.com', 'shared@example.com', 2);
	fresh.addUser('clean@example.com');
	fresh.addUser('left@example.com');
}

function undescribed(part: string): never {
	throw new Error(\`${title}: '\${part}' of the bench is not described yet\`);
}

async function start(): Promise<Bench> {
	const vendor = new ${folder}(seed);
	const simulator = await startSimulator(vendor);
	return {
		simulator,
		connection: ({ surroundings } = {}) =>
			connect(
				connector,
				{ url: simulator.url, accessToken: TOKEN },
				{ usersInParallel: 10, log: () => undefined, ...surroundings },
			),
		secretsOf: () => [TOKEN],
		async reset() {
			await closeAll();
			simulator.faults.clear();
			vendor.reset();
			simulator.forget();
		},
		everyone: () =>
			Object.fromEntries(
				[...vendor.people.values()].map(({ login, sessions }) => [
					login,
					{ sessions: sessions.length },
				]),
			),
		addUser: ({ login, email }) => vendor.addUser(login, email, 1),
		signIn: (login) => vendor.signIn(login),
		isLive: (id) => [...vendor.people.values()].some(({ sessions }) => sessions.includes(id)),
		errorWith: (text) => ({ code: text }),
		withdrawTokens: () => undescribed('withdrawTokens'),
		hideRevocations: () => undescribed('hideRevocations'),
		answerEveryLookUpWith: () => undescribed('answerEveryLookUpWith'),
		loseUserAtRevocation: () => undescribed('loseUserAtRevocation'),
		close: async () => {
			await simulator.close();
			await closeAll();
		},
	};
}

export const ${constant}: VendorFacts = {
	connector,
	people: {
		happy: HAPPY,
		bystander: 'joe@example.com',
		missing: 'nobody@example.com',
		ambiguous: {
			identity: 'shared@example.com',
			logins: ['twin.one@example.com', 'twin.two@example.com'],
		},
		signInNameWins: { identity: 'joe@example.com', shadow: 'shadow@example.com' },
		clean: { identity: 'clean@example.com', outcome: 'nothing_to_revoke', changed: false },
		deactivated: { identity: 'left@example.com', status: 'DESCRIBE' },
		own: 'owner@example.com',
		shortName: 'jane',
		unsupported: [],
		crowd,
	},
	lookUps: [
		{
			title: 'sign-in name',
			identity: HAPPY,
			match: ({ route }) => route === 'DESCRIBE',
			ownNotFound: 'user_not_found',
			needs: ['DESCRIBE'],
			sendsWhenDenied: 1,
		},
	],
	revoke: {
		match: ({ route }) => route === 'DESCRIBE',
		requests: 1,
		idempotent: true,
		outcome: 'revoked',
		statusCode: 204,
		changed: null,
		ended: ['sessions'],
		held: 'sessions',
		ownNotFound: 'user_not_found',
		whenLost: 'revoked',
		lists: { leftOut: 'DESCRIBE what has to be listed before it can be ended, or why nothing has' },
		needs: ['DESCRIBE'],
	},
	ownAccount: { leftOut: 'DESCRIBE how the vendor tells whose the credential is, or why not' },
	widening: [],
	readBack: { leftOut: 'DESCRIBE where a revocation shows, or why it shows nowhere' },
	checkNeeds: ['DESCRIBE'],
	batch: { leftOut: 'DESCRIBE how many users share a request, or why they cannot' },
	listing: { leftOut: 'DESCRIBE how sessions are listed, or why that cannot be asked' },
	oneSession: { leftOut: 'DESCRIBE how one session ends, or why that cannot be asked' },
	authentications: [{ title: 'DESCRIBE', tokenRequests: 0 }],
	unusedRoutes: {},
	cannotHave: () => null,
	leftOut: {},
	start,
};
`;
