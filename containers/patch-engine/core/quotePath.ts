import { Buffer } from "node:buffer";

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);

/** A path as git writes it in a diff with core.quotePath on: in quotes with C escapes where it is not plain ASCII. */
export function quotePath(path: string): string {
  if (/^[ !#-[\]-~]*$/.test(path)) return path;
  let quoted = "";
  for (const byte of Buffer.from(path)) {
    const escape = ESCAPES.get(byte);
    if (escape !== undefined) quoted += escape;
    else if (byte < 0x20 || byte >= 0x7f) quoted += `\\${byte.toString(8).padStart(3, "0")}`;
    else quoted += String.fromCharCode(byte);
  }
  return `"${quoted}"`;
}
