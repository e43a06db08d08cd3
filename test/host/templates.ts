/** Templates as a person sets them up: imported, their credentials chosen, published. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Editor } from './browser';
import type { Credential, N8nClient, SavedWorkflow } from './client';
import { repositoryRoot } from './install';
import { sessionsIn, type System } from './stage';
import { readTemplate, withCredential, withNode, type WorkflowFile } from './workflow';

/** The credentials that a person chooses, by the name of the node. */
export type Choices = Readonly<Record<string, readonly Credential[]>>;

/** A template that stands in n8n and can be called. */
export interface PublishedTemplate extends SavedWorkflow {
	readonly workflow: WorkflowFile;
	/** Where it is entered: a webhook, a form or an MCP server. */
	readonly url: string;
}

/** A template with its credentials chosen. */
export function filledIn(file: string, choices: Choices): WorkflowFile {
	return Object.entries(choices).reduce(
		(workflow, [node, credentials]) =>
			credentials.reduce((one, credential) => withCredential(one, node, credential), workflow),
		readTemplate(file),
	);
}

/** Changes parameters of a node; what is not named stays. */
export function withParameters(
	workflow: WorkflowFile,
	node: string,
	parameters: Readonly<Record<string, unknown>>,
): WorkflowFile {
	return withNode(workflow, node, (old) => ({
		...old,
		parameters: { ...old.parameters, ...parameters },
	}));
}

/** A form at another address, beside the same template elsewhere. */
export function withFormPath(workflow: WorkflowFile, node: string, path: string): WorkflowFile {
	return withNode(workflow, node, (old) => ({
		...old,
		webhookId: path,
		parameters: { ...old.parameters, options: { ...(old.parameters.options as object), path } },
	}));
}

/**
 * Imports a workflow and publishes it.
 *
 * @param entry the path below n8n's address at which it is entered, such as `form/revoke-sessions`
 */
export async function publishWorkflow(
	client: N8nClient,
	workflow: WorkflowFile,
	entry: string,
): Promise<PublishedTemplate> {
	const saved = await client.createWorkflow(workflow);
	const url = `${client.url}/${entry}`;
	await client.publish(saved, url);
	return { ...saved, workflow, url };
}

/** The systems in which somebody is signed in, each by its own state. */
export async function signedIn(systems: readonly System[], name: string): Promise<string[]> {
	const counts = await Promise.all(
		systems.map(async (system) => ((await sessionsIn(system, name)) ? [system.key] : [])),
	);
	return counts.flat();
}

/**
 * Takes the picture of a template that its page shows. It goes into the documents only when
 * UPDATE_PICTURES is set, because no two machines draw the same bytes.
 *
 * @returns the path of the picture that was taken
 */
export async function takePicture(
	editor: Editor,
	workflowId: string,
	name: string,
): Promise<string> {
	await editor.openWorkflow(workflowId);
	const path = await editor.canvas(`template-${name}`);
	if (process.env.UPDATE_PICTURES) {
		copyFileSync(path, join(repositoryRoot, 'docs', 'images', `template-${name}.png`));
	}
	return path;
}
