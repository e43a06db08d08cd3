import type { IExecuteFunctions } from 'n8n-workflow';
import type { Connector } from '../connector';
import type { TargetResult } from '../result';

/**
 * Shows in the output pane what the person at the canvas should know: what was not ended although
 * it could have been, and which permissions are missing. One hint for each, however many items.
 */
export function addHints(
	context: IExecuteFunctions,
	results: readonly TargetResult[],
	connectors: readonly Connector[],
): void {
	for (const message of hintsFor(results, connectors)) {
		context.addExecutionHints({ message, type: 'warning', location: 'outputPane' });
	}
}

/** @returns each hint once, in a stable order */
export function hintsFor(
	results: readonly TargetResult[],
	connectors: readonly Connector[],
): readonly string[] {
	const hints = new Set<string>();
	for (const { title, key } of connectors) {
		const own = results.filter(({ connector }) => connector === key);
		for (const { what, remedy } of own.flatMap(({ survives }) => survives)) {
			if (remedy !== undefined) hints.add(`${title}: ${what} were not revoked. ${remedy}.`);
		}
		const missing = new Set(own.flatMap(({ missingPermissions }) => missingPermissions));
		if (missing.size > 0) {
			hints.add(`${title}: the credential lacks ${[...missing].join(', ')}.`);
		}
	}
	return [...hints];
}
