/** Looks at a template as a person does who has just set it up. */
import { Editor } from './browser';
import type { N8nHost } from './n8n';
import { takePicture } from './templates';

/** Wide enough for a whole template with letters that can be read. */
const VIEWPORT = { width: 2600, height: 1500 };

/**
 * Takes the picture that a template's page shows.
 *
 * @returns how many nodes complain about something
 */
export async function lookAt(
	{ url, owner }: Pick<N8nHost, 'url' | 'owner'>,
	workflowId: string,
	name: string,
): Promise<number> {
	const editor = await Editor.open(url, owner);
	try {
		await editor.page.setViewportSize(VIEWPORT);
		await takePicture(editor, workflowId, name);
		return await editor.page.getByTestId('node-issues').count();
	} finally {
		await editor.close();
	}
}
