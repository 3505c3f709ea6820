import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { ExportKinds } from './export.js';
import { ExportFiles } from './export-files.js';
import { ExportRunner } from './export-runner.js';
import { Exports } from './exports.js';

/** Needs `TenantDb`, `AuditKeys`, `DATA_DIR` and the section `EXPORT` from global modules. */
@Module({})
export class ExportsModule {
  /** @param worker whether this process writes exports */
  static register({ worker }: { worker: boolean }): DynamicModule {
    return {
      module: ExportsModule,
      global: true,
      providers: [
        Exports,
        ExportKinds,
        {
          provide: ExportFiles,
          inject: ['DATA_DIR'],
          useFactory: (dataDir: string) => new ExportFiles(join(dataDir, 'exports')),
        },
        ...(worker ? [ExportRunner] : []),
      ],
      exports: [Exports, ExportKinds],
    };
  }
}
