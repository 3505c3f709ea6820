/** PostgreSQL's error codes that something here depends on (its manual, appendix A). */
export const CANNOT_CONNECT_NOW = '57P03';
export const TOO_MANY_CONNECTIONS = '53300';
