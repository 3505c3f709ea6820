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
} from '../api-keys/api-keys.dto.js';
import { ApiKeysService } from '../api-keys/api-keys.service.js';
import { ServiceAccountsService } from './service-accounts.service.js';

const Id = { schema: z.uuid() };

/** The keys of a program, which its administrators hold. */
@ApiTags('service accounts')
@Controller('v1/service-accounts/:id/keys')
@RequirePermission('user.manage')
@RateClass('write')
@Priority('critical')
export class ServiceAccountKeysController {
  constructor(
    private readonly accounts: ServiceAccountsService,
    private readonly keys: ApiKeysService,
  ) {}

  @Post()
  @Audited('api-key.create', 'admin')
  @SecretResponse()
  @ApiOperation({ summary: 'Make an API key for a program; the key itself is shown this once' })
  @ApiCreatedResponse({ standardSchema: CreatedApiKey })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Body({ schema: CreateApiKey }) body: CreateApiKey,
  ): Promise<CreatedApiKey> {
    const owner = await this.accounts.keyOwner(principal, id);
    const { name, expires_in_days, scopes, networks } = body;
    return toCreatedApiKey(
      await this.keys.create(principal, name, expires_in_days, { scopes, networks, owner }),
    );
  }

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'The API keys of a program, the newest first' })
  @ApiOkResponse({ standardSchema: ApiKeyPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: ListApiKeys }) { cursor, limit }: ListApiKeys,
  ): Promise<ApiKeyPage> {
    const { tenantId } = principal;
    const { id: userId } = await this.accounts.get(principal, id);
    const [beforeId] = cursor ? decodeCursor(cursor, ApiKeyCursor) : [];
    const rows = await this.keys.list({ tenantId, userId }, { beforeId, limit: limit + 1 });
    return page(rows, limit, (key) => [key.id], toApiKeyItem);
  }

  @Post(':keyId/rotate')
  @Audited('api-key.rotate', 'admin')
  @SecretResponse()
  @ApiOperation({ summary: 'Make a key that takes the place of another; it is shown this once' })
  @ApiCreatedResponse({ standardSchema: CreatedApiKey })
  async rotate(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Param('keyId', Id) keyId: string,
    @Body({ schema: RotateApiKey }) { overlap_seconds }: RotateApiKey,
  ): Promise<CreatedApiKey> {
    const owner = await this.accounts.keyOwner(principal, id);
    return toCreatedApiKey(await this.keys.rotate(principal, keyId, overlap_seconds, owner));
  }

  @Delete(':keyId')
  @Audited('api-key.revoke', 'admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key of a program' })
  @ApiNoContentResponse()
  async revoke(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Param('keyId', Id) keyId: string,
  ): Promise<void> {
    await this.keys.revoke(principal, keyId, await this.accounts.keyOwner(principal, id));
  }
}
