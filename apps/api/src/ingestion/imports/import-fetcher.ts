import { Inject, Injectable } from '@nestjs/common';
import { DependencyTimeout, DependencyUnavailable } from '#libs/errors';
import { AllowedAddresses, hostsIn, networksIn, openUrl } from '#libs/http';
import { PolicyRegistry } from '#libs/resilience';
import { Intake, type ReceivedFile } from '../uploads/intake.js';
import { UrlUnreachable } from './import.errors.js';
import { type ImportConfig, importSection } from './imports.config.js';

const POLICY = 'import-fetch';

/** Brings files from addresses that people gave, under the policy of their host. */
@Injectable()
export class ImportFetcher {
  private readonly allowed: AllowedAddresses;

  constructor(
    private readonly intake: Intake,
    private readonly policies: PolicyRegistry,
    @Inject(importSection.token) private readonly config: ImportConfig,
  ) {
    this.allowed = new AllowedAddresses(networksIn(config.allowedNetworks), hostsIn(config.allowedHosts));
  }

  /**
   * @param fallbackName of the file, should neither the server nor the address say one
   * @throws UrlUnreachable, what `openUrl` finds wrong with the address, and what `Intake.receive` throws
   */
  async fetch(
    { tenantId, url, fallbackName }: { tenantId: string; url: string; fallbackName: string },
    signal: AbortSignal,
  ): Promise<{ file: ReceivedFile; filename: string }> {
    const host = URL.parse(url)?.host ?? '';
    try {
      return await this.policies.keyed(POLICY, host).execute(
        async (limited) => {
          const opened = await openUrl(url, { ...this.limits, signal: limited });
          const filename = opened.suggestedName ?? fallbackName;
          const arriving = { content: opened.content, filename, declaredType: opened.contentType };
          return { file: await this.intake.receive(tenantId, arriving, limited), filename };
        },
        { signal, tenantId, operation: 'fetch' },
      );
    } catch (error) {
      const isOfHost =
        (error instanceof DependencyUnavailable || error instanceof DependencyTimeout) &&
        error.dependency.startsWith(POLICY);
      throw isOfHost ? new UrlUnreachable({ cause: error }) : error;
    }
  }

  private get limits() {
    const { maxRedirects, urlIdleMs: idleMs } = this.config;
    return { allowed: this.allowed, maxBytes: this.intake.maxBytes, maxRedirects, idleMs };
  }
}
