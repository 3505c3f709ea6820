import { Inject, Injectable } from '@nestjs/common';
import { type Policy, PolicyRegistry } from '#libs/resilience';
import { ChildDocuments, type PreparedChildren } from '../../documents/child-documents.js';
import type { Document } from '../../documents/document.js';
import type {
  Attachment,
  ExtractionPlan,
  Extractor,
  PartRange,
  SourceFile,
} from '../../extraction/extractor.js';
import { Extractors } from '../../extraction/extractors.js';
import { hearingDetail } from '../../extraction/hearing.js';
import { inParallel } from '../../extraction/in-parallel.js';
import { packJson, packPart } from '../../extraction/packed-part.js';
import { detailOf, type PartDetail, sumOf } from '../../extraction/part-detail.js';
import { type NewPart, PartStore } from '../../extraction/part.store.js';
import { SourceFiles } from '../../extraction/source-files.js';
import { type WorkerConfig, workerSection } from '../../ingestion.config.js';
import type { ClaimedJob } from '../../jobs/job.js';
import { JobStore } from '../../jobs/job.store.js';
import { notifyDocumentChanged } from '../../jobs/notifications.js';
import {
  type DocumentFormat,
  type ExtractionWarning,
  ParseFailure,
  type WholeFile,
} from '../../parsing/index.js';
import { titleOf } from '../../uploads/clean-name.js';
import { garbledRatio } from '../assessment.js';
import type { GateEvidence } from '../gates/gate.js';
import { DocumentRejected, type StageOutcome, type StageWork, type Task } from '../stage-work.js';
import { StageStore } from '../stage.store.js';

/**
 * Reads the file part by part, several at a time. The plan and every part are durable by themselves, so after a crash
 * only the parts that were under way are read again. The only part of a small file is durable with the stage.
 */
@Injectable()
export class ExtractStage implements StageWork {
  private readonly policy: Policy;

  constructor(
    private readonly files: SourceFiles,
    private readonly children: ChildDocuments,
    private readonly extractors: Extractors,
    private readonly parts: PartStore,
    private readonly jobs: JobStore,
    private readonly stages: StageStore,
    policies: PolicyRegistry,
    @Inject(workerSection.token) private readonly config: Pick<WorkerConfig, 'partConcurrency'>,
  ) {
    this.policy = policies.policy('parser');
  }

  async run(task: Task, signal: AbortSignal): Promise<StageOutcome> {
    const { job, document } = task;
    const key = keyOf(job);
    const [file, found, done] = await this.begin(task);
    const source = new Source(
      file,
      this.extractors.for(document.mediaType),
      this.policy,
      () => task.alive(),
      (attachments) => this.children.prepare(task, attachments, signal),
    );
    const { plan, whole } = found ? { plan: found } : await source.open(signal);
    if (whole) return this.keepWhole(plan, whole, task);
    if (plan.parts.length === 1) return this.readWhole(source, plan, task, signal);
    if (!found) await this.jobs.fenced(job, (tx) => this.parts.savePlan(tx, key, plan));
    task.leftovers.parts = true;
    const missing = [...plan.parts.keys()].filter((ordinal) => !done.includes(ordinal));
    const { partConcurrency } = this.config;
    await inParallel(
      missing,
      partConcurrency,
      (at, either) => this.readPart(source, plan, at, job, either),
      signal,
    );
    const details = await this.jobs.read(job, (tx) => this.parts.listDetails(tx, key));
    return this.outcome(document, plan, sumOf(details));
  }

  /** The parser has already cut it into passages. */
  private keepWhole(
    plan: ExtractionPlan,
    { part: json, detail, structure }: WholeFile,
    task: Task,
  ): StageOutcome {
    const { job, document } = task;
    task.justRead = { plan, detail, structure };
    task.content = undefined;
    const part = { ordinal: 0, range: plan.parts[0]!, detail, startedAt: new Date() };
    return {
      ...this.outcome(document, plan, detail),
      keep: async (tx) => {
        task.leftovers.parts = true;
        const result = await packJson(json);
        await Promise.all([
          this.parts.savePlan(tx, keyOf(job), plan),
          this.parts.add(tx, keyOf(job), { ...part, result }),
        ]);
      },
    };
  }

  private async readWhole(
    source: Source,
    plan: ExtractionPlan,
    task: Task,
    signal: AbortSignal,
  ): Promise<StageOutcome> {
    const { job, document } = task;
    const { part, children } = await source.read(plan, 0, signal);
    const outcome = this.outcome(document, plan, part.detail);
    task.justRead = { plan, detail: part.detail, packed: part.result };
    task.content = undefined;
    return {
      ...outcome,
      keep: async (tx) => {
        task.leftovers.parts = true;
        await Promise.all([this.parts.savePlan(tx, keyOf(job), plan), this.parts.add(tx, keyOf(job), part)]);
      },
      commit: (tx) => children.commit(tx),
    };
  }

  /** The file, and what is known and done of it already. */
  private async begin(task: Task): Promise<[SourceFile, ExtractionPlan | undefined, number[]]> {
    const { job, leftovers } = task;
    const key = keyOf(job);
    if (!leftovers.parts && !leftovers.password) return [await this.files.find(task), undefined, []];
    return this.jobs.read(job, (tx) =>
      Promise.all([this.files.find(task, tx), this.parts.findPlan(tx, key), this.parts.listDone(tx, key)]),
    );
  }

  private async readPart(
    source: Source,
    plan: ExtractionPlan,
    ordinal: number,
    job: ClaimedJob,
    signal: AbortSignal,
  ): Promise<void> {
    const { part, children } = await source.read(plan, ordinal, signal);
    try {
      await this.jobs.fenced(job, async (tx) => {
        if (!(await this.parts.add(tx, keyOf(job), part))) return;
        await children.commit(tx);
        await this.jobs.noteProgress(tx, job);
        await this.stages.addProgress(tx, job.documentId, 'extract', 1 / plan.parts.length);
        await notifyDocumentChanged(tx, job.documentId);
      });
    } finally {
      await children.discard();
    }
  }

  private outcome(document: Document, plan: ExtractionPlan, detail: PartDetail): StageOutcome {
    return {
      detail: {
        format: plan.format,
        pages: plan.pageCount,
        parts: plan.parts.length,
        blocks: detail.blocks,
        warnings: detail.warnings.length,
        ...(detail.hearing && hearingDetail(plan.durationMs ?? 0, detail.hearing)),
      },
      evidence: evidenceOf(plan, detail),
      // The upload went by the first bytes; who read the file has seen them all.
      document: {
        nature: {
          mediaType: plan.mediaType,
          title: TITLED.has(plan.format) ? usableTitle(plan.title) : null,
          byName: titleOf(document.filename),
        },
      },
    };
  }
}

/** Formats whose titles are for readers. Those of PDFs and office files are mostly left over from something else. */
const TITLED = new Set<DocumentFormat>(['html', 'epub', 'email', 'outlook']);
const LONGEST_TITLE = 300;

function usableTitle(title: string | null): string | null {
  return title?.replace(/\s+/g, ' ').trim().slice(0, LONGEST_TITLE) || null;
}

/** How sure a machine was tells of pictures or of sound, by the format. */
function evidenceOf(plan: ExtractionPlan, detail: PartDetail): GateEvidence {
  const { recognisedWords: words } = detail;
  const confidence = words > 0 ? detail.confidenceSum / words : undefined;
  const isHeard = plan.durationMs !== null;
  const count = (code: ExtractionWarning['code']) =>
    detail.warnings.filter((warning) => warning.code === code).length;
  return {
    words: detail.words,
    garbledRatio: garbledRatio(detail),
    ...(plan.pageCount !== null && {
      pages: plan.pageCount,
      pagesWithoutText: count('page-without-text'),
      pagesUnreadable: count('page-unreadable'),
    }),
    ...(isHeard
      ? { spokenWords: words, transcriptConfidence: confidence }
      : { recognisedWords: words, recognitionConfidence: confidence }),
  };
}

const keyOf = ({ documentId }: ClaimedJob) => ({ documentId, stage: 'extract' as const });

/** A file with who reads it, whose failures are turned into what becomes of the document. */
class Source {
  constructor(
    private readonly file: SourceFile,
    private readonly extractor: Extractor,
    private readonly policy: Policy,
    private readonly alive: () => void,
    private readonly prepare: (attachments: readonly Attachment[]) => Promise<PreparedChildren>,
  ) {}

  open(signal: AbortSignal): Promise<{ plan: ExtractionPlan; whole?: WholeFile }> {
    return this.attempt('plan', (limited) => this.extractor.open(this.file, limited), signal);
  }

  async read(
    plan: ExtractionPlan,
    ordinal: number,
    signal: AbortSignal,
  ): Promise<{ part: NewPart; children: PreparedChildren }> {
    const range: PartRange = plan.parts[ordinal]!;
    const startedAt = new Date();
    const read = (limited: AbortSignal) => this.extractor.read(this.file, plan, range, limited, this.alive);
    const extracted = await this.attempt('read', read, signal);
    const children = await this.prepare(extracted.attachments ?? []);
    extracted.warnings.push(...children.warnings);
    const [result, detail] = [await packPart(extracted), detailOf(extracted)];
    return { part: { ordinal, range, result, detail, startedAt }, children };
  }

  /** A reader that dies may have been killed from outside, so it is tried once more; all other failures are in the file. */
  private async attempt<T>(
    operation: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    attemptsLeft = 2,
  ): Promise<T> {
    try {
      return await this.policy.execute(work, { signal, operation });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ParseFailure)) throw error;
      if (error.code === 'parser-crashed' && attemptsLeft > 1)
        return this.attempt(operation, work, signal, attemptsLeft - 1);
      throw new DocumentRejected(error.code, error.message, { cause: error });
    }
  }
}
