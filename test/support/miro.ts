import { connect, type Connection } from '../../nodes/core/connection';
import { closeAll } from '../../nodes/core/transport';
import type { Surroundings } from '../../nodes/core/transport/types';
import { miro as connector } from '../../nodes/Miro/connector';
import { createMiro, type Miro, type MiroOptions } from '../simulator/miro';
import { type Simulator, startSimulator } from '../simulator/simulator';

/** A Miro organization on loopback, and a token that may do everything the connector does. */
export interface MiroBench {
	miro: Miro;
	simulator: Simulator;
	/** A connection with the fields of `miroSessionsApi`, and `extra` over them. */
	connection(extra?: Record<string, unknown>, surroundings?: Partial<Surroundings>): Connection;
	/** The organization back to its seed, faults, records, pools and rate limits forgotten. */
	reset(): Promise<void>;
	close(): Promise<void>;
}

const quiet: Surroundings = { usersInParallel: 10, log: () => undefined };

/** The Company Admin whom the token acts for. */
export const ADMIN = 'admin@example.com';

/** The token; it opens nothing but the simulator. */
export const ACCESS_TOKEN = 'simulated-miro-token-that-opens-nothing-real_0123456789';

/** Starts the organization with its admin, and whatever `options.seed` adds. */
export async function startMiro(options: MiroOptions = {}): Promise<MiroBench> {
	const miro = createMiro({
		...options,
		seed: (fresh) => {
			fresh.addUser({ email: ADMIN, role: 'organization_internal_admin', sessions: 1 });
			fresh.addAccessToken({ user: ADMIN, token: ACCESS_TOKEN });
			options.seed?.(fresh);
		},
	});
	const simulator = await startSimulator(miro);
	const { organizationId } = miro;
	return {
		miro,
		simulator,
		connection: (extra, surroundings) =>
			connect(
				connector,
				{ accessToken: ACCESS_TOKEN, organizationId, apiUrl: simulator.url, ...extra },
				{ ...quiet, ...surroundings },
			),
		async reset() {
			await closeAll();
			simulator.faults.clear();
			miro.reset();
			simulator.forget();
		},
		async close() {
			await simulator.close();
			await closeAll();
		},
	};
}
