import { Injectable } from '@nestjs/common';
import { PassageStore } from '../../../rag/index.js';
import { type PartDetail, sumOf } from '../../extraction/part-detail.js';
import { PartStore } from '../../extraction/part.store.js';
import { standsBeside } from '../../generations/beside.js';
import { GenerationStore } from '../../generations/generation.store.js';
import { PassageCopy } from '../../generations/passage-copy.js';
import type { ClaimedJob } from '../../jobs/job.js';
import { JobStore } from '../../jobs/job.store.js';
import { notifyDocumentChanged } from '../../jobs/notifications.js';
import { ParseFailure, SandboxedParser, type StructureStep } from '../../parsing/index.js';
import {
  DocumentRejected,
  type JustRead,
  type StageOutcome,
  type StageWork,
  type Task,
} from '../stage-work.js';
import { StageStore } from '../stage.store.js';

/**
 * Cuts the document into passages, part by part. Batches of passages are durable by themselves, together with what is
 * remembered for the next part; nobody sees them before the last one. With that a document that was not found before is
 * found by its words; beside a generation that is found they wait for the switch. So a question sees all passages or
 * none, and neither memory nor a transaction grows with the document.
 */
@Injectable()
export class StructureStage implements StageWork {
  constructor(
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    private readonly parts: PartStore,
    private readonly passages: PassageStore,
    private readonly generations: GenerationStore,
    private readonly copying: PassageCopy,
    private readonly parser: SandboxedParser,
  ) {}

  async run(task: Task, signal: AbortSignal): Promise<StageOutcome> {
    const { job, justRead } = task;
    if (justRead) return this.structureWhole(task, justRead, signal);
    const [plan, details, bookmark, made] = await this.jobs.read(job, (tx) =>
      Promise.all([
        this.parts.findPlan(tx, extracted(job)),
        this.parts.listDetails(tx, extracted(job)),
        this.parts.findBookmark(tx, structured(job), job.generation),
        this.generations.find(tx, job.documentId, job.generation),
      ]),
    );
    if (made && made.copyOf !== null) return this.copying.run(task, made.copyOf, signal);
    const total = sumOf(details);
    let { next, state } = bookmark ?? { next: 0, state: null };
    for (let at = next; at < details.length - 1; at += 1) {
      const step = await this.step(job, at, state, { parts: details.length, total }, signal);
      task.alive();
      ({ state } = step);
      if (step.batches.length === 0) continue;
      await this.save(task, step, { from: next, to: at + 1, of: details.length });
      next = at + 1;
    }
    const last = await this.step(job, details.length - 1, state, { parts: details.length, total }, signal);
    return this.outcome(task, last, { isOnly: next === 0, pageCount: plan?.pageCount ?? null, total });
  }

  private async structureWhole(
    task: Task,
    { plan, detail: total, structure, packed }: JustRead,
    signal: AbortSignal,
  ): Promise<StageOutcome> {
    const { job } = task;
    const options = { isLast: true, parts: 1, headingStyles: total.headingStyles, owner: job.documentId };
    const step = structure ?? (await this.parser.structure(null, packed, options, signal));
    if (step.batches.length === 1)
      task.justCut = {
        passages: this.passages.passagesOf(job.documentId, step.batches[0]!),
        language: step.language,
      };
    return this.outcome(task, step, { isOnly: true, pageCount: plan.pageCount, total });
  }

  private async step(
    job: ClaimedJob,
    ordinal: number,
    state: Buffer | null,
    { parts, total }: { parts: number; total: PartDetail },
    signal: AbortSignal,
  ): Promise<StructureStep> {
    signal.throwIfAborted();
    const part = await this.jobs.read(job, (tx) => this.parts.result(tx, extracted(job), ordinal));
    const { headingStyles } = total;
    const options = { isLast: ordinal === parts - 1, parts, headingStyles, owner: job.documentId };
    return this.parser.structure(state, part, options, signal);
  }

  /** A checkpoint behind part number `to`. */
  private async save(
    task: Task,
    { batches, state }: StructureStep,
    { from, to, of }: { from: number; to: number; of: number },
  ): Promise<void> {
    const { job } = task;
    await this.jobs.fenced(job, async (tx) => {
      // What an attempt without a checkpoint, or with another plan, has left.
      await Promise.all([
        from === 0 && task.leftovers.passages && this.passages.deleteGeneration(tx, job),
        ...batches.map((batch) => this.passages.insertBatch(tx, job, batch)),
        this.parts.saveBookmark(tx, structured(job), { generation: job.generation, next: to, state }),
        this.jobs.noteProgress(tx, job),
        this.stages.addProgress(tx, job.documentId, 'structure', (to - from) / of),
        notifyDocumentChanged(tx, job.documentId),
      ]);
    });
  }

  private outcome(
    task: Task,
    { batches, passages, language }: StructureStep,
    { isOnly, pageCount, total }: { isOnly: boolean; pageCount: number | null; total: PartDetail },
  ): StageOutcome {
    const noText = new ParseFailure('no-text');
    if (passages === 0) throw new DocumentRejected(noText.code, noText.message);
    const { job, leftovers } = task;
    const { documentId, generation } = job;
    const counts = { generation, pageCount, passageCount: passages };
    const isBeside = standsBeside(task);
    return {
      detail: { passages, language },
      evidence: { passages, tableCells: total.cells, tableCellsWithoutHeader: total.cellsWithoutHeader },
      ...(!isBeside && { document: { lexical: counts } }),
      commit: async (tx) => {
        await Promise.all([
          isOnly && leftovers.passages && this.passages.deleteGeneration(tx, job),
          ...batches.map((batch) => this.passages.insertBatch(tx, job, batch)),
          isBeside && this.generations.savePassages(tx, documentId, counts),
        ]);
      },
    };
  }
}

const extracted = ({ documentId }: ClaimedJob) => ({ documentId, stage: 'extract' as const });
const structured = ({ documentId }: ClaimedJob) => ({ documentId, stage: 'structure' as const });
