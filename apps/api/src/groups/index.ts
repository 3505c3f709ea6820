export { GroupsModule } from './groups.module.js';
export { type Grantee, lockGrantees } from './grantees.js';
