/** Reads the parameters of Revoke Everywhere. A bad value in an item's data is an InputError, which becomes that item's result. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { attempt } from '../attempt';
import { ConfigurationError, type Connection, readOptions } from '../connection';
import type { Schema } from '../connector';
import { readIdentity } from '../identity';
import { DEFAULT_TIMEOUT_MS, readCommonOptions } from '../options';
import { neutral } from '../neutral';
import { type Identities, identitiesSchema } from './identities';
import { readEntries } from './protect';
import type { IdentitySource, Target, UserRequest } from './run';
import { areUnchanged, readTriggers, type Triggers } from './triggers';

/** Something in an item's data cannot be worked with; the message can follow "The parameter 'X' of item N ". */
export class InputError extends Error {
	override readonly name = 'InputError';

	constructor(
		readonly parameter: string,
		problem: string,
	) {
		super(problem);
	}
}

/** A parameter of the node, as it is for one item. */
export type Parameter = (name: string, fallback: unknown) => unknown;

/** Every connector by its key: connected, or why it cannot work; `unset` when nobody chose a credential for it. */
export type Connections = ReadonlyMap<string, Connection | { problem: string; unset: boolean }>;

/** What holds for the whole run: read from the first item, because these say how to work, not on whom. */
export interface RunSettings {
	usersInParallel: number;
	/** Null: no limit. */
	maxUsersPerRun: number | null;
	resultDetail: 'full' | 'summary';
	timeoutMs: number;
}

export const DEFAULT_USERS_IN_PARALLEL = 10;
export const DEFAULT_MAX_USERS = 50;

/** @throws ConfigurationError when the node could not work on any item */
export function readRunSettings(parameter: Parameter): RunSettings {
	const read = attempt(InputError, () => ({
		...readOptionsOf(parameter),
		...readGuardrails(parameter),
	}));
	if (read instanceof InputError) {
		throw new ConfigurationError(
			`The parameter '${read.parameter}' ${read.message}`,
			`Correct '${read.parameter}' and run again`,
		);
	}
	return { ...read, maxUsersPerRun: read.enabled ? read.maxUsersPerRun : null };
}

/**
 * Reads one item.
 *
 * @returns one request for each user that the item names
 * @throws InputError for what in the item's data cannot be worked with
 */
export function readItem(parameter: Parameter, connections: Connections): UserRequest[] {
	const identities = readJson('Identities', parameter('identities', {}), identitiesSchema);
	const connectorOptions = readObject(
		'Connector Options',
		parameter('connectorOptions', {}),
		z.record(z.string(), z.unknown()),
	);
	const { keys, skipped } = readTargets(parameter, connections);
	const { enabled, protectedUsers } = readGuardrails(parameter);
	const requestId = readRequestId(parameter);
	const triggers = readTriggerMap('Triggers', parameter('triggers', {}));
	const lastTriggers = readTriggerMap('Last Triggers', parameter('lastTriggers', {}));
	const sourceKey = readText('Identity Source', parameter('identitySource', ''));
	const { timeoutMs, summaryFormat, auditRecord } = readOptionsOf(parameter);
	const shared = {
		targetsSkipped: skipped,
		notFoundPolicy: readOneOf('If User Is Not Found', parameter('notFoundPolicy', undefined), [
			'failWhenNowhere',
			'fail',
			'ignore',
		]),
		dryRun: readBoolean('Dry Run', parameter('dryRun', false)),
		protectedUsers: enabled ? protectedUsers : [],
		triggers,
		isUnchanged: areUnchanged(triggers, lastTriggers),
		timeoutMs,
		summaryFormat,
		auditRecord,
		refusal: null,
		reason: readText('Reason', parameter('reason', '')),
		source: readText('Source', parameter('source', '')),
		incidentId: readText('Incident ID', parameter('incidentId', '')),
	};
	return readUsers(parameter, identities).map((user) => {
		const identityIn = (key: string): string | null =>
			identities.in(key) ?? (identities.isOfOneSystem(user) ? null : user);
		return {
			...shared,
			requestId: requestId ?? randomUUID(),
			user,
			identitySource: readSource(sourceKey, connections, identities, keys, user),
			targets: keys.map((key) => {
				const identity = identityIn(key);
				const isFilled = sourceKey !== null && identities.in(key) === undefined;
				return targetFor(key, connections, isFilled ? user : identity, connectorOptions[key]);
			}),
		};
	});
}

function readUsers(parameter: Parameter, identities: Identities): string[] {
	const listed = readEntries(parameter('usersList', ''));
	if ('problem' in listed) throw new InputError('Users List', listed.problem);
	if (listed.length > 0) return listed.map((user) => identityOf('Users List', user));
	const user = parameter('user', '');
	const isLeftOut = user === '' || user === null || user === undefined;
	return [identityOf('User', isLeftOut ? (identities.user ?? '') : user)];
}

function readSource(
	key: string | null,
	connections: Connections,
	identities: Identities,
	targets: readonly string[],
	user: string,
): IdentitySource | null {
	if (key === null) return null;
	const connection = connections.get(key);
	if (!connection) {
		throw new InputError('Identity Source', `is not one of ${[...connections.keys()].join(', ')}`);
	}
	if ('problem' in connection) {
		throw new InputError(
			'Identity Source',
			`names a system that cannot be asked: ${connection.problem}`,
		);
	}
	const isGiven = (target: string): boolean =>
		target === key || identities.in(target) !== undefined;
	return {
		key,
		connection,
		identity: identityOf('Identities', identities.in(key) ?? user),
		fills: new Set(targets.filter((target) => !isGiven(target))),
	};
}

function readTriggerMap(label: string, value: unknown): Triggers | null {
	const read = readTriggers(readObject(label, value, z.unknown()));
	if ('problem' in read) throw new InputError(label, read.problem);
	return read.triggers;
}

function identityOf(label: string, value: unknown): string {
	const read = readIdentity(value);
	if ('problem' in read) throw new InputError(label, read.problem);
	return read.identity;
}

function readTargets(
	parameter: Parameter,
	connections: Connections,
): { keys: readonly string[]; skipped: readonly string[] } {
	const mode = readOneOf('Target Mode', parameter('targetMode', undefined), [
		'configured',
		'selected',
	]);
	if (mode === 'configured') {
		const unset = (key: string): boolean => {
			const at = connections.get(key);
			return at !== undefined && 'problem' in at && at.unset;
		};
		const keys = [...connections.keys()];
		return { keys: keys.filter((key) => !unset(key)), skipped: keys.filter(unset) };
	}
	const targets = parameter('targets', undefined);
	if (!Array.isArray(targets)) {
		throw new InputError(
			'Targets',
			'is not a list: give the keys of the systems, for example ["okta"]',
		);
	}
	const keys = z.array(z.string().min(1)).min(1).safeParse(targets);
	if (!keys.success) {
		throw new InputError(
			'Targets',
			targets.length === 0 ? 'is an empty list' : 'holds an entry that is not text',
		);
	}
	return { keys: [...new Set(keys.data)], skipped: [] };
}

function targetFor(
	key: string,
	connections: Connections,
	value: string | null,
	options: unknown,
): Target {
	const identity = value === null ? null : identityOf('Identities', value);
	const connection = connections.get(key);
	if (!connection) {
		const known = [...connections.keys()].join(', ');
		const problem = `There is no target '${neutral(key)}': the targets are ${known}`;
		return { key, identity, problem, cause: 'configuration' };
	}
	if ('problem' in connection) {
		return { key, identity, problem: connection.problem, cause: 'configuration' };
	}
	if (identity === null) {
		const problem = `Nothing in Identities says who the user is in ${connection.connector.title}: give an email address, or choose an Identity Source`;
		return { key, identity, problem, cause: 'invalid_input' };
	}
	const read = attempt(ConfigurationError, () => {
		const { common, vendor } = readCommonOptions(options);
		const { verify, allowShortNames, allowOwnIdentity } = common;
		const own = readOptions(connection.connector, vendor);
		return { options: own, verify, allowShortNames, allowOwnIdentity };
	});
	return read instanceof ConfigurationError
		? { key, identity, problem: `${read.message}. ${read.nextStep}`, cause: 'configuration' }
		: { key, identity, connection, ...read };
}

function readGuardrails(parameter: Parameter): {
	enabled: boolean;
	protectedUsers: readonly string[];
	maxUsersPerRun: number;
} {
	const guardrails = parameter('guardrails', {});
	const read = z
		.object({
			enabled: z.boolean().default(true),
			protectedUsers: z.unknown(),
			maxUsersPerRun: z.number().int().min(1).default(DEFAULT_MAX_USERS),
		})
		.safeParse(guardrails);
	if (!read.success) throw new InputError('Guardrails', firstProblem(read.error));
	const protectedUsers = readEntries(read.data.protectedUsers);
	if ('problem' in protectedUsers) throw new InputError('Protected Users', protectedUsers.problem);
	return { ...read.data, protectedUsers };
}

function readOptionsOf(
	parameter: Parameter,
): Pick<RunSettings, 'usersInParallel' | 'resultDetail' | 'timeoutMs'> &
	Pick<UserRequest, 'summaryFormat' | 'auditRecord'> {
	const read = z
		.object({
			usersInParallel: z.number().int().min(1).max(50).default(DEFAULT_USERS_IN_PARALLEL),
			resultDetail: z.enum(['full', 'summary']).default('full'),
			timeoutMs: z.number().positive().default(DEFAULT_TIMEOUT_MS),
			summaryFormat: z.enum(['none', 'text', 'markdown', 'slack']).default('none'),
			auditRecord: z.boolean().default(false),
		})
		.safeParse(parameter('options', {}));
	if (!read.success) throw new InputError('Options', firstProblem(read.error));
	return read.data;
}

const readObject = <T>(label: string, value: unknown, entry: Schema<T>): Record<string, T> =>
	readJson(label, value, z.record(z.string(), entry));

/** A value, or its JSON as text, as n8n's JSON parameters give it. */
function readJson<T>(label: string, value: unknown, schema: Schema<T>): T {
	const read = schema.safeParse(typeof value === 'string' ? parse(label, value) : (value ?? {}));
	if (!read.success) throw new InputError(label, firstProblem(read.error));
	return read.data;
}

function parse(label: string, text: string): unknown {
	const parsed = attempt(SyntaxError, (): unknown => (text.trim() === '' ? {} : JSON.parse(text)));
	if (parsed instanceof SyntaxError) throw new InputError(label, 'is not valid JSON');
	return parsed;
}

/**
 * @returns null when none is given
 * @throws InputError
 */
export const readRequestId = (parameter: Parameter): string | null =>
	readText('Request ID', parameter('requestId', ''));

function readText(label: string, value: unknown): string | null {
	if (value === '' || value === null || value === undefined) return null;
	if (typeof value === 'string' || typeof value === 'number') return String(value);
	throw new InputError(label, 'is not text');
}

function readBoolean(label: string, value: unknown): boolean {
	if (typeof value !== 'boolean') throw new InputError(label, 'is not true or false');
	return value;
}

/** The first choice is the default. */
function readOneOf<T extends string>(
	label: string,
	value: unknown,
	choices: readonly [T, ...T[]],
): T {
	if (value === undefined || value === '') return choices[0];
	const choice = choices.find((one) => one === value);
	if (choice === undefined) throw new InputError(label, `is not one of ${choices.join(', ')}`);
	return choice;
}

function firstProblem({ issues }: z.ZodError): string {
	const [issue] = issues;
	const where = issue?.path.join('.');
	return `is not valid${where ? ` at '${where}'` : ''}: ${issue?.message ?? 'wrong type'}`;
}
