import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, Public, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass } from '#libs/http';
import {
  AcceptedInvitation,
  AcceptInvitation,
  InvitationCursor,
  InvitationItem,
  InvitationPage,
  Invite,
  ListInvitations,
  toInvitationItem,
} from './invitations.dto.js';
import { InvitationsService } from './invitations.service.js';

@ApiTags('invitations')
@Controller('v1')
@RequirePermission('user.manage')
@RateClass('write')
@Priority('sheddable-plus')
export class InvitationsController {
  constructor(private readonly invitations: InvitationsService) {}

  @Post('invitations')
  @Audited('invitation.create', 'admin')
  @ApiOperation({ summary: 'Invite somebody into your tenant by mail' })
  @ApiCreatedResponse({ standardSchema: InvitationItem })
  async invite(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: Invite }) { email, role }: Invite,
  ): Promise<InvitationItem> {
    return toInvitationItem(await this.invitations.invite(principal, email, role));
  }

  @Get('invitations')
  @Audited('invitation.list', 'data.read')
  @RateClass('read')
  @Priority('sheddable')
  @ApiOperation({ summary: 'The invitations of your tenant, the newest first' })
  @ApiOkResponse({ standardSchema: InvitationPage })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ListInvitations }) { cursor, limit }: ListInvitations,
  ): Promise<InvitationPage> {
    const [beforeId] = cursor ? decodeCursor(cursor, InvitationCursor) : [];
    const rows = await this.invitations.list(principal, { beforeId, limit: limit + 1 });
    return page(rows, limit, ({ id }) => [id], toInvitationItem);
  }

  @Post('invitations/:id/resend')
  @Audited('invitation.resend', 'admin')
  @HttpCode(200)
  @ApiOperation({ summary: 'Send an invitation again; the token of the mail before is good no more' })
  @ApiOkResponse({ standardSchema: InvitationItem })
  async resend(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<InvitationItem> {
    return toInvitationItem(await this.invitations.resend(principal, id));
  }

  @Delete('invitations/:id')
  @Audited('invitation.revoke', 'admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an invitation' })
  @ApiNoContentResponse()
  async revoke(
    @CurrentPrincipal() principal: Principal,
    @Param('id', { schema: z.uuid() }) id: string,
  ): Promise<void> {
    await this.invitations.revoke(principal, id);
  }

  @Post('auth/invitations/accept')
  @Public()
  @Audited('invitation.accept', 'auth')
  @RateClass('auth')
  @Priority('critical')
  @ApiOperation({ summary: 'Accept an invitation with the token from its mail, and choose a password' })
  @ApiCreatedResponse({ standardSchema: AcceptedInvitation })
  async accept(
    @Body({ schema: AcceptInvitation }) { token, password }: AcceptInvitation,
  ): Promise<AcceptedInvitation> {
    const { id, email, role } = await this.invitations.accept(token, password);
    return { id, email, role };
  }
}
