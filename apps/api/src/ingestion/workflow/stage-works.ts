import { Injectable } from '@nestjs/common';
import type { StageName } from './ingestion-stages.js';
import { type StageWork, StageWorks } from './stage-work.js';
import { AssessStage } from './stages/assess.stage.js';
import { EmbedStage } from './stages/embed.stage.js';
import { ExtractStage } from './stages/extract.stage.js';
import { PublishStage } from './stages/publish.stage.js';
import { ReceiveStage } from './stages/receive.stage.js';
import { StructureStage } from './stages/structure.stage.js';

@Injectable()
export class IngestionStageWorks extends StageWorks {
  readonly works: Readonly<Record<StageName, StageWork>>;

  constructor(
    receive: ReceiveStage,
    extract: ExtractStage,
    structure: StructureStage,
    embed: EmbedStage,
    assess: AssessStage,
    publish: PublishStage,
  ) {
    super();
    this.works = { receive, extract, structure, embed, assess, publish };
  }
}
