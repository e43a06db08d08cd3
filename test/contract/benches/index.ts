import type { VendorFacts } from '../bench';
import { okta } from './okta';

/** One for each connector of the registry. */
export const benches: readonly VendorFacts[] = [okta];
