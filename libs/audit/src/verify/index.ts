export { ARCHIVE_FORMAT, type ArchiveRecord } from './archive.js';
export { EXIT_CODES, type Finding, type FindingKind, type Verdict } from './finding.js';
export { readArchive, readArchiveWithin } from './read-archive.js';
export { type AnchoredCheckpoint, ArchiveUnreadable, ArchiveVerifier } from './verifier.js';
