/** Takes the stage of the host tests down. */
export default async function globalTeardown(): Promise<void> {
	await globalThis.hostStage?.strike();
}
