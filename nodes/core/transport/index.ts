/** The only door to the network: everything outside this folder imports from here. */
export { closeIdle } from './dispatcher';
export { closeAll, openLine } from './line';
export { LeastRecentlyUsed } from './lru';
export {
	authorizationHeaders,
	mint,
	readSigningKey,
	type MintedToken,
	type PostForm,
} from './oauth';
export { redactor, type Redactor } from './redact';
export * from './types';
export { isLoopback, path, readBaseUrl, UnsafeSegmentError } from './url';
