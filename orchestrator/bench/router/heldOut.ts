import { EVEN, type Scenario, USUAL } from "./scenario.ts";

/**
 * Scenarios that nothing was tuned on. They were written before the router was first run on any scenario, and say what
 * it is worth: `pnpm bench:router` prints them by themselves.
 */
export const HELD_OUT: readonly Scenario[] = [
  {
    ...USUAL,
    name: "a new model wins",
    about: "The one expected least jumps up in the third month; the first of the order slowly gets worse.",
    days: 180,
    tasksPerDay: 30,
    happenings: [
      { what: "drift", provider: "ai-gateway", day: 75, by: 0.4, over: 2 },
      { what: "drift", provider: "claude", day: 40, by: -0.25, over: 90 },
    ],
  },
  {
    ...USUAL,
    name: "bad weeks",
    about: "Outages of days and weeks, one provider after the other, and long stretches of 429.",
    days: 150,
    tasksPerDay: 40,
    happenings: [
      { what: "outage", provider: "claude", day: 20, until: 27 },
      { what: "outage", provider: "codex", day: 45, until: 47 },
      { what: "limited", provider: "claude", day: 60, until: 90, share: 0.5 },
      { what: "outage", provider: "gemini", day: 80, until: 95 },
      { what: "limited", provider: "codex", day: 100, until: 120, share: 0.8 },
      { what: "outage", provider: "cursor", day: 110, until: 140 },
    ],
  },
  {
    ...USUAL,
    name: "price war",
    about: "Prices triple and fall by turns, and most orders are to be cheap.",
    days: 180,
    tasksPerDay: 30,
    profiles: { cheap: 6, balanced: 3, best: 1 },
    happenings: [
      { what: "price", provider: "claude", day: 30, until: 90, factor: 3 },
      { what: "price", provider: "codex", day: 60, factor: 0.3 },
      { what: "price", provider: "gemini", day: 90, until: 150, factor: 4 },
      { what: "price", provider: "claude", day: 90, factor: 0.5 },
    ],
  },
  {
    ...USUAL,
    name: "many languages",
    about: "Eight languages, all types alike, and what a provider is good at depends on them most.",
    days: 210,
    tasksPerDay: 40,
    types: EVEN,
    languages: { typescript: 3, python: 3, go: 2, rust: 2, java: 2, sql: 1, css: 1, shell: 1 },
    spread: { provider: 0.06, type: 0.12, language: 0.14, model: 0.06, price: 0.3 },
    happenings: [],
  },
  {
    ...USUAL,
    name: "a small team",
    about: "Eight tasks a day for nine months: little to learn from, and drifts all the same.",
    days: 270,
    tasksPerDay: 8,
    happenings: [
      { what: "drift", provider: "codex", day: 90, by: -0.3, over: 10 },
      { what: "drift", provider: "cursor", day: 150, by: 0.25, over: 30 },
    ],
  },
  {
    ...USUAL,
    name: "everything at once",
    about: "Drifts, prices, outages and limits, on a registry that is far off.",
    days: 210,
    tasksPerDay: 35,
    spread: { provider: 0.18, type: 0.12, language: 0.08, model: 0.1, price: 0.5 },
    reverted: 0.12,
    happenings: [
      { what: "drift", provider: "claude", day: 30, by: -0.3, over: 20 },
      { what: "drift", provider: "claude", day: 120, by: 0.35, over: 20 },
      { what: "outage", provider: "codex", day: 60, until: 64 },
      { what: "price", provider: "gemini", day: 80, factor: 3 },
      { what: "limited", provider: "copilot", day: 50, until: 130, share: 0.4 },
      { what: "drift", provider: "jules", day: 100, by: 0.2, over: 5, type: "refactor" },
    ],
  },
  {
    ...USUAL,
    name: "the registry is right",
    about: "Providers are about what the registry expects, so that its order is a good one; there is little to win.",
    days: 120,
    tasksPerDay: 30,
    spread: { provider: 0.03, type: 0.03, language: 0.02, model: 0.03, price: 0.1 },
    happenings: [],
  },
  {
    ...USUAL,
    name: "no repository, no room",
    about:
      "Nothing is on GitHub and little fits into a question: agents in workspaces alone, whose best changes twice.",
    days: 180,
    tasksPerDay: 25,
    onGithub: 0,
    fits: 0.1,
    happenings: [
      { what: "drift", provider: "gemini", day: 50, by: 0.3, over: 1 },
      { what: "drift", provider: "gemini", day: 115, by: -0.4, over: 1 },
    ],
  },
];
