export { AllowedAddresses } from './addresses.js';
export { openUrl, type OpenedUrl, type OpenUrlOptions } from './open-url.js';
export { postUrl, type Posted } from './post-url.js';
export { hostList, hostsIn, networkList, networksIn } from './network-list.js';
