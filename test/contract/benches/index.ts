import type { VendorFacts } from '../bench';
import { customAuthentik, customKratos } from './custom';
import { microsoftEntra } from './entra';
import { googleWorkspace } from './google-workspace';
import { janssen } from './janssen';
import { miro } from './miro';
import { okta } from './okta';
import { slack } from './slack';
import { stytchB2B, stytchConsumer } from './stytch';

/** One for each connector of the registry; where a vendor has several products, one for each. */
export const benches: readonly VendorFacts[] = [
	customAuthentik,
	customKratos,
	googleWorkspace,
	janssen,
	microsoftEntra,
	miro,
	okta,
	slack,
	stytchB2B,
	stytchConsumer,
];
