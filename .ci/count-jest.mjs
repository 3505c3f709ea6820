// Prints "passed failed skipped" of a Jest result file. A suite that could not be loaded counts as one failure.
import { readFileSync } from 'node:fs';

const result = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
process.stdout.write(`${result.numPassedTests} ${failed} ${result.numPendingTests + result.numTodoTests}\n`);
