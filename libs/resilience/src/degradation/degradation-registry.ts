import { type Clock, systemClock } from '../clock.js';
import type { Capability } from './capability.js';
import type { CurrentLevel, DegradationManager, LevelChange } from './degradation-manager.js';
import { type ServiceLevel, worstLevel } from './service-level.js';

/** What the registry needs of a manager, whatever it serves. */
export type CapabilityLevel = Pick<DegradationManager, 'capability' | 'observe' | 'current' | 'subscribe'>;

/** Recoveries without traffic are noticed at this pace. */
const TICK_MS = 1_000;

/** The degradation managers of the process, one for each capability. */
export class DegradationRegistry {
  private readonly managers = new Map<Capability, CapabilityLevel>();
  private readonly listeners = new Set<(change: LevelChange) => void>();
  private stopTicking?: () => void;

  constructor(private readonly clock: Clock = systemClock) {}

  /** @returns the manager itself */
  define<M extends CapabilityLevel>(manager: M): M {
    if (this.managers.has(manager.capability)) throw new Error(`${manager.capability} is defined twice`);
    this.managers.set(manager.capability, manager);
    manager.subscribe((change) => {
      for (const listener of this.listeners) listener(change);
    });
    return manager;
  }

  /** @throws Error for a capability that was never defined: a mistake in our wiring */
  get(capability: Capability): CapabilityLevel {
    const manager = this.managers.get(capability);
    if (!manager) throw new Error(`There is no degradation manager for ${capability}`);
    return manager;
  }

  list(): ({ capability: Capability } & CurrentLevel)[] {
    return [...this.managers.values()].map((manager) => ({
      capability: manager.capability,
      ...manager.current(),
    }));
  }

  /** The worst of all. */
  get level(): ServiceLevel {
    return worstLevel(...this.list().map(({ level }) => level));
  }

  /**
   * Is told of every change of a level once.
   *
   * @returns how to stop being told
   */
  subscribe(listener: (change: LevelChange) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Looks at all capabilities every second, so that changes are noticed without a request. */
  start(): void {
    this.stopTicking ??= this.clock.after(TICK_MS, () => {
      this.stopTicking = undefined;
      this.start();
      this.list();
    });
  }

  close(): void {
    this.stopTicking?.();
    this.stopTicking = undefined;
  }
}
