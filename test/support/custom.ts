import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type Connection } from '../../nodes/core/connection';
import type { Surroundings } from '../../nodes/core/transport/types';
import { custom as connector } from '../../nodes/Custom/connector';

const quiet: Surroundings = { usersInParallel: 10, log: () => undefined };

/** The text of a ready-made description, as a person copies it. */
export const readyMade = (name: string): string =>
	readFileSync(join(__dirname, '../../docs/providers', `${name}.json`), 'utf8');

/** A connection with the fields of `customSessionsApi`. */
export const connectCustom = (
	fields: Readonly<Record<string, unknown>>,
	surroundings: Partial<Surroundings> = {},
): Connection => connect(connector, fields, { ...quiet, ...surroundings });
