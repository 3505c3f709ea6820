import { InvalidConfiguration } from '#libs/config';
import type { Policy } from '#libs/resilience';
import { FailoverTranscriber } from './failover.transcriber.js';
import { OpenAiTranscriber } from './remote/openai.transcriber.js';
import type { Transcriber } from './transcriber.js';
import type { TranscriberConfig } from './transcription.config.js';

/** The configured transcriber. Nothing is connected yet. @throws InvalidConfiguration */
export function createTranscriber(
  config: TranscriberConfig,
  embedded: Transcriber,
  policy: Pick<Policy, 'execute'>,
): Transcriber {
  const outside = outsideTranscriber(config);
  return outside ? new FailoverTranscriber(outside, policy, embedded) : embedded;
}

/**
 * Something cheap to ask the outside transcriber, by the name of its policy, to learn early that it is back.
 *
 * @throws InvalidConfiguration
 */
export function transcriberProbe(
  config: TranscriberConfig,
): Record<string, (signal: AbortSignal) => Promise<void>> {
  const outside = outsideTranscriber(config);
  return outside ? { transcriber: (signal) => outside.ping(signal) } : {};
}

function outsideTranscriber(config: TranscriberConfig): OpenAiTranscriber | undefined {
  const { provider, url, apiKey = 'none', model, pricePerMinute } = config;
  if (provider === 'embedded') return undefined;
  if (model === undefined)
    throw new InvalidConfiguration([
      { variable: 'TRANSCRIBER_MODEL', message: `is needed with TRANSCRIBER_PROVIDER=${provider}` },
    ]);
  return new OpenAiTranscriber({ baseUrl: url, apiKey, model, pricePerMinute });
}
