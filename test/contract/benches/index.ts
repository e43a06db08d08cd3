import type { VendorFacts } from '../bench';
import { microsoftEntra } from './entra';
import { googleWorkspace } from './google-workspace';
import { okta } from './okta';

/** One for each connector of the registry. */
export const benches: readonly VendorFacts[] = [microsoftEntra, googleWorkspace, okta];
