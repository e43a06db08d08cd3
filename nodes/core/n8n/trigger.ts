import { randomUUID } from 'node:crypto';
import {
	type ICredentialDataDecryptedObject,
	type IDataObject,
	type IHookFunctions,
	type INodeType,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';
import { attempt } from '../attempt';
import { ConfigurationError } from '../connection';
import type { Connector } from '../connector';
import { WEBHOOK_URL } from '../documentation';
import { NO_POLICY, type Policy, POLICY_CREDENTIAL, readPolicy } from '../policy';
import { jobAnswer, refusalAnswer } from '../webhook/answers';
import {
	readWebhookCredential,
	WEBHOOK_CREDENTIAL,
	type WebhookCredential,
} from '../webhook/credential';
import { type Gate, receiveRevocation, receiveStatus } from '../webhook/receive';
import { RefusedRequest } from '../webhook/refusal';
import { SeenRequests } from '../webhook/replay';
import { readSettings, type Settings } from '../webhook/settings';
import { nodeError } from './surroundings';
import { describeTrigger } from './trigger.description';

/** What this process let in, of all triggers. */
const seen = new SeenRequests();

/**
 * The webhook API: a signed request starts the workflow, and nothing else does.
 *
 * @example export class SessionRevocationTrigger extends triggerNode(connectors) {}
 */
export function triggerNode(connectors: readonly Connector[]): new () => INodeType {
	const targets = connectors.map(({ key }) => key);
	return class implements INodeType {
		description = describeTrigger();

		webhookMethods = {
			default: {
				// There is nobody with whom the webhook would be registered; what cannot work is told at once.
				checkExists: () => Promise.resolve(false),
				async create(this: IHookFunctions): Promise<boolean> {
					await checkSettings(this);
					return true;
				},
				delete: () => Promise.resolve(true),
			},
		};

		async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
			try {
				const { gate, settings } = await openGate(this, targets);
				return this.getWebhookName() === 'default'
					? admitRevocation(this, gate)
					: admitStatus(this, gate, settings);
			} catch (error) {
				// Whatever n8n is thrown starts an execution.
				const refused = error instanceof RefusedRequest ? error : unavailable(this, error);
				const { statusCode, body } = refusalAnswer(refused);
				responseOf(this).status(statusCode).json(body);
				return { noWebhookResponse: true };
			}
		}
	};
}

/** @throws NodeOperationError when no request could ever be let in */
async function checkSettings(context: IHookFunctions): Promise<void> {
	const { secrets } = await credentialOf(context);
	const read = attempt(ConfigurationError, () => readSettings(context.getNodeParameter('options')));
	if (read instanceof ConfigurationError) {
		throw nodeError(context, WEBHOOK_URL, read);
	}
	if (read.listProblem !== null) {
		throw nodeError(context, WEBHOOK_URL, {
			message: `The parameter 'Allowed IPs' ${read.listProblem}`,
			nextStep: 'Give addresses or CIDR ranges, such as 192.0.2.10 or 2001:db8::/48',
		});
	}
	if (secrets.length === 0) {
		throw nodeError(context, WEBHOOK_URL, { message: NO_SECRET, nextStep: GIVE_SECRET });
	}
}

const NO_SECRET = "The field 'Signing Secret' of the credential is empty";
const GIVE_SECRET = 'Open the credential and give it a random secret that begins with sr_';

/** @throws ConfigurationError */
async function credentialOf(
	context: IHookFunctions | IWebhookFunctions,
): Promise<WebhookCredential> {
	const credential = readWebhookCredential(await dataOf(context, WEBHOOK_CREDENTIAL));
	if (credential) return credential;
	throw new ConfigurationError('A field of the webhook credential is not text', 'Correct it');
}

/** @throws ConfigurationError, which says nothing of what the credential holds */
async function dataOf(
	context: IHookFunctions | IWebhookFunctions,
	type: string,
): Promise<ICredentialDataDecryptedObject> {
	const data = await context.getCredentials(type).catch(() => null);
	if (data) return data;
	const problem = `The credential of the type '${type}' cannot be read`;
	throw new ConfigurationError(problem, 'Choose it again in the trigger');
}

async function openGate(
	context: IWebhookFunctions,
	targets: readonly string[],
): Promise<{ gate: Gate; settings: Settings }> {
	const settings = readSettings(context.getNodeParameter('options', {}));
	const credential = await credentialOf(context);
	if (credential.secrets.length === 0) warn(context, NO_SECRET, GIVE_SECRET);
	const { allowed, tolerance, requireTimestamp } = settings;
	const policy = await policyOf(context);
	const own = { newRequestId: () => randomUUID(), now: Date.now(), targets };
	return { settings, gate: { ...own, allowed, tolerance, requireTimestamp, credential, policy } };
}

/** Null when it cannot be read: then it allows nothing. */
async function policyOf(context: IWebhookFunctions): Promise<Policy | null> {
	if (!context.getNode().credentials?.[POLICY_CREDENTIAL]) return NO_POLICY;
	const data = await dataOf(context, POLICY_CREDENTIAL);
	const policy = attempt(ConfigurationError, () => readPolicy(data));
	if (!(policy instanceof ConfigurationError)) return policy;
	warn(context, policy.message, policy.nextStep);
	return null;
}

/** What is used of n8n's request and response; they are Express's, whose types n8n does not bring along. */
interface HttpRequest {
	/** The caller's address, behind as many proxies as n8n is told of. */
	ip?: string;
	/** The bytes of whatever n8n parses, inflated when they came compressed. */
	rawBody?: Buffer;
}
interface HttpResponse {
	statusCode: number;
	status(code: number): HttpResponse;
	json(body: object): void;
	once?(event: 'finish', listener: () => void): void;
}

const requestOf = (context: IWebhookFunctions) => context.getRequestObject() as HttpRequest;
const responseOf = (context: IWebhookFunctions) => context.getResponseObject() as HttpResponse;

function admitRevocation(context: IWebhookFunctions, gate: Gate): IWebhookResponseData {
	const { ip: address, rawBody: body } = requestOf(context);
	const incoming = { address, headers: context.getHeaderData(), body };
	const scope = [context.getWorkflow().id, context.getNode().id, context.getMode()].join(' ');
	const { request, forget } = receiveRevocation(incoming, gate, seen, scope);
	const response = responseOf(context);
	// What n8n could not start, or what failed before it answered, may be sent again as it was.
	response.once?.('finish', () => {
		if (response.statusCode >= 500) forget();
	});
	return {
		webhookResponse: jobAnswer(request.requestId, 'pending'),
		workflowData: [[{ json: { ...request } as IDataObject }], []],
	};
}

function admitStatus(
	context: IWebhookFunctions,
	gate: Gate,
	{ mustSignStatus }: Settings,
): IWebhookResponseData {
	const query = context.getQueryData() as Record<string, unknown>;
	const [requestId] = Object.values(context.getParamsData()) as unknown[];
	const incoming = {
		address: requestOf(context).ip,
		headers: context.getHeaderData(),
		requestId,
		tenantId: query.tenant_id,
	};
	return { workflowData: [[], [{ json: { ...receiveStatus(incoming, gate, mustSignStatus) } }]] };
}

/** The way in is broken: that is for the log, and the caller is asked to come again. */
function unavailable(context: IWebhookFunctions, error: unknown): RefusedRequest {
	const { message, nextStep } =
		error instanceof ConfigurationError ? error : { message: UNREADABLE, nextStep: LOOK };
	warn(context, message, nextStep);
	return new RefusedRequest('unavailable', 'The webhook cannot work now; nothing was started');
}

const UNREADABLE = 'A parameter cannot be evaluated';
const LOOK = 'Look at the expressions in it';

/** Never of what a request holds. */
function warn(context: IWebhookFunctions, problem: string, nextStep: string): void {
	const { name: node } = context.getNode();
	context.logger.warn(`Session Revocation Trigger refuses requests. ${problem}. ${nextStep}`, {
		node,
		workflowId: context.getWorkflow().id,
	});
}
