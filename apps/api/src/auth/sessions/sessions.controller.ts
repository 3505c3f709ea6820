import { Controller, Delete, Get, HttpCode, Param, Query, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass } from '#libs/http';
import { Reauthentication } from '../accounts/reauthentication.js';
import { SessionService } from './session.service.js';
import { ListSessions, SessionCursor, SessionPage, toSessionItem } from './sessions.dto.js';

/** Where somebody is logged in. All at once are ended by `POST /v1/auth/logout` with `everywhere`. */
@ApiTags('account')
@Controller('v1/auth/sessions')
@RequirePermission('account.own')
@RateClass('write')
@Priority('critical-plus')
export class SessionsController {
  constructor(
    private readonly sessions: SessionService,
    private readonly reauthentication: Reauthentication,
  ) {}

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
  @ApiOperation({
    summary: 'End one of your sessions',
    description:
      'Another one than this takes a session that began in the last 15 minutes: log in again first.',
  })
  @ApiNoContentResponse()
  async end(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    // Or a thief of this one could keep its owner out of all others.
    if (id !== principal.credentialId)
      await this.reauthentication.requireRecent(principal, undefined, request.ip);
    await this.sessions.end(principal, id);
  }
}
