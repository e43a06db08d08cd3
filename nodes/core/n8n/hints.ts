import type { IExecuteFunctions } from 'n8n-workflow';
import type { Connector } from '../connector';
import type { TargetResult } from '../result';

/** Says where in a node an option is turned on. */
export type WhereToTurnOn = (connector: Connector, option: string) => string;

/**
 * Shows in the output pane what the person at the canvas should know: what was not ended although
 * it could have been, and which permissions are missing. One hint for each, however many items.
 */
export function addHints(
	context: IExecuteFunctions,
	results: readonly TargetResult[],
	connectors: readonly Connector[],
	turnOn: WhereToTurnOn,
): void {
	for (const message of hintsFor(results, connectors, turnOn)) {
		context.addExecutionHints({ message, type: 'warning', location: 'outputPane' });
	}
}

/** @returns each hint once, in a stable order */
function hintsFor(
	results: readonly TargetResult[],
	connectors: readonly Connector[],
	turnOn: WhereToTurnOn,
): ReadonlySet<string> {
	const hints = new Set<string>();
	for (const connector of connectors) {
		const { title, key } = connector;
		const own = results.filter((result) => result.connector === key);
		for (const { what, option } of own.flatMap(({ survives }) => survives)) {
			if (option === undefined) continue;
			hints.add(
				`${title}: ${what} were not revoked. ${turnOn(connector, option)} to end them too.`,
			);
		}
		const missing = new Set(own.flatMap(({ missingPermissions }) => missingPermissions));
		if (missing.size > 0) hints.add(`${title}: the credential lacks ${[...missing].join(', ')}.`);
	}
	return hints;
}
