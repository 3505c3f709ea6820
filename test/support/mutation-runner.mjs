import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import {
  determineHitLimitReached,
  DryRunStatus,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';

/**
 * Runs the unit tests of the resilience library for Stryker. Jest would load the library and its tests anew for each of
 * two thousand changes, which takes hours; here they are loaded once for a process, and a change is switched on in them.
 */
class OnceLoadedRunner {
  static inject = tokens(commonTokens.options);
  #stryker = (globalThis.__stryker__ ??= {});
  #jest;
  #isFresh = true;

  constructor(options) {
    this.pattern = options.onceLoaded.testFiles;
  }

  capabilities() {
    return { reloadEnvironment: false };
  }

  async dryRun() {
    await this.#load();
    const results = [];
    for (const test of this.#jest.tests.values()) results.push(await this.#run(test));
    return {
      status: DryRunStatus.Complete,
      tests: results,
      mutantCoverage: this.#stryker.mutantCoverage,
    };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation }) {
    const stryker = this.#stryker;
    Object.assign(stryker, { hitLimit, hitCount: hitLimit === undefined ? undefined : 0 });
    if (mutantActivation === 'static') stryker.activeMutant = activeMutant.id;
    await this.#load();
    stryker.activeMutant = activeMutant.id;
    const { tests } = this.#jest;
    const results = [];
    for (const id of testFilter ?? tests.keys()) {
      results.push(await this.#run(tests.get(id)));
      if (results.at(-1).status === TestStatus.Failed) break;
    }
    const outcome = determineHitLimitReached(stryker.hitCount, stryker.hitLimit) ?? {
      status: DryRunStatus.Complete,
      tests: results,
    };
    if (mutantActivation === 'runtime') await this.#leaveNothingBehind(results.at(-1));
    this.#isFresh = false;
    return toMutantRunResult(outcome);
  }

  /** What fails for what an earlier change has left behind is no proof: Stryker tries it again in a new process. */
  async #leaveNothingBehind({ status, id }) {
    this.#stryker.activeMutant = undefined;
    this.#stryker.hitCount = undefined;
    if (status !== TestStatus.Failed || this.#isFresh) return;
    const again = await this.#run(this.#jest.tests.get(id));
    if (again.status === TestStatus.Failed) throw new Error('The process is not as it was');
  }

  async #run(test) {
    const { id, name, file } = test;
    const startedAt = performance.now();
    this.#stryker.currentTestId = id;
    const failure = await this.#jest.failureOf(test);
    this.#stryker.currentTestId = undefined;
    const result = { id, name, fileName: file, timeSpentMs: performance.now() - startedAt };
    return failure
      ? { ...result, status: TestStatus.Failed, failureMessage: String(failure?.stack ?? failure) }
      : { ...result, status: TestStatus.Success };
  }

  async #load() {
    if (this.#jest) return;
    await import('./typescript-hooks.mjs');
    const lighter = pathToFileURL(resolve('test/support/observability-without-nest.ts')).href;
    registerHooks({
      resolve: (specifier, context, next) =>
        next(specifier === '#libs/observability' ? lighter : specifier, context),
    });
    this.#jest = await import('./small-jest.mjs');
    const files = globSync(this.pattern).sort();
    await this.#jest.loadTests(files.map((file) => resolve(file)));
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'once-loaded', OnceLoadedRunner)];
