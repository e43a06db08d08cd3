import type { VendorFacts } from '../bench';
import { microsoftEntra } from './entra';
import { googleWorkspace } from './google-workspace';
import { janssen } from './janssen';
import { miro } from './miro';
import { okta } from './okta';
import { stytchB2B, stytchConsumer } from './stytch';

/** One for each connector of the registry; where a vendor has several products, one for each. */
export const benches: readonly VendorFacts[] = [
	microsoftEntra,
	googleWorkspace,
	janssen,
	miro,
	okta,
	stytchB2B,
	stytchConsumer,
];
