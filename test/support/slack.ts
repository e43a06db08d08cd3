import { connect, type Connection } from '../../nodes/core/connection';
import { closeAll } from '../../nodes/core/transport';
import type { Surroundings } from '../../nodes/core/transport/types';
import { slack as connector } from '../../nodes/Slack/connector';
import { type Simulator, startSimulator } from '../simulator/simulator';
import { createSlack, type Slack } from '../simulator/slack';

/** A Slack organization on loopback. */
export interface SlackBench {
	slack: Slack;
	simulator: Simulator;
	/** A connection with this user token. */
	connection(userToken: string, surroundings?: Partial<Surroundings>): Connection;
	/** The organization back to its seed; nothing remembered. */
	reset(): Promise<void>;
	close(): Promise<void>;
}

const quiet: Surroundings = { usersInParallel: 10, log: () => undefined };

/** Starts an organization that takes any number of requests. */
export async function startSlack(options: Parameters<typeof createSlack>[0]): Promise<SlackBench> {
	const slack = createSlack({ rateLimit: { limit: 1_000_000, windowMs: 60_000 }, ...options });
	const simulator = await startSimulator(slack);
	return {
		slack,
		simulator,
		connection: (userToken, surroundings) =>
			connect(
				connector,
				{ userToken, apiUrl: `${simulator.url}/api` },
				{ ...quiet, ...surroundings },
			),
		async reset() {
			await closeAll();
			simulator.faults.clear();
			slack.reset();
			simulator.forget();
		},
		async close() {
			await simulator.close();
			await closeAll();
		},
	};
}
