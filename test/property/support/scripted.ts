/** A vendor that exists in memory only and answers as a script says: for what must hold of the flow whatever a vendor does. */
import fc from 'fast-check';
import { z } from 'zod';
import type { Connection } from '../../../nodes/core/connection';
import {
	type Connector,
	defineConnector,
	expectJson,
	type ReadBack,
	type StepVerdict,
	type User,
} from '../../../nodes/core/connector';
import type { Task } from '../../../nodes/core/flow';
import type { RefusalCause } from '../../../nodes/core/outcome';
import {
	type Line,
	type TransportCause,
	TransportError,
	type VendorReply,
	type VendorRequest,
} from '../../../nodes/core/transport/types';

/** What becomes of one request: an answer with this status, or none. */
type Reaction =
	{ status: number; usable: boolean } | { thrown: TransportCause; mayHaveArrived: boolean };

type LookUp =
	| { found: 'one'; refusal: RefusalCause | null }
	| { found: 'none' }
	| { found: 'many' }
	| { found: 'refused'; refusal: RefusalCause };

export interface Script {
	lookUp: { reaction: Reaction; result: LookUp };
	/** Null: the vendor needs no reading before its revocation. */
	list: Reaction | null;
	steps: readonly { reaction: Reaction; verdict: StepVerdict | null }[];
	/** Null: the vendor has none. */
	readBack: { reaction: Reaction; seen: ReadBack; possible: boolean } | null;
	/** The account that the credential acts as is the user that the look-up finds. */
	isOwn: boolean;
	/** What `mayTouch` says to the user. */
	mayTouch: RefusalCause | null;
	settings: Pick<Task, 'verify' | 'allowShortNames' | 'allowOwnIdentity' | 'dryRun'>;
	/** Turns of the event loop before each answer. */
	patience: number;
}

/** Something that happened, in order. */
export interface Happening {
	who: string;
	what: 'send' | 'done';
	path: string;
}

export interface Scripted {
	task: Omit<Task, 'mayTouch'>;
	script: Script;
	/** Requests in the order in which they were sent. */
	sent: readonly VendorRequest[];
	/** How many of them left: all but those that were stopped on this side. */
	left(): number;
}

export const USER: User = {
	id: 'id-1',
	login: 'jane@example.com',
	email: 'jane.doe@example.com',
	displayName: 'Jane',
	status: 'ACTIVE',
};

const request = (method: VendorRequest['method'], path: string): VendorRequest => ({
	method,
	path,
	idempotent: true,
	bucket: path,
	needs: [`needs ${path}`],
});

const usable = z.object({ usable: z.literal(true) });

const refusal = (cause: RefusalCause) => ({ cause, why: `Refused: ${cause}` });

/** Makes a task for a vendor that follows the script. */
export function scripted(
	script: Script,
	{
		key = 'scripted',
		happenings = [],
		user = USER,
	}: {
		key?: string;
		happenings?: Happening[];
		user?: User;
	} = {},
): Scripted {
	const sent: VendorRequest[] = [];
	let left = 0;
	const line: Line = {
		async send(asked, { onSend }) {
			sent.push(asked);
			const reaction = reactionTo(script, asked.path);
			if (!('thrown' in reaction) || reaction.mayHaveArrived) {
				left += 1;
				onSend?.();
			}
			happenings.push({ who: key, what: 'send', path: asked.path });
			for (let turn = 0; turn < script.patience; turn++) {
				await new Promise((next) => setImmediate(next));
			}
			happenings.push({ who: key, what: 'done', path: asked.path });
			return react(reaction);
		},
		wait: () => Promise.resolve(),
		grantedScopes: () => Promise.resolve(null),
		urlOf: ({ path }) => `https://vendor.example${path}`,
		redact: (value) => value,
	};
	const connection: Connection = {
		connector: connectorFor(script, key, user),
		credential: {},
		line,
		isInsecure: false,
		ownAccount: () => Promise.resolve(script.isOwn ? user.id : 'somebody-else'),
	};
	return {
		task: {
			connection,
			identity: user.login ?? user.id,
			options: {},
			budget: { deadline: performance.now() + 10_000 },
			...script.settings,
		},
		script,
		sent,
		left: () => left,
	};
}

function reactionTo(script: Script, path: string): Reaction {
	if (path === '/lookup') return script.lookUp.reaction;
	if (path === '/list' && script.list) return script.list;
	if (path === '/read' && script.readBack) return script.readBack.reaction;
	const step = script.steps[Number(/^\/revoke\/(\d+)$/.exec(path)?.[1])];
	if (!step) throw new Error(`The script does not know ${path}`);
	return step.reaction;
}

function react(reaction: Reaction): VendorReply {
	if ('thrown' in reaction) {
		throw new TransportError('It went wrong', reaction.thrown, reaction.mayHaveArrived, 502);
	}
	return {
		status: reaction.status,
		headers: { 'x-request-id': 'request-1' },
		body: { usable: reaction.usable },
		bodyKind: 'json',
		serverTime: Date.now(),
	};
}

function connectorFor(script: Script, key: string, user: User): Connector {
	const { lookUp, list, steps, readBack } = script;
	return defineConnector<unknown, { id: string }, unknown>({
		key,
		title: 'Scripted',
		node: {
			className: 'ScriptedSessions',
			displayName: 'Scripted Sessions',
			description: 'Follows a script',
			icon: 'scripted',
			alias: [],
		},
		docs: 'scripted',
		userPlaceholder: 'e.g. jane@example.com',
		operations: ['revokeAllSessions'],
		options: { fields: [], schema: z.unknown() },
		credential: {
			name: 'scriptedSessionsApi',
			displayName: 'Scripted Sessions API',
			fields: [],
			schema: z.unknown(),
			test: { baseUrlField: 'url', path: '/', needs: '' },
		},
		access: () => ({
			baseUrl: 'https://vendor.example',
			authentication: { type: 'none' },
			secrets: [],
		}),
		requestId: { header: 'x-request-id' },
		errorCode: () => null,
		*lookUp() {
			const { result } = lookUp;
			if (result.found === 'refused') return { found: 'refused', refusal: refusal(result.refusal) };
			const reply = yield request('GET', '/lookup');
			expectJson(reply, usable);
			if (result.found === 'none') return { found: 'none', reply };
			if (result.found === 'many') {
				return { found: 'many', reply, candidates: [user, { ...user, id: 'id-2' }] };
			}
			return {
				found: 'one',
				reply,
				user,
				account: { id: user.id },
				...(result.refusal ? { refusal: refusal(result.refusal) } : {}),
			};
		},
		endedOutcome: 'revoked',
		revocation() {
			const requests = steps.map(({ verdict }, index) => ({
				request: request('DELETE', `/revoke/${index}`),
				ends: [`access ${index}`],
				judge: () => verdict ?? undefined,
			}));
			if (!list) return requests;
			return [
				{
					lists: 'sessions',
					*list() {
						expectJson(yield request('GET', '/list'), usable);
						return requests;
					},
				},
			];
		},
		...(readBack
			? {
					readBack: {
						method: 'the script',
						polls: [0, 1],
						*read() {
							expectJson(yield request('GET', '/read'), usable);
							return readBack.seen;
						},
						isPossible: () => readBack.possible,
					},
				}
			: {}),
		survives: () => [{ what: 'app sessions', forMs: 3_600_000, note: 'They live on' }],
		*checkSetup() {
			expectJson(yield request('GET', '/lookup'), usable);
			return { missingPermissions: [], unproved: null };
		},
	});
}

const causes: readonly TransportCause[] = [
	'blocked_by_policy',
	'cancelled',
	'configuration',
	'credential_invalid',
	'permission_denied',
	'rate_limited',
	'timeout',
	'unavailable',
	'unexpected_reply',
];
const refusals: readonly RefusalCause[] = ['external_user', 'unsupported_user', 'protected_user'];

const good = fc.constant<Reaction>({ status: 200, usable: true });
const anyReaction: fc.Arbitrary<Reaction> = fc.oneof(
	{ weight: 3, arbitrary: good },
	{
		weight: 2,
		arbitrary: fc.record({
			status: fc.constantFrom(200, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503),
			usable: fc.boolean(),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({ thrown: fc.constantFrom(...causes), mayHaveArrived: fc.boolean() }),
	},
);
/** Mostly fine, so that scripts get as far as the revocation. */
const mostlyGood = fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: anyReaction });
const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
	fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value });

const verdict: fc.Arbitrary<StepVerdict | null> = fc.oneof(
	{
		weight: 4,
		arbitrary: fc
			.constantFrom(true, false, null)
			.map((changed): StepVerdict => ({ verdict: 'ended', changed })),
	},
	{
		weight: 3,
		arbitrary: fc
			.constantFrom('already_gone' as const, 'queued' as const, 'user_gone' as const)
			.map((one): StepVerdict => ({ verdict: one })),
	},
	{ weight: 1, arbitrary: fc.constant(null) },
);

const seen: fc.Arbitrary<ReadBack> = fc.oneof(
	fc.constantFrom<ReadBack>({ seen: 'confirmed' }, { seen: 'not_yet' }),
	fc.integer({ min: 1, max: 9 }).map((remaining): ReadBack => ({ seen: 'residue', remaining })),
);

/** Any vendor, any user, any settings. */
export const anyScript: fc.Arbitrary<Script> = fc.record({
	lookUp: fc.record({
		reaction: mostlyGood,
		result: fc.oneof(
			{
				weight: 6,
				arbitrary: rarely(fc.constantFrom(...refusals)).map((cause): LookUp => ({
					found: 'one',
					refusal: cause,
				})),
			},
			{
				weight: 1,
				arbitrary: fc.constantFrom<LookUp>(
					{ found: 'none' },
					{ found: 'many' },
					{ found: 'refused', refusal: 'unsupported_user' },
				),
			},
		),
	}),
	list: fc.option(mostlyGood),
	steps: fc.array(fc.record({ reaction: mostlyGood, verdict }), { maxLength: 4 }),
	readBack: fc.option(fc.record({ reaction: mostlyGood, seen, possible: fc.boolean() })),
	isOwn: rarely(fc.constant(true)).map((own) => own === true),
	mayTouch: rarely(fc.constantFrom(...refusals)),
	settings: fc.record({
		verify: fc.boolean(),
		allowShortNames: fc.boolean(),
		allowOwnIdentity: fc.boolean(),
		dryRun: rarely(fc.constant(true)).map((dry) => dry === true),
	}),
	patience: fc.nat(3),
});
