/**
 * Arguments of Slack's Web API, as they may be sent: in the query, as a form or as JSON. Facts:
 * https://docs.slack.dev/apis/web-api (calling methods, POST bodies), the errors that every method's
 * page lists, and for JSON those of slackapi/slack-api-specs (`web-api/slack_web_openapi_v2.json`).
 * Warnings: "Well wishes and warnings in the Web API" on Slack's developer blog.
 */
import { SlackRefusal } from './slack-refusal';
import type { VendorRequest } from './simulator';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
/** Documented with `invalid_post_type`. */
const POST_TYPES = [JSON_TYPE, FORM, 'multipart/form-data', 'text/plain'];
/** Documented with `invalid_charset`. */
const CHARSETS = ['utf-8', 'iso-8859-1'];

type Warning = 'missing_charset' | 'superfluous_charset';

function invalid(message: string): SlackRefusal {
	return new SlackRefusal('invalid_arguments', {
		response_metadata: { messages: [`[ERROR] ${message}`] },
	});
}

function fromJson(body: string): [string, unknown][] {
	let parsed: unknown;
	try {
		parsed = JSON.parse(body);
	} catch {
		throw new SlackRefusal('invalid_json');
	}
	if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
		throw new SlackRefusal('json_not_object');
	}
	return Object.entries(parsed);
}

/** Checks the header of a POST; the media type, and what Slack would warn of. */
function contentType(request: VendorRequest): { type: string; warning?: Warning } {
	const header = request.headers['content-type'];
	if (request.body === '') return { type: FORM };
	if (header === undefined) throw new SlackRefusal('missing_post_type');
	const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
	if (!POST_TYPES.includes(type)) throw new SlackRefusal('invalid_post_type');
	const charset = parameters
		.find((one) => one.startsWith('charset='))
		?.slice('charset='.length)
		.replaceAll('"', '');
	if (charset !== undefined && !CHARSETS.includes(charset)) {
		throw new SlackRefusal('invalid_charset');
	}
	// Documented: a form needs no charset, every other type should have one.
	if (type === FORM && charset !== undefined) return { type, warning: 'superfluous_charset' };
	if (type === JSON_TYPE && charset === undefined) return { type, warning: 'missing_charset' };
	return { type };
}

/** The arguments of one call. Reading one that does not fit throws a `SlackRefusal`. */
export class SlackArguments {
	/** What the answer warns of. */
	readonly warning: Warning | undefined;
	private readonly values = new Map<string, unknown>();

	/** `documented` are the method's arguments; JSON is not read unless `takesJson`. */
	constructor(request: VendorRequest, documented: readonly string[], takesJson: boolean) {
		const { type, warning }: ReturnType<typeof contentType> =
			request.method === 'POST' ? contentType(request) : { type: '' };
		this.warning = warning;
		// Slack takes the call all the same, and says that it should have been another.
		if (warning !== undefined) request.violate(`Slack warns of ${warning}`);
		const sent: [string, unknown][] = [...request.search];
		if (type === FORM) sent.push(...new URLSearchParams(request.body));
		if (type === JSON_TYPE && takesJson) sent.push(...fromJson(request.body));
		for (const [name, value] of sent) {
			if (/\[.*\]$/.test(name)) throw new SlackRefusal('invalid_array_arg');
			if (!/^\w{1,64}$/.test(name)) throw new SlackRefusal('invalid_arg_name');
			if (this.values.has(name)) request.violate(`argument ${name} is sent more than once`);
			// The token is an argument of every method, but not of a query or of JSON.
			const token = name === 'token' && type === FORM && !request.search.has(name);
			if (!token && !documented.includes(name)) request.violate(`undocumented argument ${name}`);
			if (name !== 'token' || token) this.values.set(name, value);
		}
	}

	/** Members of the answer that tell of the warning. */
	notes(): { warning?: string; response_metadata?: Record<string, unknown> } {
		const { warning } = this;
		if (warning === undefined) return {};
		return { warning, response_metadata: { warnings: [warning] } };
	}

	has(name: string): boolean {
		return this.values.has(name);
	}

	text(name: string): string | undefined {
		const value = this.values.get(name);
		if (value === undefined || typeof value === 'string') return value;
		throw invalid(`must be a string [json-pointer:/${name}]`);
	}

	integer(name: string): number | undefined {
		const value = this.values.get(name);
		if (value === undefined) return undefined;
		const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
		if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
		throw invalid(`must be an integer [json-pointer:/${name}]`);
	}

	/** False when absent, which is the default of all of Slack's switches here. */
	flag(name: string): boolean {
		const value = this.values.get(name) ?? false;
		if (typeof value === 'boolean') return value;
		if (value === 'true' || value === '1') return true;
		if (value === 'false' || value === '0') return false;
		throw invalid(`must be a boolean [json-pointer:/${name}]`);
	}

	/**
	 * A list of texts: a JSON array, in a form as text; Slack's own Python SDK joins with commas
	 * (`slack_sdk/web/client.py` in slackapi/python-slack-sdk).
	 */
	list(name: string): string[] | undefined {
		let value = this.values.get(name);
		if (value === undefined) return undefined;
		if (typeof value === 'string') {
			try {
				value = value.startsWith('[') ? JSON.parse(value) : value.split(',');
			} catch {
				throw invalid(`must be an array [json-pointer:/${name}]`);
			}
		}
		const texts = (list: unknown): list is string[] =>
			Array.isArray(list) && list.every((one) => typeof one === 'string');
		if (texts(value)) return value;
		throw invalid(`must be an array of strings [json-pointer:/${name}]`);
	}

	/**
	 * The value of an argument that may not be absent. An empty one is another matter: it names
	 * nothing, and the method says so in its own words.
	 */
	required<T>(name: string, value: T | undefined): T {
		if (value === undefined) throw invalid(`missing required field: ${name}`);
		return value;
	}

	/** A number or a count that is out of its documented bounds. */
	within(name: string, value: number, [least, most]: readonly [number, number]): void {
		if (value >= least && value <= most) return;
		throw invalid(`must be between ${least} and ${most} [json-pointer:/${name}]`);
	}
}
