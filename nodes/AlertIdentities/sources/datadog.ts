/**
 * Datadog: a security signal, sent by a webhook with the body on the documentation page, or with
 * Datadog's variables as the names of the members.
 *
 * https://docs.datadoghq.com/integrations/webhooks/
 */
import { z } from 'zod';
import { type Account, defineSource } from '../contract';
import {
	accountsOf,
	anyObject,
	isBlank,
	isSomebody,
	memberOf,
	metaOf,
	type Named,
	parsed,
	type Place,
	under,
} from '../values';

/** An object, or its JSON as text when the variable was put in quotes. */
const objectOrText = z.union([anyObject, z.string()]).nullish();

const ours = z.object({
	source: z.literal('datadog'),
	signal: z.unknown(),
	rule: z.unknown(),
	severity: z.unknown(),
	detected_at: z.unknown(),
	url: z.unknown(),
	attributes: objectOrText,
	group_by: objectOrText,
});

const theirs = z
	.object({
		SECURITY_SIGNAL_ID: z.unknown(),
		SECURITY_RULE_NAME: z.unknown(),
		SECURITY_SIGNAL_TITLE: z.unknown(),
		SECURITY_SIGNAL_SEVERITY: z.unknown(),
		LINK: z.unknown(),
		SECURITY_SIGNAL_ATTRIBUTES: objectOrText,
		SECURITY_RULE_GROUP_BY_FIELDS: objectOrText,
	})
	.refine((body) => !isBlank(body.SECURITY_SIGNAL_ID ?? body.SECURITY_SIGNAL_ATTRIBUTES));

const schema = z.union([ours, theirs]);

export const datadog = defineSource<z.infer<typeof schema>>({
	key: 'datadog',
	title: 'Datadog',
	schema,
	read(body, at) {
		const isOurs = 'source' in body;
		const attributes = place(body, at, isOurs ? 'attributes' : 'SECURITY_SIGNAL_ATTRIBUTES');
		const groups = place(body, at, isOurs ? 'group_by' : 'SECURITY_RULE_GROUP_BY_FIELDS');
		const users = usersIn(attributes, ['usr', '@usr', 'attributes.usr']);
		const accounts = users.some(isSomebody)
			? users
			: [...users, ...usersIn(groups, ['@usr', 'usr'])];
		const meta = isOurs
			? {
					id: body.signal,
					title: body.rule,
					severity: body.severity,
					detectedAt: body.detected_at,
					url: body.url,
				}
			: {
					id: body.SECURITY_SIGNAL_ID,
					title: body.SECURITY_RULE_NAME ?? body.SECURITY_SIGNAL_TITLE,
					severity: body.SECURITY_SIGNAL_SEVERITY,
					detectedAt: null,
					url: body.LINK,
				};
		return [{ meta: metaOf(meta), accounts }];
	},
});

function place(body: object, at: string, name: string): Place {
	const value = memberOf(body, name);
	const path = under(at, name);
	const isText = typeof value === 'string' && !isBlank(value);
	return { value: isText ? parsed(`member '${name}'`, value) : value, path };
}

/** Datadog's reserved attributes of a user, below the first of several names that has any. */
function usersIn(object: Place, names: readonly string[]): readonly Account[] {
	const fields = (name: string): readonly Named[] =>
		(['email', 'id', 'name'] as const).map((field) => ({
			value: memberOf(object.value, `${name}.${field}`),
			path: under(object.path, `${name}.${field}`),
			as: field === 'email' ? 'email' : 'name',
		}));
	const all = names.map(fields);
	const filled = all.find((some) => some.some(({ value }) => !isBlank(value))) ?? [];
	return accountsOf('subject', 'medium', filled);
}
