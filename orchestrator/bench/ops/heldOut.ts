import type { LabelledLine } from "./logLine.ts";

/**
 * HELD OUT: excerpts in the shapes in which npm, pnpm, tsc, vitest, git, Docker, wrangler, Actions and the Workers runtime
 * write them, each labelled by hand. They were written before the fingerprint was, and nothing is ever tuned on them: to
 * improve the fingerprint use generate.ts.
 */
const of =
  (kind: LabelledLine["kind"], source: string) =>
  (cause: string, ...messages: string[]): LabelledLine[] =>
    messages.map((message) => ({ cause, kind, source, message }));

const api = of("worker-log", "api-gateway");
const shop = of("worker-log", "checkout");
const site = of("build-log", "acme/site");
const engine = of("build-log", "acme/engine");

export const HELD_OUT: readonly LabelledLine[] = [
  ...api(
    "api no-table-sessions",
    "D1_ERROR: no such table: sessions: SQLITE_ERROR",
    "Error: D1_ERROR: no such table: sessions: SQLITE_ERROR\n    at D1DatabaseSessionAlwaysPrimary._sendOrThrow (cloudflare-internal:d1-api:139:19)\n    at async D1PreparedStatement.first (cloudflare-internal:d1-api:291:15)\n    at async findSession (index.js:10422:17)",
    "✘ [ERROR] Uncaught Error: D1_ERROR: no such table: sessions: SQLITE_ERROR",
  ),
  ...api(
    "api no-table-plans",
    "D1_ERROR: no such table: plans: SQLITE_ERROR",
    "Error: D1_ERROR: no such table: plans: SQLITE_ERROR\n    at D1DatabaseSessionAlwaysPrimary._sendOrThrow (cloudflare-internal:d1-api:139:19)\n    at async D1PreparedStatement.all (cloudflare-internal:d1-api:322:15)\n    at async listPlans (index.js:9113:20)",
  ),
  ...api(
    "api unique-email",
    "D1_ERROR: UNIQUE constraint failed: users.email: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
    "Error: D1_ERROR: UNIQUE constraint failed: users.email: SQLITE_CONSTRAINT\n    at async createUser (index.js:8711:5)",
  ),
  ...api(
    "api cpu",
    "Worker exceeded CPU time limit.",
    "Error: Worker exceeded CPU time limit.",
    "Uncaught Error: Worker exceeded CPU time limit.",
  ),
  ...api("api memory", "Worker exceeded memory limit.", "Error: Worker exceeded memory limit."),
  ...api(
    "api subrequests",
    "Error: Too many subrequests.\n    at fetchAll (index.js:2211:18)",
    "Error: Too many subrequests.\n    at fetchAll (index.js:2240:18)\n    at async Object.fetch (index.js:112:9)",
  ),
  ...api(
    "api user-name",
    "TypeError: Cannot read properties of undefined (reading 'name')\n    at renderProfile (index.js:5521:33)\n    at async Object.fetch (index.js:301:14)",
    "TypeError: Cannot read properties of undefined (reading 'name')\n    at renderProfile (index.js:5498:33)\n    at async Object.fetch (index.js:299:14)",
    "Uncaught (in promise) TypeError: Cannot read properties of undefined (reading 'name')\n    at renderProfile (index.js:5600:40)",
  ),
  ...api(
    "api invoice-name",
    "TypeError: Cannot read properties of undefined (reading 'name')\n    at formatInvoice (index.js:7121:12)\n    at async Object.fetch (index.js:301:14)",
    "TypeError: Cannot read properties of undefined (reading 'name')\n    at formatInvoice (index.js:7160:12)\n    at async exportAll (index.js:7301:3)",
  ),
  ...api(
    "api upstream-502",
    "upstream https://billing.internal/v2/accounts/8c1f0e/plan answered 502 after 1204ms",
    "upstream https://billing.internal/v2/accounts/a0093d/plan answered 502 after 88ms",
    "upstream https://billing.internal/v2/accounts/77e1b2/plan answered 502 after 30001ms",
  ),
  ...api(
    "api jwt-expired",
    'JWTExpired: "exp" claim timestamp check failed\n    at validateClaims (index.js:3300:11)',
    'JWTExpired: "exp" claim timestamp check failed\n    at validateClaims (index.js:3312:11)\n    at async authenticate (index.js:3400:9)',
  ),
  ...shop(
    "shop network-lost",
    "Error: Network connection lost.",
    "Error: Network connection lost.\n    at async Cart.load (worker.js:811:22)",
    "Uncaught (in promise) Error: Network connection lost.",
  ),
  ...shop(
    "shop do-reset",
    "Error: Durable Object reset because its code was updated.",
    "Error: Durable Object reset because its code was updated.\n    at async Cart.fetch (worker.js:90:5)",
  ),
  ...shop(
    "shop do-overloaded",
    "Error: Durable Object is overloaded. Requests queued for too long.",
    "Error: Durable Object is overloaded. Requests queued for too long.\n    at async Object.fetch (worker.js:12:5)",
  ),
  ...shop(
    "shop card-declined",
    "payment pi_3PqX1eLkdIwHu7ix0aB1cD2e refused: card_declined (insufficient_funds) for customer cus_QhT8zKx1vY2w3E",
    "payment pi_3PqX9mLkdIwHu7ix1Zz9yX8w refused: card_declined (insufficient_funds) for customer cus_QhU1aBcDeFgHiJ",
    "payment pi_3PrA0bLkdIwHu7ix2Qw3eR4t refused: card_declined (insufficient_funds) for customer cus_QiA7sDfGhJkLzX",
  ),
  ...shop(
    "shop webhook-signature",
    "StripeSignatureVerificationError: No signatures found matching the expected signature for payload. evt_1PqX2A",
    "StripeSignatureVerificationError: No signatures found matching the expected signature for payload. evt_1PrB7Q",
  ),
  ...shop(
    "shop bad-json",
    "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON\n    at JSON.parse (<anonymous>)\n    at parseQuote (worker.js:404:17)",
    "SyntaxError: Unexpected token '<', \"<html><hea\"... is not valid JSON\n    at JSON.parse (<anonymous>)\n    at parseQuote (worker.js:411:17)",
  ),
  ...shop(
    "shop slow-query",
    "slow query took 2311ms: SELECT * FROM carts WHERE customer_id = 'c_91' AND updated_at > '2026-11-02T03:11:09Z'",
    "slow query took 1874ms: SELECT * FROM carts WHERE customer_id = 'c_4417' AND updated_at > '2026-11-04T22:01:55Z'",
  ),
  ...shop(
    "shop kv-429",
    "Error: KV PUT failed: 429 Too Many Requests",
    "Error: KV PUT failed: 429 Too Many Requests\n    at async saveCart (worker.js:377:3)",
  ),
  ...site(
    "site lockfile",
    '2026-11-03T02:14:09.1182274Z  ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with <ROOT>/package.json',
    '2026-11-05T22:40:51.9021121Z  ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with <ROOT>/packages/ui/package.json',
    ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with package.json',
  ),
  ...site(
    "site econnreset",
    "npm error code ECONNRESET\nnpm error network aborted\nnpm error network This is a problem related to network connectivity.",
    "2026-11-03T03:00:22.0000001Z npm error code ECONNRESET\n2026-11-03T03:00:22.0000002Z npm error network aborted\n2026-11-03T03:00:22.0000003Z npm error network This is a problem related to network connectivity.",
  ),
  ...site(
    "site eresolve",
    "npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree\nnpm error While resolving: site@2.14.0\nnpm error Found: react@19.0.0",
    "npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree\nnpm error While resolving: site@2.15.1\nnpm error Found: react@19.0.0",
  ),
  ...site(
    "site ts-missing-prop",
    "src/pages/cart.tsx(41,18): error TS2339: Property 'discount' does not exist on type 'Cart'.",
    "Error: src/pages/cart.tsx(44,18): error TS2339: Property 'discount' does not exist on type 'Cart'.",
    "##[error]src/pages/cart.tsx(44,18): error TS2339: Property 'discount' does not exist on type 'Cart'.",
  ),
  ...site(
    "site ts-assignable",
    "src/lib/price.ts(12,3): error TS2322: Type 'string' is not assignable to type 'number'.",
    "src/lib/price.ts(19,3): error TS2322: Type 'string' is not assignable to type 'number'.",
  ),
  ...site(
    "site heap",
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "<--- Last few GCs --->\n[2141:0x5d3ceb94000]   331617 ms: Mark-Compact 4193.3 (4274.0) -> 4135.1 (4214.1) MB\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "2026-11-08T01:10:11.5511003Z FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
  ),
  ...site(
    "site pull-limit",
    "Error response from daemon: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
    "##[error]Error response from daemon: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
  ),
  ...site(
    "site cart-total-test",
    "\u001b[31mFAIL\u001b[39m test/cart.test.ts > cart > adds up what is in it\nAssertionError: expected 1299 to be 1199 // Object.is equality\n ❯ test/cart.test.ts:31:24",
    "FAIL test/cart.test.ts > cart > adds up what is in it\nAssertionError: expected 1399 to be 1299 // Object.is equality\n ❯ test/cart.test.ts:33:24",
  ),
  ...site(
    "site login-test",
    "FAIL test/login.test.ts > login > refuses a wrong password\nAssertionError: expected 200 to be 401 // Object.is equality\n ❯ test/login.test.ts:18:30",
    "FAIL test/login.test.ts > login > refuses a wrong password\nAssertionError: expected 500 to be 401 // Object.is equality\n ❯ test/login.test.ts:18:30",
  ),
  ...site(
    "site browser-timeout",
    "TimeoutError: page.waitForSelector: Timeout 30000ms exceeded.\nCall log:\n  - waiting for locator('#pay') to be visible",
    "TimeoutError: page.waitForSelector: Timeout 15000ms exceeded.\nCall log:\n  - waiting for locator('#pay') to be visible",
  ),
  ...engine(
    "engine oom-runner",
    "##[error]The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled.",
    "2026-11-02T10:00:00.1234567Z ##[error]The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled.",
  ),
  ...engine(
    "engine no-space",
    "System.IO.IOException: No space left on device : '/home/runner/runners/2.319.1/_diag/Worker_20261103-021455-utc.log'",
    "System.IO.IOException: No space left on device : '/home/runner/runners/2.320.0/_diag/Worker_20261107-120102-utc.log'",
  ),
  ...engine(
    "engine auth",
    "remote: Permission to acme/engine.git denied to github-actions[bot].\nfatal: unable to access 'https://github.com/acme/engine/': The requested URL returned error: 403",
    "2026-11-05T05:55:10.7100012Z remote: Permission to acme/engine.git denied to github-actions[bot].\n2026-11-05T05:55:10.7100400Z fatal: unable to access 'https://github.com/acme/engine/': The requested URL returned error: 403",
  ),
  ...engine(
    "engine borrow",
    "error[E0502]: cannot borrow `self.log` as mutable because it is also borrowed as immutable\n   --> crates/engine/src/journal.rs:214:9",
    "error[E0502]: cannot borrow `self.log` as mutable because it is also borrowed as immutable\n   --> crates/engine/src/journal.rs:221:9",
  ),
  ...engine(
    "engine linker",
    "error: linking with `cc` failed: exit status: 1\n  = note: /usr/bin/ld: cannot find -lssl: No such file or directory",
    "error: linking with `cc` failed: exit status: 1\n  = note: /usr/bin/ld: cannot find -lssl: No such file or directory\n          collect2: error: ld returned 1 exit status",
  ),
  ...engine(
    "engine go-race",
    "WARNING: DATA RACE\nWrite at 0x00c0001a4018 by goroutine 31:\n  acme/engine/journal.(*Log).Append()\n      /home/runner/work/engine/engine/journal/log.go:88 +0x1d4",
    "WARNING: DATA RACE\nWrite at 0x00c00052c0f8 by goroutine 112:\n  acme/engine/journal.(*Log).Append()\n      /home/runner/work/engine/engine/journal/log.go:91 +0x1d4",
  ),
  ...engine(
    "engine python-module",
    "Traceback (most recent call last):\n  File \"/opt/hostedtoolcache/Python/3.12.7/x64/bin/pytest\", line 5, in <module>\n    from pytest import console_main\nModuleNotFoundError: No module named 'pytest'",
    "Traceback (most recent call last):\n  File \"/opt/hostedtoolcache/Python/3.12.8/x64/bin/pytest\", line 8, in <module>\n    from pytest import console_main\nModuleNotFoundError: No module named 'pytest'",
  ),
  ...engine(
    "engine python-yaml",
    "Traceback (most recent call last):\n  File \"scripts/release.py\", line 11, in <module>\n    import yaml\nModuleNotFoundError: No module named 'yaml'",
    "Traceback (most recent call last):\n  File \"scripts/release.py\", line 12, in <module>\n    import yaml\nModuleNotFoundError: No module named 'yaml'",
  ),
  ...engine(
    "engine wrangler-auth",
    "✘ [ERROR] A request to the Cloudflare API (/accounts/2f0c7be0a1f74e0fa7a8f3b6d1c2e3f4/workers/services/engine) failed.\n  Authentication error [code: 10000]",
    "\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m \u001b[1mA request to the Cloudflare API (/accounts/2f0c7be0a1f74e0fa7a8f3b6d1c2e3f4/workers/services/engine-staging) failed.\u001b[0m\n  Authentication error [code: 10000]",
  ),
  ...engine(
    "engine script-size",
    "✘ [ERROR] A request to the Cloudflare API (/accounts/2f0c7be0a1f74e0fa7a8f3b6d1c2e3f4/workers/scripts/engine) failed.\n  Script startup exceeded CPU time limit. [code: 10021]",
    "✘ [ERROR] A request to the Cloudflare API (/accounts/2f0c7be0a1f74e0fa7a8f3b6d1c2e3f4/workers/scripts/engine/versions) failed.\n  Script startup exceeded CPU time limit. [code: 10021]",
  ),
];
