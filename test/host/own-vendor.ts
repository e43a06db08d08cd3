/** A simulated vendor that a test file runs by itself, to look into it and to change it. */
import { type SimulatedVendor, type Simulator, startSimulator } from '../simulator/simulator';
import type { Credential } from './client';
import { onStage } from './on-stage';
import { VENDORS } from './vendors';

/** A vendor that runs in the test's process, and its credential in n8n. */
interface OwnVendor {
	readonly simulator: Simulator;
	readonly credential: Credential;
}

/**
 * Starts a vendor and makes its credential, with the data that the demo's seed goes with.
 *
 * @param key of the system in results
 */
export async function startOwn(key: string, vendor: SimulatedVendor): Promise<OwnVendor> {
	const facts = VENDORS.find((one) => one.key === key);
	if (facts === undefined) throw new Error(`There is no vendor ${key}.`);
	const { title, credentialType, credentialData } = facts;
	const simulator = await startSimulator(vendor);
	const { client } = onStage().n8n;
	const name = `${title} (of a test)`;
	const data = credentialData(simulator.url);
	return { simulator, credential: await client.createCredential(name, credentialType, data) };
}
