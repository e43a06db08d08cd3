/**
 * CrowdStrike Falcon: a Fusion webhook with the body on the documentation page, whose members we
 * choose, or a detection event of the event stream.
 *
 * Variables of identity detections name a user by account name and SID; only the stream knows the
 * UPN. On endpoints, user names are local.
 */
import { z } from 'zod';
import { defineSource } from '../contract';
import { accountOf, firstOf, isBlank, joined, metaOf, type Place, under } from '../values';

const body = z.object({
	source: z.literal('crowdstrike'),
	alert_id: z.unknown(),
	title: z.unknown(),
	severity: z.unknown(),
	detected_at: z.unknown(),
	url: z.unknown(),
	user: z.unknown(),
	user_domain: z.unknown(),
	user_email: z.unknown(),
	user_upn: z.unknown(),
	user_sid: z.unknown(),
});

const event = z.object({
	metadata: z.object({
		eventType: z.string().regex(/DetectionSummaryEvent$/),
		eventCreationTime: z.unknown(),
	}),
	event: z.object({
		CompositeId: z.unknown(),
		DetectId: z.unknown(),
		DetectionId: z.unknown(),
		IncidentId: z.unknown(),
		DetectName: z.unknown(),
		DetectDescription: z.unknown(),
		Name: z.unknown(),
		SeverityName: z.unknown(),
		FalconHostLink: z.unknown(),
		SourceAccountUpn: z.unknown(),
		SourceAccountName: z.unknown(),
		SourceAccountDomain: z.unknown(),
		SourceAccountObjectSid: z.unknown(),
		UserName: z.unknown(),
	}),
});

const schema = z.union([body, event]);

export const crowdstrike = defineSource<z.infer<typeof schema>>({
	key: 'crowdstrike',
	title: 'CrowdStrike Falcon',
	schema,
	read: (read, at) => ['event' in read ? streamed(read, at) : sent(read, at)],
});

function sent(read: z.infer<typeof body>, at: string) {
	const { alert_id: id, title, severity, detected_at: detectedAt, url } = read;
	const place = (name: keyof typeof read): Place => ({ value: read[name], path: under(at, name) });
	return {
		meta: metaOf({ id, title, severity, detectedAt, url }),
		accounts: [
			accountOf('subject', 'high', [
				{ ...place('user_email'), as: 'email' },
				{ ...place('user_upn'), as: 'upn' },
				{ ...place('user_sid'), as: 'sid' },
				{ ...inDomain(place('user_domain'), place('user')), as: 'name' },
			]),
		],
	};
}

function streamed({ event: read, metadata }: z.infer<typeof event>, at: string) {
	const { CompositeId, DetectId, DetectionId, IncidentId } = read;
	const place = (name: keyof typeof read): Place => ({
		value: read[name],
		path: under(at, `event.${name}`),
	});
	const name = firstOf(under(at, 'event'), {
		SourceAccountName: read.SourceAccountName,
		UserName: read.UserName,
	});
	return {
		meta: metaOf({
			id: CompositeId ?? DetectId ?? DetectionId ?? IncidentId,
			title: read.DetectName ?? read.Name ?? read.DetectDescription,
			severity: read.SeverityName,
			detectedAt: metadata.eventCreationTime,
			url: read.FalconHostLink,
		}),
		accounts: [
			accountOf('subject', 'high', [
				{ ...place('SourceAccountUpn'), as: 'upn' },
				{ ...place('SourceAccountObjectSid'), as: 'sid' },
				{ ...inDomain(place('SourceAccountDomain'), name), as: 'name' },
			]),
		],
	};
}

const inDomain = (domain: Place, name: Place): Place =>
	isBlank(domain.value) ? name : joined(domain, '\\', name);
