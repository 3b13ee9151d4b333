import { fail, type Result } from "@shared/contracts";
import { Unzip, UnzipInflate, UnzipPassThrough } from "fflate";

/** Bytes of an archive as it comes, and of the text in it: more is not read. */
const MAX_ARCHIVE_BYTES = 32 * 1024 * 1024;
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 500;
const DOWNLOAD_MS = 30_000;

/** A file of an archive of logs. */
export interface LogFile {
  name: string;
  text: string;
}

/** Where a log archive may stand: an https address, or this machine's where GitHub itself is local. */
function mayFetch(link: string, apiUrl: string): boolean {
  if (!URL.canParse(link)) return false;
  const { protocol, hostname } = new URL(link);
  return protocol === "https:" || (protocol === "http:" && new URL(apiUrl).hostname === hostname);
}

/**
 * Fetches a log archive by its link and unpacks what `wants` names. The link speaks for itself and is good for a minute:
 * no credential goes there. Bounded before, while and after it is unpacked, so that a small archive cannot become large.
 */
export async function fetchArchive(
  link: string,
  { apiUrl, wants }: { apiUrl: string; wants: (name: string) => boolean },
): Promise<Result<{ files: LogFile[] }>> {
  if (!mayFetch(link, apiUrl)) return fail("UPSTREAM_REFUSED", "GitHub led to no address that logs may come from");
  try {
    const response = await fetch(link, { redirect: "follow", signal: AbortSignal.timeout(DOWNLOAD_MS) });
    // The link's minute is over, or the logs are gone.
    if (response.status === 403 || response.status === 404 || response.status === 410) {
      await response.body?.cancel();
      return fail("NOT_FOUND", `the logs cannot be had by their link (${response.status})`);
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      return fail("UPSTREAM_UNAVAILABLE", `the logs' store answered ${response.status}`);
    }
    return await unpack(response.body, wants);
  } catch {
    return fail("UPSTREAM_UNAVAILABLE", "the logs broke off while they were fetched");
  }
}

class Bound extends Error {}

async function unpack(
  body: ReadableStream<Uint8Array>,
  wants: (name: string) => boolean,
): Promise<Result<{ files: LogFile[] }>> {
  const files = new Map<string, { decoder: TextDecoder; text: string }>();
  let bytes = 0;
  let failure: string | null = null;
  const unzip = new Unzip((file) => {
    if (!wants(file.name) || files.size >= MAX_FILES) return;
    const held = { decoder: new TextDecoder(), text: "" };
    files.set(file.name, held);
    file.ondata = (error, chunk, final) => {
      if (error) {
        failure = "the archive is damaged";
        return;
      }
      bytes += chunk.byteLength;
      if (bytes > MAX_TEXT_BYTES) {
        file.terminate();
        throw new Bound();
      }
      held.text += held.decoder.decode(chunk, { stream: !final });
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  unzip.register(UnzipPassThrough);
  const reader = body.getReader();
  let read = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      read += value.byteLength;
      if (read > MAX_ARCHIVE_BYTES) throw new Bound();
      unzip.push(value, false);
    }
    unzip.push(new Uint8Array(0), true);
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    return error instanceof Bound
      ? fail("UPSTREAM_REFUSED", "the logs are too large to read")
      : fail("UPSTREAM_REFUSED", "the logs are no archive that can be unpacked");
  }
  return failure === null
    ? { ok: true, files: [...files].map(([name, { text }]) => ({ name, text })) }
    : fail("UPSTREAM_REFUSED", failure);
}
