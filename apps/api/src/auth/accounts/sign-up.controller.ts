import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { Public, ROLES } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { TenantName } from '../../tenants/index.js';
import { inSameTime } from '../recovery/same-time.js';
import { MailOnItsWay, NewPassword, OneTimeToken } from './one-time-token.js';
import { SignUpService } from './sign-up.service.js';

const RequestSignUp = z.strictObject({ email: z.email().max(254) });
type RequestSignUp = z.infer<typeof RequestSignUp>;
const CompleteSignUp = z.strictObject({
  token: OneTimeToken,
  password: NewPassword,
  tenant_name: TenantName,
});
type CompleteSignUp = z.infer<typeof CompleteSignUp>;
const SignedUp = z.object({ id: z.uuid(), email: z.string(), role: z.enum(ROLES), tenant_id: z.uuid() });
type SignedUp = z.infer<typeof SignedUp>;

/** Longer than looking an address up and writing a mail takes. */
const ANSWER_GRID_MS = 250;

@ApiTags('account')
@Controller('v1/auth/sign-up')
@Public()
@RateClass('auth')
@Priority('sheddable-plus')
export class SignUpController {
  constructor(private readonly signUps: SignUpService) {}

  @Post()
  @Audited('user.request-sign-up', 'auth')
  @HttpCode(202)
  @ApiOperation({ summary: 'Ask for a mail with which one can sign up; the answer is always the same' })
  @ApiAcceptedResponse({ standardSchema: MailOnItsWay })
  async request(@Body({ schema: RequestSignUp }) { email }: RequestSignUp): Promise<MailOnItsWay> {
    await inSameTime(ANSWER_GRID_MS, () => this.signUps.request(email));
    return { accepted: true };
  }

  @Post('complete')
  @Audited('user.sign-up', 'auth')
  @ApiOperation({ summary: 'Sign up with the token from the mail: a tenant of your own, which you run' })
  @ApiCreatedResponse({ standardSchema: SignedUp })
  async complete(
    @Body({ schema: CompleteSignUp }) { token, password, tenant_name }: CompleteSignUp,
  ): Promise<SignedUp> {
    const user = await this.signUps.complete({ token, password, tenantName: tenant_name });
    return { id: user.id, email: user.email, role: user.role, tenant_id: user.tenantId };
  }
}
