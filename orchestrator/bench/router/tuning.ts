import { EVEN, type Scenario, USUAL } from "./scenario.ts";

/** Scenarios that the router's parameters were chosen on. What it reaches here says little. */
export const TUNING: readonly Scenario[] = [
  { ...USUAL, name: "steady", about: "Nothing changes.", days: 120, tasksPerDay: 30, happenings: [] },
  {
    ...USUAL,
    name: "drift",
    about: "The best gets worse, another better.",
    days: 180,
    tasksPerDay: 30,
    happenings: [
      { what: "drift", provider: "claude", day: 60, by: -0.35, over: 15 },
      { what: "drift", provider: "gemini", day: 100, by: 0.3, over: 30 },
    ],
  },
  {
    ...USUAL,
    name: "outages",
    about: "Services are away for days or limit what they take.",
    days: 120,
    tasksPerDay: 40,
    happenings: [
      { what: "outage", provider: "codex", day: 30, until: 33 },
      { what: "outage", provider: "claude", day: 50, until: 58 },
      { what: "limited", provider: "gemini", day: 70, until: 100, share: 0.6 },
    ],
  },
  {
    ...USUAL,
    name: "prices",
    about: "One gets dear, another cheap.",
    days: 150,
    tasksPerDay: 30,
    profiles: { cheap: 4, balanced: 4, best: 1 },
    happenings: [
      { what: "price", provider: "claude", day: 50, factor: 2.5 },
      { what: "price", provider: "gemini", day: 90, factor: 0.4 },
    ],
  },
  {
    ...USUAL,
    name: "languages",
    about: "What a provider is good at depends on the language.",
    days: 180,
    tasksPerDay: 30,
    types: EVEN,
    languages: { typescript: 2, python: 2, go: 1, rust: 1, java: 1 },
    spread: { provider: 0.08, type: 0.08, language: 0.12, model: 0.05, price: 0.3 },
    happenings: [],
  },
  {
    ...USUAL,
    name: "few tasks",
    about: "Ten a day.",
    days: 240,
    tasksPerDay: 10,
    happenings: [{ what: "drift", provider: "codex", day: 120, by: 0.3, over: 10 }],
  },
];
