import { ParseFailure } from '../parse-failure.js';
import { isEncryptedOffice } from '../sniff.js';

/**
 * An Office file without the encryption around it; any other file as it is. What formats protect by themselves (PDF,
 * ODT, XLS), who reads them opens.
 * @throws ParseFailure password-protected, wrong-password
 */
export async function unlock(bytes: Uint8Array, password: string | undefined): Promise<Uint8Array> {
  return isEncryptedOffice(bytes) ? decryptOffice(bytes, password) : bytes;
}

/** @throws ParseFailure password-protected without a password or with a protection that is not known; wrong-password */
export async function decryptOffice(bytes: Uint8Array, password: string | undefined): Promise<Uint8Array> {
  if (!password) throw new ParseFailure('password-protected');
  const { default: officeCrypto } = await import('officecrypto-tool');
  try {
    return await officeCrypto.decrypt(Buffer.from(bytes), { password });
  } catch (error) {
    const isWrong = /incorrect/i.test((error as Error).message);
    throw new ParseFailure(isWrong ? 'wrong-password' : 'password-protected', { cause: error });
  }
}
