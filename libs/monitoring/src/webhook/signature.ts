import { createHmac } from 'node:crypto';

export interface SignedHeaders {
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
}

const PREFIX = 'whsec_';

/**
 * The headers of Standard Webhooks (standardwebhooks.com, 1.0.0): HMAC-SHA256 over id, time and body, so that neither a
 * changed message nor an old one passes.
 *
 * @param secret base64, with or without `whsec_`
 * @param timestamp seconds since 1970
 */
export function signedHeaders(secret: string, id: string, timestamp: number, body: string): SignedHeaders {
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  };
}
