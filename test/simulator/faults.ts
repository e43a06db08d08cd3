/**
 * What can go wrong between a client and a vendor, as switches. Vendor-independent: a fault that
 * needs the vendor's own words (its error body, its rate-limit headers) asks the vendor for them.
 */
import { z } from 'zod';

/** How an answer leaves the server: whole, or broken in one of these ways. */
export type Delivery =
	| { kind: 'reset' }
	| { kind: 'cut' }
	| { kind: 'stall'; ms: number }
	| { kind: 'stream'; bytes: number };

/** One fault. `Fault[]` is a chain: `slow` entries delay, the first other entry decides the answer. */
export type Fault =
	/** A status with the vendor's own error body (or the given one). No effect happens. */
	| { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string> | undefined }
	/** The vendor's own rate-limit answer; `form` picks between the vendor's forms, if it has several. */
	| { kind: 'rateLimit'; form?: string | undefined; resetInSeconds?: number | undefined }
	/** 5xx with the vendor's error body, or with the HTML page of a proxy in front of the vendor. */
	| {
			kind: 'serverError';
			status?: number | undefined;
			html?: boolean | undefined;
			headers?: Record<string, string> | undefined;
	  }
	/**
	 * Half of the answer, then the socket is destroyed. Only a safe request is answered for real; use
	 * `afterEffect` when the effect of an unsafe request must have happened.
	 */
	| { kind: 'cut' }
	/** The socket is destroyed before any answer. No effect happens. */
	| { kind: 'reset' }
	/** Waits before the headers (default), or sends headers and half of the body and waits then. */
	| { kind: 'slow'; delayMs: number; part?: 'headers' | 'body' | undefined }
	/** 200 with an HTML page. */
	| { kind: 'notJson'; body?: string | undefined; status?: number | undefined }
	/** 200 with JSON of another shape. */
	| { kind: 'wrongShape'; body?: unknown; status?: number | undefined }
	/** 200 with valid JSON of more than `bytes` (default 2 MiB), in chunks without content-length. */
	| { kind: 'hugeBody'; bytes?: number | undefined }
	/** A redirect to any URL. */
	| { kind: 'redirect'; location: string; status?: number | undefined }
	/** The effect happens, the answer does not arrive: what makes a retry meet its own success. */
	| { kind: 'afterEffect'; then?: Fault | undefined };

/** Which requests a fault hits: a route name, a description (for other processes), or a predicate. */
export type FaultMatch =
	| string
	| {
			route?: string | undefined;
			method?: string | undefined;
			pathIncludes?: string | undefined;
			queryIncludes?: string | undefined;
			bodyIncludes?: string | undefined;
	  }
	| ((request: MatchableRequest) => boolean);

/** The part of a request that a fault can be matched on. */
export interface MatchableRequest {
	readonly route?: string | undefined;
	readonly method: string;
	readonly path: string;
	readonly query: string;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: string;
}

/** A switch: the next `times` matching requests, after letting `skip` of them pass, get `fault`. */
export interface FaultSwitch {
	match?: FaultMatch | undefined;
	times?: number | undefined;
	skip?: number | undefined;
	fault: Fault | Fault[];
}

function matches(match: FaultMatch | undefined, request: MatchableRequest): boolean {
	if (match === undefined) return true;
	if (typeof match === 'string') return request.route === match;
	if (typeof match === 'function') return match(request);
	return (
		(match.route === undefined || match.route === request.route) &&
		(match.method === undefined || match.method === request.method) &&
		(match.pathIncludes === undefined || request.path.includes(match.pathIncludes)) &&
		(match.queryIncludes === undefined || request.query.includes(match.queryIncludes)) &&
		(match.bodyIncludes === undefined || request.body.includes(match.bodyIncludes))
	);
}

/** The switches of one simulator. Earlier switches win; a used-up switch makes room for the next. */
export class Faults {
	private switches: {
		match?: FaultMatch | undefined;
		left: number;
		skip: number;
		chain: Fault[];
	}[] = [];

	/** Arms a fault for the next matching requests (once, unless `times` says otherwise). */
	next(armed: FaultSwitch): void {
		this.switches.push({
			match: armed.match,
			left: armed.times ?? 1,
			skip: armed.skip ?? 0,
			chain: Array.isArray(armed.fault) ? armed.fault : [armed.fault],
		});
	}

	/** Disarms everything. */
	clear(): void {
		this.switches = [];
	}

	/** How many switches can still hit a request. */
	get armed(): number {
		return this.switches.filter(({ left }) => left > 0).length;
	}

	/** The fault for this request; uses up one of the switch's times. */
	take(request: MatchableRequest): Fault[] | undefined {
		for (const armed of this.switches) {
			if (armed.left <= 0 || !matches(armed.match, request)) continue;
			if (armed.skip > 0) {
				armed.skip -= 1;
				continue;
			}
			armed.left -= 1;
			return armed.chain;
		}
		return undefined;
	}
}

const headersSchema = z.record(z.string(), z.string());

const faultSchema: z.ZodType<Fault> = z.lazy(() =>
	z.discriminatedUnion('kind', [
		z
			.object({
				kind: z.literal('status'),
				status: z.number().int().min(200).max(599),
				body: z.unknown(),
				headers: headersSchema.optional(),
			})
			.strict(),
		z
			.object({
				kind: z.literal('rateLimit'),
				form: z.string().optional(),
				resetInSeconds: z.number().optional(),
			})
			.strict(),
		z
			.object({
				kind: z.literal('serverError'),
				status: z.number().int().min(500).max(599).optional(),
				html: z.boolean().optional(),
				headers: headersSchema.optional(),
			})
			.strict(),
		z.object({ kind: z.literal('cut') }).strict(),
		z.object({ kind: z.literal('reset') }).strict(),
		z
			.object({
				kind: z.literal('slow'),
				delayMs: z.number().nonnegative(),
				part: z.enum(['headers', 'body']).optional(),
			})
			.strict(),
		z
			.object({
				kind: z.literal('notJson'),
				body: z.string().optional(),
				status: z.number().int().optional(),
			})
			.strict(),
		z
			.object({
				kind: z.literal('wrongShape'),
				body: z.unknown(),
				status: z.number().int().optional(),
			})
			.strict(),
		z
			.object({ kind: z.literal('hugeBody'), bytes: z.number().int().positive().optional() })
			.strict(),
		z
			.object({
				kind: z.literal('redirect'),
				location: z.string(),
				status: z.number().int().min(300).max(399).optional(),
			})
			.strict(),
		z.object({ kind: z.literal('afterEffect'), then: faultSchema.optional() }).strict(),
	]),
);

/** A fault switch as another process sends it. JSON has no Infinity: `times: "always"` says it. */
export const faultSwitchSchema = z
	.object({
		match: z
			.union([
				z.string(),
				z
					.object({
						route: z.string().optional(),
						method: z.string().optional(),
						pathIncludes: z.string().optional(),
						queryIncludes: z.string().optional(),
						bodyIncludes: z.string().optional(),
					})
					.strict(),
			])
			.optional(),
		times: z
			.union([
				z.number().int().positive(),
				z.literal('always').transform(() => Number.POSITIVE_INFINITY),
			])
			.optional(),
		skip: z.number().int().nonnegative().optional(),
		fault: z.union([faultSchema, z.array(faultSchema).min(1)]),
	})
	.strict();
