import {
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Query,
  Res,
  type StreamableFile,
} from '@nestjs/common';
import {
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { auditDetail, Audited, Unaudited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass, sendDownload, Watcher } from '#libs/http';
import {
  DocumentBody,
  DocumentPage,
  ListDocuments,
  ListPassages,
  PassageBody,
  PassagePage,
  toDocumentBody,
} from './document.dto.js';
import { DocumentWatcher } from './document-watcher.js';
import { DocumentsService } from './documents.service.js';

const Id = { schema: z.uuid() };

@ApiTags('documents')
@Controller('v1/documents')
@RequirePermission('document.read')
@RateClass('read')
@Priority('sheddable')
export class DocumentsController {
  constructor(
    private readonly documents: DocumentsService,
    private readonly watcher: DocumentWatcher,
  ) {}

  @Get()
  @Unaudited('names of documents and how far their processing is')
  @ApiOperation({ summary: 'The documents that you may see, newest first' })
  @ApiOkResponse({ standardSchema: DocumentPage })
  list(@CurrentPrincipal() principal: Principal, @Query({ schema: ListDocuments }) query: ListDocuments) {
    return this.documents.list(principal, query);
  }

  @Get(':id')
  @Unaudited('how far the processing of a document is')
  @ApiOperation({ summary: 'A document and how far its processing is' })
  @ApiOkResponse({ standardSchema: DocumentBody })
  async get(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return toDocumentBody(await this.documents.get(principal, id));
  }

  @Get(':id/events')
  @Unaudited('how far the processing of a document is')
  @Watcher()
  @ApiOperation({
    summary: 'The processing as it goes on (server-sent events)',
    description:
      'First the present state, then what changes: `stage`, `progress` and `status`. The last event is `done`, ' +
      '`error` when it failed, or the `status` in which it rests: `needs_review` or `cancelled`. A client that ' +
      'connects again is given the present state again.',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  async watch(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.watcher.watch(principal, id, reply);
  }

  @Get(':id/content')
  @Audited('document.download', 'data.read')
  @ApiOperation({
    summary: 'The file as it was uploaded',
    description:
      'With `Range: bytes=…` a part of it (206), so that a player can go to any place of a recording.',
  })
  @ApiHeader({ name: 'range', required: false, example: 'bytes=0-1023' })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  async content(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Headers() { range, 'if-range': ifRange }: Record<string, string | undefined>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    auditDetail({ targets: [{ type: 'document', id }] });
    const { document, file } = await this.documents.openContent(principal, id, { range, ifRange });
    return sendDownload(reply, file, { type: document.mediaType, filename: document.filename });
  }

  @Get(':id/passages')
  @Audited('document.passages', 'data.read')
  @ApiOperation({ summary: 'The passages that the document was cut into, in reading order' })
  @ApiOkResponse({ standardSchema: PassagePage })
  listPassages(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: ListPassages }) query: ListPassages,
  ) {
    auditDetail({ targets: [{ type: 'document', id }] });
    return this.documents.listPassages(principal, id, query);
  }

  @Get(':id/passages/:passage_id')
  @Audited('document.passage', 'data.read')
  @ApiOperation({ summary: 'One passage, to check a quote against' })
  @ApiOkResponse({ standardSchema: PassageBody })
  getPassage(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Param('passage_id', Id) passageId: string,
  ) {
    auditDetail({
      targets: [
        { type: 'document', id },
        { type: 'passage', id: passageId },
      ],
    });
    return this.documents.getPassage(principal, id, passageId);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequirePermission('document.write')
  @Audited('document.delete')
  @RateClass('write')
  @Priority('sheddable-plus')
  @ApiOperation({ summary: 'Delete a document with its passages, its index and its file' })
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string): Promise<void> {
    await this.documents.delete(principal, id);
  }
}
