/**
 * Wazuh: an alert as the manager gives it to an integration.
 *
 * https://documentation.wazuh.com/current/cloud-security/office365/monitoring-office365-activity.html
 * Office 365: https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
 */
import { z } from 'zod';
import { type Account, defineSource } from '../contract';
import { accountOf, isBlank, isSomebody, joined, metaOf, type Place, under } from '../values';

const parties = z.array(z.unknown()).nullish();

const office365 = z.object({
	Operation: z.unknown(),
	RecordType: z.unknown(),
	UserType: z.unknown(),
	UserId: z.unknown(),
	ObjectId: z.unknown(),
	Actor: parties,
	Target: parties,
});

const schema = z.object({
	id: z.unknown(),
	timestamp: z.unknown(),
	rule: z.object({
		id: z.union([z.string(), z.number()]),
		level: z.number(),
		description: z.unknown(),
	}),
	data: z
		.object({
			office365: office365.nullish(),
			dstuser: z.unknown(),
			srcuser: z.unknown(),
			win: z
				.object({
					eventdata: z
						.object({
							targetUserName: z.unknown(),
							targetDomainName: z.unknown(),
							targetUserSid: z.unknown(),
						})
						.nullish(),
				})
				.nullish(),
		})
		.nullish(),
});

export const wazuh = defineSource<z.infer<typeof schema>>({
	key: 'wazuh',
	title: 'Wazuh',
	schema,
	read({ id, timestamp, rule, data }, at) {
		const place = (path: string, value: unknown): Place => ({
			value,
			path: under(at, `data.${path}`),
		});
		const eventdata = data?.win?.eventdata;
		const domain = place('win.eventdata.targetDomainName', eventdata?.targetDomainName);
		const name = place('win.eventdata.targetUserName', eventdata?.targetUserName);
		const sid = place('win.eventdata.targetUserSid', eventdata?.targetUserSid);
		const isWhole = isBlank(domain.value) || String(name.value).includes('@');
		const dstuser = accountOf('target', 'medium', [
			{ ...place('dstuser', data?.dstuser), as: 'name' },
		]);
		const srcuser = accountOf(isSomebody(dstuser) ? 'actor' : 'subject', 'medium', [
			{ ...place('srcuser', data?.srcuser), as: 'name' },
		]);
		return [
			{
				meta: metaOf({
					id,
					title: rule.description,
					severity: rule.level,
					detectedAt: timestamp,
					url: null,
				}),
				accounts: [
					...(data?.office365 ? ofOffice(data.office365, under(at, 'data.office365')) : []),
					accountOf('target', 'medium', [
						{ ...sid, as: 'sid' },
						{ ...(isWhole ? name : joined(domain, '\\', name)), as: 'name' },
					]),
					dstuser,
					srcuser,
				],
			},
		];
	},
});

/** Types of users that are administrators, of the tenant or of Microsoft. */
const ADMINISTRATORS: readonly unknown[] = ['2', '3'];
const DIRECTORY_CHANGE = '8';
const SIGN_IN = '15';

function ofOffice(one: z.infer<typeof office365>, at: string): readonly Account[] {
	const record = String(one.RecordType);
	const user = accountOf('subject', 'high', [
		{ value: one.UserId, path: under(at, 'UserId'), as: 'upn' },
	]);
	const actors = isSomebody(user) ? [user] : named(one.Actor, under(at, 'Actor'), 'subject');
	if (record === SIGN_IN) return actors;
	const targets = [
		...named(one.Target, under(at, 'Target'), 'target'),
		...addressed(
			accountOf('target', 'high', [
				{ value: one.ObjectId, path: under(at, 'ObjectId'), as: 'upn' },
			]),
		),
	].filter(isSomebody);
	const isAdministrator =
		record === DIRECTORY_CHANGE || ADMINISTRATORS.includes(String(one.UserType));
	return targets.length > 0 || isAdministrator
		? [...targets, ...actors.map((actor) => ({ ...actor, role: 'actor' as const }))]
		: actors;
}

/** An object can be anything: only an address names a user. */
const addressed = (account: Account): readonly Account[] =>
	account.identities.some(({ kind }) => kind === 'upn') ? [account] : [];

/** In lists of actors and targets, entries of the type 5 are UPNs. */
const named = (
	list: z.infer<typeof parties>,
	at: string,
	role: 'subject' | 'target',
): readonly Account[] =>
	(list ?? []).flatMap((entry, index) => {
		const read = z.object({ Type: z.unknown(), ID: z.unknown() }).safeParse(entry);
		if (!read.success || String(read.data.Type) !== '5') return [];
		return [
			accountOf(role, 'high', [{ value: read.data.ID, path: `${at}[${index}].ID`, as: 'upn' }]),
		];
	});
