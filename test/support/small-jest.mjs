import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { format } from 'node:util';
import { expect } from 'expect';
import { format as pretty } from 'pretty-format';

/** A test that has waited so long for something, and not for a processor, waits for what never comes. */
const HANGS_AFTER_IDLE_MS = 500;
const LOOK_EVERY_MS = 50;

const root = { name: '', before: [], after: [] };
let suite = root;
let file;
let running;

/**
 * As much of Jest as the unit tests of a library need, in this very process: files are loaded once, and their tests can
 * be run one by one and as often as one likes. Errors that nobody catches fail the test under way.
 */
export const tests = new Map();

export async function loadTests(files) {
  Object.assign(globalThis, { describe, it, beforeEach, afterEach, expect });
  for (const event of ['uncaughtException', 'unhandledRejection'])
    process.on(event, (error) => (running ? running.reject(error) : console.error(error)));
  for (file of files) {
    suite = { name: '', parent: root, before: [], after: [] };
    await import(file);
  }
}

/** @returns the error that it failed with, or undefined */
export async function failureOf({ fn, parent }) {
  try {
    for (const { before } of lineage(parent)) for (const hook of before) await limited(hook);
    await limited(fn);
  } catch (error) {
    return error ?? new Error(`threw ${error}`);
  } finally {
    for (const { after } of lineage(parent).reverse())
      for (const hook of after) await limited(hook).catch(() => undefined);
  }
}

function limited(fn) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.eventLoopUtilization();
    const look = setInterval(() => {
      if (performance.eventLoopUtilization(startedAt).idle > HANGS_AFTER_IDLE_MS)
        running.reject(new Error('waits for what never comes'));
    }, LOOK_EVERY_MS);
    const settle = (how) => (value) => {
      clearInterval(look);
      how(value);
    };
    running = { reject: settle(reject) };
    Promise.resolve().then(fn).then(settle(resolve), settle(reject));
  });
}

const lineage = (suite) => (suite ? [...lineage(suite.parent), suite] : []);
const nameOf = (suite, name) =>
  [...lineage(suite).map((each) => each.name), name].filter((each) => each).join(' ');

function describe(name, define) {
  const parent = suite;
  suite = { name, parent, before: [], after: [] };
  define();
  suite = parent;
}

function it(name, fn) {
  const test = { name: nameOf(suite, name), fn, parent: suite, file };
  // Names are not enough: two tests may have the same, and one may have a stack in it.
  test.id = `${basename(file)} ${tests.size + 1}`;
  const snapshots = join(dirname(file), '__snapshots__', `${basename(file)}.snap`);
  test.fn = () => {
    expect.setState({ currentTestName: test.name, snapshots });
    return fn();
  };
  tests.set(test.id, test);
}

it.each = (rows) => (name, fn) => {
  const places = name.match(/%[sdifjop]/g)?.length ?? 0;
  for (const row of rows) {
    const values = Array.isArray(row) ? row : [row];
    it(format(name, ...values.slice(0, places)), () => fn(...values));
  }
};

const beforeEach = (hook) => suite.before.push(hook);
const afterEach = (hook) => suite.after.push(hook);

expect.extend({
  toMatchSnapshot(received) {
    const { currentTestName, snapshots } = this;
    const kept = {};
    new Function('exports', readFileSync(snapshots, 'utf8'))(kept);
    const text = pretty(received, {
      escapeRegex: true,
      printFunctionName: false,
      printBasicPrototype: false,
    });
    const pass = kept[`${currentTestName} 1`]?.trim() === text.trim();
    return { pass, message: () => `is not as in ${snapshots}: ${text}` };
  },
});
