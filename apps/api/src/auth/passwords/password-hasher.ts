import { randomBytes } from 'node:crypto';
import { Algorithm, hash, parseOptions, verify } from '@node-rs/argon2';
import { DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import type { Policy } from '#libs/resilience';
import { LoginBusy } from '../auth.errors.js';

export interface HashParameters {
  memoryKib: number;
  passes: number;
  parallelism: number;
}

/**
 * argon2id. Every hash runs under a policy that lets few of them run at once and few more wait: one takes tens of
 * megabytes and tens of milliseconds, which is the point of it and also what a flood of logins would abuse.
 */
export class PasswordHasher {
  private constructor(
    private readonly parameters: HashParameters,
    private readonly policy: Pick<Policy, 'execute'>,
    /** Of a password that nobody knows, for accounts that do not exist. */
    private readonly nobodysHash: string,
  ) {}

  static async create(parameters: HashParameters, policy: Pick<Policy, 'execute'>): Promise<PasswordHasher> {
    const nobodysHash = await hashWith(parameters, randomBytes(32).toString('base64'));
    return new PasswordHasher(parameters, policy, nobodysHash);
  }

  /** @throws LoginBusy */
  hash(password: string): Promise<string> {
    return this.limited(() => hashWith(this.parameters, password));
  }

  /**
   * Whether the password is the hash's. Without a hash (no such account) it takes the same time to say no.
   *
   * @throws LoginBusy
   */
  async matches(passwordHash: string | undefined, password: string): Promise<boolean> {
    const matched = await this.limited(() => verify(passwordHash ?? this.nobodysHash, password));
    return matched && passwordHash !== undefined;
  }

  /** Whether a hash was made with other parameters than today's. */
  isOutdated(passwordHash: string): boolean {
    const { memoryCost, timeCost, parallelism } = parseOptions(passwordHash);
    const { memoryKib, passes } = this.parameters;
    return memoryCost !== memoryKib || timeCost !== passes || parallelism !== this.parameters.parallelism;
  }

  private async limited<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.policy.execute(work);
    } catch (error) {
      const busy = error instanceof DependencyUnavailable || error instanceof DependencyTimeout;
      throw busy ? new LoginBusy(error) : error;
    }
  }
}

function hashWith({ memoryKib, passes, parallelism }: HashParameters, password: string): Promise<string> {
  return hash(password, {
    algorithm: ARGON2ID,
    memoryCost: memoryKib,
    timeCost: passes,
    parallelism,
  });
}

/** A const enum of another package has no value at run time when files are compiled one by one. */
const ARGON2ID = 2 satisfies Algorithm.Argon2id;
