import { describe, expect, it } from "vitest";
import {
  PatchEvents,
  PatchEventTypeSchema,
  PhaseMessageTypeSchema,
  RequestMessageTypeSchema,
  WebSocketMessageRequests,
  WebSocketMessageResponses,
} from "../index.ts";

/** Written down from the given documents. */
const given = {
  responses: {
    GENERATION_STARTED: "generation_started",
    GENERATION_COMPLETE: "generation_complete",
    PHASE_GENERATING: "phase_generating",
    PHASE_GENERATED: "phase_generated",
    PHASE_IMPLEMENTING: "phase_implementing",
    PHASE_IMPLEMENTED: "phase_implemented",
    PHASE_VALIDATING: "phase_validating",
    PHASE_VALIDATED: "phase_validated",
    FILE_CHUNK_GENERATED: "file_chunk_generated",
    FILE_GENERATING: "file_generating",
    FILE_GENERATED: "file_generated",
    FILE_REGENERATING: "file_regenerating",
    FILE_REGENERATED: "file_regenerated",
    RUNTIME_ERROR_FOUND: "runtime_error_found",
    STATIC_ANALYSIS_RESULTS: "static_analysis_results",
    DEPLOYMENT_STARTED: "deployment_started",
    DEPLOYMENT_COMPLETED: "deployment_completed",
    DEPLOYMENT_FAILED: "deployment_failed",
    PREVIEW_FORCE_REFRESH: "preview_force_refresh",
    CLOUDFLARE_DEPLOYMENT_STARTED: "cloudflare_deployment_started",
    CLOUDFLARE_DEPLOYMENT_COMPLETED: "cloudflare_deployment_completed",
    CLOUDFLARE_DEPLOYMENT_ERROR: "cloudflare_deployment_error",
    SCREENSHOT_CAPTURE_STARTED: "screenshot_capture_started",
    SCREENSHOT_CAPTURE_SUCCESS: "screenshot_capture_success",
    SCREENSHOT_CAPTURE_ERROR: "screenshot_capture_error",
    SCREENSHOT_ANALYSIS_RESULT: "screenshot_analysis_result",
    ERROR: "error",
    RATE_LIMIT_ERROR: "rate_limit_error",
    CODE_REVIEWING: "code_reviewing",
    CODE_REVIEWED: "code_reviewed",
    COMMAND_EXECUTING: "command_executing",
    COMMAND_EXECUTED: "command_executed",
    COMMAND_EXECUTION_FAILED: "command_execution_failed",
    GENERATION_STOPPED: "generation_stopped",
    GENERATION_RESUMED: "generation_resumed",
    DETERMINISTIC_CODE_FIX_STARTED: "deterministic_code_fix_started",
    DETERMINISTIC_CODE_FIX_COMPLETED: "deterministic_code_fix_completed",
    GITHUB_EXPORT_STARTED: "github_export_started",
    GITHUB_EXPORT_PROGRESS: "github_export_progress",
    GITHUB_EXPORT_COMPLETED: "github_export_completed",
    GITHUB_EXPORT_ERROR: "github_export_error",
    USER_SUGGESTIONS_PROCESSING: "user_suggestions_processing",
    CONVERSATION_RESPONSE: "conversation_response",
    CONVERSATION_CLEARED: "conversation_cleared",
    CONVERSATION_STATE: "conversation_state",
    PROJECT_NAME_UPDATED: "project_name_updated",
    BLUEPRINT_UPDATED: "blueprint_updated",
    MODEL_CONFIGS_INFO: "model_configs_info",
    TERMINAL_OUTPUT: "terminal_output",
    SERVER_LOG: "server_log",
  },
  requests: {
    GENERATE_ALL: "generate_all",
    GENERATE: "generate",
    DEPLOY: "deploy",
    PREVIEW: "preview",
    OVERWRITE: "overwrite",
    UPDATE_QUERY: "update_query",
    RUNTIME_ERROR_FOUND: "runtime_error_found",
    PREVIEW_FAILED: "preview_failed",
    CAPTURE_SCREENSHOT: "capture_screenshot",
    STOP_GENERATION: "stop_generation",
    RESUME_GENERATION: "resume_generation",
    GITHUB_EXPORT: "github_export",
    USER_SUGGESTION: "user_suggestion",
    CLEAR_CONVERSATION: "clear_conversation",
    GET_CONVERSATION_STATE: "get_conversation_state",
    GET_MODEL_CONFIGS: "get_model_configs",
    TERMINAL_COMMAND: "terminal_command",
  },
  events: {
    PATCH_REQUESTED: "patch_requested",
    PATCH_APPLIED: "patch_applied",
    PATCH_VALIDATED: "patch_validated",
    PATCH_FAILED: "patch_failed",
    PATCH_REVERTED: "patch_reverted",
  },
};

describe("the message names", () => {
  it("are the documents', all and only those", () => {
    expect(WebSocketMessageResponses).toEqual(given.responses);
    expect(WebSocketMessageRequests).toEqual(given.requests);
    expect(PatchEvents).toEqual(given.events);
  });

  it("are what their schemas take, and nothing else is", () => {
    for (const [schema, names] of [
      [PhaseMessageTypeSchema, given.responses],
      [RequestMessageTypeSchema, given.requests],
      [PatchEventTypeSchema, given.events],
    ] as const) {
      for (const name of Object.values(names)) expect(schema.safeParse(name).success, name).toBe(true);
      for (const wrong of ["", "unknown", "GENERATE_ALL", null, 1, ["error"]])
        expect(schema.safeParse(wrong).success, String(wrong)).toBe(false);
    }
  });
});
