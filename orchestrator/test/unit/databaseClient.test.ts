import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { databasesOf } from "../../worker/database/client.ts";

test("a query that never comes back, as of a request that is over, holds up no other one", async () => {
  let asked = 0;
  const silentOnce = new Proxy(env.DB_PROJECTS, {
    get: (database, name) => {
      if (name !== "prepare") return Reflect.get(database, name) as unknown;
      asked += 1;
      return asked > 1
        ? database.prepare.bind(database)
        : () => ({ bind: () => ({ all: () => new Promise<never>(() => undefined) }) });
    },
  });
  const { projects } = databasesOf({ ...env, DB_PROJECTS: silentOnce });
  const orders = () => projects.selectFrom("orders").selectAll().execute();
  void orders();
  expect(await orders()).toEqual([]);
});
