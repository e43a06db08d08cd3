/** Reads the parameters of Revoke Everywhere. A bad value in an item's data is an InputError, which becomes that item's result. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { attempt } from '../attempt';
import { ConfigurationError, type Connection, readOptions } from '../connection';
import type { Schema } from '../connector';
import { readIdentity } from '../identity';
import { DEFAULT_TIMEOUT_MS, readCommonOptions } from '../options';
import { readEntries } from './protect';
import type { Target, UserRequest } from './run';

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
	const identities = readObject('Identities', parameter('identities', {}), z.string());
	const connectorOptions = readObject(
		'Connector Options',
		parameter('connectorOptions', {}),
		z.record(z.string(), z.unknown()),
	);
	const { keys, skipped } = readTargets(parameter, connections);
	const { enabled, protectedUsers } = readGuardrails(parameter);
	const requestId = readText('Request ID', parameter('requestId', ''));
	const shared = {
		targetsSkipped: skipped,
		notFoundPolicy: readOneOf('If User Is Not Found', parameter('notFoundPolicy', undefined), [
			'failWhenNowhere',
			'fail',
			'ignore',
		]),
		dryRun: readBoolean('Dry Run', parameter('dryRun', false)),
		protectedUsers: enabled ? protectedUsers : [],
		timeoutMs: readOptionsOf(parameter).timeoutMs,
		refusal: null,
		reason: readText('Reason', parameter('reason', '')),
		source: readText('Source', parameter('source', '')),
		incidentId: readText('Incident ID', parameter('incidentId', '')),
	};
	return readUsers(parameter).map((user) => ({
		...shared,
		requestId: requestId ?? randomUUID(),
		user,
		targets: keys.map((key) =>
			targetFor(key, connections, identities[key] ?? user, connectorOptions[key]),
		),
	}));
}

function readUsers(parameter: Parameter): string[] {
	const listed = readEntries(parameter('usersList', ''));
	if ('problem' in listed) throw new InputError('Users List', listed.problem);
	if (listed.length > 0) return listed.map((user) => identityOf('Users List', user));
	return [identityOf('User', parameter('user', ''))];
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

function targetFor(key: string, connections: Connections, value: string, options: unknown): Target {
	const identity = identityOf('Identities', value);
	const connection = connections.get(key);
	if (!connection) {
		const problem = `There is no target '${key}': the targets are ${[...connections.keys()].join(', ')}`;
		return { key, identity, problem };
	}
	if ('problem' in connection) return { key, identity, problem: connection.problem };
	const read = attempt(ConfigurationError, () => {
		const { common, vendor } = readCommonOptions(options);
		const { verify, allowShortNames, allowOwnIdentity } = common;
		const own = readOptions(connection.connector, vendor);
		return { options: own, verify, allowShortNames, allowOwnIdentity };
	});
	return read instanceof ConfigurationError
		? { key, identity, problem: `${read.message}. ${read.nextStep}` }
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
): Pick<RunSettings, 'usersInParallel' | 'resultDetail' | 'timeoutMs'> {
	const read = z
		.object({
			usersInParallel: z.number().int().min(1).max(50).default(DEFAULT_USERS_IN_PARALLEL),
			resultDetail: z.enum(['full', 'summary']).default('full'),
			timeoutMs: z.number().positive().default(DEFAULT_TIMEOUT_MS),
		})
		.safeParse(parameter('options', {}));
	if (!read.success) throw new InputError('Options', firstProblem(read.error));
	return read.data;
}

/** An object, or its JSON as text, as n8n's JSON parameters give it. */
function readObject<T>(label: string, value: unknown, entry: Schema<T>): Record<string, T> {
	const read = z
		.record(z.string(), entry)
		.safeParse(typeof value === 'string' ? parse(label, value) : (value ?? {}));
	if (!read.success) throw new InputError(label, firstProblem(read.error));
	return read.data;
}

function parse(label: string, text: string): unknown {
	const parsed = attempt(SyntaxError, (): unknown => (text.trim() === '' ? {} : JSON.parse(text)));
	if (parsed instanceof SyntaxError) throw new InputError(label, 'is not valid JSON');
	return parsed;
}

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
