/**
 * Okta: an event hook's delivery with one or more events, or single events of the System Log.
 *
 * https://developer.okta.com/docs/concepts/event-hooks/
 * https://developer.okta.com/docs/reference/api/event-types/
 */
import { z } from 'zod';
import { type Account, type Alert, defineSource, type Role } from '../contract';
import { accountOf, metaOf, under } from '../values';

const party = z.object({ id: z.unknown(), type: z.unknown(), alternateId: z.unknown() });

const event = z.object({
	uuid: z.unknown(),
	eventType: z.string(),
	displayMessage: z.unknown(),
	severity: z.unknown(),
	published: z.unknown(),
	actor: party.nullish(),
	target: z.array(z.unknown()).nullish(),
});

const schema = z.union([
	z.object({
		eventType: z.literal('com.okta.event_hook'),
		data: z.object({ events: z.array(event).min(1) }),
	}),
	event.extend({ uuid: z.string(), actor: party, published: z.string() }),
]);

export const okta = defineSource<z.infer<typeof schema>>({
	key: 'okta',
	title: 'Okta',
	schema,
	read(body, at) {
		if (!('data' in body)) return [alertIn(body, at)];
		const seen = new Set<unknown>();
		// Okta delivers at least once: the same event can come twice.
		return body.data.events.flatMap((one, index) => {
			const isRepeated = typeof one.uuid === 'string' && seen.has(one.uuid);
			seen.add(one.uuid);
			return isRepeated ? [] : [alertIn(one, under(at, `data.events[${index}]`))];
		});
	},
});

/**
 * Events of which the actor is the user concerned. In all others the actor can be an administrator
 * or a help desk.
 */
const OWN_EVENTS = new RegExp(
	[
		'^policy\\.evaluate_sign_on$',
		'^user\\.account\\.(?:lock|lock\\.limit|report_suspicious_activity_by_enduser|update_password)$',
		'^user\\.authentication\\.',
		'^user\\.mfa\\.(?:attempt_bypass|okta_verify(?:\\..+)?|factor\\.activate)$',
		'^user\\.risk\\.(?:change|detect)$',
		'^user\\.session\\.(?:context\\.change|end|start)$',
	].join('|'),
);

function alertIn(one: z.infer<typeof event>, at: string): Alert {
	const { uuid, displayMessage, eventType, severity, published, actor, target } = one;
	const targets = (target ?? []).flatMap((each, index) =>
		accountsIn(each, under(at, `target[${index}]`), 'target'),
	);
	const actorRole = OWN_EVENTS.test(eventType) ? 'subject' : 'actor';
	return {
		meta: metaOf({
			id: uuid,
			title: displayMessage ?? eventType,
			severity,
			detectedAt: published,
			url: null,
		}),
		accounts: targets.length > 0 ? targets : accountsIn(actor, under(at, 'actor'), actorRole),
	};
}

/** The account that an actor or a target is; none for applications, groups and Okta itself. */
function accountsIn(one: unknown, at: string, role: Role): readonly Account[] {
	const read = party.extend({ type: z.literal('User') }).safeParse(one);
	if (!read.success) return [];
	const { id, alternateId } = read.data;
	return [
		accountOf(role, 'high', [
			{ value: id, path: under(at, 'id'), as: 'oktaId' },
			{ value: alternateId, path: under(at, 'alternateId'), as: 'email' },
		]),
	];
}
