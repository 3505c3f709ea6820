import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { TenantDb } from '#libs/database';
import type { Document, Reader } from '../documents/document.js';
import { DocumentStore } from '../documents/document.store.js';
import { DocumentNotFound, FactsNotReady } from '../ingestion.errors.js';
import { compareFacts } from './compare.js';
import { type ComparisonBody, type FactsBody, type Places, toFactBody, toFactsBody } from './facts.dto.js';
import { InsightStore, type StoredInsight } from './insight.store.js';

interface Found {
  document: Document;
  insight: StoredInsight;
}

/** What documents say at a glance, for those who may see them. */
@Injectable()
export class FactsService {
  constructor(
    private readonly db: TenantDb,
    private readonly documents: DocumentStore,
    private readonly insights: InsightStore,
  ) {}

  /** @throws DocumentNotFound, FactsNotReady while the document is not assessed */
  get(reader: Reader, id: string): Promise<FactsBody> {
    return this.db.read(reader.tenantId, async (tx) => {
      const [found] = await this.find(tx, reader, [id]);
      const { document, insight } = found!;
      const language = document.assessment?.language ?? null;
      return toFactsBody(insight, { title: document.title, language }, await this.places(tx, [insight]));
    });
  }

  /** In the order in which they are named. @throws DocumentNotFound, FactsNotReady for the first that has none */
  compare(reader: Reader, ids: readonly string[]): Promise<ComparisonBody> {
    return this.db.read(reader.tenantId, async (tx) => {
      const found = await this.find(tx, reader, ids);
      const insights = found.map(({ insight }) => insight);
      const places = await this.places(tx, insights);
      return {
        documents: found.map(({ document, insight }) => ({
          document_id: document.id,
          title: document.title,
          kind: insight.kind,
          plan_name: insight.facts.find(({ key }) => key === 'plan_name')?.value ?? null,
        })),
        rows: compareFacts(insights.map(({ facts }) => facts)).map(({ slot, values, differs }) => ({
          ...slot,
          differs,
          values: values.map((fact) => fact && toFactBody(fact, places)),
        })),
      };
    });
  }

  private async find(tx: EntityManager, reader: Reader, ids: readonly string[]): Promise<Found[]> {
    const documents: Document[] = [];
    for (const id of ids) {
      const document = await this.documents.find(tx, id, reader);
      if (!document) throw new DocumentNotFound(id);
      documents.push(document);
    }
    const insights = new Map(
      (await this.insights.listLive(tx, ids)).map((insight) => [insight.documentId, insight]),
    );
    return documents.map((document) => {
      const insight = insights.get(document.id);
      if (!insight) throw new FactsNotReady(document.id, document.status);
      return { document, insight };
    });
  }

  private places(tx: EntityManager, insights: readonly StoredInsight[]): Promise<Places> {
    const sources = insights.flatMap(({ facts, summary }) =>
      [...facts, ...summary].map(({ source }) => source),
    );
    return this.insights.listPlaces(
      tx,
      insights.map(({ documentId }) => documentId),
      [...new Set(sources.map(({ passageId }) => passageId))],
    );
  }
}
