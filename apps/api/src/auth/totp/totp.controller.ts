import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { BeforeSecondFactor, CurrentPrincipal, type Principal, Public, RequirePermission } from '#libs/auth';
import { Priority, RateClass, SecretResponse } from '#libs/http';
import { TokenResponse, toTokenResponse } from '../auth.dto.js';
import { SecondStepService } from './second-step.service.js';
import {
  BeginTotp,
  BegunTotp,
  ConfirmTotp,
  ProveTotp,
  RecoveryCodes,
  SecondStep,
  TotpState,
} from './totp.dto.js';
import { TotpService } from './totp.service.js';

@ApiTags('account')
@Controller('v1')
@RequirePermission('account.own')
@RateClass('write')
@Priority('critical')
export class TotpController {
  constructor(
    private readonly totp: TotpService,
    private readonly second: SecondStepService,
  ) {}

  @Post('auth/login/second-factor')
  @Public()
  @Audited('auth.second-factor', 'auth')
  @RateClass('auth')
  @HttpCode(200)
  @ApiOperation({ summary: 'The second step of a login: the challenge of the first one and a code' })
  @ApiOkResponse({ standardSchema: TokenResponse })
  async secondStep(
    @Body({ schema: SecondStep }) { challenge, code }: SecondStep,
    @Req() request: FastifyRequest,
  ): Promise<TokenResponse> {
    return toTokenResponse(await this.second.complete(challenge, code, request.ip));
  }

  @Get('account/totp')
  @BeforeSecondFactor()
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Whether your two-step login is turned on' })
  @ApiOkResponse({ standardSchema: TotpState })
  async state(@CurrentPrincipal() principal: Principal): Promise<TotpState> {
    const { enabled, recoveryCodesLeft } = await this.totp.state(principal);
    return { enabled, recovery_codes_left: recoveryCodesLeft };
  }

  @Post('account/totp')
  @BeforeSecondFactor()
  @Audited('totp.begin', 'auth')
  @SecretResponse()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Begin to turn on two-step login: a secret for a program that makes codes',
    description:
      'With the current password. Who has none, because he comes by an identity provider, does it within ten minutes of his login.',
  })
  @ApiOkResponse({ standardSchema: BegunTotp })
  async begin(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: BeginTotp }) body: BeginTotp,
    @Req() request: FastifyRequest,
  ): Promise<BegunTotp> {
    const { secret, uri } = await this.totp.begin(principal, body.current_password, request.ip);
    return { secret, otpauth_uri: uri };
  }

  @Post('account/totp/confirm')
  @BeforeSecondFactor()
  @Audited('totp.enable', 'auth')
  @SecretResponse()
  @HttpCode(200)
  @ApiOperation({ summary: 'Turn on two-step login with a first code; recovery codes are shown this once' })
  @ApiOkResponse({ standardSchema: RecoveryCodes })
  async confirm(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: ConfirmTotp }) { code }: ConfirmTotp,
    @Req() request: FastifyRequest,
  ): Promise<RecoveryCodes> {
    return { recovery_codes: await this.totp.confirm(principal, code, request.ip) };
  }

  @Post('account/totp/recovery-codes')
  @Audited('totp.recovery-codes', 'auth')
  @SecretResponse()
  @HttpCode(200)
  @ApiOperation({ summary: 'New recovery codes in place of those before' })
  @ApiOkResponse({ standardSchema: RecoveryCodes })
  async renewCodes(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: ProveTotp }) body: ProveTotp,
    @Req() request: FastifyRequest,
  ): Promise<RecoveryCodes> {
    return { recovery_codes: await this.totp.renewCodes(principal, proofOf(body, request)) };
  }

  @Post('account/totp/disable')
  @Audited('totp.disable', 'auth')
  @HttpCode(204)
  @ApiOperation({ summary: 'Turn off two-step login' })
  @ApiNoContentResponse()
  async disable(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: ProveTotp }) body: ProveTotp,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.totp.disable(principal, proofOf(body, request));
  }

  @Delete('users/:id/totp')
  @RequirePermission('user.manage')
  @Audited('totp.reset', 'admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Turn off the two-step login of a user who has lost his codes; his sessions end' })
  @ApiNoContentResponse()
  async reset(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<void> {
    await this.totp.reset(principal, id);
  }
}

function proofOf({ current_password, code }: ProveTotp, { ip }: FastifyRequest) {
  return { password: current_password, code, address: ip };
}
