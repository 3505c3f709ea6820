import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, SecretResponse } from '#libs/http';
import {
  ApiKeyCursor,
  type ApiKeyPage,
  CreateApiKey,
  type CreatedApiKey,
  ListApiKeys,
  toApiKeyItem,
  toCreatedApiKey,
} from './api-keys.dto.js';
import { ApiKeysService } from './api-keys.service.js';

@Controller('v1/api-keys')
@RequirePermission('key.manage')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Post()
  @Audited('api-key.create', 'admin')
  @SecretResponse()
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateApiKey }) body: CreateApiKey,
  ): Promise<CreatedApiKey> {
    return toCreatedApiKey(await this.keys.create(principal, body.name, body.expires_in_days));
  }

  @Get()
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListApiKeys }) { cursor, limit }: ListApiKeys,
  ): Promise<ApiKeyPage> {
    const [beforeId] = cursor ? decodeCursor(cursor, ApiKeyCursor) : [];
    const rows = await this.keys.list(principal, { beforeId, limit: limit + 1 });
    return page(rows, limit, ({ id }) => [id], toApiKeyItem);
  }

  @Delete(':id')
  @Audited('api-key.revoke', 'admin')
  @HttpCode(204)
  async revoke(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<void> {
    await this.keys.revoke(principal, id);
  }
}
