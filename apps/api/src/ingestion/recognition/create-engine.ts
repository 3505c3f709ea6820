import type { Policy } from '#libs/resilience';
import { FailoverOcr } from './failover.engine.js';
import type { OcrEngine } from './ocr-engine.js';
import { type OcrConfig, ocrModel } from './recognition.config.js';
import { OpenAiOcr } from './remote/openai.engine.js';

/** The configured engine. Nothing is connected yet. @throws InvalidConfiguration */
export function createOcrEngine(
  config: OcrConfig,
  embedded: OcrEngine,
  policy: Pick<Policy, 'execute'>,
): OcrEngine {
  const outside = outsideEngine(config);
  return outside ? new FailoverOcr(outside, policy, embedded) : embedded;
}

/**
 * Something cheap to ask the outside engine, by the name of its policy, to learn early that it is back.
 *
 * @throws InvalidConfiguration
 */
export function ocrProbe(config: OcrConfig): Record<string, (signal: AbortSignal) => Promise<void>> {
  const outside = outsideEngine(config);
  return outside ? { ocr: (signal) => outside.ping(signal) } : {};
}

function outsideEngine(config: OcrConfig): OpenAiOcr | undefined {
  const { provider, url, apiKey = 'none' } = config;
  if (provider === 'embedded') return undefined;
  return new OpenAiOcr({ baseUrl: url, apiKey, model: ocrModel(config) });
}
