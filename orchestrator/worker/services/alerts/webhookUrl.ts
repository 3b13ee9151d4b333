import { fail, type Result } from "@shared/contracts";

/** Names that stand for this machine or for a network's inside (RFC 6761, RFC 6762, RFC 8375, and ICANN's `.internal`). */
const INSIDE =
  /(?:^|\.)(?:localhost|local|internal|intranet|lan|corp|home|private|home\.arpa|in-addr\.arpa|ip6\.arpa)$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Networks that are not the public internet: IANA's special-purpose registries of IPv4 and IPv6. */
const IPV4_INSIDE: readonly [string, number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** Whether this instance runs on somebody's machine: `npm start` names it so, a deployment must not. */
export const isLocalInstance = (env: Pick<Env, "INSTANCE">): boolean => /^(?:local|port-\d+)$/.test(env.INSTANCE);

/**
 * Where a webhook may be sent: https on the public internet, with no name and password in the address; of a local instance
 * also its own machine, by http too. A Worker cannot see what a name resolves to before it connects, so a public name of a
 * private address passes here; the platform's network has no way to one. Errors: VALIDATION_FAILED.
 */
export function checkWebhookUrl(env: Pick<Env, "INSTANCE">, text: string): Result<{ url: URL }> {
  // Writes an address of any spelling (octal, hexadecimal, one number) in its usual form, as a fetch would.
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return fail("VALIDATION_FAILED", "url: not an address");
  if (url.username !== "" || url.password !== "") {
    return fail("VALIDATION_FAILED", "url: no name and password here; deliveries are signed");
  }
  const host = url.hostname.replace(/\.$/, "").toLowerCase();
  if (isLocalInstance(env) && LOOPBACK.test(host) && (url.protocol === "http:" || url.protocol === "https:")) {
    return { ok: true, url };
  }
  if (url.protocol !== "https:") return fail("VALIDATION_FAILED", "url: only https");
  if (isInside(host)) return fail("VALIDATION_FAILED", "url: not an address on the public internet");
  return { ok: true, url };
}

function isInside(host: string): boolean {
  if (host.startsWith("[")) return isInsideIpv6(host.slice(1, -1));
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(host)) return isInsideIpv4(host);
  // A name without a dot is one of a network's own.
  return !host.includes(".") || INSIDE.test(host);
}

const numberOf = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

const isInsideIpv4 = (address: string): boolean =>
  IPV4_INSIDE.some(([network, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(numberOf(address) / size) === Math.floor(numberOf(network) / size);
  });

/** Only 2000::/3 is the public internet, and of that not what carries an IPv4 address inside or is for documents alone. */
function isInsideIpv6(address: string): boolean {
  const groups = groupsOf(address);
  const [first = 0, second = 0] = groups;
  if (first < 0x2000 || first > 0x3fff) return true;
  // 2001::/23 (protocols, Teredo), 2001:db8::/32 and 3fff::/20 (documents).
  if (first === 0x2001 && (second < 0x200 || second === 0xdb8)) return true;
  if (first === 0x3fff && second < 0x1000) return true;
  // 6to4: the IPv4 address stands in the next two groups.
  return first === 0x2002;
}

const numbersOf = (part: string): number[] =>
  part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));

/** The eight groups of an address as `URL` writes it: no dots, at most one `::`. */
function groupsOf(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const [before, after] = [numbersOf(head), tail === undefined ? [] : numbersOf(tail)];
  return [...before, ...Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0), ...after];
}
