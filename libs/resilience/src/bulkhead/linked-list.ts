/** An item of at most one list. Whoever extends it can leave its list from the middle in constant time. */
export class Linked<T extends Linked<T>> {
  list?: LinkedList<T>;
  previous?: T;
  next?: T;
}

/** A queue that takes and gives up items anywhere in constant time. */
export class LinkedList<T extends Linked<T>> {
  first?: T;
  last?: T;

  push(item: T): void {
    item.list = this;
    item.previous = this.last;
    if (this.last) this.last.next = item;
    else this.first = item;
    this.last = item;
  }

  /** @returns false when the item is not, or no longer, in this list */
  remove(item: T): boolean {
    if (item.list !== this) return false;
    if (item.previous) item.previous.next = item.next;
    else this.first = item.next;
    if (item.next) item.next.previous = item.previous;
    else this.last = item.previous;
    item.list = item.previous = item.next = undefined;
    return true;
  }
}
