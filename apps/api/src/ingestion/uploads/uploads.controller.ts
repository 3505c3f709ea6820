import { Controller, Post, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConsumes,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import '@fastify/multipart';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { clientSignal, Priority, RateClass } from '#libs/http';
import { currentContext } from '#libs/observability';
import { DocumentBody, toDocumentBody } from '../documents/document.dto.js';
import { DocumentTooLarge, MultipartExpected } from '../ingestion.errors.js';
import { UploadService } from './upload.service.js';
import { UPLOAD_FORM } from './upload.dto.js';
import { readUploadForm, type UploadPart } from './upload-form.js';

@ApiTags('documents')
@Controller('v1/documents')
@RequirePermission('document.write')
export class UploadsController {
  constructor(private readonly uploads: UploadService) {}

  @Post()
  @Audited('document.upload')
  @RateClass('upload', { cost: quotaUnitsOf })
  @Priority('sheddable-plus')
  @ApiOperation({ summary: 'Upload a document; the same file again is the same document' })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: UPLOAD_FORM })
  @ApiAcceptedResponse({ standardSchema: DocumentBody, description: 'Accepted; it is being processed.' })
  @ApiOkResponse({ standardSchema: DocumentBody, description: 'This file was uploaded before and is ready.' })
  async upload(
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DocumentBody> {
    const signal = clientSignal(request, reply);
    const form = await this.readForm(principal, request, signal);
    const view = await this.uploads.accept(principal, form, currentContext()?.correlationId);
    void reply
      .status(view.document.status === 'ready' ? 200 : 202)
      .header('location', `/v1/documents/${view.document.id}`);
    return toDocumentBody(view);
  }

  private async readForm(principal: Principal, request: FastifyRequest, signal: AbortSignal) {
    if (!request.isMultipart()) throw new MultipartExpected();
    const { maxBytes } = this.uploads;
    if (Number(request.headers['content-length']) > maxBytes + FORM_BYTES)
      throw new DocumentTooLarge(maxBytes);

    // Node closes a socket whose time is up.
    request.raw.socket.setTimeout(IDLE_MS);
    try {
      const parts = request.parts({ limits: { ...LIMITS, fileSize: maxBytes + 1 } });
      return await readUploadForm(parts as AsyncIterable<UploadPart>, (part) =>
        this.uploads.receive(principal, part, signal),
      );
    } catch (error) {
      discardRest(request);
      throw error;
    } finally {
      request.raw.socket.setTimeout(0);
    }
  }
}

/** A large file takes as much of the quota as several small ones. */
function quotaUnitsOf({ headers }: FastifyRequest): number {
  return 1 + Math.floor(Number(headers['content-length'] ?? 0) / BYTES_PER_UNIT);
}

const BYTES_PER_UNIT = 8_388_608;
/** What the form may need beside the file. */
const FORM_BYTES = 1_048_576;
/** One more file than is allowed, so that the second one is refused by us and not cut off by the parser. */
const LIMITS = { files: 2, fields: 60, parts: 64, fieldNameSize: 100, fieldSize: 10_000, headerPairs: 100 };
/** A client that sends nothing for this long has gone. */
const IDLE_MS = 60_000;
const DISCARD_MS = 10_000;

/**
 * Lets a refused client finish its sentence, because closing the connection on unread bytes would also take the
 * answer from it; but not for ever.
 */
function discardRest({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return;
  raw.unpipe();
  raw.resume();
  const timer = setTimeout(() => raw.destroy(), DISCARD_MS).unref();
  raw.once('close', () => clearTimeout(timer));
}
