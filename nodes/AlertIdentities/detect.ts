/** From what came in to the alerts in it: which sender they are of, and how they were wrapped. */
import { z } from 'zod';
import { attempt } from '../core/attempt';
import { type AlertSource, UnreadableAlert } from './contract';
import { type Finding, findPeople, unreadable } from './people';
import { customSource } from './sources/custom';
import { sources } from './sources';
import { anyObject, bounded, parsed, under } from './values';

export interface Question {
	/** A source's key, `auto` or `custom`. */
	source: unknown;
	/** The alert: an object, a list of them, the JSON of those as text, or an item of n8n's Webhook node. */
	alert: unknown;
	/** Where the users are, for `custom`. */
	userPath: unknown;
}

/** More alerts than this in one body are not worked on. */
export const MAX_ALERTS = 1000;

/** What is to be told of one incoming item; never nothing. Whatever is wrong with it becomes a reason. */
export function identify({ source, alert, userPath }: Question): readonly Finding[] {
	const findings = attempt(UnreadableAlert, () => {
		const choose = chooser(source, userPath);
		const bodies = unwrapped(alert);
		if (bodies.length > MAX_ALERTS) throw new UnreadableAlert(TOO_MANY);
		return bodies.flatMap(({ body, at }) => findingsIn(body, at, choose));
	});
	return findings instanceof UnreadableAlert ? [unreadable(findings.message)] : findings;
}

const TOO_MANY = `More than ${MAX_ALERTS} alerts came in one item: split them before this node`;

interface Body {
	body: unknown;
	at: string;
}

type Choose = (body: unknown) => AlertSource;

function findingsIn(body: unknown, at: string, choose: Choose): readonly Finding[] {
	let key: string | null = null;
	const findings = attempt(UnreadableAlert, () => {
		const source = choose(body);
		({ key } = source);
		const read = source.schema.safeParse(body);
		if (!read.success) throw new UnreadableAlert(misfit(source, read.error));
		const alerts = source.read(read.data, at);
		if (alerts.length === 0)
			throw new UnreadableAlert(`The body of ${source.title} holds no alert`);
		if (alerts.length > MAX_ALERTS) throw new UnreadableAlert(TOO_MANY);
		return alerts.flatMap((alert) => findPeople(alert, source.key));
	});
	return findings instanceof UnreadableAlert ? [unreadable(findings.message, key)] : findings;
}

function misfit({ title }: AlertSource, { issues }: z.ZodError): string {
	const where = issues[0]?.path.join('.') ?? '';
	return `The alert is not as ${title} sends it${where === '' ? '' : `: look at '${where.slice(0, 100)}'`}`;
}

/** How to find the source of a body: named by the user, or by what only its bodies have. */
function chooser(key: unknown, userPath: unknown): Choose {
	if (key === 'custom') {
		const source = customSource(userPath);
		return () => source;
	}
	const named = sources.find((source) => source.key === key);
	if (named) return () => named;
	if (key !== 'auto') {
		const known = ['auto', ...sources.map((source) => source.key), 'custom'].join(', ');
		throw new UnreadableAlert(`The parameter 'Source' is not one of ${known}`);
	}
	return (body) => {
		const claiming = sources.filter(({ schema }) => schema.safeParse(body).success);
		const [source] = claiming;
		if (!source) throw new UnreadableAlert(UNKNOWN);
		if (claiming.length === 1) return source;
		const titles = claiming.map(({ title }) => title).join(' and ');
		throw new UnreadableAlert(
			`The alert could be of ${titles}: choose the sender in the parameter 'Source'`,
		);
	};
}

const UNKNOWN =
	"The alert is of no sender that is known by its shape: choose it in the parameter 'Source', or choose Custom and give a 'User Path'";

/** An item of n8n's Webhook node: the request, with its body. */
const webhookItem = z.object({
	headers: z.object({}),
	params: z.object({}).optional(),
	query: z.object({}).optional(),
	body: z.unknown().refine((body) => body !== undefined),
});
/** A document as a search index keeps it. */
const indexed = z.object({ _source: anyObject });

/** The bodies in what came in, each with its path. Only what is known to wrap is taken off. */
function unwrapped(input: unknown, at = ''): readonly Body[] {
	const value = typeof input === 'string' ? fromText(input) : bounded('alert', input);
	if (Array.isArray(value)) {
		if (value.length === 0) throw new UnreadableAlert('The alert is an empty list');
		return value.map((one: unknown, index) => sourceOf({ body: one, at: `${at}[${index}]` }));
	}
	if (typeof value !== 'object' || value === null) {
		throw new UnreadableAlert('The alert is no object, and no list of objects');
	}
	const request = at === '' ? webhookItem.safeParse(value) : null;
	return request?.success ? unwrapped(request.data.body, 'body') : [sourceOf({ body: value, at })];
}

function sourceOf({ body, at }: Body): Body {
	const read = indexed.safeParse(body);
	return read.success ? { body: read.data._source, at: under(at, '_source') } : { body, at };
}

function fromText(text: string): unknown {
	if (text.trim() === '') throw new UnreadableAlert('The alert is empty');
	if (/^ey[\w-]+\.[\w-]+\.[\w-]*$/.test(text.slice(0, LONGEST_TOKEN).trim())) {
		throw new UnreadableAlert(
			'The alert is a signed token: verify it first and give what it says, for example with the JWT node',
		);
	}
	return parsed('alert', text);
}

const LONGEST_TOKEN = 65_536;
