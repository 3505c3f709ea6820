/** Where the process stands between its start and its end; readiness follows it. */
export class Lifecycle {
  private current: 'starting' | 'ready' | 'draining' = 'starting';

  get phase(): 'starting' | 'ready' | 'draining' {
    return this.current;
  }

  /** After this nothing new should be sent here; what is under way is finished. */
  drain(): void {
    this.current = 'draining';
  }

  ready(): void {
    if (this.current === 'starting') this.current = 'ready';
  }
}
