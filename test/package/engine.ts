/** Runs the packed nodes in n8n's own engine, without a server. */
import 'reflect-metadata';
import { ExecutionLifecycleHooks, PackageDirectoryLoader, WorkflowExecute } from 'n8n-core';
import {
	type ICredentialDataDecryptedObject,
	ICredentialsHelper,
	type ICredentialType,
	type IDataObject,
	type IExecuteFunctions,
	type IHttpRequestOptions,
	type INode,
	type INodeExecutionData,
	type INodeType,
	type INodeTypes,
	type IRun,
	type IVersionedNodeType,
	type IWorkflowBase,
	type IWorkflowExecuteAdditionalData,
	type WorkflowExecuteMode,
	NodeConnectionTypes,
	NodeHelpers,
	UnexpectedError,
	Workflow,
} from 'n8n-workflow';
import { UNPACKED } from './pack';

export const PACKAGE = 'n8n-nodes-session-revocation';

let loading: Promise<PackageDirectoryLoader> | undefined;

/** n8n's own loader on the unpacked tarball. */
export async function loadPackage(): Promise<PackageDirectoryLoader> {
	loading ??= (async () => {
		const loader = new PackageDirectoryLoader(UNPACKED);
		await loader.loadAll();
		return loader;
	})();
	return await loading;
}

/** A node that puts out the items it is given. */
function source(items: readonly INodeExecutionData[]): INodeType {
	return {
		description: {
			displayName: 'Items',
			name: 'items',
			group: ['trigger'],
			version: 1,
			description: '',
			defaults: { name: 'Items' },
			inputs: [],
			outputs: [NodeConnectionTypes.Main],
			properties: [],
		},
		execute(this: IExecuteFunctions) {
			return Promise.resolve([[...items]]);
		},
	};
}

class NodeTypes implements INodeTypes {
	constructor(private readonly types: Readonly<Record<string, INodeType | IVersionedNodeType>>) {}

	getByName(name: string): INodeType | IVersionedNodeType {
		const type = this.types[name];
		if (!type) throw new UnexpectedError(`Unknown node type ${name}`);
		return type;
	}

	getByNameAndVersion(name: string, version?: number): INodeType {
		return NodeHelpers.getVersionedNodeType(this.getByName(name), version);
	}

	getKnownTypes(): IDataObject {
		return {};
	}
}

/** Gives each credential type the data of the test; stands where n8n has its database. */
class Credentials extends ICredentialsHelper {
	constructor(private readonly data: Readonly<Record<string, ICredentialDataDecryptedObject>>) {
		super();
	}

	getParentTypes(): string[] {
		return [];
	}

	isCredentialUsableByNode(): boolean {
		return true;
	}

	authenticate(): Promise<IHttpRequestOptions> {
		throw new UnexpectedError('The nodes of this package do not use it');
	}

	preAuthentication(): Promise<undefined> {
		return Promise.resolve(undefined);
	}

	runPreAuthentication(): Promise<undefined> {
		return Promise.resolve(undefined);
	}

	getCredentials(): Promise<never> {
		throw new UnexpectedError('The nodes of this package do not use it');
	}

	getDecrypted(
		_additionalData: unknown,
		_details: unknown,
		type: string,
	): Promise<ICredentialDataDecryptedObject> {
		return Promise.resolve({ ...this.data[type] });
	}

	updateCredentials(): Promise<void> {
		return Promise.resolve();
	}

	updateCredentialsOauthTokenData(): Promise<void> {
		return Promise.resolve();
	}

	getCredentialsProperties(): [] {
		return [];
	}
}

export interface NodeRun {
	success: INodeExecutionData[];
	failure: INodeExecutionData[];
	/** The items of all outputs, with n8n's own Error output when it made one. */
	outputs: (INodeExecutionData[] | null)[];
	error: Error | undefined;
	hints: readonly string[];
	run: IRun;
}

export interface NodeSetting {
	/** Node type without the package's name. */
	type: string;
	parameters: IDataObject;
	credentials?: Readonly<Record<string, ICredentialDataDecryptedObject>>;
	/** The json of each incoming item. */
	items?: readonly IDataObject[];
	node?: Partial<INode>;
	/** What started the execution. */
	mode?: WorkflowExecuteMode;
	/** Called with the execution once it runs; it can be cancelled. */
	during?: (running: Running) => void;
}

const workflowNode = (id: string, name: string, type: string): INode => ({
	id,
	name,
	type,
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
});

type Running = ReturnType<WorkflowExecute['run']>;

/** Runs the nodes one after the other, from the first. */
async function execute(
	types: Readonly<Record<string, INodeType | IVersionedNodeType>>,
	credentials: Readonly<Record<string, ICredentialDataDecryptedObject>>,
	nodes: INode[],
	{ mode = 'trigger', during }: Pick<NodeSetting, 'mode' | 'during'> = {},
): Promise<IRun> {
	const base = {
		id: 'w',
		name: 'w',
		active: false,
		isArchived: false,
		createdAt: new Date(0),
		updatedAt: new Date(0),
		activeVersionId: null,
		settings: { executionOrder: 'v1' },
		nodes,
		connections: Object.fromEntries(
			nodes.map(({ name }, index) => {
				const next = nodes[index + 1]?.name;
				return [
					name,
					{ main: [next === undefined ? [] : [{ node: next, type: 'main', index: 0 }]] },
				];
			}),
		),
	} as unknown as IWorkflowBase;
	const workflow = new Workflow({ ...base, nodeTypes: new NodeTypes(types) });
	const additionalData = {
		executionId: '1',
		credentialsHelper: new Credentials(credentials),
		hooks: new ExecutionLifecycleHooks('trigger', '1', base),
		currentNodeExecutionIndex: 0,
		restApiUrl: 'http://localhost/rest',
		instanceBaseUrl: 'http://localhost/',
		webhookBaseUrl: 'http://localhost/webhook',
		webhookTestBaseUrl: 'http://localhost/webhook-test',
		webhookWaitingBaseUrl: 'http://localhost/webhook-waiting',
		formWaitingBaseUrl: 'http://localhost/form-waiting',
		variables: {},
		setExecutionStatus: () => undefined,
		logAiEvent: () => undefined,
	} as unknown as IWorkflowExecuteAdditionalData;
	const startNode = workflow.getNode('Items');
	if (!startNode) throw new UnexpectedError('No start node');
	const running = new WorkflowExecute(additionalData, mode).run({ workflow, startNode });
	during?.(running);
	return await running;
}

/** Runs one node of the package on items, in a workflow of its own. */
export const runNode = (setting: NodeSetting): Promise<NodeRun> => runNodes([setting]);

/** Runs nodes of the package one after the other, each on what leaves the first output of the one before. */
export async function runNodes(
	settings: readonly [NodeSetting, ...NodeSetting[]],
): Promise<NodeRun> {
	const [first] = settings;
	const { items = [{}] } = first;
	const loader = await loadPackage();
	const nodes = settings.map(({ type, parameters, credentials = {}, node = {} }, index): INode => ({
		...workflowNode(`node-${index}`, `Node ${index}`, `${PACKAGE}.${type}`),
		parameters: parameters as INode['parameters'],
		credentials: Object.fromEntries(
			Object.keys(credentials).map((name) => [name, { id: name, name }]),
		),
		...node,
	}));
	const run = await execute(
		{
			'test.items': source(items.map((json, index) => ({ json, pairedItem: { item: index } }))),
			...Object.fromEntries(
				settings.map(({ type }) => [`${PACKAGE}.${type}`, loader.getNode(type).type]),
			),
		},
		Object.fromEntries(settings.flatMap(({ credentials = {} }) => Object.entries(credentials))),
		[workflowNode('items', 'Items', 'test.items'), ...nodes],
		first,
	);
	const data = run.data.resultData.runData[nodes.at(-1)?.name ?? '']?.at(-1);
	const outputs = data?.data?.main ?? [];
	return {
		success: outputs[0] ?? [],
		failure: outputs[1] ?? [],
		outputs,
		error: run.data.resultData.error as Error | undefined,
		hints: (data?.hints ?? []).map(({ message }) => message),
		run,
	};
}

/** The credential class as n8n loaded it. */
export async function loadCredential(name: string): Promise<ICredentialType> {
	return (await loadPackage()).getCredential(name).type;
}

/** What n8n gives a node that runs in the engine. */
async function taken<T>(take: (context: IExecuteFunctions) => T): Promise<T> {
	let got: { value: T } | undefined;
	const thief = source([]);
	thief.execute = function (this: IExecuteFunctions) {
		got = { value: take(this) };
		return Promise.resolve([[]]);
	};
	await execute({ 'test.items': thief }, {}, [workflowNode('1', 'Items', 'test.items')]);
	if (!got) throw new UnexpectedError('The node did not run');
	return got.value;
}

/** n8n's own `helpers.httpRequest`. */
export const httpHelper = (): Promise<IExecuteFunctions['helpers']['httpRequest']> =>
	taken(({ helpers }) => helpers.httpRequest);

/** n8n's own log, the same for all nodes. */
export const nodeLog = (): Promise<IExecuteFunctions['logger']> => taken(({ logger }) => logger);
