/** It brings no types; what tests use of it is in `local-oidc-provider.ts`. */
declare module 'oidc-provider';
