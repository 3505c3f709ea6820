import { rm } from 'node:fs/promises';
import { running } from './running-postgres.js';

export default async function stopTestServer(): Promise<void> {
  await running.server?.stop();
  if (running.folder) await rm(running.folder, { recursive: true, force: true });
}
