import {
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
} from 'n8n-workflow';
import { sorted } from '../core/n8n/items';
import { shownWhen } from '../core/n8n/properties';
import { identify } from './detect';
import { sources } from './sources';

const titles = Object.fromEntries([
	['auto', 'Detect the sender'],
	...sources.map(({ key, title }) => [key, title]),
	['custom', 'Custom'],
]) as Record<string, string>;

/** Finds whom a SIEM alert is about. It only reads what it is given: no credential, no call. */
export class AlertIdentities implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Alert Identities',
		name: 'alertIdentities',
		icon: { light: 'file:alertIdentities.svg', dark: 'file:alertIdentities.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: `={{ ${JSON.stringify(titles)}[$parameter["source"]] }}`,
		description:
			'Find whom a security alert is about, and tell when it does not say so for certain',
		defaults: { name: 'Alert Identities' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main, NodeConnectionTypes.Main],
		outputNames: ['Identified', 'Not Identified'],
		properties: [
			{
				displayName: 'Source',
				name: 'source',
				type: 'options',
				default: 'auto',
				options: [
					{
						name: 'Any (Detect by Shape)',
						value: 'auto',
						description: 'The sender is found by what only its alerts have',
					},
					...sources.map(({ key, title }) => ({ name: title, value: key })),
					{
						name: 'Custom',
						value: 'custom',
						description: 'Any other sender: say where in the alert the user stands',
					},
				].sort((one, other) => one.name.localeCompare(other.name, 'en')),
				description: 'Which product sends the alerts',
			},
			{
				displayName: 'User Path',
				name: 'userPath',
				type: 'string',
				required: true,
				default: '',
				placeholder: 'e.g. data.users[*].email',
				description: 'Where in the alert the users stand, as a JSON path',
				displayOptions: shownWhen({ source: ['custom'] }),
			},
			{
				displayName: 'Alert',
				name: 'alert',
				type: 'json',
				default: '={{ $json }}',
				description:
					'The alert as it came in: the body, a list of bodies, their JSON as text, or an item of the Webhook node',
			},
		],
	};

	execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const found = this.getInputData().flatMap(({ json }, item) => {
			const parameter = (name: string, fallback: unknown): unknown =>
				this.getNodeParameter(name, item, fallback);
			const alert = parameter('alert', json);
			const findings = identify({
				source: parameter('source', 'auto'),
				alert: alert === '' ? json : alert,
				userPath: parameter('userPath', ''),
			});
			return findings.map((finding) => ({
				item: { json: { ...finding }, pairedItem: { item } },
				success: finding.user !== null,
			}));
		});
		return Promise.resolve(sorted(this, found));
	}
}
