/** Sets the stage once for the tests of queue mode. */
import { raiseStage } from '../raise-stage';
import { startQueueMode } from './queue-mode';

export default async function globalSetup(): Promise<void> {
	await raiseStage('Setting the stage for the tests of queue mode', startQueueMode);
}
