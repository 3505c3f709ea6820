import type { EmbeddingReply } from './fake-embeddings.js';
import type { Reply } from './fake-model-protocols.js';

/** What the three kinds of call are answered, rule by rule; the first rule that applies decides. */
export interface Script {
  /** For rules with a share: the same calls in the same order have the same fate. */
  seed?: number;
  chat?: Rule<Reply>[];
  embeddings?: Rule<EmbeddingReply>[];
  models?: Rule<ModelsReply>[];
}

export type Rule<R> = R & {
  /** Of the calls that come to this rule, 0 to 1; all unless given. */
  share?: number;
  /** Calls after which the rule is used up. */
  times?: number;
  /** Only for calls whose body has this text. */
  containing?: string;
};

/** The list of models, which probes ask for. */
export interface ModelsReply {
  failure?: 'hang' | 'status';
  status?: number;
}

export type CallKind = 'chat' | 'embeddings' | 'models';

/** A script that is being followed. */
export class ScriptRun {
  private readonly used = new Map<object, number>();
  private state: number;

  constructor(private readonly script: Script) {
    this.state = (script.seed ?? 1) >>> 0;
  }

  /** What the script says to this call; undefined when no rule applies. */
  replyTo(kind: 'chat', body: string): Reply | undefined;
  replyTo(kind: 'embeddings', body: string): EmbeddingReply | undefined;
  replyTo(kind: 'models', body: string): ModelsReply | undefined;
  replyTo(kind: CallKind, body: string): object | undefined {
    return (this.script[kind] as Rule<object>[] | undefined)?.find((rule) => this.applies(rule, body));
  }

  private applies(rule: Rule<object>, body: string): boolean {
    const { share = 1, times = Infinity, containing } = rule;
    const used = this.used.get(rule) ?? 0;
    if (used >= times || (containing !== undefined && !body.includes(containing))) return false;
    if (share < 1 && this.random() >= share) return false;
    this.used.set(rule, used + 1);
    return true;
  }

  /** Mulberry32. */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}
