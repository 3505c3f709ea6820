import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import { SealingKey } from '#libs/secrets';
import { digestOfRecoveryCode, isTotpCode, stepOfCode } from './totp.js';
import { burnRecoveryCode, hasTotp, lockTotp, noteStep, type StoredTotp } from './totp.store.js';

export interface UserKey {
  tenantId: string;
  userId: string;
}

/** Whether somebody has a second factor, and whether what he typed is one. */
@Injectable()
export class SecondFactors {
  constructor(
    private readonly db: TenantDb,
    private readonly sealing: SealingKey,
  ) {}

  isEnabled(user: UserKey): Promise<boolean> {
    return this.db.read(user.tenantId, (tx) => hasTotp(tx, user));
  }

  seal(user: UserKey, secret: string): Buffer {
    return this.sealing.seal(secret, ownerOf(user));
  }

  /** Uses the code up, or the recovery code; undefined when it is none, or two-step login is turned off. */
  async use(tx: EntityManager, user: UserKey, code: string): Promise<'totp' | 'recovery-code' | undefined> {
    const stored = await lockTotp(tx, user);
    if (!stored?.enabled) return undefined;
    const typed = code.trim();
    if (isTotpCode(typed)) return (await this.useTotp(tx, user, stored, typed)) ? 'totp' : undefined;
    return (await burnRecoveryCode(tx, user, digestOfRecoveryCode(typed))) ? 'recovery-code' : undefined;
  }

  /** Whether it is a code of now that was not used before. Uses it up. */
  async useTotp(tx: EntityManager, user: UserKey, stored: StoredTotp, code: string): Promise<boolean> {
    const secret = this.sealing.open(stored.secret, ownerOf(user));
    const step = stepOfCode(secret, code, { lastStep: stored.lastStep });
    if (step !== undefined) await noteStep(tx, user, step);
    return step !== undefined;
  }
}

const ownerOf = ({ userId }: UserKey) => `totp:${userId}`;
