import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

/**
 * Lets a child process of a test run the sources as they are, without a build:
 * `node --conditions=source --import ./test/support/typescript-hooks.mjs some-file.ts`.
 */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const asTypeScript = specifier.replace(/\.js$/, '.ts');
    const isOurs = /^\.{1,2}\//.test(specifier) && !context.parentURL?.includes('/node_modules/');
    if (isOurs && existsSync(new URL(asTypeScript, context.parentURL))) {
      return nextResolve(asTypeScript, context);
    }
    return nextResolve(specifier, context);
  },
  load(url, context, nextLoad) {
    if (!url.endsWith('.ts')) return nextLoad(url, context);
    const filename = fileURLToPath(url);
    const { code } = transformSync(readFileSync(filename, 'utf8'), {
      filename,
      swcrc: false,
      sourceMaps: 'inline',
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', decorators: true, dynamicImport: true },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
      },
      module: { type: 'nodenext' },
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
