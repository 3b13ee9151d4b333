import { z } from "zod";

/** What models and factories hand to each other, before it becomes patches. */

export const TemplateSelectionSchema = z.object({
  selectedTemplateName: z.string().nullable(),
  reasoning: z.string(),
  useCase: z
    .enum(["SaaS Product Website", "Dashboard", "Blog", "Portfolio", "E-Commerce", "General", "Other"])
    .nullable(),
  complexity: z.enum(["simple", "moderate", "complex"]).nullable(),
  styleSelection: z
    .enum(["Minimalist Design", "Brutalism", "Retro", "Illustrative", "Kid_Playful", "Custom"])
    .nullable(),
  projectName: z.string(),
});

export const FileOutputSchema = z.object({
  filePath: z.string(),
  fileContents: z.string(),
  filePurpose: z.string(),
});

export const FileConceptSchema = z.object({
  path: z.string(),
  purpose: z.string(),
  changes: z.string().nullable(),
});

export const PhaseConceptSchema = z.object({
  name: z.string(),
  description: z.string(),
  files: z.array(FileConceptSchema),
  lastPhase: z.boolean(),
});

export const PhaseConceptLiteSchema = PhaseConceptSchema.omit({ files: true, lastPhase: true });

export const FileGenerationOutput = FileOutputSchema.extend({
  format: z.enum(["full_content", "unified_diff"]),
});

export const PhaseConceptGenerationSchema = PhaseConceptSchema.extend({
  installCommands: z.array(z.string()),
});

export const PhaseImplementationSchema = z.object({
  files: z.array(FileOutputSchema),
  deploymentNeeded: z.boolean(),
  commands: z.array(z.string()),
});

export const DocumentationOutput = z.object({
  content: z.string(),
  source: z.string(),
});

export const CodeReviewOutput = z.object({
  dependenciesNotMet: z.array(z.string()),
  issuesFound: z.boolean(),
  frontendIssues: z.array(z.string()),
  backendIssues: z.array(z.string()),
  filesToFix: z.array(
    z.object({
      filePath: z.string(),
      issues: z.array(z.string()),
      require_code_changes: z.boolean(),
    }),
  ),
  commands: z.array(z.string()),
});

export const BlueprintSchema = z.object({
  title: z.string(),
  projectName: z.string(),
  detailedDescription: z.string(),
  description: z.string(),
  colorPalette: z.array(z.string()),
  views: z.array(z.object({ name: z.string(), description: z.string() })),
  userFlow: z.object({
    uiLayout: z.string(),
    uiDesign: z.string(),
    userJourney: z.string(),
  }),
  dataFlow: z.string(),
  architecture: z.object({ dataFlow: z.string() }),
  pitfalls: z.array(z.string()),
  frameworks: z.array(z.string()),
  implementationRoadmap: z.array(z.object({ phase: z.string(), description: z.string() })),
  initialPhase: PhaseConceptSchema,
});

export const BlueprintSchemaLite = BlueprintSchema.omit({ initialPhase: true });

export const SetupCommandsSchema = z.object({
  commands: z.array(z.string()),
});

export const ScreenshotAnalysisSchema = z.object({
  hasIssues: z.boolean(),
  issues: z.array(z.string()),
  suggestions: z.array(z.string()),
  uiCompliance: z.object({
    matchesBlueprint: z.boolean(),
    deviations: z.array(z.string()),
  }),
});

export const ConversationalResponseSchema = z.object({
  userResponse: z.string(),
});

export type TemplateSelection = z.infer<typeof TemplateSelectionSchema>;
export type Blueprint = z.infer<typeof BlueprintSchema>;
export type FileConceptType = z.infer<typeof FileConceptSchema>;
export type PhaseConceptType = z.infer<typeof PhaseConceptSchema>;
export type PhaseConceptLiteType = z.infer<typeof PhaseConceptLiteSchema>;
export type FileOutputType = z.infer<typeof FileOutputSchema>;
export type PhaseConceptGenerationSchemaType = z.infer<typeof PhaseConceptGenerationSchema>;
export type PhaseImplementationSchemaType = z.infer<typeof PhaseImplementationSchema>;
export type FileGenerationOutputType = z.infer<typeof FileGenerationOutput>;
export type DocumentationOutputType = z.infer<typeof DocumentationOutput>;
export type CodeReviewOutputType = z.infer<typeof CodeReviewOutput>;
export type SetupCommandsType = z.infer<typeof SetupCommandsSchema>;
export type ScreenshotAnalysisType = z.infer<typeof ScreenshotAnalysisSchema>;
