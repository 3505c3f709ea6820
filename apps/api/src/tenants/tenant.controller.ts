import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { ChangeSettings } from './tenant.js';
import { TenantSettingsService } from './tenant-settings.service.js';
import { TenantItem, toTenantItem } from './tenants.dto.js';

@ApiTags('tenant')
@Controller('v1/tenant')
@RequirePermission('tenant.configure')
export class TenantController {
  constructor(private readonly settings: TenantSettingsService) {}

  @Get()
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Your tenant and its settings' })
  @ApiOkResponse({ standardSchema: TenantItem })
  async get(@CurrentPrincipal() principal: Principal): Promise<TenantItem> {
    return toTenantItem(await this.settings.get(principal));
  }

  @Patch('settings')
  @Audited('tenant.configure', 'admin')
  @RateClass('write')
  @Priority('sheddable-plus')
  @ApiOperation({ summary: 'Change settings of your tenant; null gives one back to the installation' })
  @ApiOkResponse({ standardSchema: TenantItem })
  async change(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: ChangeSettings }) body: ChangeSettings,
  ): Promise<TenantItem> {
    return toTenantItem(await this.settings.change(principal, body));
  }
}
