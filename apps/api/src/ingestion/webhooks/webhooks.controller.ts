import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { Priority, RateClass, SecretResponse } from '#libs/http';
import {
  ChangeWebhook,
  CreateWebhook,
  DeliveryBody,
  DeliveryPage,
  ListDeliveries,
  WebhookBody,
  WebhookList,
  WebhookWithSecret,
} from './webhook.dto.js';
import { WebhooksService } from './webhooks.service.js';

const Id = { schema: z.uuid() };

/** Where the tenant's own programs are told how its documents end. */
@ApiTags('webhooks')
@Controller('v1/webhooks')
@RequirePermission('ingestion.manage')
@RateClass('write')
@Priority('sheddable-plus')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'The endpoints that are told of documents' })
  @ApiOkResponse({ standardSchema: WebhookList })
  async list(@CurrentPrincipal() principal: Principal) {
    return { items: await this.webhooks.list(principal) };
  }

  @Post()
  @SecretResponse()
  @Audited('webhook.create')
  @ApiOperation({
    summary: 'Be told when documents are ready, failed, or wait for a review',
    description:
      'Messages are signed as Standard Webhooks says, sent at least once, and tried again for about a day. ' +
      'The answer holds the secret, which is not shown again.',
  })
  @ApiCreatedResponse({ standardSchema: WebhookWithSecret })
  create(@CurrentPrincipal() principal: Principal, @Body({ schema: CreateWebhook }) body: CreateWebhook) {
    return this.webhooks.create(principal, body);
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({ summary: 'An endpoint' })
  @ApiOkResponse({ standardSchema: WebhookBody })
  get(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.webhooks.get(principal, id);
  }

  @Patch(':id')
  @Audited('webhook.change')
  @ApiOperation({ summary: 'Change an endpoint, or switch it off and on' })
  @ApiOkResponse({ standardSchema: WebhookBody })
  change(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Body({ schema: ChangeWebhook }) body: ChangeWebhook,
  ) {
    return this.webhooks.change(principal, id, body);
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @SecretResponse()
  @Audited('webhook.rotate-secret')
  @ApiOperation({ summary: 'Sign with a new secret from now on' })
  @ApiOkResponse({ standardSchema: WebhookWithSecret })
  rotateSecret(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.webhooks.rotateSecret(principal, id);
  }

  @Post(':id/test')
  @HttpCode(202)
  @Audited('webhook.test')
  @ApiOperation({ summary: 'Send a message that means nothing, to see whether it arrives' })
  @ApiAcceptedResponse({ standardSchema: DeliveryBody })
  test(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string) {
    return this.webhooks.test(principal, id);
  }

  @Delete(':id')
  @HttpCode(204)
  @Audited('webhook.delete')
  @ApiOperation({ summary: 'Delete an endpoint, with the log of what was sent to it' })
  @ApiNoContentResponse()
  async delete(@CurrentPrincipal() principal: Principal, @Param('id', Id) id: string): Promise<void> {
    await this.webhooks.delete(principal, id);
  }

  @Get(':id/deliveries')
  @RateClass('read')
  @ApiOperation({ summary: 'What was sent to an endpoint, and what it answered, newest first' })
  @ApiOkResponse({ standardSchema: DeliveryPage })
  listDeliveries(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Query({ schema: ListDeliveries }) query: ListDeliveries,
  ) {
    return this.webhooks.listDeliveries(principal, id, query);
  }

  @Post(':id/deliveries/:delivery_id/replay')
  @HttpCode(202)
  @Audited('webhook.replay')
  @ApiOperation({ summary: 'Send a message again, under the id that it had' })
  @ApiAcceptedResponse({ standardSchema: DeliveryBody })
  replay(
    @CurrentPrincipal() principal: Principal,
    @Param('id', Id) id: string,
    @Param('delivery_id', Id) deliveryId: string,
  ) {
    return this.webhooks.replay(principal, id, deliveryId);
  }
}
