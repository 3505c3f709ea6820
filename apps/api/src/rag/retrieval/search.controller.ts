import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { auditDetail, Audited, ReadOnly } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { ClientSignal, Priority, RateClass } from '#libs/http';
import { Retriever } from './retriever.js';
import { Search, SearchBody, toSearchBody } from './search.dto.js';

@ApiTags('search')
@Controller('v1/search')
@RequirePermission('question.ask')
export class SearchController {
  constructor(private readonly retriever: Retriever) {}

  // A POST, because a query may hold what should not stand in the address of a request.
  @Post()
  @HttpCode(200)
  @ReadOnly()
  @Audited('search.run', 'data.read')
  @RateClass('search')
  @Priority('critical')
  @ApiOperation({ summary: 'The passages of your documents that fit a query best, by words and by meaning' })
  @ApiOkResponse({ standardSchema: SearchBody })
  async search(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: Search }) body: Search,
    @ClientSignal() signal: AbortSignal,
  ): Promise<SearchBody> {
    const { query, document_ids: documentIds, collection, tags, limit } = body;
    const request = { reader: principal, query, documentIds, collection, tags, limit };
    const found = await this.retriever.retrieve(request, signal);
    auditDetail({
      targets: found.hits.map(({ id }) => ({ type: 'passage', id })),
      detail: { mode: found.mode },
    });
    return toSearchBody(found);
  }
}
