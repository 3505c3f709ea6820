import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { currentContext } from '#libs/observability';
import {
  CreateReindex,
  ListReindexes,
  ListReindexItems,
  ReindexBody,
  ReindexItemPage,
  ReindexPage,
} from './reindex.dto.js';
import { ReindexesService } from './reindexes.service.js';

const Id = { schema: z.uuid() };

@ApiTags('reindexes')
@Controller('v1/reindexes')
@RequirePermission('ingestion.manage')
@RateClass('write')
@Priority('sheddable-plus')
export class ReindexesController {
  constructor(private readonly reindexes: ReindexesService) {}

  @Post()
  @HttpCode(202)
  @Audited('reindex.create')
  @ApiOperation({
    summary: 'Make documents anew in the background: some, a collection, or everything',
    description:
      'What questions find now stays until all of a document is made anew; then the two change places in one moment. ' +
      'Documents under way are waited for, and uploads come first. What fails is found as before. A protected file is ' +
      'left out (`password-needed`) where it would have to be read again: retry its document with the password.',
  })
  @ApiAcceptedResponse({ standardSchema: ReindexBody })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: CreateReindex }) order: CreateReindex,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReindexBody> {
    const body = await this.reindexes.create(principal, order, currentContext()?.correlationId);
    void reply.header('location', `/v1/reindexes/${body.id}`);
    return body;
  }

  @Get()
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Orders to make documents anew, newest first' })
  @ApiOkResponse({ standardSchema: ReindexPage })
  list(@CurrentPrincipal() principal: Principal, @Query({ schema: ListReindexes }) query: ListReindexes) {
    return this.reindexes.list(principal, query);
  }

  @Get(':id')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'An order and how far it is' })
  @ApiOkResponse({ standardSchema: ReindexBody })
  get(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.reindexes.get(principal, id);
  }

  @Get(':id/items')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'What became of each document of an order' })
  @ApiOkResponse({ standardSchema: ReindexItemPage })
  listItems(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: ListReindexItems }) query: ListReindexItems,
  ) {
    return this.reindexes.listItems(principal, id, query);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Audited('reindex.cancel')
  @ApiOperation({
    summary: 'Begin no more documents of an order, and cancel those under way',
    description:
      'Questions go on finding what they find now, and the documents are `ready` as before. What was switched stays; ' +
      'see rollback.',
  })
  @ApiOkResponse({ standardSchema: ReindexBody })
  cancel(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.reindexes.cancel(principal, id);
  }

  @Post(':id/rollback')
  @HttpCode(202)
  @Audited('reindex.rollback')
  @ApiOperation({
    summary: 'Switch the documents of an order back to what questions found before',
    description:
      'In the background, each in one moment. The items say which went back, and why one did not: it was made anew ' +
      'once more, is being processed, or what it was before is not kept any more.',
  })
  @ApiAcceptedResponse({ standardSchema: ReindexBody })
  rollBack(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.reindexes.rollBack(principal, id);
  }
}
