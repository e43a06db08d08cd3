import { z } from 'zod';
import { type Access, type Field, readBaseUrl, readWord, refusing } from '../core/connector';

export type StytchCredential = { baseUrl: string; projectId: string; secret: string } & (
	| { projectType: 'consumer' }
	/** The organizations whose members are looked up: ids, slugs or external ids. */
	| { projectType: 'b2b'; organizationIds: readonly string[] }
);

/**
 * Where an environment is: the beginning of a project's id names it.
 *
 * @see https://github.com/stytchauth/stytch-node/blob/main/lib/shared/client.ts
 */
const environments = {
	test: 'https://test.stytch.com',
	live: 'https://api.stytch.com',
} as const;

type Environment = keyof typeof environments;

/** The same as an expression of n8n over the fields, for the connection test. */
export const testBaseUrl = `={{ $credentials.environment === 'custom' ? $credentials.apiUrl.trim().replace(/\\/+$/, '') : $credentials.projectId.trim().startsWith('project-live-') ? '${environments.live}' : '${environments.test}' }}`;

export const fields: readonly Field[] = [
	{
		name: 'projectType',
		label: 'Project Type',
		type: 'choice',
		default: 'consumer',
		choices: [
			{
				value: 'b2b',
				label: 'B2B',
				description: 'A project of B2B SaaS Authentication: organizations and members',
			},
			{
				value: 'consumer',
				label: 'Consumer',
				description: 'A project of Consumer Authentication: users',
			},
		],
	},
	{
		name: 'projectId',
		label: 'Project ID',
		type: 'string',
		required: true,
		placeholder: 'e.g. project-live-11111111-2222-3333-4444-555555555555',
		description: 'From the Stytch Dashboard, under API Keys',
	},
	{
		name: 'secret',
		label: 'Secret',
		type: 'secret',
		required: true,
		description: 'A secret of the project, from the same page',
	},
	{
		name: 'organizationIds',
		label: 'Organization IDs',
		type: 'string',
		required: true,
		placeholder: 'e.g. organization-live-11111111-2222-3333-4444-555555555555, acme',
		description:
			'The organizations whose members are looked up, separated by commas. IDs, slugs or external IDs.',
		showWhen: { projectType: ['b2b'] },
	},
	{
		name: 'environment',
		label: 'Environment',
		type: 'choice',
		default: 'auto',
		choices: [
			{
				value: 'auto',
				label: 'From the Project ID',
				description: `${environments.test} or ${environments.live}`,
			},
			{ value: 'custom', label: 'Custom', description: 'A domain of the project of its own' },
		],
	},
	{
		name: 'apiUrl',
		label: 'API URL',
		type: 'string',
		required: true,
		placeholder: 'e.g. https://login.acme.com',
		description: "The project's custom domain, without a path",
		showWhen: { environment: ['custom'] },
	},
];

/** What HTTP Basic takes as a user: visible ASCII without a colon. https://www.rfc-editor.org/rfc/rfc7617#section-2 */
const projectIdCharacters = /^[\x21-\x39\x3b-\x7e]+$/;
/** An id, a slug or an external id. https://stytch.com/docs/b2b/api/organization-object */
const organizationCharacters = /^[\w.~|-]{1,128}$/;

const environmentOf = (kind: 'project' | 'secret', value: string): Environment | null => {
	if (value.startsWith(`${kind}-live-`)) return 'live';
	return value.startsWith(`${kind}-test-`) ? 'test' : null;
};

export const schema = z
	.object({
		projectType: z.enum(['consumer', 'b2b']).default('consumer'),
		projectId: z.string().default(''),
		secret: z.string().default(''),
		organizationIds: z.string().default(''),
		environment: z.enum(['auto', 'custom']).default('auto'),
		apiUrl: z.string().default(''),
	})
	.transform((typed, context): StytchCredential => {
		const wrong = refusing<keyof typeof typed>(context);
		const projectId = typed.projectId.trim();
		if (projectId === '') return wrong('projectId', 'is empty');
		if (!projectIdCharacters.test(projectId)) {
			return wrong('projectId', 'contains characters that no project ID has');
		}
		const environment = environmentOf('project', projectId);
		const read = readWord(typed.secret, 'secret');
		if ('problem' in read) return wrong('secret', read.problem);
		const secret = read.word;
		const ofSecret = environmentOf('secret', secret);
		if (environment !== null && ofSecret !== null && environment !== ofSecret) {
			return wrong(
				'secret',
				`is of the ${ofSecret} environment, but the project ID is of the ${environment} one`,
			);
		}
		let baseUrl: string;
		if (typed.environment === 'custom') {
			const base = readBaseUrl(typed.apiUrl, { allowPath: false });
			if ('problem' in base) return wrong('apiUrl', base.problem);
			baseUrl = base.url;
		} else if (environment === null) {
			return wrong('projectId', 'does not begin with project-live- or project-test-');
		} else {
			baseUrl = environments[environment];
		}
		const { projectType } = typed;
		if (projectType === 'consumer') return { baseUrl, projectId, secret, projectType };
		const named = typed.organizationIds.split(/[\s,]+/).filter(Boolean);
		const organizationIds = [...new Set(named)];
		if (organizationIds.length === 0) {
			return wrong('organizationIds', 'is empty: a search of members needs at least one');
		}
		if (!organizationIds.every((id) => organizationCharacters.test(id))) {
			return wrong('organizationIds', 'contains characters that no organization ID has');
		}
		return { baseUrl, projectId, secret, projectType, organizationIds };
	});

/** @see https://stytch.com/docs/api */
export function access({ baseUrl, projectId, secret }: StytchCredential): Access {
	const basic = btoa(`${projectId}:${secret}`);
	return {
		baseUrl,
		authentication: { type: 'header', name: 'Authorization', value: `Basic ${basic}` },
		secrets: [secret, basic],
	};
}
