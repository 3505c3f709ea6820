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
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { clientSignal, Priority, RateClass } from '#libs/http';
import { currentContext } from '#libs/observability';
import { DocumentBody, toDocumentBody } from '../documents/document.dto.js';
import { DocumentTooLarge } from '../ingestion.errors.js';
import { UploadService } from './upload.service.js';
import { UPLOAD_FORM } from './upload.dto.js';
import { quotaUnitsOf, readParts } from './read-parts.js';
import { readUploadForm } from './upload-form.js';

@ApiTags('documents')
@Controller('v1/documents')
@RequirePermission('document.write')
export class UploadsController {
  constructor(private readonly uploads: UploadService) {}

  @Post()
  @Audited('document.upload')
  @RateClass('upload', { cost: quotaUnitsOf })
  @Priority('sheddable-plus')
  @ApiOperation({
    summary: 'Upload a document; the same file again is the same document',
    description:
      'It is processed in the background: follow it at `Location`, or as events there. Several files, ZIP files and ' +
      'addresses are brought in with `POST /v1/imports`.',
  })
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
    const { maxBytes } = this.uploads;
    if (Number(request.headers['content-length']) > maxBytes + FORM_BYTES)
      throw new DocumentTooLarge(maxBytes);
    return readParts(request, { ...LIMITS, fileSize: maxBytes + 1 }, (parts) =>
      readUploadForm(parts, (part) => this.uploads.receive(principal, part, signal)),
    );
  }
}

/** What the form may need beside the file. */
const FORM_BYTES = 1_048_576;
/** One more file than is allowed, so that the second one is refused by us and not cut off by the parser. */
const LIMITS = { files: 2, fields: 60, parts: 64 };
