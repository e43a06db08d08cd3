/**
 * The whole stage, for the demo and for the tests: every simulated vendor, a real n8n with the packed
 * package, the credentials, the template imported, filled in and published.
 */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Credential, SavedWorkflow } from './client';
import type { Execution } from './execution';
import { installN8n } from './install';
import { startN8n, temporaryFolder, type N8nHost, type StartN8n } from './n8n';
import { step } from './progress';
import { startSimulator, type SimulatorControl } from './simulator';
import { pack, type Tarball } from './tarball';
import { VENDORS, type Person, type Vendor } from './vendors';
import { readTemplate, TEMPLATE, webhookPath, withCredential, type WorkflowFile } from './workflow';

const WEBHOOK_TIMEOUT_MS = 30_000;
const KEY_HEADER = 'X-Webhook-Key';

/** A workflow behind a webhook as it stands in n8n, ready to be called. */
interface PublishedWorkflow extends SavedWorkflow {
	readonly webhookUrl: string;
	readonly keyHeader: string;
	readonly key: string;
}

/** A simulated vendor that runs, and the credential that n8n has for it. */
export interface System extends Vendor {
	readonly simulator: SimulatorControl;
	readonly credential: Credential;
}

/** Whoever may approve, by HTTP basic authentication. */
export interface Approver {
	readonly credential: Credential;
	readonly user: string;
	readonly password: string;
}

export interface Stage {
	readonly tarball: Tarball;
	readonly n8n: N8nHost;
	/** In the order of {@link VENDORS}. */
	readonly systems: readonly System[];
	readonly webhookKey: Credential;
	/** The value of `webhookKey`. */
	readonly key: string;
	readonly approver: Approver;
	readonly template: PublishedWorkflow;
	/** Takes everything down again; nothing keeps running and no folder stays. */
	strike(): Promise<void>;
}

/** One of the systems by its key. */
export function systemOf(systems: readonly System[], key: string): System {
	const system = systems.find((one) => one.key === key);
	if (system === undefined) throw new Error(`The stage has no system ${key}.`);
	return system;
}

/** How many sessions somebody has in a system, by the system's own state; null when it knows nobody so. */
export async function sessionsIn({ people, simulator }: System, name: string) {
	const isMeant = (person: Person) => person.name === name;
	return people(await simulator.state()).find(isMeant)?.sessions ?? null;
}

/** Imports a workflow, chooses the credentials of its webhook and of its Revoke Everywhere, and publishes it. */
export async function publishWorkflow(
	{ n8n, webhookKey, key }: Pick<Stage, 'webhookKey' | 'key'> & { readonly n8n: N8nHost },
	imported: WorkflowFile,
	names: { readonly webhook: string; readonly revoke: string },
	systems: readonly System[],
): Promise<PublishedWorkflow> {
	const workflow = systems.reduce(
		(chosen, { credential }) => withCredential(chosen, names.revoke, credential),
		withCredential(imported, names.webhook, webhookKey),
	);
	const saved = await n8n.client.createWorkflow(workflow);
	const webhookUrl = `${n8n.url}/webhook/${webhookPath(workflow, names.webhook)}`;
	await n8n.client.publish(saved, webhookUrl);
	return { ...saved, webhookUrl, keyHeader: KEY_HEADER, key };
}

/** Makes a vendor's credential, and presses "Test" in it. */
async function makeCredential(
	{ client }: N8nHost,
	{ title, credentialType, credentialData, simulator }: Vendor & Pick<System, 'simulator'>,
): Promise<Credential> {
	const data = credentialData(simulator.url);
	const credential = await client.createCredential(`${title} (demo)`, credentialType, data);
	const { status, message = '' } = await client.testCredential(credential, data);
	if (status !== 'OK') throw new Error(`The test of ${title}'s credential failed: ${message}`);
	return credential;
}

/**
 * Sets the stage, step by step, each with its progress.
 *
 * @param template the systems whose credentials the template gets
 */
export async function setStage(
	template: 'okta' | 'all',
	start: StartN8n = startN8n,
): Promise<Stage> {
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
		const vendors = await step('Simulators started', async (current) => {
			const running = await Promise.all(
				VENDORS.map(async (vendor) => {
					const { control, stop } = await startSimulator(vendor.startedAs ?? vendor.key);
					undo.push(stop);
					return { ...vendor, simulator: control };
				}),
			);
			current.result(VENDORS.map(({ title }) => title).join(', '));
			return running;
		});
		const n8n = await step('n8n started', async (current) => {
			const host = await start(installed, tarball, current);
			undo.push(async () => await host.stop());
			return host;
		});
		const systems = await step('Credentials', async (current) => {
			const made: System[] = [];
			for (const vendor of vendors) {
				current.now(vendor.title);
				made.push({ ...vendor, credential: await makeCredential(n8n, vendor) });
			}
			current.result('made and tested');
			return made;
		});
		const key = randomBytes(24).toString('base64url');
		const webhookKey = await n8n.client.createCredential('SIEM webhook key', 'httpHeaderAuth', {
			name: KEY_HEADER,
			value: key,
		});
		const login = { user: 'approver', password: randomBytes(24).toString('base64url') };
		const approver: Approver = {
			credential: await n8n.client.createCredential('Approvers', 'httpBasicAuth', login),
			...login,
		};
		const published = await step('Template published', async (current) => {
			const chosen = template === 'okta' ? [systemOf(systems, 'okta')] : systems;
			const imported = withCredential(
				readTemplate(TEMPLATE.file),
				TEMPLATE.approval,
				approver.credential,
			);
			current.result(imported.name);
			return await publishWorkflow({ n8n, webhookKey, key }, imported, TEMPLATE, chosen);
		});
		return { tarball, n8n, systems, webhookKey, key, approver, template: published, strike };
	} catch (error) {
		await strike();
		throw error;
	}
}

/** Posts a body to a published workflow, by default with the key that opens it. */
export async function post(
	{ webhookUrl, keyHeader, key }: PublishedWorkflow,
	body: unknown,
	headers: Readonly<Record<string, string>> = { [keyHeader]: key },
): Promise<Response> {
	return await fetch(webhookUrl, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...headers },
		body: JSON.stringify(body),
		signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
	});
}

/** Posts a body and gives the execution that it started, when that is finished. */
export async function runPosted(
	{ client }: Pick<N8nHost, 'client'>,
	workflow: PublishedWorkflow,
	body: unknown,
): Promise<Execution> {
	return await client.executionAfter(workflow.id, async () => {
		const response = await post(workflow, body);
		if (response.status !== 200) {
			throw new Error(`The webhook answered ${response.status}: ${await response.text()}`);
		}
	});
}
