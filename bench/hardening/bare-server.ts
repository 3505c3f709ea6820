import 'reflect-metadata';
import { Body, Controller, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ANSWER } from './answer.js';

/*
 * What the hardened question endpoint is compared with: Nest on Fastify as they come, with one route that takes JSON and
 * answers with ANSWER. `endpoint.ts` starts it as a process of its own.
 */

@Controller('v1/conversations/:id/questions')
class BareController {
  @Post()
  @HttpCode(200)
  ask(@Body() body: { question?: unknown }): unknown {
    if (typeof body.question !== 'string') throw new Error('There is no question');
    return ANSWER;
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

const app = await NestFactory.create<NestFastifyApplication>(BareModule, new FastifyAdapter(), {
  logger: false,
});
await app.listen(0, '127.0.0.1');
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
// As our program announces itself.
process.stderr.write(`answers at ${await app.getUrl()}\n`);
