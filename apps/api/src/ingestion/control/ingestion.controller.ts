import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Audited, Unaudited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { currentContext } from '#libs/observability';
import {
  DeadLetterPage,
  IngestionBody,
  ListDeadLetters,
  PauseIngestion,
  RetriedBody,
  RetryDeadLetters,
} from './control.dto.js';
import { ControlService } from './control.service.js';

/** The processing of the tenant's documents as a whole. */
@ApiTags('ingestion')
@Controller('v1/ingestion')
@RequirePermission('ingestion.manage')
@RateClass('write')
@Priority('sheddable-plus')
export class IngestionController {
  constructor(private readonly control: ControlService) {}

  @Get()
  @Unaudited('how many documents there are, by state')
  @RequirePermission('document.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'How the processing of your documents stands' })
  @ApiOkResponse({ standardSchema: IngestionBody })
  overview(@CurrentPrincipal() principal: Principal) {
    return this.control.overview(principal);
  }

  @Post('pause')
  @HttpCode(200)
  @Audited('ingestion.pause')
  @ApiOperation({ summary: 'Take up no more documents of the tenant; those under way are finished' })
  @ApiOkResponse({ standardSchema: IngestionBody })
  pause(@CurrentPrincipal() principal: Principal, @Body({ schema: PauseIngestion }) body: PauseIngestion) {
    return this.control.pause(principal, body?.reason);
  }

  @Post('resume')
  @HttpCode(200)
  @Audited('ingestion.resume')
  @ApiOperation({ summary: 'Take up documents of the tenant again' })
  @ApiOkResponse({ standardSchema: IngestionBody })
  resume(@CurrentPrincipal() principal: Principal) {
    return this.control.resume(principal);
  }

  @Get('dead-letters')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Documents of the tenant whose processing failed, the last one first' })
  @ApiOkResponse({ standardSchema: DeadLetterPage })
  listDeadLetters(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListDeadLetters }) query: ListDeadLetters,
  ) {
    return this.control.listDeadLetters(principal, query);
  }

  @Post('dead-letters/retry')
  @HttpCode(200)
  @Audited('ingestion.retry-dead-letters')
  @ApiOperation({
    summary: 'Process failed documents again, each from where it failed',
    description: 'By ids or by what they have in common, up to `limit` in one call.',
  })
  @ApiOkResponse({ standardSchema: RetriedBody })
  retryDeadLetters(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: RetryDeadLetters }) body: RetryDeadLetters,
  ) {
    return this.control.retryDeadLetters(principal, body, currentContext()?.correlationId);
  }
}
