import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass } from '#libs/http';
import { ColleaguesService } from '../../tenants/index.js';
import { ChangeUser, ListUsers, toUserItem, UserCursor, UserItem, UserPage } from './users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@Controller('v1/users')
@RequirePermission('user.manage')
@Priority('critical-plus')
export class UsersController {
  constructor(
    private readonly colleagues: ColleaguesService,
    private readonly users: UsersService,
  ) {}

  @Get()
  @Audited('user.list', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'The users of your tenant' })
  @ApiOkResponse({ standardSchema: UserPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListUsers }) { cursor, limit }: ListUsers,
  ): Promise<UserPage> {
    const [afterId] = cursor ? decodeCursor(cursor, UserCursor) : [];
    const rows = await this.colleagues.list(principal, { afterId, limit: limit + 1 });
    return page(rows, limit, ({ id }) => [id], toUserItem);
  }

  @Get(':id')
  @Audited('user.read', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'One user of your tenant' })
  @ApiOkResponse({ standardSchema: UserItem })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<UserItem> {
    return toUserItem(await this.colleagues.get(principal, id));
  }

  @Patch(':id')
  @Audited('user.change', 'admin')
  @RateClass('write')
  @ApiOperation({ summary: 'Give a user another role, suspend him or let him in again; his sessions end' })
  @ApiOkResponse({ standardSchema: UserItem })
  async change(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: ChangeUser }) body: ChangeUser,
  ): Promise<UserItem> {
    return toUserItem(await this.users.change(principal, id, body));
  }

  @Delete(':id')
  @Audited('user.remove', 'admin')
  @RateClass('write')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a user with all his credentials; his documents stay' })
  @ApiNoContentResponse()
  async remove(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<void> {
    await this.users.remove(principal, id);
  }

  @Delete(':id/sessions')
  @Audited('user.end-sessions', 'admin')
  @RateClass('write')
  @HttpCode(204)
  @ApiOperation({ summary: 'End the sessions of a user wherever he is logged in; his API keys stay' })
  @ApiNoContentResponse()
  async endSessions(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<void> {
    await this.users.endSessions(principal, id);
  }
}
