import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The address of the run's local GitHub. */
    github: string;
    /** Another, for tests that move its clock. */
    movingGithub: string;
  }
}
