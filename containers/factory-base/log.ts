export type LogLevel = "info" | "warn" | "error";
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** Structured log: one JSON object a line, for a person or a collector. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** `secrets` are cut out of every line by value, whichever field they slipped into. */
export function createLog(options: {
  write: (line: string) => void;
  now: () => Date;
  secrets: readonly string[];
}): Log {
  // A secret stands in a line as JSON writes it.
  const secrets = options.secrets.filter(Boolean).map((secret) => JSON.stringify(secret).slice(1, -1));
  const write = (level: LogLevel, message: string, fields: LogFields = {}) => {
    const line = JSON.stringify({ ts: options.now().toISOString(), level, message, ...fields });
    options.write(`${secrets.reduce((text, secret) => text.replaceAll(secret, "[redacted]"), line)}\n`);
  };
  return {
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
  };
}
