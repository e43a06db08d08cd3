/** The rest of the demo: a request for each outcome that a revocation can have, in the same n8n. */
import { complaint } from '../../test/host/execution';
import { paint, say } from '../../test/host/progress';
import { publishWorkflow, runPosted, systemOf, type Stage } from '../../test/host/stage';
import type { WorkflowFile, WorkflowNode } from '../../test/host/workflow';
import { outcomeOf, resultsOf } from './report';

const PACKAGE = 'n8n-nodes-session-revocation';
const TOUR = { webhook: 'Request', revoke: 'Revoke Everywhere', path: 'outcome-tour' } as const;

const node = (name: string, type: string, rest: Partial<WorkflowNode>): WorkflowNode => ({
	id: `tour-${name}`,
	name,
	type,
	typeVersion: 1,
	position: [name === TOUR.webhook ? 0 : 300, 0],
	parameters: {},
	...rest,
});

/** A webhook that hands its body's members to Revoke Everywhere. */
function tourWorkflow(): WorkflowFile {
	const given = (member: string, otherwise: string) =>
		`={{ $json.body.${member} ?? ${otherwise} }}`;
	return {
		name: 'Tour of the outcomes',
		nodes: [
			node(TOUR.webhook, 'n8n-nodes-base.webhook', {
				typeVersion: 2.1,
				parameters: {
					httpMethod: 'POST',
					path: TOUR.path,
					authentication: 'headerAuth',
					responseMode: 'onReceived',
					options: {},
				},
				webhookId: TOUR.path,
			}),
			node(TOUR.revoke, `${PACKAGE}.revokeEverywhere`, {
				parameters: {
					operation: 'revoke',
					user: given('user', "''"),
					usersList: given('usersList', "''"),
					targetMode: 'selected',
					targets: '={{ $json.body.targets }}',
					dryRun: given('dryRun', 'false'),
					triggers: given('triggers', '{}'),
					lastTriggers: given('lastTriggers', '{}'),
					connectorOptions: given('connectorOptions', '{}'),
					guardrails: { protectedUsers: 'ceo@example.com' },
				},
			}),
		],
		connections: {
			[TOUR.webhook]: { main: [[{ node: TOUR.revoke, type: 'main', index: 0 }]] },
		},
		settings: { executionOrder: 'v1' },
	};
}

interface Stop {
	/** The outcome that the request is about. */
	readonly outcome: string;
	/** Why it comes to that. */
	readonly because: string;
	readonly body: Readonly<Record<string, unknown>> & { readonly targets: readonly string[] };
	/** What is to go wrong at the first target. */
	readonly fault?: Parameters<Stage['systems'][number]['simulator']['meet']>[0];
}

/** Slack is asked for many at once from so many users on, and then queues the work. */
const MANY = 21;

const ROUTE: readonly Stop[] = [
	{
		outcome: 'revoked',
		because: 'the user is signed in',
		body: { user: 'tomas.okafor@example.com', targets: ['okta'] },
	},
	{
		outcome: 'tokens_revoked',
		because: 'sessions end as their tokens are to be renewed',
		body: { user: 'tomas.okafor@example.com', targets: ['entra'] },
	},
	{
		outcome: 'nothing_to_revoke',
		because: 'the user has no session',
		body: { user: 'lena.fischer@example.com', targets: ['stytch'] },
	},
	{
		outcome: 'accepted',
		because: 'a large run: Slack queues the work, and nobody looks afterwards',
		body: {
			usersList: [
				'mei.tanaka+contractor@example.com',
				"maeve.o'neil@example.com",
				'sam.rivera@example.com',
				...Array.from({ length: MANY - 3 }, (_, index) => `nobody${index}@example.com`),
			].join('\n'),
			targets: ['slack_enterprise'],
			connectorOptions: { slack_enterprise: { verify: false } },
		},
	},
	{
		outcome: 'unchanged',
		because: 'the triggers are those of the last run',
		body: {
			user: 'tomas.okafor@example.com',
			targets: ['janssen'],
			triggers: { password_changed: '2026-01-01' },
			lastTriggers: { password_changed: '2026-01-01' },
		},
	},
	{
		outcome: 'planned',
		because: 'a dry run',
		body: { user: 'tomas.okafor@example.com', targets: ['google_workspace'], dryRun: true },
	},
	{
		outcome: 'user_not_found',
		because: 'nobody has this name',
		body: { user: 'nobody@example.com', targets: ['miro'] },
	},
	{
		outcome: 'ambiguous_user',
		because: 'two people share the address',
		body: { user: 'frontdesk@example.com', targets: ['entra'] },
	},
	{
		outcome: 'refused',
		because: 'Slack lets nobody sign its primary owner out',
		body: { user: 'omar.haddad@example.com', targets: ['slack_enterprise'] },
	},
	{
		outcome: 'partial',
		because: 'Stytch refuses the second of two sessions',
		body: { user: 'alex.rivera@example.com', targets: ['stytch'] },
		fault: { match: 'revokeSession', skip: 1, times: 20, fault: { kind: 'status', status: 403 } },
	},
	{
		outcome: 'failed',
		because: 'Miro is down',
		body: { user: 'tomas.okafor@example.com', targets: ['miro'] },
		fault: { times: 20, fault: { kind: 'serverError', status: 503 } },
	},
];

/** Prints a line for each outcome. True when every request came to the one that it is about. */
export async function showOutcomes(stage: Stage): Promise<boolean> {
	const workflow = await publishWorkflow(stage, tourWorkflow(), TOUR, stage.systems);
	say();
	say(paint('bold', 'Every outcome, each by a request of its own'));
	let right = true;
	for (const { outcome, because, body, fault } of ROUTE) {
		const [first = ''] = body.targets;
		if (fault) await systemOf(stage.systems, first).simulator.meet(fault);
		const execution = await runPosted(stage.n8n, workflow, body);
		if (execution.status !== 'success') throw new Error(complaint(execution));
		const [result] = resultsOf(execution, TOUR.revoke);
		const [target] = result?.results ?? [];
		const isRight = target?.outcome === outcome;
		right &&= isRight;
		const said = target === undefined ? 'no result' : outcomeOf(target);
		const mark = isRight ? paint('green', '✔') : paint('red', `✘ (${outcome} was expected)`);
		const by = result?.outputName ?? 'no output';
		say(`  ${mark} ${first.padEnd(17)} ${said.padEnd(38)} ${by.padEnd(8)} ${because}`);
	}
	return right;
}
