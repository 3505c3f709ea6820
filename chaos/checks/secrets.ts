import type { Check } from './check.js';

/** Nothing that opens a door stands in the log. */
export const secrets: Check = async ({ world, log }) => {
  const known = await world.secrets();
  const found = known.filter((secret) => log.includes(secret)).length;
  const bearer = /\b(?:eyJ[\w-]{20,}\.[\w-]{20,}\.|nav_[0-9A-Za-z]{12}_[0-9A-Za-z]{43})/.test(log);
  return [
    ...(found > 0 ? [`the log has ${found} secrets`] : []),
    ...(bearer ? ['the log has something that looks like a token or a key'] : []),
  ];
};
