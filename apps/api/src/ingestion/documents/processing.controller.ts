import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass } from '#libs/http';
import { currentContext } from '#libs/observability';
import { DocumentBody, toDocumentBody } from './document.dto.js';
import { PrioritizeDocument, RetryDocument, ReviewDocument } from './processing.dto.js';
import { ProcessingService } from './processing.service.js';

const Id = { schema: z.uuid() };

/** For the owner of a document, and for managers when it is shared. */
@ApiTags('documents')
@Controller('v1/documents')
@RequirePermission('document.write')
@RateClass('write')
@Priority('sheddable-plus')
export class ProcessingController {
  constructor(private readonly processing: ProcessingService) {}

  @Post(':id/retry')
  @HttpCode(202)
  @Audited('document.retry')
  @ApiOperation({
    summary: 'Process a document again, from where it failed or from a stage on',
    description:
      'With `from_stage` also a document that is ready or waits for a review. What questions find now stays until ' +
      'all of the new is there; then they change places in one moment. Earlier stages are done again where what ' +
      'they left is gone; from `embed` on, the passages stay as they are. The password of a protected file is not ' +
      'kept: it is given again where the file is to be read (`password-needed`).',
  })
  @ApiAcceptedResponse({ standardSchema: DocumentBody })
  async retry(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Body({ schema: RetryDocument }) body: RetryDocument,
  ) {
    const view = await this.processing.retry(
      principal,
      id,
      { fromStage: body?.from_stage, password: body?.password },
      currentContext()?.correlationId,
    );
    return toDocumentBody(view);
  }

  @Post(':id/review')
  @HttpCode(202)
  @Audited('document.review')
  @ApiOperation({ summary: 'Decide about a document that a quality gate stopped' })
  @ApiAcceptedResponse({ standardSchema: DocumentBody })
  async review(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Body({ schema: ReviewDocument }) body: ReviewDocument,
  ) {
    return toDocumentBody(await this.processing.review(principal, id, body, currentContext()?.correlationId));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Audited('document.cancel')
  @ApiOperation({
    summary: 'Stop the processing of a document and remove what was half made of it',
    description:
      'What questions find of it stays. A document that was being made anew is `ready` again, as it was; any other ' +
      'is `cancelled`, and can be tried again.',
  })
  @ApiOkResponse({ standardSchema: DocumentBody })
  async cancel(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return toDocumentBody(await this.processing.cancel(principal, id));
  }

  @Post(':id/rollback')
  @HttpCode(200)
  @Audited('document.rollback')
  @ApiOperation({
    summary: 'Switch a document back to what questions found before it was made anew',
    description:
      'Passages, vectors, assessment and facts change in one moment. The two change places, so a second rollback ' +
      'undoes the first. Possible until `rollback_until`.',
  })
  @ApiOkResponse({ standardSchema: DocumentBody })
  async rollBack(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return toDocumentBody(await this.processing.rollBack(principal, id));
  }

  @Post(':id/priority')
  @HttpCode(200)
  @Audited('document.prioritize')
  @ApiOperation({
    summary: 'Process a document earlier or later than the others of the tenant',
    description: 'With it go the files that came inside it, such as attachments of a mail.',
  })
  @ApiOkResponse({ standardSchema: DocumentBody })
  async prioritize(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Body({ schema: PrioritizeDocument }) { priority }: PrioritizeDocument,
  ) {
    return toDocumentBody(await this.processing.prioritize(principal, id, priority));
  }
}
