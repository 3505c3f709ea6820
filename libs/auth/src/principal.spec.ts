import { type Permission, PERMISSIONS, permissionsOf, roleAllows, ROLES } from './principal.js';

describe('the permission matrix', () => {
  it.each<[Permission, string]>([
    ['account.own', 'member manager admin operator'],
    ['document.read', 'member manager admin operator'],
    ['document.write', 'member manager admin operator'],
    ['document.share', 'manager admin operator'],
    ['group.manage', 'admin operator'],
    ['ingestion.manage', 'admin operator'],
    ['question.ask', 'member manager admin operator'],
    ['conversation.read', 'member manager admin operator'],
    ['conversation.write', 'member manager admin operator'],
    ['key.manage', 'member manager admin operator'],
    ['privacy.own', 'member manager admin operator'],
    ['privacy.manage', 'admin operator'],
    ['audit.read', 'admin operator'],
    ['user.manage', 'admin operator'],
    ['system.metrics', 'admin operator'],
    ['system.audit', 'operator'],
  ])('gives %s to %s', (permission, roles) => {
    expect(ROLES.filter((role) => roleAllows(role, permission))).toEqual(roles.split(' '));
  });

  it('lists what a role may do', () => {
    expect(permissionsOf('operator').toSorted()).toEqual([...PERMISSIONS].toSorted());
    expect(permissionsOf('member')).not.toContain('audit.read');
  });
});
