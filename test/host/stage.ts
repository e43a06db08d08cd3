/**
 * The whole stage, for the demo and for the tests: a simulated Okta, a real n8n with the packed
 * package, the credentials, the template imported, filled in and published.
 */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { DEMO_OKTA_API_TOKEN } from '../simulator/okta-demo';
import type { Credential, SavedWorkflow } from './client';
import type { Execution } from './execution';
import { installN8n } from './install';
import { startN8n, temporaryFolder, type N8nHost } from './n8n';
import { step } from './progress';
import type { SentinelAlert } from './sentinel';
import { startSimulator, type SimulatorControl } from './simulator';
import { pack, type Tarball } from './tarball';
import { readTemplate, TEMPLATE, webhookPath, withCredential } from './workflow';

const WEBHOOK_TIMEOUT_MS = 30_000;
const KEY_HEADER = 'X-Webhook-Key';

/** The template as it stands in n8n, ready to be called. */
interface PublishedTemplate extends SavedWorkflow {
	readonly webhookUrl: string;
	readonly keyHeader: string;
	readonly key: string;
}

export interface Stage {
	readonly tarball: Tarball;
	readonly simulator: SimulatorControl;
	readonly n8n: N8nHost;
	readonly okta: Credential;
	readonly webhookKey: Credential;
	readonly template: PublishedTemplate;
	/** Takes everything down again; nothing keeps running and no folder stays. */
	strike(): Promise<void>;
}

/** What a person would type into the Okta credential, for the simulated Okta. */
export function oktaCredentialData(simulatorUrl: string, apiToken = DEMO_OKTA_API_TOKEN) {
	return { domain: simulatorUrl, authentication: 'apiToken', apiToken };
}

/** Imports the template, chooses its credentials and publishes it. */
async function publishTemplate(
	n8n: N8nHost,
	okta: Credential,
	webhookKey: Credential,
	key: string,
): Promise<PublishedTemplate> {
	const imported = readTemplate(TEMPLATE.file);
	const closed = withCredential(imported, TEMPLATE.webhook, webhookKey);
	const workflow = withCredential(closed, TEMPLATE.revoke, okta);
	const saved = await n8n.client.createWorkflow(workflow);
	const webhookUrl = `${n8n.url}/webhook/${webhookPath(workflow, TEMPLATE.webhook)}`;
	await n8n.client.publish(saved, webhookUrl);
	return { ...saved, webhookUrl, keyHeader: KEY_HEADER, key };
}

/** Sets the stage, step by step, each with its progress. */
export async function setStage(): Promise<Stage> {
	const undo: (() => Promise<void>)[] = [];
	const strike = async () => {
		// The last thing that was started is the first to go.
		for (const one of undo.splice(0).reverse()) await one();
	};
	try {
		const folder = temporaryFolder('package');
		undo.push(async () => {
			await rm(folder, { recursive: true, force: true });
		});
		const tarball = await step('Package packed', async (current) => {
			const packed = await pack(folder);
			const size = `${String(Math.round(packed.bytes / 1024))} KiB`;
			current.result(`${packed.name} ${packed.version}, ${packed.files.length} files, ${size}`);
			return packed;
		});
		const installed = await installN8n();
		const simulator = await step('Okta simulator started', async (current) => {
			const running = await startSimulator('okta');
			undo.push(async () => await running.stop());
			current.result(running.control.url);
			return running.control;
		});
		const n8n = await step('n8n started', async (current) => {
			const host = await startN8n(installed, tarball, current);
			undo.push(async () => await host.stop());
			return host;
		});
		const okta = await step('Okta credential', async (current) => {
			const data = oktaCredentialData(simulator.url);
			const credential = await n8n.client.createCredential('Okta (demo)', 'oktaSessionsApi', data);
			const test = await n8n.client.testCredential(credential, data);
			if (test.status !== 'OK')
				throw new Error(`The credential test failed: ${test.message ?? ''}`);
			current.result('made and tested');
			return credential;
		});
		const key = randomBytes(24).toString('base64url');
		const webhookKey = await n8n.client.createCredential('SIEM webhook key', 'httpHeaderAuth', {
			name: KEY_HEADER,
			value: key,
		});
		const template = await step('Template published', async (current) => {
			const published = await publishTemplate(n8n, okta, webhookKey, key);
			current.result(readTemplate(TEMPLATE.file).name);
			return published;
		});
		return { tarball, simulator, n8n, okta, webhookKey, template, strike };
	} catch (error) {
		await strike();
		throw error;
	}
}

/** Posts an alert to the published template, as a Sentinel playbook does. */
export async function postAlert(
	{ webhookUrl, keyHeader, key }: PublishedTemplate,
	alert: SentinelAlert,
	headers: Readonly<Record<string, string>> = { [keyHeader]: key },
): Promise<Response> {
	return await fetch(webhookUrl, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...headers },
		body: JSON.stringify(alert),
		signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
	});
}

/** Posts an alert and gives the execution that it started, when that is finished. */
export async function runAlert(
	stage: Pick<Stage, 'template'> & { readonly n8n: Pick<N8nHost, 'client'> },
	alert: SentinelAlert,
): Promise<Execution> {
	return await stage.n8n.client.executionAfter(stage.template.id, async () => {
		const response = await postAlert(stage.template, alert);
		if (response.status !== 200) {
			throw new Error(`The webhook answered ${response.status}: ${await response.text()}`);
		}
	});
}
