import type { IExecuteFunctions } from 'n8n-workflow';
import type { Connection } from '../connection';
import type { Connector } from '../connector';
import { documentationUrl, seeAlso } from '../documentation';
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
	connections: readonly Connection[],
	turnOn: WhereToTurnOn,
): void {
	for (const message of hintsFor(results, connections, turnOn)) {
		context.addExecutionHints({ message, type: 'warning', location: 'outputPane' });
	}
}

/** @returns each hint once, in a stable order */
function hintsFor(
	results: readonly TargetResult[],
	connections: readonly Connection[],
	turnOn: WhereToTurnOn,
): ReadonlySet<string> {
	const hints = new Set<string>();
	for (const { connector, isInsecure } of connections) {
		const { title, key } = connector;
		const own = results.filter((result) => result.connector === key);
		if (isInsecure && own.length > 0) {
			hints.add(
				`${title}: the credential allows unauthorized certificates, so nothing proves that the answers came from ${title}. Turn that off outside of tests.`,
			);
		}
		if (own.some(({ outcome }) => outcome === 'session_valid')) {
			hints.add(
				`${title}: the output holds a session token. Whoever reads it can act as the user until the session ends.`,
			);
		}
		for (const { what, option } of own.flatMap(({ survives }) => survives)) {
			if (option === undefined) continue;
			hints.add(
				`${title}: ${what} were not revoked. ${turnOn(connector, option)} to end them too.`,
			);
		}
		const missing = new Set(own.flatMap(({ missingPermissions }) => missingPermissions));
		if (missing.size > 0) {
			const page = seeAlso(documentationUrl(connector));
			hints.add(`${title}: the credential lacks ${[...missing].join(', ')}. ${page}`);
		}
	}
	return hints;
}
