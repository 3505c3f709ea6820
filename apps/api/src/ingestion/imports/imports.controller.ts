import { Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConsumes,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Audited, Unaudited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { clientSignal, Priority, RateClass, ValidationFailed, Watcher } from '#libs/http';
import { currentContext } from '#libs/observability';
import { quotaUnitsOf, readParts } from '../uploads/read-parts.js';
import {
  IMPORT_FORM,
  IMPORT_URLS,
  ImportBody,
  ImportPage,
  ImportUrls,
  ItemPage,
  ListImports,
  ListItems,
} from './import.dto.js';
import { ImportExpected } from './import.errors.js';
import { ImportReceiver } from './import-receiver.js';
import { ImportWatcher } from './import-watcher.js';
import { ImportsService } from './imports.service.js';

const Id = { schema: z.uuid() };

@ApiTags('imports')
@Controller('v1/imports')
@RequirePermission('document.write')
@RateClass('write')
@Unaudited('names of files and what became of them')
@Priority('sheddable-plus')
export class ImportsController {
  constructor(
    private readonly imports: ImportsService,
    private readonly receiver: ImportReceiver,
    private readonly watcher: ImportWatcher,
  ) {}

  @Post()
  @HttpCode(202)
  @Audited('import.create')
  @RateClass('upload', { cost: quotaUnitsOfImport })
  @ApiOperation({
    summary: 'Bring in many files at once: a form of files and ZIP files, or a list of addresses',
    description:
      'In a form the fields come before the files. Each file is accepted or refused by itself, which its item tells; ' +
      'what came before a request was cut off is kept. ZIP files are unpacked, and addresses fetched, in the ' +
      'background: follow it at `Location`, or as events there. A file that needs a password is uploaded by itself.',
  })
  @ApiConsumes('multipart/form-data', 'application/json')
  @ApiBody({ schema: { oneOf: [IMPORT_FORM, IMPORT_URLS] as never } })
  @ApiAcceptedResponse({ standardSchema: ImportBody })
  async create(
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ImportBody> {
    const correlationId = currentContext()?.correlationId;
    const body = request.isMultipart()
      ? await this.receive(principal, request, reply, correlationId)
      : await this.imports.createFromUrls(principal, urlsIn(request.body), correlationId);
    void reply.header('location', `/v1/imports/${body.id}`);
    return body;
  }

  @Get()
  @RequirePermission('document.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'Your imports, newest first; for managers those of the tenant' })
  @ApiOkResponse({ standardSchema: ImportPage })
  list(@CurrentPrincipal() principal: Principal, @Query({ schema: ListImports }) query: ListImports) {
    return this.imports.list(principal, query);
  }

  @Get(':id')
  @RequirePermission('document.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'An import and how far it is' })
  @ApiOkResponse({ standardSchema: ImportBody })
  get(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.imports.get(principal, id);
  }

  @Get(':id/items')
  @RequirePermission('document.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({
    summary: 'What became of each file of an import',
    description: 'In the order in which they came; the files of a ZIP file follow once it is unpacked.',
  })
  @ApiOkResponse({ standardSchema: ItemPage })
  listItems(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: ListItems }) query: ListItems,
  ) {
    return this.imports.listItems(principal, id, query);
  }

  @Get(':id/events')
  @Watcher()
  @RequirePermission('document.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({
    summary: 'An import as it goes on (server-sent events)',
    description:
      'First `import`, the present state; then `item` for each file that comes on, `progress`, and `import` when it ' +
      'is paused, resumed or cancelled; at the end `done`. A client that connects again is given the present state again.',
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

  @Post(':id/pause')
  @HttpCode(200)
  @Audited('import.pause')
  @ApiOperation({ summary: 'Begin nothing more of an import; its documents that wait are held back too' })
  @ApiOkResponse({ standardSchema: ImportBody })
  pause(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.imports.pause(principal, id);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Audited('import.resume')
  @ApiOperation({ summary: 'Go on with an import that was paused' })
  @ApiOkResponse({ standardSchema: ImportBody })
  resume(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.imports.resume(principal, id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Audited('import.cancel')
  @ApiOperation({
    summary: 'Cancel what waits of an import, and those of its documents that are not done',
    description: 'Documents that are ready, and those that you had before, stay.',
  })
  @ApiOkResponse({ standardSchema: ImportBody })
  cancel(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.imports.cancel(principal, id);
  }

  private async receive(
    principal: Principal,
    request: FastifyRequest,
    reply: FastifyReply,
    correlationId: string | undefined,
  ): Promise<ImportBody> {
    const signal = clientSignal(request, reply);
    const { maxItems, maxBytes } = this.receiver;
    // One more file than is allowed, so that it is refused by us and not cut off by the parser.
    const most = { files: maxItems + 1, fields: 40, parts: maxItems + 41, fileSize: maxBytes + 1 };
    const id = await readParts(request, { ...most, units: MOST_UNITS }, (parts) =>
      this.receiver.receive(parts, { principal, correlationId, signal }),
    );
    return this.imports.get(principal, id);
  }
}

function urlsIn(body: unknown): ImportUrls {
  if (body === undefined || body === null) throw new ImportExpected();
  const result = ImportUrls.safeParse(body);
  if (!result.success) throw new ValidationFailed(result.error.issues);
  return result.data;
}

/** Many files at once cost at most what can be had at once. */
function quotaUnitsOfImport(request: FastifyRequest): number {
  return Math.min(quotaUnitsOf(request), MOST_UNITS);
}

const MOST_UNITS = 10;
