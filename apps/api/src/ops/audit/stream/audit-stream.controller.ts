import { Controller, Get, Headers, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { auditDetail, Audited } from '#libs/audit';
import {
  bearerOf,
  CredentialVerifier,
  CurrentPrincipal,
  type Principal,
  RequirePermission,
} from '#libs/auth';
import { Priority, RateClass, Watcher } from '#libs/http';
import { toAuditFilter } from '../audit-events.dto.js';
import { positionOf, StreamAudit } from './audit-stream.dto.js';
import { AuditTail } from './audit-tail.js';

@ApiTags('audit')
@Controller('v1/audit/stream')
@RateClass('read')
@Priority('critical')
export class AuditStreamController {
  constructor(
    private readonly tail: AuditTail,
    private readonly verifier: CredentialVerifier,
  ) {}

  @Get()
  @Watcher()
  @RequirePermission('audit.read')
  @Audited('audit.stream', 'security')
  @ApiOperation({
    summary: 'What comes into the log, as it does (server-sent events)',
    description:
      'Events `audit`, each with its place in the tree as id, about a second after it happened and in the order of the ' +
      'places, which has no gaps; `position` tells how far the log was looked through when nothing in it matched. A ' +
      'client that connects again with `Last-Event-ID` misses nothing. It ends with `error` when the credential does.',
  })
  @ApiHeader({ name: 'last-event-id', required: false })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  async stream(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: StreamAudit }) query: StreamAudit,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    auditDetail({ detail: { scope: query.scope } });
    const { ip, headers } = request;
    const tail = {
      scope: query.scope,
      filter: toAuditFilter(query),
      after: positionOf(query, lastEventId),
      verify: () => this.verifier.verify(bearerOf(headers.authorization), ip),
    };
    await this.tail.follow(principal, tail, reply);
  }
}
