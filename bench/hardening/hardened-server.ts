import { Body, Controller, HttpCode, Logger, Module, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { auditDetail, Audited } from '#libs/audit';
import { CurrentPrincipal, type Principal, RequirePermission } from '#libs/auth';
import { loadConfig } from '#libs/config';
import { ClientSignal, MinServiceLevel, Priority, RateClass } from '#libs/http';
import { createLogger, NestLogger } from '#libs/observability';
import type { ServiceLevel } from '#libs/resilience';
import { sections } from '../../apps/api/src/app.config.js';
import { AppModule } from '../../apps/api/src/app.module.js';
import type { AnswerBody } from '../../apps/api/src/chat/questions/answer.dto.js';
import { AskQuestion } from '../../apps/api/src/chat/questions/question.dto.js';
import { startProgram } from '../../apps/api/src/program.js';
import { ANSWER } from './answer.js';

/*
 * Our whole program with one more route, declared as the question endpoint is, that has its answer already: what is left
 * is what every question pays for being hardened, its awaited audit event included. `endpoint.ts` starts it.
 */

const { id: QUESTION, citations, service_level, served_by } = ANSWER;
/** What the record of a question says. */
const DETAIL = {
  status: 'answered',
  served_by,
  service_level,
  not_in_documents: false,
  citations: citations.length,
};
const targetsOf = (conversationId: string) => [
  { type: 'conversation', id: conversationId },
  { type: 'question', id: QUESTION },
  ...citations.map(({ passage_id }) => ({ type: 'passage', id: passage_id })),
];

@Controller('v1/conversations/:id/answered')
@RequirePermission('question.ask')
@Priority('critical')
class AnsweredController {
  @Post()
  @HttpCode(200)
  @RateClass('question')
  @Audited('question.ask', 'data.read')
  ask(
    @CurrentPrincipal() _principal: Principal,
    @Param('id', { schema: z.uuid() }) conversationId: string,
    @Body({ schema: AskQuestion }) _body: AskQuestion,
    @MinServiceLevel() _atLeast: ServiceLevel | undefined,
    @ClientSignal() _signal: AbortSignal,
  ): AnswerBody {
    auditDetail({ targets: targetsOf(conversationId), detail: DETAIL });
    return ANSWER;
  }
}

@Module({})
class HardenedModule {
  static register(...given: Parameters<typeof AppModule.register>) {
    return {
      module: HardenedModule,
      imports: [AppModule.register(...given)],
      controllers: [AnsweredController],
    };
  }
}

const config = loadConfig(sections);
Logger.overrideLogger(new NestLogger(createLogger({ level: config.server.logLevel })));
const program = await startProgram(config, HardenedModule);
process.once('SIGTERM', () => void program.stop().then(() => process.exit(0)));
// As our program announces itself.
process.stderr.write(`answers at ${program.url}\n`);
