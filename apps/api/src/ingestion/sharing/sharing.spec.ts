import { compareSharing, type Sharing } from './sharing.js';

const bob = { kind: 'user', id: 'bob' } as const;
const team = { kind: 'group', id: 'team' } as const;
const shared = (...grants: Sharing['grants']): Sharing => ({ visibility: 'shared', grants });
const plain = (visibility: Sharing['visibility']): Sharing => ({ visibility, grants: [] });

describe('a change of what is shared', () => {
  it('names what it gives and what it takes', () => {
    expect(compareSharing(shared(bob), shared(team))).toEqual({
      granted: ['group:team'],
      revoked: ['user:bob'],
      takesAway: true,
    });
  });

  it.each<[string, Sharing, Sharing, boolean]>([
    ['private to shared', plain('private'), shared(bob), false],
    ['private to its collection', plain('private'), plain('collection'), false],
    ['shared with one more', shared(bob), shared(bob, team), false],
    ['the same again', shared(bob), shared(bob), false],
    ['shared with one less', shared(bob, team), shared(bob), true],
    ['shared to private', shared(bob), plain('private'), true],
    ['shared to the tenant', shared(bob), plain('tenant'), false],
    ['the tenant to shared', plain('tenant'), shared(bob), true],
    ['the tenant to its collection', plain('tenant'), plain('collection'), true],
    ['its collection to shared', plain('collection'), shared(bob), true],
    ['its collection to the tenant', plain('collection'), plain('tenant'), false],
  ])('from %s takes away from somebody: see the last column', (_, before, after, takes) => {
    expect(compareSharing(before, after).takesAway).toBe(takes);
  });
});
