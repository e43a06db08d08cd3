/**
 * Splunk's webhook alert action: the first row of a search, whose fields the search's author names.
 *
 * https://docs.splunk.com/Documentation/Splunk/latest/Alert/Webhooks
 * Fields: https://docs.splunk.com/Documentation/CIM/latest/User/Authentication
 */
import { z } from 'zod';
import { defineSource } from '../contract';
import { accountsOf, isSomebody, metaOf, type Named, under } from '../values';

const schema = z
	.object({
		sid: z.string(),
		search_name: z.unknown(),
		results_link: z.unknown(),
		result: z.object({
			user: z.unknown(),
			src_user: z.unknown(),
			user_email: z.unknown(),
			UserPrincipalName: z.unknown(),
			severity: z.unknown(),
			urgency: z.unknown(),
			_time: z.unknown(),
		}),
	})
	// Only the results' link is always there: a search that is not saved has no name.
	.refine((body) => 'results_link' in body || 'search_name' in body);

export const splunk = defineSource<z.infer<typeof schema>>({
	key: 'splunk',
	title: 'Splunk',
	schema,
	read({ sid, search_name: title, results_link: url, result }, at) {
		const field = (name: keyof typeof result, as: Named['as']): Named => ({
			value: result[name],
			path: under(at, `result.${name}`),
			as,
		});
		const users = accountsOf('subject', 'medium', [
			field('user', 'name'),
			field('user_email', 'email'),
			field('UserPrincipalName', 'upn'),
		]);
		// Beside a user, Splunk's models call the one who acts `src_user`.
		const role = users.some(isSomebody) ? 'actor' : 'subject';
		const accounts = [...users, ...accountsOf(role, 'medium', [field('src_user', 'name')])];
		return [
			{
				meta: metaOf({
					id: sid,
					title,
					severity: result.severity ?? result.urgency,
					detectedAt: result._time,
					url,
				}),
				accounts,
			},
		];
	},
});
