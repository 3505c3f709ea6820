import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { decodeCursor, page, Priority, RateClass } from '#libs/http';
import { DegradationRegistry, type Policy, PolicyRegistry } from '#libs/resilience';
import { positionIn, tailEvents } from './event-tail.js';
import type { OrderAction } from './order.js';
import { ResilienceOverrides } from './resilience-overrides.js';
import {
  CommandPolicy,
  EventCursor,
  etagOf,
  LiftOverride,
  ListPolicyEvents,
  OrderTakenBody,
  OverridePolicy,
  PolicyBody,
  PolicyEventPage,
  PolicyName,
  ResilienceBody,
  toCapabilities,
  toEventBody,
  toNewOrder,
  toOrderTakenBody,
  toPolicyBody,
} from './resilience.dto.js';
import { PolicyNotFound } from './resilience.errors.js';

const Name = { schema: PolicyName };
const IfMatch = () =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'The ETag of the policy; another one is a 412.',
  });

/** How every dependency is doing, and orders to its policy. */
@ApiTags('operations')
@Controller('v1/admin/resilience')
@RequirePermission('system.operate')
@Priority('critical-plus')
@RateClass('write')
export class ResilienceController {
  constructor(
    private readonly policies: PolicyRegistry,
    private readonly degradation: DegradationRegistry,
    private readonly overrides: ResilienceOverrides,
  ) {}

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'All policies and capabilities, as this process sees them' })
  @ApiOkResponse({ standardSchema: ResilienceBody })
  list(@Res({ passthrough: true }) reply: FastifyReply): ResilienceBody {
    const { version, fleetReached } = this.overrides;
    void reply.header('etag', etagOf(version));
    return {
      version,
      fleet_reached: fleetReached,
      level: this.degradation.level,
      capabilities: toCapabilities(this.degradation),
      policies: this.policies.list().map((policy) => this.bodyOf(policy)),
    };
  }

  @Get('events')
  @RateClass('read')
  @ApiOperation({
    summary: 'What happened to the policies, the oldest first',
    description:
      'The last 1,000 events of each policy in this process. With `Accept: text/event-stream` also what happens from now ' +
      'on; `Last-Event-ID` goes on where another stream ended.',
  })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiOkResponse({ standardSchema: PolicyEventPage })
  allEvents(
    @Query({ schema: ListPolicyEvents }) query: ListPolicyEvents,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PolicyEventPage | undefined> {
    return this.events(undefined, { query, accept, lastEventId, reply });
  }

  @Get(':name')
  @RateClass('read')
  @ApiOperation({ summary: 'One policy, as this process sees it' })
  @ApiOkResponse({ standardSchema: PolicyBody })
  get(@Param('name', Name) name: string, @Res({ passthrough: true }) reply: FastifyReply): PolicyBody {
    const body = this.bodyOf(this.find(name));
    void reply.header('etag', etagOf(body.version));
    return body;
  }

  @Get(':name/events')
  @RateClass('read')
  @ApiOperation({ summary: 'What happened to one policy; as a live tail with `Accept: text/event-stream`' })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiOkResponse({ standardSchema: PolicyEventPage })
  eventsOf(
    @Param('name', Name) name: string,
    @Query({ schema: ListPolicyEvents }) query: ListPolicyEvents,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PolicyEventPage | undefined> {
    this.find(name);
    return this.events(name, { query, accept, lastEventId, reply });
  }

  @Post(':name/isolate')
  @HttpCode(200)
  @Audited('resilience.isolate', 'admin')
  @IfMatch()
  @ApiOperation({ summary: 'Let no call through for a time' })
  @ApiOkResponse({ standardSchema: OrderTakenBody })
  isolate(
    @CurrentPrincipal() principal: Principal,
    @Param('name', Name) name: string,
    @Body({ schema: OverridePolicy }) body: OverridePolicy,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<OrderTakenBody> {
    return this.order(principal, name, 'isolate', body, ifMatch);
  }

  @Post(':name/disable')
  @HttpCode(200)
  @Audited('resilience.disable', 'admin')
  @IfMatch()
  @ApiOperation({ summary: 'Let every call through for a time, and count none' })
  @ApiOkResponse({ standardSchema: OrderTakenBody })
  disable(
    @CurrentPrincipal() principal: Principal,
    @Param('name', Name) name: string,
    @Body({ schema: OverridePolicy }) body: OverridePolicy,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<OrderTakenBody> {
    return this.order(principal, name, 'disable', body, ifMatch);
  }

  @Post(':name/shadow')
  @HttpCode(200)
  @Audited('resilience.shadow', 'admin')
  @IfMatch()
  @ApiOperation({ summary: 'Count and tell for a time, but reject nothing' })
  @ApiOkResponse({ standardSchema: OrderTakenBody })
  shadow(
    @CurrentPrincipal() principal: Principal,
    @Param('name', Name) name: string,
    @Body({ schema: OverridePolicy }) body: OverridePolicy,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<OrderTakenBody> {
    return this.order(principal, name, 'shadow', body, ifMatch);
  }

  @Post(':name/close')
  @HttpCode(200)
  @Audited('resilience.close', 'admin')
  @IfMatch()
  @ApiOperation({ summary: 'End an override and close the circuit, once' })
  @ApiOkResponse({ standardSchema: OrderTakenBody })
  close(
    @CurrentPrincipal() principal: Principal,
    @Param('name', Name) name: string,
    @Body({ schema: CommandPolicy }) body: CommandPolicy,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<OrderTakenBody> {
    return this.order(principal, name, 'close', body, ifMatch);
  }

  @Post(':name/reset')
  @HttpCode(200)
  @Audited('resilience.reset', 'admin')
  @IfMatch()
  @ApiOperation({ summary: 'End an override, close the circuit and forget what was counted, once' })
  @ApiOkResponse({ standardSchema: OrderTakenBody })
  reset(
    @CurrentPrincipal() principal: Principal,
    @Param('name', Name) name: string,
    @Body({ schema: CommandPolicy }) body: CommandPolicy,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<OrderTakenBody> {
    return this.order(principal, name, 'reset', body, ifMatch);
  }

  @Delete(':name/override')
  @HttpCode(200)
  @Audited('resilience.lift', 'admin')
  @IfMatch()
  @ApiOperation({ summary: 'End an override; the circuit goes on by itself' })
  @ApiOkResponse({ standardSchema: OrderTakenBody })
  lift(
    @CurrentPrincipal() principal: Principal,
    @Param('name', Name) name: string,
    @Body({ schema: LiftOverride }) body: LiftOverride,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<OrderTakenBody> {
    return this.order(principal, name, 'lift', body, ifMatch);
  }

  private async order(
    principal: Principal,
    name: string,
    action: OrderAction,
    body: OverridePolicy | CommandPolicy,
    ifMatch: string | undefined,
  ): Promise<OrderTakenBody> {
    return toOrderTakenBody(await this.overrides.give(principal, toNewOrder(name, action, body, ifMatch)));
  }

  private async events(
    policy: string | undefined,
    { query, accept, lastEventId, reply }: EventsRequest,
  ): Promise<PolicyEventPage | undefined> {
    const { events } = this.policies;
    if (accept?.includes('text/event-stream')) {
      await tailEvents(reply, events, policy, positionIn(lastEventId, events));
      return undefined;
    }
    const [after] = query.cursor ? decodeCursor(query.cursor, EventCursor) : [0];
    return page(events.list(policy, after, query.limit + 1), query.limit, ({ id }) => [id], toEventBody);
  }

  private bodyOf(policy: Policy): PolicyBody {
    const { fleet } = this.overrides.ordersFor(policy.name);
    return toPolicyBody(policy, { fleet, inForce: this.overrides.inForce(policy.name) });
  }

  /** @throws PolicyNotFound */
  private find(name: string): Policy {
    const policy = this.policies.list().find((one) => one.name === name);
    if (!policy) throw new PolicyNotFound();
    return policy;
  }
}

interface EventsRequest {
  query: ListPolicyEvents;
  accept: string | undefined;
  lastEventId: string | undefined;
  reply: FastifyReply;
}
