import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  type StreamableFile,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { page, Priority, RateClass, sendDownload } from '#libs/http';
import {
  AuditExportItem,
  AuditExportPage,
  beforeOf,
  ListAuditExports,
  OfScope,
  RequestAuditExport,
  toAuditExportItem,
  toExportRequest,
} from './audit-exports.dto.js';
import { AuditExportsService } from './audit-exports.service.js';

const Id = { schema: z.uuid() };

/** Copies of the log, as files. Asking for one and downloading it are recorded in the log that is copied. */
@ApiTags('audit')
@Controller('v1/audit/exports')
@RequirePermission('audit.export')
@Priority('critical')
export class AuditExportsController {
  constructor(private readonly exports: AuditExportsService) {}

  @Post()
  @HttpCode(202)
  @RateClass('write')
  @Audited('audit.export', 'security')
  @ApiOperation({
    summary: 'Have the audit log written into a file',
    description: 'What has been committed by now, the oldest event first. The file is kept for a week.',
  })
  @ApiAcceptedResponse({ standardSchema: AuditExportItem })
  async request(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: RequestAuditExport }) body: RequestAuditExport,
  ): Promise<AuditExportItem> {
    return toAuditExportItem(await this.exports.request(principal, body.scope, toExportRequest(body)));
  }

  @Get()
  @RateClass('read')
  @Audited('audit.export.list', 'security')
  @ApiOperation({ summary: 'Exports of the audit log, the newest first' })
  @ApiOkResponse({ standardSchema: AuditExportPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListAuditExports }) query: ListAuditExports,
  ): Promise<AuditExportPage> {
    const jobs = await this.exports.list(principal, query.scope, {
      before: beforeOf(query),
      limit: query.limit + 1,
    });
    return page(jobs, query.limit, ({ id }) => [id], toAuditExportItem);
  }

  @Get(':id')
  @RateClass('read')
  @Audited('audit.export.read', 'security')
  @ApiOperation({ summary: 'How far an export is; its digest and its signed manifest when it is ready' })
  @ApiOkResponse({ standardSchema: AuditExportItem })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: OfScope }) { scope }: OfScope,
  ): Promise<AuditExportItem> {
    return toAuditExportItem(await this.exports.get(principal, scope, id));
  }

  @Get(':id/content')
  @RateClass('read')
  @Audited('audit.export.download', 'security')
  @ApiOperation({
    summary: 'The file of an export that is ready',
    description: 'With `Range: bytes=…` a part of it (206), so that a download that broke off can go on.',
  })
  @ApiHeader({ name: 'range', required: false, example: 'bytes=0-1023' })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  async content(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: OfScope }) { scope }: OfScope,
    @Headers() { range, 'if-range': ifRange }: Record<string, string | undefined>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const { job, file } = await this.exports.open(principal, scope, id, { range, ifRange });
    // Not `content-encoding`: the digest is that of the compressed file, and so the file is to stay.
    const type = job.gzip ? 'application/gzip' : job.mediaType;
    return sendDownload(reply, file, { type, filename: job.fileName });
  }

  @Delete(':id')
  @HttpCode(204)
  @RateClass('write')
  @Audited('audit.export.cancel', 'security')
  @ApiOperation({ summary: 'End an export, or remove its file' })
  @ApiNoContentResponse()
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: OfScope }) { scope }: OfScope,
  ): Promise<void> {
    await this.exports.cancel(principal, scope, id);
  }
}
