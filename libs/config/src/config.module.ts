import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from './load-config.js';
import type { ConfigSection } from './section.js';

/** Makes the values of every section injectable everywhere, under the section's token. */
@Module({})
export class ConfigModule {
  static register<Sections extends Record<string, ConfigSection>>(
    sections: Sections,
    config: Config<Sections>,
  ): DynamicModule {
    const providers = Object.entries(sections).map(([name, { token }]) => ({
      provide: token,
      useValue: config[name as keyof Sections],
    }));
    return {
      module: ConfigModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
