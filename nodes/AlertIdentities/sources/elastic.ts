/**
 * Elastic Security: alerts as a webhook connector sends them with the body on the documentation
 * page, or alert documents. Members are ECS, nested or with dots in their names.
 *
 * Body: https://www.elastic.co/guide/en/kibana/current/rule-action-variables.html
 * Alerts: https://www.elastic.co/guide/en/security/current/alert-schema.html
 * ECS: https://www.elastic.co/guide/en/ecs/current/ecs-user.html
 */
import { z } from 'zod';
import { type Account, type Alert, defineSource, UnreadableAlert } from '../contract';
import {
	accountsOf,
	anyObject,
	doubtful,
	isSomebody,
	joined,
	listOrText,
	memberOf,
	metaOf,
	parsed,
	type Place,
	under,
} from '../values';

const isAlert = (one: unknown): boolean =>
	memberOf(one, 'kibana.alert.uuid') !== undefined ||
	memberOf(one, 'kibana.alert.rule.name') !== undefined ||
	memberOf(one, 'kibana.alert.rule.uuid') !== undefined;

const unwrapped = (one: unknown): unknown => memberOf(one, '_source') ?? one;

const schema = z.union([
	z
		.object({ source: z.unknown(), rule: z.unknown(), url: z.unknown(), alerts: listOrText })
		.refine(
			({ source, alerts }) =>
				source === 'elastic' ||
				(Array.isArray(alerts) && alerts.some((one) => isAlert(unwrapped(one)))),
		),
	anyObject.refine(isAlert).transform((document) => ({ document })),
]);

export const elastic = defineSource<z.infer<typeof schema>>({
	key: 'elastic',
	title: 'Elastic Security',
	schema,
	read(body, at) {
		if ('document' in body) return [alertIn(body.document, at, {})];
		const { alerts, rule, url } = body;
		const list = typeof alerts === 'string' ? joinedAlerts(alerts) : alerts;
		return list.map((one, index) => {
			const path = under(at, `alerts[${index}]`);
			const source = memberOf(one, '_source');
			return source === undefined
				? alertIn(one, path, { rule, url })
				: alertIn(source, under(path, '_source'), { rule, url });
		});
	},
});

/** In quotes, Kibana gives the alerts as text: objects with commas between them and no brackets around. */
function joinedAlerts(text: string): readonly unknown[] {
	const list = text.trim().startsWith('[') ? text : `[${text}]`;
	const value = parsed("member 'alerts'", list);
	return Array.isArray(value) ? value : [];
}

function alertIn(document: unknown, at: string, body: { rule?: unknown; url?: unknown }): Alert {
	if (typeof document !== 'object' || document === null) {
		throw new UnreadableAlert("An entry of 'alerts' is no object");
	}
	const member = (name: string): unknown => memberOf(document, name);
	return {
		meta: metaOf({
			id: member('kibana.alert.uuid'),
			title: member('kibana.alert.rule.name') ?? body.rule,
			severity: member('kibana.alert.severity'),
			detectedAt: member('@timestamp') ?? member('kibana.alert.start'),
			url: member('kibana.alert.url') ?? body.url,
		}),
		accounts: accountsIn(document, at),
	};
}

const BOTH =
	'The alert names one user who acted and another who was acted upon, and does not say which of them it is about';

function accountsIn(document: object, at: string): readonly Account[] {
	const users = userAt(document, 'user', 'subject', at);
	const targets = userAt(document, 'user.target', 'target', at);
	const accounts = [...users, ...targets];
	const isOfBoth = users.some(isSomebody) && targets.some(isSomebody);
	return isOfBoth ? doubtful(accounts, BOTH) : accounts;
}

function userAt(
	document: object,
	user: string,
	role: 'subject' | 'target',
	at: string,
): readonly Account[] {
	const place = (name: string): Place => ({
		value: memberOf(document, `${user}.${name}`),
		path: under(at, `${user}.${name}`),
	});
	const [name, domain] = [place('name'), place('domain')];
	const isLocal = typeof name.value === 'string' && typeof domain.value === 'string';
	const isAddress = isLocal && String(name.value).includes('@');
	return accountsOf(role, 'medium', [
		{ ...place('email'), as: 'email' },
		{ ...(isLocal && !isAddress ? joined(domain, '\\', name) : name), as: 'name' },
		{ ...place('id'), as: 'sid' },
	]);
}
