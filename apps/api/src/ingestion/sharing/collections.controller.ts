import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Audited, Unaudited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass } from '#libs/http';
import { CollectionsService } from './collections.service.js';
import {
  CollectionCursor,
  CollectionName,
  CollectionPage,
  CollectionSharingBody,
  ListCollections,
  ShareCollection,
  toCollectionItem,
  toCollectionSharingBody,
} from './sharing.dto.js';

const Name = { schema: CollectionName };

@ApiTags('collections')
@Controller('v1/collections')
@RequirePermission('document.share')
@RateClass('read')
@Unaudited('names of collections and with whom they are shared; every change of that is recorded')
@Priority('sheddable')
export class CollectionsController {
  constructor(private readonly collections: CollectionsService) {}

  @Get()
  @RequirePermission('document.read')
  @ApiOperation({ summary: 'The collections in which you see documents, by name' })
  @ApiOkResponse({ standardSchema: CollectionPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListCollections }) { cursor, limit }: ListCollections,
  ): Promise<CollectionPage> {
    const [afterName] = cursor ? decodeCursor(cursor, CollectionCursor) : [];
    const rows = await this.collections.list(principal, { afterName, limit: limit + 1 });
    return page(rows, limit, ({ name }) => [name], toCollectionItem);
  }

  @Get(':name/sharing')
  @ApiOperation({ summary: 'Who may read the documents that are shared as their collection is' })
  @ApiOkResponse({ standardSchema: CollectionSharingBody })
  async getSharing(
    @CurrentPrincipal() principal: Principal,
    @Param('name', Name) name: string,
  ): Promise<CollectionSharingBody> {
    return toCollectionSharingBody(await this.collections.getSharing(principal, name));
  }

  @Put(':name/sharing')
  @Audited('collection.share')
  @RateClass('write')
  @Priority('sheddable-plus')
  @ApiOperation({
    summary: 'Share a collection: its documents of now and of later',
    description:
      'Documents that come into it from now on are shared as it is, unless their upload says something else. Of those ' +
      'in it, your own private ones are shared with it when it is first shared; private documents of others stay ' +
      'private until their owners give them the visibility collection.',
  })
  @ApiOkResponse({ standardSchema: CollectionSharingBody })
  async setSharing(
    @CurrentPrincipal() principal: Principal,
    @Param('name', Name) name: string,
    @Body({ schema: ShareCollection }) body: ShareCollection,
  ): Promise<CollectionSharingBody> {
    return toCollectionSharingBody(await this.collections.setSharing(principal, name, body));
  }
}
