import { HELP, readArguments, UsageError } from './arguments.js';

describe('readArguments', () => {
  it('takes the samples when nothing is said', () => {
    expect(readArguments([])).toEqual({ kind: 'samples', keep: false });
    expect(readArguments(['--keep'])).toEqual({ kind: 'samples', keep: true });
  });

  it('takes a file and a question, spaces and all', () => {
    expect(readArguments(['my plan 2026.pdf', ' Is physiotherapy covered? '])).toEqual({
      kind: 'own-file',
      keep: false,
      file: 'my plan 2026.pdf',
      question: 'Is physiotherapy covered?',
    });
  });

  it('takes options before and after the file', () => {
    expect(readArguments(['--keep', 'a.pdf', 'Why?'])).toEqual(readArguments(['a.pdf', 'Why?', '--keep']));
  });

  it.each([['--help'], ['-h']])('shows the help for %s, whatever else is there', (option) => {
    expect(readArguments(['a.pdf', option])).toEqual({ kind: 'help' });
  });

  it.each([[['a.pdf']], [['a.pdf', '  ']]])('asks for the question that is missing in %j', (args) => {
    expect(() => readArguments(args)).toThrow('Give a question about a.pdf');
  });

  it('says how to quote a question that came in pieces', () => {
    expect(() => readArguments(['a.pdf', 'Is', 'it', 'covered?'])).toThrow('"a.pdf" "Is it covered?"');
  });

  it('refuses an unknown option and shows the help', () => {
    expect(() => readArguments(['--fast'])).toThrow(UsageError);
    expect(() => readArguments(['--fast'])).toThrow("Unknown option '--fast'");
    expect(() => readArguments(['--fast'])).toThrow(HELP);
  });
});
