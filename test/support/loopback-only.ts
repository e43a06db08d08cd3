/** Set-up of every test file: no test may reach anything but this machine. */
import { allowLoopbackOnly } from './loopback';

allowLoopbackOnly();
