import { seededRandom, type SeededRandom } from "../../worker/services/ai-providers/routing/seededRandom.ts";
import type { LabelledLine } from "./logLine.ts";

/** Draws what varies from line to line. */
class Draw {
  readonly #random: SeededRandom;
  constructor(random: SeededRandom) {
    this.#random = random;
  }

  int(min: number, max: number): number {
    return min + Math.floor(this.#random.next() * (max - min + 1));
  }
  of<T>(all: readonly [T, ...T[]]): T {
    return all[this.int(0, all.length - 1)] ?? all[0];
  }
  text(alphabet: string, length: number): string {
    let text = "";
    for (let at = 0; at < length; at += 1) text += alphabet[this.int(0, alphabet.length - 1)];
    return text;
  }
  hex = (length: number): string => this.text("0123456789abcdef", length);
  uuid = (): string => [8, 4, 4, 4, 12].map((length) => this.hex(length)).join("-");
  ip = (): string => Array.from({ length: 4 }, () => this.int(1, 254)).join(".");
  name = (): string => this.of(["alice", "bob", "chandra", "dmitri", "eve.long", "frank-7", "zoë"]);
  time = (): string => new Date(1_790_000_000_000 + this.int(0, 8_000_000_000)).toISOString();
  ms = (): number => this.int(1, 40_000);
  line = (): string => `${this.int(1, 12_000)}:${this.int(1, 90)}`;
  version = (): string => `${this.int(0, 22)}.${this.int(0, 40)}.${this.int(0, 12)}`;
}

type Write = (draw: Draw) => string;
type Cause = readonly [name: string, kind: LabelledLine["kind"], source: string, write: Write];

const W = "worker-log";
const B = "build-log";

/** Forty causes. Several differ in one word, one name or the function on top of the stack alone. */
const CAUSES: readonly Cause[] = [
  [
    "gateway reads id of nothing in loadUser",
    W,
    "gateway",
    (d) =>
      `TypeError: Cannot read properties of undefined (reading 'id')\n    at loadUser (index.js:${d.line()})\n    at async Object.fetch (index.js:${d.line()})`,
  ],
  [
    "gateway reads id of nothing in loadCart",
    W,
    "gateway",
    (d) =>
      `TypeError: Cannot read properties of undefined (reading 'id')\n    at loadCart (index.js:${d.line()})\n    at async Object.fetch (index.js:${d.line()})`,
  ],
  [
    "gateway reads email of nothing in loadUser",
    W,
    "gateway",
    (d) =>
      `Uncaught TypeError: Cannot read properties of null (reading 'email')\n    at loadUser (index.js:${d.line()})`,
  ],
  ["gateway no table carts", W, "gateway", (d) => `D1_ERROR: no such table: carts: SQLITE_ERROR (request ${d.uuid()})`],
  ["gateway no table users", W, "gateway", (d) => `D1_ERROR: no such table: users: SQLITE_ERROR (request ${d.uuid()})`],
  [
    "gateway search 503",
    W,
    "gateway",
    (d) =>
      `GET https://search.internal/query?q=${d.text("abcdef", 6)}&page=${d.int(1, 90)} answered 503 in ${d.ms()}ms`,
  ],
  [
    "gateway search 429",
    W,
    "gateway",
    (d) =>
      `GET https://search.internal/query?q=${d.text("abcdef", 6)}&page=${d.int(1, 90)} answered 429 in ${d.ms()}ms`,
  ],
  [
    "gateway billing 503",
    W,
    "gateway",
    (d) => `GET https://billing.internal/accounts/${d.int(1, 99_999)} answered 503 in ${d.ms()}ms`,
  ],
  ["gateway login", W, "gateway", (d) => `login failed for user ${d.name()} from ${d.ip()}`],
  [
    "gateway rate limit",
    W,
    "gateway",
    (d) => `rate limit of ${d.int(10, 900)} requests reached for token ${d.text("abcdefghijklmnop", 4)}_${d.hex(24)}`,
  ],
  ["checkout cpu", W, "checkout", (d) => `${d.of(["", "Error: ", "Uncaught Error: "])}Worker exceeded CPU time limit.`],
  [
    "checkout memory",
    W,
    "checkout",
    (d) => `${d.of(["", "Error: ", "Uncaught Error: "])}Worker exceeded memory limit.`,
  ],
  [
    "checkout queue",
    W,
    "checkout",
    (d) => `Error: Queue send failed: message of ${d.int(131_073, 900_000)} bytes is over the limit of 131072 bytes`,
  ],
  ["checkout payment", W, "checkout", (d) => `payment pi_${d.hex(20)} of order ORD-${d.uuid()} refused: card_expired`],
  [
    "checkout payment funds",
    W,
    "checkout",
    (d) => `payment pi_${d.hex(20)} of order ORD-${d.uuid()} refused: insufficient_funds`,
  ],
  [
    "checkout structured",
    W,
    "checkout",
    (d) =>
      JSON.stringify({
        level: "error",
        ts: d.time(),
        request: d.uuid(),
        message: "stock could not be reserved",
        sku: `SKU-${d.int(1, 9_999)}`,
        code: "E_STOCK",
      }),
  ],
  [
    "checkout structured price",
    W,
    "checkout",
    (d) =>
      JSON.stringify({
        level: "error",
        ts: d.time(),
        request: d.uuid(),
        message: "price has changed since it was quoted",
        sku: `SKU-${d.int(1, 9_999)}`,
      }),
  ],
  [
    "checkout alarm",
    W,
    "checkout",
    (d) => `alarm of object ${d.hex(64)} failed for the ${d.int(1, 6)}. time after ${d.ms()} ms`,
  ],
  ["checkout kv", W, "checkout", (d) => `KV GET failed: 500 Internal Server Error key=cart:${d.uuid()}`],
  [
    "checkout socket",
    W,
    "checkout",
    (d) => `WebSocket ${d.uuid()} of ${d.name()}@example.com closed with code 1006 after ${d.ms()}ms`,
  ],
  [
    "site ts2339 discount",
    B,
    "acme/site",
    (d) =>
      `${d.of(["", "##[error]", "Error: "])}src/cart.tsx(${d.int(1, 400)},${d.int(1, 90)}): error TS2339: Property 'discount' does not exist on type 'Cart'.`,
  ],
  [
    "site ts2339 total",
    B,
    "acme/site",
    (d) =>
      `${d.of(["", "##[error]", "Error: "])}src/cart.tsx(${d.int(1, 400)},${d.int(1, 90)}): error TS2339: Property 'total' does not exist on type 'Cart'.`,
  ],
  [
    "site ts2304",
    B,
    "acme/site",
    (d) => `${d.time()} src/pay.ts(${d.int(1, 400)},${d.int(1, 90)}): error TS2304: Cannot find name 'Money'.`,
  ],
  [
    "site module",
    B,
    "acme/site",
    (d) =>
      `Error: Cannot find module './prices.ts' imported from /home/runner/work/site/site-${d.int(1, 9)}/src/index.ts`,
  ],
  [
    "site lockfile",
    B,
    "acme/site",
    (d) =>
      `${d.time()}  ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with <ROOT>/${d.of(["", "packages/ui/", "packages/api/"])}package.json`,
  ],
  [
    "site econnreset",
    B,
    "acme/site",
    (d) => `${d.of(["", `${d.time()} `])}npm error code ECONNRESET\nnpm error network aborted`,
  ],
  [
    "site e404",
    B,
    "acme/site",
    (d) =>
      `npm error code E404\nnpm error 404 Not Found - GET https://npm.acme.example/@acme%2fui/-/ui-${d.version()}.tgz`,
  ],
  [
    "site test cart",
    B,
    "acme/site",
    (d) =>
      `FAIL test/cart.test.ts > cart > adds up\nAssertionError: expected ${d.int(1, 9_999)} to be ${d.int(1, 9_999)} // Object.is equality\n ❯ test/cart.test.ts:${d.line()}`,
  ],
  [
    "site test pay",
    B,
    "acme/site",
    (d) =>
      `FAIL test/pay.test.ts > pay > refuses an expired card\nAssertionError: expected ${d.int(1, 9_999)} to be ${d.int(1, 9_999)} // Object.is equality\n ❯ test/pay.test.ts:${d.line()}`,
  ],
  [
    "site timeout",
    B,
    "acme/site",
    (d) => `Error: Test timed out in ${d.of([5_000, 10_000, 15_000])}ms.\n ❯ test/sync.test.ts:${d.line()}`,
  ],
  ["site browser", B, "acme/site", (d) => `TimeoutError: locator.click: Timeout ${d.int(1, 30)}000ms exceeded.`],
  [
    "site heap",
    B,
    "acme/site",
    (d) =>
      `<--- Last few GCs --->\n[${d.int(1_000, 9_999)}:0x${d.hex(12)}] ${d.ms()} ms: Mark-Compact ${d.int(1_000, 4_000)}.1 (${d.int(1_000, 4_000)}.9) MB\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0x${d.hex(9)} node::OOMErrorHandler(char const*) [node]`,
  ],
  [
    "engine shutdown",
    B,
    "acme/engine",
    (d) => `${d.of(["", `${d.time()} `])}##[error]The runner has received a shutdown signal.`,
  ],
  ["engine exit 137", B, "acme/engine", (d) => `worker ${d.int(1, 64)} ended after ${d.ms()}ms with exit code 137`],
  ["engine exit 139", B, "acme/engine", (d) => `worker ${d.int(1, 64)} ended after ${d.ms()}ms with exit code 139`],
  [
    "engine e0502",
    B,
    "acme/engine",
    (d) =>
      `error[E0502]: cannot borrow \`self.log\` as mutable because it is also borrowed as immutable\n   --> crates/engine/src/journal.rs:${d.line()}`,
  ],
  [
    "engine e0382",
    B,
    "acme/engine",
    (d) => `error[E0382]: borrow of moved value: \`entry\`\n   --> crates/engine/src/journal.rs:${d.line()}`,
  ],
  [
    "engine push",
    B,
    "acme/engine",
    (d) =>
      `To https://github.com/acme/engine.git\n ! [rejected] build-${d.int(1, 9_999)} -> main (fetch first)\nerror: failed to push some refs to 'https://github.com/acme/engine.git'`,
  ],
  [
    "engine disk",
    B,
    "acme/engine",
    (d) => `write /tmp/build-${d.hex(8)}/out-${d.int(1, 999)}.o: no space left on device`,
  ],
  [
    "engine python",
    B,
    "acme/engine",
    (d) =>
      `Traceback (most recent call last):\n  File "/opt/hostedtoolcache/Python/3.${d.int(9, 13)}.${d.int(0, 9)}/x64/lib/run.py", line ${d.int(1, 900)}, in <module>\n    import boto3\nModuleNotFoundError: No module named 'boto3'`,
  ],
];

export const CAUSE_COUNT = CAUSES.length;

/** `count` lines of the forty causes, some of which are much more frequent than others, with the answer to each. */
export function generateLines(count: number, seed: string): LabelledLine[] {
  const random = seededRandom(seed);
  const draw = new Draw(random);
  return Array.from({ length: count }, () => {
    const picked = CAUSES[Math.floor(random.next() ** 2 * CAUSES.length)];
    if (!picked) throw new RangeError("there is no such cause");
    const [cause, kind, source, write] = picked;
    return { cause, kind, source, message: write(draw) };
  });
}
