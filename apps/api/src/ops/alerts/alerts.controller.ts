import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequirePermission } from '#libs/auth';
import { isDatabaseUnreachable, TenantDb } from '#libs/database';
import { page, Priority, RateClass } from '#libs/http';
import { Alerts, listAlerts } from '#libs/monitoring';
import { AlertPage, cursorOfAlert, ListAlerts, toAlertBody, toAlertQuery } from './alerts.dto.js';

@ApiTags('operations')
@Controller('v1/admin/alerts')
@RequirePermission('system.operate')
@Priority('critical-plus')
@RateClass('read')
export class AlertsController {
  constructor(
    private readonly db: TenantDb,
    private readonly alerts: Alerts,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What is or was wrong, the latest first; alerts resolve by themselves' })
  @ApiOkResponse({ standardSchema: AlertPage })
  async list(@Query({ schema: ListAlerts }) query: ListAlerts): Promise<AlertPage> {
    try {
      const rows = await this.db.runAsOperator((tx) => listAlerts(tx, toAlertQuery(query)));
      return { ...page(rows, query.limit, cursorOfAlert, toAlertBody), source: 'database' };
    } catch (error) {
      if (!isDatabaseUnreachable(error) || query.state === 'resolved') throw error;
      return { items: this.openOnes(query), next_cursor: null, source: 'memory' };
    }
  }

  private openOnes({ severity, limit }: ListAlerts) {
    return this.alerts
      .active()
      .filter((alert) => severity === undefined || alert.severity === severity)
      .toReversed()
      .slice(0, limit)
      .map(toAlertBody);
  }
}
