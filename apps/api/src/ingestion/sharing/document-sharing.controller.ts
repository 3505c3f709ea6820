import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited, Unaudited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { DocumentSharingService } from './document-sharing.service.js';
import { DocumentSharingBody, ShareDocument, toDocumentSharingBody } from './sharing.dto.js';

const Id = { schema: z.uuid() };

@ApiTags('documents')
@Controller('v1/documents/:id/sharing')
export class DocumentSharingController {
  constructor(private readonly sharing: DocumentSharingService) {}

  @Get()
  @Unaudited('with whom a document is shared; every change of that is recorded')
  @RequirePermission('document.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({
    summary: 'Who may read a document besides its owner: told to him, and to who may share it',
  })
  @ApiOkResponse({ standardSchema: DocumentSharingBody })
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
  ): Promise<DocumentSharingBody> {
    return toDocumentSharingBody(await this.sharing.get(principal, id));
  }

  @Put()
  @RequirePermission('document.write')
  @Audited('document.share')
  @RateClass('write')
  @Priority('sheddable-plus')
  @ApiOperation({
    summary: 'Say who may read a document besides its owner',
    description:
      'For its owner, and for those with the permission document.share who may see it. The visibility tenant needs ' +
      'that permission in any case. A grant lets people find, ask, read and download it, and nothing else. What came ' +
      'inside the document is shared with it. It holds from the answer on, for answers that were kept, too.',
  })
  @ApiOkResponse({ standardSchema: DocumentSharingBody })
  async set(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Body({ schema: ShareDocument }) body: ShareDocument,
  ): Promise<DocumentSharingBody> {
    return toDocumentSharingBody(await this.sharing.set(principal, id, body));
  }
}
