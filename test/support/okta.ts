import { connect, type Connection } from '../../nodes/core/connection';
import { closeAll } from '../../nodes/core/transport';
import type { Surroundings } from '../../nodes/core/transport/types';
import { okta as connector } from '../../nodes/Okta/connector';
import { createOkta, type Okta, type OktaOptions } from '../simulator/okta';
import { type Simulator, startSimulator } from '../simulator/simulator';

/** An Okta org on loopback, and a token that may do everything the connector does. */
export interface OktaBench {
	org: Okta;
	simulator: Simulator;
	token: string;
	/** The fields of `oktaSessionsApi`, with `extra` over them. */
	credential(extra?: Record<string, unknown>): Record<string, unknown>;
	connection(extra?: Record<string, unknown>, surroundings?: Partial<Surroundings>): Connection;
	close(): Promise<void>;
}

const quiet: Surroundings = { usersInParallel: 10, log: () => undefined };

/** The administrator who owns the API token. */
export const OWNER = 'owner@example.com';

/** Starts the org with its owner, and whatever `options.seed` adds; `org.reset()` brings all of it back. */
export async function startOkta(options: OktaOptions = {}): Promise<OktaBench> {
	let token = '';
	const org = createOkta({
		...options,
		seed: (fresh) => {
			fresh.addUser({ login: OWNER, sessions: 1 });
			token = fresh.addApiToken({ owner: OWNER }).token;
			options.seed?.(fresh);
		},
	});
	const simulator = await startSimulator(org);
	const credential = (extra: Record<string, unknown> = {}): Record<string, unknown> => ({
		domain: simulator.url,
		authentication: 'apiToken',
		apiToken: token,
		...extra,
	});
	return {
		org,
		simulator,
		token,
		credential,
		connection: (extra, surroundings) =>
			connect(connector, credential(extra), { ...quiet, ...surroundings }),
		async close() {
			await simulator.close();
			await closeAll();
		},
	};
}
