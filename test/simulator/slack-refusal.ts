/** An answer with `ok: false` and one of Slack's error codes. */
export class SlackRefusal extends Error {
	constructor(
		readonly code: string,
		/** More members of the answer, such as `needed` and `provided`. */
		readonly details: Readonly<Record<string, unknown>> = {},
	) {
		super(code);
	}
}
