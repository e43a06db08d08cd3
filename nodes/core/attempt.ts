/**
 * Does what may fail in one foreseen way.
 *
 * @returns what `work` returns, or the error of that kind which it threw; any other goes on
 */
export function attempt<T, E extends Error>(
	kind: abstract new (...args: never[]) => E,
	work: () => T,
): T | E {
	try {
		return work();
	} catch (error) {
		if (error instanceof kind) return error;
		throw error;
	}
}
