/** The trigger's parameters, read so that what cannot be read opens nothing. */
import { z } from 'zod';
import { ConfigurationError } from '../connection';
import type { Field } from '../field';
import { type AllowList, readAllowList } from './addresses';

const DEFAULT_TOLERANCE = 300;

export const optionFields: readonly Field[] = [
	{
		name: 'allowedIps',
		label: 'Allowed IPs',
		type: 'string',
		placeholder: 'e.g. 192.0.2.10, 2001:db8::/48',
		description:
			'Addresses or CIDR ranges of the callers, separated by commas or lines; everybody when empty',
	},
	{
		name: 'requireTimestamp',
		label: 'Require Timestamp',
		type: 'boolean',
		default: false,
		description: 'Whether callers must sign the time with each request',
	},
	{
		name: 'statusAuthentication',
		label: 'Status Authentication',
		type: 'choice',
		default: 'none',
		choices: [
			{
				value: 'none',
				label: 'None',
				description: 'Whoever knows a request ID may ask how it stands',
			},
			{ value: 'signature', label: 'Signature', description: 'Callers sign the question' },
		],
		description: 'How callers prove who they are when they ask how a request stands',
	},
	{
		name: 'timestampTolerance',
		label: 'Timestamp Tolerance (Seconds)',
		type: 'number',
		default: DEFAULT_TOLERANCE,
		min: 1,
		description:
			'How far a signed time may be from now, and how long the same signed request is not accepted again',
	},
];

export interface Settings {
	/** Null: the list cannot be read. */
	allowed: AllowList | null;
	/** What is wrong with the list. */
	listProblem: string | null;
	/** In seconds. */
	tolerance: number;
	requireTimestamp: boolean;
	mustSignStatus: boolean;
}

const schema = z.object({
	allowedIps: z.unknown(),
	requireTimestamp: z.boolean().default(false),
	statusAuthentication: z.enum(['none', 'signature']).default('none'),
	timestampTolerance: z.number().min(1).max(86_400).default(DEFAULT_TOLERANCE),
});

/** @throws ConfigurationError that names the parameter */
export function readSettings(options: unknown): Settings {
	const given = z.record(z.string(), z.unknown()).safeParse(options ?? {});
	// An expression that comes to nothing is not the same as an option that nobody set.
	const values = Object.entries(given.data ?? {}).map(([name, value]) => [name, value ?? null]);
	const read = schema.safeParse(given.success ? Object.fromEntries(values) : null);
	if (!read.success) {
		const name = read.error.issues[0]?.path[0];
		const label = optionFields.find((field) => field.name === name)?.label ?? 'Options';
		throw new ConfigurationError(
			`The parameter '${label}' is not valid`,
			`Correct '${label}' in the trigger and publish the workflow again`,
		);
	}
	const { allowedIps = '', requireTimestamp, statusAuthentication, timestampTolerance } = read.data;
	const list = readAllowList(allowedIps);
	return {
		allowed: 'problem' in list ? null : list,
		listProblem: 'problem' in list ? list.problem : null,
		tolerance: timestampTolerance,
		requireTimestamp,
		mustSignStatus: statusAuthentication === 'signature',
	};
}
