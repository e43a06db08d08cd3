import { z } from 'zod';
import { ConfigurationError } from './connection';
import type { Field } from './field';

export const DEFAULT_TIMEOUT_MS = 30_000;

/** Options that every connector has, beside its own. */
export const commonOptions: readonly Field[] = [
	{
		name: 'allowOwnIdentity',
		label: 'Allow Own Identity',
		type: 'boolean',
		default: false,
		description: 'Whether to revoke the account that the credential itself acts as',
		showWhen: { '/operation': ['revokeAllSessions'] },
	},
	{
		name: 'allowShortNames',
		label: 'Allow Short Names',
		type: 'boolean',
		default: false,
		description:
			"Whether a name without a domain may stand for the one sign-in name that begins with it, such as 'jane' for 'jane@example.com'",
		showWhen: { '/operation': ['revokeAllSessions', 'retrieveUser'] },
	},
	{
		name: 'timeoutMs',
		label: 'Timeout (Ms)',
		type: 'number',
		default: DEFAULT_TIMEOUT_MS,
		min: 1,
		description: 'How many milliseconds one user may take, with all retries and waits',
	},
	{
		name: 'verify',
		label: 'Verify',
		type: 'boolean',
		default: true,
		description: 'Whether to look afterwards if the revocation shows at the vendor',
		showWhen: { '/operation': ['revokeAllSessions'] },
	},
];

const schema = z
	.object({
		allowOwnIdentity: z.boolean().default(false),
		allowShortNames: z.boolean().default(false),
		timeoutMs: z.number().positive().default(DEFAULT_TIMEOUT_MS),
		verify: z.boolean().default(true),
	})
	.passthrough();

export type CommonOptions = Pick<
	z.infer<typeof schema>,
	'allowOwnIdentity' | 'allowShortNames' | 'timeoutMs' | 'verify'
>;

/**
 * Takes the common options out of what a user set; the rest is the vendor's.
 *
 * @throws ConfigurationError for the first option that does not hold
 */
export function readCommonOptions(data: unknown): {
	common: CommonOptions;
	vendor: Record<string, unknown>;
} {
	const parsed = schema.safeParse(data ?? {});
	if (!parsed.success) {
		const name = String(parsed.error.issues[0]?.path[0] ?? 'Options');
		const label = commonOptions.find((field) => field.name === name)?.label ?? name;
		throw new ConfigurationError(
			`The option '${label}' is not valid: ${parsed.error.issues[0]?.message ?? 'wrong type'}`,
			`Correct '${label}' or remove it`,
		);
	}
	const { allowOwnIdentity, allowShortNames, timeoutMs, verify, ...vendor } = parsed.data;
	return { common: { allowOwnIdentity, allowShortNames, timeoutMs, verify }, vendor };
}
