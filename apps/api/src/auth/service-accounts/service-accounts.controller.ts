import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass } from '#libs/http';
import {
  CreateServiceAccount,
  ListServiceAccounts,
  ServiceAccountCursor,
  ServiceAccountItem,
  ServiceAccountPage,
  toServiceAccountItem,
  UpdateServiceAccount,
} from './service-accounts.dto.js';
import { ServiceAccountsService } from './service-accounts.service.js';

const Id = { schema: z.uuid() };

@ApiTags('service accounts')
@Controller('v1/service-accounts')
@RequirePermission('user.manage')
@RateClass('write')
@Priority('critical')
export class ServiceAccountsController {
  constructor(private readonly accounts: ServiceAccountsService) {}

  @Post()
  @Audited('user.create', 'admin')
  @ApiOperation({ summary: 'Make an account for a program; it has no password, only API keys' })
  @ApiCreatedResponse({ standardSchema: ServiceAccountItem })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateServiceAccount }) body: CreateServiceAccount,
  ): Promise<ServiceAccountItem> {
    return toServiceAccountItem(await this.accounts.create(principal, body));
  }

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'The accounts for programs, the newest first' })
  @ApiOkResponse({ standardSchema: ServiceAccountPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListServiceAccounts }) { cursor, limit }: ListServiceAccounts,
  ): Promise<ServiceAccountPage> {
    const [beforeId] = cursor ? decodeCursor(cursor, ServiceAccountCursor) : [];
    const rows = await this.accounts.list(principal, { beforeId, limit: limit + 1 });
    return page(rows, limit, ({ id }) => [id], toServiceAccountItem);
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({ summary: 'One account for a program' })
  @ApiOkResponse({ standardSchema: ServiceAccountItem })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
  ): Promise<ServiceAccountItem> {
    return toServiceAccountItem(await this.accounts.get(principal, id));
  }

  @Patch(':id')
  @Audited('user.update', 'admin')
  @ApiOperation({ summary: 'Change the name or the role of an account for a program' })
  @ApiOkResponse({ standardSchema: ServiceAccountItem })
  async update(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Body({ schema: UpdateServiceAccount }) body: UpdateServiceAccount,
  ): Promise<ServiceAccountItem> {
    return toServiceAccountItem(await this.accounts.update(principal, id, body));
  }

  @Delete(':id')
  @Audited('user.remove', 'admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'End an account for a program, with all its keys' })
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string): Promise<void> {
    await this.accounts.delete(principal, id);
  }
}
