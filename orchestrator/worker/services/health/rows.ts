import {
  HealthAttemptSchema,
  HealthFaultSchema,
  type HealthCheck,
  HealthCheckSchema,
  type HealthSchedule,
  HealthScheduleSchema,
  HealthDetailSchema,
  type ProfileResult,
  type TestProfile,
  type WorkerCheck,
  WorkerVersionSchema,
} from "@shared/contracts";
import type { Selectable } from "kysely";
import { z } from "zod";
import type { HealthDatabase } from "../../database/schema.ts";

type Row<Table extends keyof HealthDatabase> = Selectable<HealthDatabase[Table]>;

const ListSchema = z.array(z.string());
const listOf = (json: string): string[] => ListSchema.parse(JSON.parse(json));
const AttemptsSchema = z.array(HealthAttemptSchema);
const DetailsSchema = z.array(HealthDetailSchema);

export const checkOfRow = (row: Row<"health_checks">): HealthCheck => {
  const { workers, profiles, ...rest } = row;
  return HealthCheckSchema.parse({ ...rest, workers: listOf(workers), profiles: listOf(profiles) });
};

export const workerCheckOfRow = (row: Row<"worker_health_checks">): WorkerCheck => ({
  uuid: row.uuid,
  check_uuid: row.check_uuid,
  worker_name: row.worker_name,
  worker_type: row.worker_type,
  status: row.status,
  code: HealthFaultSchema.nullable().parse(row.code),
  message: row.message,
  version: row.version === null ? null : WorkerVersionSchema.parse(JSON.parse(row.version)),
  dispatches: AttemptsSchema.parse(JSON.parse(row.dispatches)),
  attempts: AttemptsSchema.parse(JSON.parse(row.attempts)),
  created_at: row.created_at,
  started_at: row.started_at,
  finished_at: row.finished_at,
  duration_ms: row.duration_ms,
});

export const resultOfRow = (row: Row<"test_results">): ProfileResult => ({
  profile: row.profile,
  status: row.status,
  code: HealthFaultSchema.nullable().parse(row.code),
  message: row.message,
  details: DetailsSchema.parse(JSON.parse(row.details)),
  attempt: row.attempt,
  duration_ms: row.duration_ms,
});

export const scheduleOfRow = (row: Row<"health_check_schedules">): HealthSchedule => {
  const { workers, profiles, enabled, ...rest } = row;
  return HealthScheduleSchema.parse({
    ...rest,
    workers: workers === null ? null : listOf(workers),
    profiles: profiles === null ? null : listOf(profiles),
    enabled: enabled === 1,
  });
};

export const profileOfRow = (row: Row<"test_profiles">): TestProfile => ({
  name: row.name,
  description: row.description,
  worker_types: listOf(row.worker_types),
  is_default: row.is_default === 1,
});
