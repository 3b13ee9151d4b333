export type LogLevel = "debug" | "info" | "warn" | "error";
/** What a line says beside its message: JSON values, or an Error, of which name, message and stack are kept. */
export type LogFields = { [key: string]: unknown };

/** Structured logs: one JSON object a line. Fields given to `child` stand in each of its lines. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Fields of every line, such as the Worker's name. */
  fields?: LogFields;
  /** Values that never appear in a line, wherever they stand in it. Those under 8 characters are ignored: they would hit plain words. */
  secrets?: readonly string[];
  now?: () => Date;
  /** Where a line goes. Default: the console, which is a Worker's log stream. */
  write?: (level: LogLevel, line: string) => void;
}

const REDACTED = "[redacted]";
const MIN_SECRET = 8;
/** Fields whose value is a secret whatever it is. */
const SECRET_NAME =
  /(?:^|[_-])(?:authorization|cookie|password|secret|token|api[_-]?key|private[_-]?key)$|(?:Token|Secret|Password|ApiKey)$/i;
const MAX_STRING = 8192;
const MAX_DEPTH = 8;

/** Removes every secret from a text. The longest goes first, so that one that contains another leaves no rest. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const known = [...new Set(secrets)].filter((s) => s.length >= MIN_SECRET).toSorted((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of known) clean = clean.replaceAll(secret, REDACTED);
    return clean.replaceAll(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`);
  };
}

/**
 * A value as plain JSON with its texts redacted, and with what stands under a secret's name replaced. Texts are cut at
 * 8,192 UTF-16 units, after redaction, so that no cut leaves half of a secret unrecognised.
 */
export const redactedValue = (value: unknown, redact: (text: string) => string): unknown => plain(value, redact, 0);

function plain(value: unknown, redact: (text: string) => string, depth: number): unknown {
  if (typeof value === "string") {
    const text = redact(value);
    return text.length > MAX_STRING ? `${text.slice(0, MAX_STRING)}…` : text;
  }
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[…]";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    return plain({ name, message, stack, ...(cause === undefined ? {} : { cause }) }, redact, depth);
  }
  if (Array.isArray(value)) return value.map((item) => plain(item, redact, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      redact(key),
      SECRET_NAME.test(key) && typeof item === "string" ? REDACTED : plain(item, redact, depth + 1),
    ]),
  );
}

const toConsole = (level: LogLevel, line: string): void => console[level](line);

export function createLogger(options: LoggerOptions = {}): Logger {
  const { fields: base = {}, secrets = [], now = () => new Date(), write = toConsole } = options;
  const redact = redactor(secrets);
  const withFields = (own: LogFields): Logger => {
    const line = (level: LogLevel) => (message: string, fields?: LogFields) => {
      const record = { ts: now().toISOString(), level, message, ...own, ...fields };
      write(level, JSON.stringify(plain(record, redact, 0)));
    };
    return {
      debug: line("debug"),
      info: line("info"),
      warn: line("warn"),
      error: line("error"),
      child: (more) => withFields({ ...own, ...more }),
    };
  };
  return withFields(base);
}
