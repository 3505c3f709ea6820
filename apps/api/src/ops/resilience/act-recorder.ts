import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { type AuditDetail, AuditLog, INSTALLATION, systemActor } from '#libs/audit';
import { Faults } from '#libs/faults';
import { type PolicyEvent, PolicyRegistry } from '#libs/resilience';

/** Writes into the installation's audit log what the program does by itself: circuits that change, faults that end. */
@Injectable()
export class ActRecorder implements OnModuleInit, OnModuleDestroy {
  private readonly unsubscribe: (() => void)[] = [];

  constructor(
    private readonly policies: PolicyRegistry,
    private readonly faults: Faults,
    private readonly audit: AuditLog,
  ) {}

  onModuleInit(): void {
    this.unsubscribe.push(
      this.policies.events.subscribe((event) => this.recordTransition(event)),
      this.faults.onAutoStop(({ rules }) =>
        this.record(
          'fault.auto-stop',
          rules.map((id) => ({ type: 'fault', id })),
          {},
        ),
      ),
    );
  }

  onModuleDestroy(): void {
    for (const unsubscribe of this.unsubscribe.splice(0)) unsubscribe();
  }

  private recordTransition({ policy, from, to, detail }: PolicyEvent): void {
    if (from === undefined || to === undefined || from === to) return;
    this.record('resilience.transition', [{ type: 'policy', id: policy }], { ...detail, from, to });
  }

  /** Later, because we are told in the middle of a call that may be one of the database. */
  private record(action: string, targets: { type: string; id: string }[], detail: AuditDetail): void {
    setImmediate(() => {
      const actor = systemActor(INSTALLATION);
      void this.audit.note({
        action,
        category: 'system',
        actor,
        targets,
        outcome: 'success',
        context: {},
        detail,
      });
    });
  }
}
