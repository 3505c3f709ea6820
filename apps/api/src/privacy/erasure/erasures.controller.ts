import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass } from '#libs/http';
import { Reauthentication } from '../../auth/index.js';
import {
  ErasureCursor,
  ErasureItem,
  ErasurePage,
  ListErasures,
  RequestErasure,
  toErasureItem,
} from './erasure.dto.js';
import { ErasuresService } from './erasures.service.js';

@ApiTags('privacy')
@Controller('v1/privacy/erasures')
@RequirePermission('privacy.manage')
@RateClass('write')
@Priority('critical-plus')
export class ErasuresController {
  constructor(
    private readonly erasures: ErasuresService,
    private readonly reauthentication: Reauthentication,
  ) {}

  @Post()
  @Audited('privacy.erase', 'admin')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Forget somebody of your tenant: now nobody sees him, then all that is his goes for good',
  })
  @ApiAcceptedResponse({ standardSchema: ErasureItem })
  async request(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: RequestErasure }) body: RequestErasure,
    @Req() request: FastifyRequest,
  ): Promise<ErasureItem> {
    await this.reauthentication.requireRecent(principal, body.password, request.ip);
    const {
      user_id: userId,
      shared_documents: sharedDocuments,
      heir_id: heirId,
      grace_days: graceDays,
    } = body;
    return toErasureItem(
      await this.erasures.request(principal, { userId, sharedDocuments, heirId, graceDays }),
    );
  }

  @Get()
  @Audited('privacy.erasure.list', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Erasures of your tenant, the newest first' })
  @ApiOkResponse({ standardSchema: ErasurePage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListErasures }) { cursor, limit }: ListErasures,
  ): Promise<ErasurePage> {
    const [before] = cursor ? decodeCursor(cursor, ErasureCursor) : [];
    const rows = await this.erasures.list(principal, { before, limit: limit + 1 });
    return page(rows, limit, ({ id }) => [id], toErasureItem);
  }

  @Get(':id')
  @Audited('privacy.erasure.read', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'How far an erasure is, or its receipt' })
  @ApiOkResponse({ standardSchema: ErasureItem })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<ErasureItem> {
    return toErasureItem(await this.erasures.get(principal, id));
  }

  @Post(':id/cancel')
  @Audited('privacy.erasure.cancel', 'admin')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Take an erasure back that has not begun: he can log in again and his documents are back',
  })
  @ApiOkResponse({ standardSchema: ErasureItem })
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<ErasureItem> {
    return toErasureItem(await this.erasures.cancel(principal, id));
  }
}
