import { type Project, ProjectSchema } from "@shared/contracts";
import type { Selectable } from "kysely";
import type { ProjectsDatabase } from "../../database/schema.ts";

export const projectOfRow = ({ routing, ...row }: Selectable<ProjectsDatabase["projects"]>): Project =>
  ProjectSchema.parse({ ...row, ...(routing === null ? {} : { routing: JSON.parse(routing) }) });
