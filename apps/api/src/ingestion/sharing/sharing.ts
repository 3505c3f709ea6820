import type { Grantee } from '../../groups/index.js';
import type { Visibility } from '../documents/document.js';

/** Of a collection: its documents look to it, and it looks to nothing else. */
export type CollectionVisibility = Exclude<Visibility, 'collection'>;

/** How something is shared; there are grants only where the visibility is `shared`. */
export interface Sharing<V extends Visibility = Visibility> {
  visibility: V;
  grants: readonly Grantee[];
}

/** A grant as people see it. */
export interface NamedGrantee extends Grantee {
  /** Of a user, the e-mail address. */
  name: string;
}

/** What a change gives and takes, as `user:…` and `group:…`. */
export interface SharingChange {
  granted: string[];
  revoked: string[];
  /** Whether somebody may have seen it before who does not now. */
  takesAway: boolean;
}

/** Of a document, and of a collection. */
export const MOST_GRANTS = 100;
/** Collections of a tenant that are shared as such. */
export const MOST_COLLECTIONS = 1_000;

export function compareSharing(before: Sharing, after: Sharing): SharingChange {
  const [had, has] = [before.grants.map(keyOf), after.grants.map(keyOf)];
  const granted = has.filter((key) => !had.includes(key));
  const revoked = had.filter((key) => !has.includes(key));
  return { granted, revoked, takesAway: takesAway(before.visibility, after.visibility, revoked) };
}

function takesAway(before: Visibility, after: Visibility, revoked: readonly string[]): boolean {
  if (before === 'private' || after === 'tenant') return false;
  return before !== 'shared' || after !== 'shared' || revoked.length > 0;
}

const keyOf = ({ kind, id }: Grantee) => `${kind}:${id}`;
