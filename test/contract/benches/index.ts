import type { VendorFacts } from '../bench';
import { microsoftEntra } from './entra';
import { miro } from './miro';
import { okta } from './okta';

/** One for each connector of the registry. */
export const benches: readonly VendorFacts[] = [microsoftEntra, miro, okta];
