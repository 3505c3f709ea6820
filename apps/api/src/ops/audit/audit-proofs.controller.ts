import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Audited, AuditKeys, encodeVerifier, type StoredCheckpoint } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { page, Priority, RateClass } from '#libs/http';
import { AuditEventsService } from './audit-events.service.js';
import {
  AskConsistency,
  AuditKeyList,
  beforeOf,
  type CheckpointItem,
  CheckpointPage,
  ConsistencyProof,
  ListCheckpoints,
} from './audit-proofs.dto.js';

/** What an auditor holds the log to. It tells nothing of any tenant. */
@ApiTags('audit')
@Controller('v1/audit')
@RateClass('read')
@Priority('critical-plus')
export class AuditProofsController {
  constructor(
    private readonly events: AuditEventsService,
    private readonly keys: AuditKeys,
  ) {}

  @Get('checkpoints')
  @RequirePermission('audit.read')
  @Audited('audit.checkpoints', 'security')
  @ApiOperation({ summary: 'Signed checkpoints of the log, the newest first' })
  @ApiOkResponse({ standardSchema: CheckpointPage })
  async checkpoints(@Query({ schema: ListCheckpoints }) query: ListCheckpoints): Promise<CheckpointPage> {
    const rows = await this.events.checkpoints({ before: beforeOf(query), limit: query.limit + 1 });
    return page(rows, query.limit, ({ no }) => [no], toCheckpointItem);
  }

  @Get('proofs/consistency')
  @RequirePermission('audit.read')
  @Audited('audit.prove', 'security')
  @ApiOperation({
    summary: 'Proof that the log, or the tree of the own tenant, only grew between two states',
  })
  @ApiOkResponse({ standardSchema: ConsistencyProof })
  consistency(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query({ schema: AskConsistency }) { tree, from, to }: AskConsistency,
  ): Promise<ConsistencyProof> {
    return tree === 'tenant'
      ? this.events.proveTreeConsistency(tenantId, from, to)
      : this.events.proveConsistency(from, to);
  }

  @Get('keys')
  @RequirePermission('audit.read')
  @Audited('audit.keys', 'security')
  @ApiOperation({ summary: 'Public keys whose signatures under checkpoints are ours' })
  @ApiOkResponse({ standardSchema: AuditKeyList })
  list(): AuditKeyList {
    return { origin: this.keys.origin, keys: this.keys.verifiers.map(encodeVerifier) };
  }
}

function toCheckpointItem({ no, at, logSize, note }: StoredCheckpoint): CheckpointItem {
  return { no, at, log_size: logSize, note };
}
