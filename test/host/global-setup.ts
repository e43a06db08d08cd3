/** Sets the stage once for all host tests, and tells the test files where it stands. */
import { requireChromium } from './browser';
import { publishStage } from './on-stage';
import { endWithStarter, onShutdown } from './processes';
import { say } from './progress';
import { setStage, type Stage } from './stage';

declare global {
	/** Set by the set-up, taken down by the tear-down: jest gives the two no other way to meet. */
	var hostStage: Stage | undefined;
}

export default async function globalSetup(): Promise<void> {
	requireChromium();
	say('\nSetting the stage for the host tests');
	onShutdown(async (status) => {
		await globalThis.hostStage?.strike();
		return status;
	});
	endWithStarter();
	const stage = await setStage('okta');
	globalThis.hostStage = stage;
	publishStage(stage);
}
