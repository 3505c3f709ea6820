/**
 * A recording of hours through the running program, heard by the embedded model, or by an outside one that takes a
 * second for each stretch. `npm run bench:long-recording`, or
 * `node dist/bench/long-recording.js [minutes] [embedded|outside]`.
 */
import { FakeTranscription } from '../test/support/fake-transcription.js';
import { measureLargeDocument } from './large-document.js';
import { writeRecording } from './recording-file.js';

const OUTSIDE_LATENCY_MS = 1_000;
/** Two hours of WAV are 230 MB. */
const UPLOAD_MAX_BYTES = String(2 ** 30);

const [minutes = '120', transcriber = 'embedded'] = process.argv.slice(2);
console.log(`${minutes} minutes, ${transcriber} transcriber`);
const outside = await FakeTranscription.start();
outside.answers({ latencyMs: OUTSIDE_LATENCY_MS });
try {
  await measureLargeDocument((folder) => writeRecording(folder, Number(minutes)), {
    UPLOAD_MAX_BYTES,
    ...(transcriber === 'outside' && {
      TRANSCRIBER_PROVIDER: 'openai',
      TRANSCRIBER_URL: outside.url,
      TRANSCRIBER_MODEL: 'whisper-1',
    }),
  });
} finally {
  await outside.close();
}
