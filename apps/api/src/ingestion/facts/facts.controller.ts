import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { auditDetail, Audited, ReadOnly } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { CompareFacts, ComparisonBody, FactsBody } from './facts.dto.js';
import { FactsService } from './facts.service.js';

const Id = { schema: z.uuid() };

@ApiTags('facts')
@Controller('v1')
@RequirePermission('document.read')
@RateClass('read')
@Priority('sheddable')
export class FactsController {
  constructor(private readonly facts: FactsService) {}

  @Get('documents/:id/facts')
  @Audited('document.facts', 'data.read')
  @ApiOperation({
    summary: 'What a document is and says at a glance: its kind, a summary, and the facts of a plan',
    description: 'Every value stands word for word in the document, at the place that is given with it.',
  })
  @ApiOkResponse({ standardSchema: FactsBody })
  get(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string): Promise<FactsBody> {
    auditDetail({ targets: [{ type: 'document', id }] });
    return this.facts.get(principal, id);
  }

  @Post('facts/compare')
  @HttpCode(200)
  @ReadOnly()
  @Audited('document.compare', 'data.read')
  @ApiOperation({ summary: 'Two or more plans side by side, with what is different' })
  @ApiOkResponse({ standardSchema: ComparisonBody })
  compare(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CompareFacts }) { document_ids }: CompareFacts,
  ): Promise<ComparisonBody> {
    auditDetail({ targets: document_ids.map((id) => ({ type: 'document', id })) });
    return this.facts.compare(principal, document_ids);
  }
}
