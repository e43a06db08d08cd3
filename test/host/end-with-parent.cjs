/**
 * Loaded into n8n's process by `node --require`: ends n8n when the process that started it is gone,
 * also when that one was killed by SIGKILL and could not clean up. The channel to the parent is the
 * evidence: the kernel closes it whatever way the parent ended.
 */
'use strict';

const GRACE_MS = 10_000;

process.once('disconnect', () => {
	process.kill(process.pid, 'SIGTERM');
	// n8n leads its process group: this also ends its task runner.
	setTimeout(() => process.kill(-process.pid, 'SIGKILL'), GRACE_MS).unref();
});
