import { Injectable } from '@nestjs/common';
import { TenantDb } from '#libs/database';

/** What an embedder called itself when the first vector of a model was made, for the whole installation. */
@Injectable()
export class VectorOriginStore {
  constructor(private readonly db: TenantDb) {}

  /** `reported`, unless something else was reported first; of those who report at once one is the first. */
  async firstReported(model: string, reported: string): Promise<string> {
    const [row] = await this.db.runAsOperator((tx) =>
      tx.query<{ reported: string }[]>(
        `insert into vector_origin (model, reported) values ($1, $2)
         on conflict (model) do update set model = excluded.model
         returning reported`,
        [model, reported],
      ),
    );
    return row!.reported;
  }
}
