import { READABLE_TYPES } from './media-types.js';

/** Why a file could not be read. The codes are stable: clients and statistics switch on them. */
export type ParseFailureCode =
  | 'unsupported-type'
  | 'empty-file'
  | 'mistyped'
  | 'password-protected'
  | 'wrong-password'
  | 'corrupt-file'
  | 'no-text'
  | 'unknown-encoding'
  | 'too-complex'
  | 'image-too-large'
  | 'recognition-failed'
  | 'parse-timeout'
  | 'parse-memory'
  | 'parser-crashed'
  | 'decoder-missing'
  | 'no-audio'
  | 'no-speech'
  | 'recording-too-long';

/** What a person is told. They know their file, not our parser. */
const SENTENCES: Record<ParseFailureCode, string> = {
  'unsupported-type': `Files of this type cannot be read. These can: ${READABLE_TYPES}.`,
  'empty-file': 'The file is empty.',
  mistyped: 'The file is not what its name says, so it was not read. Please check that it is the right file.',
  'password-protected': 'The file is protected by a password. Please try again and give the password.',
  'wrong-password': 'The password does not open the file. Please try again with another one.',
  'corrupt-file': 'The file is damaged and cannot be opened. Please try another copy.',
  'no-text': 'No text was found in the file.',
  'unknown-encoding': 'The character encoding of the text is not known. Please save the file as UTF-8.',
  'too-complex': 'The file is too large or too complex inside to be read safely.',
  'image-too-large': 'The picture has too many pixels to be read safely. Please upload a smaller copy.',
  'recognition-failed': 'The text in the picture could not be recognised. Please try a clearer copy.',
  'parse-timeout': 'Reading the file took too long, so it was stopped.',
  'parse-memory': 'Reading the file needed too much memory, so it was stopped.',
  'parser-crashed': 'The file could not be read: the reader stopped unexpectedly.',
  'decoder-missing':
    'Recordings of this type need the program ffmpeg, which is not installed on the server. WAV files can be read without it.',
  'no-audio': 'The recording has no sound.',
  'no-speech': 'Nobody speaks in the recording.',
  'recording-too-long': 'The recording is longer than is allowed. Please upload it in parts.',
};

/** Thrown when a file cannot be read. The message is for people and never holds text of the file. */
export class ParseFailure extends Error {
  constructor(
    readonly code: ParseFailureCode,
    options?: { cause?: unknown },
  ) {
    super(SENTENCES[code], options);
    this.name = 'ParseFailure';
  }
}

export function isParseFailureCode(code: string): code is ParseFailureCode {
  return code in SENTENCES;
}
