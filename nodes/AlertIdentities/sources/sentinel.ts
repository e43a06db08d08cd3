/**
 * Microsoft Sentinel: an incident (camelCase), an alert (PascalCase, its entities often JSON as
 * text), or the output of "Entities - Get Accounts".
 *
 * Entities: https://learn.microsoft.com/azure/sentinel/entities-reference
 * Incident: https://learn.microsoft.com/azure/sentinel/playbook-triggers-actions
 * Alert: https://learn.microsoft.com/azure/sentinel/security-alert-schema
 */
import { z } from 'zod';
import { type Account, type Alert, defineSource } from '../contract';
import {
	accountOf,
	anyObject,
	firstOf,
	isBlank,
	joined,
	listOrText,
	metaOf,
	parsed,
	type Place,
	UNTOLD,
	under,
} from '../values';

const text = z.string().nullish();

const incident = z.object({
	id: z.unknown(),
	name: z.unknown(),
	properties: z
		.object({
			title: z.unknown(),
			severity: z.unknown(),
			createdTimeUtc: z.unknown(),
			incidentUrl: z.unknown(),
			incidentNumber: z.unknown(),
			relatedEntities: z.array(z.unknown()).optional(),
		})
		.refine(
			({ incidentNumber, relatedEntities }) => (incidentNumber ?? relatedEntities) !== undefined,
		),
});

const alert = z
	.object({
		Entities: listOrText,
		SystemAlertId: text,
		AlertDisplayName: z.unknown(),
		DisplayName: z.unknown(),
		AlertName: z.unknown(),
		Severity: z.unknown(),
		AlertSeverity: z.unknown(),
		TimeGenerated: z.unknown(),
		AlertLink: z.unknown(),
	})
	.refine((one) => one.SystemAlertId ?? one.AlertDisplayName ?? one.AlertName);

const schema = z.union([
	z.object({ object: incident }),
	incident,
	alert,
	z.object({ Accounts: z.array(anyObject) }),
]);

export const sentinel = defineSource<z.infer<typeof schema>>({
	key: 'sentinel',
	title: 'Microsoft Sentinel',
	schema,
	read(body, at) {
		if ('object' in body) return [incidentAlert(body.object, under(at, 'object'))];
		if ('properties' in body) return [incidentAlert(body, at)];
		if ('Accounts' in body) {
			const accounts = body.Accounts.map((one, index) =>
				accountIn(one, under(at, `Accounts[${index}]`)),
			);
			return [{ meta: UNTOLD, accounts }];
		}
		const entities = typeof body.Entities === 'string' ? parsedList(body.Entities) : body.Entities;
		return [
			{
				meta: metaOf({
					id: body.SystemAlertId,
					title: body.AlertDisplayName ?? body.DisplayName ?? body.AlertName,
					severity: body.Severity ?? body.AlertSeverity,
					detectedAt: body.TimeGenerated,
					url: body.AlertLink,
				}),
				accounts: entities.flatMap((entity, index) =>
					entityAccount(entity, under(at, `Entities[${index}]`)),
				),
			},
		];
	},
});

function parsedList(json: string): readonly unknown[] {
	const value = json.trim() === '' ? [] : parsed("member 'Entities'", json);
	return Array.isArray(value) ? value : [value];
}

/** Its `owner` is the analyst, so it is not even part of the schema. */
function incidentAlert({ id, name, properties }: z.infer<typeof incident>, at: string): Alert {
	const { title, severity, createdTimeUtc, incidentUrl, relatedEntities = [] } = properties;
	return {
		meta: metaOf({
			id: id ?? name,
			title,
			severity,
			detectedAt: createdTimeUtc,
			url: incidentUrl,
		}),
		accounts: relatedEntities.flatMap((entity, index) =>
			entityAccount(entity, under(at, `properties.relatedEntities[${index}]`)),
		),
	};
}

const isAccount = (kind: unknown): boolean =>
	typeof kind === 'string' && kind.toLowerCase() === 'account';

/** The account that an entity is; none for hosts, addresses and all others. */
function entityAccount(entity: unknown, at: string): readonly Account[] {
	const read = z.object({ kind: z.unknown(), Type: z.unknown() }).passthrough().safeParse(entity);
	if (!read.success || !isAccount(read.data.kind ?? read.data.Type)) return [];
	const properties = z.object({ properties: anyObject }).safeParse(entity);
	return [
		properties.success
			? accountIn(properties.data.properties, under(at, 'properties'))
			: accountIn(read.data, at),
	];
}

function accountIn(one: Record<string, unknown>, at: string): Account {
	const place = (...names: readonly string[]) =>
		firstOf(at, Object.fromEntries(names.map((name) => [name, one[name]])));
	const name = place('accountName', 'Name');
	const suffix = place('upnSuffix', 'UPNSuffix');
	const domain = place('ntDomain', 'NTDomain');
	const isComplete = hasDomain(name) || (isBlank(suffix.value) && isBlank(domain.value));
	const account = accountOf('subject', 'high', [
		{ ...place('aadUserId', 'AadUserId'), as: 'entraId' },
		{ ...(isComplete ? name : joined(name, '@', suffix)), as: 'upn' },
		{ ...place('sid', 'Sid'), as: 'sid' },
		{ ...joined(domain, '\\', name), as: 'samAccount' },
	]);
	if (account.identities.length > 0 || account.isNobody) return account;
	return accountOf('subject', 'high', [
		{ ...place('displayName', 'DisplayName', 'friendlyName'), as: 'name' },
	]);
}

const hasDomain = ({ value }: Place): boolean => typeof value === 'string' && value.includes('@');
