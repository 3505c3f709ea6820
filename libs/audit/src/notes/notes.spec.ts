import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AuditKeys,
  AuditKeysUnusable,
  checkpointText,
  decodeVerifier,
  encodeVerifier,
  NoteNotSigned,
  openNote,
  parseCheckpoint,
  signNote,
} from './index.js';
import { noteVerifier } from './signed-note.js';

/** The example of the Go package golang.org/x/mod/sumdb/note, from which the C2SP format was written down. */
const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_NOTE =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n\n" +
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

describe('a signed note', () => {
  it('of the reference implementation is believed', () => {
    const key = decodeVerifier(GO_KEY);
    expect(encodeVerifier(key)).toBe(GO_KEY);
    expect(openNote(GO_NOTE, [key])).toBe(GO_NOTE.split('\n\n')[0] + '\n');
  });

  it('is not believed when anything of it is changed, or nobody known signed it', () => {
    const key = decodeVerifier(GO_KEY);
    const refused = (note: string) => expect(() => openNote(note, [key])).toThrow(NoteNotSigned);
    refused(GO_NOTE.replace('answer', 'Answer'));
    refused(GO_NOTE.replace('x08go/Z', 'x08go/a'));
    refused(GO_NOTE.replace('PeterNeumann', 'PeterNewmann'));
    refused(GO_NOTE.split('— ')[0]!);
    refused(GO_NOTE.slice(0, -1));
    refused(`${GO_NOTE}\n`);
    expect(() => openNote(GO_NOTE, [])).toThrow(NoteNotSigned);
    expect(() => decodeVerifier(GO_KEY.replace('c74f20a3', 'c74f20a4'))).toThrow(NoteNotSigned);
    expect(() => decodeVerifier('nonsense')).toThrow(NoteNotSigned);
  });

  it('says what a checkpoint is', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
    const signer = { ...noteVerifier('a/log', raw), privateKey };
    const checkpoint = {
      origin: 'a/log',
      size: 7,
      root: Buffer.alloc(32, 1),
      at: '2026-11-03T10:00:00.000Z',
    };
    const note = signNote(checkpointText(checkpoint), signer);
    expect(note.split('\n').slice(0, 4)).toEqual([
      'a/log',
      '7',
      'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=',
      'time 2026-11-03T10:00:00.000Z',
    ]);
    expect(parseCheckpoint(openNote(note, [signer]))).toEqual(checkpoint);
    expect(() => parseCheckpoint('a/log\n07\nx\n')).toThrow(SyntaxError);
    expect(
      createPublicKey(createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }))),
    ).toBeDefined();
  });
});

describe('the keys of the audit log', () => {
  let folder: string;
  const path = () => join(folder, 'secrets', 'audit-keys.json');
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'audit-keys-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are made once, for their owner alone, also when many start together', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => AuditKeys.loadOrCreate(path())));
    expect(new Set(all.map(({ verifiers }) => encodeVerifier(verifiers[0]!))).size).toBe(1);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'secrets'))).toEqual(['audit-keys.json']);
  });

  it('are exchanged without forgetting what the older one signed', async () => {
    const older = await AuditKeys.loadOrCreate(path());
    const note = signNote('something\n', older.signer!);
    const newer = await AuditKeys.rotate(path());
    expect(newer.origin).toBe(older.origin);
    expect(newer.signer!.id).not.toEqual(older.signer!.id);
    expect(openNote(note, newer.verifiers)).toBe('something\n');
    expect(openNote(signNote('something\n', newer.signer!), newer.verifiers)).toBe('something\n');
    const { keys } = JSON.parse(await readFile(path(), 'utf8')) as { keys: { d?: string }[] };
    expect(keys.map(({ d }) => d !== undefined)).toEqual([true, false]);
  });

  it('are refused when everybody may read them', async () => {
    await AuditKeys.loadOrCreate(path());
    await chmod(path(), 0o604);
    await expect(AuditKeys.loadOrCreate(path())).rejects.toThrow(AuditKeysUnusable);
  });
});
