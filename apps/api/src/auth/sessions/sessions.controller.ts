import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass } from '#libs/http';
import { SessionService } from './session.service.js';
import { ListSessions, SessionCursor, SessionPage, toSessionItem } from './sessions.dto.js';

/** Where somebody is logged in. All at once are ended by `POST /v1/auth/logout` with `everywhere`. */
@ApiTags('account')
@Controller('v1/auth/sessions')
@RequirePermission('account.own')
@RateClass('write')
@Priority('critical-plus')
export class SessionsController {
  constructor(private readonly sessions: SessionService) {}

  @Get()
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Your sessions that live, the newest first' })
  @ApiOkResponse({ standardSchema: SessionPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListSessions }) { cursor, limit }: ListSessions,
  ): Promise<SessionPage> {
    const [beforeId] = cursor ? decodeCursor(cursor, SessionCursor) : [];
    const rows = await this.sessions.list(principal, { beforeId, limit: limit + 1 });
    return page(
      rows,
      limit,
      ({ id }) => [id],
      (session) => toSessionItem(principal, session),
    );
  }

  @Delete(':id')
  @Audited('session.end', 'auth')
  @HttpCode(204)
  @ApiOperation({ summary: 'End one of your sessions' })
  @ApiNoContentResponse()
  async end(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<void> {
    await this.sessions.end(principal, id);
  }
}
