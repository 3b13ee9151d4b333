import type { Browser, Page } from "playwright-core";
import { z } from "zod";

const EventSchema = z.looseObject({
  name: z.string(),
  pid: z.number(),
  tid: z.number(),
  dur: z.number().optional(),
  tdur: z.number().optional(),
  args: z.looseObject({ name: z.unknown() }).partial().optional(),
});
const TraceSchema = z.object({ traceEvents: z.array(z.unknown()) });

/** A task of the page's main thread, in milliseconds: from its begin to its end, and of that what it had the processor for. */
export interface Task {
  wall: number;
  cpu: number;
}

/** Every task of the page's main thread while `work` is done. A busy machine lengthens the first of a task's two times alone. */
export async function traceTasks(browser: Browser, page: Page, work: () => Promise<unknown>): Promise<Task[]> {
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  await work();
  const { traceEvents } = TraceSchema.parse(JSON.parse((await browser.stopTracing()).toString("utf8")));
  const threads = new Set<string>();
  const ran: { thread: string; task: Task }[] = [];
  for (const raw of traceEvents) {
    const event = EventSchema.safeParse(raw).data;
    if (event === undefined) continue;
    const thread = `${event.pid} ${event.tid}`;
    if (event.name === "thread_name" && event.args?.name === "CrRendererMain") threads.add(thread);
    if (event.dur === undefined || !event.name.endsWith("RunTask")) continue;
    ran.push({ thread, task: { wall: event.dur / 1_000, cpu: (event.tdur ?? event.dur) / 1_000 } });
  }
  return ran.flatMap(({ thread, task }) => (threads.has(thread) ? [task] : []));
}
