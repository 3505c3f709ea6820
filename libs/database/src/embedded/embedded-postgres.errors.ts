/** Why the embedded server does not run; programs switch on this, people read the message. */
export type EmbeddedPostgresErrorCode =
  /** No package holds PostgreSQL for this platform, or what it holds cannot be run here. */
  | 'no-binaries'
  /** The data folder cannot be created or written, or its database belongs to another user. */
  | 'folder-not-writable'
  /** Another living process runs a server in the data folder. */
  | 'folder-in-use'
  /** The port that was asked for belongs to somebody else. */
  | 'port-taken'
  /** The folder holds a database but not the password file that goes with it. */
  | 'password-missing'
  /** The database was made by another major version of PostgreSQL. */
  | 'incompatible-data'
  | 'initdb-failed'
  | 'start-failed';

/** The embedded server could not be started. The message names the folder, port or process in the way. */
export class EmbeddedPostgresError extends Error {
  constructor(
    readonly code: EmbeddedPostgresErrorCode,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = 'EmbeddedPostgresError';
  }
}
