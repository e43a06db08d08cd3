/** The only door to the network: everything outside this folder that sends anything imports from here. */
export { closeIdle } from './dispatcher';
export { closeAll, openLine } from './line';
export { LeastRecentlyUsed } from './lru';
export { authorizationHeaders, mint, readSigningKey, type MintedToken } from './oauth';
export { redactor } from './redact';
export { Scope } from './scope';
export * from './types';
