/** The hash of a tree, as the engine computes it, from a listing: so that what is shown can be held against the record. */

interface TreeEntry {
  path: string;
  mode: string;
  sha256: string;
}

const encoder = new TextEncoder();

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** SHA-256 over the RFC 8785 text of `[path, mode, sha256]`, sorted by the paths' bytes. Strings alone: JSON's own text is canonical. */
export async function treeHashOf(files: readonly TreeEntry[]): Promise<string> {
  const sorted = files
    .map((file) => ({ file, bytes: encoder.encode(file.path) }))
    .toSorted((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ file }) => [file.path, file.mode, file.sha256]);
  return sha256(encoder.encode(JSON.stringify(sorted)));
}

export const textHash = (text: string): Promise<string> => sha256(encoder.encode(text));
