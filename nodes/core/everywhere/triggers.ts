/**
 * Whether there is anything to do since the last run: the maps of the workflow, as the Terraform
 * resource has them. The node keeps neither; where they are stored is the workflow's business.
 */

/** Values by their names; everything is compared as text. */
export type Triggers = Readonly<Record<string, string>>;

/**
 * Reads a map. An empty one counts as not given.
 *
 * @returns the map, null when it was not given, or a problem that can follow "The parameter 'X' "
 */
export function readTriggers(
	value: Readonly<Record<string, unknown>>,
): { triggers: Triggers | null } | { problem: string } {
	const entries = Object.entries(value);
	for (const [name, one] of entries) {
		if (!['string', 'number', 'boolean'].includes(typeof one)) {
			return { problem: `holds at '${name}' neither text nor a number nor true or false` };
		}
	}
	const texts = entries.map(([name, one]) => [name, String(one)] as const);
	return { triggers: texts.length === 0 ? null : Object.fromEntries(texts) };
}

/** Whether both are given and say the same, in whatever order. */
export function areUnchanged(now: Triggers | null, last: Triggers | null): boolean {
	if (now === null || last === null) return false;
	const names = Object.keys(now);
	return (
		names.length === Object.keys(last).length &&
		names.every((name) => Object.hasOwn(last, name) && now[name] === last[name])
	);
}
