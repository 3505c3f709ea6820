import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
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
import { decodeCursor, page, Priority, RateClass, SecretResponse } from '#libs/http';
import {
  ApiKeyCursor,
  ApiKeyPage,
  CreateApiKey,
  CreatedApiKey,
  ListApiKeys,
  RotateApiKey,
  toApiKeyItem,
  toCreatedApiKey,
} from './api-keys.dto.js';
import { ApiKeysService } from './api-keys.service.js';

@ApiTags('api keys')
@Controller('v1/api-keys')
@RequirePermission('key.manage')
@RateClass('write')
@Priority('critical-plus')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Post()
  @Audited('api-key.create', 'admin')
  @SecretResponse()
  @ApiOperation({ summary: 'Make an API key; the key itself is shown this once' })
  @ApiCreatedResponse({ standardSchema: CreatedApiKey })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateApiKey }) body: CreateApiKey,
  ): Promise<CreatedApiKey> {
    return toCreatedApiKey(await this.keys.create(principal, body.name, body.expires_in_days, body));
  }

  @Get()
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Your API keys, the newest first' })
  @ApiOkResponse({ standardSchema: ApiKeyPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListApiKeys }) { cursor, limit }: ListApiKeys,
  ): Promise<ApiKeyPage> {
    const [beforeId] = cursor ? decodeCursor(cursor, ApiKeyCursor) : [];
    const rows = await this.keys.list(principal, { beforeId, limit: limit + 1 });
    return page(rows, limit, ({ id }) => [id], toApiKeyItem);
  }

  @Post(':id/rotate')
  @Audited('api-key.rotate', 'admin')
  @SecretResponse()
  @ApiOperation({
    summary: 'Make a key that takes the place of another; it is shown this once',
    description: 'It has the same scopes, networks and lifetime. The old one stays good for the overlap.',
  })
  @ApiCreatedResponse({ standardSchema: CreatedApiKey })
  async rotate(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: RotateApiKey }) { overlap_seconds }: RotateApiKey,
  ): Promise<CreatedApiKey> {
    return toCreatedApiKey(await this.keys.rotate(principal, id, overlap_seconds));
  }

  @Delete(':id')
  @Audited('api-key.revoke', 'admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key' })
  @ApiNoContentResponse()
  async revoke(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<void> {
    await this.keys.revoke(principal, id);
  }
}
