import { gzipSync } from "node:zlib";
import { Header } from "tar";

export interface TarEntry {
  path: string;
  content?: string | Buffer;
  type?: "File" | "Directory" | "SymbolicLink" | "Link" | "CharacterDevice" | "FIFO";
  linkpath?: string;
  mode?: number;
  /** What the header says, where that is a lie. */
  size?: number;
}

/** A tarball made header by header, so that it can say what no honest program would write. */
export function tarball(entries: readonly TarEntry[]): Buffer {
  return gzipSync(tar(entries));
}

export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, content = "", type = "File", linkpath, mode = 0o644, size } of entries) {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    new Header({ path, type, mode, linkpath, size: size ?? bytes.length, mtime: new Date(0) }).encode(header, 0);
    blocks.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** As npm packs a directory. */
export const packed = (files: Record<string, string>, executable: string[] = []): Buffer =>
  tarball(
    Object.entries(files).map(([path, content]) => ({
      path: `package/${path}`,
      content,
      mode: executable.includes(path) ? 0o755 : 0o644,
    })),
  );
