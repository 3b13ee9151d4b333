import { fail, type Result } from "@shared/contracts";

/** Where this host may push: everything below one of these addresses. */
export type PushRemotes = readonly URL[];

const isLoopback = ({ hostname }: URL): boolean => ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
/** https, or http of this machine itself. */
const isSecure = (url: URL): boolean => url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));

const isPlain = (url: URL): boolean => url.username + url.password + url.search + url.hash === "";

/** `https://github.com,https://git.example/team/`: null where one of them is no address that is safe to push to. */
export function readPushRemotes(text: string): PushRemotes | null {
  const entries = text.split(",").filter((entry) => entry.trim() !== "");
  if (!entries.every((entry) => URL.canParse(entry))) return null;
  const urls = entries.map((entry) => new URL(entry));
  return urls.every((url) => isSecure(url) && isPlain(url)) ? urls : null;
}

/** The remote as git is to be given it. Errors: SOURCE_INVALID for its form, or where it is not on the list. */
export function resolvePushRemote(remote: string, allowed: PushRemotes): Result<{ address: string }> {
  if (!URL.canParse(remote)) return fail("SOURCE_INVALID", "the remote is no address");
  const url = new URL(remote);
  if (url.username !== "" || url.password !== "") return fail("SOURCE_INVALID", "the remote carries credentials");
  // What the URL's parser has to correct, another program could read otherwise.
  if (url.href !== remote || !isSecure(url) || url.search + url.hash !== "" || /%|\/\/|\\/.test(url.pathname)) {
    return fail("SOURCE_INVALID", "the remote is not a plain https address");
  }
  const below = (entry: URL): boolean =>
    entry.origin === url.origin &&
    (url.pathname === entry.pathname || url.pathname.startsWith(entry.pathname.replace(/\/?$/, "/")));
  if (!allowed.some(below))
    return fail("SOURCE_INVALID", "this host does not push there: its ENGINE_PUSH_REMOTES does not name it");
  return { ok: true, address: url.href };
}
