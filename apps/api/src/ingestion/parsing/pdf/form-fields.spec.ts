import { readFields } from './form-fields.js';

const widget = (fields: Record<string, unknown>) => ({
  id: '1R',
  subtype: 'Widget',
  rect: [0, 0, 10, 10],
  ...fields,
});

async function linesOf(...annotations: unknown[]): Promise<string[][]> {
  const page = { getAnnotations: () => Promise.resolve(annotations) };
  return (await readFields(page as never)).map((field) => field.lines);
}

describe('readFields', () => {
  it('reads text line by line, and notes typed onto the page', async () => {
    expect(
      await linesOf(
        widget({ fieldType: 'Tx', fieldValue: 'Alice\rExample\n' }),
        widget({ fieldType: 'Tx', fieldValue: '' }),
        { ...widget({}), subtype: 'FreeText', contentsObj: { str: 'Paid on May 2' } },
        { ...widget({}), subtype: 'Link' },
      ),
    ).toEqual([['Alice', 'Example'], ['Paid on May 2']]);
  });

  it('shows what was ticked, and nothing for what was not', async () => {
    const box = (fieldValue: string) =>
      widget({ fieldType: 'Btn', checkBox: true, fieldValue, exportValue: 'Yes' });
    const radio = (buttonValue: string) =>
      widget({ fieldType: 'Btn', radioButton: true, fieldValue: 'ppo', buttonValue });
    expect(await linesOf(box('Yes'), box('Off'), radio('ppo'), radio('hmo'))).toEqual([['[x]'], ['[x]']]);
  });

  it('shows the words of a choice rather than its code', async () => {
    const options = [{ exportValue: 'p', displayValue: 'Preferred plan' }];
    expect(await linesOf(widget({ fieldType: 'Ch', fieldValue: ['p'], options }))).toEqual([
      ['Preferred plan'],
    ]);
    expect(await linesOf(widget({ fieldType: 'Ch', fieldValue: 'other', options }))).toEqual([['other']]);
  });

  it('names buttons, and leaves out what is hidden', async () => {
    expect(
      await linesOf(
        widget({ fieldType: 'Btn', pushButton: true, fieldName: 'Send' }),
        widget({ fieldType: 'Tx', fieldValue: 'secret', hidden: true }),
      ),
    ).toEqual([['Send']]);
  });
});
