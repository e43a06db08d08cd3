import type { AlertSource } from '../contract';
import { caep } from './caep';
import { crowdstrike } from './crowdstrike';
import { datadog } from './datadog';
import { defender } from './defender';
import { elastic } from './elastic';
import { googleSecops } from './google-secops';
import { okta } from './okta';
import { sentinel } from './sentinel';
import { splunk } from './splunk';
import { wazuh } from './wazuh';

/** Every sender whose alerts are known by their shape. */
export const sources: readonly AlertSource[] = [
	caep,
	crowdstrike,
	datadog,
	defender,
	elastic,
	googleSecops,
	okta,
	sentinel,
	splunk,
	wazuh,
];
