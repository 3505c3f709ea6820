import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

/**
 * Lets plain Node run the sources as they are, without a build, where Jest's own loader does not reach: in the child
 * processes of a test and in Jest's global set-up. `node --import ./test/support/typescript-hooks.mjs some-file.ts`.
 */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const fromSources = { ...context, conditions: ['source', ...context.conditions] };
    if (context.parentURL?.includes('/node_modules/')) return nextResolve(specifier, context);
    const asTypeScript = specifier.replace(/\.js$/, '.ts');
    const isSource = /^\.{1,2}\//.test(specifier) && existsSync(new URL(asTypeScript, context.parentURL));
    return nextResolve(isSource ? asTypeScript : specifier, fromSources);
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
