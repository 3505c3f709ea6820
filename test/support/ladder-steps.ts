import {
  type DegradationOptions,
  DegradationManager,
  FunctionFallback,
  type ServiceLevel,
  StreamFallback,
} from '#libs/resilience';

type Options = DegradationOptions<string, string, string>;
type Manager = DegradationManager<string, string, string>;

export const never = new AbortController().signal;

export const managerOf = (options: Options = {}): Manager =>
  new DegradationManager('answer.generate', options);

/** A step that answers with its name and the question. */
export const says = (name: string, level: ServiceLevel = 'full') =>
  new FunctionFallback<string, string>(name, level, async (question) => `${name}: ${question}`);

export const fails = (name: string, error: unknown, level: ServiceLevel = 'full') =>
  new FunctionFallback<string, string>(name, level, () => Promise.reject(error as Error));

/** A step that gives out the items, up to an error among them, and returns them together. */
export const streams = (name: string, level: ServiceLevel, ...items: (string | Error)[]) =>
  new StreamFallback<string, string, string>(name, level, async function* () {
    for (const item of items) {
      if (item instanceof Error) throw item;
      yield item;
    }
    return items.join('');
  });
