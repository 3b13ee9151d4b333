import { rmSync } from "node:fs";
import { tree } from "../engine/tempWorkspace.ts";
import { opened, sorted } from "./lab.ts";
import { startRecording, stopRecording } from "./recordingFs.ts";

/** How often the disk failed, and which promises did not hold then. */
export interface Failures {
  failed: number;
  broken: string[];
}

/**
 * Applies the first batch once for each operation it does on the disk, and lets that operation fail (and, if `lasting`,
 * all after it). What the answer says must be so: refused means wholly as before, applied means wholly done, in doubt
 * may be either and is settled at the next call; in no case is it half, and the same batch then is applied once.
 */
export async function diskFailures(
  makeRoot: () => string,
  batches: readonly object[],
  code: string,
  lasting: boolean,
): Promise<Failures> {
  const [batch] = batches;
  const before = makeRoot();
  const old = JSON.stringify(sorted(tree(before)));
  const engine = await opened(before);
  await engine.apply({ batch, door: "host" });
  await engine.close();
  const wanted = JSON.stringify(sorted(tree(before)));
  rmSync(before, { recursive: true });

  const broken: string[] = [];
  for (let at = 1; ; at++) {
    const fault = await failAt(makeRoot(), at, { batch, code, lasting, old, wanted });
    if (fault === null) return { failed: at - 1, broken };
    if (fault !== "") broken.push(fault);
  }
}

/** What is wrong, "" where nothing is; null where the batch has fewer operations. */
async function failAt(
  root: string,
  at: number,
  how: { batch: unknown; code: string; lasting: boolean; old: string; wanted: string },
): Promise<string | null> {
  const standing = () => JSON.stringify(sorted(tree(root)));
  const engine = await opened(root);
  let count = 0;
  let place = "";
  startRecording(root, (doing) => {
    // The lock is let go of in any case, or this process would wait for itself.
    if (doing.includes(".mission_control/lock")) return;
    count++;
    if (how.lasting ? count < at : count !== at) return;
    if (place === "") place = `${count}: ${doing}`;
    throw Object.assign(new Error(`${how.code}: /a/secret/path`), { code: how.code, syscall: "write" });
  });
  let answer;
  try {
    answer = await engine.apply({ batch: how.batch, door: "host" });
  } finally {
    stopRecording();
  }
  try {
    if (place === "") return null;
    const wrong = (what: string) => `${place}: ${what}`;
    if (JSON.stringify(answer).includes("/a/secret/path")) return wrong("the answer tells a path of the machine");
    if (answer.error) {
      if (answer.error.code !== "IO_ERROR") return wrong(`refused with ${answer.error.code}`);
      if (answer.error.nothingWritten === false) return wrong("refused, and yet written");
      if (answer.error.nothingWritten === true && standing() !== how.old) return wrong(`half undone: ${standing()}`);
    } else if (standing() !== how.wanted) return wrong(`half done: ${standing()}`);

    // The process may end here, and another find what is left.
    const again = await opened(root);
    const { head } = again.info();
    const settled = standing();
    await again.close();
    if (settled !== (head.seq === 1 ? how.wanted : how.old)) return wrong(`the log is at ${head.seq}, but: ${settled}`);
    if (answer.error?.nothingWritten === true && head.seq !== 0)
      return wrong("said to be undone, and done by the next");
    if (!answer.error && head.seq !== 1) return wrong("said to be applied, and not in the log");

    const repeated = await engine.apply({ batch: how.batch, door: "host" });
    if (repeated.error) return wrong(`again: ${repeated.error.code} ${repeated.error.message}`);
    if (repeated.head.seq !== 1 || standing() !== how.wanted) return wrong(`again: ${standing()}`);
    return "";
  } finally {
    await engine.close();
  }
}
