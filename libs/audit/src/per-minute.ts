/** Admits so many in each minute and counts the rest. */
export class PerMinute {
  private minute = 0;
  private admitted = 0;
  private refused = 0;

  constructor(private readonly most: number) {}

  admit(): boolean {
    const minute = Math.floor(performance.now() / 60_000);
    if (minute !== this.minute) Object.assign(this, { minute, admitted: 0 });
    if (this.admitted >= this.most) {
      this.refused += 1;
      return false;
    }
    this.admitted += 1;
    return true;
  }

  takeRefused(): number {
    const { refused } = this;
    this.refused = 0;
    return refused;
  }
}
