import { type Order, OrderSchema } from "@shared/contracts";
import type { Selectable } from "kysely";
import type { ProjectsDatabase } from "../../database/schema.ts";

type OrderRow = Selectable<ProjectsDatabase["orders"]>;

export const orderOfRow = ({ routing, ...row }: OrderRow): Order =>
  OrderSchema.parse({ ...row, ...(routing === null ? {} : { routing: JSON.parse(routing) }) });

export const rowOfOrder = ({ routing, ...order }: Order): OrderRow => ({
  ...order,
  routing: routing === undefined ? null : JSON.stringify(routing),
});
