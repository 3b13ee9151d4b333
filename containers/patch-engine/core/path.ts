import { Buffer } from "node:buffer";
import { vibeError, type VibeError } from "@shared/contracts";

/** The longest workspace path and the longest segment of one, in UTF-8 bytes. */
export const MAX_PATH_BYTES = 1024;
export const MAX_SEGMENT_BYTES = 255;

const CONTROL = /\p{Cc}/u;
/** Names that Windows gives to devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\..*)?$/i;
/** Code points that HFS+ ignores in names, so that `.g\u200cit` is `.git` there. */
const IGNORED_BY_HFS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/gu;
/** `.git`, `.mission_control` and the short names NTFS gives them. */
const RESERVED = /^(?:\.git|git~[0-9]+|\.mission_control|missio~[0-9]+)$/;

/**
 * Whether a path may name a file of a workspace, as far as its text tells: relative, `/` between segments, no way out,
 * nothing another system would read as something else. Null, or an error of PATH_INVALID or PATH_FORBIDDEN.
 */
export function checkPath(path: string): VibeError | null {
  const invalid = (why: string) => vibeError("PATH_INVALID", `The path ${shown(path)} ${why}.`, { file: path });
  if (path === "") return invalid("is empty");
  if (!path.isWellFormed()) {
    return vibeError("ILL_FORMED_UNICODE", "The path holds a lone surrogate.", { file: path.toWellFormed() });
  }
  if (CONTROL.test(path)) return invalid("holds a control character");
  if (path.includes("\\")) return invalid("holds a backslash; segments are separated by /");
  if (path.startsWith("/")) return invalid("is absolute; paths are relative to the workspace");
  if (/^[A-Za-z]:/.test(path)) return invalid("begins with a drive letter");
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return invalid(`is longer than ${MAX_PATH_BYTES} bytes`);

  for (const segment of path.split("/")) {
    if (segment === "") return invalid("has an empty segment");
    if (segment === "." || segment === "..") return invalid(`has a segment ${segment}`);
    if (isReserved(segment)) {
      return vibeError("PATH_FORBIDDEN", `The path ${shown(path)} leads into a reserved directory.`, { file: path });
    }
    if (/[. ]$/.test(segment)) return invalid("has a segment that ends in a dot or a space");
    if (DEVICE.test(segment)) return invalid("has a segment that is the name of a device on Windows");
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) {
      return invalid(`has a segment longer than ${MAX_SEGMENT_BYTES} bytes`);
    }
  }
  return null;
}

/** Reserved under any spelling a file system might fold into it: case, NTFS streams, ignored characters. */
function isReserved(segment: string): boolean {
  const folded = segment.replace(IGNORED_BY_HFS, "").normalize("NFKC").toLowerCase();
  const stream = folded.indexOf(":");
  const name = (stream === -1 ? folded : folded.slice(0, stream)).replace(/[. ]+$/, "");
  return RESERVED.test(name);
}

const shown = (path: string): string =>
  JSON.stringify(path.length > 200 ? `${path.slice(0, 200).toWellFormed()}…` : path);
