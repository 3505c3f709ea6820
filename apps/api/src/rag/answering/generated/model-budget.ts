import { Logger } from '@nestjs/common';
import type { TenantDb } from '#libs/database';
import { DomainError } from '#libs/errors';
import { counter } from '#libs/observability';

const exhausted = counter({
  name: 'navigator_model_budget_exhausted_total',
  help: 'Times that no model was asked because the tokens of a tenant were used up',
  labelNames: ['period'],
});

/** Tokens, input and output together, that one tenant may use; 0 for as many as it likes. */
export interface ModelLimits {
  tokensPerHour: number;
  tokensPerDay: number;
}

/** Tokens that were set aside for one call of a model. */
export interface Reservation {
  /** What the call really used takes the place of what was set aside. Never throws; only the first time counts. */
  settle(tokens: number): Promise<void>;
}

/** No model is asked for this tenant until the hour, or the day, is over. */
export class BudgetExhausted extends DomainError {
  readonly code = 'budget-exhausted';
  readonly kind = 'rate-limited' as const;
  constructor() {
    super('The tokens that models may use for this tenant are used up');
  }
}

/**
 * What models may cost a tenant. Tokens are set aside before a call and settled after it, in PostgreSQL, so the limits
 * hold across replicas and restarts. Who dies in between leaves his reservation counted as used, and without the
 * database there is no reservation and so no call: a model costs money, and the documents' own words cost none.
 */
export class ModelBudget {
  private readonly logger = new Logger(ModelBudget.name);
  private readonly windows: { period: Period; limit: number }[];

  constructor(
    private readonly db: Pick<TenantDb, 'run'>,
    { tokensPerHour, tokensPerDay }: ModelLimits,
  ) {
    const windows: { period: Period; limit: number }[] = [
      { period: 'hour', limit: tokensPerHour },
      { period: 'day', limit: tokensPerDay },
    ];
    this.windows = windows.filter(({ limit }) => limit > 0);
  }

  /** @throws DependencyUnavailable without the database, and the signal's reason */
  async reserve(tenantId: string, tokens: number, signal?: AbortSignal): Promise<Reservation | 'exhausted'> {
    if (this.windows.length === 0) return NOTHING_RESERVED;
    const estimate = Math.ceil(tokens);
    try {
      const starts = await this.db.run(tenantId, (tx) => this.setAside(tx, tenantId, estimate), { signal });
      return this.reservationOf(tenantId, estimate, starts);
    } catch (error) {
      if (!(error instanceof WindowFull)) throw error;
      exhausted.inc({ period: error.period });
      return 'exhausted';
    }
  }

  /** In every window or, by the transaction's end, in none. */
  private async setAside(tx: Queryable, tenantId: string, tokens: number): Promise<WindowStart[]> {
    const starts: WindowStart[] = [];
    for (const { period, limit } of this.windows) {
      const [row] = await tx.query<WindowRow[]>(RESERVE, [tenantId, period, tokens, limit]);
      if (!row) throw new WindowFull(period);
      starts.push({ period, startsAt: row.startsAt });
      if (row.isNew) await tx.query(FORGET, [tenantId]);
    }
    return starts;
  }

  private reservationOf(tenantId: string, reserved: number, starts: readonly WindowStart[]): Reservation {
    let isSettled = false;
    return {
      settle: async (tokens) => {
        if (isSettled) return;
        isSettled = true;
        const difference = Math.ceil(tokens) - reserved;
        if (difference === 0) return;
        try {
          await this.db.run(tenantId, async (tx) => {
            for (const { period, startsAt } of starts)
              await tx.query(SETTLE, [tenantId, period, startsAt, difference]);
          });
        } catch (error) {
          // What was set aside stays counted, which errs on the side that costs nothing.
          this.logger.warn({ reason: (error as Error).name }, 'a reservation of tokens was not settled');
        }
      },
    };
  }
}

/** Of 4 characters each, as it is on average in English. */
export const tokensIn = (chars: number) => Math.ceil(chars / 4);

type Period = 'hour' | 'day';
type Queryable = Parameters<Parameters<TenantDb['run']>[1]>[0];

interface WindowStart {
  period: Period;
  /** PostgreSQL's own text. */
  startsAt: string;
}

interface WindowRow {
  startsAt: string;
  isNew: boolean;
}

class WindowFull extends Error {
  constructor(readonly period: Period) {
    super(`The tokens of this ${period} are used up`);
  }
}

const NOTHING_RESERVED: Reservation = { settle: () => Promise.resolve() };

/** No row when it does not fit. Windows go by the database's clock, which all replicas share. */
const RESERVE = `
  insert into model_budget as budget (tenant_id, period, starts_at, tokens)
  select $1, $2, date_trunc($2, now()), $3::bigint where $3::bigint <= $4::bigint
  on conflict (tenant_id, period, starts_at) do update set tokens = budget.tokens + excluded.tokens
    where budget.tokens + excluded.tokens <= $4::bigint
  returning starts_at::text as "startsAt", xmax = 0 as "isNew"`;

const SETTLE = `
  update model_budget set tokens = greatest(tokens + $4::bigint, 0)
  where tenant_id = $1 and period = $2 and starts_at = $3::timestamptz`;

const FORGET = `delete from model_budget where tenant_id = $1 and starts_at < now() - interval '2 days'`;
