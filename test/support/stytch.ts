import { connect, type Connection } from '../../nodes/core/connection';
import { closeAll } from '../../nodes/core/transport';
import type { Surroundings } from '../../nodes/core/transport/types';
import { stytch as connector } from '../../nodes/Stytch/connector';
import { type Simulator, startSimulator } from '../simulator/simulator';
import { createStytch, type Stytch, type StytchOptions } from '../simulator/stytch';

export type ProjectType = 'consumer' | 'b2b';

/** The organizations that a B2B credential names: one by its slug, one by its external id. */
export const ORGANIZATIONS = { retail: 'example-retail', logistics: 'customer-2' } as const;

/** A Stytch on loopback, and a secret of each of its projects. */
export interface StytchBench {
	stytch: Stytch;
	simulator: Simulator;
	/** The fields of `stytchSessionsApi`, with `extra` over them. */
	credential(projectType: ProjectType, extra?: Record<string, unknown>): Record<string, unknown>;
	connection(
		projectType: ProjectType,
		how?: { extra?: Record<string, unknown>; surroundings?: Partial<Surroundings> },
	): Connection;
	close(): Promise<void>;
}

const quiet: Surroundings = { usersInParallel: 10, log: () => undefined };

/** Starts both projects, with the organizations, and whatever `options.seed` adds; `stytch.reset()` brings all of it back. */
export async function startStytch(options: StytchOptions = {}): Promise<StytchBench> {
	const stytch = createStytch({
		rateLimit: { limit: 1_000_000, windowMs: 60_000 },
		...options,
		seed(fresh) {
			const { retail: slug, logistics: externalId } = ORGANIZATIONS;
			fresh.b2b.addOrganization({ name: 'Example Retail', slug });
			fresh.b2b.addOrganization({ name: 'Example Logistics', externalId });
			options.seed?.(fresh);
		},
	});
	const simulator = await startSimulator(stytch);
	const credential: StytchBench['credential'] = (projectType, extra) => ({
		projectType,
		projectId: stytch[projectType].projectId,
		secret: stytch[projectType].secret,
		organizationIds: Object.values(ORGANIZATIONS).join(', '),
		environment: 'custom',
		apiUrl: simulator.url,
		...extra,
	});
	return {
		stytch,
		simulator,
		credential,
		connection: (projectType, { extra, surroundings } = {}) =>
			connect(connector, credential(projectType, extra), { ...quiet, ...surroundings }),
		async close() {
			await simulator.close();
			await closeAll();
		},
	};
}
