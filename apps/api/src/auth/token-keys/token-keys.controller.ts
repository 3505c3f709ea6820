import { Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, Public, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { JsonWebKeySet, Kid, TokenKeyList, toTokenKeyList } from './token-keys.dto.js';
import { TokenKeysService } from './token-keys.service.js';

/** Shorter than a key is published before it signs. */
const KEPT_SECONDS = 300;

@ApiTags('account')
@Controller('.well-known')
@Public()
@RateClass('read')
@Priority('critical')
export class JsonWebKeysController {
  constructor(private readonly tokenKeys: TokenKeysService) {}

  @Get('jwks.json')
  @ApiOperation({ summary: 'The public keys that access tokens are verified with (RFC 7517)' })
  @ApiOkResponse({ standardSchema: JsonWebKeySet })
  keys(@Res({ passthrough: true }) reply: FastifyReply): JsonWebKeySet {
    void reply
      .header('cache-control', `public, max-age=${KEPT_SECONDS}`)
      .header('content-type', 'application/jwk-set+json');
    return this.tokenKeys.keys.jwks();
  }
}

@ApiTags('operations')
@Controller('v1/admin/token-keys')
@RequirePermission('system.operate')
@RateClass('write')
@Priority('critical-plus')
export class TokenKeysController {
  constructor(private readonly tokenKeys: TokenKeysService) {}

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'The keys that sign access tokens, the newest first' })
  @ApiOkResponse({ standardSchema: TokenKeyList })
  async list(): Promise<TokenKeyList> {
    return toTokenKeyList(await this.tokenKeys.list());
  }

  @Post('rotate')
  @Audited('token-key.rotate', 'admin')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Exchange the key: a new one is published now and signs a little later',
    description: 'Access tokens that exist stay good until they end.',
  })
  @ApiOkResponse({ standardSchema: TokenKeyList })
  async rotate(@CurrentPrincipal() principal: Principal): Promise<TokenKeyList> {
    return toTokenKeyList(await this.tokenKeys.rotate(principal));
  }

  @Delete(':kid')
  @Audited('token-key.revoke', 'security')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Revoke a key: access tokens that it signed are refused within five seconds',
    description:
      'Sessions go on with a refresh. When it was the one that signs, another one does so at once.',
  })
  @ApiNoContentResponse()
  async revoke(
    @CurrentPrincipal() principal: Principal,
    @Param('kid', { schema: Kid }) kid: string,
  ): Promise<void> {
    await this.tokenKeys.revoke(principal, kid);
  }
}
