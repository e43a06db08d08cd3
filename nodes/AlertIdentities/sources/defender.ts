/**
 * Microsoft Defender XDR: an alert of Microsoft Graph, its answer with several, or an incident with
 * its alerts.
 *
 * https://learn.microsoft.com/graph/api/resources/security-alert
 * https://learn.microsoft.com/graph/api/resources/security-alertevidence (what roles mean)
 */
import { z } from 'zod';
import { type Account, type Alert, defineSource } from '../contract';
import { accountOf, joined, metaOf, type Place, under } from '../values';

const TYPE = '@odata.type';
const NAMESPACE = '#microsoft.graph.security.';

const userAccount = z.object({
	accountName: z.unknown(),
	domainName: z.unknown(),
	userSid: z.unknown(),
	azureAdUserId: z.unknown(),
	userPrincipalName: z.unknown(),
});

const evidence = z.object({
	[TYPE]: z.string().startsWith(NAMESPACE),
	roles: z.array(z.unknown()).nullish(),
	userAccount: userAccount.nullish(),
	upn: z.unknown(),
	primaryAddress: z.unknown(),
});

const alert = z.object({
	id: z.unknown(),
	title: z.unknown(),
	severity: z.unknown(),
	createdDateTime: z.unknown(),
	alertWebUrl: z.unknown(),
	evidence: z.array(z.unknown()).nullish(),
});

const isOfGraph = (one: unknown): boolean =>
	z.object({ [TYPE]: z.string().startsWith(NAMESPACE) }).safeParse(one).success;

const marked = alert
	.extend({ evidence: z.array(z.unknown()), [TYPE]: z.unknown() })
	.refine((one) => isOfGraph(one) || one.evidence.some(isOfGraph));

/** One that is marked tells what the others are: an alert may have no evidence. */
const several = z
	.array(alert)
	.refine((alerts) => alerts.some((one) => marked.safeParse(one).success));

const schema = z.union([marked, z.object({ value: several }), z.object({ alerts: several })]);

export const defender = defineSource<z.infer<typeof schema>>({
	key: 'defender',
	title: 'Microsoft Defender',
	schema,
	read(body, at) {
		if ('evidence' in body) return [alertIn(body, at)];
		const [name, alerts] = 'value' in body ? ['value', body.value] : ['alerts', body.alerts];
		return alerts.map((one, index) => alertIn(one, under(at, `${name}[${index}]`)));
	},
});

/** Its `assignedTo` is the analyst, so it is not even part of the schema. */
function alertIn(body: z.infer<typeof alert>, at: string): Alert {
	const { id, title, severity, createdDateTime, alertWebUrl } = body;
	const entries = (body.evidence ?? []).flatMap((one, index): readonly Entry[] => {
		const read = evidence.safeParse(one);
		const place = under(at, `evidence[${index}]`);
		return read.success ? entryOf(read.data, place) : [];
	});
	const isOneCompromised = entries.some(({ roles }) => roles.has('compromised'));
	return {
		meta: metaOf({ id, title, severity, detectedAt: createdDateTime, url: alertWebUrl }),
		accounts: entries.map(({ account, roles, isProcess }) => {
			if (roles.has('compromised') && !isProcess) return account;
			const doubt = isProcess ? RAN_A_PROCESS : doubtOf(roles, isOneCompromised);
			return doubt === null ? account : { ...account, doubt };
		}),
	};
}

const RAN_A_PROCESS = 'The alert names the account only as the one that a process ran under';

/** Roles by which an account is only in the neighbourhood of what happened. */
const ASIDE = ['contextual', 'scanned', 'created', 'added', 'edited', 'loaded', 'destination'];

function doubtOf(roles: ReadonlySet<unknown>, isOneCompromised: boolean): string | null {
	if (roles.has('attacker')) return 'The alert calls the account the attacker';
	if (isOneCompromised) return 'The alert calls another account compromised, and not this one';
	const isAside = roles.size > 0 && [...roles].every((role) => ASIDE.includes(String(role)));
	return isAside ? 'The alert does not say that the account is compromised' : null;
}

interface Entry {
	account: Account;
	roles: ReadonlySet<unknown>;
	/** A process names whom it ran as, often SYSTEM, and not whom the alert is about. */
	isProcess: boolean;
}

function entryOf(one: z.infer<typeof evidence>, at: string): readonly Entry[] {
	const kind = one[TYPE].slice(NAMESPACE.length);
	if (!['userEvidence', 'mailboxEvidence', 'processEvidence'].includes(kind)) return [];
	const roles = new Set(one.roles ?? []);
	const place = (name: keyof z.infer<typeof userAccount>): Place => ({
		value: one.userAccount?.[name],
		path: under(at, `userAccount.${name}`),
	});
	const mailbox = kind === 'mailboxEvidence' ? one : { upn: undefined, primaryAddress: undefined };
	const name = place('accountName');
	const isWithDomain = typeof place('domainName').value === 'string';
	const account = accountOf('subject', roles.has('compromised') ? 'high' : 'medium', [
		{ ...place('azureAdUserId'), as: 'entraId' },
		{ ...place('userPrincipalName'), as: 'upn' },
		{ value: mailbox.upn, path: under(at, 'upn'), as: 'upn' },
		{ value: mailbox.primaryAddress, path: under(at, 'primaryAddress'), as: 'email' },
		{ ...place('userSid'), as: 'sid' },
		{ ...(isWithDomain ? joined(place('domainName'), '\\', name) : name), as: 'samAccount' },
	]);
	return [{ account, roles, isProcess: kind === 'processEvidence' }];
}
