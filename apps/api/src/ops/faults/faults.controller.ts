import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { auditDetail, Audited, AuditLog } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Faults } from '#libs/faults';
import { Priority, RateClass } from '#libs/http';
import {
  CreateFault,
  FaultBody,
  FaultsBody,
  toFaultBody,
  toFaultsBody,
  toNewFaultRule,
} from './faults.dto.js';
import { FaultNotFound, FaultsDisabled } from './faults.errors.js';

/**
 * Faults on purpose, to see that the product goes on. They are in the memory of the process that answers and nowhere
 * else, so the record of setting one comes first and may wait on the disk.
 */
@ApiTags('operations')
@Controller('v1/admin/faults')
@RequirePermission('system.operate')
@Priority('critical-plus')
@RateClass('write')
export class FaultsController {
  constructor(
    private readonly faults: Faults,
    private readonly audit: AuditLog,
  ) {}

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'The faults that are injected in this process' })
  @ApiOkResponse({ standardSchema: FaultsBody })
  @ApiConflictResponse({ description: 'Faults were not enabled at start.' })
  list(): FaultsBody {
    this.assertEnabled();
    return toFaultsBody(this.faults);
  }

  @Post()
  @Audited('fault.create', 'admin')
  @ApiOperation({
    summary: 'Inject a fault into a dependency, in this process and for a time',
    description: 'Answers of requests that it hit name it in `X-Fault`.',
  })
  @ApiCreatedResponse({ standardSchema: FaultBody })
  @ApiConflictResponse({ description: 'Faults were not enabled at start.' })
  async create(
    @CurrentPrincipal() { userId }: Principal,
    @Body({ schema: CreateFault }) body: CreateFault,
  ): Promise<FaultBody> {
    this.assertEnabled();
    const { dependency, kind, rate, ttl_seconds, tenant_id, reason } = body;
    auditDetail({
      targets: [{ type: 'policy', id: dependency }],
      detail: { kind, rate, ttl_seconds, tenant_id, reason },
    });
    await this.audit.recordFirst();
    return toFaultBody(this.faults.add(toNewFaultRule(body, userId)));
  }

  @Delete(':id')
  @HttpCode(204)
  @Audited('fault.delete', 'admin')
  @ApiOperation({ summary: 'End a fault' })
  @ApiNoContentResponse()
  async delete(@Param('id', { schema: z.uuid() }) id: string): Promise<void> {
    this.assertEnabled();
    if (!this.faults.list().some((rule) => rule.id === id)) throw new FaultNotFound();
    auditDetail({ targets: [{ type: 'fault', id }] });
    await this.audit.recordFirst();
    this.faults.remove(id);
  }

  @Delete()
  @HttpCode(204)
  @Audited('fault.clear', 'admin')
  @ApiOperation({ summary: 'End all faults of this process' })
  @ApiNoContentResponse()
  async clear(): Promise<void> {
    this.assertEnabled();
    auditDetail({ targets: this.faults.list().map(({ id }) => ({ type: 'fault', id })) });
    await this.audit.recordFirst();
    this.faults.clear();
  }

  private assertEnabled(): void {
    if (!this.faults.enabled) throw new FaultsDisabled();
  }
}
