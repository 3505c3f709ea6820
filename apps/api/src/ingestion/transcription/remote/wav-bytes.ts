import { SAMPLE_RATE } from '../audio/audio-source.js';

/** A WAV file of 16 bits, mono, from samples between -1 and 1 at 16 kHz. */
export function wavBytes(samples: Float32Array): Buffer {
  const file = Buffer.alloc(HEADER_BYTES + samples.length * BYTES_PER_SAMPLE);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(PCM, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLE_RATE, 24);
  file.writeUInt32LE(SAMPLE_RATE * BYTES_PER_SAMPLE, 28);
  file.writeUInt16LE(BYTES_PER_SAMPLE, 32);
  file.writeUInt16LE(8 * BYTES_PER_SAMPLE, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(samples.length * BYTES_PER_SAMPLE, 40);
  for (const [i, sample] of samples.entries()) {
    const value = Math.round(Math.max(-1, Math.min(1, sample)) * 32_767);
    file.writeInt16LE(value, HEADER_BYTES + i * BYTES_PER_SAMPLE);
  }
  return file;
}

const HEADER_BYTES = 44;
const BYTES_PER_SAMPLE = 2;
const PCM = 1;
