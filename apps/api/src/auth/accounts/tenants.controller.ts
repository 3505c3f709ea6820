import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { cursorQuery, decodeCursor, page, pageOf, Priority, RateClass } from '#libs/http';
import { QuotaFactor, TenantDirectory, TenantItem, TenantName, toTenantItem } from '../../tenants/index.js';
import { InvitationsService } from '../invitations/invitations.service.js';
import { VerifiedCredentials } from '../verified-credentials.js';

const CreateTenant = z.strictObject({
  name: TenantName,
  admin_email: z.email().max(254).describe('Who is invited as the first administrator.'),
});
type CreateTenant = z.infer<typeof CreateTenant>;
const SetQuotas = z.strictObject({ factor: QuotaFactor.nullable() });
type SetQuotas = z.infer<typeof SetQuotas>;
const ListTenants = z.strictObject(cursorQuery);
type ListTenants = z.infer<typeof ListTenants>;
const TenantCursor = z.tuple([TenantName]);
const TenantPage = pageOf(TenantItem);
type TenantPage = z.infer<typeof TenantPage>;

@ApiTags('tenants')
@Controller('v1/tenants')
@RequirePermission('tenant.manage')
@RateClass('write')
@Priority('critical-plus')
export class TenantsController {
  constructor(
    private readonly tenants: TenantDirectory,
    private readonly invitations: InvitationsService,
    private readonly verified: VerifiedCredentials,
  ) {}

  @Post()
  @Audited('tenant.create', 'admin')
  @ApiOperation({ summary: 'Make a tenant and invite its first administrator' })
  @ApiCreatedResponse({ standardSchema: TenantItem })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateTenant }) { name, admin_email }: CreateTenant,
  ): Promise<TenantItem> {
    return toTenantItem(
      await this.tenants.create(principal, name, (tx, tenant) =>
        this.invitations.inviteFirst(tx, tenant, admin_email),
      ),
    );
  }

  @Get()
  @Audited('tenant.list', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'All tenants, by name' })
  @ApiOkResponse({ standardSchema: TenantPage })
  async list(@Query({ schema: ListTenants }) { cursor, limit }: ListTenants): Promise<TenantPage> {
    const [afterName] = cursor ? decodeCursor(cursor, TenantCursor) : [];
    const rows = await this.tenants.list({ afterName, limit: limit + 1 });
    return page(rows, limit, ({ name }) => [name], toTenantItem);
  }

  @Get(':id')
  @Audited('tenant.read', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'One tenant' })
  @ApiOkResponse({ standardSchema: TenantItem })
  async get(@Param('id', { schema: z.uuid() }) id: string): Promise<TenantItem> {
    return toTenantItem(await this.tenants.get(id));
  }

  @Post(':id/suspend')
  @Audited('tenant.suspend', 'admin')
  @HttpCode(200)
  @ApiOperation({ summary: 'Refuse all credentials of a tenant and let its documents wait' })
  @ApiOkResponse({ standardSchema: TenantItem })
  async suspend(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<TenantItem> {
    return toTenantItem(await this.set(principal, id, true));
  }

  @Post(':id/resume')
  @Audited('tenant.resume', 'admin')
  @HttpCode(200)
  @ApiOperation({ summary: 'Let a suspended tenant in again' })
  @ApiOkResponse({ standardSchema: TenantItem })
  async resume(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<TenantItem> {
    return toTenantItem(await this.set(principal, id, false));
  }

  @Put(':id/quotas')
  @Audited('tenant.quotas', 'admin')
  @ApiOperation({ summary: 'How many times the quotas of the installation a tenant has; null: once' })
  @ApiOkResponse({ standardSchema: TenantItem })
  async setQuotas(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: SetQuotas }) { factor }: SetQuotas,
  ): Promise<TenantItem> {
    const tenant = await this.tenants.setQuotaFactor(principal, id, factor);
    this.verified.forget((known) => known.tenantId === id);
    return toTenantItem(tenant);
  }

  private async set(principal: Principal, id: string, suspended: boolean) {
    const tenant = await this.tenants.setSuspended(principal, id, suspended);
    this.verified.forget((known) => known.tenantId === id);
    return tenant;
  }
}
