import {
	type IDataObject,
	type IExecuteFunctions,
	type INodeExecutionData,
	type INodeType,
	type INodeTypeDescription,
	NodeConnectionTypes,
	NodeOperationError,
} from 'n8n-workflow';
import { attempt } from '../attempt';
import { InputError } from '../everywhere/parameters';
import { readAnswer } from '../webhook/response';

/** Answers the caller of Session Revocation Trigger from any branch. n8n's own Respond to Webhook refuses triggers of other packages. */
export class ResponseNode implements INodeType {
	description = describeResponse();

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const items = this.getInputData();
		const answer = attempt(InputError, () =>
			readAnswer({
				statusCode: this.getNodeParameter('statusCode', 0, 200),
				requestId: this.getNodeParameter('requestId', 0, ''),
				jobStatus: this.getNodeParameter('jobStatus', 0, ''),
				body: this.getNodeParameter('body', 0, {}),
				items: items.map(({ json }) => json),
			}),
		);
		if (answer instanceof InputError) {
			throw new NodeOperationError(
				this.getNode(),
				`The parameter '${answer.parameter}' of item 0 ${answer.message}`,
				{ itemIndex: 0, description: `Give '${answer.parameter}' a value or an expression` },
			);
		}
		// n8n takes the first answer of an execution, and passes it on from a queue worker too.
		await this.sendResponse({
			statusCode: answer.statusCode,
			headers: {},
			body: answer.body as IDataObject,
		});
		return [items.map((item, index) => ({ ...item, pairedItem: { item: index } }))];
	}
}

/** Made anew for each instance, because n8n's loader changes it. */
const describeResponse = (): INodeTypeDescription => ({
	displayName: 'Session Revocation Response',
	name: 'sessionRevocationResponse',
	icon: {
		light: 'file:sessionRevocationResponse.svg',
		dark: 'file:sessionRevocationResponse.dark.svg',
	},
	group: ['transform'],
	version: 1,
	subtitle: '={{ $parameter["statusCode"] }}',
	description: 'Answers the caller of a Session Revocation Trigger',
	defaults: { name: 'Session Revocation Response' },
	usableAsTool: true,
	inputs: [NodeConnectionTypes.Main],
	outputs: [NodeConnectionTypes.Main],
	properties: [
		{
			displayName: 'Status Code',
			name: 'statusCode',
			type: 'number',
			default: 200,
			typeOptions: { minValue: 200, maxValue: 599 },
			description: 'HTTP status of the answer',
		},
		{
			displayName: 'Request ID',
			name: 'requestId',
			type: 'string',
			default: '',
			placeholder: 'e.g. {{ $json.requestId }}',
			description: 'ID of the request that is answered; when empty, requestId of the first item',
		},
		{
			displayName: 'Job Status',
			name: 'jobStatus',
			type: 'string',
			default: '',
			placeholder: 'e.g. {{ $json.status }}',
			description:
				'One of completed, failed and pending; when empty, status of the items, failed when one of them failed',
		},
		{
			displayName: 'Body',
			name: 'body',
			type: 'json',
			typeOptions: { rows: 3 },
			default: '{}',
			description: 'An object that is answered instead of the request ID and the job status',
		},
	],
});
