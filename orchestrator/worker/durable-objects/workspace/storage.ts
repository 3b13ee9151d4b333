import { TABLES } from "./tables.ts";

export const createTables = (sql: SqlStorage): void => void sql.exec(TABLES);
