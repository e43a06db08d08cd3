/** How a test file finds the stage that the set-up made: by an environment variable, as plain data. */
import { z } from 'zod';
import { N8nClient } from './client';
import { SimulatorControl } from './simulator';
import { systemOf, type Stage } from './stage';
import { VENDORS } from './vendors';

const VARIABLE = 'SESSION_REVOCATION_HOST_STAGE';

const credential = z.object({ id: z.string(), name: z.string(), type: z.string() });
const stageSchema = z.object({
	n8nUrl: z.string(),
	logFile: z.string(),
	userFolder: z.string(),
	processes: z.array(
		z.object({
			role: z.enum(['start', 'worker', 'webhook']),
			url: z.string(),
			logFile: z.string(),
		}),
	),
	owner: z.object({ email: z.string(), password: z.string() }),
	session: z.object({ cookie: z.string(), key: z.string() }),
	systems: z.array(z.object({ key: z.string(), simulatorUrl: z.string(), credential })),
	webhookKey: credential,
	approver: z.object({ credential, user: z.string(), password: z.string() }),
	template: z.object({
		id: z.string(),
		versionId: z.string(),
		webhookUrl: z.string(),
		keyHeader: z.string(),
		key: z.string(),
	}),
});

/** Writes down where the stage stands. */
export function publishStage({ n8n, systems, webhookKey, approver, template }: Stage): void {
	const data: z.infer<typeof stageSchema> = {
		n8nUrl: n8n.url,
		logFile: n8n.logFile,
		userFolder: n8n.userFolder,
		processes: n8n.processes.map(({ role, url, logFile }) => ({ role, url, logFile })),
		owner: n8n.owner,
		session: n8n.client.session,
		systems: systems.map(({ key, simulator: { url }, credential: made }) => ({
			key,
			simulatorUrl: url,
			credential: made,
		})),
		webhookKey,
		approver,
		template,
	};
	process.env[VARIABLE] = JSON.stringify(data);
}

/** The stage, for a test file. */
export function onStage() {
	const text = process.env[VARIABLE];
	if (text === undefined) {
		throw new Error('These tests run by "npm run test:host" and "npm run test:queue" only.');
	}
	const { n8nUrl, logFile, userFolder, processes, owner, session, ...data } = stageSchema.parse(
		JSON.parse(text),
	);
	const systems = VENDORS.flatMap((vendor) =>
		data.systems
			.filter(({ key }) => key === vendor.key)
			.map(({ simulatorUrl, credential: made }) => ({
				...vendor,
				simulator: new SimulatorControl(simulatorUrl),
				credential: made,
			})),
	);
	const okta = systemOf(systems, 'okta');
	return {
		...data,
		n8n: {
			url: n8nUrl,
			logFile,
			userFolder,
			processes,
			owner,
			client: new N8nClient(n8nUrl, session),
		},
		systems,
		okta: okta.credential,
		oktaData: okta.credentialData(okta.simulator.url),
		simulator: okta.simulator,
	};
}
