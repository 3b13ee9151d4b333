import { env } from "cloudflare:workers";
import { describe, expect, inject, test } from "vitest";
import { scheduled, SCHEDULE } from "../../worker/schedule.ts";
import { queue } from "../../worker/queues.ts";

describe("the schedule", () => {
  test("has a trigger for every line, and a line for every trigger", () => {
    expect(inject("wrangler").crons.toSorted()).toEqual(Object.keys(SCHEDULE).toSorted());
  });

  test("a trigger that nothing is scheduled for is said in the log and does no harm", async () => {
    await expect(scheduled({ cron: "1 2 3 4 5" }, env)).resolves.toBeUndefined();
  });

  test("a queue that nothing takes is no message lost: the batch comes again", async () => {
    await expect(queue({ queue: "tea", messages: [] } as never, env)).rejects.toThrow("tea");
  });
});
