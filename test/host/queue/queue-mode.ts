/**
 * n8n in queue mode, as it runs where much has to be done: a main process, two workers and a webhook
 * process, each with a user folder and an installation of the package of its own, as on machines of
 * their own. PostgreSQL and Redis are all that they share.
 */
import { randomBytes } from 'node:crypto';
import { createOwner, startProcess, type N8nProcess, type Role, type StartN8n } from '../n8n';
import { openPostgres } from './postgres';
import { openRedis } from './redis';
import type { Service } from './service';

/** The processes beside the main one. */
const OTHERS: readonly Role[] = ['worker', 'worker', 'webhook'];

/** Starts n8n in queue mode. Its `url` is that of the main process. */
export const startQueueMode: StartN8n = async (n8n, tarball, current) => {
	const services: Service[] = [];
	const processes: N8nProcess[] = [];
	const stop = async () => {
		await Promise.all(processes.map(async (one) => await one.stop()));
		for (const service of services.reverse()) await service.close();
	};
	const open = async (service: Promise<Service>) => {
		const opened = await service;
		services.push(opened);
		return opened;
	};
	try {
		current.now('looking for PostgreSQL and Redis');
		const postgres = await open(openPostgres(n8n));
		const redis = await open(openRedis(n8n));
		const variables = {
			...postgres.variables,
			...redis.variables,
			EXECUTIONS_MODE: 'queue',
			OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
			N8N_ENCRYPTION_KEY: randomBytes(24).toString('base64'),
		};
		const startOne = async (role: Role) => {
			const one = await startProcess(n8n, tarball, role, variables);
			processes.push(one);
			return one;
		};
		current.now(`the main process makes its database, ${postgres.where}`);
		const main = await startOne('start');
		current.now('starting two workers and a webhook process');
		// All of them come to their end, so that also after a failure every one is known.
		const others = await Promise.allSettled(OTHERS.map(startOne));
		for (const one of others) if (one.status === 'rejected') throw one.reason;
		current.now('creating its owner');
		const owned = await createOwner(main);
		current.result(`${main.url}, ${postgres.where}, ${redis.where}`);
		return { ...main, ...owned, processes, stop };
	} catch (error) {
		await stop();
		throw error;
	}
};
