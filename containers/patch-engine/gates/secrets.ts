import type { GateLevel } from "@shared/contracts";
import { byFormat, byLibrary, type Credential } from "./credentialFormats.ts";
import { patchAt, type Gate, type GateInput, type Objection } from "./gate.ts";
import { byName } from "./likelyCredential.ts";
import { writtenFiles, type WrittenFile } from "./written.ts";

/**
 * No batch brings in a credential: one of a known format, or a literal that looks made by chance and is given to a name
 * that is to be secret. Only what the batch adds: what stood anywhere in the files it edits may be moved. Findings name
 * what it is and where, and show at most its first four characters; see `Objection.secret`.
 */
export function secrets(level: GateLevel): Gate {
  return { name: "secrets", level, run: check };
}

async function check({ plan, before }: GateInput): Promise<Objection[] | null> {
  const files = writtenFiles(plan);
  if (files.length === 0) return null;
  const known = [...before.values()].flatMap((file) => (file ? [Buffer.from(file.bytes)] : []));
  const objections: Objection[] = [];
  for (const file of files) {
    const { text, lineAt } = addedTo(file);
    for (const credential of await credentialsIn(text)) {
      if (known.some((bytes) => bytes.includes(credential.value))) continue;
      const line = lineAt(credential.start);
      const patchId = patchAt(plan.patches, file.path, line);
      objections.push(objection(file, line, credential, patchId));
    }
  }
  return objections;
}

function objection(file: WrittenFile, line: number, credential: Credential, patchId: string | undefined): Objection {
  const message =
    `A credential (${credential.what}: ${masked(credential.value)}) must not be written into the workspace. ` +
    `Read it from the environment or a secret store.`;
  return {
    code: "SECRET_FOUND",
    finding: { file: file.path, line, message },
    secret: credential.value,
    ...(patchId !== undefined && { patchId }),
  };
}

/** Enough to know it again for who has it, and of no use to others. */
const masked = (secret: string): string =>
  `${secret.length >= 16 ? secret.slice(0, 4) : ""}…, ${secret.length} characters`;

/** A run that could be a token, a password in an address, a key block, or a name that is to be secret. */
const WORTH_A_LOOK =
  /[\w+/=.-]{20}|PRIVATE KEY|:\/\/[^\s/:]{0,200}:[^\s/]{1,200}@|passw|pwd|secret|token|api_?key|pass\b/iu;

/** The credentials in a text, each once, in order. */
async function credentialsIn(text: string): Promise<Credential[]> {
  if (!WORTH_A_LOOK.test(text)) return [];
  const found = [...byFormat(text), ...(await byLibrary(text)), ...byName(text)]
    .filter((credential) => !isPlaceholder(text, credential))
    .toSorted((a, b) => a.start - b.start);
  const credentials: Credential[] = [];
  let end = -1;
  for (const credential of found) {
    // Several rules may know one credential, a part of it, or what it stands in.
    if (credential.start < end) continue;
    credentials.push(credential);
    end = credential.start + credential.value.length;
  }
  return credentials;
}

const STAND_IN =
  /example|sample|placeholder|dummy|change_?-?me|replace|your[_-]|your(?:api|key|token|secret|password)|<[^>]*>|\$\{|\{\{|\$\(|%[sd(]|\$[A-Z_]{3}|process\.env|os\.environ|import\.meta|secrets\.|redacted|insert[_-]|todo|x{6}|\*{3}|\.{3}|…|0{8}|1234567|abcdefgh|fake|mock|not[_-]?a?[_-]?(?:real|secret)|n0t|test[_-]?(?:key|token|secret|password)/iu;
/** Passwords that stand in the documentation of every database. */
const WELL_KNOWN =
  /:\/\/[^:/@\s]*:(?:password|passwd|pass|pw|secret|postgres|root|admin|user|username|test|guest|mysql|mongo|redis|minio(?:admin)?|rabbitmq|sa|dev|devpass|localdev|local|app|db|example|xxx+|\*+|p4ss|changeit|neo4j|elastic)@/iu;
const LOCAL =
  /@(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|host\.docker\.internal|db|database|postgres|mysql|mongo(?:db)?|redis|rabbitmq|cache)(?![\w.-]*\.[a-z]{2,})(?=[:/"'\s?]|$)|@(?:[\w-]+\.)*(?:example\.(?:com|org|net)|test|invalid|localhost|local)(?=[:/"'\s?]|$)/iu;

/** What stands for a credential in documentation and templates. */
function isPlaceholder(text: string, { value, start, what }: Credential): boolean {
  // A long key holds any short word by chance.
  if (value.length < 200 && STAND_IN.test(value)) return true;
  const distinct = new Set(value).size;
  if (distinct < 5 && what !== "connection string") return true;
  const from = Math.max(0, text.lastIndexOf("\n", start) + 1);
  const to = text.indexOf("\n", start + value.length);
  const address = /[a-z][\w+.-]*:\/\/[^\s"'`<>]+/iu.exec(
    text.slice(Math.max(from, start - 60), Math.min(to === -1 ? text.length : to, start + value.length + 300)),
  )?.[0];
  return (
    address !== undefined &&
    address.includes("@") &&
    (WELL_KNOWN.test(address) || (LOCAL.test(address) && value.length < 20))
  );
}

/** The lines a batch wrote in a file as one text, and the line of the file that an offset of it stands on. */
function addedTo({ written, after }: WrittenFile): { text: string; lineAt: (offset: number) => number } {
  const pieces: string[] = [];
  const lines: { offset: number; line: number }[] = [];
  let offset = 0;
  for (const { start, end } of written) {
    for (let line = start; line <= end; line++) {
      lines.push({ offset, line });
      const piece = `${after.lineText(line)}\n`;
      pieces.push(piece);
      offset += piece.length;
    }
  }
  return { text: pieces.join(""), lineAt: (at) => lines.findLast((one) => one.offset <= at)?.line ?? 1 };
}
