import { z } from 'zod';
import { type Access, type Field, readBaseUrl, readWord, refusing } from '../core/connector';
import { isPassing, isThrottled } from './errors';

export interface SlackCredential {
	userToken: string;
	apiUrl: string;
}

const API_URL = 'https://slack.com/api';

export const fields: readonly Field[] = [
	{
		name: 'userToken',
		label: 'User Token',
		type: 'secret',
		required: true,
		description:
			"The User OAuth Token of an app that is installed on the whole organization; begins with 'xoxp-'",
	},
	{
		name: 'apiUrl',
		label: 'API URL',
		type: 'string',
		required: true,
		default: API_URL,
		description: 'Where the methods of the Web API are; for GovSlack https://slack-gov.com/api',
	},
];

/**
 * Tokens that can do no revocation, by what they begin with. Whatever else there may be is for Slack
 * to judge: a user token that is rotated begins with `xoxe.xoxp-`, for example.
 *
 * @see https://docs.slack.dev/authentication/tokens
 */
const others = [
	{ begin: /^xoxb-|^xoxe\.xoxb-/, is: 'a bot token' },
	{ begin: /^xapp-/, is: 'an app-level token' },
	{ begin: /^xoxe-/, is: 'a refresh token' },
] as const;

export const schema = z
	.object({ userToken: z.string().default(''), apiUrl: z.string().default(API_URL) })
	.transform((typed, context): SlackCredential => {
		const wrong = refusing<keyof typeof typed>(context);
		const token = readWord(typed.userToken, 'token', 'Bearer');
		if ('problem' in token) return wrong('userToken', token.problem);
		const userToken = token.word;
		const other = others.find(({ begin }) => begin.test(userToken));
		if (other) {
			return wrong('userToken', `is ${other.is}; sessions end by a user token ('xoxp-') only`);
		}
		const api = readBaseUrl(typed.apiUrl, { allowPath: true });
		return 'problem' in api ? wrong('apiUrl', api.problem) : { userToken, apiUrl: api.url };
	});

export function access({ userToken, apiUrl }: SlackCredential): Access {
	return {
		baseUrl: apiUrl,
		authentication: { type: 'header', name: 'Authorization', value: `Bearer ${userToken}` },
		secrets: [userToken],
		isThrottled,
		isPassing,
	};
}
