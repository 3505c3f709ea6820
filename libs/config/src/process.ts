/** Whether an npm script started this process; npm then is its parent, or its parent's parent. */
export function startedByNpm(): boolean {
  return process.env.npm_lifecycle_event !== undefined;
}
