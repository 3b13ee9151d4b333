import { type Task, TaskSchema } from "@shared/contracts";
import type { Selectable } from "kysely";
import type { ProjectsDatabase } from "../../database/schema.ts";

export type TaskRow = Selectable<ProjectsDatabase["tasks"]>;

export const taskOfRow = (row: TaskRow): Task => TaskSchema.parse({ ...row, allowed: JSON.parse(row.allowed) });

export const rowOfTask = (task: Task): TaskRow => ({ ...task, allowed: JSON.stringify(task.allowed) });
