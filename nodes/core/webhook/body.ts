/** What a signed request says: whom it means, where, and why. */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { attempt } from '../attempt';
import { type Identities, identitiesSchema } from '../everywhere/identities';
import { readIdentity } from '../identity';
import { RefusedRequest, type RefusalCode } from './refusal';

/** The one thing that can be asked for. */
const ACTION = 'revoke_sessions';

const LONGEST_TEXT = 2_000;

/** What the workflow gets of a request; Revoke Everywhere reads these members by their names. */
export interface RevocationRequest {
	requestId: string;
	tenantId: string | null;
	user: string;
	/** As the sender gave them; empty when there are none. */
	identities: unknown;
	/** Null: the sender named none. */
	targets: readonly string[] | null;
	targetMode: 'configured' | 'selected';
	reason: string | null;
	source: string | null;
	/** What else the sender sent. */
	extra: Readonly<Record<string, unknown>>;
	/** ISO 8601. */
	receivedAt: string;
}

export interface BodyRules {
	/** The tenant for which the credential speaks; null: any. */
	tenantId: string | null;
	/** Keys of the systems that there are. */
	targets: readonly string[];
	newRequestId: () => string;
	/** When the request came, in Unix milliseconds. */
	receivedAt: number;
}

/** An id as ours, or a sender's own. It has no dot, so that it stays apart from the tenant where both are signed. */
export const requestIdSchema = z.string().regex(/^[\w:-]{1,128}$/);

const text = z.string().max(LONGEST_TEXT).nullish();
const schema = z
	.object({
		tenant_id: text,
		action: z.literal(ACTION),
		integration_targets: z.array(z.string()).min(1).optional(),
		user: z.unknown(),
		username: z.unknown(),
		email: z.unknown(),
		identities: z.unknown(),
		request_id: requestIdSchema.nullish(),
		reason: text,
		source: text,
	})
	.passthrough();

/** What is said of a member that does not hold; it follows on its name. */
const PROBLEMS: Readonly<Record<string, string>> = {
	action: `is not "${ACTION}"`,
	integration_targets: 'is not a list of one or more keys; leave it out for all systems',
	request_id: 'is not 1 to 128 letters, digits, hyphens, underscores or colons',
};

/**
 * Reads the body of a request that was signed.
 *
 * @throws RefusedRequest that names the first member that does not hold, never its value
 */
export function readBody(raw: Uint8Array, rules: BodyRules): RevocationRequest {
	const body = readObject(raw);
	if (rules.tenantId !== null && body.tenant_id !== rules.tenantId) throw wrongTenant();
	const read = schema.safeParse(body);
	if (!read.success) throw refusedMember(String(read.error.issues[0]?.path[0]));
	const { tenant_id, action, integration_targets, request_id, reason, source, ...rest } = read.data;
	const { user, username, email, identities, ...extra } = rest;
	const targets = readTargets(integration_targets, rules.targets);
	return {
		requestId: request_id ?? rules.newRequestId(),
		tenantId: tenant_id ?? null,
		user: readUser({ user, username, email }, readIdentities(identities, rules.targets)),
		identities: identities ?? {},
		targets,
		targetMode: targets === null ? 'configured' : 'selected',
		reason: reason ?? null,
		source: source ?? null,
		extra,
		receivedAt: new Date(rules.receivedAt).toISOString(),
	};
}

export const wrongTenant = (): RefusedRequest =>
	new RefusedRequest('wrong_tenant', "'tenant_id' is not the tenant of this webhook");

function readObject(raw: Uint8Array): Record<string, unknown> {
	const body = attempt(Error, (): unknown =>
		JSON.parse(new TextDecoder().decode(raw), withoutPrototypes),
	);
	if (body instanceof RefusedRequest) throw body;
	if (body instanceof Error || !isUtf8(raw)) {
		throw new RefusedRequest('invalid_json', 'The body is not JSON in UTF-8');
	}
	const read = z.record(z.string(), z.unknown()).safeParse(body);
	if (!read.success) throw new RefusedRequest('invalid_body', 'The body is not a JSON object');
	return read.data;
}

/** A member of this name could change what other nodes see of an item. */
function withoutPrototypes(key: string, value: unknown): unknown {
	if (key !== '__proto__') return value;
	throw new RefusedRequest('invalid_body', "The body has a member '__proto__'");
}

const CODES: Readonly<Record<string, RefusalCode>> = { action: 'unknown_action' };

const refusedMember = (
	name: string,
	problem = PROBLEMS[name] ?? `is not text of at most ${LONGEST_TEXT} characters`,
	code = CODES[name] ?? 'invalid_body',
): RefusedRequest => new RefusedRequest(code, `The member '${name}' ${problem}`);

function readTargets(
	targets: readonly string[] | undefined,
	known: readonly string[],
): readonly string[] | null {
	if (targets === undefined) return null;
	if (!targets.every((key) => known.includes(key)))
		throw unknownTarget('integration_targets', known);
	return [...new Set(targets)];
}

const unknownTarget = (member: string, known: readonly string[]): RefusedRequest =>
	refusedMember(member, `names a system that is not one of ${known.join(', ')}`, 'unknown_target');

function readIdentities(value: unknown, known: readonly string[]): Identities {
	const given = value ?? {};
	const read = typeof given === 'object' ? identitiesSchema.safeParse(given) : null;
	if (!read?.success) {
		throw refusedMember(
			'identities',
			'is neither an object of names by the keys of the systems nor a list of { value, kind }',
		);
	}
	if (!Array.isArray(given) && !Object.keys(given).every((key) => known.includes(key))) {
		throw unknownTarget('identities', known);
	}
	for (const name of namesIn(given)) {
		const identity = readIdentity(name);
		if ('problem' in identity) {
			throw refusedMember('identities', `holds a name that ${identity.problem}`);
		}
	}
	return read.data;
}

const namesIn = (identities: object): unknown[] =>
	Array.isArray(identities)
		? identities.map(({ value }: { value: unknown }) => value)
		: Object.values(identities);

/** Senders name the user by one of three members; several must mean the same one. */
function readUser(names: Readonly<Record<string, unknown>>, identities: Identities): string {
	const given = Object.entries(names).filter(
		([, value]) => value !== undefined && value !== null && value !== '',
	);
	const users = given.map(([member, value]) => {
		const read = readIdentity(value);
		if ('problem' in read) throw refusedMember(member, read.problem, 'invalid_body');
		return read.identity;
	});
	if (new Set(users).size > 1) {
		throw refusedMember(
			'user',
			"and its other names 'username' and 'email' do not say the same: nobody was touched",
		);
	}
	const user = users[0] ?? identities.user;
	if (user !== undefined) return user;
	throw new RefusedRequest(
		'user_missing',
		"The body says of nobody to revoke: give 'user', or 'identities' with one email address",
	);
}
