/** Sets the stage once for all host tests. */
import { requireChromium } from './browser';
import { startN8n } from './n8n';
import { raiseStage } from './raise-stage';

export default async function globalSetup(): Promise<void> {
	requireChromium();
	await raiseStage('Setting the stage for the host tests', startN8n);
}
