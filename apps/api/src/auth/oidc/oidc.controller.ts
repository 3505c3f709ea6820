import { Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Audited } from '#libs/audit';
import { BeforeSecondFactor, CurrentPrincipal, type Principal, Public, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { TokenResponse, toTokenResponse } from '../auth.dto.js';
import { CallbackQuery, LogoutResponse } from './oidc.dto.js';
import { SsoService } from './sso.service.js';

@ApiTags('account')
@Controller('v1/auth/oidc')
@RateClass('auth')
@Priority('critical')
export class OidcController {
  constructor(private readonly sso: SsoService) {}

  @Get('start')
  @Public()
  @ApiOperation({ summary: 'Send the browser to the identity provider, to begin a session' })
  @ApiResponse({ status: 302, description: 'To the provider, with a cookie for ten minutes.' })
  async start(@Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const { location, cookie } = await this.sso.begin();
    void reply.status(302).header('location', location).header('set-cookie', cookie);
  }

  @Get('callback')
  @Public()
  @Audited('sso.login', 'auth')
  @ApiOperation({ summary: 'Where the provider sends the browser back to: tokens for a session' })
  @ApiOkResponse({ standardSchema: TokenResponse })
  async callback(
    @Query({ schema: CallbackQuery }) _query: CallbackQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokenResponse> {
    // A login is answered once, whatever comes of it.
    void reply.header('set-cookie', this.sso.emptyCookie);
    const query = request.url.slice(request.url.indexOf('?'));
    return toTokenResponse(await this.sso.finish(query, request.headers.cookie));
  }

  @Post('logout')
  @RequirePermission('account.own')
  @BeforeSecondFactor()
  @Audited('sso.logout', 'auth')
  @RateClass('write')
  @Priority('critical-plus')
  @HttpCode(200)
  @ApiOperation({ summary: 'End this session, and learn where to end that at the provider' })
  @ApiOkResponse({ standardSchema: LogoutResponse })
  async logout(@CurrentPrincipal() principal: Principal): Promise<LogoutResponse> {
    return { end_session_url: await this.sso.logout(principal) };
  }
}

@ApiTags('users')
@Controller('v1/users/:id/identities')
@RequirePermission('user.manage')
@RateClass('write')
@Priority('critical')
export class SsoIdentitiesController {
  constructor(private readonly sso: SsoService) {}

  @Delete()
  @Audited('sso.unlink', 'admin')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Forget by which identity a provider knows a user',
    description: 'The next login by the provider leads to the account by its verified e-mail address again.',
  })
  @ApiNoContentResponse()
  async unlink(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<void> {
    await this.sso.unlink(principal, id);
  }
}
