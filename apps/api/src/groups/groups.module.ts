import { type DynamicModule, Module } from '@nestjs/common';
import { GroupsController } from './groups.controller.js';
import { GroupsService } from './groups.service.js';

/** Groups of people. A **grantee** is a user or a group that something is shared with. */
@Module({})
export class GroupsModule {
  /** `http`: the routes, for the roles `api` and `all`. */
  static register({ http }: { http: boolean }): DynamicModule {
    return {
      module: GroupsModule,
      controllers: http ? [GroupsController] : [],
      providers: http ? [GroupsService] : [],
    };
  }
}
