import type { Cell } from './cell.js';
import { mergedInto, pageOf, type Score } from './scorecard.js';

const scoreOf = (id: string, verdict: Score['verdict'], reason: string): Score => ({
  cell: { id, dependency: 'PostgreSQL', fault: `${id} breaks` } as Cell,
  verdict,
  reasons: [reason],
});

describe('what was played again', () => {
  const page = pageOf(
    [scoreOf('F01', 'failed', 'one'), scoreOf('F02', 'failed', 'two'), scoreOf('F03', 'not run', 'three')],
    30,
  );

  it('takes its own place on the scorecard and no other', () => {
    const merged = mergedInto(page, [scoreOf('F02', 'passed', 'better')]);
    expect(merged).toContain('**1 passed, 1 failed, 1 not run**');
    expect(merged).toMatch(/^\| F02 .* passed \|$/m);
    expect(merged).toMatch(/^### F02 passed: .*\n\n- better\n- played at commit \w+\n\n### F03 /m);
    const others = (text: string) => text.split('\n').filter((line) => /F0[13]|one|three/.test(line));
    expect(others(merged)).toEqual(others(page));
  });

  it('may be the last one', () => {
    const merged = mergedInto(page, [scoreOf('F03', 'passed', 'played now')]);
    expect(merged).toMatch(/- played now\n- played at commit \w+\n$/);
    expect(mergedInto(merged, [scoreOf('F03', 'not run', 'three')])).toContain(
      '0 passed, 2 failed, 1 not run',
    );
  });

  it('comes last when it was never played before', () => {
    const merged = mergedInto(page, [scoreOf('F99', 'passed', 'new')]);
    expect(merged).toContain('**1 passed, 2 failed, 1 not run**');
    expect(merged).toMatch(/^\| F03 .*\n\| F99 .* passed \|\n\n## What was measured$/m);
    expect(merged).toMatch(/- three\n\n### F99 passed: .*\n\n- new\n- played at commit \w+\n$/);
  });
});
