/** Sets a stage for the tests of a whole run, and tells the test files where it stands. */
import type { StartN8n } from './n8n';
import { publishStage } from './on-stage';
import { endWithStarter, onShutdown } from './processes';
import { say } from './progress';
import { setStage, type Stage } from './stage';

declare global {
	/** Set by the set-up, taken down by the tear-down: jest gives the two no other way to meet. */
	var hostStage: Stage | undefined;
}

/** What jest's global set-up does; `global-teardown.ts` takes the stage down again. */
export async function raiseStage(title: string, start: StartN8n): Promise<void> {
	say(`\n${title}`);
	onShutdown(async (status) => {
		await globalThis.hostStage?.strike();
		return status;
	});
	endWithStarter();
	const stage = await setStage('okta', start);
	globalThis.hostStage = stage;
	publishStage(stage);
}
