import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, Public, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { MailOnItsWay } from '../accounts/one-time-token.js';
import { PasswordsService } from './passwords.service.js';
import { AskForMail, ChangePassword, ResetPassword } from './recovery.dto.js';
import { inSameTime } from './same-time.js';

/** Longer than looking an address up, and writing a mail to it, takes. */
const ANSWER_GRID_MS = 250;

@ApiTags('account')
@Controller('v1')
@Priority('critical')
@RateClass('auth')
export class RecoveryController {
  constructor(private readonly passwords: PasswordsService) {}

  @Post('account/password')
  @RequirePermission('account.own')
  @Audited('password.change', 'auth')
  @RateClass('write')
  @HttpCode(204)
  @ApiOperation({ summary: 'Change your password; your other sessions end' })
  @ApiNoContentResponse()
  async change(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: ChangePassword }) body: ChangePassword,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.passwords.change(principal, body.current_password, body.new_password, request.ip);
  }

  @Post('auth/password/forgot')
  @Public()
  @Audited('password.request-reset', 'auth')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Ask for a mail with which a new password can be chosen; the answer is always the same',
  })
  @ApiAcceptedResponse({ standardSchema: MailOnItsWay })
  async forgot(@Body({ schema: AskForMail }) { email }: AskForMail): Promise<MailOnItsWay> {
    await inSameTime(ANSWER_GRID_MS, () => this.passwords.requestReset(email));
    return { accepted: true };
  }

  @Post('auth/password/reset')
  @Public()
  @Audited('password.reset', 'auth')
  @HttpCode(204)
  @ApiOperation({ summary: 'Choose a new password with the token from the mail; all your sessions end' })
  @ApiNoContentResponse()
  async reset(
    @Body({ schema: ResetPassword }) { token, new_password }: ResetPassword,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.passwords.reset(token, new_password, request.ip);
  }
}
