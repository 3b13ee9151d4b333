import { isMainThread } from "node:worker_threads";

// Preloaded into programs that `npm start` runs: when the process that holds their stdin is gone, however it ended, they
// end too, with their process group.
if (isMainThread) {
  process.stdin.on("close", () => process.kill(0, "SIGTERM"));
  process.stdin.resume();
  process.stdin.unref?.();
}
