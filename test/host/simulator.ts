/** A vendor's simulator as a process of its own, and the questions that the demo and the tests ask it. */
import { join } from 'node:path';
import { z } from 'zod';
import type { FaultSwitch } from '../simulator/faults';
import { repositoryRoot } from './install';
import { startScript } from './script';

const CALL_TIMEOUT_MS = 10_000;

const state = z.object({
	users: z.array(
		z.object({
			id: z.string(),
			login: z.string(),
			email: z.string(),
			status: z.string(),
			sessions: z.array(z.string()),
			tokens: z.number(),
		}),
	),
});
const traffic = z.object({
	requests: z.array(
		z.object({ method: z.string(), path: z.string(), route: z.string().optional() }).passthrough(),
	),
	violations: z.array(z.unknown()),
	unmatched: z.array(z.unknown()),
});

/** One user as a simulated Okta knows them. */
type SimulatedUser = z.infer<typeof state>['users'][number];

/** A simulator that somebody started, seen through its control API. */
export class SimulatorControl {
	constructor(readonly url: string) {}

	private async read<T>(
		schema: z.ZodType<T>,
		path: string,
		method = 'GET',
		body?: unknown,
	): Promise<T> {
		const response = await fetch(`${this.url}/__simulator/${path}`, {
			method,
			...(body === undefined
				? {}
				: { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
			signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
		});
		if (!response.ok) throw new Error(`The simulator answered ${path} with ${response.status}.`);
		return schema.parse(await response.json());
	}

	/** All that the vendor knows; each vendor has a state of its own. */
	async state(): Promise<unknown> {
		return await this.read(z.unknown(), 'state');
	}

	/** Lets requests meet a fault; `FaultSwitch` of `test/simulator/faults.ts` without its predicates. */
	async meet(fault: FaultSwitch): Promise<void> {
		await this.read(z.unknown(), 'faults', 'POST', fault);
	}

	/** The people of a simulated Okta. */
	async users(): Promise<SimulatedUser[]> {
		return (await this.read(state, 'state')).users;
	}

	/** The user of a simulated Okta with this login, which must exist. */
	async user(login: string): Promise<SimulatedUser> {
		const user = (await this.users()).find((one) => one.login === login);
		if (user === undefined) throw new Error(`The simulator has no user ${login}.`);
		return user;
	}

	/** What came over the wire since the start or the last reset. */
	async traffic(): Promise<z.infer<typeof traffic>> {
		return await this.read(traffic, 'requests');
	}

	/** Makes a user who is signed in so many times. */
	async addUser(login: string, sessions: number): Promise<void> {
		await this.read(z.unknown(), 'actions/addUser', 'POST', { login, sessions });
	}

	/** Back to the state of the seed: the sessions live again, faults are gone. */
	async reset(): Promise<void> {
		await this.read(z.unknown(), 'reset', 'POST');
	}
}

/** A simulator that we started. */
interface RunningSimulator {
	readonly control: SimulatorControl;
	stop(): Promise<void>;
}

/** Starts the simulator of a vendor with the people of the demo, on a free port of loopback. */
export async function startSimulator(vendor: string): Promise<RunningSimulator> {
	const main = join(repositoryRoot, 'test', 'simulator', 'main.ts');
	const options = ['--port', '0', '--seed', 'demo', '--exit-with-parent'];
	const { url, stop } = await startScript(`The ${vendor} simulator`, main, [vendor, ...options]);
	return { control: new SimulatorControl(url), stop };
}
