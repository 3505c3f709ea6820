import { Injectable } from '@nestjs/common';
import { DocumentStore } from '../../documents/document.store.js';
import { sumOf } from '../../extraction/part-detail.js';
import { PartStore } from '../../extraction/part.store.js';
import { InsightFinder } from '../../facts/insight-finder.js';
import { InsightStore } from '../../facts/insight.store.js';
import { standsBeside } from '../../generations/beside.js';
import { GenerationStore } from '../../generations/generation.store.js';
import { JobStore } from '../../jobs/job.store.js';
import { assess, type Read } from '../assessment.js';
import type { StageOutcome, StageWork, Task } from '../stage-work.js';
import { StageStore } from '../stage.store.js';

/** Says how well the document could be read, what it is, and what it says. It needs no vectors, so it runs beside the embedding. */
@Injectable()
export class AssessStage implements StageWork {
  constructor(
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly parts: PartStore,
    private readonly documents: DocumentStore,
    private readonly generations: GenerationStore,
    private readonly insights: InsightFinder,
    private readonly insightStore: InsightStore,
  ) {}

  async run(task: Task, signal: AbortSignal): Promise<StageOutcome> {
    const { job, justCut } = task;
    const { documentId, generation } = job;
    const isBeside = standsBeside(task);
    const { copyOf, ...made } = await this.begin(task);
    if (copyOf !== null) return this.takeOver(documentId, copyOf, generation);
    const assessment = assess(made);
    const insight = await this.insights.find(job, signal, () => task.alive(), justCut?.passages);
    return {
      detail: {
        kind: insight.kind,
        facts: insight.facts.length,
        facts_by_model: insight.reading.outcome,
        pages_without_text: assessment.pagesWithoutText.length,
        language: assessment.language,
        garbled_ratio: assessment.garbledRatio,
      },
      evidence: { language: assessment.language },
      ...(!isBeside && { document: { assessment } }),
      commit: async (tx) => {
        if (isBeside) await this.generations.saveAssessment(tx, documentId, generation, assessment);
        await this.insightStore.save(tx, { documentId, generation }, insight);
      },
    };
  }

  /** What the stages before have found out. */
  private async begin(task: Task): Promise<Read & { copyOf: number | null }> {
    const { job, justRead, justCut } = task;
    if (justRead && justCut) {
      const { passages, language } = justCut;
      const { plan, detail } = justRead;
      const { pageCount, needsPassword = false } = plan;
      return { copyOf: null, pageCount, passageCount: passages.length, detail, language, needsPassword };
    }
    const { documentId, generation } = job;
    const read = { documentId, stage: 'extract' as const };
    const [made, details, plan, structured] = await this.jobs.read(job, (tx) =>
      Promise.all([
        standsBeside(task)
          ? this.generations.find(tx, documentId, generation)
          : this.documents.find(tx, documentId).then((found) => found && { ...found, copyOf: null }),
        this.parts.listDetails(tx, read),
        this.parts.findPlan(tx, read),
        this.stages.detail(tx, documentId, 'structure'),
      ]),
    );
    return {
      copyOf: made?.copyOf ?? null,
      pageCount: made?.pageCount ?? null,
      passageCount: made?.passageCount ?? 0,
      detail: sumOf(details),
      language: (structured?.language as string | null | undefined) ?? null,
      needsPassword: plan?.needsPassword ?? false,
    };
  }

  /** The same passages say the same. */
  private takeOver(documentId: string, from: number, to: number): StageOutcome {
    return {
      detail: { copy_of: from },
      commit: (tx) => this.generations.copyAssessment(tx, documentId, { from, to }),
    };
  }
}
