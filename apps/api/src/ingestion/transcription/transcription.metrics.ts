import { counter, histogram } from '#libs/observability';
import type { Hearing } from '../extraction/hearing.js';

const heardSeconds = counter({
  name: 'navigator_transcription_audio_seconds_total',
  help: 'Length of what was heard of recordings, in seconds',
  labelNames: ['provider'],
});
const wallSeconds = histogram({
  name: 'navigator_transcription_seconds',
  help: 'How long hearing one stretch of a recording took, with waiting for a process or a server',
  labelNames: ['provider'],
});
const cpuSeconds = counter({
  name: 'navigator_transcription_cpu_seconds_total',
  help: 'Time of the processor that hearing recordings took on this machine',
  labelNames: ['provider'],
});
const cost = counter({
  name: 'navigator_transcription_cost_total',
  help: 'What an outside server costs for recordings, by TRANSCRIBER_PRICE_PER_MINUTE',
  labelNames: ['provider'],
});
export const transcriptionFailovers = counter({
  name: 'navigator_transcription_failovers_total',
  help: 'Stretches of recordings that the embedded transcriber heard in the place of an outside one',
});

/** @param heardBy `provider:model` */
export function observeHearing(heardBy: string, hearing: Hearing): void {
  const provider = heardBy.split(':')[0]!;
  heardSeconds.inc({ provider }, hearing.audioMs / 1_000);
  wallSeconds.observe({ provider }, hearing.wallMs / 1_000);
  cpuSeconds.inc({ provider }, hearing.cpuMs / 1_000);
  cost.inc({ provider }, hearing.cost);
}
