import { describe } from "vitest";
import {
  TemplateSelectionSchema,
  FileOutputSchema,
  FileConceptSchema,
  PhaseConceptSchema,
  PhaseConceptLiteSchema,
  FileGenerationOutput,
  PhaseConceptGenerationSchema,
  PhaseImplementationSchema,
  DocumentationOutput,
  CodeReviewOutput,
  BlueprintSchema,
  BlueprintSchemaLite,
  SetupCommandsSchema,
  ScreenshotAnalysisSchema,
  ConversationalResponseSchema,
} from "../index.ts";
import type { z } from "zod";
import { bool, checkShape, list, nullable, object, oneOf, type Shape, str } from "./shape.ts";

const fileConcept: Shape = { path: str, purpose: str, changes: nullable(str) };
const phaseConcept: Shape = { name: str, description: str, files: list(object(fileConcept)), lastPhase: bool };
const fileOutput: Shape = { filePath: str, fileContents: str, filePurpose: str };
const blueprintLite: Shape = {
  title: str,
  projectName: str,
  detailedDescription: str,
  description: str,
  colorPalette: list(str),
  views: list(object({ name: str, description: str })),
  userFlow: object({ uiLayout: str, uiDesign: str, userJourney: str }),
  dataFlow: str,
  architecture: object({ dataFlow: str }),
  pitfalls: list(str),
  frameworks: list(str),
  implementationRoadmap: list(object({ phase: str, description: str })),
};

/** Field for field as the given document has them. */
const shapes: Record<string, [z.ZodType, Shape]> = {
  TemplateSelectionSchema: [
    TemplateSelectionSchema,
    {
      selectedTemplateName: nullable(str),
      reasoning: str,
      useCase: nullable(
        oneOf("SaaS Product Website", "Dashboard", "Blog", "Portfolio", "E-Commerce", "General", "Other"),
      ),
      complexity: nullable(oneOf("simple", "moderate", "complex")),
      styleSelection: nullable(
        oneOf("Minimalist Design", "Brutalism", "Retro", "Illustrative", "Kid_Playful", "Custom"),
      ),
      projectName: str,
    },
  ],
  FileOutputSchema: [FileOutputSchema, fileOutput],
  FileConceptSchema: [FileConceptSchema, fileConcept],
  PhaseConceptSchema: [PhaseConceptSchema, phaseConcept],
  PhaseConceptLiteSchema: [PhaseConceptLiteSchema, { name: str, description: str }],
  FileGenerationOutput: [FileGenerationOutput, { ...fileOutput, format: oneOf("full_content", "unified_diff") }],
  PhaseConceptGenerationSchema: [PhaseConceptGenerationSchema, { ...phaseConcept, installCommands: list(str) }],
  PhaseImplementationSchema: [
    PhaseImplementationSchema,
    { files: list(object(fileOutput)), deploymentNeeded: bool, commands: list(str) },
  ],
  DocumentationOutput: [DocumentationOutput, { content: str, source: str }],
  CodeReviewOutput: [
    CodeReviewOutput,
    {
      dependenciesNotMet: list(str),
      issuesFound: bool,
      frontendIssues: list(str),
      backendIssues: list(str),
      filesToFix: list(object({ filePath: str, issues: list(str), require_code_changes: bool })),
      commands: list(str),
    },
  ],
  BlueprintSchema: [BlueprintSchema, { ...blueprintLite, initialPhase: object(phaseConcept) }],
  BlueprintSchemaLite: [BlueprintSchemaLite, blueprintLite],
  SetupCommandsSchema: [SetupCommandsSchema, { commands: list(str) }],
  ScreenshotAnalysisSchema: [
    ScreenshotAnalysisSchema,
    {
      hasIssues: bool,
      issues: list(str),
      suggestions: list(str),
      uiCompliance: object({ matchesBlueprint: bool, deviations: list(str) }),
    },
  ],
  ConversationalResponseSchema: [ConversationalResponseSchema, { userResponse: str }],
};

for (const [name, [schema, shape]] of Object.entries(shapes))
  describe(name, () => {
    checkShape(schema, shape);
  });
