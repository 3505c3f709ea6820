import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Audited } from '#libs/audit';
import { BeforeSecondFactor, CurrentPrincipal, type Principal, Public, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { TenantsService } from '../tenants/index.js';
import { Reauthentication } from './accounts/reauthentication.js';
import {
  LoginRequest,
  LogoutRequest,
  MeResponse,
  RefreshRequest,
  toMeResponse,
  TokenResponse,
  toTokenResponse,
} from './auth.dto.js';
import { LoginService } from './passwords/login.service.js';
import { type Client, SessionService } from './sessions/session.service.js';

@ApiTags('account')
@Controller('v1')
export class AuthController {
  constructor(
    private readonly logins: LoginService,
    private readonly sessions: SessionService,
    private readonly reauthentication: Reauthentication,
    private readonly tenants: TenantsService,
  ) {}

  @Post('auth/login')
  @Public()
  @Audited('auth.login', 'auth')
  @RateClass('auth')
  @Priority('critical')
  @HttpCode(200)
  @ApiOperation({ summary: 'Begin a session with an email address and a password' })
  @ApiOkResponse({ standardSchema: TokenResponse })
  async login(
    @Body({ schema: LoginRequest }) { email, password }: LoginRequest,
    @Req() request: FastifyRequest,
  ): Promise<TokenResponse> {
    return toTokenResponse(await this.logins.login(email, password, clientOf(request)));
  }

  @Post('auth/refresh')
  @Public()
  @Audited('auth.refresh', 'auth')
  @RateClass('auth')
  @Priority('critical-plus')
  @HttpCode(200)
  @ApiOperation({ summary: 'New tokens for a refresh token, which is good for one use' })
  @ApiOkResponse({ standardSchema: TokenResponse })
  async refresh(
    @Body({ schema: RefreshRequest }) body: RefreshRequest,
    @Req() request: FastifyRequest,
  ): Promise<TokenResponse> {
    return toTokenResponse(await this.sessions.refresh(body.refresh_token, clientOf(request)));
  }

  @Post('auth/logout')
  @RequirePermission('account.own')
  @BeforeSecondFactor()
  @Audited('auth.logout', 'auth')
  @RateClass('write')
  @Priority('critical-plus')
  @HttpCode(204)
  @ApiOperation({
    summary: 'End this session, or with `everywhere` all of yours',
    description: 'All of them takes your password, or a session that began in the last 15 minutes.',
  })
  @ApiNoContentResponse()
  async logout(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: LogoutRequest }) { everywhere, password }: LogoutRequest,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    if (everywhere) await this.reauthentication.requireRecent(principal, password, request.ip);
    await this.sessions.logout(principal, { everywhere });
  }

  @Get('me')
  @RateClass('read')
  @Priority('sheddable')
  @RequirePermission('account.own')
  @BeforeSecondFactor()
  @ApiOperation({ summary: 'Who you are and what you may do' })
  @ApiOkResponse({ standardSchema: MeResponse })
  async me(@CurrentPrincipal() principal: Principal): Promise<MeResponse> {
    return toMeResponse(principal, await this.tenants.getAccount(principal.tenantId, principal.userId));
  }
}

function clientOf(request: FastifyRequest): Client {
  return { address: request.ip, userAgent: request.headers['user-agent'] ?? '' };
}
