import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { Audited, Unaudited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass } from '#libs/http';
import {
  GroupItem,
  GroupName,
  GroupPage,
  IdCursor,
  ListGroups,
  MemberPage,
  toGroupItem,
  toMemberItem,
} from './groups.dto.js';
import { GroupsService } from './groups.service.js';

const Id = { schema: z.uuid() };

@ApiTags('groups')
@Controller('v1/groups')
@RequirePermission('group.manage')
@RateClass('write')
@Unaudited('names of groups, to share documents with; every change of one is recorded')
@Priority('sheddable-plus')
export class GroupsController {
  constructor(private readonly groups: GroupsService) {}

  @Post()
  @Audited('group.create', 'admin')
  @ApiOperation({ summary: 'Make a group of people that documents can be shared with' })
  @ApiCreatedResponse({ standardSchema: GroupItem })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: GroupName }) { name }: GroupName,
  ): Promise<GroupItem> {
    return toGroupItem(await this.groups.create(principal, name));
  }

  @Get()
  @RequirePermission('document.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({
    summary: 'Groups, the oldest first',
    description:
      'Those to which you belong; all of them if you may share documents of others, or manage groups.',
  })
  @ApiOkResponse({ standardSchema: GroupPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListGroups }) { cursor, limit }: ListGroups,
  ): Promise<GroupPage> {
    const [afterId] = cursor ? decodeCursor(cursor, IdCursor) : [];
    const rows = await this.groups.list(principal, { afterId, limit: limit + 1 });
    return page(rows, limit, ({ id }) => [id], toGroupItem);
  }

  @Get(':id')
  @RequirePermission('document.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'One group' })
  @ApiOkResponse({ standardSchema: GroupItem })
  async get(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string): Promise<GroupItem> {
    return toGroupItem(await this.groups.get(principal, id));
  }

  @Patch(':id')
  @Audited('group.update', 'admin')
  @ApiOperation({ summary: 'Give a group another name' })
  @ApiOkResponse({ standardSchema: GroupItem })
  async rename(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Body({ schema: GroupName }) { name }: GroupName,
  ): Promise<GroupItem> {
    return toGroupItem(await this.groups.rename(principal, id, name));
  }

  @Delete(':id')
  @Audited('group.delete', 'admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a group; what was shared with it is not any more' })
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string): Promise<void> {
    await this.groups.delete(principal, id);
  }

  @Get(':id/members')
  @Audited('group.read', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Who belongs to a group' })
  @ApiOkResponse({ standardSchema: MemberPage })
  async members(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: ListGroups }) { cursor, limit }: ListGroups,
  ): Promise<MemberPage> {
    const [afterId] = cursor ? decodeCursor(cursor, IdCursor) : [];
    const rows = await this.groups.listMembers(principal, id, { afterId, limit: limit + 1 });
    return page(rows, limit, ({ userId }) => [userId], toMemberItem);
  }

  @Put(':id/members/:user_id')
  @Audited('group.member.add', 'admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Add a user or a program to a group' })
  @ApiNoContentResponse()
  async addMember(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Param('user_id', Id) userId: string,
  ): Promise<void> {
    await this.groups.addMember(principal, id, userId);
  }

  @Delete(':id/members/:user_id')
  @Audited('group.member.remove', 'admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take a user or a program out of a group' })
  @ApiNoContentResponse()
  async removeMember(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Param('user_id', Id) userId: string,
  ): Promise<void> {
    await this.groups.removeMember(principal, id, userId);
  }
}
