import type { VendorFacts } from '../bench';
import { microsoftEntra } from './entra';
import { janssen } from './janssen';
import { okta } from './okta';

/** One for each connector of the registry. */
export const benches: readonly VendorFacts[] = [microsoftEntra, janssen, okta];
