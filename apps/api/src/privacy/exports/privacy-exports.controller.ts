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
  Req,
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
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass, sendDownload } from '#libs/http';
import { Reauthentication } from '../../auth/index.js';
import { NobodyNamed } from '../privacy.errors.js';
import {
  CopyCursor,
  CopyItem,
  copyOf,
  CopyPage,
  ListCopies,
  RequestCopy,
  toCopyItem,
} from './privacy-exports.dto.js';
import { PrivacyExports } from './privacy-exports.js';

const Id = { schema: z.uuid() };

@ApiTags('privacy')
@Controller('v1/privacy/exports')
@RequirePermission('privacy.own')
@RateClass('write')
@Priority('sheddable-plus')
export class PrivacyExportsController {
  constructor(
    private readonly exports: PrivacyExports,
    private readonly reauthentication: Reauthentication,
  ) {}

  @Post()
  @Audited('privacy.export', 'security')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Ask for a copy of your data, or as an administrator of somebody’s or of all of the tenant',
    description:
      'A ZIP archive with one NDJSON file for each kind of data and the documents as they were uploaded.',
  })
  @ApiAcceptedResponse({ standardSchema: CopyItem })
  async request(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: RequestCopy }) body: RequestCopy,
    @Req() request: FastifyRequest,
  ): Promise<CopyItem> {
    const of = copyOf(body, principal.userId);
    if (!of) throw new NobodyNamed();
    await this.reauthentication.requireRecent(principal, body.password, request.ip);
    return toCopyItem(await this.exports.request(principal, of));
  }

  @Get()
  @Audited('privacy.export.list', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Copies that you asked for, or as an administrator those of your tenant' })
  @ApiOkResponse({ standardSchema: CopyPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListCopies }) { cursor, limit }: ListCopies,
  ): Promise<CopyPage> {
    const [before] = cursor ? decodeCursor(cursor, CopyCursor) : [];
    const rows = await this.exports.list(principal, { before, limit: limit + 1 });
    return page(rows, limit, ({ id }) => [id], toCopyItem);
  }

  @Get(':id')
  @Audited('privacy.export.read', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'How far a copy is, and its signed manifest' })
  @ApiOkResponse({ standardSchema: CopyItem })
  async get(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string): Promise<CopyItem> {
    return toCopyItem(await this.exports.get(principal, id));
  }

  @Get(':id/content')
  @Audited('privacy.export.download', 'security')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({
    summary: 'The copy itself, for seven days',
    description: 'With `Range: bytes=…` a part of it (206), so that a download that broke off can go on.',
  })
  @ApiHeader({ name: 'range', required: false, example: 'bytes=0-1023' })
  @ApiProduces('application/zip')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  async content(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Headers() { range, 'if-range': ifRange }: Record<string, string | undefined>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const { job, file } = await this.exports.open(principal, id, { range, ifRange });
    return sendDownload(reply, file, { type: job.mediaType, filename: job.fileName });
  }

  @Delete(':id')
  @Audited('privacy.export.cancel', 'data.write')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a copy, or do not make it' })
  @ApiNoContentResponse()
  async cancel(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string): Promise<void> {
    await this.exports.cancel(principal, id);
  }
}
