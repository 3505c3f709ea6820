export { HoldNotFound, LegalHoldInForce, ReleaseNeedsAnother, ReleaseNotAsked } from './keeping.errors.js';
export {
  type Hold,
  HOLD_SCOPES,
  type HoldQuestion,
  type HoldScope,
  LegalHolds,
  refuseUnder,
} from './legal-holds.js';
export {
  type CommittedValues,
  type Commitment,
  PersonalData,
  type PersonalDatum,
  type SealedValue,
} from './personal-data.js';
