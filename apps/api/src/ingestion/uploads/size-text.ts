const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** A number of bytes as people say it, in steps of 1,024: "100 MB". To one digit behind the point. */
export function sizeText(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Math.round((bytes / 1_024 ** step) * 10) / 10} ${UNITS[step]}`;
}
